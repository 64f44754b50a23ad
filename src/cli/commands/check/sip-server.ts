import type { Config, ServerAddress } from "../../../config/index.ts";
import { randomId, silentLogger } from "../../../core/index.ts";
import {
  createRequest,
  createTransactionLayer,
  transportParameter,
  type Flow,
  type SipRequest,
  type TransactionLayerWithReceiver,
} from "../../../sip/index.ts";
import { openSipTransports, type SipTransports } from "../../gateway/sip-transports.ts";
import { version } from "../../version.ts";
import type { ResolvedServer } from "./addresses.ts";
import { errorCode, type CheckIo, type Finding, type Report } from "./finding.ts";

interface Target {
  readonly key: string;
  readonly server: ServerAddress;
  readonly address: string;
  readonly port: number;
}

/**
 * Sends OPTIONS to every address of every SIP Server, from the configured port where it is free: SIP Server answers
 * to the Via's address and port. Any final answer counts as alive (genesys-sip-server.md 9).
 */
export async function checkSipServers(
  config: Config,
  servers: readonly ResolvedServer[],
  io: CheckIo,
  report: Report,
): Promise<void> {
  const targets = servers.flatMap(({ configured: server, endpoints }, index): Target[] =>
    endpoints.map(({ address, port }) => ({ key: `sipServer.addresses[${index}]`, server, address, port })),
  );
  if (targets.length === 0) return;
  const known = new Set(targets.map(({ address }) => address));
  const layer = createTransactionLayer({
    clock: io.clock,
    random: io.random,
    log: silentLogger,
    // A SIP Server that sends us requests meanwhile repeats them to the gateway once it is up.
    user: { onRequest() {}, onAck() {} },
  });
  const transports = await openTransports(config, layer, (address) => known.has(address), io, report);
  if (!transports) return layer.close();
  try {
    const answers = await Promise.all(targets.map((target) => ask(target, config, layer, transports, io)));
    const anyAlive = answers.some(({ level }) => level === "ok");
    // A standby peer may well be silent; when nobody answers, nothing works.
    for (const answer of answers)
      report(answer.level === "fail" && anyAlive ? { ...answer, level: "warn" } : answer);
  } finally {
    layer.close();
    await transports.close();
  }
}

async function openTransports(
  config: Config,
  receiver: TransactionLayerWithReceiver,
  allow: (address: string) => boolean,
  { clock, random, answerMs }: CheckIo,
  report: Report,
): Promise<SipTransports | undefined> {
  const surroundings = { receiver, allow, clock, random, log: silentLogger };
  // Before the OPTIONS itself is given up, so that the finding says why there is no connection.
  const queue = { messages: 100, bytes: 1_000_000 };
  // A port in use is told by the port check; SIP Server can be asked from another one as well.
  for (const port of new Set([config.sip.port, 0])) {
    try {
      return await openSipTransports(config, surroundings, {
        port,
        limits: { queue: { ...queue, patienceMs: answerMs - 50 } },
      });
    } catch (error) {
      if (port === 0)
        report({
          level: "fail",
          key: "sipServer",
          what: `cannot be asked: no socket on ${config.sip.host} (${errorCode(error)})`,
          mend: "correct sip.host, or the files of sipServer.tls",
        });
    }
  }
  return undefined;
}

async function ask(
  { key, server: configured, address, port }: Target,
  config: Config,
  layer: TransactionLayerWithReceiver,
  transports: SipTransports,
  io: CheckIo,
): Promise<Finding> {
  const flow = transports.serverFlow(configured, address, port);
  const server = `${address}:${port}${flow.protocol === "UDP" ? "" : ` over ${flow.protocol}`}`;
  const started = io.clock.now();
  const sentFrom = `${config.sip.advertisedAddress}:${transports.port}`;
  const mend =
    flow.protocol === "UDP"
      ? `check address and firewall; SIP Server sends its answer to ${sentFrom}`
      : `check address, firewall${flow.protocol === "TLS" ? ", certificates" : ""} and whether SIP Server listens for ${flow.protocol}`;
  return new Promise((resolve) => {
    layer.request(
      optionsRequest(flow, io),
      flow,
      {
        onResponse({ status, reason }) {
          if (status < 200) return;
          const ms = Math.round(io.clock.now() - started);
          resolve({
            level: "ok",
            key,
            what: `${server} answered ${status} ${reason} to OPTIONS in ${ms} ms`,
          });
        },
        onTimeout: () =>
          resolve({
            level: "fail",
            key,
            what: `${server} gave no answer to OPTIONS in ${io.answerMs} ms`,
            mend,
          }),
        onTransportError: (error) =>
          resolve({ level: "fail", key, what: `${server} cannot be sent to (${errorCode(error)})`, mend }),
      },
      { timeoutMs: io.answerMs },
    );
  });
}

function optionsRequest(flow: Flow, io: CheckIo): SipRequest {
  const server = `${flow.remoteAddress}:${flow.remotePort}`;
  return createRequest({
    method: "OPTIONS",
    uri: `sip:${server}`,
    headers: [
      ["Max-Forwards", "70"],
      ["From", `<sip:check@${flow.sentBy}>;tag=${randomId(io.random)}`],
      ["To", `<sip:${server}>`],
      ["Call-ID", randomId(io.random, 16)],
      ["CSeq", "1 OPTIONS"],
      ["Contact", `<sip:${flow.sentBy}${transportParameter(flow)}>`],
      ["Accept", "application/sdp"],
      ["User-Agent", `Jackfield/${version}`],
    ],
  });
}

import type { Config } from "../../config/index.ts";
import { randomId, silentLogger } from "../../core/index.ts";
import {
  createRequest,
  createTransactionLayer,
  openUdpTransport,
  type SipRequest,
  type TransactionLayerWithReceiver,
  type UdpTransport,
} from "../../sip/index.ts";
import { version } from "../version.ts";
import type { ResolvedServer } from "./addresses.ts";
import { errorCode, type CheckIo, type Finding, type Report } from "./finding.ts";

interface Target {
  readonly key: string;
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
  const targets = servers.flatMap(({ endpoints }, index): Target[] =>
    endpoints.map(({ address, port }) => ({ key: `sipServer.addresses[${index}]`, address, port })),
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
  const transport = await openTransport(config, layer, (address) => known.has(address), report);
  if (!transport) return layer.close();
  try {
    const answers = await Promise.all(targets.map((target) => ask(target, config, layer, transport, io)));
    const anyAlive = answers.some(({ level }) => level === "ok");
    // A standby peer may well be silent; when nobody answers, nothing works.
    for (const answer of answers)
      report(answer.level === "fail" && anyAlive ? { ...answer, level: "warn" } : answer);
  } finally {
    layer.close();
    await transport.close();
  }
}

async function openTransport(
  { sip }: Config,
  receiver: TransactionLayerWithReceiver,
  allow: (address: string) => boolean,
  report: Report,
): Promise<UdpTransport | undefined> {
  const { host, advertisedAddress } = sip;
  // A port in use is told by the port check; SIP Server can be asked from another one as well.
  for (const port of new Set([sip.port, 0])) {
    try {
      return await openUdpTransport({ host, port, advertisedAddress, receiver, allow, log: silentLogger });
    } catch (error) {
      if (port === 0)
        report({
          level: "fail",
          key: "sipServer",
          what: `cannot be asked: no socket on ${host} (${errorCode(error)})`,
          mend: "correct sip.host",
        });
    }
  }
  return undefined;
}

async function ask(
  { key, address, port }: Target,
  config: Config,
  layer: TransactionLayerWithReceiver,
  transport: UdpTransport,
  io: CheckIo,
): Promise<Finding> {
  const server = `${address}:${port}`;
  const started = io.clock.now();
  const sentFrom = `${config.sip.advertisedAddress}:${transport.port}`;
  const mend = `check address and firewall; SIP Server sends its answer to ${sentFrom}`;
  return new Promise((resolve) => {
    layer.request(
      optionsRequest(server, sentFrom, io),
      transport.flowTo(address, port),
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

function optionsRequest(server: string, sentFrom: string, io: CheckIo): SipRequest {
  return createRequest({
    method: "OPTIONS",
    uri: `sip:${server}`,
    headers: [
      ["Max-Forwards", "70"],
      ["From", `<sip:check@${sentFrom}>;tag=${randomId(io.random)}`],
      ["To", `<sip:${server}>`],
      ["Call-ID", randomId(io.random, 16)],
      ["CSeq", "1 OPTIONS"],
      ["Contact", `<sip:${sentFrom}>`],
      ["Accept", "application/sdp"],
      ["User-Agent", `Jackfield/${version}`],
    ],
  });
}

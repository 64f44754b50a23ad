import { copyFileSync, writeFileSync } from "node:fs";
import { expect, it, onTestFinished } from "vitest";
import { openSipTransports, type SipTransports } from "../../../src/cli/gateway/sip-transports.ts";
import { checkTree } from "../../../src/config/index.ts";
import { silentLogger, systemClock, type Clock, type Logger } from "../../../src/core/index.ts";
import { TestAuthority } from "../../support/certificates.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const host = "127.0.0.1";

async function open(
  sipServer: object,
  clock: Clock = new FakeClock(),
  log: Logger = silentLogger,
): Promise<SipTransports> {
  const tree = {
    http: { host },
    websocket: { origins: ["https://wwe.example.com"] },
    sip: { host, port: 0 },
    media: { host },
    sipServer,
  };
  const checked = checkTree(tree, () => undefined, ".", {});
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  const transports = await openSipTransports(checked.config, {
    receiver: { receive() {}, flowClosed() {} },
    allow: () => true,
    clock,
    random: new CountingRandom(),
    log,
  });
  onTestFinished(() => transports.close());
  for (const server of checked.config.sipServer.addresses)
    transports.serverFlow(server, server.host, server.port ?? 5060);
  return transports;
}

it("what no address uses is not bound: a gateway on connections hears no datagram", async () => {
  const plain = await open({ addresses: ["192.0.2.10"] });
  expect([plain.udp !== undefined, plain.stream]).toEqual([true, undefined]);
  const tcp = await open({ addresses: ["192.0.2.10"], transport: "tcp" });
  expect([tcp.udp, tcp.stream?.protocol]).toEqual([undefined, "TCP"]);
  expect(tcp.port).toBe(tcp.stream?.port);
});

it("UDP and connections share one port number", async () => {
  const both = await open({ addresses: ["192.0.2.10", "192.0.2.11;transport=tcp"] });
  expect(both.udp?.port).toBe(both.stream?.port);
});

it("a URI leads by the transport it names, else by that of the server there, else by the usual one", async () => {
  const transports = await open({ addresses: ["192.0.2.10", "192.0.2.11:5070;transport=tcp"] });
  const by = (address: string, port?: number, transport?: string): string => {
    const flow = transports.flowTo({ address, port, transport });
    return `${flow.protocol} ${flow.remotePort}`;
  };
  expect(by("192.0.2.10")).toBe("UDP 5060");
  expect(by("192.0.2.10", 5080, "TCP")).toBe("TCP 5080");
  expect(by("192.0.2.11", 5070)).toBe("TCP 5070");
  expect(by("192.0.2.11", 40_000)).toBe("TCP 40000");
  expect(by("192.0.2.11", 5070, "udp")).toBe("UDP 5070");
  expect(by("192.0.2.12")).toBe("UDP 5060");
  const tcp = await open({ addresses: ["192.0.2.11:5070"], transport: "tcp" });
  const [server] = [tcp.stream?.serverFlow("192.0.2.11", 5070)];
  for (const transport of [undefined, "tcp", "udp", "tls", "sctp"])
    expect(tcp.flowTo({ address: "192.0.2.11", port: 5070, transport })).toBe(server);
});

it("a renewed certificate in the files of sipServer.tls is taken, one that does not fit its key is not", async () => {
  const authority = new TestAuthority();
  onTestFinished(() => authority.remove());
  const { certFile: cert, keyFile: key } = authority.issue("gateway", "IP:127.0.0.1");
  const tls = { cert, key, ca: authority.ca.certFile };
  const clock = { ...systemClock, setTimer: (_ms: number, run: () => void) => systemClock.setTimer(0, run) };
  const errors: string[] = [];
  const log = { ...silentLogger, error: (_details: object, message: string) => void errors.push(message) };
  const transports = await open({ addresses: ["192.0.2.10"], transport: "tls", tls }, clock, log);
  const { stream } = transports;
  if (!stream) throw new Error("no stream");
  const taken: string[] = [];
  const useTls = stream.useTls.bind(stream);
  stream.useTls = (settings) => {
    useTls(settings);
    taken.push(settings.cert);
  };
  const longer = authority.issue("longer", "IP:127.0.0.1");
  writeFileSync(cert, authority.ca.cert);
  await expect.poll(() => errors[0], { timeout: 5000 }).toContain("unusable; the one before stays");
  copyFileSync(longer.keyFile, key);
  copyFileSync(longer.certFile, cert);
  await expect.poll(() => taken.at(-1), { timeout: 5000 }).toBe(longer.cert);
  expect(taken).not.toContain(authority.ca.cert);
});

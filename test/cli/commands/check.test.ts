import { execFileSync } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket as TcpSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { runCheck, runCheckCommand, type CheckIo } from "../../../src/cli/commands/check.ts";
import { tryUdp } from "../../../src/cli/commands/check/ports.ts";
import { checkTree, type Config } from "../../../src/config/index.ts";
import { systemClock } from "../../../src/core/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { NameRecords, srvRecord } from "../../support/name-records.ts";

const host = "127.0.0.1";
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "jackfield-check-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A certificate of its own kind: `extension` as openssl's -addext, `days` from now. */
function writeCertificate(name: string, days: number, extension = "subjectAltName=DNS:gw.example.com"): void {
  const names = [
    "-subj",
    `/CN=${name}`,
    "-keyout",
    join(folder, `${name}.key`),
    "-out",
    join(folder, `${name}.pem`),
  ];
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const args = ["req", "-x509", ...kind, ...names, "-days", String(days), "-addext", extension];
  execFileSync("openssl", args, { stdio: "ignore" });
}

interface Far {
  readonly port: number;
  readonly received: string[];
}

/** A SIP Server that answers every OPTIONS with `status`, or not at all; it writes its text itself. */
async function farServer(status: string | undefined): Promise<Far> {
  const socket = await boundUdp();
  const received: string[] = [];
  socket.on("message", (bytes, remote) => {
    const text = bytes.toString();
    received.push(text);
    if (status === undefined) return;
    const copied = text.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
    // Header order as SIP Server has it: Via comes last.
    copied.sort((one, other) => Number(one.startsWith("Via")) - Number(other.startsWith("Via")));
    const answer = [`SIP/2.0 ${status}`, ...copied, "Content-Length: 0", "", ""].join("\r\n");
    socket.send(answer, remote.port, remote.address);
  });
  return { port: socket.address().port, received };
}

async function boundUdp(port = 0): Promise<Socket> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, host, resolve);
  });
  onTestFinished(() => void socket.close());
  return socket;
}

type Tree = Record<string, Record<string, unknown>>;

let rtpFirst = 0;

/** First of `count` UDP ports in a row that are free now and not `rtpPorts`, the first even. Other tests run at the same time. */
async function freeRun(count: number): Promise<number> {
  for (;;) {
    const first = 20_000 + 2 * Math.floor(Math.random() * 6000);
    if (first < rtpFirst + 8 && rtpFirst < first + count) continue;
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const faults = await Promise.all(ports.map((port) => tryUdp(host, port)));
    if (faults.every((fault) => fault === undefined)) return first;
  }
}

beforeEach(async () => {
  rtpFirst = await freeRun(8);
});

function configOf(serverPort: number, change: Tree = {}): Config {
  const tree: Tree = {
    http: { host, port: 0 },
    websocket: { origins: ["https://wwe.example.com"] },
    sip: { host, port: 0 },
    media: { host, browserPort: 0, rtpPorts: [rtpFirst, rtpFirst + 7], workers: 2 },
    agents: { accounts: [{ dn: "5001", password: "correct horse" }] },
    sipServer: { addresses: [`${host}:${serverPort}`] },
  };
  for (const [section, values] of Object.entries(change)) tree[section] = { ...tree[section], ...values };
  const result = checkTree(tree, () => undefined, folder, {});
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.config;
}

function testIo(change: Partial<CheckIo> = {}): { io: CheckIo; lines: string[] } {
  const lines: string[] = [];
  const io: CheckIo = {
    write: (line) => void lines.push(...line.trim().split("\n")),
    clock: systemClock,
    random: new CountingRandom("check"),
    resolver: new NameRecords(),
    localAddresses: () => [host],
    answerMs: 300,
    ...change,
  };
  return { io, lines };
}

/** Runs the check; gives its exit code and its lines with runs of blanks made one. */
async function check(
  config: Config,
  change: Partial<CheckIo> = {},
): Promise<{ code: number; lines: string[] }> {
  const { io, lines } = testIo(change);
  const code = await runCheck(config, io);
  return { code, lines: lines.map((line) => line.replaceAll(/ {2,}/g, " ")) };
}

/** Lines that are not `ok`, without the machine's own receive buffer and the sum. */
function troubles({ lines }: { lines: string[] }): string[] {
  return lines.filter((line) => /^(warn|fail)/.test(line) && !line.includes("receive buffer"));
}

describe("check of a sound set-up", () => {
  it("finds all well and ends with 0", async () => {
    const far = await farServer("200 OK");
    const result = await check(configOf(far.port));
    expect(troubles(result)).toEqual([]);
    expect(result.code).toBe(0);
    expect(result.lines).toContain("ok sip.port UDP 127.0.0.1:0 is free");
    expect(result.lines).toContain("ok http.port TCP 127.0.0.1:0 is free");
    expect(result.lines).toContain(`ok media.rtpPorts UDP 127.0.0.1:${rtpFirst}-${rtpFirst + 7} are free`);
    expect(result.lines).toContain("ok http.tls none: plain HTTP on 127.0.0.1");
    expect(result.lines.at(-1)).toMatch(/^\d+ ok, \d to look at, 0 failed$/);
  });

  it("lets all ports go again", async () => {
    const far = await farServer("200 OK");
    const port = await freeRun(4);
    const config = configOf(far.port, { sip: { port }, media: { browserPort: port + 2 } });
    expect(troubles(await check(config))).toEqual([]);
    expect(troubles(await check(config))).toEqual([]);
  });

  it("says what the kernel grants of the receive buffer", async () => {
    const far = await farServer("200 OK");
    const { lines } = await check(configOf(far.port));
    const line = lines.find((text) => text.includes("receive buffer"));
    expect(line).toMatch(/^(ok|warn) receive buffer \d+ bytes granted of 4194304 asked for/);
    expect(line?.startsWith("warn")).toBe(line?.includes("-> sysctl -w net.core.rmem_max=4194304"));
  });
});

describe("check of SIP Server over TCP and TLS", () => {
  /** A SIP Server that answers OPTIONS on connections, over TLS with the certificate `name`. */
  async function streamServer(name?: string): Promise<Far> {
    const received: string[] = [];
    const take = (socket: TcpSocket): void => {
      socket.on("error", () => {});
      socket.on("data", (bytes: Buffer) => {
        received.push(bytes.toString());
        const copied = bytes
          .toString()
          .split("\r\n")
          .filter((line) => /^(Via|From|To|Call-ID|CSeq):/.test(line));
        socket.write(["SIP/2.0 200 OK", ...copied, "Content-Length: 0", "", ""].join("\r\n"));
      });
    };
    const read = (end: string): string => readFileSync(join(folder, `${name}.${end}`), "utf8");
    const server =
      name === undefined
        ? createServer(take)
        : createTlsServer({ cert: read("pem"), key: read("key") }, take);
    server.listen(0, host);
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const bound = server.address();
    return { port: typeof bound === "object" && bound ? bound.port : 0, received };
  }
  const inTls = (ca: string) => ({
    sipServer: { transport: "tls", tls: { ca: `${ca}.pem`, cert: "mine.pem", key: "mine.key" } },
  });
  async function findings(port: number, change: Tree): Promise<string[]> {
    const { io, lines } = testIo({ answerMs: 1000 });
    const address = { addresses: [`${host}:${port}`] };
    const config = configOf(port, { ...change, sipServer: { ...change["sipServer"], ...address } });
    await runCheck(config, io);
    return lines
      .filter((line) => line.includes("sipServer.addresses[0]"))
      .map((line) => line.replaceAll(/ +/g, " "));
  }

  it("connects and asks, and says why where there is no connection", async () => {
    const far = await streamServer();
    const tcp = { sipServer: { transport: "tcp" } };
    expect(await findings(far.port, tcp)).toEqual([
      expect.stringMatching(
        `ok sipServer.addresses\\[0\\] ${host}:${far.port} over TCP answered 200 OK to OPTIONS`,
      ),
    ]);
    expect(far.received[0]).toMatch(/^Via: SIP\/2\.0\/TCP /m);
    expect(far.received[0]).toMatch(/^Contact: <sip:[\d.:]+;transport=tcp>\r$/m);
    const [nobody] = await findings(9, tcp);
    expect(nobody).toMatch(/^fail .* cannot be sent to \(no connection in time: connect ECONNREFUSED/);
  });

  it("checks SIP Server's certificate and says what is wrong with it", async () => {
    writeCertificate("mine", 30, `subjectAltName=IP:${host}`);
    writeCertificate("sips", 30, `subjectAltName=IP:${host}`);
    const far = await streamServer("sips");
    expect(await findings(far.port, inTls("sips"))).toEqual([
      expect.stringContaining("over TLS answered 200 OK"),
    ]);
    const [wrong] = await findings(far.port, inTls("mine"));
    expect(wrong).toMatch(/^fail .*no connection in time: self-signed certificate.*certificates/);
  });
});

describe("check of SIP Server", () => {
  it("sends OPTIONS from the configured port with the advertised address in its Via", async () => {
    const far = await farServer("200 OK");
    const port = await freeRun(1);
    await check(configOf(far.port, { sip: { port } }));
    expect(far.received[0]).toMatch(new RegExp(`^OPTIONS sip:127.0.0.1:${far.port} SIP/2.0\r\n`));
    expect(far.received[0]).toContain(`Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bK`);
    expect(far.received[0]).toContain("Max-Forwards: 70\r\n");
    expect(far.received).toHaveLength(1);
  });

  it.each(["200 OK", "404 Not Found", "503 Service Unavailable", "302 Moved Temporarily"])(
    "takes %s for alive",
    async (status) => {
      const far = await farServer(status);
      const result = await check(configOf(far.port));
      expect(result.lines.join("\n")).toMatch(
        new RegExp(
          `ok sipServer.addresses\\[0\\] 127.0.0.1:${far.port} answered ${status} to OPTIONS in \\d+ ms`,
        ),
      );
      expect(result.code).toBe(0);
    },
  );

  it("does not take a provisional answer for alive", async () => {
    const far = await farServer("100 Trying");
    expect((await check(configOf(far.port))).code).toBe(1);
  });

  it("fails when it gives no answer in time", async () => {
    const far = await farServer(undefined);
    const port = await freeRun(1);
    const result = await check(configOf(far.port, { sip: { port } }));
    expect(troubles(result)).toEqual([
      `fail sipServer.addresses[0] 127.0.0.1:${far.port} gave no answer to OPTIONS in 300 ms -> check address and firewall; SIP Server sends its answer to 127.0.0.1:${port}`,
    ]);
    expect(result.code).toBe(1);
    expect(result.lines.at(-1)).toContain("1 failed");
  });

  it("only warns of a silent one when another answers", async () => {
    const [silent, alive] = [await farServer(undefined), await farServer("200 OK")];
    const addresses = [`${host}:${silent.port}`, `${host}:${alive.port}`];
    const result = await check(configOf(0, { sipServer: { addresses } }));
    expect(troubles(result).map((line) => line.split(" gave")[0])).toEqual([
      `warn sipServer.addresses[0] 127.0.0.1:${silent.port}`,
    ]);
    expect(result.code).toBe(0);
  });

  it("asks every address of a name, and fails for a name that has none", async () => {
    const far = await farServer("200 OK");
    const addresses = [`sips.example.com:${far.port}`, "gone.example.com", "empty.example.com"];
    const resolver = new NameRecords();
    resolver.a["sips.example.com"] = [host, "127.0.0.2"];
    resolver.a["empty.example.com"] = [];
    const result = await check(configOf(0, { sipServer: { addresses } }), { resolver });
    expect(result.lines).toContain("ok sipServer.addresses[0] sips.example.com is 127.0.0.1, 127.0.0.2");
    expect(troubles(result).map((line) => line.split(" -> ")[0])).toEqual([
      "fail sipServer.addresses[1] gone.example.com cannot be resolved (ENOTFOUND)",
      "fail sipServer.addresses[2] empty.example.com cannot be resolved (no IPv4 address)",
      `warn sipServer.addresses[0] 127.0.0.2:${far.port} gave no answer to OPTIONS in 300 ms`,
    ]);
    expect(result.code).toBe(1);
  });

  it("follows SRV records, and says to which addresses and ports they lead", async () => {
    const far = await farServer("200 OK");
    const resolver = new NameRecords();
    resolver.srv["_sip._udp.sips.example.com"] = [srvRecord("one.example.com", far.port)];
    resolver.a["one.example.com"] = [host];
    const result = await check(configOf(0, { sipServer: { addresses: ["sips.example.com"] } }), { resolver });
    expect(result.lines).toContain(
      `ok sipServer.addresses[0] sips.example.com is 127.0.0.1:${far.port} by SRV records`,
    );
    expect(troubles(result)).toEqual([]);
  });

  it("asks from another port when the configured one is in use", async () => {
    const far = await farServer("200 OK");
    const port = (await boundUdp()).address().port;
    const result = await check(configOf(far.port, { sip: { port } }));
    expect(troubles(result)).toEqual([
      `fail sip.port UDP 127.0.0.1:${port} cannot be bound: in use by another process -> stop that process (a gateway already running?) or take another port`,
    ]);
    expect(far.received).toHaveLength(1);
  });

  it("looks at each side's addresses, of browsers each one", async () => {
    const far = await farServer("200 OK");
    const media = {
      browserSide: { advertisedAddress: [host, "203.0.113.10"] },
      sipServerSide: { advertisedAddress: "192.0.2.3" },
    };
    const result = await check(configOf(far.port, { media }));
    expect(result.lines).toContain(`ok media.browserSide.advertisedAddress 127.0.0.1 is this machine's`);
    expect(troubles(result).map((line) => line.split(" -> ")[0])).toEqual([
      "warn media.browserSide.advertisedAddress 203.0.113.10 is none of this machine's addresses (127.0.0.1)",
      "warn media.sipServerSide.advertisedAddress 192.0.2.3 is none of this machine's addresses (127.0.0.1)",
    ]);
  });

  it("fails, not throws, when the address to send from is not this machine's", async () => {
    const far = await farServer("200 OK");
    const result = await check(configOf(far.port, { sip: { host: "192.0.2.1" } }));
    expect(troubles(result).map((line) => line.split(" -> ")[0])).toEqual([
      "warn sip.advertisedAddress 192.0.2.1 is none of this machine's addresses (127.0.0.1)",
      "fail sip.port UDP 192.0.2.1:0 cannot be bound: this machine has no such address",
      "fail sipServer cannot be asked: no socket on 192.0.2.1 (EADDRNOTAVAIL)",
    ]);
  });
});

describe("check of ports", () => {
  it("fails for a TCP port in use", async () => {
    const far = await farServer("200 OK");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    onTestFinished(() => void server.close());
    const address = server.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const result = await check(configOf(far.port, { http: { port } }));
    expect(troubles(result)[0]).toContain(`fail http.port TCP 127.0.0.1:${port} cannot be bound: in use`);
    expect(result.code).toBe(1);
  });

  it("tries the port of every worker", async () => {
    const far = await farServer("200 OK");
    const port = await freeRun(2);
    await boundUdp(port + 1);
    const result = await check(configOf(far.port, { media: { browserPort: port } }));
    expect(result.lines).toContain(`ok media.browserPort UDP 127.0.0.1:${port} is free`);
    expect(troubles(result)[0]).toContain(`fail media.browserPort UDP 127.0.0.1:${port + 1} cannot be bound`);
  });

  it("warns of single RTP ports in use and fails when all are", async () => {
    const far = await farServer("200 OK");
    await boundUdp(rtpFirst + 3);
    const some = await check(configOf(far.port));
    expect(troubles(some)[0]).toContain(
      `warn media.rtpPorts 1 of 8 ports cannot be bound: in use by another process (${rtpFirst + 3})`,
    );
    expect(some.code).toBe(0);
    for (let port = rtpFirst; port < rtpFirst + 8; port++) if (port !== rtpFirst + 3) await boundUdp(port);
    const all = await check(configOf(far.port));
    expect(troubles(all)[0]).toContain("fail media.rtpPorts 8 of 8 ports cannot be bound");
    expect(all.code).toBe(1);
  });

  it("advises against the port that Trunk DNs usually have", async () => {
    const far = await farServer("200 OK");
    const result = await check(configOf(far.port, { sip: { port: 5060 } }));
    expect(troubles(result).join("\n")).toContain("no Trunk DN has the contact 127.0.0.1:5060");
  });
});

describe("check of the certificate", () => {
  async function findings(name: string, key = name, now?: number): Promise<string[]> {
    const far = await farServer("200 OK");
    const tls = { cert: `${name}.pem`, key: `${key}.key` };
    const clock = { ...systemClock, wallClock: () => now ?? Date.now() };
    return (await check(configOf(far.port, { http: { tls } }), { clock })).lines.filter((line) =>
      line.includes("http.tls"),
    );
  }
  const day = 86_400_000;

  beforeAll(() => {
    writeCertificate("good", 90);
    writeCertificate("other", 90);
    writeCertificate("nameless", 90, "basicConstraints=CA:FALSE");
    writeFileSync(join(folder, "nonsense.pem"), "no certificate");
    writeFileSync(join(folder, "nonsense.key"), "no key");
  });

  it("tells names and days to its end, and that it is self-signed", async () => {
    expect(await findings("good")).toEqual([
      expect.stringMatching(/^ok http\.tls\.cert for gw\.example\.com, ends in (89|90) days$/),
      expect.stringContaining("warn http.tls is self-signed"),
    ]);
  });

  it("warns a month before its end, fails after it and before its begin", async () => {
    expect((await findings("good", "good", Date.now() + 70 * day))[0]).toMatch(
      /^warn http\.tls\.cert ends in (19|20) days/,
    );
    expect((await findings("good", "good", Date.now() + 100 * day))[0]).toMatch(
      /^fail http\.tls\.cert ended /,
    );
    expect((await findings("good", "good", Date.now() - 10 * day))[0]).toMatch(
      /^fail http\.tls\.cert is valid only from /,
    );
  });

  it("fails when the key belongs to another certificate, or the file is none", async () => {
    expect((await findings("good", "other"))[0]).toMatch(
      /^fail http\.tls certificate .* is unusable: .*mismatch/,
    );
    expect((await findings("nonsense"))[0]).toMatch(/^fail http\.tls certificate .* is unusable/);
  });

  it("warns of one that names no host", async () => {
    expect((await findings("nameless")).join("\n")).toContain("warn http.tls names no host");
  });

  it("warns of plain HTTP off loopback", async () => {
    const far = await farServer("200 OK");
    const result = await check(configOf(far.port, { http: { host: "0.0.0.0", allowInsecure: true } }));
    expect(troubles(result)[0]).toContain(
      "warn http.tls none: plain HTTP on 0.0.0.0, allowed by http.allowInsecure",
    );
  });
});

describe("the command", () => {
  it("prints every fault and warning of the file and tries nothing", async () => {
    const file = join(folder, "faulty.yaml");
    writeFileSync(
      file,
      [
        "http: { host: 127.0.0.1, port: 99999 }",
        "sip: { host: 127.0.0.1, prot: 5 }",
        "media: { host: 127.0.0.1 }",
        'agents: { accounts: [ { dn: "5001", password: "pattern-{dn}" } ] }',
        "sipServer: { addresses: [127.0.0.1] }",
      ].join("\n"),
    );
    const { io, lines } = testIo();
    expect(await runCheckCommand({ file, env: {} }, io)).toBe(1);
    expect(lines.map((line) => line.replaceAll(/ {2,}/g, " ").split(" -> ")[0])).toEqual(
      [
        "warn websocket.origins is empty: no page may connect",
        "warn agents.accounts[0].password line 4: [cut] can be derived from the DN 5001",
        "fail http.port line 1: 99999 is not a port number from 0 to 65535 (0: any free one)",
        "fail sip.prot line 2: is no known key",
        "",
        `${file}: 2 faults; nothing was tried`,
      ].filter(Boolean),
    );
  });

  it("says what to write when there is no configuration", async () => {
    const { io, lines } = testIo();
    expect(await runCheckCommand({ file: undefined, env: {} }, io)).toBe(1);
    expect(lines.join("\n")).toContain('sipServer: { addresses: ["192.0.2.10:5060"] }');
  });

  it("passes warnings of the file on and never shows a password", async () => {
    const far = await farServer("200 OK");
    const file = join(folder, "sound.yaml");
    const media = `{ host: ${host}, browserPort: 0, workers: 1, rtpPorts: [${rtpFirst}, ${rtpFirst + 1}] }`;
    writeFileSync(
      file,
      [
        `http: { host: ${host}, port: 0 }`,
        'websocket: { origins: ["https://wwe.example.com"] }',
        `sip: { host: ${host}, port: 0 }`,
        `media: ${media}`,
        'agents: { ranges: [ { from: 5001, to: 5999, password: "hunter2-{dn}" } ] }',
        `sipServer: { addresses: ["${host}:${far.port}"] }`,
      ].join("\n"),
    );
    const { io, lines } = testIo();
    expect(await runCheckCommand({ file, env: {} }, io)).toBe(0);
    const text = lines.join("\n").replaceAll(/ {2,}/g, " ");
    expect(text).toContain("ok configuration read, 0 DNs and 5001-5999 may sign in");
    expect(text).toContain("warn agents.ranges[0].password line 5: [cut] is a pattern");
    expect(text).not.toContain("hunter2");
  });
});

import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { formatFaults, loadConfig } from "../../src/config/index.ts";
import { parseServerAddress } from "../../src/config/keys.ts";
import { configOf, faultsOf, load, minimal, told, warned, writeFiles } from "./support.ts";

const contract = `
http:      { host: 0.0.0.0, port: 8443, tls: { cert: cert.pem, key: key.pem } }
websocket: { path: /ws, origins: ["https://wwe.example.com"], pingSeconds: 25 }
sip:       { host: 0.0.0.0, port: 5060, advertisedAddress: 192.0.2.20 }
media:     { host: 0.0.0.0, advertisedAddress: 203.0.113.10, browserPort: 20100, rtpPorts: [10000, 20000], workers: auto, browserCodecs: [opus, pcmu, pcma], trunkCodecs: [pcmu, pcma] }
agents:    { realm: jackfield, accounts: [ { dn: "5001", password: "..." } ], ranges: [ { from: 5002, to: 5999, passwordFile: agents } ] }
sipServer: { addresses: ["192.0.2.10:5060"], allow: ["192.0.2.0/24"], registration: { mode: on-sign-in, expires: 300, perSecond: 25 }, auth: { username: "{dn}", password: "" } }
log:       { level: info }
`;
const contractFiles = { "cert.pem": "c", "key.pem": "k", agents: "5002:a-secret\n" };

describe("loading a configuration", () => {
  it("takes the file of the contract", () => {
    const config = configOf(contract, { files: contractFiles });
    expect(config).toMatchObject({
      http: { host: "0.0.0.0", port: 8443, allowInsecure: false },
      websocket: { path: "/ws", origins: ["https://wwe.example.com"], allowMissingOrigin: false },
      sip: { port: 5060, advertisedAddress: "192.0.2.20" },
      media: { browserPort: 20100, rtpPorts: [10000, 19999], workers: 3, trunkCodecs: ["pcmu", "pcma"] },
      agents: {
        realm: "jackfield",
        ranges: [{ from: "5002", to: "5999", passwords: { "5002": "a-secret" } }],
      },
      sipServer: {
        addresses: [{ host: "192.0.2.10", port: 5060, transport: "udp" }],
        allow: ["192.0.2.0/24"],
        registration: { mode: "on-sign-in", expires: 300, perSecond: 25 },
        auth: { username: "{dn}", password: "" },
      },
      log: { level: "info" },
    });
  });

  it("fills every key that is left out", () => {
    const config = configOf(minimal);
    expect(config.websocket).toEqual({
      path: "/ws",
      origins: ["https://wwe.example.com"],
      allowMissingOrigin: false,
      pingSeconds: 25,
      maxMessageBytes: 65536,
      maxConnections: 4000,
      maxConnectionsPerAddress: 1200,
    });
    expect(config.agents).toMatchObject({ realm: "jackfield", callGraceSeconds: 30, newCallGraceSeconds: 5 });
    expect(config.http).toEqual({ host: "127.0.0.1", port: 8443, allowInsecure: false });
  });

  it("takes the example of the docs", () => {
    const example = readFileSync(join(import.meta.dirname, "../../docs/jackfield.example.yaml"), "utf8");
    const files = { "cert.pem": "c", "key.pem": "k", "agents.txt": "5002:GmBo8hjC\n" };
    expect(configOf(example, { files }).agents.accounts[0]?.dn).toBe("5001");
  });

  it("freezes the result to the bottom", () => {
    const config = configOf(minimal);
    const open: string[] = [];
    const look = (value: unknown, path: string): void => {
      if (typeof value !== "object" || value === null) return;
      if (!Object.isFrozen(value)) open.push(path);
      for (const [key, inner] of Object.entries(value)) look(inner, `${path}.${key}`);
    };
    look(config, "config");
    expect(open).toEqual([]);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
  });

  it("counts workers from the cores, at least one", () => {
    expect(configOf(minimal, { cores: 1 }).media.workers).toBe(1);
    expect(configOf(minimal, { cores: 8 }).media.workers).toBe(7);
    const two = minimal.replace("media: {", "media: { workers: 2,");
    expect(configOf(two, { cores: 8 }).media.workers).toBe(2);
  });

  it("takes the bound address for the advertised one where it is an address", () => {
    const yaml = minimal
      .replace("sip: { advertisedAddress: 192.0.2.20 }", "sip: { host: 192.0.2.21 }")
      .replace("media: { advertisedAddress: 203.0.113.10 }", "media: { host: 192.0.2.22 }");
    const config = configOf(yaml);
    expect([config.sip.advertisedAddress, config.media.advertisedAddress]).toEqual([
      "192.0.2.21",
      "192.0.2.22",
    ]);
  });

  it("leaves a name's port to SRV records where none stands, and gives an address 5060", () => {
    const addresses = '"sips.example.com", "sip2.example.com:5070", "192.0.2.11"';
    const config = configOf(minimal.replace('"192.0.2.10:5060"', addresses));
    expect(config.sipServer.addresses).toEqual([
      { host: "sips.example.com", transport: "udp" },
      { host: "sip2.example.com", port: 5070, transport: "udp" },
      { host: "192.0.2.11", port: 5060, transport: "udp" },
    ]);
  });

  it("gives each address its transport, TLS the port 5061, and tells what cannot be", () => {
    const tls = "tls: { cert: nowhere.pem, key: nowhere.pem }";
    const server = (text: string): string => minimal.replace(/addresses: \["192.0.2.10:5060"\]/, text);
    const mixed = 'transport: tcp, addresses: ["192.0.2.10", "192.0.2.11:5070;transport=udp"]';
    expect(configOf(server(mixed)).sipServer.addresses).toEqual([
      { host: "192.0.2.10", port: 5060, transport: "tcp" },
      { host: "192.0.2.11", port: 5070, transport: "udp" },
    ]);
    expect(parseServerAddress("192.0.2.10;transport=tls")).toMatchObject({ port: 5061, transport: "tls" });
    for (const bad of ["192.0.2.10;transport=sctp", "192.0.2.10;lr", "192.0.2.10;transport=tcp;lr"])
      expect(parseServerAddress(bad)).toBeUndefined();
    expect(told(server('transport: tcp, addresses: ["192.0.2.10;transport=tls"]'))).toEqual([
      "sipServer.tls is missing, but an address asks for TLS",
    ]);
    expect(
      told(server(`${tls}, transport: tcp, addresses: ["192.0.2.10", "192.0.2.11;transport=tls"]`)),
    ).toEqual([
      "sipServer.transport and the addresses ask for TCP and TLS, which cannot share sip.port",
      "sipServer.tls.cert does not exist",
      "sipServer.tls.key does not exist",
    ]);
  });

  it("wants both peers' addresses for Business Continuity, and warns of mode all", () => {
    const server = 'addresses: ["192.0.2.10"], scheme: business-continuity, registration: { mode: all }';
    const yaml = minimal.replace(/addresses: \["192.0.2.10:5060"\]/, server);
    expect(told(yaml)).toEqual(["sipServer.scheme needs an address for each of the peers"]);
    expect(warned(yaml).join()).toContain("sipServer.registration.mode makes absent agents look in service");
  });

  it("keeps DNs' leading zeros and takes DNs without quotes", () => {
    const yaml = minimal
      .replace('dn: "5001"', "dn: 0501")
      .replace("} ] }", '}, { dn: 5002, password: "x y z" } ] }');
    expect(configOf(yaml).agents.accounts.map(({ dn }) => dn)).toEqual(["0501", "5002"]);
  });

  it("finds the certificate beside the file, not beside the process", () => {
    const file = writeFiles(minimal.replace("127.0.0.1 }", "0.0.0.0, tls: { cert: c.pem, key: k.pem } }"), {
      "c.pem": "c",
      "k.pem": "k",
    });
    const result = loadConfig({ file, env: {} });
    expect(result.ok && result.config.http.tls?.cert).toBe(join(dirname(file), "c.pem"));
  });

  it("takes the file's name from JACKFIELD_CONFIG, and the option before it", () => {
    const file = writeFiles(minimal);
    expect(loadConfig({ env: { JACKFIELD_CONFIG: file } }).ok).toBe(true);
    expect(loadConfig({ file, env: { JACKFIELD_CONFIG: "/nowhere" } }).ok).toBe(true);
  });
});

describe("a configuration that cannot be read", () => {
  it("is told with what to write when there is none", () => {
    const result = loadConfig({ env: {} });
    if (result.ok) throw new Error("taken");
    expect(formatFaults(result.faults)).toContain("sipServer: { addresses:");
    expect(result.faults).toHaveLength(1);
  });

  it("is told when the file does not exist", () => {
    const result = loadConfig({ file: "/nowhere/jackfield.yaml", env: {} });
    expect(result).toMatchObject({
      ok: false,
      faults: [{ key: "file", reason: "/nowhere/jackfield.yaml does not exist" }],
    });
  });

  it("is told when it is a directory", () => {
    expect(loadConfig({ file: "/tmp", env: {} })).toMatchObject({
      faults: [{ reason: "/tmp is a directory" }],
    });
  });

  it.each([
    ["an unclosed bracket", "http: { port: 1\n", "file is no YAML"],
    ["a key twice", "http: { port: 1 }\nhttp: { port: 2 }\n", "file is no YAML: duplicate key"],
    ["a tab for indentation", "http:\n\tport: 1\n", "file is no YAML"],
    ["an unknown alias", "http: *nothing\n", "file"],
    ["two documents", "a: 1\n---\nb: 2\n", "file is no YAML: multiple docs"],
  ])("is told with %s", (_name, yaml, expected) => {
    expect(told(yaml)[0]).toContain(expected);
  });

  it("is told when it is no map", () => {
    expect(told("- 1\n- 2\n")).toEqual(["file is not a map of sections"]);
    expect(told("just words\n")).toEqual(["file is not a map of sections"]);
  });

  it("never quotes the text, which has secrets in it", () => {
    const yaml = 'agents: { accounts: [ { dn: "5001", password: "hunter2\n';
    expect(JSON.stringify(faultsOf(yaml))).not.toContain("hunter2");
  });

  it("is told for what is required when it is empty", () => {
    expect(told("")).toContain("sipServer is missing");
    expect(told("sipServer:\n")).toContain("sipServer is missing");
  });

  it("survives aliases that blow up", () => {
    const lines = ["a: &a [x, x, x, x, x, x, x, x, x]"];
    for (let index = 0; index < 9; index++) {
      const before = String.fromCodePoint(97 + index);
      const name = String.fromCodePoint(98 + index);
      lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(", ")}]`);
    }
    expect(told(lines.join("\n"))).toEqual(["file has aliases that cannot be resolved"]);
  });
});

describe("a faulty configuration", () => {
  it("is told whole: every key with value, reason, remedy and line, in the order of the file", () => {
    const yaml = `http:
  host: 127.0.0.1
  port: 99999
  tsl: { cert: a, key: b }
websocket:
  origins: ["https://wwe.example.com/path"]
sip: { host: 0.0.0.0 }
media: { advertisedAddress: 203.0.113.10, rtpPorts: [20000, 10000] }
agents:
  accounts:
    - { dn: "5001", password: 12345678 }
    - { dn: "5002" }
sipserver: { addresses: [] }
`;
    const faults = faultsOf(yaml);
    expect(faults.map(({ key, value, reason, where }) => [key, value, reason, where])).toEqual([
      ["http.port", "99999", "is not a port number from 0 to 65535 (0: any free one)", "line 3"],
      ["http.tsl", "", "is no known key", "line 4"],
      [
        "websocket.origins[0]",
        '"https://wwe.example.com/path"',
        "is not an origin: scheme, host and port, no path",
        "line 6",
      ],
      ["sip.advertisedAddress", "", "is missing, and sip.host 0.0.0.0 is no address", "line 7"],
      ["media.rtpPorts", "[20000,10000]", "has no pair of ports for each of 3 workers", "line 8"],
      ["agents.accounts[0].password", "[cut]", "is not a text of 1 to 256 characters", "line 11"],
      ["sipserver", "", "is no known key", "line 13"],
      ["sipServer", "", "is missing", undefined],
    ]);
    for (const { remedy } of faults) expect(remedy).not.toBe("");
    expect(faults.find(({ key }) => key === "http.tsl")?.remedy).toBe("write tls, if that was meant");
    expect(faults.find(({ key }) => key === "sipserver")?.remedy).toBe("write sipServer, if that was meant");
  });

  it("is printed with one remedy under each fault", () => {
    const report = formatFaults(faultsOf(minimal.replace("127.0.0.1 }", "127.0.0.1, port: x }")), "a.yaml");
    expect(report).toBe(
      [
        "a.yaml: 1 fault",
        '  http.port (line 2): "x" is not a port number from 0 to 65535 (0: any free one)',
        "    -> write a port number from 0 to 65535 (0: any free one)",
      ].join("\n"),
    );
  });

  it("never shows a secret, nor the value of an unknown key, which may be one", () => {
    const secret = "s".repeat(300);
    const yaml = minimal
      .replace('"correct horse"', `"${secret}"`)
      .replace("sipServer: {", 'sipServer: { auth: { pasword: "hunter2", password: [hunter3] },');
    const text = JSON.stringify(faultsOf(yaml));
    expect(text).toContain("[cut]");
    expect(text).not.toMatch(/hunter|sss/);
  });

  it.each([
    ["http: { host: 127.0.0.1 }", "http: { host: localhost }", "http.host is not an IPv4 address"],
    [
      "127.0.0.1 }",
      "127.0.0.1, port: 80.5 }",
      "http.port is not a port number from 0 to 65535 (0: any free one)",
    ],
    ["127.0.0.1 }", '127.0.0.1, allowInsecure: "yes" }', "http.allowInsecure is not true or false"],
    [
      "192.0.2.20",
      "192.0.2.256",
      "sip.advertisedAddress is not an IPv4 address others can reach, not 0.0.0.0",
    ],
    ["192.0.2.20", "0.0.0.0", "sip.advertisedAddress is no address others can reach"],
    ["203.0.113.10", "203.0.113.10, workers: 0", "media.workers is not auto, or a number from 1 to 64"],
    [
      "203.0.113.10",
      "203.0.113.10, trunkCodecs: [g729]",
      "media.trunkCodecs[0] is not a list of opus, g722, pcmu, pcma",
    ],
    [
      "203.0.113.10",
      "203.0.113.10, trunkCodecs: []",
      "media.trunkCodecs is not a list of opus, g722, pcmu, pcma",
    ],
    ["203.0.113.10", "203.0.113.10, trunkCodecs: [pcmu, pcmu]", "media.trunkCodecs names a codec twice"],
    [
      "203.0.113.10",
      "203.0.113.10, gainDb: { toAgent: 20.5 }",
      "media.gainDb.toAgent is not decibels from -20 to 20",
    ],
    [
      '"192.0.2.10:5060"',
      '"192.0.2.10:0"',
      "sipServer.addresses[0] is not host:port, an IPv4 address or a name",
    ],
    [
      '"192.0.2.10:5060"',
      '"192.0.2.999"',
      "sipServer.addresses[0] is not host:port, an IPv4 address or a name",
    ],
    [
      '"192.0.2.10:5060"',
      '"sip:192.0.2.10"',
      "sipServer.addresses[0] is not host:port, an IPv4 address or a name",
    ],
    ['"192.0.2.10:5060"', '"a.example", "a.example"', "sipServer.addresses[1] stands there twice"],
    ['["192.0.2.10:5060"]', "[]", "sipServer.addresses is not a list of one or more host:port"],
    [
      '["192.0.2.10:5060"]',
      '["a.example"], allow: ["192.0.2.0/33"]',
      "sipServer.allow[0] is not an IPv4 address or net",
    ],
    [
      'dn: "5001"',
      'dn: "50 01"',
      "agents.accounts[0].dn is not a DN of 1 to 64 letters, digits and . _ + * # -",
    ],
    ['dn: "5001", ', "", "agents.accounts[0].dn is missing"],
    [
      '"correct horse"',
      '"a", ha1: "00112233445566778899aabbccddeeff"',
      "agents.accounts[0] has more than one password for 5001",
    ],
    [', password: "correct horse"', "", "agents.accounts[0] has no password for 5001"],
    [', password: "correct horse"', ", ha1: 12", "agents.accounts[0].ha1 is not 32 hexadecimal digits"],
    ["agents: {", "agents: { minExpires: 400, maxExpires: 300,", "agents.minExpires is above maxExpires"],
    ["agents: {", "agents: { callGraceSeconds: 2,", "agents.newCallGraceSeconds is above callGraceSeconds"],
    ["{ dn:", '{ dn: "5001", password: "z" }, { dn:', "agents.accounts[1].dn is also agents.accounts[0]"],
  ])("is refused: %j -> %j", (from, to, expected) => {
    expect(minimal).toContain(from);
    expect(told(minimal.replace(from, to))).toEqual([expected]);
  });
});

describe("rules across keys", () => {
  it("wants TLS on any address but loopback, unless the risk is taken by name", () => {
    const open = minimal.replace("127.0.0.1", "192.0.2.20");
    expect(told(open)).toEqual(["http.tls is missing, and http.host 192.0.2.20 is not loopback"]);
    expect(load(open.replace("192.0.2.20 }", "192.0.2.20, allowInsecure: true }")).ok).toBe(true);
    expect(load(minimal.replace("127.0.0.1", "127.1.2.3")).ok).toBe(true);
  });

  it("tells of certificate files that cannot be read", () => {
    const yaml = minimal.replace("127.0.0.1 }", "0.0.0.0, tls: { cert: none.pem, key: . } }");
    expect(told(yaml)).toEqual(["http.tls.cert does not exist", "http.tls.key is a directory"]);
  });

  it.each([
    ["sip: {", "sip: { port: 8443,", "sip.port overlaps http.port (8443)"],
    ["sip: {", "sip: { port: 15000,", "media.rtpPorts overlaps sip.port (15000)"],
    ["sip: {", "sip: { port: 20102,", "media.browserPort overlaps sip.port (20102)"],
    ["media: {", "media: { browserPort: 9998,", "media.rtpPorts overlaps media.browserPort (9998-10000)"],
    ["media: {", "media: { browserPort: 65534,", "media.browserPort leaves no port for each of 3 workers"],
    [
      "media: {",
      "media: { rtpPorts: [10000, 10003],",
      "media.rtpPorts has no pair of ports for each of 3 workers",
    ],
  ])("finds ports that meet: %j -> %j", (from, to, expected) => {
    expect(told(minimal.replace(from, to).replace("127.0.0.1", "0.0.0.0, allowInsecure: true"))).toContain(
      expected,
    );
  });

  it("lets the same port be used on different addresses, by different protocols, or be any free one", () => {
    const elsewhere = minimal.replace("sip: {", "sip: { host: 192.0.2.20, port: 8443,");
    expect(load(elsewhere).ok).toBe(true);
    expect(load(minimal.replace("127.0.0.1 }", "127.0.0.1, port: 15000 }")).ok).toBe(true);
    const free = minimal.replace("127.0.0.1 }", "127.0.0.1, port: 0 }").replace("sip: {", "sip: { port: 0,");
    expect(load(free.replace("media: {", "media: { browserPort: 0,")).ok).toBe(true);
  });

  it("rounds the RTP ports inward to whole pairs", () => {
    const yaml = minimal.replace("media: {", "media: { rtpPorts: [10001, 10020],");
    expect(configOf(yaml).media.rtpPorts).toEqual([10002, 10019]);
  });

  it("tells of rules in sound sections though another section is broken", () => {
    const yaml = minimal.replace("127.0.0.1", "192.0.2.20").replace("203.0.113.10", "nowhere");
    expect(told(yaml)).toEqual([
      "http.tls is missing, and http.host 192.0.2.20 is not loopback",
      "media.advertisedAddress is not an IPv4 address others can reach, not 0.0.0.0",
    ]);
  });

  it("warns of what is risky without refusing it", () => {
    expect(warned(minimal)).toEqual([]);
    expect(warned(minimal.replace('["https://wwe.example.com"]', "[]"))).toEqual([
      "websocket.origins is empty: no page may connect",
    ]);
    expect(warned(minimal.replace("192.0.2.20", "127.0.0.1"))).toEqual([
      "sip.advertisedAddress is loopback, SIP Server 192.0.2.10:5060 cannot reach it",
    ]);
    expect(warned(minimal.replace("media: {", "media: { rtpPorts: [30000, 40000],"))).toEqual([
      "media.rtpPorts reaches into Linux's range of outgoing ports (32768-60999)",
    ]);
    expect(warned(minimal.replace("sipServer: {", 'sipServer: { allow: ["0.0.0.0/0"],'))).toEqual([
      "sipServer.allow[0] lets anybody send SIP",
    ]);
    expect(warned(minimal.replace(/accounts: .*/, "accounts: [] }"))).toEqual([
      "agents has no account: nobody can sign in",
    ]);
  });

  it.each([
    ["pattern-{dn}", "agents.accounts[0].password can be derived from the DN 5001"],
    ["secret5001", "agents.accounts[0].password can be derived from the DN 5001"],
  ])("warns of the derivable password %s", (password, expected) => {
    expect(warned(minimal.replace("correct horse", password))).toEqual([expected]);
  });
});

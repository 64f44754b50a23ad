import { createHash } from "node:crypto";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { runImportAsterisk } from "../../src/cli/commands/import-asterisk.ts";
import { findAccount, loadConfig, trunkCredentials, type Config } from "../../src/config/index.ts";

const vectors = fileURLToPath(new URL("../vectors/asterisk/", import.meta.url));
/** Folder that the vectors name their certificates in. */
const keysFolder = "/etc/asterisk/keys";

interface Site {
  readonly folder: string;
  path(name: string): string;
}

/** A vector in a folder of its own; with `withKeys` the certificates it names are there. */
function site(
  vector: string,
  { withKeys = true, files = {} }: { withKeys?: boolean; files?: Record<string, string> } = {},
): Site {
  const folder = mkdtempSync(join(tmpdir(), "jackfield-import-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  cpSync(join(vectors, vector), folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    cpSync(join(vectors, "README.md"), path);
    writeFileSync(path, text);
  }
  for (const name of ["asterisk.crt", "asterisk.key", "asterisk.pem", "all-in-one.pem"])
    if (withKeys) writeFileSync(join(folder, name), "PEM");
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (withKeys && entry.name.endsWith(".conf"))
      writeFileSync(path, readFileSync(path, "utf8").replaceAll(keysFolder, folder));
  }
  return { folder, path: (name) => join(folder, name) };
}

interface Imported {
  readonly code: number;
  readonly report: string;
  /** All that went to the terminal. */
  readonly said: string;
  readonly config: Config;
  readonly yaml: string;
}

/** Runs the command on files of a site; fails unless what it wrote loads without fault. */
function run(place: Site, names: readonly string[]): Imported {
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
  const error = vi.spyOn(console, "error").mockImplementation((line: string) => void lines.push(line));
  const code = runImportAsterisk({
    files: names.map(place.path),
    output: place.path("jackfield.yaml"),
    report: undefined,
  });
  log.mockRestore();
  error.mockRestore();
  const result = loadConfig({ file: place.path("jackfield.yaml"), env: {}, cores: 4 });
  if (!result.ok) throw new Error(`${JSON.stringify(result.faults)}\n${lines.join("\n")}`);
  const yaml = readFileSync(place.path("jackfield.yaml"), "utf8");
  return { code, report: lines[0] ?? "", said: lines.join("\n"), config: result.config, yaml };
}

function hashOf(dn: string, password: string) {
  return { kind: "ha1", md5: createHash("md5").update(`${dn}:jackfield:${password}`).digest("hex") };
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

/** The report's part under a heading. */
function part(report: string, heading: string): string {
  return report.split("\n## ").find((text) => text.startsWith(heading)) ?? "";
}

const all = ["pjsip.conf", "extensions.conf", "rtp.conf"];

describe("a small site", () => {
  it("becomes a configuration that loads, with addresses, ports, codecs and certificate in their places", () => {
    const place = site("small");
    const { config, code } = run(place, [...all, "http.conf"]);
    expect(code).toBe(1);
    expect(config.http).toMatchObject({
      host: "0.0.0.0",
      port: 8443,
      tls: { cert: place.path("asterisk.crt"), key: place.path("asterisk.key") },
    });
    expect(config.websocket.path).toBe("/asterisk/ws");
    expect(config.sip).toMatchObject({ host: "192.0.2.20", port: 5070, advertisedAddress: "192.0.2.20" });
    expect(config.media).toMatchObject({
      // SIP Server lies in local_net.
      browserSide: { advertisedAddresses: ["192.0.2.20", "203.0.113.10"] },
      sipServerSide: { advertisedAddresses: ["192.0.2.20"] },
      rtpPorts: [16_000, 16_499],
      browserCodecs: ["opus", "pcmu", "pcma"],
      trunkCodecs: ["pcma", "pcmu"],
    });
    expect(config.sipServer.addresses).toEqual([{ host: "192.0.2.10", port: 5060, transport: "udp" }]);
    expect(config.sipServer).toMatchObject({
      allow: ["192.0.2.11", "192.0.2.64/26"],
      optionsSeconds: 60,
      registration: { mode: "on-sign-in" },
      sessionTimer: { offerSeconds: 1800 },
    });
    expect(config.calls.outbound.identity).toBe("asserted");
  });

  it("keeps browsers' ports and the workers' behind it out of the range toward SIP Server", () => {
    const files = { "rtp.conf": "[general]\nrtpstart=20150\nrtpend=20449\n" };
    const { config } = run(site("small", { files }), all);
    expect(config.media).toMatchObject({ rtpPorts: [20_150, 20_449], browserPort: 20_500 });
  });

  it("has Asterisk's outer address on both sides where SIP Server does not lie in local_net", () => {
    const pjsip = readFileSync(join(vectors, "small", "pjsip.conf"), "utf8");
    const files = { "pjsip.conf": pjsip.replace("192.0.2.0/24", "10.0.0.0/8") };
    const { config, report } = run(site("small", { files }), all);
    expect(config.sip.advertisedAddress).toBe("203.0.113.10");
    expect(config.media.browserSide.advertisedAddresses).toEqual(["203.0.113.10"]);
    expect(config.media.sipServerSide.advertisedAddresses).toEqual(["203.0.113.10"]);
    expect(report).not.toContain("media.browserSide.advertisedAddress: [");
  });

  it("carries passwords and hashes over with their realm, and tells of a hash of another realm", () => {
    const { config, report } = run(site("small"), all);
    expect(findAccount(config, "5001")).toMatchObject({
      displayName: "Anna Berg",
      credentials: { kind: "password", password: "correct;horse" },
    });
    expect(config.agents.realm).toBe("pbx.example.com");
    const md5 = createHash("md5").update("5002:pbx.example.com:battery-staple").digest("hex");
    expect(findAccount(config, "5002")?.credentials).toMatchObject({ kind: "ha1", md5 });
    expect(findAccount(config, "5003")).toBeUndefined();
    expect(part(report, "To decide")).toContain(
      "hash of DN 5003 (pjsip.conf:72): left out: made for realm another.example.com",
    );
  });

  it("makes number rules of the agents' contexts, the most particular first", () => {
    const { config, report } = run(site("small"), all);
    expect(
      config.calls.outbound.rules.map(({ match, action, strip, prefix }) => [match, action, strip, prefix]),
    ).toEqual([
      ["0900.", "deny", 0, ""],
      ["112", "allow", 0, ""],
      ["02XX.", "allow", 1, ""],
      ["03XX.", "allow", 1, ""],
      ["00.", "allow", 2, "+"],
      ["9NXXXXXX", "allow", 1, ""],
    ]);
    expect(part(report, "Not carried over")).toContain(
      "exten _8X. (extensions.conf:14): went to other-carrier",
    );
  });

  it("says who does what Asterisk did besides: phones, voicemail, queue, recording, AGI, conference", () => {
    const lost = part(run(site("small"), all).report, "Not carried over");
    for (const what of [
      "not taken over (7001)",
      "voicemailmain in [agents]",
      "queue in [agents]",
      "mixmonitor in",
      "agi in",
      "confbridge in",
      "allow = g729",
    ])
      expect(lost).toContain(what);
    expect(part(run(site("small"), all).report, "To decide")).toContain(
      "some_new_key = 7 (pjsip.conf:117): nothing is known of this key",
    );
  });

  it("prints no secret, and writes them where only their owner reads", () => {
    const place = site("small");
    const { said } = run(place, all);
    for (const secret of ["correct", "hush", "desk-phone-secret", "7a4d3c2b"])
      expect(said).not.toContain(secret);
    expect(modeOf(place.path("jackfield.yaml"))).toBe(0o600);
  });

  it("listens on loopback and says so first where the certificate is not at hand", () => {
    const { config, report } = run(site("small", { withKeys: false }), all);
    expect(config.http).toMatchObject({ host: "127.0.0.1", port: 8089 });
    expect(part(report, "To decide").split("\n")[2]).toContain("- http.tls");
  });

  it("tells of a folder that it may not read, and of one that leads nowhere, as what they are", () => {
    const place = site("small");
    mkdirSync(place.path("locked"), { mode: 0o000 });
    symlinkSync("loop", place.path("loop"));
    writeFileSync(
      place.path("pjsip.conf"),
      "#include locked/*.conf\n#include loop/*.conf\n#include none/*.conf\n",
    );
    chmodSync(place.folder, 0o777);
    chmodSync(place.path("pjsip.conf"), 0o644);
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const { geteuid, seteuid } = process;
    const user = geteuid?.();
    // Root may read everything.
    if (user === 0) seteuid?.(65_534);
    try {
      runImportAsterisk({
        files: [place.path("pjsip.conf")],
        output: place.path("new.yaml"),
        report: undefined,
      });
    } finally {
      if (user === 0) seteuid?.(user);
      log.mockRestore();
      error.mockRestore();
      chmodSync(place.path("locked"), 0o700);
    }
    const told = lines.join("\n");
    expect(told).toContain(`locked/*.conf, which this user may not read (${place.path("locked")})`);
    expect(told).toContain("loop/*.conf, which cannot be read (ELOOP)");
    expect(told).toContain("none/*.conf, which does not exist");
  });

  it("writes over no file, and leaves none behind when it fails", () => {
    const place = site("small");
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    onTestFinished(() => error.mockRestore());
    writeFileSync(place.path("mine.yaml"), "mine");
    const files = [place.path("pjsip.conf")];
    expect(runImportAsterisk({ files, output: place.path("mine.yaml"), report: undefined })).toBe(2);
    expect(readFileSync(place.path("mine.yaml"), "utf8")).toBe("mine");
    writeFileSync(place.path("report.md"), "mine");
    expect(
      runImportAsterisk({ files, output: place.path("new.yaml"), report: place.path("report.md") }),
    ).toBe(2);
    expect(existsSync(place.path("new.yaml"))).toBe(false);
    expect(
      runImportAsterisk({ files: [place.folder], output: place.path("new.yaml"), report: undefined }),
    ).toBe(2);
    expect(error.mock.lastCall?.[0]).toContain("is no file");
  });
});

/** 999 agents out of templates, with passwords of their own or by a pattern. */
function agents(passwordOf: (dn: number) => string): string {
  return Array.from({ length: 999 }, (_, index) => 5001 + index)
    .map(
      (dn) =>
        `[${dn}](agent)\nauth=${dn}\naors=${dn}\ncallerid=Agent ${dn} <${dn}>\n[${dn}](agent-auth)\nusername=${dn}\npassword=${passwordOf(dn)}\n[${dn}](agent-aor)\n[reg-${dn}](dn)\nclient_uri=sip:${dn}@10.20.0.1\n`,
    )
    .join("\n");
}

describe("a large site", () => {
  it("becomes one range with a password file for its 999 DNs", () => {
    const place = site("large", {
      files: { "agents.d/agents.conf": agents((dn) => `Pw-${(dn * 7919) % 10_007}`) },
    });
    const { config, yaml, report } = run(place, ["pjsip.conf"]);
    expect(config.agents.accounts).toEqual([]);
    expect(config.agents.ranges).toMatchObject([{ from: "5001", to: "5999" }]);
    expect(findAccount(config, "5400")?.credentials).toMatchObject({
      password: `Pw-${(5400 * 7919) % 10_007}`,
    });
    expect(yaml).not.toContain("Pw-");
    expect(modeOf(place.path("jackfield.5001-5999.passwords"))).toBe(0o600);
    expect(readFileSync(place.path("jackfield.5001-5999.passwords"), "utf8").split("\n")).toHaveLength(1000);
    expect(config.sipServer.registration).toMatchObject({ mode: "on-sign-in", expires: 1800 });
    expect(config.http.tls).toEqual({
      cert: place.path("all-in-one.pem"),
      key: place.path("all-in-one.pem"),
    });
    expect(report).toContain("agents that can sign in: 999 (5001-5999)");
    // A line for each DN would be no report.
    expect(report.split("\n").length).toBeLessThan(80);
  });

  it("gives each range a password file of its own, leaves DNs out where there were none, and loads", () => {
    const dns = [
      ...Array.from({ length: 40 }, (_, index) => 5001 + index).filter((dn) => dn % 7 !== 0),
      7001,
      7002,
      7003,
      8000,
    ];
    const text = dns.map(
      (dn) =>
        `[${dn}](agent)\nauth=${dn}\n[${dn}](agent-auth)\nusername=${dn}\npassword=${(dn * 7919) % 10_007}\n`,
    );
    const { config } = run(site("large", { files: { "agents.d/a.conf": text.join("") } }), ["pjsip.conf"]);
    expect(config.agents.ranges.map(({ from, to }) => `${from}-${to}`)).toEqual(["5001-5039", "7001-7003"]);
    expect(config.agents.accounts).toEqual([]);
    expect(findAccount(config, "8000")?.credentials).toMatchObject({ kind: "ha1" });
    expect(findAccount(config, "5005")).toBeUndefined();
    expect(findAccount(config, "7002")?.credentials).toMatchObject({
      password: String((7002 * 7919) % 10_007),
    });
  });

  it("tells of a password that holds its DN before it is hashed", () => {
    const files = { "agents.d/a.conf": agents((dn) => (dn === 5500 ? "a-5500-b-5500-c" : "the same word")) };
    const { report } = run(site("large", { files }), ["pjsip.conf"]);
    expect(part(report, "To decide")).toMatch(/passwords of 5500\b.*can be derived from the DN/);
  });

  it("writes a pattern as one password, and the DNs beside it apart", () => {
    const files = { "agents.d/a.conf": agents((dn) => (dn === 5500 ? "another one" : `web-${dn}-rtc`)) };
    const place = site("large", { files });
    const { config, report, yaml } = run(place, ["pjsip.conf"]);
    expect(config.agents.ranges).toMatchObject([
      { from: "5001", to: "5499", password: "web-{dn}-rtc" },
      { from: "5501", to: "5999", password: "web-{dn}-rtc" },
    ]);
    expect(config.agents.accounts).toEqual([]);
    expect(findAccount(config, "5500")?.credentials).toMatchObject(hashOf("5500", "another one"));
    expect(yaml).not.toContain("another one");
    const accounts = readFileSync(place.path("jackfield.accounts"), "utf8");
    expect(accounts).toMatch(/^5500:jackfield:[\da-f]{32}:[\da-f]{64}\n$/);
    expect(modeOf(place.path("jackfield.accounts"))).toBe(0o600);
    expect(part(report, "Carried over")).toContain("in jackfield.accounts (agents.accountsFile) as hashes");
    expect(part(report, "To decide")).toContain("passwords of 5001-5499");
  });
});

describe("pjsip_wizard.conf", () => {
  it("becomes the agents, the SIP Servers and the digest that its sections stand for", () => {
    const { config } = run(site("wizard"), ["pjsip_wizard.conf"]);
    expect(findAccount(config, "5001")?.credentials).toMatchObject(hashOf("5001", "quiet-river-17"));
    expect(config.sipServer.addresses).toEqual([
      { host: "198.51.100.7", port: 5060, transport: "tcp" },
      { host: "198.51.100.8", port: 5070, transport: "tcp" },
    ]);
    expect(config.sipServer.registration.expires).toBe(600);
    expect(trunkCredentials(config, "5001")).toEqual({ username: "5001", password: "trunk-of-5001" });
    expect(config.media).toMatchObject({ browserCodecs: ["pcmu", "opus"], trunkCodecs: ["pcma"] });
  });
});

describe("the site of the notes: a proxy in front, DNs registered for good, answers by a dial plan", () => {
  it("keeps the port of the DNs apart from the trunk's, and drops what was a cure for other faults", () => {
    const { config, report } = run(site("site"), all);
    expect(config.sip).toMatchObject({ port: 5061, advertisedAddress: "192.0.2.54" });
    expect(config.sipServer.addresses).toEqual([{ host: "192.0.2.81", port: 5060, transport: "udp" }]);
    expect(config.calls.outbound.rules).toEqual([]);
    const decide = part(report, "To decide");
    for (const words of [
      "registrations in Asterisk",
      "(1003)",
      "Trunk DN at SIP Server",
      "room for 50 calls",
      "outbound_proxy = sip:127.0.0.1:5070",
      "auto-answer headers",
      "follow a pattern",
    ])
      expect(decide).toContain(words);
    expect(part(report, "No longer needed")).toMatch(/answer in \[from-sip-server\].*NOTIFY talk/);
    expect(part(report, "Carried over")).toContain("on-sign-in");
  });
});

describe("DNs and their passwords", () => {
  const endpoint = (dn: string): string =>
    `[${dn}]\ntype=endpoint\nwebrtc=yes\nauth=${dn}\naors=${dn}\n[${dn}]\ntype=aor\n`;
  const importOf = (parts: readonly string[]): Imported =>
    run(site("small", { files: { "pjsip.conf": parts.join("") } }), ["pjsip.conf"]);

  it("that differ toward SIP Server, too, come over DN by DN: none is lost in a range", () => {
    const dns = ["5001", "5002", "5003", "5004"];
    const { config } = importOf(
      dns.map(
        (dn) =>
          `${endpoint(dn)}[${dn}]\ntype=auth\npassword=web-${dn}\n` +
          `[out-${dn}]\ntype=auth\nusername=${dn}\npassword=trunk-${Number(dn) * 7}\n` +
          `[reg-${dn}]\ntype=registration\nserver_uri=sip:192.0.2.10\nclient_uri=sip:${dn}@192.0.2.10\noutbound_auth=out-${dn}\n`,
      ),
    );
    for (const dn of dns) {
      expect(findAccount(config, dn)?.credentials).toMatchObject({ password: `web-${dn}` });
      expect(trunkCredentials(config, dn)).toEqual({ username: dn, password: `trunk-${Number(dn) * 7}` });
    }
  });

  it.each([
    ["sip:192.0.2.10", { host: "192.0.2.10", port: 5060, transport: "udp" }],
    ["sip:192.0.2.10\\;transport=tls", { host: "192.0.2.10", port: 5061, transport: "tls" }],
    ["sips:192.0.2.10:5071", { host: "192.0.2.10", port: 5071, transport: "tls" }],
  ])("registered at %s are at that port and transport from now on", (uri, address) => {
    const { config } = importOf([
      `${endpoint("5001")}[5001]\ntype=auth\npassword=x\n`,
      `[reg]\ntype=registration\nserver_uri=${uri}\nclient_uri=sip:5001@192.0.2.10\n`,
      `[tls]\ntype=transport\nprotocol=tls\ncert_file=${keysFolder}/asterisk.crt\npriv_key_file=${keysFolder}/asterisk.key\n`,
    ]);
    expect(config.sipServer.addresses).toEqual([address]);
  });

  it("signed in with from a known address do not let that address in as if it were SIP Server's", () => {
    const { config } = importOf([
      `${endpoint("5001")}[5001]\ntype=auth\npassword=x\n`,
      "[5001-from]\ntype=identify\nendpoint=5001\nmatch=192.0.2.200\n",
      "[sip-server]\ntype=endpoint\n[sip-server]\ntype=identify\nendpoint=sip-server\nmatch=192.0.2.11\n",
    ]);
    expect(config.sipServer.allow).toEqual(["192.0.2.11"]);
  });

  it("as hashes are of the realm that most of them were made for, wherever those stand", () => {
    const hash = (dn: string, realm: string): string =>
      `${endpoint(dn)}[${dn}]\ntype=auth\nauth_type=md5\nusername=${dn}\nrealm=${realm}\nmd5_cred=${createHash(
        "md5",
      )
        .update(`${dn}:${realm}:x`)
        .digest("hex")}\n`;
    const { config } = importOf([
      hash("5001", "few.example.com"),
      hash("5002", "most.example.com"),
      hash("5003", "most.example.com"),
    ]);
    expect(config.agents.realm).toBe("most.example.com");
    expect(["5001", "5002", "5003"].map((dn) => findAccount(config, dn) !== undefined)).toEqual([
      false,
      true,
      true,
    ]);
  });

  it("of different lengths are ranges of their own though one follows the other", () => {
    const dns = ["997", "998", "999", "1000", "1001", "1002"];
    const { config } = importOf(dns.map((dn) => `${endpoint(dn)}[${dn}]\ntype=auth\npassword=web-${dn}\n`));
    expect(config.agents.ranges.map(({ from, to }) => `${from}-${to}`)).toEqual(["997-999", "1000-1002"]);
    for (const dn of dns)
      expect(findAccount(config, dn)?.credentials).toMatchObject({ password: `web-${dn}` });
  });
});

it("a trunk without a transport of its own is taken to be at 5060: DNs get another port", () => {
  const pjsip =
    "[sip-server]\ntype=endpoint\naors=sip-server\n[sip-server]\ntype=aor\ncontact=sip:192.0.2.10\n";
  const { config, report } = run(site("small", { files: { "pjsip.conf": pjsip } }), ["pjsip.conf"]);
  expect(config.sip.port).toBe(5070);
  expect(part(report, "To decide")).toContain("sip.port: 5070, not Asterisk's 5060");
});

describe("a dial plan and trunks that have grown", () => {
  const registered = (dn: string): string =>
    `[${dn}]\ntype=endpoint\nwebrtc=yes\nauth=${dn}\naors=${dn}\ncontext=agents\n[${dn}]\ntype=auth\npassword=p-${dn}\n` +
    `[${dn}]\ntype=aor\n[${dn}-reg]\ntype=registration\nserver_uri=sip:192.0.2.10\nclient_uri=sip:${dn}@192.0.2.10\n`;
  const trunk = (name: string, address: string): string =>
    `[${name}]\ntype=endpoint\naors=${name}\n[${name}]\ntype=aor\ncontact=sip:${address}:5060\n`;
  const report = (lines: readonly string[]): string =>
    run(
      site("small", {
        files: {
          "pjsip.conf": registered("5001") + trunk("one", "192.0.2.10") + trunk("two", "192.0.2.99"),
          "extensions.conf": ["[agents]", ...lines].join("\n"),
        },
      }),
      ["pjsip.conf", "extensions.conf"],
    ).report;

  it("has a second SIP Server told of that no DN was registered at: nothing of it is taken over", () => {
    const decide = part(report([]), "To decide");
    expect(decide).toContain("- trunk to 192.0.2.99 (pjsip.conf:25): no DN was registered there");
    expect(decide).not.toContain("trunk to 192.0.2.10");
  });

  it("has no line that nobody hears of: caller's number, headers, lines cut short by `;`, lookups elsewhere", () => {
    const decide = part(
      report([
        "exten => _0X.,1,Set(CALLERID(num)=+493012345)",
        " same => n,Set(PJSIP_HEADER(add,X-Tenant)=7)",
        "exten => _5XXX,1,Set(PJSIP_HEADER(add,Alert-Info)=<sip:x>;info=alert-autoanswer)",
        "switch => Realtime/@",
        "exten => 113,1,()",
      ]),
      "To decide",
    );
    for (const line of [
      "- set caller's number or name in [agents] (extensions.conf:2):",
      "- set a header in [agents] (extensions.conf:3, extensions.conf:4):",
      "- auto-answer headers in the dial plan (extensions.conf:4):",
      "- switch in the dial plan (extensions.conf:5): not read",
      "- exten in the dial plan (extensions.conf:6): not read",
    ])
      expect(decide).toContain(line);
  });
});

describe("what no site has", () => {
  it("neither stops the import nor leads out of the folder, and what can be had is had", () => {
    const { config, report } = run(site("hostile"), all);
    expect(findAccount(config, "5003")?.credentials).toMatchObject(hashOf("5003", '"yaml: [trap] # x"'));
    const decide = part(report, "To decide");
    for (const words of [
      "in a circle",
      "/etc/passwd, which lies outside",
      "#exec is never run",
      "no range that can be taken over",
      "auth of DN 5001",
      "auth of DN 5002",
    ])
      expect(decide).toContain(words);
    expect(existsSync("/tmp/owned")).toBe(false);
    // oxlint-disable-next-line no-control-regex
    expect(report).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
  });

  it("is told whole where a file is empty", () => {
    const { config, report } = run(site("small", { files: { "empty.conf": "" } }), ["empty.conf"]);
    expect(config.agents.accounts).toEqual([]);
    expect(part(report, "To decide").split("\n")[2]).toContain("- agents: no endpoint for browsers");
  });
});

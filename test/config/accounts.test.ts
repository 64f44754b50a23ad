import { describe, expect, it } from "vitest";
import { configuredDns, findAccount, trunkCredentials } from "../../src/config/index.ts";
import { configOf, minimal, told, warned } from "./support.ts";

const withAgents = (agents: string): string => minimal.replace(/agents: .*/, `agents: ${agents}`);
const passwordOf = (config: ReturnType<typeof configOf>, dn: string): string | undefined => {
  const credentials = findAccount(config, dn)?.credentials;
  return credentials?.kind === "password" ? credentials.password : undefined;
};

describe("accounts", () => {
  it("are found by DN, with the pattern filled in", () => {
    const config = configOf(
      withAgents('{ accounts: [ { dn: "5001", displayName: Ann, password: "p-{dn}-{dn}" } ] }'),
    );
    expect(findAccount(config, "5001")).toEqual({
      dn: "5001",
      displayName: "Ann",
      credentials: { kind: "password", password: "p-5001-5001" },
    });
    expect(findAccount(config, "5002")).toBeUndefined();
    expect(findAccount(config, "__proto__")).toBeUndefined();
  });

  it("are listed DN by DN, each once, with their leading zeros", () => {
    const config = configOf(
      withAgents(
        '{ accounts: [ { dn: "5001", password: "p-1" }, { dn: reception, password: "p-2" } ], ranges: [ { from: 5000, to: 5002, password: "p-{dn}" }, { from: "098", to: "101", password: "q-{dn}" } ] }',
      ),
    );
    const dns = configuredDns(config);
    expect(dns).toEqual(["5001", "reception", "5000", "5002", "098", "099", "100", "101"]);
  });

  it("may be hashes, in lower case", () => {
    const md5 = "00112233445566778899AABBCCDDEEFF";
    const config = configOf(
      withAgents(`{ accounts: [ { dn: "5001", ha1: "${md5}", ha1Sha256: "${md5}${md5}" } ] }`),
    );
    expect(findAccount(config, "5001")?.credentials).toEqual({
      kind: "ha1",
      md5: md5.toLowerCase(),
      sha256: (md5 + md5).toLowerCase(),
    });
  });

  it("have their password from a file, without its last line end", () => {
    const yaml = withAgents(
      '{ accounts: [ { dn: "5001", passwordFile: secret, trunkPasswordFile: trunk } ] }',
    );
    const config = configOf(yaml, { files: { secret: " from file \n", trunk: "T\r\n" } });
    expect(passwordOf(config, "5001")).toBe(" from file ");
    expect(trunkCredentials(config, "5001")).toEqual({ username: "5001", password: "T" });
  });

  it.each([
    ["missing", {}, "does not exist"],
    ["empty", { secret: "\n" }, "is empty"],
    ["too long", { secret: "x".repeat(257) }, "has more than 256 characters"],
  ])("with a password file that is %s are faults", (_name, files, reason) => {
    const yaml = withAgents('{ accounts: [ { dn: "5001", passwordFile: secret } ] }');
    expect(told(yaml, { files })).toEqual([`agents.accounts[0].passwordFile ${reason}`]);
  });
});

describe("ranges", () => {
  it("hold from first to last DN and no other", () => {
    const config = configOf(withAgents('{ ranges: [ { from: 5002, to: 5999, password: "pattern-{dn}" } ] }'));
    expect(passwordOf(config, "5002")).toBe("pattern-5002");
    expect(passwordOf(config, "5999")).toBe("pattern-5999");
    for (const dn of ["5001", "6000", "05002", "5002a", "", "5002.0", "5e3"])
      expect(findAccount(config, dn)).toBeUndefined();
  });

  it("keep leading zeros", () => {
    const config = configOf(withAgents('{ ranges: [ { from: 0098, to: 0102, password: "x" } ] }'));
    expect(["0098", "0099", "0100", "0102"].map((dn) => passwordOf(config, dn))).toEqual([
      "x",
      "x",
      "x",
      "x",
    ]);
    expect(["98", "100", "0103", "00100"].map((dn) => passwordOf(config, dn))).toEqual(
      Array.from({ length: 4 }),
    );
  });

  it("stand behind an account of their own", () => {
    const config = configOf(
      withAgents(
        '{ accounts: [ { dn: "5003", password: "own" } ], ranges: [ { from: 5002, to: 5999, password: "r" } ] }',
      ),
    );
    expect(passwordOf(config, "5003")).toBe("own");
    expect(passwordOf(config, "5004")).toBe("r");
  });

  const fromFile = withAgents("{ ranges: [ { from: 5002, to: 5004, passwordFile: secrets } ] }");

  it("have a password for each DN from a file", () => {
    const files = { secrets: "# agents\n5002:a:b\r\n\n5003: c\n5004:d\n" };
    const config = configOf(fromFile, { files });
    expect(["5002", "5003", "5004"].map((dn) => passwordOf(config, dn))).toEqual(["a:b", " c", "d"]);
    expect(warned(fromFile, { files })).toEqual([]);
  });

  it("have one pattern from a file of one line, which is warned of", () => {
    const files = { secrets: "pattern-{dn}\n" };
    expect(passwordOf(configOf(fromFile, { files }), "5003")).toBe("pattern-5003");
    expect(warned(fromFile, { files })).toEqual([
      "agents.ranges[0].password is a pattern: who knows one password of the range knows all",
    ]);
  });

  it("with one password for all are warned of", () => {
    expect(warned(withAgents('{ ranges: [ { from: 1, to: 2, password: "same" } ] }'))).toEqual([
      "agents.ranges[0].password is the same for every DN of the range",
    ]);
  });

  it("whose file lacks DNs are warned of, and those DNs cannot sign in", () => {
    const files = { secrets: "5003:c\n" };
    expect(findAccount(configOf(fromFile, { files }), "5002")).toBeUndefined();
    expect(warned(fromFile, { files })).toEqual([
      "agents.ranges[0].passwordFile has no password for 2 DNs of the range: they cannot sign in",
    ]);
  });

  it("whose file has other lines are faults that do not quote them", () => {
    const files = { secrets: "5002:a\n6000:hunter2\nnonsense\n" };
    expect(told(fromFile, { files })).toEqual([
      "agents.ranges[0].passwordFile has lines that are no dn:password of the range: 2, 3",
    ]);
  });

  it.each([
    ["{ from: 5, to: 4, password: x }", "agents.ranges[0].to ends before it begins: 5 to 4"],
    ["{ from: 0, to: 200000, password: x }", "agents.ranges[0].to has more than 100000 DNs: 0 to 200000"],
    [
      "{ from: 0900, to: 10000, password: x }",
      "agents.ranges[0].to has ends of different lengths, the first with a leading zero: 0900 to 10000",
    ],
    ["{ from: 1, to: 4 }", "agents.ranges[0] needs exactly one of password and passwordFile"],
    ["{ from: a, to: 4, password: x }", "agents.ranges[0].from is not a DN of digits"],
    [
      "{ from: 1, to: 4, password: x }, { from: 4, to: 9, password: x }",
      "agents.ranges[1] overlaps agents.ranges[0]",
    ],
  ])("that are none are faults: %s", (ranges, expected) => {
    expect(told(withAgents(`{ ranges: [ ${ranges} ] }`))).toEqual([expected]);
  });

  it("may have the same numbers with another count of digits", () => {
    const yaml = withAgents(
      '{ ranges: [ { from: 0001, to: 0009, password: "x" }, { from: 1, to: 9, password: "y" } ] }',
    );
    const config = configOf(yaml);
    expect([passwordOf(config, "0005"), passwordOf(config, "5")]).toEqual(["x", "y"]);
  });
});

describe("credentials for SIP Server", () => {
  it("are none without a password", () => {
    expect(trunkCredentials(configOf(minimal), "5001")).toBeUndefined();
  });

  it("have the DN filled in, the entry's own password first", () => {
    const yaml = withAgents(
      '{ accounts: [ { dn: "5001", password: "a b", trunkPassword: "own-{dn}" } ], ranges: [ { from: 5002, to: 5003, password: "x", trunkPassword: "range" } ] }',
    ).replace("sipServer: {", 'sipServer: { auth: { username: "u{dn}", password: "all-{dn}" },');
    const config = configOf(yaml);
    expect(trunkCredentials(config, "5001")).toEqual({ username: "u5001", password: "own-5001" });
    expect(trunkCredentials(config, "5002")).toEqual({ username: "u5002", password: "range" });
    expect(trunkCredentials(config, "7000")).toEqual({ username: "u7000", password: "all-7000" });
  });

  it("may come from a file, but not from both", () => {
    const file = minimal.replace("sipServer: {", "sipServer: { auth: { passwordFile: p },");
    expect(trunkCredentials(configOf(file, { files: { p: "secret\n" } }), "5001")?.password).toBe("secret");
    const both = file.replace("passwordFile: p", "passwordFile: p, password: x");
    expect(told(both, { files: { p: "secret\n" } })).toEqual([
      "sipServer.auth.passwordFile stands beside sipServer.auth.password",
    ]);
    const account = minimal.replace('"correct horse"', '"a b", trunkPassword: x, trunkPasswordFile: p');
    expect(told(account, { files: { p: "secret\n" } })).toEqual([
      "agents.accounts[0].trunkPasswordFile stands beside agents.accounts[0].trunkPassword",
    ]);
  });
});

import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configuredDns, findAccount, reloadAccountsFile } from "../../src/config/index.ts";
import { readAccountsFile } from "../../src/config/accounts-file.ts";
import { configOf, load, minimal, writeFiles } from "./support.ts";

const md5 = "00112233445566778899aabbccddeeff";
const sha256 = `${md5}${md5}`;
const read = (text: string, taken: string[] = []) =>
  readAccountsFile(text, { realm: "jackfield", taken: new Set(taken) });
const withFile = minimal.replace(
  /agents: .*/,
  'agents: { accounts: [ { dn: "5001", password: "correct horse" } ], ranges: [ { from: 6000, to: 6001, password: "p-{dn}" } ], accountsFile: agents }',
);

/** What the faults say, with their keys. */
function faultsOf(agents: string): string[] {
  const result = load(withFile, { files: { agents } });
  return result.ok ? [] : result.faults.map(({ key, reason }) => `${key} ${reason}`);
}

describe("a line of the accounts file", () => {
  it.each([
    ["5001:s3cret", { password: "s3cret" }],
    ["5001:with:colons and spaces ", { password: "with:colons and spaces " }],
    [`5001:jackfield:${md5}`, { ha1: md5 }],
    [`5001:jackfield:${md5.toUpperCase()}  `, { ha1: md5 }],
    [`5001:jackfield:${sha256}`, { ha1Sha256: sha256 }],
    [`5001:jackfield:${md5}:${sha256}`, { ha1: md5, ha1Sha256: sha256 }],
    [`5001:${md5}`, { password: md5 }],
  ])("%s is an account", (line, secrets) => {
    expect(read(line)).toEqual({ accounts: [{ dn: "5001", ...secrets }], badLines: [] });
  });

  it.each([
    ["hunter2", "does not begin with a DN and a colon"],
    [":hunter2", "does not begin with a DN and a colon"],
    ["50 01:hunter2", "does not begin with a DN and a colon"],
    ["5001:", "has no password for DN 5001"],
    [`5001:${"hunter2".repeat(40)}`, "has no password for DN 5001"],
    ["5001:hunter2\u0007", "has no password for DN 5001"],
    [`5001:asterisk:${md5}`, "has a hash of DN 5001 for another realm than agents.realm"],
  ])("%j is none, and what is told of it is no secret", (line, reason) => {
    expect(read(line)).toEqual({ accounts: [], badLines: [{ line: 1, reason }] });
    expect(reason).not.toMatch(/hunter2/);
  });

  it("may end as on Windows, be empty, or be a comment; a mark of the byte order does not matter", () => {
    const text = `\uFEFF# agents\r\n\r\n5001:one\r\n   # two\r\n5002:jackfield:${md5}\r\n`;
    expect(read(text).accounts.map(({ dn }) => dn)).toEqual(["5001", "5002"]);
    expect(read(text).badLines).toEqual([]);
    expect(read(text).accounts[0]?.password).toBe("one");
  });

  it("may be for a realm with colons in it", () => {
    const realm = "sip:example:com";
    expect(readAccountsFile(`5001:${realm}:${md5}`, { realm, taken: new Set() }).accounts).toEqual([
      { dn: "5001", ha1: md5 },
    ]);
  });

  it("that names a DN again is a fault with both places, and the first one counts", () => {
    const { accounts, badLines } = read("5001:one\n5002:two\n5001:three\n5003:four", ["5003"]);
    expect(accounts.map(({ dn, password }) => `${dn} ${password}`)).toEqual(["5001 one", "5002 two"]);
    expect(badLines).toEqual([
      { line: 3, reason: "names DN 5001, which line 1 has" },
      { line: 4, reason: "names DN 5003, which agents.accounts has" },
    ]);
  });
});

describe("agents.accountsFile", () => {
  it("stands beside accounts and ranges, before the ranges", () => {
    const config = configOf(withFile, { files: { agents: `5002:two\n6000:own\n7000:jackfield:${md5}\n` } });
    expect(configuredDns(config)).toEqual(["5001", "5002", "6000", "7000", "6001"]);
    const of = (dn: string) => findAccount(config, dn)?.credentials;
    expect(of("5002")).toEqual({ kind: "password", password: "two" });
    expect(of("6000")).toEqual({ kind: "password", password: "own" });
    expect(of("6001")).toEqual({ kind: "password", password: "p-6001" });
    expect(of("7000")).toEqual({ kind: "ha1", md5, sha256: undefined });
  });

  it("has all its bad lines told at once, up to twenty of them, without a secret", () => {
    expect(faultsOf("5001:hunter2\nhunter2\n5003:")).toEqual([
      "agents.accountsFile line 1 names DN 5001, which agents.accounts has",
      "agents.accountsFile line 2 does not begin with a DN and a colon",
      "agents.accountsFile line 3 has no password for DN 5003",
    ]);
    const many = faultsOf("hunter2\n".repeat(50));
    expect(many).toHaveLength(21);
    expect(many.at(-1)).toBe("agents.accountsFile has 30 more such lines");
  });

  it("that cannot be read is a fault", () => {
    const result = load(withFile.replace("accountsFile: agents", "accountsFile: nowhere"));
    expect(result).toMatchObject({ ok: false, faults: [{ reason: "does not exist" }] });
  });

  it("is read within a moment with 20,000 lines", () => {
    const lines = Array.from(
      { length: 20_000 },
      (_none, index) => `${10_000 + index}:jackfield:${md5}:${sha256}`,
    );
    // CPU time of this thread: what others on the machine take does not count.
    const before = process.threadCpuUsage().user;
    const config = configOf(withFile, { files: { agents: lines.join("\r\n") } });
    expect(findAccount(config, "29999")?.credentials).toEqual({ kind: "ha1", md5, sha256 });
    expect((process.threadCpuUsage().user - before) / 1000).toBeLessThan(2000);
  });

  it("is read again by itself; the other accounts and the realm stay what they are", () => {
    const file = writeFiles(withFile, { agents: "5002:two" });
    const result = load(withFile.replace("accountsFile: agents", `accountsFile: ${join(file, "../agents")}`));
    if (!result.ok) throw new Error(JSON.stringify(result.faults));
    writeFileSync(join(file, "../agents"), "5003:three");
    expect(reloadAccountsFile(result.config)).toEqual({
      accounts: [{ dn: "5003", password: "three" }],
      faults: [],
    });
    truncateSync(join(file, "../agents"), 400_000_000);
    const before = process.memoryUsage.rss();
    expect(reloadAccountsFile(result.config).faults).toEqual([expect.stringContaining("is too large")]);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
    writeFileSync(join(file, "../agents"), "5001:twice");
    expect(reloadAccountsFile(result.config).faults).toEqual([
      "line 1 names DN 5001, which agents.accounts has",
    ]);
  });
});

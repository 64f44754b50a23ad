import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Authority, BridgeCertificate } from "../../../src/bridge/certificate/certificate.ts";
import { isTrusted, keepTrusted, trust, untrust } from "../../../src/bridge/certificate/trust.ts";
import { RecordingPc } from "../support/pc.ts";

const sha1 = "A1".repeat(20);
const authorityIn = (folder: string): Authority => ({
  pem: "PEM\n",
  file: join(folder, "authority.pem"),
  sha1,
});
/** Stores that have nothing yet: looking fails, all else works. */
const empty = (pc: RecordingPc): RecordingPc => {
  pc.answer = ({ args }) => ({ code: args.some((word) => /^-(?:L|store)$/.test(word)) ? 255 : 0 });
  return pc;
};

describe("trust in the bridge's certificate", () => {
  it("on Windows goes into the user's Root store by Windows' own certutil, or into the PC's", async () => {
    const pc = empty(new RecordingPc("win32", { SystemRoot: "D:\\WINNT" }));
    const authority = authorityIn(pc.home);
    expect(await trust(authority, pc, pc.say)).toBe(true);
    expect(readFileSync(authority.file, "utf8")).toBe("PEM\n");
    expect(await trust(authority, pc, pc.say, { machine: true })).toBe(true);
    expect(pc.lines).toEqual([
      `D:\\WINNT\\System32\\certutil.exe -user -store Root ${sha1}`,
      "D:\\WINNT\\System32\\certutil.exe -user -addstore Root ~/authority.pem",
      `D:\\WINNT\\System32\\certutil.exe -store Root ${sha1}`,
      "D:\\WINNT\\System32\\certutil.exe -addstore Root ~/authority.pem",
    ]);
  });

  it("on macOS goes into the login keychain, for TLS alone", async () => {
    const pc = new RecordingPc("darwin");
    const authority = authorityIn(pc.home);
    expect(await trust(authority, pc, pc.say)).toBe(true);
    pc.answer = () => ({ stdout: `SHA-1 hash: ${sha1}\n` });
    expect(await untrust(authority, pc, pc.say)).toBe(true);
    const keychain = "~/Library/Keychains/login.keychain-db";
    const look = `/usr/bin/security find-certificate -a -Z -c "Jackfield bridge" ${keychain}`;
    expect(pc.lines).toEqual([
      look,
      `/usr/bin/security add-trusted-cert -r trustRoot -p ssl -k ${keychain} ~/authority.pem`,
      look,
      "/usr/bin/security remove-trusted-cert ~/authority.pem",
      `/usr/bin/security delete-certificate -Z ${sha1} ${keychain}`,
    ]);
  });

  it("on Linux goes into the database of Chrome and Edge, made where there is none, and those of Firefox and snaps", async () => {
    const pc = empty(new RecordingPc("linux"));
    for (const folder of [".mozilla/firefox/x.default", "snap/chromium/current/.pki/nssdb"]) {
      mkdirSync(join(pc.home, folder), { recursive: true });
      writeFileSync(join(pc.home, folder, "cert9.db"), "");
    }
    mkdirSync(join(pc.home, ".mozilla/firefox/Crash Reports"), { recursive: true });
    expect(await trust(authorityIn(pc.home), pc, pc.say)).toBe(true);
    const name = `-n "Jackfield bridge ${sha1}"`;
    const one = (folder: string): string[] => [
      `certutil -d sql:~/${folder} -L ${name}`,
      `certutil -d sql:~/${folder} -A -t C,, ${name} -i ~/authority.pem`,
    ];
    const [look = "", add = ""] = one(".pki/nssdb");
    expect(pc.lines).toEqual([
      look,
      "mkdir -p -m 700 ~/.pki/nssdb",
      "certutil -d sql:~/.pki/nssdb -N --empty-password",
      add,
      ...one("snap/chromium/current/.pki/nssdb"),
      ...one(".mozilla/firefox/x.default"),
    ]);
    for (const command of pc.ran.filter(({ args }) => !args.includes("-L")))
      expect(pc.said.some((line) => line.includes(command.args.at(-1) ?? "-"))).toBe(true);
  });

  it("is not given twice, and not taken from where it is not", async () => {
    const pc = new RecordingPc("linux");
    expect(await trust(authorityIn(pc.home), pc, pc.say)).toBe(true);
    expect(pc.lines).toHaveLength(1);
    expect(await untrust(authorityIn(pc.home), empty(pc), pc.say)).toBe(true);
    expect(pc.lines).toHaveLength(2);
  });

  it("says what to install where the program for it is not there", async () => {
    const pc = new RecordingPc("linux");
    pc.answer = () => ({ code: "missing" });
    expect(await trust(authorityIn(pc.home), pc, pc.say)).toBe(false);
    pc.answer = ({ program }) => ({ code: program === "mkdir" ? 0 : "missing" });
    expect(await trust(authorityIn(pc.home), pc, pc.say)).toBe(false);
    expect(pc.said.join("\n")).toMatch(/there is no certutil on this machine\n.*apt install libnss3-tools/);
  });

  it("that is refused is told with the reason", async () => {
    const pc = new RecordingPc("win32");
    pc.answer = () => ({
      code: 1,
      stderr: "CertUtil: -addstore command FAILED: 0x80070005\nAccess is denied.",
    });
    expect(await trust(authorityIn(pc.home), pc, pc.say, { machine: true })).toBe(false);
    expect(pc.said.at(-1)).toContain(
      "exit code 1: CertUtil: -addstore command FAILED: 0x80070005 Access is denied.",
    );
  });

  it("is known to be there only when every store has it", async () => {
    const pc = new RecordingPc("darwin");
    expect(await isTrusted(authorityIn(pc.home), pc)).toBe(false);
    pc.answer = () => ({ stdout: `SHA-1 hash: ${sha1}\n` });
    expect(await isTrusted(authorityIn(pc.home), pc)).toBe(true);
    expect(await isTrusted(authorityIn(pc.home), new RecordingPc("freebsd"))).toBe(false);
    const linux = new RecordingPc("linux");
    expect(await isTrusted(authorityIn(linux.home), linux)).toBe(true);
    linux.answer = () => ({ code: "missing" });
    expect(await isTrusted(authorityIn(linux.home), linux)).toBe(false);
  });

  it("goes over to a renewed certificate, and only where there was trust", async () => {
    const pc = new RecordingPc("win32", { SystemRoot: "C:\\Windows" });
    const old = { ...authorityIn(pc.home), sha1: "0D".repeat(20) };
    const renewed = { authority: authorityIn(pc.home), replaced: old } as BridgeCertificate;
    const trusted = new Set([old.sha1]);
    pc.answer = ({ args }) => {
      const last = args.at(-1) ?? "";
      if (args.includes("-addstore")) trusted.add(sha1);
      if (args.includes("-delstore")) trusted.delete(last);
      return { code: args.includes("-store") && !trusted.has(last) ? 1 : 0 };
    };
    expect(await keepTrusted(renewed, pc, pc.say)).toBe(true);
    expect([...trusted]).toEqual([sha1]);
    trusted.clear();
    expect(await keepTrusted(renewed, pc, pc.say)).toBe(false);
    expect([...trusted]).toEqual([]);
  });
});

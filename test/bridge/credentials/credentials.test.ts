import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { secretStore } from "../../../src/bridge/credentials/credentials.ts";
import { newFolder, RecordingPc } from "../support/pc.ts";

const secret = '{"gateway":"https://gw.example.com","token":"t0ken \\"with\\" $odd `letters`\\nü"}';
const encoded = Buffer.from(secret).toString("base64url");

/** A keyring that works: keeps what `store` or `add-generic-password` gives it. */
function keyring(pc: RecordingPc): { kept: string | undefined } {
  const ring: { kept: string | undefined } = { kept: undefined };
  pc.answer = ({ args, input }) => {
    const verb = args[0] ?? "";
    if (verb === "store") ring.kept = input;
    if (verb === "-i") ring.kept = / -w (\S+)\n$/.exec(input ?? "")?.[1];
    if (/^(?:clear|delete)/.test(verb)) ring.kept = undefined;
    const looks = /^(?:lookup|find)/.test(verb);
    return looks ? { code: ring.kept === undefined ? 1 : 0, stdout: ring.kept ?? "" } : {};
  };
  return ring;
}

describe("the store of the agent's token", () => {
  it.each(["linux", "darwin"] as const)(
    "is the keyring on %s, and comes back as it was given",
    async (platform) => {
      const pc = new RecordingPc(platform);
      const folder = join(newFolder(), "bridge");
      const ring = keyring(pc);
      const store = secretStore(folder, pc);
      expect(await store.read()).toBeUndefined();
      await store.write(secret);
      expect(await secretStore(folder, pc).read()).toBe(secret);
      expect(readFileSync(join(folder, "credential"), "utf8")).toBe("in the keyring");
      expect(store.place).toMatch(/Secret Service|login keychain/);
      await store.write("another");
      expect(await store.read()).toBe("another");
      await store.clear();
      await store.clear();
      expect([ring.kept, readdirSync(folder), await store.read()]).toEqual([undefined, [], undefined]);
    },
  );

  it("never has the secret on a command line, where other users see it", async () => {
    for (const platform of ["linux", "darwin", "win32"] as const) {
      const pc = new RecordingPc(platform);
      keyring(pc);
      const store = secretStore(newFolder(), pc);
      await store.write(secret);
      await store.read();
      const lines = pc.ran.map(({ program, args }) => [program, ...args].join(" ")).join("\n");
      expect(pc.ran.length).toBeGreaterThan(0);
      expect([lines.includes("t0ken"), lines.includes(encoded.slice(0, 20))]).toEqual([false, false]);
    }
  });

  it("is a file for its owner alone where no keyring works: not there, not running, or losing what it is given", async () => {
    const broken = [
      { code: "missing" },
      { code: 1, stderr: "no D-Bus" },
      { code: "cut" },
      { code: 0, stdout: "other" },
    ] as const;
    for (const answer of broken) {
      const pc = new RecordingPc("linux");
      pc.answer = () => answer;
      const folder = newFolder();
      const store = secretStore(folder, pc);
      await store.write(secret);
      const file = join(folder, "credential");
      expect([store.place, statSync(file).mode & 0o777]).toEqual([file, 0o600]);
      expect(await secretStore(folder, pc).read()).toBe(secret);
      await store.clear();
      expect([existsSync(file), await store.read()]).toEqual([false, undefined]);
    }
  });

  it("that is locked is not taken for an empty one", async () => {
    const pc = new RecordingPc("linux");
    const folder = newFolder();
    keyring(pc);
    await secretStore(folder, pc).write(secret);
    pc.answer = () => ({ code: "cut" });
    await expect(secretStore(folder, pc).read()).rejects.toThrow(
      "the Secret Service cannot be asked: did not end in time",
    );
  });

  it("on Windows is a file that DPAPI encrypts for this user, by Windows' own PowerShell", async () => {
    const pc = new RecordingPc("win32", { SystemRoot: "C:\\Windows" });
    const folder = newFolder();
    pc.answer = ({ args, input = "" }) => {
      const hex = Buffer.from(input).toString("hex");
      if (args.at(-1)?.includes("::Protect(")) return { stdout: Buffer.from(hex).toString("base64") };
      return { stdout: Buffer.from(Buffer.from(input, "base64").toString(), "hex").toString() };
    };
    const store = secretStore(folder, pc);
    expect(await store.read()).toBeUndefined();
    await store.write(secret);
    expect(readFileSync(join(folder, "credential.dpapi"), "utf8")).not.toContain(encoded);
    expect(await secretStore(folder, pc).read()).toBe(secret);
    const [first] = pc.ran;
    expect(first?.program).toBe("C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe");
    expect(first?.args.slice(0, 3)).toEqual(["-NoProfile", "-NonInteractive", "-Command"]);
    // One argument without double quotes: nothing to be taken apart wrongly on the way.
    expect(first?.args[3]).toMatch(/^\$ErrorActionPreference = 'Stop'; [^"]*'CurrentUser'\)[^"]*$/);
    await store.clear();
    expect(readdirSync(folder)).toEqual([]);
    pc.answer = () => ({ code: 1, stderr: "Key not valid for use in specified state." });
    await expect(store.write(secret)).rejects.toThrow("Key not valid for use in specified state");
  });
});

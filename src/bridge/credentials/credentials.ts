import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { whyFailed, type Command, type Pc } from "../commands/command.ts";
import { windowsProgram } from "../commands/windows-programs.ts";
import type { CredentialStore } from "../contract.ts";

/** As `CredentialStore`, on this machine. */
export interface SecretStore extends CredentialStore {
  /** Where a secret written now is kept, in words. Known after `write` or `read`. */
  readonly place: string;
}

/**
 * The store of the operating system (Windows: DPAPI, by a file that this user alone can decrypt; macOS: the login keychain;
 * Linux: the Secret Service where there is one), else a file of mode 0600.
 * @param folder the bridge's own
 */
export function secretStore(folder: string, pc: Pc): SecretStore {
  const file = join(folder, "credential");
  if (pc.platform === "win32") return new EncryptedFile(join(folder, "credential.dpapi"), pc);
  const keyrings: Partial<Record<NodeJS.Platform, Keyring>> = { darwin: keychain, linux: secretService };
  return new KeyringOrFile(keyrings[pc.platform], file, pc);
}

/** What keeps a secret under a name. It is base64url there: no program must be told of quotes, lines or other letters. */
interface Keyring {
  readonly place: string;
  readonly write: (encoded: string) => Command;
  readonly read: Command;
  readonly clear: Command;
}

const service = "jackfield-bridge";

const security = "/usr/bin/security";
/** By `security -i` the secret is no argument that other users' `ps` would show. */
const keychain: Keyring = {
  place: "the login keychain",
  write: (encoded) => ({
    program: security,
    args: ["-i"],
    input: `add-generic-password -U -a ${service} -s ${service} -w ${encoded}\n`,
  }),
  read: { program: security, args: ["find-generic-password", "-a", service, "-s", service, "-w"] },
  clear: { program: security, args: ["delete-generic-password", "-a", service, "-s", service] },
};

const secretService: Keyring = {
  place: "the Secret Service",
  write: (encoded) => ({
    program: "secret-tool",
    args: ["store", "--label=Jackfield bridge", "service", service],
    input: encoded,
  }),
  read: { program: "secret-tool", args: ["lookup", "service", service] },
  clear: { program: "secret-tool", args: ["clear", "service", service] },
};

/** In the file when the keyring has the secret: one that is locked at login is then not taken for an empty one. */
const inKeyring = "in the keyring";

/** The keyring where it works, else the file: many Linux desktops have none that runs. */
class KeyringOrFile implements SecretStore {
  readonly #keyring: Keyring | undefined;
  readonly #file: string;
  readonly #pc: Pc;
  place: string;

  constructor(keyring: Keyring | undefined, file: string, pc: Pc) {
    this.#keyring = keyring;
    this.#file = file;
    this.#pc = pc;
    this.place = keyring?.place ?? file;
  }

  async read(): Promise<string | undefined> {
    const inFile = readIfThere(this.#file);
    if (inFile === undefined) return undefined;
    if (inFile !== inKeyring || this.#keyring === undefined) {
      this.place = this.#file;
      return decode(inFile);
    }
    const ended = await this.#pc.execute(this.#keyring.read);
    if (ended.code === 0) return decode(ended.stdout);
    throw new Error(`${this.#keyring.place} cannot be asked: ${whyFailed(this.#keyring.read, ended)}`);
  }

  async write(secret: string): Promise<void> {
    const encoded = encode(secret);
    const kept = await this.#keep(encoded);
    writePrivate(this.#file, kept ? inKeyring : encoded);
    this.place = kept && this.#keyring !== undefined ? this.#keyring.place : this.#file;
  }

  /** What cannot be read back is not kept. */
  async #keep(encoded: string): Promise<boolean> {
    if (this.#keyring === undefined) return false;
    const { code } = await this.#pc.execute(this.#keyring.write(encoded));
    if (code !== 0) return false;
    const { stdout } = await this.#pc.execute(this.#keyring.read);
    return stdout.trim() === encoded;
  }

  async clear(): Promise<void> {
    rmSync(this.#file, { force: true });
    // That it was not there, or that there is no keyring, is as good.
    if (this.#keyring !== undefined) await this.#pc.execute(this.#keyring.clear);
  }
}

/** ProtectedData of .NET, which every Windows has: scope CurrentUser, so that no other user's program can decrypt the file. */
class EncryptedFile implements SecretStore {
  readonly place: string;
  readonly #pc: Pc;

  constructor(file: string, pc: Pc) {
    this.place = file;
    this.#pc = pc;
  }

  async read(): Promise<string | undefined> {
    const blob = readIfThere(this.place);
    return blob === undefined ? undefined : decode(await this.#protect("Unprotect", blob));
  }

  async write(secret: string): Promise<void> {
    writePrivate(this.place, await this.#protect("Protect", encode(secret)));
  }

  clear(): Promise<void> {
    rmSync(this.place, { force: true });
    return Promise.resolve();
  }

  /** Base64 by standard input and output; the script itself holds no secret. */
  async #protect(way: "Protect" | "Unprotect", text: string): Promise<string> {
    const toBytes = {
      Protect: "[Text.Encoding]::ASCII.GetBytes($in)",
      Unprotect: "[Convert]::FromBase64String($in)",
    };
    const toText = {
      Protect: "[Convert]::ToBase64String($out)",
      Unprotect: "[Text.Encoding]::ASCII.GetString($out)",
    };
    const script = [
      "$ErrorActionPreference = 'Stop'",
      "Add-Type -AssemblyName System.Security",
      "$in = [Console]::In.ReadToEnd().Trim()",
      `$bytes = ${toBytes[way]}`,
      `$out = [Security.Cryptography.ProtectedData]::${way}($bytes, $null, 'CurrentUser')`,
      `[Console]::Out.Write(${toText[way]})`,
    ].join("; ");
    const command = {
      program: windowsProgram(this.#pc, "WindowsPowerShell", "v1.0", "powershell.exe"),
      args: ["-NoProfile", "-NonInteractive", "-Command", script],
      input: text,
    };
    const ended = await this.#pc.execute(command);
    if (ended.code !== 0) throw new Error(`Windows' ${way} failed: ${whyFailed(command, ended)}`);
    return ended.stdout.trim();
  }
}

const encode = (secret: string): string => Buffer.from(secret, "utf8").toString("base64url");
const decode = (encoded: string): string => Buffer.from(encoded.trim(), "base64url").toString("utf8");

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function writePrivate(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode: 0o600, flag: "wx" });
  chmodSync(fresh, 0o600);
  renameSync(fresh, file);
}

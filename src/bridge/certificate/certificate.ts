import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Clock, Logger, Random } from "../../core/index.ts";

/** What `https://127.0.0.1:8000` shows, and what browsers must trust for it. */
export interface BridgeCertificate {
  /** PEM: the certificate, and its authority behind it. */
  readonly cert: string;
  /** PEM, PKCS #8; SECRET. */
  readonly key: string;
  /** Of the certificate: SHA-256, `AB:CD:...`. */
  readonly fingerprint256: string;
  /** End of validity, milliseconds since 1970-01-01 UTC. */
  readonly expiresAt: number;
  readonly authority: Authority;
  /** The authority whose certificate was replaced by this call; its trust goes over to the new one (`keepTrusted`). */
  readonly replaced?: Authority;
}

/** What is trusted: it signed one certificate, and its key is gone. */
export interface Authority {
  readonly pem: string;
  /** Where `trust` and `untrust` put it for the programs that read a file. */
  readonly file: string;
  /** SHA-1, upper case hex without colons: by it Windows and macOS find certificates in their stores. */
  readonly sha1: string;
}

export interface CertificateSurroundings {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** A certificate with less time than this left is replaced: bridges run for weeks. */
const leastLeftMs = 30 * 24 * 60 * 60 * 1000;

/** Key, certificate and authority in one file: what is written is there whole or not at all. */
const pairName = "localhost.pem";
const authorityFileName = "authority.pem";

/**
 * The bridge's certificate in `folder`; made on first run, and anew 30 days before it expires or when its file is unusable.
 * @throws Error when the folder cannot be written and holds no certificate that is still valid
 */
export async function loadOrMakeCertificate(
  folder: string,
  { clock, random, log }: CertificateSurroundings,
): Promise<BridgeCertificate> {
  const now = clock.wallClock();
  const kept = load(folder);
  if (kept !== undefined && kept.expiresAt - now > leastLeftMs) return kept;
  try {
    // Loaded when it is needed: every two years.
    const { makeCertificate } = await import("./make.ts");
    const { cert, key, authority } = await makeCertificate(now, random);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const file = join(folder, pairName);
    // Neither a link nor a file that others may read takes the key.
    rmSync(`${file}.new`, { force: true });
    writeFileSync(`${file}.new`, key + cert + authority, { mode: 0o600, flag: "wx" });
    renameSync(`${file}.new`, file);
  } catch (error) {
    // A certificate of the whole machine (`trust --machine`) is renewed by whoever may.
    if (kept === undefined || kept.expiresAt <= now) throw error;
    log.warn({ err: error, expiresAt: kept.expiresAt }, "the certificate expires soon and cannot be renewed");
    return kept;
  }
  const made = load(folder);
  if (made === undefined) throw new Error(`the certificate just made in ${folder} cannot be read`);
  log.info({ fingerprint256: made.fingerprint256, expiresAt: made.expiresAt }, "certificate made");
  return kept === undefined ? made : { ...made, replaced: kept.authority };
}

/** The certificate that is in `folder` already, whatever its age; undefined when none is, or it cannot be used. */
export function loadCertificate(folder: string): BridgeCertificate | undefined {
  return load(folder);
}

function load(folder: string): BridgeCertificate | undefined {
  try {
    const file = join(folder, pairName);
    const text = readFileSync(file, "utf8");
    const [key = "", cert = "", authority = ""] = text.match(/-----BEGIN [^]*?-----END [^\n]*\n/g) ?? [];
    const parsed = new X509Certificate(cert);
    if (!parsed.checkPrivateKey(createPrivateKey(key)) || parsed.checkIP("127.0.0.1") === undefined)
      return undefined;
    // Windows knows no modes: there the folder's own rights hold.
    if (process.platform !== "win32" && (statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    return {
      cert: cert + authority,
      key,
      fingerprint256: parsed.fingerprint256,
      expiresAt: Date.parse(parsed.validTo),
      authority: {
        pem: authority,
        file: join(folder, authorityFileName),
        sha1: new X509Certificate(authority).fingerprint.replaceAll(":", ""),
      },
    };
  } catch {
    // Not there, cut off, not ours: made anew.
    return undefined;
  }
}

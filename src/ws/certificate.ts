import { X509Certificate } from "node:crypto";
import { readFileSync, watch, type FSWatcher } from "node:fs";
import { basename, dirname } from "node:path";
import { createSecureContext } from "node:tls";
import type { Clock, Logger, Timer } from "../core/index.ts";

/** Where the PEM files are: the certificate with its chain, and the private key. */
export interface CertificateFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

/** What the server presents at the moment. */
export interface CertificateInfo {
  readonly subject: string;
  /** End of validity, milliseconds since 1970-01-01 UTC. */
  readonly validTo: number;
  readonly fingerprint256: string;
}

/** A checked pair, ready for `tls.Server.setSecureContext`. */
export interface LoadedCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly info: CertificateInfo;
}

/**
 * Reads both files and makes sure that they are a certificate and its key.
 * @throws Error naming the files when one cannot be read, is no PEM, or the key belongs to another certificate.
 */
export function loadCertificate(files: CertificateFiles): LoadedCertificate {
  try {
    const cert = readFileSync(files.certFile);
    const key = readFileSync(files.keyFile);
    createSecureContext({ cert, key });
    const parsed = new X509Certificate(cert);
    const info = {
      subject: parsed.subject,
      validTo: Date.parse(parsed.validTo),
      fingerprint256: parsed.fingerprint256,
    };
    return { cert, key, info };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`certificate ${files.certFile} with key ${files.keyFile} is unusable: ${why}`, {
      cause: error,
    });
  }
}

/** Calls `onChange` when one of the files may be new, once per burst of changes. */
export class CertificateWatch {
  readonly #watchers: FSWatcher[] = [];
  readonly #clock: Clock;
  readonly #settleMs: number;
  readonly #onChange: () => void;
  #timer: Timer | undefined;

  /** `settleMs`: how long no further change must come, so that both files are written. */
  constructor(files: CertificateFiles, clock: Clock, log: Logger, settleMs: number, onChange: () => void) {
    this.#clock = clock;
    this.#settleMs = settleMs;
    this.#onChange = onChange;
    // Directories, not files: certbot and Kubernetes put new files (or a symbolic link) in place of the old ones,
    // and a watch on the file would stay with the old inode.
    for (const directory of new Set([dirname(files.certFile), dirname(files.keyFile)])) {
      try {
        const watcher = watch(directory, { persistent: false }, (_event, name) => this.#changed(files, name));
        watcher.on("error", (error) => log.warn({ err: error, directory }, "certificate watch failed"));
        this.#watchers.push(watcher);
      } catch (error) {
        log.warn({ err: error, directory }, "certificate directory cannot be watched; reload by signal only");
      }
    }
  }

  #changed(files: CertificateFiles, name: string | null): void {
    const ours = [basename(files.certFile), basename(files.keyFile), "..data"];
    if (name !== null && !ours.includes(name)) return;
    this.#timer?.clear();
    this.#timer = this.#clock.setTimer(this.#settleMs, () => {
      this.#timer = undefined;
      this.#onChange();
    });
  }

  close(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }
}

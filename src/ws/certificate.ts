import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";

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
  /** Names and addresses it is for (subjectAltName), lower case; `*.` may stand before a name. */
  readonly names: readonly string[];
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
      names: namesOf(parsed.subjectAltName ?? ""),
    };
    return { cert, key, info };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`certificate ${files.certFile} with key ${files.keyFile} is unusable: ${why}`, {
      cause: error,
    });
  }
}

/** `DNS:gateway.example.com, IP Address:192.0.2.7`; what is quoted is odd, and no name of a host. */
function namesOf(subjectAltName: string): string[] {
  return Array.from(
    subjectAltName.matchAll(/(?:^|, )(?:DNS|IP Address):([\w.*:-]+)(?=,|$)/g),
    ([, name = ""]) => name.toLowerCase(),
  );
}

import { readFileSync } from "node:fs";
import { getCACertificates } from "node:tls";

/**
 * Who may sign the gateway's certificate: the authorities this machine trusts and, beside them, those of `file` (`gateway.ca`).
 * Node's own list where the machine has none. Throws the system's error when the file cannot be read.
 */
export function trustedAuthorities(file: string | undefined): readonly string[] {
  const system = getCACertificates("system");
  const base = system.length > 0 ? system : getCACertificates("bundled");
  return file === undefined ? base : [...base, readFileSync(file, "utf8")];
}

import { join } from "node:path";
import type { Clock } from "../../core/index.ts";
import type { Pc } from "../commands/command.ts";
import { loadCertificate } from "./certificate.ts";

/**
 * Folder of the certificate that the bridge shows: the machine's where an administrator made one (`trust --machine`) that is still
 * good, else this user's.
 * @param folder the bridge's own
 */
export function certificateFolder(folder: string, pc: Pc, clock: Clock): string {
  const machine = machineFolder(pc);
  const shared = machine === undefined ? undefined : loadCertificate(machine);
  return machine !== undefined && shared !== undefined && shared.expiresAt > clock.wallClock()
    ? machine
    : join(folder, "certificate");
}

/**
 * Below Program Files, where administrators alone write: below ProgramData any user could put an authority of his own there to be
 * trusted by the next `trust --machine`.
 */
export function machineFolder({ platform, env }: Pc): string | undefined {
  if (platform !== "win32") return undefined;
  return join(env["ProgramFiles"] ?? "C:\\Program Files", "Jackfield Bridge", "certificate");
}

import { dirname } from "node:path";
import type { Clock } from "../../core/index.ts";
import type { Pc } from "../commands/command.ts";
import type { CertificateView, StoreTrust } from "../contract.ts";
import type { Authority, BridgeCertificate } from "./certificate.ts";
import { machineFolder } from "./folder.ts";
import { remedies, trustIn } from "./trust.ts";

const dayMs = 24 * 60 * 60 * 1000;
/** From here on a start of the bridge renews it. */
const fewDays = 30;

/** How long a certificate is good, which stores trust it, and what mends what is wrong. Runs a program for each store. */
export async function viewCertificate(
  { expiresAt, authority }: Pick<BridgeCertificate, "expiresAt" | "authority">,
  pc: Pc,
  clock: Clock,
): Promise<CertificateView> {
  const machine = dirname(authority.file) === machineFolder(pc);
  const stores = await trustIn(authority, pc, { machine });
  const daysLeft = Math.floor((expiresAt - clock.wallClock()) / dayMs);
  const remedy = daysLeft < fewDays ? renewal(machine) : remedyOf(stores, machine, authority, pc);
  return { expiresAt: new Date(expiresAt).toISOString(), daysLeft, stores, remedy };
}

function renewal(machine: boolean): string {
  return machine ? trustCommand(machine) : "restart the bridge: it makes another";
}

function remedyOf(
  stores: readonly StoreTrust[],
  machine: boolean,
  { file }: Authority,
  { platform }: Pc,
): string | undefined {
  if (stores.length === 0) return `have the browsers trust ${file} by hand`;
  if (stores.some(({ trusted }) => trusted === false))
    return `${trustCommand(machine)}, then start the browser anew`;
  // Elsewhere the program is a part of the system.
  if (platform !== "linux" || stores.every(({ trusted }) => trusted)) return undefined;
  return `${remedies["certutil"]}, then ${trustCommand(machine)}`;
}

function trustCommand(machine: boolean): string {
  return machine ? 'run "jackfield bridge trust --machine" as administrator' : 'run "jackfield bridge trust"';
}

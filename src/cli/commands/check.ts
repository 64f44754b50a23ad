import { networkInterfaces } from "node:os";
import { loadConfig, type Config, type ConfigFault, type ConfigWarning } from "../../config/index.ts";
import { systemClock, systemRandom } from "../../core/index.ts";
import { checkAddresses } from "./check/addresses.ts";
import { checkCertificate } from "./check/certificate.ts";
import { findingLine, type CheckIo, type Finding, type FindingLevel } from "./check/finding.ts";
import { checkPorts } from "./check/ports.ts";
import { checkSipServers } from "./check/sip-server.ts";
import { checkTurn } from "./check/turn.ts";
import { systemResolver } from "../gateway/system-resolver.ts";

export type { CheckIo, Finding, FindingLevel } from "./check/finding.ts";

/** What SIP Server proxies want a non-INVITE transaction to wait, ms (genesys-sip-server.md 10). */
const answerMs = 4000;

/** `jackfield check`: loads the configuration, then tries it out. Exit code 1 when anything fails. */
export async function runCheckCommand(
  options: { file: string | undefined; env: Readonly<Record<string, string | undefined>> },
  io: CheckIo = systemIo,
): Promise<number> {
  const loaded = loadConfig(options);
  if (loaded.ok) return runCheck(loaded.config, io, loaded.warnings);
  for (const warning of loaded.warnings) io.write(findingLine(asFinding("warn", warning)));
  for (const fault of loaded.faults) io.write(findingLine(asFinding("fail", fault)));
  const faults = loaded.faults.length === 1 ? "1 fault" : `${loaded.faults.length} faults`;
  io.write(`\n${loaded.file ?? "configuration"}: ${faults}; nothing was tried`);
  return 1;
}

/**
 * Tries out what a sound configuration asks of the machine and of SIP Server: addresses, ports, receive buffer,
 * certificate, OPTIONS. One line a finding; resolves with the exit code, 0 unless something failed.
 */
export async function runCheck(
  config: Config,
  io: CheckIo,
  warnings: readonly ConfigWarning[] = [],
): Promise<number> {
  const counts: Record<FindingLevel, number> = { ok: 0, warn: 0, fail: 0 };
  const report = (finding: Finding): void => {
    counts[finding.level]++;
    io.write(findingLine(finding));
  };
  report({ level: "ok", key: "configuration", what: `read, ${countAccounts(config)} may sign in` });
  for (const warning of warnings) report(asFinding("warn", warning));
  const servers = await checkAddresses(config, io, report);
  await checkPorts(config, report);
  checkCertificate(config, io, report);
  await checkSipServers(config, servers, io, report);
  await checkTurn(config, io, report);
  io.write(`\n${counts.ok} ok, ${counts.warn} to look at, ${counts.fail} failed`);
  return counts.fail === 0 ? 0 : 1;
}

function countAccounts({ agents }: Config): string {
  const ranges = agents.ranges.map(({ from, to }) => `${from}-${to}`);
  const own = agents.accounts.length + agents.fileAccounts.length;
  const single = own === 1 ? "1 DN" : `${own} DNs`;
  return [single, ...ranges, ...(agents.lookup ? ["those of the directory"] : [])].join(" and ");
}

function asFinding(level: FindingLevel, { key, value, reason, remedy, where }: ConfigFault): Finding {
  const place = where === undefined ? "" : `${where}: `;
  return { level, key, what: `${place}${value === "" ? "" : `${value} `}${reason}`, mend: remedy };
}

const systemIo: CheckIo = {
  write: (line) => console.log(line),
  clock: systemClock,
  random: systemRandom,
  resolver: systemResolver,
  localAddresses: () =>
    Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ family }) => family === "IPv4")
      .map(({ address }) => address),
  answerMs,
};

import { join } from "node:path";
import {
  Bridge,
  certificateFolder,
  faultLine,
  keepTrusted,
  loadOrMakeCertificate,
  LogFile,
  secretStore,
  systemMachine,
  thisPc,
  trustedAuthorities,
  viewCertificate,
  type LoadedSettings,
} from "../../../bridge/index.ts";
import { createLogger, systemClock, systemRandom, type Logger } from "../../../core/index.ts";
import { version } from "../../version.ts";
import { openFault } from "../serve.ts";

/** So that the dashboard has its answer before its connection ends, ms. */
const restartMs = 300;
const megabyte = 1_048_576;
/** Exit code of an end that something was cut by. */
const cutShort = 130;

type End = "restart" | "stop";

/** `jackfield bridge`: serves until a signal; the dashboard's restart reads everything anew. Resolves with the exit code. */
export async function serveBridge(load: () => Promise<LoadedSettings>): Promise<number> {
  const signal = firstSignal();
  for (;;) {
    const loaded = await load();
    const { settings, faults } = loaded;
    const logFile = new LogFile(join(settings.folder, "bridge.log"), settings.log.megabytes * megabyte);
    const log = createLogger(settings.log.level, logFile);
    try {
      for (const fault of faults) tellFault(log, faultLine(fault));
      if (faults.length > 0) return 1;
      const end = await serveOnce(loaded, load, { log, logFile, signal });
      if (end === "stop") return 0;
    } catch (error) {
      tellFault(log, `cannot start: ${openFault(error)}`);
      return 1;
    } finally {
      await logFile.close();
    }
  }
}

async function serveOnce(
  { settings }: LoadedSettings,
  load: () => Promise<LoadedSettings>,
  { log, logFile, signal }: { log: Logger; logFile: LogFile; signal: Promise<End> },
): Promise<End> {
  const surroundings = { clock: systemClock, random: systemRandom, log };
  const pc = thisPc();
  let restart: (end: End) => void = () => {};
  const restarted = new Promise<End>((resolve) => {
    restart = resolve;
  });
  const certificate = await loadOrMakeCertificate(
    certificateFolder(settings.folder, pc, systemClock),
    surroundings,
  );
  if (certificate.replaced !== undefined)
    await keepTrusted(certificate, pc, (line) => log.info({}, `certificate renewed: ${line.trim()}`));
  const view = () => viewCertificate(certificate, pc, systemClock);
  const bridge = await Bridge.open({
    settings,
    version,
    certificate,
    viewCertificate: view,
    credentials: secretStore(settings.folder, pc),
    authorities: trustedAuthorities(settings.gateway.ca),
    machine: systemMachine(systemClock),
    ...surroundings,
    logTail: () => logFile.tail,
    restart: async () => {
      const next = await load();
      const [fault] = next.faults;
      if (fault) return faultLine(fault);
      try {
        trustedAuthorities(next.settings.gateway.ca);
      } catch (error) {
        return `gateway.ca: ${error instanceof Error ? error.message : String(error)}`;
      }
      systemClock.setTimer(restartMs, () => restart("restart"));
      return undefined;
    },
  });
  console.log(`Jackfield bridge: https://127.0.0.1:${bridge.port}/dashboard`);
  // A store that cannot be read is told by the bridge's own look.
  view().then(
    ({ remedy }) => remedy !== undefined && console.error(`certificate: ${remedy}`),
    () => undefined,
  );
  const end = await Promise.race([signal, restarted]);
  log.info({ end }, "the bridge ends");
  await bridge.close();
  return end;
}

/** Who starts it at login sees no terminal, who types it no log. */
function tellFault(log: Logger, line: string): void {
  console.error(line);
  log.error({}, line);
}

/** The first ends the bridge; a second the process at once. */
function firstSignal(): Promise<End> {
  return new Promise((resolve) => {
    let asked = false;
    for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
      process.on(name, () => {
        if (asked) process.exit(cutShort);
        asked = true;
        resolve("stop");
      });
  });
}

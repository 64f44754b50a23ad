import { formatFaults, loadConfig } from "../../config/index.ts";
import { systemClock, systemRandom } from "../../core/index.ts";
import { Gateway } from "../gateway/gateway.ts";
import { openProcessLog } from "../log/process-log.ts";
import { openFault, pageDirectory } from "./serve.ts";
import { untilSignal } from "./until-signal.ts";

/** `jackfield start`: production. Without a sound configuration it ends with 1 and says what to write. */
export async function runStart(options: {
  file: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  /** Called once signals are listened to. */
  up: () => void;
}): Promise<number> {
  const loaded = loadConfig(options);
  if (!loaded.ok) {
    console.error(formatFaults(loaded.faults, loaded.file ?? "configuration"));
    return 1;
  }
  const { log, linesLost, close } = await openProcessLog(loaded.config.log, systemClock);
  for (const { key, reason, remedy } of loaded.warnings) log.warn({ key, reason, remedy }, "configuration");
  try {
    const gateway = await Gateway.open(loaded.config, {
      clock: systemClock,
      random: systemRandom,
      log,
      logLinesLost: linesLost,
      pageDirectory: pageDirectory(),
      configuration: { load: () => loadConfig(options), watchedFiles: loaded.watchedFiles },
    });
    process.on("SIGHUP", () => void gateway.reload("SIGHUP"));
    log.info({ http: gateway.httpPort, sip: gateway.sipPort }, "gateway is up");
    const ended = untilSignal({
      log,
      clock: systemClock,
      parts: [gateway],
      drain: { of: gateway.drain, seconds: () => gateway.config.shutdown.drainSeconds },
      closed: gateway.closed,
    });
    options.up();
    return await ended;
  } catch (error) {
    log.error({ err: error }, `cannot start: ${openFault(error)}`);
    return 1;
  } finally {
    await close();
  }
}

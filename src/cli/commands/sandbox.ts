import { isIPv4 } from "node:net";
import { createLogger, systemClock, systemRandom } from "../../core/index.ts";
import { openFault } from "./serve.ts";
import { untilSignal } from "./until-signal.ts";

/** The sandbox, loaded where it is asked for and nowhere else; undefined where it was left out, as in the production image. */
export async function loadSandbox() {
  return await import("../../sandbox/index.ts").catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  });
}

/** Said when `loadSandbox` finds none. */
export const noSandbox =
  "the sandbox is not part of this installation: take a checkout, or the image built with --target sandbox";

/** `jackfield sandbox`: the sandbox SIP Server alone, for a gateway that runs elsewhere to be tried against. */
export async function runSandbox(options: {
  host?: string | undefined;
  port?: string | undefined;
  dns?: string | undefined;
}): Promise<number> {
  const { host = "127.0.0.1", port: portText = "5060", dns: dnsText = "5001-5099" } = options;
  const port = Number(portText);
  const dns = dnsText.split(",");
  const fault = !isIPv4(host)
    ? `--host ${host}: not an IPv4 address`
    : !/^\d{1,5}$/.test(portText) || port > 65_535
      ? `--port ${portText}: not a port number`
      : dns.every((one) => /^\d+(?:-\d+)?$/.test(one))
        ? undefined
        : `--dns ${dnsText}: not DNs and ranges such as 5001-5099,6001`;
  if (fault !== undefined) {
    console.error(fault);
    return 2;
  }
  const room = await loadSandbox();
  if (!room) {
    console.error(noSandbox);
    return 1;
  }
  const log = createLogger("info");
  try {
    const sandbox = await room.openSandbox({
      host,
      port,
      dns,
      clock: systemClock,
      random: systemRandom,
      log,
    });
    log.info(
      { sip: `${host}:${sandbox.port}`, dns, numbers: sandbox.numbers.map(({ number }) => number) },
      "sandbox SIP Server is up",
    );
    return await untilSignal({ log, clock: systemClock, parts: [sandbox] });
  } catch (error) {
    console.error(`cannot start: ${openFault(error)}`);
    return 1;
  }
}

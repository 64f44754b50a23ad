import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Logger } from "../core/index.ts";

/** The built pages: beside the emitted JavaScript in a package, in `web/dist` of a checkout. */
export function pageDirectory(): string {
  const candidates = ["../web/", "../../web/dist/"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(`${path}index.html`));
  return found ?? candidates[1] ?? "";
}

/** What a stop by signal closes. */
export interface Stoppable {
  close(reason?: string): Promise<void>;
}

/**
 * Waits for SIGTERM or SIGINT, then closes in the order given; a second signal ends the process at once. Resolves
 * with the exit code.
 */
export function untilSignal(log: Logger, parts: readonly Stoppable[]): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const stop = (signal: NodeJS.Signals): void => {
      if (stopping) process.exit(130);
      stopping = true;
      log.info({ signal }, "stopping; a second signal ends at once");
      void closeAll(parts)
        .then(() => 0)
        .catch((error: unknown) => {
          log.error({ err: error }, "not everything could be closed");
          return 1;
        })
        .then(resolve);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
}

async function closeAll(parts: readonly Stoppable[]): Promise<void> {
  for (const part of parts) await part.close("gateway is shutting down");
}

/** Words for why nothing could be opened: the socket's error with what to mend. */
export function openFault(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? error.code : undefined;
  if (code === "EADDRINUSE")
    return `${error.message}: another process has this port; stop it or choose another`;
  if (code === "EACCES") return `${error.message}: not allowed to bind this port; take one above 1023`;
  if (code === "EADDRNOTAVAIL") return `${error.message}: this machine has no such address`;
  if (code === "ENOTFOUND") return `${error.message}: the name is unknown; write an address`;
  return error.message;
}

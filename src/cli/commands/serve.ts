import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The built pages: beside the emitted JavaScript in a package, in `web/dist` of a checkout. */
export function pageDirectory(): string {
  const candidates = ["../../web/", "../../../web/dist/"].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(`${path}index.html`));
  return found ?? candidates[1] ?? "";
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

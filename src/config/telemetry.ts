import type { Say } from "./rules/index.ts";
import type { ParsedConfig } from "./schema.ts";
import { eitherSecret, namedText } from "./secret-files.ts";
import { parseHeaderLines, parseHepAddress } from "./telemetry-sections.ts";
import type { Config } from "./types.ts";

/** Reads the capture password; what is wrong goes to `say.fault`. */
export function resolveHep(hep: ParsedConfig["hep"], directory: string, say: Say): Config["hep"] {
  const keys = { section: ["hep"], name: "password", value: hep.password, file: hep.passwordFile };
  const password = eitherSecret(keys, directory, say);
  const receiver = hep.address === undefined ? undefined : parseHepAddress(hep.address);
  const { transport, captureId } = hep;
  return {
    transport,
    captureId,
    ...(receiver === undefined ? {} : { receiver }),
    ...(password === undefined ? {} : { password }),
  };
}

/** Reads the headers' file; those of the configuration itself win. */
export function resolveOpenTelemetry(
  section: ParsedConfig["openTelemetry"],
  directory: string,
  say: Say,
): Config["openTelemetry"] {
  const { headersFile, headers, ...rest } = section;
  const path = ["openTelemetry", "headersFile"];
  const text = namedText(path, headersFile, directory, say);
  const fromFile = parseHeaderLines(text ?? "");
  if (fromFile.badLines.length > 0)
    say.fault(path, `has no header in line ${fromFile.badLines.join(", ")}`, "write lines name: value");
  return { ...rest, headers: { ...fromFile.headers, ...headers } };
}

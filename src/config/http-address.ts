import { applyEnvironment } from "./environment.ts";
import { schemaFaults, type ConfigFault } from "./faults.ts";
import type { LoadOptions } from "./load.ts";
import { configSchema } from "./schema.ts";
import { readNamedFile } from "./secrets.ts";
import { fileFault, parseYamlText } from "./yaml-file.ts";

/** Where the gateway of a configuration answers HTTP on the machine it runs on. */
export interface HttpAddress {
  /** The address bound, loopback where that is all of them. */
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

const section = configSchema.shape.http;

/**
 * Reads `http` of a configuration and nothing else: no secret, no account, so that a fault elsewhere, or a file this user
 * may not read, does not hide how the gateway that runs can be asked.
 */
export function readHttpAddress({
  file,
  env,
}: LoadOptions): HttpAddress | { faults: readonly ConfigFault[] } {
  const name = file ?? env["JACKFIELD_CONFIG"];
  const read = name === undefined || name === "" ? { text: "" } : readNamedFile(process.cwd(), name);
  if ("reason" in read) return { faults: [fileFault(`${name} ${read.reason}`, "name a readable file")] };
  const parsed = parseYamlText(read.text);
  if ("faults" in parsed) return parsed;
  const { tree } = applyEnvironment(configSchema, parsed.tree, env);
  const given = typeof tree === "object" && tree !== null && "http" in tree ? tree.http : undefined;
  const checked = section.safeParse(given);
  if (!checked.success)
    return { faults: schemaFaults(configSchema, tree, parsed.locate, checked.error.issues, ["http"]) };
  const { host, port, tls } = checked.data;
  return { host: host === "0.0.0.0" ? "127.0.0.1" : host, port, tls: tls !== undefined };
}

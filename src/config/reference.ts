import { z } from "zod";
import { environmentName } from "./environment.ts";
import { keyFacts } from "./keys.ts";
import { configSchema } from "./schema.ts";
import { mayReload } from "./changes.ts";
import { elementOf, pathText, shapeOf, type Path } from "./walk.ts";

interface Row {
  readonly key: string;
  readonly expects: string;
  readonly fallback: string;
  readonly text: string;
  readonly reload: boolean;
}

/** docs/configuration.md, made from the schema; a test keeps the committed page equal to it. */
export function configurationReference(): string {
  const parts = [introduction];
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const element = elementOf(schema);
    const rows = element ? rowsOf(element, [name, "[]"]) : rowsOf(schema, [name]);
    parts.push(`## ${name}`, keyFacts.get(schema)?.text ?? "", table(rows));
  }
  return `${parts.join("\n\n")}\n`;
}

/** Keys as the reference names them, and whether a reload puts a change of them in force. */
export function configKeys(): { readonly key: string; readonly reload: boolean }[] {
  return Object.entries(configSchema.shape).flatMap(([name, schema]) => {
    const element = elementOf(schema);
    const rows = element ? rowsOf(element, [name, "[]"]) : rowsOf(schema, [name]);
    return rows.map(({ key, reload }) => ({ key: key.replaceAll("`", ""), reload }));
  });
}

const introduction = `# Configuration

<!-- Made from src/config/schema.ts by: node src/config/reference.ts > docs/configuration.md -->

\`jackfield start\` and \`jackfield check\` read one YAML file, named by \`--config FILE\` or \`JACKFIELD_CONFIG\`. Keys that are
not named here are faults. All faults are told in one report, each with its line and what to write instead.
\`docs/jackfield.example.yaml\` is a whole example. \`jackfield check --config FILE\` also tries ports, certificate and SIP
Server.

**Environment.** Every key can be set by a variable, which wins over the file: \`JACKFIELD__\` and the key's path in upper
or lower case with \`__\` between the parts (single \`_\` do not matter), e.g. \`${environmentName(["http", "port"])}=8443\` or
\`${environmentName(["agents", "accounts", 0, "password"])}=...\`. Lists of words may be written with commas, other lists and maps
as YAML or JSON: \`${environmentName(["sipServer", "addresses"])}=192.0.2.10:5060,192.0.2.11:5060\`. With such variables alone, no file
is needed.

**Secrets.** Each may be set by variable or left to a file (\`passwordFile\`, \`tokenFile\`, \`secretFile\`), whose text
without the last line end is the secret. Relative file names count from the configuration file's directory. Secrets
never stand in reports or logs.

**Change.** \`reload\`: a change takes effect with \`SIGHUP\` or \`POST /api/reload\`, no connection and no call is dropped
(docs/operations.md). \`restart\`: a reload that finds it changed is refused as a whole.

**Units** are in the keys' names (\`Seconds\`, \`Bytes\`); addresses are IPv4.`;

function rowsOf(schema: z.core.$ZodType, path: Path): Row[] {
  const rows: Row[] = [];
  for (const [name, inner] of Object.entries(shapeOf(schema) ?? {})) {
    const innerPath = [...path, name];
    const facts = keyFacts.get(inner);
    const element = elementOf(inner);
    const entries = element && shapeOf(element) ? element : undefined;
    if (!shapeOf(inner))
      rows.push({
        key: keyText(innerPath),
        expects: facts?.expects ?? "",
        fallback: facts?.defaultText ?? defaultText(inner),
        text: textOf(facts?.text ?? "", facts?.example),
        reload: mayReload(innerPath),
      });
    else if (inner instanceof z.ZodOptional)
      rows.push({
        key: keyText(innerPath),
        expects: "a map",
        fallback: "none",
        text: facts?.text ?? "",
        reload: mayReload(innerPath),
      });
    rows.push(...rowsOf(entries ?? inner, entries ? [...innerPath, "[]"] : innerPath));
  }
  return rows;
}

function keyText(path: Path): string {
  return `\`${pathText(path).replaceAll(".[]", "[]")}\``;
}

function textOf(text: string, example: string | undefined): string {
  return example === undefined ? text : `${text} E.g. \`${example}\``;
}

/** The default as YAML would write it; `required`, or `none` for what may be left out. */
function defaultText(schema: z.core.$ZodType): string {
  if (schema instanceof z.ZodOptional) return "none";
  if (!(schema instanceof z.ZodDefault)) return "**required**";
  const value: unknown = schema.def.defaultValue;
  if (Array.isArray(value)) return `\`[${value.join(", ")}]\``;
  return value === "" ? "empty" : `\`${String(value)}\``;
}

/** A Markdown table with columns padded, as the formatter would leave it. */
function table(rows: readonly Row[]): string {
  const cells = rows.map(({ key, expects, fallback, reload, text }) => [
    key,
    expects,
    fallback,
    reload ? "reload" : "restart",
    text,
  ]);
  const all = [["Key", "Value", "Default", "Change", "Meaning"], ...cells].map((row) =>
    row.map((cell) => cell.replaceAll("|", "\\|")),
  );
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = all;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}

if (import.meta.main) process.stdout.write(configurationReference());

/** Counters however they are nested, as lines of a table: `browser received packets`, `1,234`. */
export function counterLines(counters: Readonly<Record<string, unknown>>): readonly [string, string][] {
  const lines: [string, string][] = [];
  collect(counters, "", lines);
  return lines;
}

/** More would be no table to read. */
const linesShown = 200;

function collect(value: unknown, name: string, lines: [string, string][]): void {
  if (lines.length >= linesShown || value === null || value === undefined) return;
  if (typeof value === "object") {
    for (const [key, inner] of Object.entries(value)) collect(inner, `${name} ${key}`.trim(), lines);
    return;
  }
  lines.push([
    wordsOf(name),
    typeof value === "number" ? figure(value) : JSON.stringify(value).replaceAll('"', ""),
  ]);
}

function wordsOf(name: string): string {
  return name
    .replaceAll(/([a-z])([A-Z])/g, "$1 $2")
    .replaceAll("_", " ")
    .toLowerCase()
    .replaceAll("sip server", "SIP Server")
    .replaceAll(/\brtcp\b|\brtp\b|\bsrtp\b|\bmos\b|\bdtmf\b/g, (word) => word.toUpperCase());
}

function figure(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: 2 });
}

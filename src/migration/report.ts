import type { Place, Setting } from "./config-file.ts";

/**
 * decide: a person must. lost: nothing of ours does it. mapped: stands in our configuration. gone: needed no more.
 */
export type Kind = "decide" | "lost" | "mapped" | "gone";

export interface Finding {
  readonly kind: Kind;
  /** What is told of: `allow = !all,opus,ulaw`; like ones of many sections become one line. */
  readonly what: string;
  /** What becomes of it, in words; our key first where it has one. */
  readonly text: string;
  /** Where it stands, and in which sections; none for what is told of all. */
  readonly places: readonly Place[];
}

/** More different ones help nobody. */
const mostFindings = 2000;

/** Collects findings; those that say the same of many lines are one. */
export class Findings {
  readonly #byText = new Map<string, Finding & { readonly places: Place[]; readonly lines: Set<string> }>();
  #untold = 0;

  add(kind: Kind, what: string, text: string, at?: Place): void {
    const id = `${kind}\n${what}\n${text}`;
    let finding = this.#byText.get(id);
    if (!finding) {
      if (this.#byText.size >= mostFindings) return void this.#untold++;
      finding = { kind, what, text, places: [], lines: new Set() };
      this.#byText.set(id, finding);
    }
    // What a template gives is told once, by the template's own line.
    if (!at || finding.lines.has(`${at.file}:${at.line}`)) return;
    finding.lines.add(`${at.file}:${at.line}`);
    finding.places.push(at);
  }

  about(kind: Kind, setting: Setting, text: string): void {
    this.add(kind, settingText(setting), text, setting.at);
  }

  get all(): readonly Finding[] {
    if (this.#untold === 0) return [...this.#byText.values()];
    const rest = {
      kind: "decide",
      what: "more than can be told",
      text: `${this.#untold} more findings`,
      places: [],
    } as const;
    return [rest, ...this.#byText.values()];
  }
}

const secretKeys = /pass|secret|cred|digest|token/;
const fileKeys = /file|path/;

const mostShown = 80;
const mostRead = 256;

/** `key = value`, without secrets. */
export function settingText({ key, value }: Setting): string {
  const name = key.slice(0, mostShown);
  if (secretKeys.test(name) && !fileKeys.test(name)) return `${name} = [cut]`;
  if (value.length > mostRead) return `${name} = [long]`;
  // Variables may hold anything; of URIs with a password in them it goes.
  const shown =
    key === "set_var"
      ? value.replace(/=.*$/s, "=...")
      : value.replace(/(sips?:[^:@\s]*):[^@\s]*@/g, "$1:[cut]@");
  return `${name} = ${shown.length > mostShown ? `${shown.slice(0, mostShown - 3)}...` : shown}`;
}

const headings: Readonly<Record<Kind, string>> = {
  decide: "To decide or to do before the first call",
  lost: "Not carried over, and who does it now",
  mapped: "Carried over",
  gone: "No longer needed",
};

export interface ReportFacts {
  /** `agents: 5001-5031` and the like, one a line. */
  readonly summary: readonly string[];
  readonly findings: readonly Finding[];
}

/** The report as Markdown, most important first. */
export function reportText({ summary, findings }: ReportFacts): string {
  const lines = ["# From Asterisk to Jackfield", "", ...summary.map((line) => `- ${line}`)];
  for (const kind of ["decide", "lost", "mapped", "gone"] as const) {
    const some = findings.filter((finding) => finding.kind === kind).toSorted(byUrgency);
    if (some.length === 0) continue;
    lines.push("", `## ${headings[kind]} (${some.length})`, "", ...some.map(findingLine));
  }
  return `${lines.map(printable).join("\n")}\n`;
}

/** What keeps everybody from working, then what takes DNs or sound away; the rest as it came. */
const urgent = [
  "more than can be told",
  "agents",
  "a line that could not be read",
  "sipServer.addresses",
  "SIP over TLS",
  "http.tls",
  "registrations in Asterisk",
  "registration of the DNs",
  "sip.advertisedAddress",
  "media.advertisedAddress",
  "SIP port",
  "firewall toward browsers",
  "websocket.origins",
  "media.rtpPorts",
];

function byUrgency({ what: one }: Finding, { what: other }: Finding): number {
  const rank = (what: string): number => (urgent.includes(what) ? urgent.indexOf(what) : urgent.length);
  return rank(one) - rank(other);
}

function findingLine({ what, text, places }: Finding): string {
  const where = places.length === 0 ? "" : ` (${placesText(places)})`;
  return `- ${what}${where}: ${text}`;
}

const placesShown = 3;

function placesText(places: readonly Place[]): string {
  const shown = places.slice(0, placesShown).map(({ file, line }) => `${file}:${line}`);
  const more = places.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${more} more lines`] : [])].join(", ");
}

/** A terminal must not be told what to do by a file that is read. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "?");
}

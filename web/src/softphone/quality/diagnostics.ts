import { chosenPair, type StatsRow } from "./browser-stats.ts";
import type { ConnectionWords } from "./connection.ts";
import type { Journal } from "./journal.ts";

/** All that the text is made of. */
export interface DiagnosticsParts {
  readonly now: number;
  /** Address of the page; its query and fragment are left out. */
  readonly page: string;
  /** Names of the page's scripts, which a build gives anew. */
  readonly scripts: readonly string[];
  /** As the gateway names itself; undefined while it has told nothing. */
  readonly gateway: string | undefined;
  readonly userAgent: string;
  readonly dn: string | undefined;
  readonly connection: ConnectionWords;
  readonly journal: Pick<Journal, "calls" | "changes" | "errors">;
  /** Microphones and speakers, `audioinput: Headset`. */
  readonly devices: readonly string[];
  /** What the browser says of the microphone in use. */
  readonly microphone: object | undefined;
  /** What is kept of the person's choices. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of the call that is shown. */
  readonly stats: readonly StatsRow[];
}

/** Characters of the whole text: more than a ticket takes is of no use. */
const LONGEST = 40_000;
const LONGEST_LINE = 500;
/** Rows of `getStats` that tell something of the sound, and what of them. */
const SHOWN: Readonly<Record<string, readonly string[]>> = {
  "inbound-rtp": [
    "packetsReceived",
    "packetsLost",
    "packetsDiscarded",
    "jitter",
    "bytesReceived",
    "concealedSamples",
    "totalSamplesReceived",
    "jitterBufferDelay",
    "jitterBufferEmittedCount",
    "audioLevel",
  ],
  "outbound-rtp": ["packetsSent", "bytesSent", "retransmittedPacketsSent", "nackCount"],
  "remote-inbound-rtp": ["packetsLost", "fractionLost", "jitter", "roundTripTime"],
  "media-source": ["audioLevel", "echoReturnLoss", "totalAudioEnergy"],
  codec: ["mimeType", "clockRate", "payloadType", "sdpFmtpLine"],
  transport: [
    "dtlsState",
    "iceState",
    "srtpCipher",
    "dtlsCipher",
    "tlsVersion",
    "selectedCandidatePairChanges",
  ],
};
const CANDIDATE = ["candidateType", "address", "port", "protocol", "relayProtocol", "url", "networkType"];
/** Header fields that are secret to their end, and values that let somebody in, in quotes or to the next blank. */
const SECRET_HEADER = /\b((?:proxy-)?authorization|(?:set-)?cookie2?)(["']?\s*[:=]).*/gi;
const SECRET =
  /\b([\w-]*(?:password|passwd|token|secret|ha1|api-?key|resume)["']?\s*[:=]\s*)("(?:[^"\\]|\\.)*"?|'[^']*'?|[^\s"'&,;}]+)/gi;
/** RFC 7617, RFC 6750: they stand without the header's name, too. */
const SECRET_SCHEME = /\b(basic|bearer) +[\w.~+/=-]+/gi;

/** Everything support needs, as text for a ticket. No password, no token, no digits pressed. */
export function diagnosticsText(parts: DiagnosticsParts): string {
  const { journal } = parts;
  const text = [
    `Jackfield softphone, diagnostics of ${time(parts.now)}`,
    `Page: ${parts.page.split(/[?#]/, 1)[0] ?? ""} (${parts.scripts.join(", ")})`,
    `Gateway: ${parts.gateway ?? "not known"}`,
    `Browser: ${parts.userAgent}`,
    `DN: ${parts.dn ?? "not signed in"}`,
    "",
    `Connection: ${parts.connection.sentence}`,
    ...parts.connection.parts.map(({ name, text: state }) => `  ${name}: ${state}`),
    ...section("Calls, newest first", journal.calls.toReversed().flatMap(callLines)),
    ...section("The browser's figures of the call that is shown", statsLines(parts.stats)),
    ...section(
      "Errors, newest first",
      journal.errors.toReversed().map(({ at, text: error }) => `${time(at)} ${error}`),
    ),
    ...section(
      "States, newest first",
      journal.changes.toReversed().map(({ at, what, state }) => `${time(at)} ${what}: ${state}`),
    ),
    ...section("Devices", parts.devices),
    ...section("Microphone in use", parts.microphone ? [JSON.stringify(parts.microphone)] : []),
    ...section(
      "Settings",
      Object.entries(parts.settings).map(([name, value]) => `${name}: ${value}`),
    ),
  ]
    // One line stays one, whatever a far side put into its name.
    .map((line) => withoutSecrets(line.slice(0, LONGEST_LINE).replaceAll(/\p{Cc}/gu, " ")))
    .join("\n");
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}\n[cut]`;
}

/** A text in which what lets somebody in is cut out. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(SECRET_HEADER, "$1$2 [cut]")
    .replaceAll(SECRET, "$1[cut]")
    .replaceAll(SECRET_SCHEME, "$1 [cut]");
}

function section(title: string, lines: readonly string[]): string[] {
  return ["", `${title}:`, ...(lines.length === 0 ? ["  none"] : lines.map((line) => `  ${line}`))];
}

function callLines(call: Journal["calls"][number]): string[] {
  const { callId, callUuid, direction, peer, from, answeredAt, endedAt, end, quality } = call;
  const times = [
    `began ${time(from)}`,
    answeredAt === undefined ? "not answered" : `answered ${time(answeredAt)}`,
    ...(endedAt === undefined ? [] : [`over ${time(endedAt)}`]),
  ];
  return [
    `${direction === "in" ? "from" : "to"} ${peer}: ${times.join(", ")}; ${end}`,
    `  Call-ID ${callId}, CallUUID ${callUuid ?? "none told"}`,
    ...(quality.length === 0 ? [] : ["  MOS / loss % / jitter ms / round trip ms, oldest first:"]),
    ...quality.map((line) => `    ${line}`),
  ];
}

function statsLines(rows: readonly StatsRow[]): string[] {
  const pair = chosenPair(rows);
  const ends = ["localCandidateId", "remoteCandidateId"].map((key) => {
    const row = rows.find(({ id }) => id === pair?.[key]);
    return row ? `${String(row["type"])}: ${values(row, CANDIDATE)}` : undefined;
  });
  const shown = rows.flatMap((row) => {
    const names = SHOWN[String(row["type"])];
    return names ? [`${String(row["type"])}: ${values(row, names)}`] : [];
  });
  const pairLine =
    pair &&
    `candidate-pair: ${values(pair, ["state", "currentRoundTripTime", "requestsSent", "responsesReceived"])}`;
  return [pairLine, ...ends, ...shown].flatMap((line) => line ?? []).slice(0, 40);
}

function values(row: StatsRow, names: readonly string[]): string {
  return names
    .flatMap((name) => {
      const value = row[name];
      return ["string", "number", "boolean"].includes(typeof value)
        ? [`${name} ${JSON.stringify(value).replaceAll('"', "")}`]
        : [];
    })
    .join(", ");
}

function time(at: number): string {
  return new Date(at).toISOString();
}

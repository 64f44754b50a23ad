/** One entry of `Candidates` (wrtc-http-protocol.md 2.1). */
export interface Candidate {
  readonly candidate: string;
  readonly sdpMid?: string | null;
  readonly sdpMLineIndex?: number | null;
  readonly usernameFragment?: string | null;
}

/** A ROAP message as it is parsed: whatever the other side wrote, unjudged. */
export interface Roap {
  readonly messageType?: unknown;
  readonly sdp?: unknown;
  readonly Candidates?: unknown;
  readonly offererSessionId?: unknown;
  readonly seq?: unknown;
  readonly attacheddata?: unknown;
  readonly errorType?: unknown;
}

/** What the client takes a poll's body for. */
export type Heard =
  | { readonly kind: "bye" | "invite" | "talk" | "hold" | "ignored" }
  | { readonly kind: "info"; readonly data: Readonly<Record<string, string>> }
  | { readonly kind: "stats"; readonly statistics: unknown }
  | { readonly kind: "error"; readonly errorType: unknown }
  | { readonly kind: "offer" | "reply"; readonly roap: Roap };

const ignored: Heard = { kind: "ignored" };

/** In the client's order, traps included (wrtc-http-protocol.md 1.4); `peer`: the reply's Pragma. */
export function hear(body: string, peer: string, hasSession: boolean): Heard {
  if (body.startsWith("BYE")) return { kind: "bye" };
  if (body.startsWith("INVITE")) return { kind: "invite" };
  if (body.startsWith("EVENT-TALK")) return { kind: "talk" };
  if (body.startsWith("EVENT-HOLD")) return { kind: "hold" };
  if (body.startsWith("INFO-PEER ")) return { kind: "info", data: pairs(body.slice("INFO-PEER ".length)) };
  if (body.startsWith("PUT-STATS")) {
    const statistics = parsed(body.slice(9));
    return statistics === undefined ? ignored : { kind: "stats", statistics };
  }
  if (["ERROR", "errorType", "{"].every((word) => body.indexOf(word) > 0)) {
    const roap = roapIn(body);
    return roap === undefined ? ignored : { kind: "error", errorType: roap.errorType };
  }
  const offers = body.includes("OFFER");
  if (!offers && hasSession) return withRoap("reply", body);
  if (offers && body.startsWith("SDP") && peer !== "") return withRoap("offer", body);
  return ignored;
}

function withRoap(kind: "offer" | "reply", body: string): Heard {
  const roap = roapIn(body);
  return roap === undefined ? ignored : { kind, roap };
}

function roapIn(body: string): Roap | undefined {
  const from = body.indexOf("{");
  const value = from < 0 ? undefined : parsed(body.slice(from));
  return typeof value === "object" && value !== null ? value : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** `k=v&...`, line ends removed, nothing decoded. */
function pairs(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const pair of text.replaceAll(/[\r\n]/g, "").split("&")) {
    const [key = "", value = ""] = pair.split("=");
    if (key !== "") found[key] = value;
  }
  return found;
}

/** Candidates of a message, as far as they are such. */
export function candidatesOf({ Candidates }: Roap): readonly Candidate[] {
  if (!Array.isArray(Candidates)) return [];
  return Candidates.filter((entry): entry is Candidate => typeof Object(entry).candidate === "string");
}

/** `sendInfo`'s data as jQuery writes a form: a space is a plus sign. */
export function form(data: Readonly<Record<string, string>>): string {
  return new URLSearchParams(data).toString();
}

import { list, member, numberOf, parseJson, record, textOf } from "../../shared/json.ts";
import type { HeaderLine } from "./caller-data.ts";
import { iceSetup, type IceSetup } from "./ice-setup.ts";

/**
 * What the gateway tells the page beside calls, as NOTIFY outside a dialog (JsSIP: `sipEvent`):
 * - `Event: x-jackfield-trunk`, body `{"state":"in-service","reason":""}`: the DN's registration at SIP Server;
 * - `Event: talk`, `hold` or `beep` with `X-Jackfield-Call-ID`: SIP Server's remote control of the call that has that
 *   Call-ID on our side;
 * - `Event: message-summary` (RFC 3842): messages that wait for the DN;
 * - `Event: x-jackfield-quality` with `X-Jackfield-Call-ID`, body `{"mos":4.3,"roundTripMs":12,"lossPercent":0}`: how
 *   that call sounded the last few seconds, by its worst way;
 * - `Event: x-jackfield-call` with `X-Jackfield-Call-ID`, body
 *   `{"callUuid":"...","headers":[["Name","value"]],"far":"ringing"}`: what SIP Server changed of that call's data, and
 *   whether the far side of a call set up by SIP Server still rings; each may be missing;
 * - `Event: x-jackfield-turn`: TURN servers with credentials for calls from now on (`iceSetup`).
 */
export type GatewayEvent =
  | { readonly kind: "trunk"; readonly state: TrunkState; readonly reason: string }
  | { readonly kind: "talk" | "hold" | "beep"; readonly callId: string }
  | { readonly kind: "call"; readonly callId: string; readonly news: CallNews }
  | { readonly kind: "messages"; readonly waiting: Messages }
  | { readonly kind: "turn"; readonly ice: IceSetup }
  | { readonly kind: "quality"; readonly callId: string; readonly quality: Quality | undefined };

/** What changed about a call; what is left out has not. */
export interface CallNews {
  /** Header lines that say something else than before; the call's new UUID is one of them. */
  readonly changed: readonly HeaderLine[];
  /** Whether the far side of a call that SIP Server set up still rings. */
  readonly farRings: boolean | undefined;
}

/** Messages that wait; the numbers of voice messages where they are told. */
export interface Messages {
  readonly waiting: boolean;
  readonly fresh: number | undefined;
  readonly old: number | undefined;
}

/** How a call sounds; undefined where the gateway does not know. */
export interface Quality {
  /** Mean opinion score, 1 to 4.5. */
  readonly mos: number;
  readonly roundTripMs: number | undefined;
  readonly lossPercent: number | undefined;
  /** Each way that is known. */
  readonly ways?: GatewayWays;
}

/** How one way sounded over the last few seconds. */
export interface WayFigures {
  /** 1 to 4.5. */
  readonly mos: number;
  readonly lossPercent: number;
  readonly jitterMs: number;
  readonly roundTripMs: number | undefined;
}

/** The four ways of sound through the gateway, as it tells them: `from` as it comes there, `to` as it arrives. */
export const gatewayWays = ["fromBrowser", "toBrowser", "fromTrunk", "toTrunk"] as const;
export type GatewayWay = (typeof gatewayWays)[number];
export type GatewayWays = { readonly [Way in GatewayWay]?: WayFigures };

const TRUNK_STATES = ["idle", "registering", "in-service", "backing-off", "rejected"] as const;
export type TrunkState = (typeof TRUNK_STATES)[number];

/** Event packages this page acts on, for its Allow-Events header; the last says that it takes its calls over. */
export const ALLOW_EVENTS =
  "talk, hold, beep, message-summary, x-jackfield-trunk, x-jackfield-quality, x-jackfield-call, x-jackfield-turn, x-jackfield-resume";

/** The part of a request that is read here. */
export interface Notify {
  readonly body: string;
  getHeader(name: string): string | undefined;
}

function trunkOf(body: string): GatewayEvent | undefined {
  const told = parseJson(body);
  const state = TRUNK_STATES.find((one) => one === member(told, "state"));
  return state && { kind: "trunk", state, reason: textOf(told, "reason") };
}

/** What the body says; undefined when it says that nothing is known, or is malformed. */
function qualityOf(body: string): Quality | undefined {
  const told = parseJson(body);
  const mos = numberOf(told, "mos");
  if (mos === undefined) return undefined;
  const ways = gatewayWays.flatMap((way) => {
    const figures = wayOf(member(told, way));
    return figures ? [[way, figures] as const] : [];
  });
  const all = { mos, roundTripMs: numberOf(told, "roundTripMs"), lossPercent: numberOf(told, "lossPercent") };
  return ways.length === 0 ? all : { ...all, ways: Object.fromEntries(ways) };
}

function wayOf(told: unknown): WayFigures | undefined {
  const mos = numberOf(told, "mos");
  if (mos === undefined) return undefined;
  const [lossPercent = 0, jitterMs = 0] = [numberOf(told, "lossPercent"), numberOf(told, "jitterMs")];
  return { mos, lossPercent, jitterMs, roundTripMs: numberOf(told, "roundTripMs") };
}

function newsOf(body: string): CallNews | undefined {
  const told = parseJson(body);
  if (typeof told !== "object" || told === null) return undefined;
  const { headers, callUuid, far } = record(told);
  const lines = list(headers).flatMap((line): HeaderLine[] => {
    const [name, value] = list(line);
    return typeof name === "string" && typeof value === "string" ? [[name, value]] : [];
  });
  return {
    changed: typeof callUuid === "string" ? [...lines, ["X-Genesys-CallUUID", callUuid]] : lines,
    farRings: far === "ringing" || far === "connected" ? far === "ringing" : undefined,
  };
}

/** `Messages-Waiting: yes`, `Voice-Message: 2/8 (0/2)`: new and old, those that are urgent in brackets. */
function messagesOf(body: string): Messages | undefined {
  const waiting = /^messages-waiting:\s*(yes|no)\s*$/im.exec(body)?.[1]?.toLowerCase();
  if (waiting === undefined) return undefined;
  const [, fresh, old] = /^voice-message:\s*(\d{1,6})\/(\d{1,6})/im.exec(body) ?? [];
  const number = (text: string | undefined): number | undefined =>
    text === undefined ? undefined : Number(text);
  return { waiting: waiting === "yes", fresh: number(fresh), old: number(old) };
}

/** The event a NOTIFY carries; undefined for what is none of ours or malformed. */
export function gatewayEvent(request: Notify): GatewayEvent | undefined {
  const name = (request.getHeader("Event") ?? "").split(";")[0]?.trim().toLowerCase();
  if (name === "x-jackfield-trunk") return trunkOf(request.body);
  if (name === "message-summary") {
    const waiting = messagesOf(request.body);
    return waiting && { kind: "messages", waiting };
  }
  if (name === "x-jackfield-turn") {
    const ice = iceSetup(request.body);
    return ice && { kind: "turn", ice };
  }
  const callId = request.getHeader("X-Jackfield-Call-ID")?.trim();
  if (name === "x-jackfield-quality")
    return callId ? { kind: "quality", callId, quality: qualityOf(request.body) } : undefined;
  if (name === "x-jackfield-call") {
    const news = newsOf(request.body);
    return callId && news ? { kind: "call", callId, news } : undefined;
  }
  if (name !== "talk" && name !== "hold" && name !== "beep") return undefined;
  return callId ? { kind: name, callId } : undefined;
}

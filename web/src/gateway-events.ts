/**
 * What the gateway tells the page beside calls, as NOTIFY outside a dialog (JsSIP: `sipEvent`):
 * - `Event: x-jackfield-trunk`, body `{"state":"in-service","reason":""}`: the DN's registration at SIP Server;
 * - `Event: talk` or `hold` with `X-Jackfield-Call-ID`: SIP Server's remote control of the call that has that
 *   Call-ID on our side;
 * - `Event: x-jackfield-quality` with `X-Jackfield-Call-ID`, body `{"mos":4.3,"roundTripMs":12,"lossPercent":0}`: how
 *   that call sounded the last few seconds, by its worst way.
 */
export type GatewayEvent =
  | { readonly kind: "trunk"; readonly state: TrunkState; readonly reason: string }
  | { readonly kind: "talk" | "hold"; readonly callId: string }
  | { readonly kind: "quality"; readonly callId: string; readonly quality: Quality | undefined };

/** How a call sounds; undefined where the gateway does not know. */
export interface Quality {
  /** Mean opinion score, 1 to 4.5. */
  readonly mos: number;
  readonly roundTripMs: number | undefined;
  readonly lossPercent: number | undefined;
}

const TRUNK_STATES = ["idle", "registering", "in-service", "backing-off", "rejected"] as const;
export type TrunkState = (typeof TRUNK_STATES)[number];

/** Event packages this page acts on, for its Allow-Events header. */
export const ALLOW_EVENTS = "talk, hold, x-jackfield-trunk, x-jackfield-quality";

/** The part of a request that is read here. */
export interface Notify {
  readonly body: string;
  getHeader(name: string): string | undefined;
}

function trunkOf(body: string): GatewayEvent | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const state = TRUNK_STATES.find((one) => one === Reflect.get(parsed, "state"));
    const reason: unknown = Reflect.get(parsed, "reason");
    return state && { kind: "trunk", state, reason: typeof reason === "string" ? reason : "" };
  } catch {
    return undefined;
  }
}

/** What the body says; undefined when it says that nothing is known, or is malformed. */
function qualityOf(body: string): Quality | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    const number = (name: string): number | undefined => {
      const value: unknown = Reflect.get(parsed, name);
      return typeof value === "number" && Number.isFinite(value) ? value : undefined;
    };
    const mos = number("mos");
    if (mos === undefined) return undefined;
    return { mos, roundTripMs: number("roundTripMs"), lossPercent: number("lossPercent") };
  } catch {
    return undefined;
  }
}

/** The event a NOTIFY carries; undefined for what is none of ours or malformed. */
export function gatewayEvent(request: Notify): GatewayEvent | undefined {
  const name = (request.getHeader("Event") ?? "").split(";")[0]?.trim().toLowerCase();
  if (name === "x-jackfield-trunk") return trunkOf(request.body);
  const callId = request.getHeader("X-Jackfield-Call-ID")?.trim();
  if (name === "x-jackfield-quality")
    return callId ? { kind: "quality", callId, quality: qualityOf(request.body) } : undefined;
  if (name !== "talk" && name !== "hold") return undefined;
  return callId ? { kind: name, callId } : undefined;
}

/**
 * What the gateway tells the page beside calls, as NOTIFY outside a dialog (JsSIP: `sipEvent`):
 * - `Event: x-jackfield-trunk`, body `{"state":"in-service","reason":""}`: the DN's registration at SIP Server;
 * - `Event: talk` or `hold` with `X-Jackfield-Call-ID`: SIP Server's remote control of the call that has that
 *   Call-ID on our side.
 */
export type GatewayEvent =
  | { readonly kind: "trunk"; readonly state: TrunkState; readonly reason: string }
  | { readonly kind: "talk" | "hold"; readonly callId: string };

const TRUNK_STATES = ["idle", "registering", "in-service", "backing-off", "rejected"] as const;
export type TrunkState = (typeof TRUNK_STATES)[number];

/** Event packages this page acts on, for its Allow-Events header. */
export const ALLOW_EVENTS = "talk, hold, x-jackfield-trunk";

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

/** The event a NOTIFY carries; undefined for what is none of ours or malformed. */
export function gatewayEvent(request: Notify): GatewayEvent | undefined {
  const name = (request.getHeader("Event") ?? "").split(";")[0]?.trim().toLowerCase();
  if (name === "x-jackfield-trunk") return trunkOf(request.body);
  if (name !== "talk" && name !== "hold") return undefined;
  const callId = request.getHeader("X-Jackfield-Call-ID")?.trim();
  return callId ? { kind: name, callId } : undefined;
}

import type { GatewayMessage } from "../contract.ts";
import { serverStatistics } from "./statistics.ts";

/** One message as a client of a protocol reads it. */
export interface Letter {
  readonly kind: GatewayMessage["kind"];
  readonly body: string;
  /** The other party, fit for a header and for a raw URL; never empty. */
  readonly peer: string;
}

/** Writes a message for the answer to a poll (1.4). `wallClock`: ms since 1970-01-01 UTC. */
export function writeGatewayMessage(message: GatewayMessage, peer: string, wallClock: number): Letter {
  return { kind: message.kind, body: bodyOf(message, wallClock), peer: pragmaOf(peer) };
}

function bodyOf(message: GatewayMessage, wallClock: number): string {
  switch (message.kind) {
    case "offer":
    case "answer":
      return `SDP ${roapOf(message)}`;
    case "error":
      return `SDP ${JSON.stringify({ messageType: "ERROR", errorType: message.errorType })}`;
    case "bye":
      return "BYE";
    case "talk":
      return "EVENT-TALK";
    case "hold":
      return "EVENT-HOLD";
    case "info":
      return `INFO-PEER ${message.body}`;
    case "stats":
    default:
      return statsOf(message, wallClock);
  }
}

function statsOf(
  { statistics, sinceMs }: Extract<GatewayMessage, { kind: "stats" }>,
  wallClock: number,
): string {
  return `PUT-STATS ${JSON.stringify(serverStatistics(statistics, wallClock, sinceMs))}`;
}

function roapOf({ kind, sdp, ids, attached }: Extract<GatewayMessage, { kind: "offer" | "answer" }>): string {
  const { offererSessionId, answererSessionId, seq, tiebreaker } = ids;
  const data = attached && attached.length > 0 ? { attacheddata: attached } : {};
  const type = kind === "offer" ? "OFFER" : "ANSWER";
  const rest = { offererSessionId, answererSessionId, seq, tiebreaker, sdp, ...data };
  return `{"messageType":"${type}",${scrubbed(JSON.stringify(rest)).slice(1)}`;
}

/**
 * The client looks for its words in the whole text: an answer that says OFFER anywhere would be taken for an offer, and
 * an offer with ERROR and errorType for an error (1.4). JSON says the same without them.
 */
function scrubbed(json: string): string {
  return json
    .replaceAll("OFFER", String.raw`\u004fFFER`)
    .replaceAll("ERROR", String.raw`\u0045RROR`)
    .replaceAll("errorType", String.raw`\u0065rrorType`);
}

/** A client ignores an offer of nobody. */
const nobody = "anonymous";
const longestPeer = 256;

/** Fit for a header, and for a raw URL that the client makes of it (3.1); what is not is percent-encoded. */
function pragmaOf(peer: string): string {
  if (peer === "") return nobody;
  // A character of two units must not be cut in half: nothing could encode it.
  const whole = peer.slice(0, longestPeer).toWellFormed();
  return encodeURIComponent(whole).replaceAll(/%(2B|3A|40|3B|3D|24|2C|2F|3F)/g, (_all, code: string) =>
    String.fromCodePoint(parseInt(code, 16)),
  );
}

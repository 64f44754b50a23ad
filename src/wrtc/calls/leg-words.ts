import type { ClientMessage, GatewayMessage } from "../contract.ts";
import { sdpInWords } from "./client-sdp.ts";
import type { LegAct } from "./leg-state.ts";

/** The protocol's words (wrtc-http-protocol.md 1.3, 1.4). */
const wordOf: Readonly<Record<ClientMessage["kind"], string>> = {
  offer: "OFFER",
  answer: "ANSWER",
  ok: "OK",
  bye: "BYE",
  info: "INFO",
  "get-stats": "GET-STATS",
};
const wordTo: Readonly<Record<GatewayMessage["kind"], string>> = {
  offer: "OFFER",
  answer: "ANSWER",
  error: "ERROR",
  bye: "BYE",
  talk: "EVENT-TALK",
  hold: "EVENT-HOLD",
  info: "INFO-PEER",
  stats: "PUT-STATS",
};

/**
 * A message of the client's as a line of the call's log, and so of its ladder: of descriptions the m-lines, of data its
 * length. `act` is told where nothing came of it.
 */
export function wordsOfClient(message: ClientMessage, act?: LegAct): [details: object, message: string] {
  const text = `client: ${wordOf[message.kind]}`;
  const passedOver = act === "none" && message.kind !== "ok" ? { act: "passed over" } : {};
  if (message.kind === "offer" || message.kind === "answer")
    return [{ media: sdpInWords(message.sdp), ...passedOver }, text];
  if (message.kind === "info")
    return [{ use: message.use, characters: message.body.length, ...passedOver }, text];
  return [passedOver, text];
}

/** Likewise what it is told. */
export function wordsToClient(message: GatewayMessage): [details: object, message: string] {
  const text = `to client: ${wordTo[message.kind]}`;
  if (message.kind === "offer" || message.kind === "answer")
    return [{ media: sdpInWords(message.sdp) }, text];
  if (message.kind === "error") return [{ errorType: message.errorType, reason: message.reason }, text];
  if (message.kind === "bye") return [{ reason: message.reason }, text];
  if (message.kind === "info") return [{ characters: message.body.length }, text];
  return [{}, text];
}

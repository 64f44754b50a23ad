import { createHash } from "node:crypto";
import type { AttachedPair, ClientMessage, RoapIds } from "../contract.ts";
import { mergeCandidates } from "./candidates.ts";

/** A body that was read. */
export interface ReadMessage {
  readonly message: ClientMessage;
  /** The same for a repetition of the message, and for no other; undefined: it is never repeated (1.3). */
  readonly key: string | undefined;
}

/** Pairs of attached data taken of one message. */
const pairsTaken = 200;
/** Of an id, characters; each goes back with every answer. */
const longestId = 128;

/** What a client posted (1.3); undefined: no message of this protocol. */
export function readClientMessage(body: string): ReadMessage | undefined {
  if (body.startsWith("RSMP")) return readRoap(body);
  if (body.startsWith("INFO-MAP ")) return info("to-server", body.slice("INFO-MAP ".length));
  if (body.startsWith("INFO-PEER ")) return info("to-peer", body.slice("INFO-PEER ".length));
  const [word] = /^[A-Z-]+(?![\w-])/.exec(body) ?? [];
  if (word === "BYE") return { message: { kind: "bye" }, key: undefined };
  return word === "GET-STATS" ? { message: { kind: "get-stats" }, key: undefined } : undefined;
}

function info(use: "to-server" | "to-peer", body: string): ReadMessage {
  return { message: { kind: "info", use, body }, key: undefined };
}

function readRoap(body: string): ReadMessage | undefined {
  const roap = jsonOf(body);
  const { messageType, sdp } = roap ?? {};
  const key = roap && keyOf(roap, body);
  if (messageType === "OK") return { message: { kind: "ok" }, key };
  if (!roap || (messageType !== "OFFER" && messageType !== "ANSWER") || typeof sdp !== "string")
    return undefined;
  const message: ClientMessage = {
    kind: messageType === "OFFER" ? "offer" : "answer",
    sdp: mergeCandidates(sdp, roap["Candidates"]),
    ids: idsOf(roap),
    attached: attachedOf(roap["attacheddata"]),
  };
  return { message, key };
}

type Roap = Readonly<Record<string, unknown>>;

function jsonOf(body: string): Roap | undefined {
  try {
    const value: unknown = JSON.parse(body.slice(body.indexOf("{")));
    return typeof value === "object" && value !== null ? (value as Roap) : undefined;
  } catch {
    return undefined;
  }
}

function idsOf({ offererSessionId, answererSessionId, seq, tiebreaker }: Roap): RoapIds {
  return {
    offererSessionId: idOf(offererSessionId),
    answererSessionId: idOf(answererSessionId),
    seq: idOf(seq),
    tiebreaker: idOf(tiebreaker),
  };
}

/** A number, text or null as it is; undefined: what is none, such as a tree too deep to be written again. */
function idOf(value: unknown): unknown {
  if (typeof value === "string") return value.length > longestId ? undefined : value;
  return typeof value === "number" || value === null ? value : undefined;
}

/** By the ids (2.3); of a client that sends none, by all it says. */
function keyOf(roap: Roap, body: string): string {
  const { offererSessionId, seq, tiebreaker } = idsOf(roap);
  const messageType = idOf(roap["messageType"]);
  const named = offererSessionId !== undefined && seq !== undefined;
  const told = named ? JSON.stringify([messageType, offererSessionId, seq, tiebreaker]) : body;
  // Of a fixed length, whatever a client takes for a number.
  return createHash("sha256").update(told).digest("base64");
}

function attachedOf(value: unknown): AttachedPair[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, pairsTaken).flatMap((pair: unknown) => {
    const key: unknown = typeof pair === "object" && pair !== null ? Reflect.get(pair, "key") : undefined;
    if (typeof key !== "string" || typeof pair !== "object" || pair === null) return [];
    return readValue(key, Reflect.get(pair, "value"));
  });
}

/** What is no plain value is told as JSON; a tree too deep for that is left out. */
function readValue(key: string, value: unknown): AttachedPair[] {
  if (typeof value !== "object" || value === null) return [{ key, value }];
  try {
    return [{ key, value: JSON.stringify(value) }];
  } catch {
    return [];
  }
}

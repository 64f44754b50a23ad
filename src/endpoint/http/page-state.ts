import type { PageCall, PageState, SoundState } from "../contract.ts";
import { fieldOf } from "../wwe/fields.ts";

const callStates: readonly PageCall["state"][] = ["dialling", "ringing", "established", "held"];
const directions: readonly PageCall["direction"][] = ["incoming", "outgoing"];
const longestNumber = 64;
const longestReason = 200;

/** What a page says of itself; undefined when it is not of the contract's form. */
export function readState(body: unknown): PageState | undefined {
  const signedIn = fieldOf(body, "signed_in");
  const microphone = readSound(fieldOf(body, "microphone"));
  const speaker = readSound(fieldOf(body, "speaker"));
  const given = fieldOf(body, "call");
  const call = given === null ? null : readCall(given);
  if (typeof signedIn !== "boolean" || !microphone || !speaker || call === undefined) return undefined;
  return { signed_in: signedIn, microphone, speaker, call };
}

/** What a page says of an order. */
export function readResult(
  body: unknown,
): { readonly id: number; readonly ok: boolean; readonly reason: string } | undefined {
  const id = fieldOf(body, "id");
  const ok = fieldOf(body, "ok");
  const given = fieldOf(body, "reason");
  if (typeof id !== "number" || typeof ok !== "boolean") return undefined;
  const reason =
    typeof given === "string" && given !== "" ? given.slice(0, longestReason) : "the page says no more";
  return { id, ok, reason: ok ? "" : reason };
}

function readSound(value: unknown): SoundState | undefined {
  const muted = fieldOf(value, "muted");
  const volume = fieldOf(value, "volume");
  if (typeof muted !== "boolean" || typeof volume !== "number" || !(volume >= 0 && volume <= 100))
    return undefined;
  return { muted, volume };
}

function readCall(value: unknown): PageCall | undefined {
  const state = callStates.find((one) => one === fieldOf(value, "state"));
  const direction = directions.find((one) => one === fieldOf(value, "direction"));
  const number = fieldOf(value, "number");
  const since = fieldOf(value, "since");
  if (!state || !direction || typeof number !== "string" || typeof since !== "string") return undefined;
  const at = Date.parse(since);
  if (number.length > longestNumber || Number.isNaN(at)) return undefined;
  return { state, number, direction, since: new Date(at).toISOString() };
}

import { member, numberOf, parseJson, record, textOf } from "../../shared/json.ts";

/**
 * What a page that carries the sound leaves for the one that a reload puts in its place: its session, and what Workspace
 * has told it of the sound, which it is not told again.
 */
export interface KeptSession {
  readonly session: string;
  readonly microphoneMuted: boolean;
  /** 0 to 1. */
  readonly microphoneVolume: number;
  readonly speakerMuted: boolean;
}

const KEY = "jackfield.endpoint";
/** A reload is over by then. */
const KEPT_MS = 30_000;

/** Written as the page goes, taken away as the next one comes: meanwhile the session lies in no storage. */
export function keepSession(storage: Pick<Storage, "setItem">, kept: KeptSession, now: number): void {
  storage.setItem(KEY, JSON.stringify({ ...kept, until: now + KEPT_MS }));
}

/** What the page before has left, once. */
export function takeSession(
  storage: Pick<Storage, "getItem" | "removeItem">,
  now: number,
): KeptSession | undefined {
  const kept = record(parseJson(storage.getItem(KEY) ?? ""));
  storage.removeItem(KEY);
  const [session, until] = [textOf(kept, "session"), numberOf(kept, "until")];
  if (session === "" || until === undefined || now > until) return undefined;
  return {
    session,
    microphoneMuted: member(kept, "microphoneMuted") === true,
    microphoneVolume: numberOf(kept, "microphoneVolume") ?? 1,
    speakerMuted: member(kept, "speakerMuted") === true,
  };
}

import type { Candidate } from "./messages.ts";

/** An offer or answer as it goes over the wire. */
export interface Description {
  readonly sdp: string;
  readonly candidates: readonly Candidate[];
}

export type Direction = "sendrecv" | "inactive";

/** What the client needs of a peer connection; in a page a real one, in Node a double. */
export interface Connection {
  /** @param direction of all that is sent */
  offer(direction: Direction): Promise<Description>;
  /** Rejects where the description cannot be applied. */
  answer(offer: Description): Promise<Description>;
  accept(answer: Description): Promise<void>;
  sendDigits(tones: string, durationMs: number, gapMs: number): void;
  close(): void;
}

import type { Letter } from "../protocol/gateway-message.ts";

/** What a poll is answered: a message; nothing came (200 without a body); or an error status, which the client polls after. */
export type PollAnswer = { readonly letter: Letter } | { readonly status: 200 | 404 | 429 | 503 };

/** A hanging GET, as who carries it hands it in. */
export interface PollLine {
  /** The same object for all requests of one connection. */
  readonly connection: object;
  /** HTTP/2: polls of one connection overlap, and that one came proves of the former's answer nothing. */
  readonly multiplexed: boolean;
  /** Its connection ends with the answer, as the client or a proxy asked: that it closed then says nothing. */
  readonly lastOfConnection: boolean;
  /** Called once. */
  answer(answer: PollAnswer): void;
  /** Its answer cannot be written: takes the connection down. */
  cut(): void;
}

/** What who carries a poll tells of it, each once at most. */
export interface PollEvents {
  /** All of the answer was given to the system. */
  flushed(): void;
  /** HTTP/2: the client has read its connection up to behind the answer. */
  read(): void;
  /** The request or, after `flushed`, its connection was closed. */
  closed(): void;
}

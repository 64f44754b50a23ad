import type { CallerData, HeaderPair, LegEnd } from "../../b2bua/index.ts";
import type { Logger, Random } from "../../core/index.ts";
import type { ClientMessage, GatewayMessage, RoapIds } from "../contract.ts";
import { attachedOf, attachedOfCaller } from "./attached.ts";
import { errorTypeOf } from "./error-types.ts";
import type { WrtcLegParts } from "./leg-parts.ts";
import type { LegAct } from "./leg-state.ts";
import { wordsOfClient, wordsToClient } from "./leg-words.ts";

type RoapParts = Pick<WrtcLegParts, "line" | "peer" | "number" | "firstNumber">;

/** What one call tells its client: ROAP's ids (wrtc-http-protocol.md 2.1), and a line of the call's ladder each way. */
export class Roap {
  readonly #parts: RoapParts;
  readonly #log: Logger;
  /** Of the OFFER that is to be answered. */
  #ids: RoapIds = {};

  constructor(parts: RoapParts, log: Logger) {
    this.#parts = parts;
    this.#log = log;
  }

  /** A message of the client's, for the ladder. */
  note(message: ClientMessage, act?: LegAct): void {
    this.#log.debug(...wordsOfClient(message, act));
  }

  send(message: GatewayMessage): void {
    this.#log.debug(...wordsToClient(message));
    this.#parts.line.send(message, this.#parts.peer);
  }

  /** Our OFFER, which rings. */
  offer(sdp: string, caller: CallerData, random: Random): void {
    const tiebreaker = 1 + (random.bytes(4).readUInt32BE() % 429_496_723);
    this.#ids = { offererSessionId: this.#parts.number, answererSessionId: null, seq: 1, tiebreaker };
    this.send({ kind: "offer", sdp, ids: this.#ids, attached: attachedOfCaller(caller) });
  }

  /** An OFFER of the client's with these ids is the one to be answered. */
  toAnswer(ids: RoapIds): void {
    this.#ids = ids;
  }

  /** Whether an ANSWER is to the OFFER of a call of the session's before this one: it crossed our BYE. */
  answersFormer({ offererSessionId }: RoapIds): boolean {
    const { number, firstNumber } = this.#parts;
    const to = Number(offererSessionId);
    const former = to >= firstNumber && to < number;
    if (former) this.#log.info({}, "ANSWER to a former OFFER");
    return former;
  }

  answer(sdp: string, data: readonly HeaderPair[] = []): void {
    const attached = attachedOf(data);
    this.send({
      kind: "answer",
      sdp,
      ids: { ...this.#ids, answererSessionId: this.#parts.number },
      ...(attached.length > 0 ? { attached } : {}),
    });
  }

  error({ status, reason }: LegEnd): void {
    this.send({ kind: "error", errorType: errorTypeOf(status), reason });
  }
}

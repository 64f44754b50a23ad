import type { Clock } from "../core/index.ts";
import type {
  ClientTransaction,
  DigestHeader,
  Flow,
  SipRequest,
  SipResponse,
  TransactionLayer,
} from "../sip/index.ts";
import type { RegisterIdentity } from "./register-identity.ts";
import type { ServerPool } from "./server-pool.ts";
import { readTrunkAnswer, type TrunkAnswer } from "./trunk-answer.ts";

/** Counted since start. */
export interface TrunkCounters {
  registers: number;
  unregisters: number;
  accepted: number;
  challenges: number;
  refused: number;
  unavailable: number;
  timeouts: number;
  stolen: number;
}

/** What exchanges of all DNs share. */
export interface ExchangeContext {
  readonly transactions: Pick<TransactionLayer, "request">;
  readonly clock: Clock;
  readonly pool: ServerPool;
  /** How long an answer is waited for, ms. */
  readonly timeoutMs: number;
  readonly counters: TrunkCounters;
}

/** What a REGISTER came to, repeats included; `reason` in words for the status. */
export type TrunkOutcome =
  | (Extract<TrunkAnswer, { kind: "accepted" }> & {
      /** Where the server saw it come from (RFC 3261 18.2.1). */
      readonly received: string | undefined;
    })
  | (Extract<TrunkAnswer, { kind: "redirected" }> & { readonly reason: string })
  | (Extract<TrunkAnswer, { kind: "unavailable" }> & { readonly reason: string })
  | {
      readonly kind: "refused";
      readonly reason: string;
      /** 603, as of a SIP Server that shuts down gracefully (genesys-sip-server.md 10): its peer may take the DN. */
      readonly shuttingDown: boolean;
      /** 401 or 407: credentials are missing or wrong, or were made for a server that was since started anew. */
      readonly challenged: boolean;
    }
  /** The last request, sent at `sentAt` (clock time), got no answer. */
  | { readonly kind: "silent"; readonly sentAt: number }
  /** Whatever the answer was, or none. */
  | { readonly kind: "unregistered" };

/** Repeats of one REGISTER for challenges and 423: two stale nonces and a longer expiry fit in. */
const maxRepeats = 3;

/** One REGISTER of a DN to one server, with the repeats it needs (401, 423), up to its outcome. */
export class TrunkExchange {
  readonly #kind: "register" | "unregister";
  readonly #server: Flow;
  readonly #identity: RegisterIdentity;
  readonly #context: ExchangeContext;
  readonly #onOutcome: (outcome: TrunkOutcome) => void;
  #repeats = 0;
  #sentAt = 0;
  #transaction: ClientTransaction | undefined;
  #over = false;

  /** `onOutcome` is called once after `start`, perhaps within it, and never after `abandon`. */
  constructor(
    kind: "register" | "unregister",
    server: Flow,
    identity: RegisterIdentity,
    context: ExchangeContext,
    onOutcome: (outcome: TrunkOutcome) => void,
  ) {
    this.#kind = kind;
    this.#server = server;
    this.#identity = identity;
    this.#context = context;
    this.#onOutcome = onOutcome;
  }

  start(): void {
    if (this.#kind === "register") this.#context.counters.registers++;
    else this.#context.counters.unregisters++;
    this.#send(this.#identity.nextAuthorization(this.#server));
  }

  /** Waits for no answer any more. Idempotent. */
  abandon(): void {
    this.#over = true;
    this.#transaction?.abandon();
  }

  #send(authorization: DigestHeader | undefined): void {
    const { transactions, clock, timeoutMs } = this.#context;
    const expires = this.#kind === "register" ? this.#identity.expiresSeconds : 0;
    const request = this.#identity.request(this.#server, expires, authorization);
    this.#sentAt = clock.now();
    this.#transaction = transactions.request(
      request,
      this.#server,
      {
        onResponse: (response) => {
          if (response.status >= 200) this.#onFinal(request, response);
        },
        onTimeout: () => this.#onSilence(),
        onTransportError: () => this.#onSilence(),
      },
      { timeoutMs },
    );
  }

  #onSilence(): void {
    if (this.#over) return;
    this.#context.counters.timeouts++;
    // Silence upon an un-REGISTER proves nothing: SIP Server gives none for a DN that it no longer has.
    this.#end(
      this.#kind === "unregister" ? { kind: "unregistered" } : { kind: "silent", sentAt: this.#sentAt },
    );
  }

  #onFinal(request: SipRequest, response: SipResponse): void {
    if (this.#over) return;
    const { clock, pool, counters } = this.#context;
    pool.heard(this.#server, clock.now() - this.#sentAt);
    const answer = readTrunkAnswer(response, this.#identity.contact, this.#identity.expiresSeconds);
    if (answer.kind === "challenged") {
      counters.challenges++;
      if (this.#answerChallenge(request, response)) return;
    }
    if (this.#kind === "unregister") return this.#end({ kind: "unregistered" });
    if (answer.kind === "too-brief" && this.#repeats++ < maxRepeats) {
      this.#identity.expiresSeconds = answer.minSeconds;
      return this.#send(this.#identity.nextAuthorization(this.#server));
    }
    if (answer.kind === "unavailable") {
      counters.unavailable++;
      if (answer.retryAfterMs !== undefined && response.status === 503)
        pool.suspend(this.#server, answer.retryAfterMs);
    }
    this.#end(outcomeOf(answer, response));
  }

  #answerChallenge(request: SipRequest, response: SipResponse): boolean {
    const header =
      this.#repeats++ < maxRepeats ? this.#identity.answerChallenge(request, response) : undefined;
    if (header) this.#send(header);
    return header !== undefined;
  }

  #end(outcome: TrunkOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOutcome(outcome);
  }
}

/** Of an answer that no repeat helps against. */
function outcomeOf(answer: TrunkAnswer, response: SipResponse): TrunkOutcome {
  if (answer.kind === "accepted") return { ...answer, received: response.topVia.parameters.get("received") };
  const reason = `${response.status} ${response.reason}`.trim();
  if (answer.kind === "redirected" || answer.kind === "unavailable") return { ...answer, reason };
  const { status } = response;
  const challenged = status === 401 || status === 407;
  return { kind: "refused", reason: reason + hint(status), shuttingDown: status === 603, challenged };
}

/** What an administrator should look at. */
function hint(status: number): string {
  if (status === 401 || status === 407) return ": user name or password of the DN is missing or wrong";
  return status === 404 ? ": DN not configured at SIP Server" : "";
}

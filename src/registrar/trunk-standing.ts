import { StateMachine, type Clock, type Logger } from "../core/index.ts";
import type { Flow } from "../sip/index.ts";
import type { TrunkState, TrunkStatus } from "./contract.ts";
import type { TrunkAnswer } from "./trunk-answer.ts";
import type { TrunkCounters } from "./trunk-exchange.ts";
import { trunkTable, type TrunkInput } from "./trunk-table.ts";

export interface StandingContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: TrunkCounters;
  readonly onStatus: (dn: string, status: TrunkStatus) => void;
  readonly onStolen: (dn: string, contact: string) => void;
}

/** What the last 200 left at SIP Server. */
interface Registered {
  readonly server: Flow;
  readonly until: number;
  readonly ours: boolean;
}

/** What log and page are told where SIP Server's calls go elsewhere although it takes our REGISTERs. */
const takenOver = "another phone has taken the DN over";

/** Where the registration of one DN stands: its state, and what SIP Server has of it. */
export class TrunkStanding {
  readonly #dn: string;
  readonly #context: StandingContext;
  readonly #machine: StateMachine<TrunkState, TrunkInput>;
  #reason = "";
  #registered: Registered | undefined;
  /** Contact of the phone that has taken the DN over. */
  #foreign: string | undefined;

  constructor(dn: string, context: StandingContext) {
    this.#dn = dn;
    this.#context = context;
    this.#machine = new StateMachine(trunkTable, "idle", context.log.child({ dn }));
  }

  get status(): TrunkStatus {
    return { state: this.state, reason: this.#reason };
  }

  get state(): TrunkState {
    return this.#machine.state;
  }

  /** Whose 200 was the last, expired or not. */
  get server(): Flow | undefined {
    return this.#registered?.server;
  }

  /** Whether that 200 named our contact. */
  get ours(): boolean {
    return this.#registered?.ours ?? false;
  }

  /** Whether what that 200 granted still holds. */
  get valid(): boolean {
    return this.#registered !== undefined && this.#registered.until > this.#context.clock.now();
  }

  /** Whether `server` has granted the registration for longer than now. */
  holdsAt(server: Flow): boolean {
    return this.valid && this.server?.id === server.id;
  }

  /** See `StateMachine.accepts`. */
  accepts(input: TrunkInput): boolean {
    return this.#machine.accepts(input);
  }

  /** Applies `input` where the table has it, with the reason in words, and tells what is new. */
  move(input: TrunkInput, reason: string): void {
    const before = this.status;
    if (!this.accepts(input)) return;
    this.#machine.apply(input);
    const taken = this.state === "in-service" && this.#foreign !== undefined;
    this.#reason = reason === "" && taken ? takenOver : reason;
    if (before.state !== this.state || before.reason !== this.#reason)
      this.#context.onStatus(this.#dn, this.status);
  }

  /** A 200 of `server`'s; the state moves apart from it. */
  granted(server: Flow, answer: Extract<TrunkAnswer, { kind: "accepted" }>): void {
    const until = this.#context.clock.now() + answer.grantedSeconds * 1000;
    this.#registered = { server, until, ours: answer.ours };
    const news = answer.foreign !== undefined && answer.foreign !== this.#foreign;
    this.#foreign = answer.foreign;
    if (!news) return;
    const { counters, log, onStolen } = this.#context;
    counters.stolen++;
    log.warn({ dn: this.#dn, contact: answer.foreign }, takenOver);
    onStolen(this.#dn, answer.foreign);
  }

  /** SIP Server has nothing of ours, or nobody can tell it so. */
  forget(): void {
    this.#registered = undefined;
  }
}

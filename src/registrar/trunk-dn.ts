import type { Flow } from "../sip/index.ts";
import type { TrunkStatus } from "./contract.ts";
import { priorities, type Pacer, type Priority } from "./pacer.ts";
import { RegisterIdentity, type IdentityOptions } from "./register-identity.ts";
import { refreshDelayMs } from "./trunk-answer.ts";
import { TrunkExchange, type ExchangeContext, type TrunkOutcome } from "./trunk-exchange.ts";
import { TrunkRoute } from "./trunk-route.ts";
import { TrunkStanding, type StandingContext } from "./trunk-standing.ts";
import { TrunkTurns } from "./trunk-turns.ts";

/** What all DNs share. */
export interface TrunkContext extends IdentityOptions, ExchangeContext, StandingContext {
  readonly pacer: Pacer<TrunkTurns>;
  readonly refusedBackOffMs: number;
  /** Where SIP Server saw a REGISTER of ours come from (RFC 3261 18.2.1). */
  readonly onReceived: (address: string) => void;
}

/** Longest pause after refusals in a row, in times of the first: an hour where that is ten minutes. */
const maxRefusedBackOffs = 6;
/**
 * Credentials that were refused are tried once more after this, ms: a SIP Server started anew between its challenge and
 * our answer knows nothing of the nonce, and need not say that it is stale.
 */
const secondTryMs = 10_000;
const noServer = "SIP Server does not answer";

/** The registration of one DN at SIP Server. It acts only through the pacer, one REGISTER at a time. */
export class TrunkDn {
  readonly dn: string;
  /** Somebody is signed in. */
  present = false;
  /** Calls that need the DN registered. */
  retained = 0;
  #elsewhere = false;
  readonly #context: TrunkContext;
  readonly #standing: TrunkStanding;
  readonly #identity: RegisterIdentity;
  readonly #route: TrunkRoute;
  readonly #turns: TrunkTurns;
  /** Refusals in a row. */
  #refusals = 0;
  #triedAgain = false;

  /** @throws TypeError when `dn` and the contact's host and port make no SIP URI. */
  constructor(dn: string, context: TrunkContext) {
    this.dn = dn;
    this.#context = context;
    this.#standing = new TrunkStanding(dn, context);
    this.#identity = new RegisterIdentity(dn, context);
    this.#route = new TrunkRoute(context.pool, context.random);
    this.#turns = new TrunkTurns(context.pacer, context.clock, () => this.#onTurn());
  }

  get status(): TrunkStatus {
    return this.#standing.status;
  }

  /** Whether anything is wanted, under way or left at SIP Server. */
  get busy(): boolean {
    return this.#active || this.#turns.busy || this.#mustUnregister;
  }

  /** The server that has the DN in service; undefined while none has. */
  get server(): Flow | undefined {
    return this.#standing.state === "in-service" ? this.#standing.server : undefined;
  }

  /** Whether a registration of the DN still holds at `server`. */
  holdsAt(server: Flow): boolean {
    return this.#standing.holdsAt(server);
  }

  get #active(): boolean {
    return this.present || this.retained > 0;
  }

  /** Only what is surely ours is taken away: any contact clears the DN's binding at SIP Server. */
  get #mustUnregister(): boolean {
    return this.#standing.ours && !this.#active && !this.#elsewhere;
  }

  get #priority(): Priority {
    return this.retained > 0 ? priorities.inCall : priorities.ordinary;
  }

  /**
   * True: its client may have signed in at another gateway, which has then registered the DN. Nothing is sent for it any
   * more: an un-REGISTER would take the other's registration away, a REGISTER the DN itself. False: it came back.
   */
  set elsewhere(elsewhere: boolean) {
    if (elsewhere === this.#elsewhere) return;
    this.#elsewhere = elsewhere;
    if (elsewhere) this.#turns.withdraw();
    else if (this.#active && this.#standing.state === "in-service") this.#turns.ask(this.#priority);
    else this.settle();
  }

  signIn(): void {
    this.present = true;
    this.#elsewhere = false;
    if (this.#standing.state === "in-service") return;
    this.#route.reset();
    this.#forgive();
    this.#register(priorities.signIn);
  }

  /** To be called whenever `present` or `retained` went down; `reason` for the status of one that is let go. */
  settle(reason = ""): void {
    if (this.#active) {
      // A way back that waited for the end of the calls.
      const { current } = this.#context.pool;
      const { server } = this.#standing;
      const away = current && server && server.id !== current.id;
      if (away && this.retained === 0 && this.#standing.state === "in-service")
        this.#turns.ask(priorities.ordinary);
      return;
    }
    this.#turns.withdraw();
    this.#turns.setNext(undefined);
    this.#standing.move("released", reason);
    if (this.#mustUnregister) this.#turns.ask(priorities.ordinary);
  }

  /** The pool has another server in use, or none; see `ServerPoolEvents.moved`. */
  serverMoved(current: Flow | undefined, forced: boolean): void {
    if (!this.#active) return;
    // A DN that SIP Server refuses does not become better by moving; its long pause goes on.
    if (this.#standing.state === "rejected") return;
    if (!current) {
      this.#waitForServer();
    } else if (forced) {
      this.#route.reset();
      // After a gap of a hot-standby pair the other one knows the contact: calls go on at once, and the REGISTER
      // in its turn makes sure of it (genesys-sip-server.md 10).
      const held = this.#standing.holdsAt(current) && this.#standing.ours;
      if (!held) return this.#register(this.#priority);
      this.#standing.move("returned", "");
      this.#turns.ask(this.#priority);
    } else if (this.retained === 0 && this.#standing.state === "in-service") {
      this.#turns.ask(priorities.ordinary);
    }
  }

  /** Forgets all without a word. Idempotent. */
  close(): void {
    this.#turns.close();
    this.#standing.forget();
  }

  #register(priority: Priority): void {
    if (!this.#route.next) return this.#waitForServer();
    this.#standing.move("register", "");
    this.#turns.ask(priority);
  }

  /** No timer: the pool tells when a server answers again, and then all go through the pacer. */
  #waitForServer(): void {
    this.#turns.withdraw();
    if (!this.#standing.accepts("failed")) this.#standing.move("register", "");
    this.#standing.move("failed", noServer);
  }

  #onTurn(): void {
    const { server: former } = this.#standing;
    if (this.#mustUnregister && former) {
      if (this.#context.pool.isUp(former)) return this.#begin("unregister", former);
      // Nobody there to be told; it runs out by itself.
      this.#standing.forget();
    }
    if (!this.#active || this.#elsewhere) return this.#turns.finish();
    const server = this.#route.take();
    if (server) return this.#begin("register", server);
    this.#waitForServer();
    this.#turns.finish();
  }

  #begin(kind: "register" | "unregister", server: Flow): void {
    const onOutcome = (outcome: TrunkOutcome): void => this.#onOutcome(server, outcome);
    this.#turns.begin(new TrunkExchange(kind, server, this.#identity, this.#context, onOutcome));
  }

  #onOutcome(server: Flow, outcome: TrunkOutcome): void {
    switch (outcome.kind) {
      case "accepted":
        return this.#onAccepted(server, outcome);
      case "redirected":
        return this.#onRedirect(server, outcome);
      case "unavailable":
        return this.#retryElsewhere(server, outcome.reason, outcome.retryAfterMs);
      case "refused":
        if (outcome.shuttingDown && this.#active) return this.#leave(server, outcome.reason);
        return this.#refuse(outcome.reason, outcome.challenged);
      case "silent":
        return this.#onSilence(server, outcome.sentAt);
      case "unregistered":
        this.#standing.forget();
        return this.#turns.finish();
    }
  }

  #onSilence(server: Flow, sentAt: number): void {
    const { pool } = this.#context;
    // Before `finish`, so that no other DN is sent to a server that is just found dead.
    const down = pool.unanswered(server, sentAt);
    if (!this.#active || this.#turns.nextDue || (down && !pool.current)) return this.#turns.finish();
    if (down) {
      this.#register(this.#priority);
      return this.#turns.finish();
    }
    this.#retryElsewhere(server, "no answer", undefined);
  }

  #onAccepted(server: Flow, answer: Extract<TrunkOutcome, { kind: "accepted" }>): void {
    const { random, counters } = this.#context;
    counters.accepted++;
    if (answer.grantedSeconds === 0)
      return this.#retryElsewhere(server, "200 OK, but expired at once", undefined);
    if (answer.received !== undefined) this.#context.onReceived(answer.received);
    this.#route.arrived();
    this.#forgive();
    this.#standing.granted(server, answer);
    if (this.#active) {
      this.#standing.move("accepted", "");
      // Signed out and in again while it was under way, or moved: that job comes next and sets its own timer.
      if (!this.#turns.nextDue) {
        const delay = refreshDelayMs(answer.grantedSeconds, random);
        this.#turns.after(delay, () => this.#refresh());
      }
    } else if (this.#mustUnregister) {
      this.#turns.setNext(priorities.ordinary);
    }
    this.#turns.finish();
  }

  #onRedirect(server: Flow, { targets, reason }: Extract<TrunkOutcome, { kind: "redirected" }>): void {
    const target = this.#route.redirected(server, targets);
    if (!target) {
      const named = targets[0]?.raw ?? "nobody";
      const words = `${reason} to ${named}, which is not in sipServer.addresses`;
      return this.#retryElsewhere(server, words, undefined);
    }
    if (this.#active) this.#detour(target);
    this.#turns.finish();
  }

  /** The next server at once if there is one, else the same again later. */
  #retryElsewhere(server: Flow, reason: string, retryAfterMs: number | undefined): void {
    if (!this.#active) return this.#turns.finish();
    this.#route.failed(server);
    // The pool may have moved for this very answer; then that move has asked for the next turn.
    if (this.#turns.nextDue || !this.#context.pool.current) return this.#turns.finish();
    const other = this.#route.another();
    if (other) {
      this.#detour(other);
      return this.#turns.finish();
    }
    this.#turns.after(Math.max(this.#route.pauseMs(), retryAfterMs ?? 0), () => this.#refresh());
    // What was granted before still holds: calls go on coming in while the refresh is tried again.
    if (!this.#standing.valid) this.#standing.move("failed", reason);
    this.#turns.finish();
  }

  /** A server that is about to stop says 603: its peer is asked, and where there is none, that is a refusal. */
  #leave(server: Flow, reason: string): void {
    this.#route.failed(server);
    const other = this.#route.another();
    if (!other) return this.#refuse(reason);
    if (!this.#turns.nextDue) this.#detour(other);
    this.#turns.finish();
  }

  #detour(server: Flow): void {
    this.#route.detour(server);
    this.#turns.setNext(this.#priority);
  }

  #refresh(): void {
    if (this.#standing.state === "in-service" && this.#standing.valid) {
      this.#standing.move("refresh", "");
      this.#turns.ask(this.#priority);
    } else this.#register(this.#priority);
  }

  /** Never un-registered afterwards: there is nothing, and SIP Server would not even answer (404). */
  #refuse(reason: string, challenged = false): void {
    const { counters, log, random } = this.#context;
    counters.refused++;
    this.#standing.forget();
    if (this.#active) {
      log.warn({ dn: this.dn, reason }, "SIP Server refuses the DN");
      // A server that moved or a sign-in that came meanwhile changes nothing about the answer just heard.
      this.#turns.setNext(undefined);
      this.#standing.move("refused", reason);
      this.#turns.after(this.#pauseAfterRefusal(challenged) * (1 + 0.1 * random.fraction()), () =>
        this.#register(this.#priority),
      );
    }
    this.#turns.finish();
  }

  #pauseAfterRefusal(challenged: boolean): number {
    if (challenged && !this.#triedAgain) {
      this.#triedAgain = true;
      return secondTryMs;
    }
    return this.#context.refusedBackOffMs * Math.min(2 ** this.#refusals++, maxRefusedBackOffs);
  }

  #forgive(): void {
    this.#refusals = 0;
    this.#triedAgain = false;
  }
}

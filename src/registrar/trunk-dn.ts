import { StateMachine, type Clock, type Logger, type Timer } from "../core/index.ts";
import type {
  ClientTransaction,
  DigestHeader,
  Flow,
  SipRequest,
  SipResponse,
  SipUri,
  TransactionLayer,
} from "../sip/index.ts";
import { flowNamed } from "./addresses.ts";
import type { TrunkState, TrunkStatus } from "./contract.ts";
import { priorities, type Pacer, type Priority } from "./pacer.ts";
import { RegisterIdentity, type IdentityOptions } from "./register-identity.ts";
import type { ServerPool } from "./server-pool.ts";
import { readTrunkAnswer, refreshDelayMs, type TrunkAnswer } from "./trunk-answer.ts";
import { trunkTable, type TrunkInput } from "./trunk-table.ts";

/** What all DNs share. */
export interface TrunkContext extends IdentityOptions {
  readonly transactions: Pick<TransactionLayer, "request">;
  readonly clock: Clock;
  readonly log: Logger;
  readonly pool: ServerPool;
  readonly pacer: Pacer<TrunkDn>;
  readonly expiresSeconds: number;
  readonly timeoutMs: number;
  readonly refusedBackOffMs: number;
  readonly counters: TrunkCounters;
  readonly onStatus: (dn: string, status: TrunkStatus) => void;
  readonly onStolen: (dn: string, contact: string) => void;
  /** Where SIP Server saw a REGISTER of ours come from (RFC 3261 18.2.1). */
  readonly onReceived: (address: string) => void;
}

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

/** What the last 200 left at SIP Server. */
interface Registered {
  readonly server: Flow;
  readonly until: number;
  readonly ours: boolean;
}

/** One REGISTER of the pacer's, with the repeats it needs (401, 423). */
interface Job {
  readonly kind: "register" | "unregister";
  readonly server: Flow;
  repeats: number;
  sentAt: number;
  transaction: ClientTransaction | undefined;
}

/** Seconds to the next try after the first, second ... passing failure in a row. */
const retrySteps = [5, 10, 20, 40, 60, 120];
/** Repeats of one REGISTER for challenges and 423: two stale nonces and a longer expiry fit in. */
const maxRepeats = 3;
const maxRedirects = 3;
const noServer = "SIP Server does not answer";

/** The registration of one DN at SIP Server. It acts only through the pacer, one REGISTER at a time. */
export class TrunkDn {
  readonly dn: string;
  /** Somebody is signed in. */
  present = false;
  /** Calls that need the DN registered. */
  retained = 0;
  readonly #context: TrunkContext;
  readonly #machine: StateMachine<TrunkState, TrunkInput>;
  readonly #identity: RegisterIdentity;
  #expiresSeconds: number;
  #reason = "";
  #registered: Registered | undefined;
  #job: Job | undefined;
  #again: Priority | undefined;
  #timer: Timer | undefined;
  #failures = 0;
  /** Server to ask next instead of the pool's current one. */
  #detour: Flow | undefined;
  #asked: Flow[] = [];
  #redirects = 0;
  #foreign: string | undefined;

  /** @throws TypeError when `dn` and the contact's host and port make no SIP URI. */
  constructor(dn: string, context: TrunkContext) {
    this.dn = dn;
    this.#context = context;
    this.#machine = new StateMachine(trunkTable, "idle", context.log.child({ dn }));
    this.#identity = new RegisterIdentity(dn, context);
    this.#expiresSeconds = context.expiresSeconds;
  }

  get status(): TrunkStatus {
    return { state: this.#machine.state, reason: this.#reason };
  }

  /** Whether anything is wanted, under way or left at SIP Server. */
  get busy(): boolean {
    return this.#active || this.#job !== undefined || this.#again !== undefined || this.#mustUnregister;
  }

  get #active(): boolean {
    return this.present || this.retained > 0;
  }

  /** Only what is surely ours is taken away: any contact clears the DN's binding at SIP Server. */
  get #mustUnregister(): boolean {
    return this.#registered !== undefined && this.#registered.ours && !this.#active;
  }

  get #priority(): Priority {
    return this.retained > 0 ? priorities.inCall : priorities.ordinary;
  }

  signIn(): void {
    this.present = true;
    if (this.#machine.state === "in-service") return;
    this.#failures = 0;
    this.#asked = [];
    this.#register(priorities.signIn);
  }

  /** To be called whenever `present` or `retained` went down. */
  settle(): void {
    if (this.#active) {
      // A way back that waited for the end of the calls.
      const current = this.#context.pool.current;
      const away = current && this.#registered && this.#registered.server.id !== current.id;
      if (away && this.retained === 0 && this.#machine.state === "in-service")
        this.#enqueue(priorities.ordinary);
      return;
    }
    this.#stopTimer();
    this.#context.pacer.remove(this);
    this.#again = undefined;
    this.#move("released", "");
    if (this.#mustUnregister) this.#enqueue(priorities.ordinary);
  }

  /** The pool has another server in use, or none; see `ServerPoolEvents.moved`. */
  serverMoved(current: Flow | undefined, forced: boolean): void {
    if (!this.#active) return;
    // A DN that SIP Server refuses does not become better by moving; its long pause goes on.
    if (this.#machine.state === "rejected") return;
    if (!current) {
      this.#waitForServer();
    } else if (forced) {
      this.#failures = 0;
      this.#asked = [];
      this.#register(this.#priority);
    } else if (this.retained === 0 && this.#machine.state === "in-service") {
      this.#enqueue(priorities.ordinary);
    }
  }

  /** The pacer's turn for this DN: always followed by exactly one `pacer.done()`. */
  start(): void {
    const { pool, pacer } = this.#context;
    if (this.#mustUnregister && this.#registered) {
      const { server } = this.#registered;
      if (isUp(pool, server)) return this.#begin("unregister", server);
      // Nobody there to be told; it runs out by itself.
      this.#registered = undefined;
    }
    if (!this.#active) return pacer.done();
    const server = this.#detour ?? pool.current;
    this.#detour = undefined;
    if (!server) {
      this.#waitForServer();
      return pacer.done();
    }
    this.#begin("register", server);
  }

  /** Forgets all without a word. Idempotent. */
  close(): void {
    this.#stopTimer();
    this.#job?.transaction?.abandon();
    this.#job = undefined;
    this.#again = undefined;
    this.#registered = undefined;
  }

  #register(priority: Priority): void {
    if (!this.#context.pool.current && !this.#detour) return this.#waitForServer();
    this.#move("register", "");
    this.#enqueue(priority);
  }

  #enqueue(priority: Priority): void {
    this.#stopTimer();
    // RFC 3261 10.2: no new REGISTER before the last one has its answer.
    if (this.#job) this.#again = this.#again === undefined || priority < this.#again ? priority : this.#again;
    else this.#context.pacer.add(this, priority);
  }

  /** No timer: the pool tells when a server answers again, and then all go through the pacer. */
  #waitForServer(): void {
    this.#stopTimer();
    this.#context.pacer.remove(this);
    if (!this.#machine.accepts("failed")) this.#move("register", "");
    this.#move("failed", noServer);
  }

  #begin(kind: Job["kind"], server: Flow): void {
    this.#stopTimer();
    if (kind === "register") this.#context.counters.registers++;
    else this.#context.counters.unregisters++;
    const job: Job = { kind, server, repeats: 0, sentAt: 0, transaction: undefined };
    this.#job = job;
    this.#send(job, this.#identity.nextAuthorization(server));
  }

  #send(job: Job, authorization: DigestHeader | undefined): void {
    const expires = job.kind === "register" ? this.#expiresSeconds : 0;
    const request = this.#identity.request(job.server, expires, authorization);
    job.sentAt = this.#context.clock.now();
    job.transaction = this.#context.transactions.request(
      request,
      job.server,
      {
        onResponse: (response) => {
          if (response.status >= 200 && this.#job === job) this.#onFinal(job, request, response);
        },
        onTimeout: () => this.#onSilence(job),
        onTransportError: () => this.#onSilence(job),
      },
      { timeoutMs: this.#context.timeoutMs },
    );
  }

  #onSilence(job: Job): void {
    if (this.#job !== job) return;
    const { pool, counters } = this.#context;
    counters.timeouts++;
    // Silence upon an un-REGISTER proves nothing: SIP Server gives none for a DN that it no longer has.
    if (job.kind === "unregister") return this.#finishUnregister();
    // Before `#finish`, so that no other DN is sent to a server that is just found dead.
    const down = pool.unanswered(job.server, job.sentAt);
    if (!this.#active || this.#again !== undefined || (down && !pool.current)) return this.#finish();
    if (down) {
      this.#register(this.#priority);
      return this.#finish();
    }
    this.#retryElsewhere(job, "no answer", undefined);
  }

  #onFinal(job: Job, request: SipRequest, response: SipResponse): void {
    this.#context.pool.heard(job.server);
    const answer = readTrunkAnswer(response, this.#identity.contact, this.#expiresSeconds);
    if (answer.kind === "challenged") {
      this.#context.counters.challenges++;
      if (this.#answerChallenge(job, request, response)) return;
    }
    if (job.kind === "unregister") return this.#finishUnregister();
    const reason = `${response.status} ${response.reason}`.trim();
    switch (answer.kind) {
      case "accepted":
        return this.#onAccepted(job, answer, response.topVia.parameters.get("received"));
      case "too-brief":
        if (job.repeats++ >= maxRepeats) return this.#refuse(reason);
        this.#expiresSeconds = answer.minSeconds;
        return this.#send(job, this.#identity.nextAuthorization(job.server));
      case "redirected":
        return this.#onRedirect(job, answer.targets, reason);
      case "unavailable":
        this.#context.counters.unavailable++;
        if (answer.retryAfterMs !== undefined && response.status === 503)
          this.#context.pool.suspend(job.server, answer.retryAfterMs);
        return this.#retryElsewhere(job, reason, answer.retryAfterMs);
      case "challenged":
        return this.#refuse(`${reason}: user name or password of the DN is missing or wrong`);
      case "refused":
        return this.#refuse(response.status === 404 ? `${reason}: DN not configured at SIP Server` : reason);
    }
  }

  #answerChallenge(job: Job, request: SipRequest, response: SipResponse): boolean {
    const header = job.repeats++ < maxRepeats ? this.#identity.answerChallenge(request, response) : undefined;
    if (header) this.#send(job, header);
    return header !== undefined;
  }

  #onAccepted(
    job: Job,
    answer: Extract<TrunkAnswer, { kind: "accepted" }>,
    received: string | undefined,
  ): void {
    const { clock, random, counters } = this.#context;
    counters.accepted++;
    if (answer.grantedSeconds === 0)
      return this.#retryElsewhere(job, "200 OK, but expired at once", undefined);
    const until = clock.now() + answer.grantedSeconds * 1000;
    this.#registered = { server: job.server, until, ours: answer.ours };
    if (received !== undefined) this.#context.onReceived(received);
    this.#failures = 0;
    this.#redirects = 0;
    this.#asked = [];
    this.#noteForeign(answer.foreign);
    if (this.#active) {
      this.#move("accepted", "");
      // Signed out and in again while it was under way, or moved: that job comes next and sets its own timer.
      if (this.#again === undefined) {
        const delay = refreshDelayMs(answer.grantedSeconds, random);
        this.#setTimer(delay, () => this.#refresh());
      }
    } else if (this.#mustUnregister) {
      this.#again = priorities.ordinary;
    }
    this.#finish();
  }

  #noteForeign(foreign: string | undefined): void {
    const news = foreign !== undefined && foreign !== this.#foreign;
    this.#foreign = foreign;
    if (!news) return;
    this.#context.counters.stolen++;
    this.#context.log.warn({ dn: this.dn, contact: foreign }, "another phone has taken the DN over");
    this.#context.onStolen(this.dn, foreign);
  }

  #onRedirect(job: Job, targets: readonly SipUri[], reason: string): void {
    const flows = this.#context.pool.list().map((server) => server.flow);
    // Only servers of the configuration: whoever can forge a 302 must not lead us to a stranger.
    const target = targets
      .map((uri) => flowNamed(uri, flows))
      .find((flow) => flow && flow.id !== job.server.id);
    if (!target || this.#redirects++ >= maxRedirects) {
      const named = targets[0]?.raw ?? "nobody";
      return this.#retryElsewhere(
        job,
        `${reason} to ${named}, which is not in sipServer.addresses`,
        undefined,
      );
    }
    if (this.#active) {
      this.#detour = target;
      this.#again = this.#priority;
    }
    this.#finish();
  }

  /** The next server at once if there is one, else the same again later. */
  #retryElsewhere(job: Job, reason: string, retryAfterMs: number | undefined): void {
    if (!this.#active) return this.#finish();
    this.#asked.push(job.server);
    // The pool may have moved for this very answer; then that move has asked for the next turn.
    if (this.#again !== undefined || !this.#context.pool.current) return this.#finish();
    const other = this.#context.pool.other(this.#asked);
    if (other) {
      this.#detour = other;
      this.#again = this.#priority;
      return this.#finish();
    }
    this.#asked = [];
    const step = (retrySteps[Math.min(this.#failures, retrySteps.length - 1)] ?? 120) * 1000;
    this.#failures++;
    const spread = 1 + 0.2 * this.#context.random.fraction();
    this.#setTimer(Math.max(step * spread, retryAfterMs ?? 0), () => this.#refresh());
    // What was granted before still holds: calls go on coming in while the refresh is tried again.
    if (!this.#stillRegistered) this.#move("failed", reason);
    this.#finish();
  }

  get #stillRegistered(): boolean {
    return this.#registered !== undefined && this.#registered.until > this.#context.clock.now();
  }

  #refresh(): void {
    this.#timer = undefined;
    if (this.#machine.state === "in-service" && this.#stillRegistered) {
      this.#move("refresh", "");
      this.#enqueue(this.#priority);
    } else this.#register(this.#priority);
  }

  /** Never un-registered afterwards: there is nothing, and SIP Server would not even answer (404). */
  #refuse(reason: string): void {
    const { counters, log, random, refusedBackOffMs } = this.#context;
    counters.refused++;
    this.#registered = undefined;
    if (this.#active) {
      log.warn({ dn: this.dn, reason }, "SIP Server refuses the DN");
      // A server that moved or a sign-in that came meanwhile changes nothing about the answer just heard.
      this.#again = undefined;
      this.#move("refused", reason);
      this.#setTimer(refusedBackOffMs * (1 + 0.1 * random.fraction()), () => this.#register(this.#priority));
    }
    this.#finish();
  }

  #finishUnregister(): void {
    this.#registered = undefined;
    this.#finish();
  }

  #finish(): void {
    this.#job = undefined;
    const again = this.#again;
    this.#again = undefined;
    if (again !== undefined) this.#enqueue(again);
    this.#context.pacer.done();
  }

  #move(input: TrunkInput, reason: string): void {
    const before = this.status;
    if (!this.#machine.accepts(input)) return;
    this.#machine.apply(input);
    this.#reason = reason;
    if (before.state !== this.#machine.state || before.reason !== reason)
      this.#context.onStatus(this.dn, this.status);
  }

  #setTimer(delayMs: number, callback: () => void): void {
    this.#stopTimer();
    this.#timer = this.#context.clock.setTimer(delayMs, callback);
  }

  #stopTimer(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }
}

function isUp(pool: ServerPool, server: Flow): boolean {
  return pool.list().some(({ flow, up }) => up && flow.id === server.id);
}

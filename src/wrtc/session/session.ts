import type { Clock, Timer } from "../../core/index.ts";
import type { AgentRegistrar, WrtcPresence } from "../../registrar/index.ts";
import type { ClientCalls, ClientLine } from "../contract.ts";

/** Where a client's requests come from. */
export interface Caller {
  /** Of its connection, without the port. */
  readonly address: string;
  readonly port?: number;
  readonly userAgent: string;
}

/** How a session ended: the status of the polls it leaves behind. 503: the gateway goes, and another may take it. */
export type EndStatus = 200 | 503;

/** The protocol's side of a session. */
export interface SessionUser {
  /** The way to the client. */
  line(presence: WrtcPresence): ClientLine;
  /** It is over; told once. */
  onClosed(status: EndStatus): void;
}

export interface SessionOptions {
  /** For logs and lists; opens nothing. */
  readonly name: string;
  readonly dn: string;
  readonly anonymous: boolean;
  readonly caller: Caller;
  /** ms since 1970-01-01 UTC. */
  readonly since: number;
  readonly user: SessionUser;
  readonly makeCalls: (line: ClientLine) => ClientCalls;
  readonly registrar: Pick<AgentRegistrar, "noteReachable">;
  /** Since its client was last heard of it is over after this, ms. */
  readonly expiryMs: () => number;
  readonly clock: Clock;
  /** It is over, and not because `close` was called. */
  readonly onOver: (cause: "expired" | "dismissed", reason: string) => void;
}

/** Between two polls a client is as good as there, ms; one that had an error polls in 3 s. */
const reachableMs = 5000;
/** The sign-in may be held that long until its answer, ms. */
const firstMs = 15_000;

/** One signed-in client: its presence, its calls, and how long it may be silent. */
export class Session {
  readonly dn: string;
  readonly anonymous: boolean;
  readonly presence: Presence;
  readonly calls: ClientCalls;
  readonly #options: SessionOptions;
  #timer: Timer | undefined;

  constructor(options: SessionOptions) {
    this.dn = options.dn;
    this.anonymous = options.anonymous;
    this.#options = options;
    this.presence = new Presence(options);
    this.calls = options.makeCalls(options.user.line(this.presence));
    this.#waitForPoll(firstMs);
  }

  /** Its client gave a sign of life, and lets no request hang. */
  seen(): void {
    this.polling(true);
    this.polling(false);
  }

  /** From where its last request came. */
  calledFrom(caller: Caller): void {
    this.presence.caller = caller;
  }

  /** A request of its client hangs, or none does any more. */
  polling(polling: boolean): void {
    if (this.presence.gone) return;
    if (!polling) return this.#waitForPoll(reachableMs);
    this.#timer?.clear();
    this.#setReachable(true);
  }

  /** Ends the call, then the rest: what its end tells the client goes still. Idempotent. */
  close(reason: string, status: EndStatus): void {
    if (this.presence.gone) return;
    this.#timer?.clear();
    this.calls.close(reason);
    this.presence.gone = true;
    this.presence.reachable = false;
    this.#options.user.onClosed(status);
  }

  #waitForPoll(patienceMs: number): void {
    const { clock, expiryMs, onOver } = this.#options;
    this.#timer?.clear();
    this.#timer = clock.setTimer(patienceMs, () => {
      this.#setReachable(false);
      const left = Math.max(0, expiryMs() - patienceMs);
      this.#timer = clock.setTimer(left, () => onOver("expired", "client polls no more"));
    });
  }

  #setReachable(reachable: boolean): void {
    if (this.presence.reachable === reachable) return;
    this.presence.reachable = reachable;
    if (!this.anonymous) this.#options.registrar.noteReachable(this.presence);
  }
}

/** The session as the registrar knows it. */
class Presence implements WrtcPresence {
  readonly kind = "wrtc";
  readonly dn: string;
  readonly instance: string;
  readonly since: number;
  readonly allowEvents: readonly string[] = ["talk", "hold"];
  caller: Caller;
  reachable = true;
  gone = false;
  readonly #onOver: SessionOptions["onOver"];

  constructor({ dn, name, since, caller, onOver }: SessionOptions) {
    this.dn = dn;
    this.instance = name;
    this.since = since;
    this.caller = caller;
    this.#onOver = onOver;
  }

  get userAgent(): string {
    return this.caller.userAgent;
  }

  get address(): string {
    const { address, port } = this.caller;
    return port === undefined ? address : `${address}:${port}`;
  }

  dismissed(reason: string): void {
    if (!this.gone) this.#onOver("dismissed", reason);
  }
}

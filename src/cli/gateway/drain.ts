import { StateMachine, type Clock, type Logger, type Timer, type Transitions } from "../../core/index.ts";
import type { B2bua } from "../../b2bua/index.ts";
import type { AgentRegistrar, PacedTrunkRegistrations } from "../../registrar/index.ts";
import type { WebSocketEndpoint } from "../../ws/index.ts";

export type DrainState = "serving" | "draining" | "closing" | "closed";
type DrainInput = "drain" | "cancel" | "close" | "closed";

const table: Transitions<DrainState, DrainInput> = {
  serving: { drain: "draining", close: "closing" },
  draining: { drain: "draining", cancel: "serving", close: "closing" },
  closing: { closed: "closed" },
  closed: {},
};

/** How far a drain is. */
export interface DrainProgress {
  readonly state: DrainState;
  /** That run or are being set up. */
  readonly calls: number;
  /** Clients connected and signed in. */
  readonly pages: number;
  /** DNs that SIP Server has in service here. */
  readonly dns: number;
  /** Until the calls are ended; undefined: they have all the time they want. */
  readonly secondsLeft: number | undefined;
}

/** How a drain ends: without `exit` never by itself, and pages stay. */
export interface DrainOrder {
  /** Pages move, DN by DN, and the gateway closes when all are gone or the time is over. */
  readonly exit?: { readonly seconds: number };
}

export interface DrainParts {
  readonly b2bua: Pick<B2bua, "busy" | "draining" | "size" | "hasCallOn">;
  readonly registrar: Pick<AgentRegistrar, "draining" | "presences" | "letGo">;
  readonly trunkRegistrations: Pick<PacedTrunkRegistrations, "drain" | "holds" | "quiet" | "servers">;
  readonly webSocket: () => Pick<WebSocketEndpoint, "move"> | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Ends what is left, with the reason. */
  readonly close: (reason: string) => void;
}

/** How often it is looked who may move, ms. */
const lookMs = 250;
/** Pages told to move with each look: the next gateway gets 100 a second, and each of them waits a random time before. */
const movesPerLook = 25;
/** What pages read with the close code 1012; the shipped one has words of its own. */
const movedReason = "gateway is restarting: connect again";
const timeIsOver = "gateway is restarting, and the time for running calls is over";

/**
 * Lets a gateway run empty. New calls and sign-ins get 503; idle DNs are un-registered; with `exit` a page is told to
 * connect anew once SIP Server has confirmed that its DN is un-registered, never before: the page registers the DN at the
 * next gateway, and our un-REGISTER would undo that.
 */
export class GatewayDrain {
  readonly #parts: DrainParts;
  readonly #machine: StateMachine<DrainState, DrainInput>;
  #deadline: number | undefined;
  #timer: Timer | undefined;

  constructor(parts: DrainParts) {
    this.#parts = parts;
    this.#machine = new StateMachine(table, "serving", parts.log, "info");
  }

  get state(): DrainState {
    return this.#machine.state;
  }

  /** The gateway closes by itself when it is empty or the time is over. */
  get exits(): boolean {
    return this.state === "draining" && this.#deadline !== undefined;
  }

  get progress(): DrainProgress {
    const { b2bua, trunkRegistrations, clock } = this.#parts;
    const left = this.#deadline === undefined ? undefined : Math.max(0, this.#deadline - clock.now());
    return {
      state: this.state,
      calls: b2bua.size,
      pages: this.#pages.length,
      dns: trunkRegistrations.servers().reduce((sum, { registered }) => sum + registered, 0),
      secondsLeft: left === undefined ? undefined : Math.ceil(left / 1000),
    };
  }

  /** Begins, or sets another deadline; false once the gateway closes. */
  begin({ exit }: DrainOrder = {}): boolean {
    if (!this.#machine.accepts("drain")) return false;
    const { clock, log, b2bua } = this.#parts;
    this.#machine.apply("drain");
    this.#set(true);
    if (!exit) return true;
    this.#deadline = clock.now() + exit.seconds * 1000;
    log.info(
      { calls: b2bua.size, pages: this.#pages.length, seconds: exit.seconds },
      "draining, then closing",
    );
    this.#lookIn(0);
    return true;
  }

  /** Serves again; false once the gateway closes. Pages that moved come back by themselves, or stay where they are. */
  cancel(): boolean {
    if (this.state === "serving") return true;
    if (!this.#machine.accepts("cancel")) return false;
    this.#machine.apply("cancel");
    this.#stop();
    this.#set(false);
    return true;
  }

  /** To be called first when the gateway closes, whoever asked. */
  closing(): void {
    if (this.#machine.accepts("close")) this.#machine.apply("close");
    this.#stop();
  }

  closed(): void {
    if (this.#machine.accepts("closed")) this.#machine.apply("closed");
  }

  #set(draining: boolean): void {
    const { b2bua, registrar, trunkRegistrations } = this.#parts;
    b2bua.draining = draining;
    registrar.draining = draining;
    trunkRegistrations.drain(draining);
  }

  #stop(): void {
    this.#timer?.clear();
    this.#timer = undefined;
    this.#deadline = undefined;
  }

  #lookIn(delayMs: number): void {
    this.#timer?.clear();
    this.#timer = this.#parts.clock.setTimer(delayMs, () => this.#look());
  }

  #look(): void {
    const { b2bua, clock, log, close } = this.#parts;
    this.#moveIdle();
    if (b2bua.size === 0 && this.#pages.length === 0) {
      log.info({}, "drained: no call and no page is left");
      return close("gateway is shutting down");
    }
    const left = (this.#deadline ?? Infinity) - clock.now();
    if (left <= 0) {
      log.warn(
        { calls: b2bua.size, pages: this.#pages.length },
        "the time of the drain is over: calls are ended",
      );
      return close(timeIsOver);
    }
    this.#lookIn(Math.min(lookMs, left));
  }

  get #pages() {
    return this.#parts.registrar.presences().filter(({ reachable }) => reachable);
  }

  #moveIdle(): void {
    const { b2bua, registrar, trunkRegistrations, webSocket } = this.#parts;
    // A SIP Server that does not answer an un-REGISTER holds nobody up.
    const { quiet } = trunkRegistrations;
    let moves = 0;
    for (const presence of this.#pages) {
      if (moves === movesPerLook) return;
      const { dn } = presence;
      const busy =
        presence.kind === "sip" ? !presence.flow || b2bua.hasCallOn(presence.flow) : b2bua.busy(presence);
      if (busy || (trunkRegistrations.holds(dn) && !quiet)) continue;
      moves++;
      for (const { id } of registrar.letGo(presence)) webSocket()?.move({ id }, movedReason);
    }
  }
}

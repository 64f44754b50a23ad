import { callTransitions } from "../../src/b2bua/call/call-state.ts";
import type { Session } from "../../src/sip/index.ts";
import { B2buaBench, type BenchOptions, type FarEnd } from "./b2bua-bench.ts";
import { browserSdp, genesysSdp } from "./descriptions.ts";
import { sideStatistics } from "./side-statistics.ts";

/** How a far end's session, or the gateway's call, stands at a moment of quiet. */
export type Standing = "none" | "being set up" | "established" | "over";

/** One call between a SIP Server and a browser that behave: they acknowledge, answer offers and in-dialog requests. */
export class WholeCall extends B2buaBench {
  /** Errors that came out of a handler, at any of the three stacks. */
  get handlerErrors(): number {
    return [this.layer, this.trunk.layer, this.browser.layer]
      .map(({ counters }) => counters.handlerErrors)
      .reduce((sum, count) => sum + count, 0);
  }

  constructor(options: BenchOptions = {}) {
    super(options);
    answersRequests(this.browser);
    this.#behave();
  }

  #behave(): void {
    answersRequests(this.trunk);
    this.trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(genesysSdp({ version: 2 }));
    this.acknowledgeAfter(0);
  }

  /** SIP Server is killed and knows nothing any more; it comes back after `silentMs`, or never. */
  restartSipServer(silentMs: number | undefined): void {
    const { terms } = this.trunk;
    this.trunk.flow.send = () => {};
    sessionOf(this.trunk)?.close();
    this.trunk.layer.close();
    this.trunk = this.makeSipServer();
    this.trunk.terms = terms;
    this.#behave();
    this.network.drop = (from) => from.startsWith("192.0.2.");
    if (silentMs !== undefined) this.clock.setTimer(silentMs, () => (this.network.drop = () => false));
  }

  #packets = 0;

  /** Sound came from SIP Server's side just now, as a worker tells it every 5 s. */
  hear(): void {
    const session = this.media.opened.at(-1);
    this.#packets += 250;
    if (session && !session.closed)
      session.events.emit("quality", {
        browser: sideStatistics,
        trunk: { ...sideStatistics, packetsReceived: this.#packets },
      });
  }

  /** Moves time; sound comes from SIP Server's side while `sound`. */
  async passWithSound(ms: number, sound: boolean): Promise<void> {
    for (let done = 0; done < ms; done += 5000) {
      if (sound) this.hear();
      await this.clock.advanceAsync(Math.min(5000, ms - done), 250);
    }
  }

  /** SIP Server's ACK of our 200; with the answer where its INVITE brought no offer. */
  acknowledgeAfter(delayMs: number): void {
    this.trunk.user.onAnsweredReceived = ({ cseq }) => {
      const { outgoing } = this.trunk;
      this.clock.setTimer(delayMs, () =>
        outgoing?.session.acknowledge(cseq.sequence, this.offerless ? genesysSdp() : undefined),
      );
    };
  }

  /** SIP Server's INVITE brings no offer. */
  offerless = false;

  /** SIP Server calls; nothing has arrived yet. */
  invite(): void {
    const sdp = this.offerless ? undefined : genesysSdp();
    this.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1003@192.0.2.10:5060>", sdp);
  }

  browserAnswers(): void {
    this.browser.incoming?.accept(browserSdp({ setup: "active", payloads: "111 110" }));
  }

  /** Runs until `done`, for `limitMs` at most; false when it did not come about. */
  async until(done: () => boolean, limitMs: number): Promise<boolean> {
    for (let passed = 0; passed < limitMs && !done(); passed += 10) await this.clock.advanceAsync(10, 10);
    return done();
  }

  get standings(): Record<"gateway" | "sipServer" | "browser", Standing> {
    const [call] = this.b2bua.calls();
    return {
      gateway: call ? standingOfCall(call.state) : this.records.length > 0 ? "over" : "none",
      sipServer: standingOf(this.trunk),
      browser: standingOf(this.browser),
    };
  }

  /** What is left at all three stacks once every timer has had its time. */
  async leftovers(ms = 240_000): Promise<Record<string, number>> {
    await this.clock.advanceAsync(ms, 500);
    const layers = [this.layer, this.trunk.layer, this.browser.layer];
    const dispatchers = [this.dispatcher, this.trunk.dispatcher, this.browser.dispatcher];
    return {
      calls: this.b2bua.size,
      media: this.media.sessions,
      retained: this.retained,
      dialogs: dispatchers.reduce((sum, { size }) => sum + size, 0),
      transactions: layers.reduce((sum, { counts }) => sum + counts.client + counts.server, 0),
      timers: this.clock.pendingTimers,
      handlerErrors: this.handlerErrors,
    };
  }
}

export const noLeftovers = {
  calls: 0,
  media: 0,
  retained: 0,
  dialogs: 0,
  transactions: 0,
  timers: 0,
  handlerErrors: 0,
};

/** The session of whichever INVITE this end has: one it sent, or one it was sent. */
export function sessionOf(end: FarEnd): Session | undefined {
  return end.outgoing?.session ?? end.incoming?.session;
}

function answersRequests(end: FarEnd): void {
  end.user.onRequestReceived = (_request, transaction) => sessionOf(end)?.respond(transaction, 200);
}

function standingOf(end: FarEnd): Standing {
  const session = sessionOf(end);
  if (!session) return "none";
  if (session.state === "terminated") return "over";
  return session.established ? "established" : "being set up";
}

function standingOfCall(state: string): Standing {
  if (state === "established") return "established";
  return state in callTransitions && state !== "ended" ? "being set up" : "over";
}

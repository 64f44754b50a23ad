import { TimeHistogram, type Percentiles } from "./figures.ts";
import type { Profile } from "./browser-end.ts";
import type { JackfieldServer } from "./relay-server.ts";
import { Child } from "./rpc.ts";
import type { SetUpHandlers } from "./set-up-process.ts";

const atOnce = 16;

/** What became of the calls set up during a round. */
export interface SetUpFigures {
  readonly wantedPerSecond: number;
  readonly perSecond: number;
  readonly failed: number;
  /** ICE and DTLS at the browser, ms; its own arithmetic, which is dear, included. */
  readonly handshakeMs: Percentiles;
}

/** Sets calls up at an even pace, ICE and DTLS and all, and ends each as soon as it is up. */
export class SetUps {
  readonly #server: JackfieldServer;
  readonly #profile: Profile;
  readonly #browsers: Child<SetUpHandlers>;
  #next = 1;

  constructor(server: JackfieldServer, profile: Profile, cpus: string | undefined) {
    this.#server = server;
    this.#profile = profile;
    this.#browsers = new Child("./set-up-process.ts", { cpus });
  }

  /** Sets up `perSecond` calls a second until `until` settles. */
  async during(perSecond: number, until: Promise<unknown>): Promise<SetUpFigures> {
    const times = new TimeHistogram();
    let failed = 0;
    const began = performance.now();
    const over = new AbortController();
    const ended = until.then(
      () => over.abort(),
      () => over.abort(),
    );
    const under = new Set<Promise<void>>();
    for (let count = 1; ; count++) {
      const due = began + (count * 1000) / perSecond - performance.now();
      await Promise.race([new Promise((resolve) => setTimeout(resolve, due)), ended]);
      if (under.size >= atOnce) await Promise.race([...under, ended]);
      if (over.signal.aborted) break;
      const one = this.#one().then(
        (ms) => times.add(ms),
        () => void failed++,
      );
      under.add(one);
      void one.finally(() => under.delete(one));
    }
    const seconds = (performance.now() - began) / 1000;
    const done = times.size;
    await Promise.all(under);
    return { wantedPerSecond: perSecond, perSecond: done / seconds, failed, handshakeMs: times.percentiles };
  }

  async #one(): Promise<number> {
    const id = this.#next++;
    const end = await this.#browsers.call("reserve", { id });
    const { guest, call } = await this.#server.child.call("openGuest", end);
    try {
      const ms = await this.#browsers.call("connect", { id, call, profile: this.#profile });
      await this.#server.child.call("guestConnected", { guest });
      return ms;
    } finally {
      await this.#server.child.call("closeGuest", { guest });
      await this.#browsers.call("drop", { id });
    }
  }

  async close(): Promise<void> {
    await this.#browsers.stop();
  }
}

import type { Clock } from "../../src/core/index.ts";
import type { Flow, FlowReceiver } from "../../src/sip/index.ts";

/** Two ends joined by flows that deliver after 1 ms of the clock; `drop` and `arrivals` are the faults on the way. */
export class MemoryNetwork {
  readonly #clock: Clock;
  readonly sent: { from: string; text: string }[] = [];
  /** Returns true to lose a message. */
  drop: (from: string, text: string) => boolean = () => false;
  /** How long each copy of a message is on its way, ms: none is lost, two is a duplicate. */
  arrivals: (from: string) => readonly number[] = () => [1];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A flow from `from` to `to`; what is sent arrives at `receiver` by the flow `back()`. */
  flow(
    from: string,
    to: string,
    receiver: () => FlowReceiver,
    back: () => Flow,
    protocol: Flow["protocol"] = "UDP",
  ): Flow & { open: boolean } {
    const [remoteAddress = "", port = "0"] = to.split(":");
    return {
      id: `${from}>${to}`,
      protocol,
      side: protocol === "WS" || protocol === "WSS" ? "browser" : "trunk",
      reliable: protocol !== "UDP",
      remoteAddress,
      remotePort: Number(port),
      sentBy: from,
      open: true,
      send: (message) => {
        const text = message.toString("utf8");
        this.sent.push({ from, text });
        if (this.drop(from, text)) return;
        for (const delayMs of this.arrivals(from))
          this.#clock.setTimer(delayMs, () =>
            receiver().receive(back(), Buffer.from(text), protocol === "UDP" ? "datagram" : "frame"),
          );
      },
    };
  }

  /** Start lines sent by `from`, in order. */
  startLines(from: string): string[] {
    return this.sent.filter((entry) => entry.from === from).map(({ text }) => text.split("\r\n", 1)[0] ?? "");
  }
}

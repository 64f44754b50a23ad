import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EndpointWire, Exchanged, OrderStream } from "../../../web/src/softphone/endpoint/http.ts";
import { EndpointLink } from "../../../web/src/softphone/endpoint/link.ts";
import type { PageState, Result } from "../../../web/src/softphone/endpoint/wire.ts";
import { settled } from "../phone/support/bench.ts";

class FakeStream implements OrderStream {
  readonly session: string;
  closed = false;
  readonly #listeners = new Map<string, (event: { data?: unknown }) => void>();
  constructor(session: string) {
    this.session = session;
  }
  addEventListener(name: string, listener: (event: { data?: unknown }) => void): void {
    this.#listeners.set(name, listener);
  }
  close(): void {
    this.closed = true;
  }
  tell(name: string, data?: unknown): void {
    this.#listeners.get(name)?.({ data });
  }
}

const idle: PageState = {
  signed_in: false,
  microphone: { muted: false, volume: 100 },
  speaker: { muted: false, volume: 100 },
  call: null,
};

let streams: FakeStream[];
let exchanges: string[];
let exchanged: Exchanged;
let posted: (readonly [session: string, what: string, body: object])[];
let outcome: "taken" | "gone" | "failed";
let result: Promise<Result> | undefined;
let link: EndpointLink;

const last = (): FakeStream => {
  const stream = streams.at(-1);
  if (stream === undefined) throw new Error("no stream");
  return stream;
};

beforeEach(() => {
  vi.useFakeTimers();
  [streams, exchanges, posted] = [[], [], []];
  [exchanged, outcome, result] = [{ session: "s1" }, "taken", undefined];
  const wire: EndpointWire = {
    exchange: async (token) => {
      exchanges.push(token);
      return await Promise.resolve(exchanged);
    },
    open: (session) => {
      const stream = new FakeStream(session);
      streams.push(stream);
      return stream;
    },
    post: async (session, what, body) => {
      posted.push([session, what, body]);
      return await Promise.resolve(outcome);
    },
  };
  link = new EndpointLink(wire, {
    changed: () => undefined,
    carryOut: async ({ id }) => await (result ?? Promise.resolve({ id, ok: true })),
  });
  link.tell(idle);
});
afterEach(() => void vi.useRealTimers());

async function up(): Promise<void> {
  link.begin("token");
  await settled();
  last().tell("open");
  await settled();
}

describe("the line to the gateway", () => {
  it("exchanges the token, is up with the stream, and tells the state then and at each change", async () => {
    link.begin("token");
    expect(link.state.kind).toBe("connecting");
    await settled();
    expect(exchanges).toEqual(["token"]);
    expect(posted).toEqual([]);
    last().tell("open");
    await settled();
    expect(link.state.kind).toBe("up");
    expect(posted).toEqual([["s1", "state", idle]]);
    link.tell({ ...idle });
    await settled();
    expect(posted).toHaveLength(1);
    link.tell({ ...idle, signed_in: true });
    link.tell({ ...idle, signed_in: true, call: null });
    await settled();
    expect(posted.slice(1)).toEqual([["s1", "state", { ...idle, signed_in: true }]]);
  });

  it("answers orders by their numbers, and what is no order not at all", async () => {
    await up();
    last().tell("order", '{"id":3,"order":"sign-out"}');
    last().tell("order", "{");
    await settled();
    expect(posted.slice(1)).toEqual([["s1", "result", { id: 3, ok: true }]]);
  });

  it("tries again after a loss, with growing pauses until it is up, and tells its state anew", async () => {
    await up();
    outcome = "failed";
    for (const pause of [1000, 2000, 5000, 10_000, 10_000]) {
      const tried = posted.length;
      if (pause === 1000) last().tell("error");
      expect(link.state.kind).toBe("lost");
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(posted).toHaveLength(tried);
      await vi.advanceTimersByTimeAsync(1);
      expect(posted).toHaveLength(tried + 1);
    }
    outcome = "taken";
    await vi.advanceTimersByTimeAsync(10_000);
    expect(streams).toHaveLength(2);
    const before = posted.length;
    last().tell("open");
    await settled();
    expect(link.state.kind).toBe("up");
    expect(posted.slice(before)).toEqual([["s1", "state", idle]]);
    expect(exchanges).toEqual(["token"]);
  });

  it("takes a stream that is silent for long as lost", async () => {
    await up();
    await vi.advanceTimersByTimeAsync(40_000);
    const before = posted.length;
    last().tell("alive", "{}");
    await vi.advanceTimersByTimeAsync(49_999);
    expect(posted.slice(before)).toEqual([["s1", "state", idle]]);
    expect(link.state.kind).toBe("up");
    await vi.advanceTimersByTimeAsync(1);
    expect(link.state.kind).toBe("lost");
    expect(last().closed).toBe(true);
  });

  it("takes a state that does not arrive as a loss", async () => {
    await up();
    outcome = "failed";
    link.tell({ ...idle, signed_in: true });
    await settled();
    expect(link.state.kind).toBe("lost");
    expect(last().closed).toBe(true);
  });

  it("tries at once when the network is back", async () => {
    await up();
    last().tell("error");
    link.hurry();
    await settled();
    expect(streams).toHaveLength(2);
    link.hurry();
    await settled();
    expect(streams).toHaveLength(3);
    last().tell("open");
    link.hurry();
    await settled();
    expect(streams).toHaveLength(3);
  });

  it("opens another session by its token when this one has ended, and says so where the token is spent", async () => {
    await up();
    last().tell("error");
    [outcome, exchanged] = ["gone", { session: "s2" }];
    await vi.advanceTimersByTimeAsync(1000);
    expect(last().session).toBe("s2");
    outcome = "taken";
    last().tell("open");
    last().tell("error");
    [outcome, exchanged] = ["gone", { refused: "was used before." }];
    await vi.advanceTimersByTimeAsync(1000);
    expect(link.state).toEqual({ kind: "refused", reason: "was used before." });
    expect(link.session).toBeUndefined();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(exchanges).toHaveLength(3);
  });

  it("goes on with the session of the page before, without a token", async () => {
    link.resume("s0");
    expect(last().session).toBe("s0");
    expect(exchanges).toEqual([]);
    last().tell("error");
    outcome = "gone";
    await vi.advanceTimersByTimeAsync(1000);
    expect(link.state.kind).toBe("refused");
  });

  it("asks again where the gateway did not answer the token", async () => {
    exchanged = undefined;
    link.begin("token");
    await settled();
    expect(link.state.kind).toBe("lost");
    exchanged = { session: "s1" };
    await vi.advanceTimersByTimeAsync(1000);
    expect(last().session).toBe("s1");
  });

  it("stops for good when another page has taken over, and leaves no session", async () => {
    await up();
    last().tell("replaced");
    expect(link.state.kind).toBe("replaced");
    expect(last().closed).toBe(true);
    expect(link.session).toBeUndefined();
    link.tell({ ...idle, signed_in: true });
    link.hurry();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(1);
    expect(posted).toHaveLength(1);
  });

  it("hears nothing of a stream that another has followed", async () => {
    await up();
    const former = last();
    link.begin("token-2");
    await settled();
    former.tell("error");
    former.tell("replaced");
    former.tell("order", '{"id":1,"order":"sign-out"}');
    await settled();
    expect(link.state.kind).toBe("connecting");
    expect(posted).toHaveLength(1);
  });
});

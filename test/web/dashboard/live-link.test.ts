import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LiveLink, type EventStream, type LinkState } from "../../../web/src/dashboard/api/live-link.ts";

class FakeStream implements EventStream {
  closed = false;
  readonly #listeners = new Map<string, (event: { data?: unknown }) => void>();
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

function open() {
  const streams: FakeStream[] = [];
  const states: LinkState["kind"][] = [];
  const heard: string[] = [];
  const may = { retry: true };
  const link = new LiveLink({
    open: () => {
      const stream = new FakeStream();
      streams.push(stream);
      return stream;
    },
    onSnapshot: ({ at }) => heard.push(`snapshot ${at}`),
    onChange: ({ at }) => heard.push(`change ${at}`),
    onState: ({ kind }) => states.push(kind),
    mayRetry: async () => await Promise.resolve(may.retry),
  });
  return { link, streams, states, heard, may };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the live link", () => {
  it("is live with the first snapshot and hands on what comes", () => {
    const { link, streams, states, heard } = open();
    link.start();
    expect(states).toEqual(["connecting"]);
    streams[0]?.tell("snapshot", `{"at":"1"}`);
    streams[0]?.tell("change", `{"at":"2"}`);
    expect(states).toEqual(["connecting", "live"]);
    expect(heard).toEqual(["snapshot 1", "change 2"]);
  });

  it("tries again after a loss, with growing pauses until a snapshot comes", async () => {
    const { link, streams, states } = open();
    link.start();
    for (const pause of [1000, 2000, 5000, 10_000, 10_000]) {
      streams.at(-1)?.tell("error");
      expect(states.at(-1)).toBe("lost");
      const tried = streams.length;
      await vi.advanceTimersByTimeAsync(pause - 1);
      expect(streams).toHaveLength(tried);
      await vi.advanceTimersByTimeAsync(1);
      expect(streams).toHaveLength(tried + 1);
    }
    streams.at(-1)?.tell("snapshot", "{}");
    streams.at(-1)?.tell("error");
    const tried = streams.length;
    await vi.advanceTimersByTimeAsync(1000);
    expect(streams).toHaveLength(tried + 1);
  });

  it("takes a stream that is silent for long as lost", async () => {
    const { link, streams, states } = open();
    link.start();
    streams[0]?.tell("snapshot", "{}");
    await vi.advanceTimersByTimeAsync(30_000);
    streams[0]?.tell("change", "{}");
    await vi.advanceTimersByTimeAsync(30_000);
    expect(states.at(-1)).toBe("live");
    await vi.advanceTimersByTimeAsync(5000);
    expect(states.at(-1)).toBe("lost");
    expect(streams[0]?.closed).toBe(true);
  });

  it("begins anew after news that cannot be read", () => {
    const { link, streams, states, heard } = open();
    link.start();
    streams[0]?.tell("snapshot", "{");
    expect(states.at(-1)).toBe("lost");
    expect(heard).toEqual([]);
  });

  it("tries no more when the login has ended or it was stopped", async () => {
    const { link, streams, may } = open();
    link.start();
    may.retry = false;
    streams[0]?.tell("error");
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(1);
    may.retry = true;
    link.start();
    streams[1]?.tell("error");
    link.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(2);
  });

  it("stays stopped when it is stopped while the login is asked after", async () => {
    const { link, streams } = open();
    link.start();
    streams[0]?.tell("error");
    vi.advanceTimersByTime(1000);
    link.stop();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(streams).toHaveLength(1);
  });

  it("does not listen to a stream it has given up", () => {
    const { link, streams, states } = open();
    link.start();
    link.start();
    streams[0]?.tell("error");
    expect(states.at(-1)).toBe("connecting");
  });
});

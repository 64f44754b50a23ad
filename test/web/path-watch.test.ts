import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PathWatch } from "../../web/src/softphone/phone/path-watch.ts";

class Connection extends EventTarget {
  iceConnectionState = "connected";
  become(state: string): void {
    this.iceConnectionState = state;
    this.dispatchEvent(new Event("iceconnectionstatechange"));
  }
}

let connection: Connection;
let restarts: number;
let watch: PathWatch;

beforeEach(() => {
  vi.useFakeTimers();
  connection = new Connection();
  restarts = 0;
  watch = new PathWatch(connection, () => restarts++);
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the path of a call's sound", () => {
  it.each(["disconnected", "failed"])("is renewed when it is %s, and again until it stands", (state) => {
    connection.become(state);
    expect(restarts).toBe(1);
    vi.advanceTimersByTime(3100);
    expect(restarts).toBe(2);
    connection.become("connected");
    vi.advanceTimersByTime(60_000);
    expect(restarts).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("is left alone while it stands, also when the socket comes back", () => {
    connection.become("checking");
    connection.become("completed");
    watch.renew();
    vi.advanceTimersByTime(60_000);
    expect(restarts).toBe(0);
  });

  it("is renewed at once when the socket comes back while it is broken", () => {
    connection.become("disconnected");
    vi.advanceTimersByTime(1000);
    watch.renew();
    expect(restarts).toBe(2);
  });

  it("is watched no longer than the call lasts", () => {
    connection.become("failed");
    watch.close();
    connection.iceConnectionState = "closed";
    vi.advanceTimersByTime(60_000);
    expect(restarts).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

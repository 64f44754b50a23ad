import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { RelayWatch } from "../../../web/src/softphone/phone/relay-watch.ts";

class Connection extends EventTarget {
  iceGatheringState = "gathering";
  tell(type: string, values: object = {}): void {
    this.dispatchEvent(Object.assign(new Event(type), values));
  }
  complete(): void {
    this.iceGatheringState = "complete";
    this.tell("icegatheringstatechange");
  }
}

let connection: Connection;
let said: string[];
let watch: RelayWatch;

beforeEach(() => {
  vi.useFakeTimers();
  connection = new Connection();
  said = [];
  watch = new RelayWatch(connection, (why) => said.push(why));
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe("a call that may go by TURN servers alone", () => {
  it("goes on with the first of them that answers, whatever becomes of the others", () => {
    connection.tell("icecandidateerror", { errorCode: 701 });
    connection.tell("icecandidate", {
      candidate: { candidate: "candidate:1 1 udp 1 192.0.2.9 49152 typ relay" },
    });
    connection.tell("icecandidateerror", { errorCode: 401 });
    connection.complete();
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([]);
  });

  it.each([
    ["silence", 701, "did not answer"],
    ["wrong or expired credentials", 401, "refused it (401)"],
    ["full", 486, "refused it (486)"],
  ])("is given up when all have failed: %s", (_name, errorCode, words) => {
    connection.tell("icecandidateerror", { errorCode });
    connection.tell("icecandidate", { candidate: null });
    expect(said).toEqual([]);
    connection.complete();
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([expect.stringContaining(`the TURN server, which ${words}.`)]);
  });

  it("is given up after five seconds of silence: browsers wait for longer", () => {
    vi.advanceTimersByTime(4900);
    expect(said).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(said).toHaveLength(1);
    connection.complete();
    expect(said).toHaveLength(1);
  });

  it("is watched no longer than it lasts", () => {
    watch.close();
    connection.complete();
    vi.advanceTimersByTime(60_000);
    expect(said).toEqual([]);
  });
});

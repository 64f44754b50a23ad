import { describe, expect, it } from "vitest";
import { B2buaBench } from "../support/b2bua-bench.ts";

const options = { durationMs: 1000, bytes: 1000, payload: false };

describe("the B2BUA's list of calls", () => {
  it("tells of each running call what it is, and nothing of one that is over", async () => {
    const bench = new B2buaBench();
    expect(bench.b2bua.calls()).toEqual([]);
    await bench.callAgent();
    const since = new Date(bench.clock.wallClock()).toISOString().slice(0, 10);
    expect(bench.b2bua.calls()).toMatchObject([
      { dn: "5001", direction: "to-agent", since: expect.stringContaining(since), captureFile: undefined },
    ]);
    bench.b2bua.close("over");
    expect(bench.b2bua.calls()).toEqual([]);
  });

  it("leads to the call's media by its id, and by no other", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const [call] = bench.b2bua.calls();
    expect(call?.state).toBe("established");
    expect(await bench.b2bua.captureCall("no-such-call", options)).toBeUndefined();
    expect(bench.b2bua.captureOf("no-such-call")).toBeUndefined();
    const asked = bench.b2bua.captureCall(call?.id ?? "", options);
    await expect(asked).rejects.toMatchObject({ refusal: "off" });
    // The file is named after the call.
    expect(bench.media.last.told.at(-1)).toBe(`capture ${call?.id}`);
  });

  it("says of a call that has no media yet that it has none", async () => {
    const bench = new B2buaBench();
    bench.media.open = () => new Promise(() => {});
    await bench.callAgent();
    const [call] = bench.b2bua.calls();
    await expect(bench.b2bua.captureCall(call?.id ?? "", options)).rejects.toMatchObject({
      refusal: "no-media",
    });
  });
});

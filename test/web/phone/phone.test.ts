import { describe, expect, it } from "vitest";
import type { KeptCall } from "../../../web/src/softphone/phone/kept.ts";
import { pastCall } from "../../../web/src/softphone/phone/history.ts";
import { PhoneBench, settled } from "./support/bench.ts";

const KEPT: KeptCall = {
  dn: "5001",
  token: "token",
  direction: "in",
  peer: "1003",
  lines: [],
  since: 1,
  held: false,
  muted: true,
};

describe("a sign-in that the gateway takes no more", () => {
  it("leaves the call that runs, and is over with the last one", async () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    const session = await bench.talk();
    line.refuse(403, "Your sign-in has expired.", true);
    expect(session.isEnded()).toBe(false);
    expect([line.closed, bench.phone.snapshot.dn]).toEqual([false, "5001"]);
    expect(bench.told("notice").at(-1)).toMatchObject({
      text: expect.stringContaining("The call goes on"),
      problem: true,
    });
    expect(bench.told("registration-failed")).toEqual([]);
    session.end("remote");
    expect([line.closed, bench.phone.snapshot.dn, bench.held]).toEqual([true, undefined, false]);
    expect(bench.told("registration-failed")).toMatchObject([{ status: 403, final: true }]);
  });

  it("stays when the gateway takes it again meanwhile", async () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    const session = await bench.talk();
    line.refuse(403, "This number is signed in at another place.", true);
    line.register();
    session.end("remote");
    expect([line.closed, bench.phone.snapshot.dn]).toEqual([false, "5001"]);
  });

  it("is over at once without a call", () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    line.refuse(403, "Your sign-in has expired.", true);
    expect([line.closed, bench.phone.snapshot.dn]).toEqual([true, undefined]);
  });
});

describe("a request that was under way when the connection was lost", () => {
  it("ends no call that talks, and is made anew once the connection is back", async () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    const session = await bench.talk();
    session.onTransportError();
    expect(session.isEnded()).toBe(false);
    line.register();
    line.register();
    expect(session.done).toEqual(["answer", "renegotiate"]);
  });

  it("ends a call that was not answered yet", async () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    await bench.phone.dial("1003");
    line.sessions[0]?.onTransportError();
    expect(line.sessions[0]?.isEnded()).toBe(true);
  });
});

describe("without a connection", () => {
  it("hold, retrieve and transfer are refused: their request would end the call", async () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    const session = await bench.talk();
    line.socket = "lost";
    line.registration = "none";
    for (const refusal of [
      await bench.phone.hold(),
      await bench.phone.retrieve(),
      await bench.phone.transfer("1002"),
    ])
      expect(refusal).toContain("The call goes on");
    expect(session.done).toEqual(["answer"]);
    line.socket = "connected";
    line.registration = "registered";
    expect(await bench.phone.hold()).toBeUndefined();
    expect(session.done).toEqual(["answer", "hold"]);
  });
});

describe("a reload", () => {
  it("keeps that a call was muted, and the new page sends nothing before it is unmuted", async () => {
    const before = new PhoneBench();
    before.signIn();
    await before.talk("1003", { "X-Jackfield-Resume": "token" });
    before.phone.mute(true);
    expect(before.phone.kept).toMatchObject([{ token: "token", muted: true }]);
    const after = new PhoneBench([KEPT]);
    const line = after.signIn();
    await settled();
    line.sessions[0]?.accept();
    expect(after.phone.snapshot.call).toMatchObject({ phase: "talking", muted: true });
    expect(after.copies[0]?.track.enabled).toBe(false);
    after.phone.mute(false);
    expect(line.sessions[0]?.connection.sender?.track?.enabled).toBe(true);
  });

  it("takes each call over once, and lets go of the microphone's copies that no call has, when signed in twice", async () => {
    const bench = new PhoneBench([KEPT]);
    const line = bench.signIn();
    line.register();
    await settled();
    expect(line.sessions).toHaveLength(1);
    expect(bench.copies.filter(({ track }) => !track.stopped)).toHaveLength(1);
  });
});

describe("coming back to a call", () => {
  it("is tried again when the connection was lost meanwhile", async () => {
    const bench = new PhoneBench([KEPT]);
    const line = bench.signIn();
    await settled();
    line.sessions[0]?.onTransportError();
    expect(bench.phone.kept).toEqual([KEPT]);
    expect(bench.told("ended")).toEqual([]);
    line.register();
    await settled();
    line.sessions[1]?.accept();
    expect(bench.phone.snapshot.call).toMatchObject({ phase: "talking", peer: "1003" });
    expect(bench.phone.kept).toEqual([]);
  });
});

describe("another microphone", () => {
  it("is as silent as the call is by then: muted while it was put in place", async () => {
    const bench = new PhoneBench();
    bench.signIn();
    const session = await bench.talk();
    bench.phone.microphoneChanged();
    bench.phone.microphoneChanged();
    await Promise.resolve();
    bench.phone.mute(true);
    await settled();
    expect(session.connection.sender?.track).toBe(bench.copies[2]?.track);
    expect(bench.copies.map(({ track }) => track.stopped)).toEqual([true, true, false]);
    expect(bench.copies[2]?.track.enabled).toBe(false);
  });
});

describe("a call that rings", () => {
  it("is neither muted nor hurt by mute", () => {
    const bench = new PhoneBench();
    const session = bench.signIn().ring("1003");
    bench.phone.mute(true);
    expect(session.isMuted().audio).toBe(false);
  });

  it("answered by click and by talk at once is answered once, and the second copy is let go of", async () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    const session = line.ring("1003");
    const click = bench.phone.answer();
    line.owner.event({ kind: "talk", callId: "call-1" });
    expect(await click).toBeUndefined();
    await settled();
    expect(session.done).toEqual(["answer"]);
    expect(bench.copies.map(({ track }) => track.stopped)).toEqual([false, true]);
  });

  it.each([
    ['SIP;cause=200;text="Call completed elsewhere"', "elsewhere", "was answered by another phone"],
    ['SIP;cause=487;text="caller gave up"', "missed", "Call ended."],
    [undefined, "missed", "Call ended."],
  ])("and is taken back with %s was %s", (reason, outcome, words) => {
    const bench = new PhoneBench();
    bench.signIn().ring("1003").cancel(reason);
    const [ended] = bench.told("ended");
    if (ended?.kind !== "ended") throw new Error("not ended");
    expect(pastCall(ended, 0).outcome).toBe(outcome);
    expect(bench.told("notice").at(-1)).toMatchObject({ text: expect.stringContaining(words) });
  });
});

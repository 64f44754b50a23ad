import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CallHistory } from "../../web/src/softphone/phone/history.ts";
import { Softphone } from "../../web/src/softphone/softphone.ts";
import { PhoneBench } from "./phone/support/bench.ts";

function storage(): Storage {
  const entries = new Map<string, string>();
  return {
    getItem: (key: string) => entries.get(key) ?? null,
    setItem: (key: string, value: string) => void entries.set(key, value),
    removeItem: (key: string) => void entries.delete(key),
    clear: () => entries.clear(),
    key: () => null,
    length: 0,
  };
}

const credentials = { dn: "5001", password: "pw", server: "wss://test/ws", domain: "test" };
let bench: PhoneBench;
let softphone: Softphone;

beforeEach(() => {
  vi.stubGlobal("sessionStorage", storage());
  vi.stubGlobal("document", { hidden: false });
  bench = new PhoneBench();
  softphone = new Softphone(bench.phone, bench.microphone, new CallHistory(sessionStorage), {
    dn: "",
    server: "wss://test/ws",
    domain: "test",
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

/** The browser asks the person for the microphone. @returns the person says yes */
function asked(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.ready = promise;
  return resolve;
}

describe("a sign-in that waits for the person's leave to use the microphone", () => {
  it("is taken back by a sign-out, and the microphone let go of", async () => {
    const allow = asked();
    const done = softphone.signIn(credentials);
    softphone.signOut();
    expect(softphone.snapshot.signingIn).toBe(false);
    allow();
    expect(await done).toContain("came in between");
    expect([bench.lines.length, bench.held]).toEqual([0, false]);
  });

  it("gives way to a later one", async () => {
    const allow = asked();
    const first = softphone.signIn(credentials);
    const second = softphone.signIn({ ...credentials, dn: "5002" });
    allow();
    expect(await first).toContain("came in between");
    expect(await second).toBeUndefined();
    expect(bench.lines).toHaveLength(1);
    expect([softphone.snapshot.signingIn, bench.held]).toEqual([false, true]);
  });

  it("ends no call that came meanwhile", async () => {
    await softphone.signIn(credentials);
    bench.line.register();
    const allow = asked();
    const again = softphone.signIn({ ...credentials, dn: "5002" });
    const session = bench.line.ring("1003");
    allow();
    expect(await again).toContain("There is a call.");
    expect(session.isEnded()).toBe(false);
    expect(softphone.snapshot.notices.alert).toContain("There is a call.");
  });
});

describe("the history", () => {
  it("outlives a number that was mistyped at the next sign-in, and is another number's once that is signed in", async () => {
    await softphone.signIn(credentials);
    bench.line.register();
    bench.line.ring("1003").cancel();
    softphone.signOut();
    await softphone.signIn({ ...credentials, dn: "50001" });
    bench.line.refuse(403, "Wrong number or password.", true);
    await softphone.signIn(credentials);
    bench.line.register();
    expect(softphone.snapshot.history).toMatchObject([{ peer: "1003", outcome: "missed" }]);
    softphone.signOut();
    await softphone.signIn({ ...credentials, dn: "5002" });
    bench.line.register();
    expect(softphone.snapshot.history).toEqual([]);
  });
});

import { beforeEach, describe, expect, it } from "vitest";
import { Mutes } from "../../../web/src/softphone/endpoint/mutes.ts";
import { carryOut, type Carrier } from "../../../web/src/softphone/endpoint/orders.ts";
import { pageState } from "../../../web/src/softphone/endpoint/page-state.ts";
import type { Result, Work } from "../../../web/src/softphone/endpoint/wire.ts";
import { PhoneBench, settled } from "../phone/support/bench.ts";

const by = { dn: "5001", ha1: { user: "u", realm: "r", value: "h" } };
const sound = { microphone: { muted: false, volume: 1 }, speaker: { muted: false, volume: 0.405 } };

let bench: PhoneBench;
let done: unknown[];
let carrier: Carrier;

beforeEach(() => {
  bench = new PhoneBench();
  done = [];
  carrier = {
    phone: bench.phone,
    signIn: async (credentials) => {
      done.push(credentials);
      return await Promise.resolve(undefined);
    },
    signOut: () => void done.push("sign-out"),
    setMicrophone: (change) => void done.push({ microphone: change }),
    setSpeaker: (change) => void done.push({ speaker: change }),
    setOptions: (wanted) => void done.push(wanted),
  };
});

const order = async (work: Work | undefined): Promise<Result> => await carryOut(carrier, { id: 1, work });
const call = async (act: Extract<Work, { order: "call" }>["act"], more = {}): Promise<Result> =>
  await order({ order: "call", act, number: "", digits: "", ...more });
const state = () => pageState(bench.phone.snapshot, sound);

describe("an order", () => {
  it("to sign in is carried out once: who is signed in already stays, with the call", async () => {
    expect(await order({ order: "sign-in", credentials: by })).toEqual({ id: 1, ok: true });
    expect(done).toEqual([by]);
    bench.signIn().ring("1003");
    expect(await order({ order: "sign-in", credentials: by })).toEqual({ id: 1, ok: true });
    expect(done).toHaveLength(1);
    expect(await order({ order: "sign-in", credentials: { ...by, dn: "5002" } })).toMatchObject({
      ok: false,
    });
    expect(done).toHaveLength(1);
  });

  it("to sign in is carried out anew where the sign-in was refused for good", async () => {
    bench.signIn().refuse(403, "expired", true);
    await order({ order: "sign-in", credentials: by });
    expect(done).toEqual([by]);
  });

  it("to sign out is carried out, also where nobody is signed in", async () => {
    expect(await order({ order: "sign-out" })).toEqual({ id: 1, ok: true });
    expect(done).toEqual(["sign-out"]);
  });

  it("for sound and options is handed on", async () => {
    await order({ order: "sound", microphone: { muted: true }, speaker: { volume: 4 } });
    await order({ order: "options", wanted: { noiseSuppression: false } });
    expect(done).toEqual([
      { microphone: { muted: true } },
      { speaker: { volume: 4 } },
      { noiseSuppression: false },
    ]);
  });

  it("answers the call that rings, also beside another, and rejects what is not answered", async () => {
    expect(await call("answer")).toEqual({ id: 1, ok: false, reason: "No call rings." });
    const line = bench.signIn();
    const first = line.ring("1003");
    expect(await call("answer")).toEqual({ id: 1, ok: true });
    const second = line.ring("1004");
    expect(await call("answer")).toEqual({ id: 1, ok: true });
    expect([first.done, second.done]).toEqual([["answer"], ["answer"]]);
    expect(state().call).toMatchObject({ number: "1004", state: "established" });
    await call("hang-up");
    expect(second.done).toEqual(["answer", "terminate"]);
    await call("hold");
    expect(state().call).toMatchObject({ number: "1003", state: "held", direction: "incoming" });
    await call("retrieve");
    expect(first.done).toEqual(["answer", "hold", "unhold"]);
  });

  it("calls a number, and says why not", async () => {
    expect(await call("make", { number: "9196" })).toMatchObject({ ok: false });
    bench.signIn();
    expect(await call("make", { number: "9196" })).toEqual({ id: 1, ok: true });
    await settled();
    expect(state().call).toMatchObject({ number: "9196", state: "dialling", direction: "outgoing" });
  });

  it("that is not known, or goes wrong inside, is answered without what went wrong", async () => {
    expect(await order(undefined)).toMatchObject({ ok: false, reason: expect.stringContaining("Reload") });
    carrier = {
      ...carrier,
      signOut: () => {
        throw new Error("secret");
      },
    };
    bench.signIn();
    const { ok, reason } = await order({ order: "sign-out" });
    expect(ok).toBe(false);
    expect(reason).not.toContain("secret");
  });
});

it("tells volumes in percent, and whether the page is signed in at the gateway", () => {
  expect(state()).toEqual({
    signed_in: false,
    microphone: { muted: false, volume: 100 },
    speaker: { muted: false, volume: 41 },
    call: null,
  });
  bench.signIn();
  expect(state().signed_in).toBe(true);
});

describe("the microphone's mute", () => {
  it("is of all calls and those to come, until it is taken back", async () => {
    const mutes = new Mutes(bench.phone);
    const line = bench.signIn();
    const first = line.ring("1003");
    await bench.phone.answer();
    mutes.set(true);
    expect(first.isMuted().audio).toBe(true);
    const second = line.ring("1004");
    await bench.phone.answer("call-2");
    expect(second.isMuted().audio).toBe(true);
    mutes.set(false);
    expect([first, second].map((one) => one.isMuted().audio)).toEqual([false, false]);
    expect(mutes.muted).toBe(false);
  });

  it("stands before there is a call, and is what the page has when a person mutes there", async () => {
    const mutes = new Mutes(bench.phone, true);
    const line = bench.signIn();
    const session = line.ring("1003");
    await bench.phone.answer();
    expect(session.isMuted().audio).toBe(true);
    bench.phone.mute(false);
    expect(mutes.muted).toBe(false);
    bench.phone.mute(true);
    expect(mutes.muted).toBe(true);
  });
});

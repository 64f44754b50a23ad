import { beforeEach, describe, expect, it } from "vitest";
import { GwsControl, type SipCall, type SipPhone } from "../../../web/src/softphone/gws/control.ts";
import { Bench, settled } from "./support/bench.ts";

const REFUSED = { body: { statusCode: 2, statusMessage: "Not now" } };
const TALKING = ["Hold", "Hangup", "SendDtmf", "InitiateTransfer", "SingleStepTransfer"];

let bench: Bench;
let control: GwsControl;
/** What was done by SIP. */
let sip: string[];
let told: string[];
let calls: SipCall[];

function sipCall(callId: string, phase: string, uuid = callId.toUpperCase(), heldHere = false): SipCall {
  return { callId, phase, heldHere, data: uuid === "" ? [] : [{ label: "Call UUID", value: uuid }] };
}

beforeEach(async () => {
  bench = new Bench();
  sip = [];
  told = [];
  calls = [];
  const done = async (what: string): Promise<undefined> => void sip.push(what);
  const phone: SipPhone = {
    get snapshot() {
      return { call: calls[0], otherCalls: calls.slice(1) };
    },
    dial: (number) => done(`dial ${number}`),
    answer: () => done("answer"),
    reject: () => done("reject"),
    hangUp: () => done("hangUp"),
    hold: () => done("hold"),
    retrieve: () => done("retrieve"),
    transfer: (number) => done(`transfer ${number}`),
    completeTransfer: () => done("completeTransfer"),
    sendDigits: (digits) => done(`digits ${digits}`),
  };
  control = new GwsControl(bench.session, phone, (text) => told.push(text), bench.after);
  await bench.active();
  bench.sent.length = 0;
});

const operations = (): string[] => bench.operations.filter((one) => one.startsWith("POST"));

describe("a call that GWS knows", () => {
  beforeEach(() => {
    calls = [sipCall("a", "talking")];
    bench.call("A", "Established", TALKING);
  });

  it("is held, retrieved, sent digits, transferred and hung up through GWS", async () => {
    await control.hold();
    calls = [sipCall("a", "talking", "A", true)];
    bench.call("A", "Held", ["Retrieve", "Hangup", "SendDtmf", "SingleStepTransfer"]);
    await control.retrieve("a");
    calls = [sipCall("a", "talking")];
    await control.sendDigits("12#");
    await control.transfer("10 02");
    await control.hangUp();
    expect(operations()).toEqual([
      "POST me/calls/A Hold",
      "POST me/calls/A Retrieve",
      "POST me/calls/A SendDtmf",
      "POST me/calls/A SingleStepTransfer",
      "POST me/calls/A Hangup",
    ]);
    expect(bench.sent[2]?.body["digits"]).toBe("12#");
    expect(bench.sent[3]?.body["destination"]).toEqual({ phoneNumber: "1002" });
    expect(sip).toEqual([]);
  });

  it("is controlled by SIP where the operation is not among its capabilities", async () => {
    await control.retrieve();
    await control.completeTransfer();
    expect(operations()).toEqual([]);
    expect(sip).toEqual(["retrieve", "completeTransfer"]);
    expect(told).toEqual([]);
  });

  it("has live buttons by its capabilities, as long as events come", () => {
    const allowed = (): boolean[] =>
      (["hold", "retrieve", "transfer", "sendDigits"] as const).map((act) => control.allows(act, "a"));
    bench.events?.up();
    expect(allowed()).toEqual([true, false, true, true]);
    bench.call("A", "Held", ["SwapCalls", "CompleteTransfer"]);
    expect(allowed()).toEqual([false, true, true, false]);
    expect(control.allows("hold", "unknown there")).toBe(true);
    bench.events?.down();
    expect(allowed()).toEqual([true, true, true, true]);
  });

  it.each<[string, object | Error]>([
    ["refused", REFUSED],
    ["failed with 500", { status: 500, body: "<html>" }],
    ["not to be reached", new TypeError("Failed to fetch")],
  ])("is controlled by SIP, and that is said, when GWS is %s", async (_name, answer) => {
    bench.answers["POST me/calls"] = answer;
    await control.hold();
    await control.transfer("1002");
    expect(sip).toEqual(["hold", "transfer 1002"]);
    expect(told).toHaveLength(2);
    for (const text of told) expect(text).toContain("The phone does it by itself.");
  });

  it("is left alone when GWS refuses what was done meanwhile", async () => {
    bench.answers["POST me/calls"] = REFUSED;
    const done = control.hold();
    calls = [sipCall("a", "talking", "A", true)];
    await done;
    expect(sip).toEqual([]);
    expect(told).toEqual([]);
  });

  it("gets its digits one after the other, also when the first takes longer", async () => {
    const expired = { status: 403, body: { statusMessage: "Missing or invalid Csrf token" } };
    bench.answers["POST me/calls"] = [expired, { body: { statusCode: 0 } }];
    await Promise.all([control.sendDigits("1"), control.sendDigits("2")]);
    expect(bench.sent.flatMap(({ body }) => body["digits"] ?? [])).toEqual(["1", "1", "2"]);
  });

  it("is held by SIP when GWS takes the order and nothing comes of it", async () => {
    await control.hold();
    await bench.pass(3900);
    expect(sip).toEqual([]);
    await bench.pass(300);
    expect(sip).toEqual(["hold"]);
    expect(told.join()).toContain("nothing came of it");
  });

  it("is held by SIP at once when GWS says that it did not work", async () => {
    await control.hold();
    bench.events?.event({ messageType: "ErrorMessage", errorMessage: "Cannot hold" });
    expect(sip).toEqual(["hold"]);
    expect(told.join()).toContain("Cannot hold");
    await bench.pass(10_000);
    expect(sip).toEqual(["hold"]);
  });

  it("is not held again later when the effect was there, and the person has retrieved it", async () => {
    await control.hold();
    calls = [sipCall("a", "talking", "A", true)];
    await bench.pass(200);
    calls = [sipCall("a", "talking")];
    await bench.pass(10_000);
    expect(sip).toEqual([]);
    expect(told).toEqual([]);
  });

  it("is transferred once: not by SIP too when GWS is silent", async () => {
    bench.answers["POST me/calls"] = new DOMException("late", "TimeoutError");
    expect(await control.transfer("1002")).toContain("may still come about");
    expect(sip).toEqual([]);
  });

  it("gets a consult call when another number is dialled, which completes the transfer", async () => {
    await control.dial("1004");
    calls = [sipCall("b", "talking"), sipCall("a", "talking", "A", true)];
    bench.call("A", "Held", ["SwapCalls", "CompleteTransfer"]);
    bench.call("B", "Established", ["SwapCalls", "Hangup"]);
    await control.retrieve("a");
    await control.completeTransfer();
    expect(operations()).toEqual([
      "POST me/calls/A InitiateTransfer",
      "POST me/calls/A SwapCalls",
      "POST me/calls/A CompleteTransfer",
    ]);
    expect(sip).toEqual([]);
  });
});

describe("answering", () => {
  it("waits a moment for GWS to know the call, since the INVITE may come first", async () => {
    calls = [sipCall("a", "ringing")];
    const done = control.answer("a");
    await bench.pass(300);
    expect(operations()).toEqual([]);
    bench.call("A", "Ringing", ["Answer"]);
    await bench.pass(100);
    await done;
    expect(operations()).toEqual(["POST me/calls/A Answer"]);
    expect(sip).toEqual([]);
  });

  it("is done by SIP when GWS never knows the call, and at once when the call has no CallUUID", async () => {
    calls = [sipCall("a", "ringing")];
    const done = control.answer();
    await bench.pass(1600);
    await done;
    expect(sip).toEqual(["answer"]);
    calls = [sipCall("b", "ringing", "")];
    await control.answer();
    expect(sip).toEqual(["answer", "answer"]);
  });

  it("is done by SIP when GWS takes it but no talk comes", async () => {
    calls = [sipCall("a", "ringing")];
    bench.call("A", "Ringing", ["Answer"]);
    await control.answer();
    await bench.pass(4200);
    expect(sip).toEqual(["answer"]);
  });

  it("that talk has done while GWS was waited for is no refusal", async () => {
    calls = [sipCall("a", "ringing")];
    const done = control.answer("a");
    calls = [sipCall("a", "talking")];
    bench.call("A", "Established", TALKING);
    await bench.pass(200);
    expect(await done).toBeUndefined();
    expect([sip, operations()]).toEqual([[], []]);
  });

  it("that SIP Server's talk has done is done once", async () => {
    calls = [sipCall("a", "ringing")];
    bench.call("A", "Ringing", ["Answer"]);
    await control.answer();
    calls = [sipCall("a", "talking")];
    await bench.pass(10_000);
    expect(sip).toEqual([]);
  });
});

describe("dialling", () => {
  it("goes through GWS, blanks left out", async () => {
    expect(await control.dial("(0) 10-02")).toBeUndefined();
    expect(operations()).toEqual(["POST me/devices/d1/calls Dial"]);
    expect(bench.sent[0]?.body["destination"]).toEqual({ phoneNumber: "01002" });
    expect(sip).toEqual([]);
  });

  it("is never done twice: when GWS is silent the person decides", async () => {
    bench.answers["POST me/devices"] = new DOMException("late", "TimeoutError");
    expect(await control.dial("1002")).toContain("may still come");
    expect(sip).toEqual([]);
  });

  it("goes by SIP when GWS refuses, and when nobody is signed in there", async () => {
    bench.answers["POST me/devices"] = REFUSED;
    await control.dial("1002");
    expect(told.join()).toContain("GWS refused: Not now");
    bench.session.signOut();
    await settled();
    await control.dial("1003");
    expect(sip).toEqual(["dial 1002", "dial 1003"]);
    expect(told).toHaveLength(1);
  });
});

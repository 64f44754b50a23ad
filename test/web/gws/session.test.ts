import { beforeEach, describe, expect, it } from "vitest";
import { Bench, DEVICE, settled } from "./support/bench.ts";

const NOT_REGISTERED = {
  body: {
    statusCode: 7,
    failed: [{ channel: "voice", statusCode: 4, statusMessage: "Device '5001' is not registered." }],
  },
};
const DENIED = { status: 403, body: { statusCode: 20, statusMessage: "Access denied" } };
const START = "POST me StartContactCenterSession";
const RESYNC = "GET me?subresources=devices,calls";

let bench: Bench;

beforeEach(() => {
  bench = new Bench();
});

const stage = (): string => bench.session.snapshot.stage;
const problem = (): string => bench.session.snapshot.problem;

describe("signing in", () => {
  it("begins the contact centre session only when the DN is in service at SIP Server", async () => {
    bench.session.line("5001", false);
    await bench.session.signIn({ user: "ann", password: "pw" });
    await settled();
    expect(stage()).toBe("waiting");
    expect(bench.operations).toEqual(["GET me?subresources=features,devices,channels"]);
    bench.session.line("5001", true);
    await settled();
    expect(stage()).toBe("active");
    expect(bench.operations.slice(1)).toEqual([START, RESYNC]);
    expect(bench.sent[1]?.body["channels"]).toEqual(["voice"]);
  });

  it("says what is wrong and stays signed out", async () => {
    bench.answers["GET me"] = { status: 401 };
    await bench.active();
    expect(stage()).toBe("signed-out");
    expect(problem()).toContain("user name and password");
    expect(bench.events).toBeUndefined();
  });

  it("keeps trying while GWS has not heard of the DN, and then says so and leaves it to the person", async () => {
    bench.answers["StartContactCenterSession"] = NOT_REGISTERED;
    await bench.active();
    expect(stage()).toBe("starting");
    expect(problem()).toContain("does not see 5001 registered at SIP Server yet");
    await bench.pass(60_000);
    expect(stage()).toBe("waiting");
    expect(problem()).toContain("Device '5001' is not registered.");
    expect(bench.operations.filter((one) => one === START)).toHaveLength(8);
    bench.answers["StartContactCenterSession"] = {};
    bench.session.start();
    await settled();
    expect(stage()).toBe("active");
    expect(problem()).toBe("");
  });

  it("takes a session that began without chat but with voice, and says what is missing", async () => {
    bench.answers["StartContactCenterSession"] = {
      body: { statusCode: 7, failed: [{ channel: "chat", statusMessage: "No chat" }], succeeded: ["voice"] },
    };
    await bench.active();
    expect(stage()).toBe("active");
    expect(problem()).toContain("No chat");
  });

  it("neither begins nor ends a session that Workspace has begun", async () => {
    const atWork = { ...DEVICE, deviceState: "Active", userState: { state: "Ready", displayName: "Ready" } };
    bench.answers["GET me"] = { body: { user: { devices: [atWork] } } };
    await bench.active();
    expect(stage()).toBe("active");
    bench.session.signOut();
    await settled();
    expect(bench.operations.join()).not.toContain("ContactCenterSession");
  });

  it("is given up when the person signs out meanwhile", async () => {
    bench.session.line("5001", true);
    const done = bench.session.signIn({ user: "ann", password: "pw" });
    bench.session.signOut();
    await done;
    await settled();
    expect(stage()).toBe("signed-out");
    expect(bench.events).toBeUndefined();
    expect(bench.waiting).toBe(0);
  });

  it("comes back by the cookie after a reload, and without a word where that is too old", async () => {
    await bench.session.resume(true);
    expect(bench.sent[0]?.headers).not.toHaveProperty("authorization");
    expect(stage()).toBe("waiting");
    expect(bench.session.snapshot.userName).toBe("ann");
    const late = new Bench();
    late.answers["GET me"] = DENIED;
    await late.session.resume(true);
    expect(late.session.snapshot).toMatchObject({ stage: "signed-out", problem: "" });
  });
});

describe("signing out", () => {
  it("ends the contact centre session, the events and every timer", async () => {
    await bench.active();
    bench.session.line(undefined, false);
    await settled();
    expect(bench.operations.at(-1)).toBe("POST me EndContactCenterSession");
    expect(stage()).toBe("signed-out");
    expect([bench.eventsClosed, bench.waiting]).toEqual([1, 0]);
    bench.call("A", "Ringing", []);
    bench.events?.up();
    await settled();
    expect(stage()).toBe("signed-out");
  });
});

describe("a microphone that is lost", () => {
  const device = (state: string): void =>
    bench.events?.event({
      messageType: "DeviceStateChangeMessage",
      devices: [{ ...DEVICE, deviceState: "Active", userState: { state } }],
    });

  it("makes an agent who is ready not ready, and nobody else", async () => {
    expect(await bench.session.headsetLost()).toBeUndefined();
    await bench.active();
    for (const state of ["NotReady", "AfterCallWork"]) {
      device(state);
      expect(await bench.session.headsetLost()).toBeUndefined();
    }
    expect(bench.operations.join()).not.toContain("NotReady");
    device("Ready");
    expect(await bench.session.headsetLost()).toContain("you are not ready");
    expect(bench.operations).toContain("POST me/channels/voice NotReady");
    bench.answers["POST me/channels/voice"] = { body: { statusCode: 2, statusMessage: "Not now" } };
    expect(await bench.session.headsetLost()).toContain("could not be made not ready");
  });
});

describe("events", () => {
  it("tell calls, devices and errors; what cannot be read is left out", async () => {
    await bench.active();
    const errors: string[] = [];
    bench.session.onError((text) => errors.push(text));
    bench.call("A", "Ringing", ["Answer"]);
    bench.events?.event({ messageType: "CallStateChangeMessage", call: 7 });
    expect(bench.session.find("a")?.capabilities).toEqual(["Answer"]);
    const userState = { state: "Ready", displayName: "Ready" };
    const devices = [{ ...DEVICE, userState }, { id: "another" }];
    bench.events?.event({ messageType: "DeviceStateChangeMessage", devices });
    expect(bench.session.snapshot.device?.state).toBe("Ready");
    bench.events?.event({ messageType: "ErrorMessage", errorMessage: "Invalid destination" });
    expect(errors).toEqual(["Invalid destination"]);
    expect(problem()).toContain("Invalid destination");
  });

  it("that were missed are made good by asking for devices and calls", async () => {
    await bench.active();
    bench.events?.up();
    await settled();
    bench.call("over", "Established", []);
    bench.events?.down();
    expect(bench.session.snapshot.live).toBe(false);
    await settled();
    bench.answers["GET me"] = { body: { user: { devices: [DEVICE], calls: [{ id: "B", state: "Held" }] } } };
    bench.events?.up();
    await settled();
    expect(bench.session.snapshot.live).toBe(true);
    expect(bench.session.snapshot.calls.map(({ id }) => id)).toEqual(["B"]);
  });

  it("that come back while an answer is on its way make it ask again", async () => {
    await bench.active();
    const before = bench.operations.length;
    bench.events?.down();
    bench.events?.up();
    await settled();
    expect(bench.operations.slice(before)).toEqual([RESYNC, RESYNC]);
  });
});

describe("a GWS in trouble", () => {
  it("is asked again, and what it said before stays", async () => {
    await bench.active();
    bench.call("A", "Established", ["Hold"]);
    bench.answers["GET me"] = { status: 500, body: "<html>" };
    bench.events?.up();
    await settled();
    expect(stage()).toBe("active");
    expect(problem()).toContain("error of its own (500)");
    expect(bench.session.find("A")).toBeDefined();
    bench.answers["GET me"] = { body: { user: { devices: [DEVICE], calls: [{ id: "A", state: "Held" }] } } };
    await bench.pass(5000);
    expect(problem()).toBe("");
    expect(bench.session.find("A")?.state).toBe("Held");
  });

  it("that has forgotten the sign-in is told, whatever was asked", async () => {
    await bench.active();
    bench.answers["GET me"] = DENIED;
    bench.answers["POST me/channels/voice"] = DENIED;
    expect(await bench.session.setState("Ready")).toContain("does not accept");
    expect(stage()).toBe("signed-out");
    expect(problem()).toContain("sign-in at GWS has ended");
    expect([bench.eventsClosed, bench.waiting]).toEqual([1, 0]);
  });

  it("that forbids one thing only ends nothing", async () => {
    await bench.active();
    bench.answers["POST me/channels/voice"] = DENIED;
    expect(await bench.session.setState("AuxWork")).toContain("does not accept");
    expect(stage()).toBe("active");
  });

  it("is asked now and then, so that it does not forget the sign-in", async () => {
    await bench.active();
    const before = bench.operations.length;
    await bench.pass(1_300_000);
    expect(bench.operations.slice(before)).toEqual([RESYNC, RESYNC]);
  });
});

describe("what is asked of GWS", () => {
  it("is written as documented", async () => {
    await bench.active();
    const before = bench.sent.length;
    await bench.session.setState("NotReady");
    await bench.session.dial("1002");
    await bench.session.operate("0ABC", "Answer");
    expect(bench.sent.slice(before).filter(({ method }) => method === "POST")).toMatchObject([
      { path: "me/channels/voice", body: { operationName: "NotReady" } },
      { path: "me/devices/d1/calls", body: { operationName: "Dial", destination: { phoneNumber: "1002" } } },
      { path: "me/calls/0ABC", body: { operationName: "Answer" } },
    ]);
  });
});

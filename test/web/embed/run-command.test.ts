import { beforeEach, describe, expect, it } from "vitest";
import type { CallInfo, Command, Mode, Status } from "../../../web/sdk/protocol.ts";
import { runCommand, type Commanded } from "../../../web/src/softphone/embed/run-command.ts";
import type { Refusal } from "../../../web/src/softphone/phone/call-control.ts";

let done: string[];
let refusal: Refusal;
let status: { -readonly [K in keyof Status]: Status[K] };

function callOf(call_id: string, more: Partial<CallInfo> = {}): CallInfo {
  const quiet = { muted: false, held: false, held_by_peer: false, data: [] };
  return { call_id, direction: "in", state: "talking", peer: "1003", ...quiet, ...more };
}

/** A phone that writes down what it is told to do. */
function act(name: string): (...what: unknown[]) => Promise<Refusal> {
  return async (...what) => {
    done.push([name, ...what].join(" "));
    return refusal;
  };
}

const phone: Commanded = {
  control: {
    dial: async (number) => {
      status.calls = [callOf("made", { direction: "out", state: "calling" }), ...status.calls];
      return await act("dial")(number);
    },
    answer: act("answer"),
    reject: act("reject"),
    hangUp: act("hangUp"),
    hold: act("hold"),
    retrieve: act("retrieve"),
    transfer: act("transfer"),
    completeTransfer: act("completeTransfer"),
    sendDigits: act("sendDigits"),
  },
  status: () => status,
  signIn: (by) => act("signIn")(JSON.stringify(by)),
  signOut: () => void done.push("signOut"),
  mute: (on, callId) => void done.push(`mute ${on} ${callId}`),
  setSound: (sound) => void done.push(JSON.stringify(sound)),
  setWorkspaceOptions: (options) => void done.push(`options ${JSON.stringify(options)}`),
  setMode: (mode: Mode) => {
    if (refusal === undefined) status.mode = mode;
    return refusal;
  },
};

beforeEach(() => {
  done = [];
  refusal = undefined;
  status = {
    dn: "5001",
    connection: "connected",
    registration: "registered",
    sip_server: { state: "in-service", reason: "" },
    mode: "phone",
    calls: [],
  };
});

/** What became of it: its result, or code and words of its refusal. */
async function run(name: Command["name"], data: object = {}): Promise<unknown> {
  try {
    return await runCommand(phone, { name, data } as Command);
  } catch (error) {
    return error instanceof Error ? [Reflect.get(error, "code"), error.message] : error;
  }
}

describe("commands for a call", () => {
  beforeEach(() => {
    status.calls = [callOf("a"), callOf("b", { held: true }), callOf("c", { state: "ringing" })];
  });

  it.each<[Command["name"], object, string]>([
    ["answer_call", { call_id: "c" }, "answer c"],
    ["hangup", {}, "hangUp a"],
    ["hangup", { call_id: "c" }, "reject c"],
    ["hold", {}, "hold a"],
    ["retrieve", { call_id: "b" }, "retrieve b"],
    ["mute", {}, "mute true a"],
    ["unmute", { call_id: "b" }, "mute false b"],
    ["send_dtmf", { digits: "1*#" }, "sendDigits 1*# a"],
    ["transfer", { number: "5002" }, "transfer 5002 a"],
    ["transfer", { to_call_id: "b" }, "completeTransfer a b"],
    ["transfer", { to_call_id: "a", call_id: "b" }, "completeTransfer b a"],
  ])("act on the one that is shown, or the one named: %s %j", async (name, data, expected) => {
    expect(await run(name, data)).toEqual({});
    expect(done).toEqual([expected]);
  });

  it("are refused where there is no such call", async () => {
    expect(await run("hold", { call_id: "x" })).toMatchObject(["no_such_call", expect.any(String)]);
    expect(await run("transfer", { to_call_id: "x" })).toMatchObject(["no_such_call", expect.any(String)]);
    expect(await run("transfer", { to_call_id: "a" })).toMatchObject(["no_such_call", expect.any(String)]);
    status.calls = [];
    expect(await run("hangup")).toMatchObject(["no_such_call", expect.any(String)]);
    expect(done).toEqual([]);
  });

  it("are refused in the phone's own words where the phone cannot", async () => {
    refusal = "No call rings.";
    expect(await run("answer_call")).toEqual(["refused", "No call rings."]);
    expect(await run("mute", { call_id: "c" })).toEqual(["refused", "The call is not answered yet."]);
  });

  it("are refused in audio-only mode, mute among them, and dialling", async () => {
    status.mode = "audio";
    for (const name of ["answer_call", "hangup", "hold", "retrieve", "mute", "unmute"] as const)
      expect(await run(name)).toMatchObject(["audio_only", expect.stringContaining("desktop")]);
    expect(await run("send_dtmf", { digits: "1" })).toMatchObject(["audio_only", expect.any(String)]);
    expect(await run("transfer", { number: "1" })).toMatchObject(["audio_only", expect.any(String)]);
    expect(await run("make_call", { number: "1" })).toMatchObject(["audio_only", expect.any(String)]);
    expect(done).toEqual([]);
    expect(await run("get_status")).toBe(status);
    expect(await run("sign_out")).toEqual({});
  });
});

describe("making a call", () => {
  it("gives the id of the call that was made", async () => {
    status.calls = [callOf("old", { direction: "out" })];
    expect(await run("make_call", { number: "5002" })).toEqual({ call_id: "made" });
    expect(done).toEqual(["dial 5002"]);
  });

  it("is refused while nobody is signed in or the gateway is out of reach", async () => {
    status.registration = "registering";
    expect(await run("make_call", { number: "1" })).toMatchObject(["not_signed_in", expect.any(String)]);
    delete status.dn;
    expect(await run("make_call", { number: "1" })).toMatchObject(["not_signed_in", expect.any(String)]);
    expect(await run("hold")).toMatchObject(["not_signed_in", expect.any(String)]);
    expect(done).toEqual([]);
  });
});

describe("signing in", () => {
  it("takes number and password, or a token, and says that it is under way", async () => {
    expect(await run("sign_in", { token: "t" })).toEqual({});
    expect(done).toEqual(['signIn {"token":"t"}']);
    refusal = "The microphone is blocked.";
    expect(await run("sign_in", { token: "t" })).toEqual(["refused", "The microphone is blocked."]);
  });

  it("is refused while there is a call, which it would end", async () => {
    status.calls = [callOf("a")];
    expect(await run("sign_in", { token: "t" })).toMatchObject(["refused", expect.stringContaining("call")]);
    expect(done).toEqual([]);
  });
});

describe("configuring", () => {
  it("changes the mode, unless the gateway's configuration does not let it", async () => {
    expect(await run("configure", { mode: "audio", ring_volume: 0 })).toEqual({ mode: "audio" });
    expect(done).toEqual(['{"ring_volume":0}']);
    refusal = "The gateway's configuration says audio-only.";
    expect(await run("configure", { mode: "phone" })).toMatchObject(["refused", refusal]);
    expect(status.mode).toBe("audio");
  });

  it("hands Workspace's options on as they are", async () => {
    await run("configure", { workspace_options: { "policy.session.auto_answer": "0" } });
    expect(done).toEqual(['options {"policy.session.auto_answer":"0"}', "{}"]);
  });
});

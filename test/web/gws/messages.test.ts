import { describe, expect, it } from "vitest";
import { GwsCalls } from "../../../web/src/softphone/gws/calls.ts";
import { readCall, readEvent, readMe, type GwsCall } from "../../../web/src/softphone/gws/messages.ts";
import { readGwsSettings } from "../../../web/src/softphone/gws/settings.ts";

const UUID = "012PUFMMS0ASNAK48O7GK2LAES000004";

/** As documented for Dial. */
const DIALING = {
  notificationType: "StatusChange",
  messageType: "CallStateChangeMessage",
  call: {
    id: UUID,
    state: "Dialing",
    callUuid: UUID,
    connId: "007102719260b004",
    participants: [{ e164Number: "", formattedPhoneNumber: "15002", phoneNumber: "15002", digits: "15002" }],
    dnis: "15002",
    callType: "Internal",
    capabilities: ["SendDtmf", "Hangup"],
    userData: { Product: "Guitars", Nested: { a: 1 } },
  },
  phoneNumber: "15000",
};

describe("an event", () => {
  it("of a call is read with its participants, data and capabilities", () => {
    expect(readEvent(DIALING)).toEqual({
      kind: "call",
      call: {
        id: UUID,
        state: "Dialing",
        participants: ["15002"],
        dnis: "15002",
        callType: "Internal",
        capabilities: ["SendDtmf", "Hangup"],
        userData: [
          { label: "Product", value: "Guitars" },
          { label: "Nested", value: '{"a":1}' },
        ],
      },
    });
  });

  it("of older releases names participants by number alone", () => {
    expect(readCall({ ...DIALING.call, participants: ["5001"] })?.participants).toEqual(["5001"]);
  });

  it("of devices is read with the agent's state", () => {
    const userState = { id: "900D", displayName: "Not Ready", state: "NotReady" };
    const devices = [{ id: "d1", deviceState: "Active", userState, phoneNumber: "5005" }];
    expect(readEvent({ messageType: "DeviceStateChangeMessage", devices })).toEqual({
      kind: "devices",
      devices: [{ id: "d1", phoneNumber: "5005", active: true, state: "NotReady", stateName: "Not Ready" }],
    });
  });

  it("that is an error has words, whatever the field is called", () => {
    const error = (more: object): unknown => readEvent({ messageType: "ErrorMessage", ...more });
    expect(error({ errorMessage: "Invalid number", errorCode: 71 })).toEqual({
      kind: "error",
      text: "Invalid number (71)",
    });
    expect(error({ statusMessage: "Busy" })).toMatchObject({ text: "Busy" });
    expect(error({})).toMatchObject({ text: "no reason given" });
  });

  it("that cannot be read is nothing, and never an exception", () => {
    const broken = [
      undefined,
      null,
      7,
      "CallStateChangeMessage",
      [],
      {},
      { messageType: "SomethingNew" },
      { messageType: "CallStateChangeMessage" },
      { messageType: "CallStateChangeMessage", call: "x" },
      { messageType: "CallStateChangeMessage", call: { id: {} } },
    ];
    for (const one of broken) expect(readEvent(one)).toBeUndefined();
    const odd = { id: "1", state: 5, participants: "5001", capabilities: {}, userData: ["a"], dnis: null };
    expect(readCall(odd)).toEqual({
      id: "1",
      state: "5",
      participants: [],
      dnis: "",
      callType: "",
      capabilities: [],
      userData: [],
    });
  });

  it("is cut to what can be shown", () => {
    const userData = Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, "x".repeat(5000)]));
    const call = readCall({ id: "1", userData, participants: Array.from({ length: 500 }, () => "5001") });
    expect(call?.userData).toHaveLength(60);
    expect(call?.userData[0]?.value).toHaveLength(300);
    expect(call?.participants).toHaveLength(20);
  });
});

describe("the answer to GET me", () => {
  it("has its lists at its top or within `user`", () => {
    const lists = { devices: [{ id: "d1" }], calls: [{ id: "c1" }, {}] };
    for (const body of [
      { statusCode: 0, ...lists },
      { statusCode: 0, user: { userName: "ann", ...lists } },
    ]) {
      expect(readMe(body).devices.map(({ id }) => id)).toEqual(["d1"]);
      expect(readMe(body).calls.map(({ id }) => id)).toEqual(["c1"]);
    }
    expect(readMe("<html>")).toEqual({ userName: "", devices: [], calls: [] });
  });
});

describe("settings", () => {
  it("are none without an address, and have the usual values", () => {
    expect(readGwsSettings(null)).toBeUndefined();
    expect(readGwsSettings({ url: "nonsense" })).toBeUndefined();
    expect(readGwsSettings({ url: "https://gws.test:8443/x" })).toEqual({
      url: "https://gws.test:8443",
      api: "/api/v2",
      cometd: "/genesys/cometd",
      channels: ["voice"],
      transports: ["websocket", "long-polling"],
      callControl: "gws",
      states: ["Ready", "NotReady"],
      dtmfField: "digits",
      keepAliveSeconds: 600,
    });
  });
});

describe("the calls", () => {
  const call = (id: string, state: string): GwsCall => {
    const read = readCall({ id, state });
    if (read === undefined) throw new Error("no call");
    return read;
  };
  const states = (calls: GwsCalls): string[] => calls.all.map(({ id, state }) => `${id} ${state}`);

  it("are found by X-Genesys-CallUUID, in capitals or not", () => {
    const calls = new GwsCalls();
    calls.apply(call(UUID, "Ringing"));
    expect(calls.find(UUID.toLowerCase())?.id).toBe(UUID);
    expect(calls.find("another")).toBeUndefined();
  });

  it("follow events, and end with Released", () => {
    const calls = new GwsCalls();
    for (const state of ["Ringing", "Established"]) calls.apply(call("A", state));
    calls.apply(call("B", "Dialing"));
    expect(states(calls)).toEqual(["A Established", "B Dialing"]);
    calls.apply(call("A", "Released"));
    expect(states(calls)).toEqual(["B Dialing"]);
  });

  it("take a list in place of what is known, but for what events told since it was asked for", () => {
    const calls = new GwsCalls();
    calls.apply(call("gone", "Established"));
    calls.apply(call("ends", "Established"));
    calls.asked();
    calls.apply(call("new", "Ringing"));
    calls.apply(call("ends", "Released"));
    calls.apply(call("moves", "Established"));
    calls.answered([call("ends", "Established"), call("moves", "Ringing"), call("kept", "Held")]);
    expect(states(calls).sort()).toEqual(["kept Held", "moves Established", "new Ringing"]);
  });

  it("come back by no late event, and are bounded", () => {
    const calls = new GwsCalls();
    calls.apply(call("A", "Released"));
    calls.apply(call("A", "Ringing"));
    expect(calls.all).toEqual([]);
    for (let at = 0; at < 500; at++) calls.apply(call(`n${at}`, "Ringing"));
    expect(calls.all).toHaveLength(20);
    for (let at = 0; at < 500; at++) calls.apply(call(`n${at}`, "Released"));
    expect(calls.all).toEqual([]);
  });
});

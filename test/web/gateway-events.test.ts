import { describe, expect, it } from "vitest";
import { callerData } from "../../web/src/caller-data.ts";
import { gatewayEvent } from "../../web/src/gateway-events.ts";

function notify(
  headers: Record<string, string>,
  body = "",
): { body: string; getHeader(name: string): string | undefined } {
  return { body, getHeader: (name) => headers[name] };
}

describe("what the gateway tells by NOTIFY", () => {
  it("is the registration at SIP Server", () => {
    const event = { Event: "x-jackfield-trunk" };
    expect(gatewayEvent(notify(event, '{"state":"backing-off","reason":"503"}'))).toEqual({
      kind: "trunk",
      state: "backing-off",
      reason: "503",
    });
    expect(gatewayEvent(notify(event, '{"state":"in-service"}'))).toMatchObject({
      state: "in-service",
      reason: "",
    });
  });

  it.each(["", "{", "null", "[]", '"in-service"', '{"state":5}', '{"state":"gone"}'])(
    "is disregarded when its body is %s",
    (body) => {
      expect(gatewayEvent(notify({ Event: "x-jackfield-trunk" }, body))).toBeUndefined();
    },
  );

  it("is how a call sounds, of the call meant and where it is known", () => {
    const event = { Event: "x-jackfield-quality", "X-Jackfield-Call-ID": "abc" };
    expect(gatewayEvent(notify(event, '{"mos":4.3,"roundTripMs":12,"lossPercent":0,"toTrunk":{}}'))).toEqual({
      kind: "quality",
      callId: "abc",
      quality: { mos: 4.3, roundTripMs: 12, lossPercent: 0 },
    });
    for (const body of ["", "{", "{}", "null", "[]", '{"mos":"4"}', '{"mos":null}'])
      expect(gatewayEvent(notify(event, body))).toEqual({
        kind: "quality",
        callId: "abc",
        quality: undefined,
      });
    expect(gatewayEvent(notify({ Event: "x-jackfield-quality" }, '{"mos":4.3}'))).toBeUndefined();
  });

  it("is remote control only with the Call-ID of the call meant", () => {
    expect(gatewayEvent(notify({ Event: "Talk;id=1", "X-Jackfield-Call-ID": " abc " }))).toEqual({
      kind: "talk",
      callId: "abc",
    });
    expect(gatewayEvent(notify({ Event: "hold", "X-Jackfield-Call-ID": "abc" }))?.kind).toBe("hold");
    expect(gatewayEvent(notify({ Event: "beep", "X-Jackfield-Call-ID": "abc" }))?.kind).toBe("beep");
    expect(gatewayEvent(notify({ Event: "talk" }))).toBeUndefined();
    expect(gatewayEvent(notify({ Event: "beep" }))).toBeUndefined();
    expect(gatewayEvent(notify({ Event: "presence", "X-Jackfield-Call-ID": "abc" }))).toBeUndefined();
    expect(gatewayEvent(notify({}))).toBeUndefined();
  });
});

describe("what the gateway tells of a call", () => {
  const event = { Event: "x-jackfield-call", "X-Jackfield-Call-ID": "abc" };

  it.each([
    ['{"callUuid":"U2"}', { callUuid: "U2", farRings: undefined }],
    ['{"far":"ringing"}', { callUuid: undefined, farRings: true }],
    ['{"far":"connected","callUuid":7}', { callUuid: undefined, farRings: false }],
    ['{"far":"gone"}', { callUuid: undefined, farRings: undefined }],
  ])("is %s", (body, news) => {
    expect(gatewayEvent(notify(event, body))).toEqual({ kind: "call", callId: "abc", news });
  });

  it.each(["", "{", "null", "7"])("is disregarded when its body is %j", (body) => {
    expect(gatewayEvent(notify(event, body))).toBeUndefined();
    expect(gatewayEvent(notify({ Event: "x-jackfield-call" }, "{}"))).toBeUndefined();
  });
});

describe("messages that wait", () => {
  it.each([
    [
      "Messages-Waiting: yes\r\nMessage-Account: sip:5001@x\r\nVoice-Message: 2/8 (0/2)\r\n",
      { waiting: true, fresh: 2, old: 8 },
    ],
    ["messages-waiting:no", { waiting: false, fresh: undefined, old: undefined }],
  ])("are read from %j", (body, waiting) => {
    expect(gatewayEvent(notify({ Event: "message-summary" }, body))).toEqual({ kind: "messages", waiting });
  });

  it.each(["", "Messages-Waiting: perhaps", "Voice-Message: 2/8"])("are not read from %j", (body) => {
    expect(gatewayEvent(notify({ Event: "message-summary" }, body))).toBeUndefined();
  });
});

describe("what is known of a caller", () => {
  it("is shown in a set order, without what is not there", () => {
    const data = callerData(
      notify({ "X-Genesys-CallUUID": "0AB", "P-Asserted-Identity": "<sip:1@a>", Subject: " " }),
    );
    expect(data).toEqual([
      { label: "Identity", value: "<sip:1@a>" },
      { label: "Call UUID", value: "0AB" },
    ]);
  });

  it("has its user data read from hex where that is text, and left as it is where not", () => {
    expect(callerData(notify({ "User-to-User": "48656c6c6f;encoding=hex" }))[0]?.value).toBe("Hello");
    expect(callerData(notify({ "User-to-User": "00ff01" }))[0]?.value).toBe("00ff01");
    expect(callerData(notify({ "User-to-User": "plain text" }))[0]?.value).toBe("plain text");
  });

  it("is cut where it is too long to show", () => {
    expect(callerData(notify({ Diversion: "x".repeat(5000) }))[0]?.value).toHaveLength(200);
  });
});

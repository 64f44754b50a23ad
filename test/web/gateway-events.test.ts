import { describe, expect, it } from "vitest";
import {
  assertedPeer,
  callerData,
  callerOf,
  headerLines,
  withChanges,
} from "../../web/src/softphone/phone/caller-data.ts";
import { gatewayEvent } from "../../web/src/softphone/phone/gateway-events.ts";

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
    const ways =
      '"fromBrowser":{"mos":4.2,"lossPercent":1,"jitterMs":2,"roundTripMs":12},"fromTrunk":{"mos":"x"},"other":{}';
    expect(gatewayEvent(notify(event, `{"mos":4.2,${ways}}`))).toMatchObject({
      quality: {
        mos: 4.2,
        ways: { fromBrowser: { mos: 4.2, lossPercent: 1, jitterMs: 2, roundTripMs: 12 } },
      },
    });
    for (const body of ["", "{", "{}", "null", "[]", '{"mos":"4"}', '{"mos":null}'])
      expect(gatewayEvent(notify(event, body))).toEqual({
        kind: "quality",
        callId: "abc",
        quality: undefined,
      });
    expect(gatewayEvent(notify({ Event: "x-jackfield-quality" }, '{"mos":4.3}'))).toBeUndefined();
  });

  it("is what changed of a call's data, as header lines", () => {
    const event = { Event: "x-jackfield-call", "X-Jackfield-Call-ID": "abc" };
    const body = '{"callUuid":"0AB","headers":[["P-Asserted-Identity","<sip:1@a>"],["x"],5,["X-A",1]]}';
    expect(gatewayEvent(notify(event, body))).toEqual({
      kind: "call",
      callId: "abc",
      news: {
        changed: [
          ["P-Asserted-Identity", "<sip:1@a>"],
          ["X-Genesys-CallUUID", "0AB"],
        ],
      },
    });
    for (const bad of ["[]", '{"headers":{}}', '{"callUuid":5}'])
      expect(gatewayEvent(notify(event, bad))).toEqual({
        kind: "call",
        callId: "abc",
        news: { changed: [] },
      });
    expect(gatewayEvent(notify({ Event: "x-jackfield-call" }, body))).toBeUndefined();
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
    ['{"callUuid":"U2"}', { changed: [["X-Genesys-CallUUID", "U2"]], farRings: undefined }],
    ['{"far":"ringing"}', { changed: [], farRings: true }],
    ['{"far":"connected","callUuid":7}', { changed: [], farRings: false }],
    ['{"far":"gone"}', { changed: [], farRings: undefined }],
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
  const value = (name: string, text: string) => callerData([[name, text]])[0]?.value;

  it("is read from a JsSIP message, and from nothing else", () => {
    const headers = { "X-Genesys-Queue": [{ raw: "Sales" }, { raw: "Spare" }], Via: [{ parsed: 1 }] };
    expect(headerLines({ headers })).toEqual([
      ["X-Genesys-Queue", "Sales"],
      ["X-Genesys-Queue", "Spare"],
    ]);
    for (const odd of [{}, { headers: null }, { headers: { a: "b" } }, { headers: { a: [null] } }])
      expect(headerLines(odd)).toEqual([]);
  });

  it("is shown in a set order, other data behind it by name, without what is not there or none of the caller's", () => {
    const data = callerData([
      ["X-Genesys-Queue", "Sales"],
      ["x-customer", "7"],
      ["X-Genesys-Calluuid", "0AB"],
      ["P-Asserted-Identity", "<sip:1@a>"],
      ["Subject", " "],
      ["X-Jackfield-Call-ID", "1"],
      ["Via", "SIP/2.0/WSS x"],
    ]);
    expect(data).toEqual([
      { label: "Identity", value: "1" },
      { label: "Queue", value: "Sales" },
      { label: "customer", value: "7" },
      { label: "Call UUID", value: "0AB" },
    ]);
  });

  it("names the caller: by From, by the identity where From withholds who it is or has no name", () => {
    const ann = [["P-Asserted-Identity", '"Ann Lee" <sip:1003@a>']] as const;
    const from = (name: string, number: string) => ({ name, number });
    expect(callerOf([], from("", "1003"))).toBe("1003");
    expect(callerOf([], from("Bob", "1003"))).toBe("Bob (1003)");
    expect(callerOf(ann, from("", "1003"))).toBe("Ann Lee (1003)");
    expect(callerOf(ann, from("1003", "1003"))).toBe("Ann Lee (1003)");
    expect(callerOf(ann, from("Bob", "1003"))).toBe("Bob (1003)");
    expect(callerOf(ann, from("Anonymous", "anonymous"))).toBe("Ann Lee (1003)");
    // Somebody else than who calls, as after a diversion: the number called from stays in sight.
    expect(callerOf(ann, from("", "1004"))).toBe("1004");
    expect(callerOf([["P-Asserted-Identity", "<sip:1003@a>"]], from("", "1003"))).toBe("1003");
  });

  it("has its user data read from hex where that is text, and left as it is where not", () => {
    expect(value("User-to-User", "48656c6c6f;encoding=hex")).toBe("Hello");
    expect(value("User-to-User", "0048656c6c6f;encoding=hex")).toBe("Hello");
    expect(value("User-to-User", "0448656c6c6f")).toBe("Hello");
    expect(value("User-to-User", "00ff01")).toBe("00ff01");
    expect(value("User-to-User", "plain text")).toBe("plain text");
    expect(value("X-Genesys-Code", "48656c6c6f")).toBe("48656c6c6f");
  });

  it("is cut where it is too long to show, and bounded in rows", () => {
    expect(value("Diversion", "x".repeat(5000))).toHaveLength(200);
    expect(callerData(Array.from({ length: 99 }, (_one, row) => [`X-${row}`, "v"] as const))).toHaveLength(
      40,
    );
  });

  it("changes name by name", () => {
    const before = [
      ["X-A", "1"],
      ["Diversion", "a"],
      ["Diversion", "b"],
    ] as const;
    expect(withChanges(before, [["diversion", "c"]])).toEqual([
      ["X-A", "1"],
      ["diversion", "c"],
    ]);
  });

  it("says by P-Asserted-Identity who is at the other end", () => {
    const peer = (text: string) => assertedPeer([["P-Asserted-Identity", text]]);
    expect(peer('"Ann \\"A\\" Lee" <sip:1003@a>')).toBe('Ann "A" Lee (1003)');
    expect(peer("<sip:1003@a;user=phone>")).toBe("1003");
    expect(peer("tel:+49301234;x=1")).toBe("+49301234");
    expect(peer("nobody")).toBeUndefined();
    expect(assertedPeer([])).toBeUndefined();
  });
});

import { describe, expect, it } from "vitest";
import { form, hear } from "./messages.ts";

const roap = (fields: object): string => JSON.stringify(fields);

describe("our grtc.js takes a poll's body", () => {
  it.each([
    ["BYE", "bye"],
    ["BYE whatever", "bye"],
    ["INVITE", "invite"],
    ["EVENT-TALK", "talk"],
    ["EVENT-HOLD", "hold"],
    ["", "ignored"],
    ["keep-alive", "ignored"],
    [`SDP ${roap({ messageType: "OFFER", sdp: "v=0" })}`, "offer"],
    [`SDP ${roap({ messageType: "ANSWER", sdp: "v=0" })}`, "reply"],
    [roap({ messageType: "ANSWER", sdp: "v=0" }), "reply"],
    [`SDP ${roap({ messageType: "ERROR", errorType: "REFUSED" })}`, "error"],
    ["PUT-STATS{", "ignored"],
  ])("%s as %s", (body, kind) => {
    expect(hear(body, "1003", true).kind).toBe(kind);
  });

  it("that has an offer without SDP before it as nothing", () => {
    expect(hear(roap({ messageType: "OFFER", sdp: "v=0" }), "1003", true).kind).toBe("ignored");
  });

  it("that offers without a peer's name as nothing", () => {
    expect(hear(`SDP ${roap({ messageType: "OFFER", sdp: "v=0" })}`, "", true).kind).toBe("ignored");
  });

  it("with an error without a prefix as a reply", () => {
    expect(hear(roap({ messageType: "ERROR", errorType: "FAILED" }), "1003", true).kind).toBe("reply");
  });

  it("with an answer that has the word of an offer in it as an offer, and not when the word is escaped", () => {
    const answer = roap({ messageType: "ANSWER", attacheddata: [{ key: "k", value: "SPECIAL OFFER" }] });
    expect(hear(`SDP ${answer}`, "1003", true).kind).toBe("offer");
    const heard = hear(`SDP ${answer.replace("OFFER", "\\u004fFFER")}`, "1003", true);
    expect(heard).toMatchObject({ kind: "reply", roap: { attacheddata: [{ value: "SPECIAL OFFER" }] } });
  });

  it("with INFO-PEER as pairs that nobody decodes", () => {
    expect(hear("INFO-PEER a=1+2&b=%41\r\n&c=x=y", "1003", true)).toEqual({
      kind: "info",
      data: { a: "1+2", b: "%41", c: "x" },
    });
  });

  it("with PUT-STATS as the statistics after nine characters", () => {
    expect(hear('PUT-STATS{"duration":5}', "", true)).toEqual({ kind: "stats", statistics: { duration: 5 } });
    expect(hear('PUT-STATS {"duration":5}', "", true)).toMatchObject({ kind: "stats" });
  });
});

it("a form has plus signs for spaces", () => {
  expect(form({ "a b": "c&d é" })).toBe("a+b=c%26d+%C3%A9");
});

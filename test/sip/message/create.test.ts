import { describe, expect, it } from "vitest";
import {
  createRequest,
  createResponse,
  messageLimits,
  reasonPhrase,
  serializeMessage,
} from "../../../src/sip/message/index.ts";
import { bytes, refused, request, response } from "./support.ts";

const invite = bytes(
  {
    start: "INVITE sip:5001@192.0.2.20:5070 SIP/2.0",
    From: "f: sip:1003@192.0.2.10:5060;tag=88170A6B-0-256",
    To: "t:   sip:5001@192.0.2.10:5060",
    "Call-ID": "i: Weird  Case@192.0.2.10".replace("  ", "-"),
    CSeq: "CSeq: 0007  INVITE",
    Via: [
      "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-1;X=Y",
      "v: SIP/2.0/UDP a;branch=b , SIP/2.0/TCP c",
    ],
    RR: ["Record-Route: <sip:p1;lr>", "Record-Route: <sip:p2;lr>, <sip:p3;lr>"],
    Timestamp: "Timestamp: 54",
  },
  "",
);

function text(message: Parameters<typeof serializeMessage>[0]): string {
  return serializeMessage(message).toString();
}

describe("createResponse", () => {
  it("copies Via, From, To, Call-ID and CSeq verbatim and puts the tag on To", () => {
    expect(text(createResponse(request(invite), 486, { toTag: "gw-1" }))).toBe(
      [
        "SIP/2.0 486 Busy Here",
        "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-1;X=Y",
        "Via: SIP/2.0/UDP a;branch=b , SIP/2.0/TCP c",
        "From: sip:1003@192.0.2.10:5060;tag=88170A6B-0-256",
        "To: sip:5001@192.0.2.10:5060;tag=gw-1",
        "Call-ID: Weird-Case@192.0.2.10",
        "CSeq: 0007  INVITE",
        "Content-Length: 0",
        "",
        "",
      ].join("\r\n"),
    );
  });

  it("says of what others wrote only what a phrase may hold: browsers drop the response otherwise", () => {
    const phrase = (reason: string) => createResponse(request(invite), 403, { reason }).reason;
    expect(phrase('DN "5002" <busy> [::1] a|b {c} \\ ^`#')).toBe(
      "DN '5002' 'busy' '::1' a'b 'c' ' " + "'".repeat(3),
    );
    expect(phrase("a\\\u0001b")).toBe("a' b");
    expect(phrase("50% of %41, ä; (it's) $1 & 2/3?")).toBe("50' of %41, ä; (it's) $1 & 2/3?");
  });

  it("leaves a To alone that has a tag, and one of a 100", () => {
    const tagged = request(bytes({ To: 'To: "tag=x" <sip:5001@h;tag=inner>;tag=mine' }));
    expect(createResponse(tagged, 200, { toTag: "gw" }).headers.get("To")).toBe(
      '"tag=x" <sip:5001@h;tag=inner>;tag=mine',
    );
    expect(createResponse(request(invite), 100, { toTag: "gw" }).to.tag).toBeUndefined();
    expect(createResponse(request(invite), 200).to.tag).toBeUndefined();
  });

  it("is not misled by a tag that is none", () => {
    const misleading = request(bytes({ To: 'To: ";tag=x" <sip:5001@h;tag=inner>' }));
    expect(createResponse(misleading, 200, { toTag: "gw" }).to.tag).toBe("gw");
  });

  it.each([
    [100, 0],
    [180, 2],
    [200, 2],
    [302, 0],
    [487, 0],
  ])("a %i to INVITE carries %i Record-Route lines", (status, count) => {
    expect(createResponse(request(invite), status).headers.getAll("Record-Route")).toHaveLength(count);
  });

  it("a 200 to OPTIONS carries no Record-Route", () => {
    const options = request(bytes({ RR: "Record-Route: <sip:p1;lr>" }));
    expect(createResponse(options, 200).headers.has("Record-Route")).toBe(false);
  });

  it("a 100 carries the Timestamp, no other does", () => {
    expect(createResponse(request(invite), 100).headers.get("Timestamp")).toBe("54");
    expect(createResponse(request(invite), 180).headers.has("Timestamp")).toBe(false);
  });

  it("takes reason, headers and body", () => {
    const made = createResponse(request(invite), 200, {
      reason: "Fine\r\nX: y",
      headers: [
        ["Contact", "<sip:5001@192.0.2.20>"],
        ["Content-Type", "text/plain"],
      ],
      body: "grüße",
    });
    const back = response(serializeMessage(made));
    expect(back).toMatchObject({ status: 200, reason: "Fine  X: y", contentType: "text/plain" });
    expect(back.headers.has("X")).toBe(false);
    expect(back.headers.get("Content-Length")).toBe("7");
    expect(back.body.toString()).toBe("grüße");
  });

  it.each([99, 700, 200.5, Number.NaN])("refuses the status %d", (status) => {
    expect(() => createResponse(request(invite), status)).toThrow(RangeError);
  });

  it("answers a faulty request with what there was of it", () => {
    const outcome = refused(bytes({ From: undefined, "Call-ID": undefined, CSeq: "CSeq: x" }));
    if (outcome.reply === undefined) expect.fail("no reply");
    const answer = text(
      createResponse(outcome.reply, outcome.status, { reason: outcome.reason, toTag: "gw" }),
    );
    expect(answer).toBe(
      [
        "SIP/2.0 400 Missing From",
        "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-1",
        "To: <sip:5001@192.0.2.10>;tag=gw",
        "CSeq: x",
        "Content-Length: 0",
        "",
        "",
      ].join("\r\n"),
    );
  });

  it("gives back the very bytes of a display name that is not UTF-8", () => {
    const latin = Buffer.from('From: "M\u00fcller" <sip:1003@192.0.2.10>;tag=1', "latin1");
    const message = bytes({ From: "From: @" });
    const at = message.indexOf("From: @");
    const input = Buffer.concat([message.subarray(0, at), latin, message.subarray(at + 7)]);
    const parsed = request(input);
    expect(parsed.from).toMatchObject({ displayName: "Müller", tag: "1" });
    expect(serializeMessage(createResponse(parsed, 200)).includes(latin)).toBe(true);
    expect(serializeMessage(parsed).includes(latin)).toBe(true);
    const smuggled = createResponse(parsed, 200, {
      headers: [["Subject", "\u010D\u010AVia: evil \u{1F600}"]],
    });
    expect(serializeMessage(smuggled).includes("Subject: \u010D\u010AVia: evil \u{1F600}\r\n")).toBe(true);
    expect(response(serializeMessage(smuggled)).vias).toHaveLength(1);
  });
});

describe("createRequest", () => {
  const made = () =>
    createRequest({
      method: "REGISTER",
      uri: "sip:192.0.2.10:5060",
      headers: [
        ["Contact", "<sip:5001@192.0.2.20:5070>"],
        ["Expires", "300"],
        ["Content-Length", "999"],
        ["CSeq", "17 REGISTER"],
        ["To", "<sip:5001@192.0.2.10>"],
        ["From", "<sip:5001@192.0.2.10>;tag=gw"],
        ["Call-ID", "reg-1"],
        ["Max-Forwards", "70"],
      ],
    });

  it("is written Via first, routing headers next, true length last", () => {
    const message = made();
    message.headers.prepend("Via", "SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bK-r;rport");
    expect(text(message)).toBe(
      [
        "REGISTER sip:192.0.2.10:5060 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bK-r;rport",
        "Max-Forwards: 70",
        "From: <sip:5001@192.0.2.10>;tag=gw",
        "To: <sip:5001@192.0.2.10>",
        "Call-ID: reg-1",
        "CSeq: 17 REGISTER",
        "Contact: <sip:5001@192.0.2.20:5070>",
        "Expires: 300",
        "Content-Length: 0",
        "",
        "",
      ].join("\r\n"),
    );
  });

  it("sees headers changed after it was made", () => {
    const message = made();
    expect(() => message.topVia).toThrow(TypeError);
    message.headers.prepend("Via", "SIP/2.0/UDP a;branch=1");
    expect(message.topVia.branch).toBe("1");
    message.headers.prepend("Via", "SIP/2.0/UDP b;branch=2");
    expect(message.vias.map((via) => via.branch)).toEqual(["2", "1"]);
    expect(message.cseq.sequence).toBe(17);
    message.headers.set("CSeq", "18 REGISTER");
    expect(message.cseq.sequence).toBe(18);
    message.headers.set("To", "<sip:5001@192.0.2.10>;tag=x");
    expect(message.to.tag).toBe("x");
    expect(message.contacts).toHaveLength(1);
    message.headers.remove("Contact");
    expect(message.contacts).toHaveLength(0);
  });

  it("writes the URI as given", () => {
    const uri = "sip:sips%3Aa%20b@Host.Example;Transport=WS;ob";
    const message = createRequest({ method: "BYE", uri, headers: [] });
    expect(text(message).startsWith(`BYE ${uri} SIP/2.0\r\n`)).toBe(true);
    expect(message.uri.raw).toBe(uri);
    // also a message of somebody else's making
    const foreign = { ...message, uri: message.uri, headers: message.headers, body: message.body };
    expect(text(foreign)).toBe(text(message));
  });

  it.each([
    ["IN VITE", "sip:a@b"],
    ["", "sip:a@b"],
    ["INVITE", "sip:a@b SIP/2.0\r\nX: y"],
    ["INVITE", "5001"],
  ])("refuses %j %j", (method, uri) => {
    expect(() => createRequest({ method, uri, headers: [] })).toThrow(TypeError);
  });

  it("counts the body in octets and keeps binary ones", () => {
    const body = Buffer.from([0, 13, 10, 13, 10, 255]);
    const message = createRequest({ method: "MESSAGE", uri: "sip:a@b", headers: [], body });
    const written = serializeMessage(message);
    expect(written.subarray(-6)).toEqual(body);
    expect(written.toString("latin1")).toContain("Content-Length: 6\r\n\r\n");
    expect(message.contentType).toBeUndefined();
  });
});

describe("reason phrases", () => {
  it.each([
    [180, "Ringing"],
    [481, "Call/Transaction Does Not Exist"],
    [603, "Decline"],
    [299, "OK"],
    [499, "Request Failure"],
  ])("%i %s", (status, phrase) => {
    expect(reasonPhrase(status)).toBe(phrase);
  });
});

describe("limits", () => {
  it("leave room for one full datagram's body and refuse what no datagram carries", () => {
    expect(messageLimits).toEqual({
      headerBytes: 32_768,
      headerLines: 256,
      valueLength: 8192,
      uriLength: 4096,
      bodyBytes: 65_536,
    });
  });
});

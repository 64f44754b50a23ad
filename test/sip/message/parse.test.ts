import { describe, expect, it } from "vitest";
import { messageLimits } from "../../../src/sip/message/index.ts";
import { accepted, bytes, parse, refused, request, response } from "./support.ts";

describe("keep-alive", () => {
  it.each(["", "\r\n", "\r\n\r\n", "\n", "\r\n\r\n\r\n\r\n"])("%j is one, in both framings", (text) => {
    expect(parse(text, "datagram")).toEqual({ outcome: "keep-alive" });
    expect(parse(text, "frame")).toEqual({ outcome: "keep-alive" });
  });

  it("line ends before a message are skipped", () => {
    expect(request(Buffer.concat([Buffer.from("\r\n\r\n"), bytes()])).method).toBe("OPTIONS");
  });

  it("other bytes alone are refused and not answered", () => {
    for (const junk of ["\0\0\0\0", " ", "x", "\r\nx", "jaK", "\u0016\u0003\u0001\u0002\r\n\r\n"]) {
      expect(refused(junk)).not.toHaveProperty("reply");
    }
  });
});

describe("start line", () => {
  it("of a request gives method and URI as they are", () => {
    const message = request(bytes({ start: "Options sip:A@h;x SIP/2.0", CSeq: "CSeq: 1 Options" }));
    expect(message.method).toBe("Options");
    expect(message.uri.raw).toBe("sip:A@h;x");
  });

  it("version in lower case is the same version", () => {
    expect(request(bytes({ start: "OPTIONS sip:a@b sip/2.0" })).method).toBe("OPTIONS");
  });

  it.each([
    ["OPTIONS sip:a@b SIP/3.0", 505],
    ["OPTIONS sip:a@b SIP/2.1", 505],
    ["OPTIONS sip:a@b SIP/2", 400],
    ["OPTIONS sip:a@b HTTP/1.1", 400],
    ["OPTIONS sip:a@b", 400],
    ["OPTIONS", 400],
    ["OPTIONS SIP/2.0", 400],
    ["OPTIONS  SIP/2.0", 400],
    ["OPTIONS sip:a@b;x=\u0001 SIP/2.0", 400],
    ["OPTIONS nothing SIP/2.0", 400],
    ["OPTIONS * SIP/2.0", 400],
    [`OPTIONS sip:${"a".repeat(messageLimits.uriLength)}@b SIP/2.0`, 414],
  ])("%s is a %i", (start, status) => {
    expect(refused(bytes({ start }))).toMatchObject({ status, reply: { method: "OPTIONS" } });
  });

  it("without a method there is nothing to answer", () => {
    expect(refused(bytes({ start: "OP(TIONS sip:a@b SIP/2.0" }))).not.toHaveProperty("reply");
    expect(refused(bytes({ start: " sip:a@b SIP/2.0" }))).not.toHaveProperty("reply");
  });

  it.each([
    ["SIP/2.0 200 OK", 200, "OK"],
    ["SIP/2.0 180", 180, ""],
    ["SIP/2.0 699 a  b ", 699, "a  b "],
    ["sip/2.0 100 Trying", 100, "Trying"],
  ])("%s", (start, status, reason) => {
    expect(response(bytes({ start }))).toMatchObject({ kind: "response", status, reason });
  });

  it.each([
    "SIP/2.0 099 X",
    "SIP/2.0 700 X",
    "SIP/2.0 20 X",
    "SIP/2.0 2000 X",
    "SIP/2.0  200 X",
    "SIP/2.0 2x0 X",
    "SIP/3.0 200 OK",
    "SIP/2.0",
  ])("%s is dropped", (start) => {
    expect(refused(bytes({ start }))).not.toHaveProperty("reply");
  });
});

describe("header lines", () => {
  it("are found in any order, any case, compact, folded, with blanks before the colon", () => {
    const message = request(
      bytes({
        CSeq: "cseq\t:\t1\r\n OPTIONS",
        "Call-ID": "I:call-2",
        Via: undefined,
        From: "F:<sip:1003@192.0.2.10>\r\n\t;tag=1",
        length: "L: 0",
        Last: "V:SIP/2.0/UDP h;branch=z9hG4bK-9",
      }),
    );
    expect([message.cseq.method, message.callId, message.from.tag, message.topVia.branch]).toEqual([
      "OPTIONS",
      "call-2",
      "1",
      "z9hG4bK-9",
    ]);
  });

  it("of one name keep their order, folds become one blank", () => {
    const message = request(bytes({ x: ["X-A: 1  \r\n   2\r\n \r\n 3", "X-A: 4"] }));
    expect(message.headers.getAll("x-a")).toEqual(["1   2  3", "4"]);
  });

  it("a colon in the value is part of it, an empty value is one", () => {
    const message = request(bytes({ x: ["X-A: a:b", "X-B:"] }));
    expect([message.headers.get("X-A"), message.headers.get("X-B")]).toEqual(["a:b", ""]);
  });

  it.each([
    ["without a colon", "NoColonHere"],
    ["without a name", ": x"],
    ["with a blank in its name", "A B: x"],
    ["with UTF-8 in its name", "Größe: x"],
    ["with a control character", "X-F: a\u0001b"],
    ["with a NUL", "X-F: a\u0000b"],
    ["with a DEL", "X-F: a\u007f"],
    ["with a bare LF", "X-F: a\nVia: evil"],
    ["with a bare CR", "X-F: a\rVia: evil"],
    ["with an escaped LF", "X-F: a\\\nb"],
  ])("%s are a 400", (_, line) => {
    const outcome = refused(bytes({ x: line }));
    expect(outcome.status).toBe(400);
    expect(outcome.reply?.headers.getAll("Via")).toEqual(["SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-1"]);
  });

  it("a fold right behind the start line is a 400", () => {
    expect(refused(bytes({ start: "OPTIONS sip:a@b SIP/2.0\r\n folded" })).status).toBe(400);
  });

  it("lines ended by LF alone are refused", () => {
    expect(refused(bytes().toString().replaceAll("\r\n", "\n"))).not.toHaveProperty("reply");
  });

  it("no empty line at the end is a 400, and the last line does not count", () => {
    const outcome = refused(bytes({ x: "X-Cut: ha" }).subarray(0, -6));
    expect(outcome).toMatchObject({ status: 400, reason: "No End Of Header Section" });
    expect(outcome.reply?.headers.has("X-Cut")).toBe(false);
    expect(outcome.reply?.headers.get("CSeq")).toBe("1 OPTIONS");
  });
});

describe("what every message must have", () => {
  it.each(["Via", "From", "To", "Call-ID", "CSeq"])("without %s a request is a 400", (name) => {
    const outcome = refused(bytes({ [name]: undefined }));
    expect(outcome).toMatchObject({ status: 400, reason: `Missing ${name}` });
    expect(outcome.reply !== undefined).toBe(name !== "Via");
  });

  it.each(["Via", "From", "To", "Call-ID", "CSeq"])("without %s a response is dropped", (name) => {
    expect(refused(bytes({ start: "SIP/2.0 200 OK", [name]: undefined }))).not.toHaveProperty("reply");
  });

  it.each([
    ["From", "f: <sip:x@y>;tag=2"],
    ["To", "t: <sip:x@y>"],
    ["Call-ID", "i: call-1@192.0.2.10"],
    ["CSeq", "CSeq: 1 OPTIONS"],
    ["Content-Length", ["l: 0", "Content-Length: 0"]],
    ["Content-Type", ["c: text/plain", "Content-Type: text/plain"]],
    ["Max-Forwards", ["Max-Forwards: 70", "Max-Forwards: 70"]],
    ["Expires", ["Expires: 1", "Expires: 2"]],
    ["Event", ["o: talk", "Event: hold"]],
    ["Refer-To", ["r: <sip:a@b>", "Refer-To: <sip:c@d>"]],
    ["Session-Expires", ["x: 90", "Session-Expires: 91"]],
  ])("a second %s is a 400", (name, extra) => {
    expect(refused(bytes({ extra }))).toMatchObject({ status: 400, reason: `Repeated ${name}` });
  });

  it.each([
    ["Bad Via", { Via: "Via: SIP/2.0/UDP" }],
    ["Bad Via", { Via: "Via: SIP/2.0/UDP h;branch=1, " }],
    ["Bad Via", { Via: ["Via: SIP/2.0/UDP h;branch=1", "Via: nonsense"] }],
    ["Bad From", { From: "From: 1003" }],
    ["Bad From", { From: "From: *" }],
    ["Bad From", { From: "From: <sip:a@b>;tag" }],
    ["Bad To", { To: "To: <sip:a@b>;tag=1;tag=2" }],
    ["Bad To", { To: "To: <sip:a@b>, <sip:c@d>" }],
    ["Bad Call-ID", { "Call-ID": "Call-ID:" }],
    ["Bad Call-ID", { "Call-ID": "Call-ID: a b" }],
    ["Bad CSeq", { CSeq: "CSeq: 2147483648 OPTIONS" }],
    ["Bad CSeq", { CSeq: "CSeq: OPTIONS" }],
    ["CSeq Method Mismatch", { CSeq: "CSeq: 1 INVITE" }],
    ["CSeq Method Mismatch", { CSeq: "CSeq: 1 options" }],
    ["Bad Max-Forwards", { x: "Max-Forwards: 256" }],
    ["Bad Max-Forwards", { x: "Max-Forwards: -1" }],
    ["Bad Contact", { x: "Contact: nonsense" }],
    ["Bad Contact", { x: "Contact: <sip:a@b>,, <sip:c@d>" }],
  ])("%s: %j", (reason, changes) => {
    expect(refused(bytes(changes))).toMatchObject({ status: 400, reason });
  });

  it("a faulty ACK is never answered, a faulty CANCEL is", () => {
    const start = (method: string) => ({ start: `${method} sip:a@b SIP/2.0`, CSeq: "CSeq: 1 BYE" });
    expect(refused(bytes(start("ACK")))).not.toHaveProperty("reply");
    expect(refused(bytes(start("CANCEL"))).reply?.method).toBe("CANCEL");
  });

  it("a faulty parameter of the top Via does not keep the answer back, an unreadable Via does", () => {
    expect(refused(bytes({ Via: "Via: SIP/2.0/UDP h;;branch=1" }))).toHaveProperty("reply");
    expect(refused(bytes({ Via: "Via: SIP/2.0/UDP" }))).not.toHaveProperty("reply");
  });

  it("an unreadable Contact of a response is no reason to drop it", () => {
    expect(response(bytes({ start: "SIP/2.0 200 OK", x: "Contact: <sip:a@b>, nonsense" })).contacts).toEqual(
      [],
    );
  });
});

describe("comma lists", () => {
  it("of Via: the first value is the top one", () => {
    const message = request(
      bytes({ Via: ["Via: SIP/2.0/UDP a;branch=1,SIP/2.0/TCP b;branch=2", "v: SIP/2.0/WS c"] }),
    );
    expect(message.topVia).toMatchObject({ host: "a", branch: "1", transport: "UDP" });
    expect(message.vias.map((via) => via.host)).toEqual(["a", "b", "c"]);
  });

  it("of Contact: every value, quotes and brackets respected", () => {
    const message = request(
      bytes({ x: ['m: "x, y" <sip:a,b@c>;q=1 , sip:d@e;q=0.5', "Contact: <sip:f@g>"] }),
    );
    expect(message.contacts.map((contact) => contact.uri.raw)).toEqual(["sip:a,b@c", "sip:d@e", "sip:f@g"]);
    expect(message.contacts[1]?.parameters.get("q")).toBe("0.5");
  });

  it("`Contact: *` is one contact", () => {
    const message = request(bytes({ x: ["Contact: *", "Expires: 0"] }));
    expect(message.contacts.map((contact) => contact.uri.raw)).toEqual(["*"]);
  });
});

describe("body and framing", () => {
  const body = "v=0\r\ns=äöü\r\n";
  const octets = Buffer.byteLength(body);

  it("a datagram is cut at Content-Length, counted in octets", () => {
    const message = accepted(bytes({ l: `Content-Length: ${octets}` }, `${body}trailing`));
    expect(message.body.toString()).toBe(body);
  });

  it("a datagram without Content-Length ends the body", () => {
    expect(accepted(bytes({}, body)).body.toString()).toBe(body);
  });

  it("a frame's body is all the rest, even when Content-Length counted characters", () => {
    expect(accepted(bytes({ l: `Content-Length: ${body.length}` }, body), "frame").body.toString()).toBe(
      body,
    );
    expect(accepted(bytes({}, body), "frame").body.toString()).toBe(body);
  });

  it.each(["datagram", "frame"] as const)("Content-Length beyond the end of a %s is a 400", (framing) => {
    const outcome = refused(bytes({ l: `Content-Length: ${octets + 1}` }, body), framing);
    expect(outcome).toMatchObject({ status: 400, reason: "Content-Length Larger Than Message" });
    expect(outcome.reply?.method).toBe("OPTIONS");
  });

  it.each(["-1", "x", "", "1 2", "1,1", "0x10", "99999999999999999999"])(
    "Content-Length %j is a 400",
    (length) => {
      expect(refused(bytes({ l: `Content-Length: ${length}` }, body)).status).toBe(400);
    },
  );

  it("the content type is in lower case, without parameters, and only beside a body", () => {
    expect(accepted(bytes({ c: "c: Application / SDP ;charset=utf-8" }, body)).contentType).toBe(
      "application/sdp",
    );
    expect(accepted(bytes({ c: "c: application/sdp" })).contentType).toBeUndefined();
    expect(accepted(bytes({}, body)).contentType).toBeUndefined();
  });

  it("octets of any value come through", () => {
    const all = Buffer.from(Array.from({ length: 256 }, (_, index) => index));
    expect(accepted(bytes({}, all)).body).toEqual(all);
  });
});

describe("limits", () => {
  it("headers beyond 32 kB are a 513, answered with what was whole", () => {
    const lines = Array.from({ length: 40 }, () => `X-Fill: ${"x".repeat(1000)}`);
    const outcome = refused(bytes({ lines }));
    expect(outcome).toMatchObject({
      status: 513,
      reason: "Header Section Too Long",
      reply: { method: "OPTIONS" },
    });
  });

  it("just below it they are taken", () => {
    const lines = Array.from({ length: 32 }, () => `X-Fill: ${"x".repeat(990)}`);
    expect(request(bytes({ lines })).headers.getAll("X-Fill")).toHaveLength(32);
  });

  it("256 lines are taken, one more is a 513, folds counted", () => {
    const filled = (count: number) => bytes({ lines: Array.from({ length: count - 5 }, () => "X-F: y") });
    expect(request(filled(256)).headers.getAll("X-F")).toHaveLength(251);
    expect(refused(filled(257))).toMatchObject({ status: 513, reason: "Too Many Header Lines" });
    expect(refused(bytes({ x: `X-F: y${"\r\n z".repeat(260)}` }))).toMatchObject({ status: 513 });
  });

  it("a value beyond 8192 characters is a 513", () => {
    expect(request(bytes({ x: `X-F: ${"y".repeat(messageLimits.valueLength)}` })).method).toBe("OPTIONS");
    expect(refused(bytes({ x: `X-F: ${"y".repeat(messageLimits.valueLength + 1)}` }))).toMatchObject({
      status: 513,
    });
  });

  it("a body beyond 64 kB is a 413", () => {
    expect(accepted(bytes({}, "x".repeat(messageLimits.bodyBytes)), "frame").body.length).toBe(65_536);
    expect(refused(bytes({}, "x".repeat(messageLimits.bodyBytes + 1)), "frame")).toMatchObject({
      status: 413,
    });
  });

  it("no reason phrase repeats text of the message", () => {
    for (const input of [
      bytes({ x: "Secret-Name: a\u0001" }),
      bytes({ x: `Secret-Name: ${"y".repeat(9000)}` }),
    ]) {
      expect(refused(input).reason).not.toContain("Secret");
    }
  });
});

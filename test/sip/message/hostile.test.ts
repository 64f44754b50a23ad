import { describe, expect, it } from "vitest";
import {
  createResponse,
  parseMessage,
  parseNameAddress,
  parseUri,
  parseVia,
  serializeMessage,
  splitList,
} from "../../../src/sip/message/index.ts";
import { readParameters } from "../../../src/sip/message/parameters.ts";
import { bytes, threadMilliseconds } from "./support.ts";

const size = 60_000;
const fill = (text: string): string => text.repeat(Math.ceil(size / text.length)).slice(0, size);
/** Lines of one kind that together have the size, none longer than a value may be. */
const spread = (text: string): string[] =>
  Array.from({ length: 200 }, () => `X-A: ${text.repeat(150 / text.length)}`);
/** 31 kB in lines just below the longest value: what gets furthest into the parser. */
const most = (name: string, text: string): string[] =>
  Array.from({ length: 3 }, () => `${name}: ${text.repeat(Math.floor(8100 / text.length))}x`);

const shapes: Readonly<Record<string, Buffer | string>> = {
  "one line without an end": fill("a"),
  "lines without colon": fill("abc\r\n"),
  "line ends, then a letter": `${fill("\r\n")}x`,
  "one header of 60 kB": bytes({ x: `Subject: ${fill("x")}` }),
  "many short headers": bytes({ x: fill("X:\r\n").trimEnd() }),
  "many folds": bytes({ x: `Subject: a${fill("\r\n b")}` }),
  blanks: bytes({ x: `Subject:${fill(" ")}` }),
  "blanks before the colon": bytes({ x: `Subject${fill(" ")}:` }),
  "method without end": fill("M"),
  "request URI without end": `INVITE sip:${fill("a")} SIP/2.0\r\n\r\n`,
  "request URI of parameters": bytes({ start: `OPTIONS sip:a@b${";a=b".repeat(1000)} SIP/2.0` }),
  "a request URI just short enough for the grammar": bytes({
    start: `OPTIONS sip:ROUND@b${";%41=%42".repeat(25)} SIP/2.0`,
  }),
  "escapes in the request URI": bytes({ start: `OPTIONS sip:${"%41".repeat(1300)}@b SIP/2.0` }),
  "colons in the request URI": bytes({ start: `OPTIONS sip:${":".repeat(4000)} SIP/2.0` }),
  "many Vias in one line": bytes({ Via: most("Via", "SIP/2.0/UDP h;branch=1,") }),
  "commas in Via": bytes({ Via: most("Via", ",") }),
  "blanks in Via": bytes({ Via: most("Via", "SIP/2.0/UDP h : ").map((line) => line.replaceAll("h", " ")) }),
  "blanks before the port": bytes({ Via: [`Via: SIP/2.0/UDP h${" ".repeat(8000)}:5060${" ".repeat(100)}x`] }),
  "digits in the port": bytes({ Via: `Via: SIP/2.0/UDP h:${"1".repeat(8000)}` }),
  "parameters of Via": bytes({ Via: `Via: SIP/2.0/UDP h${";a".repeat(4000)}` }),
  "distinct parameters of Via": bytes({
    Via: `Via: SIP/2.0/UDP h${Array.from({ length: 1200 }, (_, index) => `;a${index}`).join("")}`,
  }),
  "many Contact lines": bytes({
    x: Array.from({ length: 240 }, (_, index) => `Contact: <sip:ROUND${index}@b;c=${"d".repeat(80)}>`),
  }),
  "a Contact list": bytes({ x: most("Contact", "<sip:a@b>,") }),
  "distinct long Contacts": bytes({
    x: Array.from(
      { length: 60 },
      (_, index) => `Contact: "ROUND${index}" <sip:${"a".repeat(200)}@b${index}>`,
    ),
  }),
  "open quotes in Contact": bytes({ x: most("Contact", '"<sip:a@b>,') }),
  "open brackets in Contact": bytes({ x: most("Contact", "<") }),
  "backslashes in From": bytes({ From: `From: "${"\\".repeat(8000)}` }),
  "quotes in From": bytes({ From: `From: ${'"'.repeat(8000)}` }),
  "quoted pairs in From": bytes({ From: `From: "${"\\a".repeat(4000)}" <sip:a@b>` }),
  "semicolons in From": bytes({ From: `From: <sip:a@b>${";".repeat(8000)}` }),
  "at signs in To": bytes({ To: `To: <sip:${"@".repeat(8000)}>` }),
  "brackets in To": bytes({ To: `To: ${"<>".repeat(4000)}` }),
  "IPv6 without end": bytes({ To: `To: <sip:[${":".repeat(8000)}>` }),
  "many From lines": bytes({
    x: Array.from({ length: 240 }, () => `From: <sip:a@b>;tag=${"1".repeat(100)}`),
  }),
  "a Record-Route list": bytes({
    x: most("Record-Route", "<sip:a@b;lr>,"),
    start: "INVITE sip:a@b SIP/2.0",
    CSeq: "CSeq: 1 INVITE",
  }),
  "digits in CSeq": bytes({ CSeq: `CSeq: ${"9".repeat(8000)} OPTIONS` }),
  "zeros in CSeq": bytes({ CSeq: `CSeq: ${"0".repeat(8000)}1 OPTIONS` }),
  "digits in Content-Length": bytes({ x: `Content-Length: ${"9".repeat(8000)}` }),
  "zeros in Content-Length": bytes({ x: `Content-Length: ${"0".repeat(8000)}` }),
  "bytes that are not UTF-8": Buffer.concat([
    bytes().subarray(0, -2),
    Buffer.from("Subject: "),
    Buffer.alloc(8000, 0xff),
    Buffer.from("\r\n\r\n"),
  ]),
  "broken UTF-8 everywhere": Buffer.alloc(size, 0xc3),
  "a huge body": bytes({}, fill("\r\n\r\n")),
  "the fullest lines": bytes({ x: spread(';a="b",') }),
};

/**
 * Parses and reads everything; milliseconds of the best of three runs, as the first compiles. `ROUND`
 * differs from run to run, so that nothing is remembered from the one before.
 */
function milliseconds(input: Buffer): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round++) {
    const datagram = Buffer.from(input.toString("latin1").replaceAll("ROUND", `round${round}`), "latin1");
    const start = threadMilliseconds();
    const result = parseMessage(datagram, "datagram");
    if (result.outcome === "message") {
      const { message } = result;
      serializeMessage(message);
      if (message.contacts.length + message.vias.length < 0) throw new Error("unreachable");
      message.headers.values("Record-Route");
      if (message.kind === "request")
        serializeMessage(createResponse(message, 180, { toTag: message.uri.host }));
    } else if (result.outcome === "invalid" && result.reply !== undefined) {
      serializeMessage(createResponse(result.reply, result.status, { toTag: "t" }));
    }
    best = Math.min(best, threadMilliseconds() - start);
  }
  return best;
}

describe("hostile datagrams of up to 60 kB are done with in under 20 ms", () => {
  for (const [name, input] of Object.entries(shapes)) {
    it(name, () => {
      expect(milliseconds(Buffer.from(input))).toBeLessThan(20);
    });
  }
});

describe("hostile values of 60 kB given to the splitters directly", () => {
  const values = [
    '"',
    "\\",
    "<",
    ",",
    ";",
    "a=",
    " ",
    ":",
    "@",
    "%",
    "[",
    ';a="',
    "<sip:a@b>,",
    "SIP/2.0/UDP h,",
    " : ",
    "/ ",
  ];
  it.each(values)("of %j", (piece) => {
    const value = fill(piece);
    const start = threadMilliseconds();
    splitList(value);
    for (const text of [value, `sip:${value}`, `<sip:a@b>${value}`, `SIP/2.0/UDP ${value}`]) {
      parseUri(text);
      parseNameAddress(text);
      parseVia(text);
      parseVia(text, true);
    }
    readParameters(value, 0, true);
    // 18 passes over 60 kB: a quadratic one alone would take seconds
    expect(threadMilliseconds() - start).toBeLessThan(200);
  });
});

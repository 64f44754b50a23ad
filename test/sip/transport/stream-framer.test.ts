import { describe, expect, it } from "vitest";
import { messageLimits, parseMessage } from "../../../src/sip/index.ts";
import { StreamFramer } from "../../../src/sip/transport/stream-framer.ts";
import { seeded } from "../../support/seeded.ts";

const options = (body = "", length = `Content-Length: ${Buffer.byteLength(body)}`): string =>
  [
    "OPTIONS sip:gw SIP/2.0",
    "Via: SIP/2.0/TCP 192.0.2.10:5060;branch=z9hG4bK1",
    "From: <sip:a@b>;tag=1",
    "To: <sip:a@b>",
    "Call-ID: 1",
    "CSeq: 1 OPTIONS",
    length,
    "",
    body,
  ].join("\r\n");

/** What a stream given in pieces falls into; `fault` at its end, if any. */
function framed(...pieces: (string | Buffer)[]) {
  const messages: string[] = [];
  let pings = 0;
  let pongs = 0;
  const framer = new StreamFramer({
    onMessage: (bytes) => messages.push(bytes.toString("latin1")),
    onPing: () => pings++,
    onPong: () => pongs++,
  });
  let fault: string | undefined;
  for (const piece of pieces) fault ??= framer.push(Buffer.from(piece));
  return { messages, pings, pongs, fault, partial: framer.partial };
}

describe("messages in a stream", () => {
  it("are found by Content-Length wherever the pieces are cut", () => {
    const stream = Buffer.from(
      options("v=0\r\n\r\nOPTIONS sip:x SIP/2.0\r\n\r\n") + options() + options("é"),
    );
    const whole = framed(stream);
    expect(whole.messages).toHaveLength(3);
    expect(Buffer.from(whole.messages.join(""), "latin1")).toEqual(stream);
    for (let cut = 1; cut < stream.length; cut++)
      expect(framed(stream.subarray(0, cut), stream.subarray(cut)).messages).toEqual(whole.messages);
    expect(framed(...Array.from(stream, (byte) => Buffer.of(byte))).messages).toEqual(whole.messages);
  });

  it("may have the compact form, blanks and a fold in Content-Length", () => {
    for (const length of ["l: 2", "CONTENT-LENGTH \t:  2 ", "Content-Length:\r\n 2"])
      expect(framed(options("ab", length) + options()).messages).toHaveLength(2);
  });

  it("stay partial until the last byte is there", () => {
    const text = options("abc");
    expect(framed(text.slice(0, -1))).toMatchObject({ messages: [], partial: true });
    expect(framed(text)).toMatchObject({ partial: false });
  });

  it("are not told any more when a handler stops the stream", () => {
    let count = 0;
    const framer = new StreamFramer({
      onMessage: () => {
        count++;
        framer.stop();
      },
      onPing() {},
      onPong() {},
    });
    expect(framer.push(Buffer.from(options() + options() + "garbage\n"))).toBeUndefined();
    expect(count).toBe(1);
  });
});

describe("line ends between messages", () => {
  it("are pings by twos and else the answers to ours", () => {
    expect(framed("\r\n")).toMatchObject({ pings: 0, pongs: 1 });
    expect(framed("\r\n\r\n")).toMatchObject({ pings: 1 });
    expect(framed("\r", "\n\r", "\n")).toMatchObject({ pings: 1, fault: undefined });
    expect(framed(`\r\n\r\n${options()}\r\n\r\n\r\n\r\n`)).toMatchObject({ pings: 3 });
  });

  it("before a start line are no part of the message", () => {
    const { messages } = framed(`\r\n\r\n${options()}`);
    expect(messages).toEqual([options()]);
  });
});

describe("a stream that cannot be followed", () => {
  it.each([
    ["has no Content-Length", options("", "X: 1"), "message without Content-Length"],
    ["has two", options("", "Content-Length: 0\r\nl: 0"), "message with two Content-Lengths"],
    ["has one that is no number", options("", "Content-Length: -1"), "Content-Length is no number"],
    ["has one that is too large", options("", "Content-Length: 65537"), "body longer than 65536 bytes"],
    ["is no SIP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "message without Content-Length"],
    ["has half a line end", "\nOPTIONS", "line feed without carriage return"],
    ["has the other half", "\rOPTIONS", "carriage return without line feed"],
  ])("%s: it is given up with a reason", (_what, stream, fault) => {
    expect(framed(stream).fault).toBe(fault);
    expect(framed(...Array.from(stream)).fault).toBe(fault);
  });

  it("never ends its header section: it is given up at the limit, before anything is taken apart", () => {
    const piece = "x".repeat(1024);
    const pieces = Array.from({ length: messageLimits.headerBytes / 1024 + 1 }, () => piece);
    expect(framed(...pieces.slice(0, -1)).fault).toBeUndefined();
    expect(framed(...pieces).fault).toBe("header section longer than 32768 bytes");
  });

  it("is not read any further", () => {
    const framer = new StreamFramer({ onMessage: () => expect.fail(), onPing() {}, onPong() {} });
    expect(framer.push(Buffer.from("\nx"))).toBeDefined();
    expect(framer.push(Buffer.from(options()))).toBeUndefined();
  });
});

describe("forged and broken streams", () => {
  it("never throw, and what they give is framed as the parser reads it", () => {
    const pick = seeded(41);
    const parts = [
      "\r\n",
      "\r\n\r\n",
      "\r",
      "\n",
      "l: 3",
      "Content-Length: 0",
      " 5",
      ":",
      "\0",
      "é",
      options("xy"),
    ];
    let messages = 0;
    for (let run = 0; run < 3000; run++) {
      const seams = Array.from({ length: 1 + pick(4) }, () =>
        pick(3) === 0 ? (parts[pick(parts.length)] ?? "") : options("x".repeat(pick(40))),
      );
      const stream = Buffer.from(seams.join(""));
      for (let flips = pick(3); flips > 0; flips--) stream[pick(stream.length)] = pick(256);
      const framer = new StreamFramer({
        onMessage(bytes) {
          messages++;
          const parsed = parseMessage(bytes, "frame");
          // Framer and parser never disagree on where the body ends.
          if (parsed.outcome === "invalid") expect(parsed.reason).not.toMatch(/Content-Length/);
          else expect(parsed.outcome).toBe("message");
        },
        onPing() {},
        onPong() {},
      });
      let at = 0;
      while (at < stream.length) {
        const next = at + 1 + pick(60);
        if (framer.push(stream.subarray(at, next)) !== undefined) break;
        at = next;
      }
    }
    expect(messages).toBeGreaterThan(3000);
  });
});

import { describe, expect, it } from "vitest";
import { mergeCandidates } from "../../../src/wrtc/protocol/candidates.ts";
import { readClientMessage } from "../../../src/wrtc/protocol/client-message.ts";
import { rawQuery, readAddressing } from "../../../src/wrtc/protocol/query.ts";
import { readSignInBody, readSignInQuery } from "../../../src/wrtc/protocol/sign-in.ts";

describe("sign_in", () => {
  it.each([
    ["1020", "1020"],
    ["+15551234", "+15551234"],
    ["10%2020", "10 20"],
    ["%2B1", "+1"],
    ["%252B1", "%2B1"],
    ["a=b&c", "a=b&c"],
    ["sip:1020@x.y", "1020"],
    ["SIPS:1020;p=1@x.y", "1020"],
  ])("of the query %s names the DN %s", (query, dn) => {
    expect(readSignInQuery(query)).toEqual({ kind: "dn", dn, password: undefined });
  });

  it.each([
    ["1020:p:w&d+ %41é", "1020", "p:w&d+ %41é"],
    ["1020:", "1020", ""],
    ["sip:1020@x.y:secret:er", "1020", "secret:er"],
    ["+1 (5):x", "+1 (5)", "x"],
    ["1020:\r\n", "1020", "\r\n"],
  ])("of the body %j has a DN and a password as they are", (body, dn, password) => {
    expect(readSignInBody(body)).toEqual({ kind: "dn", dn, password });
  });

  it.each(["", "1020", ":x", "sip:1020", "sip::x", `1:${"x".repeat(2000)}`])(
    "of the body %j is none",
    (body) => {
      expect(readSignInBody(body)).toBeUndefined();
    },
  );

  it("by an ID that grtc.js has made up is anonymous, and nothing like it is", () => {
    const id = "anon0123456789ab4cde8f0123456789abcd";
    expect(readSignInQuery(id)).toEqual({ kind: "anonymous", id });
    for (const other of [`${id}0`, id.replace("b4c", "b5c"), id.toUpperCase(), "anon"])
      expect(readSignInQuery(other)).toMatchObject({ kind: "dn" });
  });
});

describe("from and to", () => {
  it.each([
    ["from=S&to=+15551234", "+15551234"],
    ["from=S&to=sip:1@h;x=y", "sip:1@h;x=y"],
    ["from=S&to=a&b=c&to=d", "a&b=c&to=d"],
    ["from=S&to=*72%231", "*72#1"],
    ["from=S&to=100%", "100%"],
    ["from=S&to=", ""],
    ["from=S", ""],
  ])("of %s: the peer is %s", (query, to) => {
    expect(readAddressing(query)).toEqual({ from: "S", to });
  });

  it("stand in any order of the path's query, which begins at the first question mark", () => {
    expect(rawQuery("/a?b?c")).toBe("b?c");
    expect(rawQuery("/a")).toBe("");
    expect(readAddressing("id=x&from=S&to=y")).toEqual({ from: "S", to: "y" });
    expect(readAddressing("to=y&from=S")).toEqual({ from: "S", to: "" });
  });
});

const sdp =
  "v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 9 RTP/SAVPF 0\r\na=mid:0\r\nm=video 0 RTP/SAVPF 96\r\na=mid:1\r\n";

describe("candidates", () => {
  it("go to their m-lines by index, whatever their sdpMid says, each once, with either prefix", () => {
    const merged = mergeCandidates(sdp, [
      { candidate: "candidate:1 1 udp 1 192.0.2.1 5000 typ host", sdpMid: "audio", sdpMLineIndex: 0 },
      { candidate: "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n", sdpMid: "video", sdpMLineIndex: 0 },
      {
        candidate: "a=candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active",
        sdpMid: "0",
        sdpMLineIndex: 1,
      },
      { candidate: "candidate:3 1 udp 1 x.local 5000 typ host" },
    ]);
    expect(merged.split("\r\n")).toEqual([
      "v=0",
      "c=IN IP4 0.0.0.0",
      "m=audio 9 RTP/SAVPF 0",
      "a=mid:0",
      "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host",
      "a=candidate:3 1 udp 1 x.local 5000 typ host",
      "m=video 0 RTP/SAVPF 96",
      "a=mid:1",
      "a=candidate:2 1 tcp 1 192.0.2.1 9 typ host tcptype active",
      "",
    ]);
  });

  it("that stand in the SDP already are not there twice, and an SDP without its last line end is none the worse", () => {
    const line = "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host";
    expect(mergeCandidates(`${sdp}${line}\r\n`, [{ candidate: line, sdpMLineIndex: 1 }])).toBe(
      `${sdp}${line}\r\n`,
    );
    expect(mergeCandidates(sdp.trimEnd(), [{ candidate: line, sdpMLineIndex: 1 }])).toBe(`${sdp}${line}\r\n`);
  });

  it.each([
    undefined,
    null,
    "x",
    [null, 1, {}, { candidate: 7 }, { candidate: "end" }, { candidate: "candidate:1\r\na=evil" }],
    [{ candidate: "candidate:1 x", sdpMLineIndex: 7 }],
    Array.from({ length: 1000 }, () => ({})),
  ])("that are none change nothing", (entries) => {
    expect(mergeCandidates(sdp, entries)).toBe(sdp);
  });

  it.each([
    ["many blanks in a row", sdp, Array.from({ length: 20 }, () => `candidate:${" ".repeat(200_000)}x`)],
    ["many m-lines", "m=\n".repeat(800_000), Array.from({ length: 200 }, (_none, at) => `candidate:${at}`)],
  ])("take the time of their length, with %s too", (_what, description, candidates) => {
    const began = performance.now();
    mergeCandidates(
      description,
      candidates.map((candidate) => ({ candidate, sdpMLineIndex: 0 })),
    );
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

describe("messages of the client", () => {
  const offer = {
    messageType: "OFFER",
    sdp,
    Candidates: [{ candidate: "candidate:1 1 udp 1 192.0.2.1 5000 typ host", sdpMLineIndex: 0 }],
    offererSessionId: 102,
    answererSessionId: null,
    seq: 1,
    tiebreaker: 7,
    attacheddata: [{ key: "a", value: { b: [1] } }, { key: 1, value: 2 }, null],
  };
  const body = (more: object = {}): string => `RSMP ${JSON.stringify({ ...offer, ...more })}`;

  it("are offers and answers with their ids and data", () => {
    const { message } = readClientMessage(body()) ?? {};
    expect(message).toEqual({
      kind: "offer",
      sdp: expect.stringContaining("a=candidate:1") as string,
      ids: { offererSessionId: 102, answererSessionId: null, seq: 1, tiebreaker: 7 },
      attached: [{ key: "a", value: '{"b":[1]}' }],
    });
    expect(readClientMessage(body({ messageType: "ANSWER", attacheddata: "x" }))?.message).toMatchObject({
      kind: "answer",
      attached: [],
    });
    expect(readClientMessage('RSMP {"messageType":"OFFER","sdp":"v=0"}')?.message).toMatchObject({
      sdp: "v=0",
    });
  });

  it("with ids that are none, or data too deep to be written again, are read without them", () => {
    const deep = `${"[".repeat(50_000)}${"]".repeat(50_000)}`;
    const text = `RSMP {"messageType":"OFFER","sdp":"v=0","offererSessionId":${deep},"answererSessionId":{"toString":1},"seq":${deep},"tiebreaker":"${"7".repeat(200)}","attacheddata":[{"key":"a","value":${deep}},{"key":"b","value":1}]}`;
    const { message, key } = readClientMessage(text) ?? {};
    expect(message).toEqual({
      kind: "offer",
      sdp: "v=0",
      ids: {},
      attached: [{ key: "b", value: 1 }],
    });
    expect(key).toBeDefined();
  });

  it("are words", () => {
    const read = (text: string): unknown => readClientMessage(text)?.message;
    expect(read("BYE")).toEqual({ kind: "bye" });
    expect(read("BYE\n")).toEqual({ kind: "bye" });
    expect(read("GET-STATS")).toEqual({ kind: "get-stats" });
    expect(read("INFO-MAP a=b+c&d=%20")).toEqual({ kind: "info", use: "to-server", body: "a=b+c&d=%20" });
    expect(read("INFO-PEER a=b")).toEqual({ kind: "info", use: "to-peer", body: "a=b" });
    expect(read('RSMP {"messageType":"OK","seq":1}')).toEqual({ kind: "ok" });
  });

  it.each([
    "",
    "RSMP",
    "RSMP {",
    "RSMP null",
    'RSMP {"messageType":"SHUTDOWN"}',
    'RSMP {"messageType":"OFFER"}',
    "v=0",
    "BYEBYE",
    "bye",
  ])("are nothing else: %j", (text) => {
    expect(readClientMessage(text)).toBeUndefined();
  });

  it("have a key that a repetition has too, and the next message has not", () => {
    const keyOf = (text: string): string | undefined => readClientMessage(text)?.key;
    expect(keyOf(body())).toBe(keyOf(body({ Candidates: [] })));
    const others = [
      body({ seq: 2 }),
      body({ tiebreaker: 8 }),
      body({ offererSessionId: 103 }),
      body({ messageType: "ANSWER" }),
    ];
    expect(new Set([body(), ...others].map(keyOf)).size).toBe(5);
    // Without ids it is the whole body that tells.
    const bare = (text: string): string => `RSMP ${JSON.stringify({ messageType: "OFFER", sdp: text })}`;
    expect(keyOf(bare("v=0"))).toBe(keyOf(bare("v=0")));
    expect(keyOf(bare("v=0"))).not.toBe(keyOf(bare("v=1")));
    for (const text of ["BYE", "GET-STATS", "INFO-PEER a"]) expect(keyOf(text)).toBeUndefined();
  });
});

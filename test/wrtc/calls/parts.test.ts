import { describe, expect, it } from "vitest";
import { numberInText } from "../../../src/b2bua/index.ts";
import { isRenewed, sdpInWords, transportMarks } from "../../../src/wrtc/calls/client-sdp.ts";
import { KeptInfo } from "../../../src/wrtc/calls/kept-info.ts";
import { legActs, legTransitions } from "../../../src/wrtc/calls/leg-state.ts";
import { peerOf } from "../../../src/wrtc/calls/peer.ts";
import { browserSdp } from "../../support/descriptions.ts";

describe("a peer's name", () => {
  it("survives a raw URL, is never empty, and leads back to the same number", () => {
    for (const number of ["1003", "+4989", "*72", "#31#5", "Zoë", "50%", "a b", "x&y", "a/b?c=d;e"]) {
      const peer = peerOf(number);
      expect(peer).toMatch(/^[!-~]+$/);
      expect(peer).not.toMatch(/[&#"<>\\ ]/);
      expect(decodeURIComponent(peer)).toBe(number);
    }
    expect(peerOf("+4989")).toBe("+4989");
    expect([peerOf(""), peerOf("  "), peerOf("x".repeat(300))]).toEqual([
      "anonymous",
      "anonymous",
      "anonymous",
    ]);
    expect(peerOf("\ud800")).toBe("%EF%BF%BD");
  });
});

describe("the number in what a client addresses", () => {
  it("is read from numbers, URIs and addresses, and from nothing else", () => {
    const numbers: [string, string | undefined][] = [
      ["+1 (555) 12-34", "+15551234"],
      ["sips:a@b", "a"],
      ["SIP:1@h", "1"],
      ["1@h", "1"],
      ["%2B49", "+49"],
      ["sip:", undefined],
      ["sip:@", undefined],
      ["@", undefined],
      ["", undefined],
      ["<a>", undefined],
      ["9".repeat(65), undefined],
      ["%", "%"],
    ];
    for (const [text, number] of numbers) expect([text, numberInText(text)]).toEqual([text, number]);
  });
});

describe("a client's description", () => {
  it("is of a new PeerConnection when its ufrag and its o= or its certificate differ", () => {
    const marks = (change: (sdp: string) => string) => transportMarks(change(browserSdp()));
    const before = marks((sdp) => sdp);
    expect(isRenewed(before, before)).toBe(false);
    expect(
      isRenewed(
        before,
        marks((sdp) => sdp.replace("ufrag:abcd", "ufrag:efgh")),
      ),
    ).toBe(false);
    expect(
      isRenewed(
        before,
        marks((sdp) => sdp.replace("o=- 38", "o=- 39").replace("abcd", "efgh")),
      ),
    ).toBe(true);
    expect(
      isRenewed(
        before,
        marks((sdp) => sdp.replace("o=- 38", "o=- 39")),
      ),
    ).toBe(false);
    expect(
      isRenewed(
        before,
        marks((sdp) => sdp.replaceAll("0A", "0B").replace("abcd", "efgh")),
      ),
    ).toBe(true);
    expect(
      isRenewed(
        before,
        marks((sdp) => sdp.replaceAll("0A", "0a").replace("abcd", "efgh")),
      ),
    ).toBe(false);
  });

  it("is told in words by its m-lines alone, whatever it is", () => {
    expect(sdpInWords(browserSdp())).toBe("audio sendrecv");
    expect(sdpInWords("v=0\r\na=inactive\r\nm=audio 9 x 0\r\nm=video 0 y 1\r\na=sendonly")).toBe(
      "audio inactive, video refused",
    );
    expect(sdpInWords("")).toBe("");
    expect(sdpInWords(`v=0${"\r\nm=audio 9".repeat(5000)}`).split(", ")).toHaveLength(4);
  });
});

describe("what waits for the call", () => {
  it("is bounded by count and by size", () => {
    const kept = new KeptInfo();
    expect(kept.keep("a/b", "x".repeat(65_536))).toBe(true);
    expect(kept.keep("a/b", "y")).toBe(false);
    expect(kept.take()).toHaveLength(1);
    for (let index = 0; index < 16; index++) expect(kept.keep("a/b", "y")).toBe(true);
    expect(kept.keep("a/b", "y")).toBe(false);
    expect(kept.take()).toHaveLength(16);
    expect(kept.take()).toEqual([]);
  });
});

describe("the client's states", () => {
  it("each can end, and an ended one does nothing more", () => {
    for (const [state, inputs] of Object.entries(legTransitions))
      expect([state, inputs.end]).toEqual([state, state === "ended" ? undefined : "ended"]);
    for (const acts of Object.values(legActs)) expect(acts.ended).toBe("none");
  });
});

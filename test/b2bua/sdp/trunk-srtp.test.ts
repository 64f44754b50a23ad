import { describe, expect, it } from "vitest";
import {
  acceptTrunkAnswer,
  answerTrunk,
  offerTrunk,
  parseTrunkDescription,
  TrunkSrtpKeys,
  type TrunkPreference,
  type TrunkSrtpPolicy,
} from "../../../src/b2bua/sdp/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { genesysOffer, good, origin, trunkLocal } from "./fixtures.ts";

const theirKey = "d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
const otherKey = "NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj";
const line = (tag: number, suite: string, key = theirKey, rest = ""): string =>
  `a=crypto:${tag} AES_CM_128_HMAC_SHA1_${suite} inline:${key}${rest}`;
const secureOffer = (...lines: string[]): string =>
  genesysOffer({ add: lines }).replace("RTP/AVP", "RTP/SAVP");
const both = secureOffer(line(1, "80"), line(2, "32", otherKey));

function side(policy: TrunkSrtpPolicy) {
  const srtp = new TrunkSrtpKeys(policy, new CountingRandom(policy));
  const preference: TrunkPreference = {
    local: trunkLocal,
    codecs: ["pcmu", "pcma"],
    direction: "sendrecv",
    origin,
    srtp,
  };
  const answer = (sdp: string) => {
    const parsed = parseTrunkDescription(sdp, policy);
    if (!parsed.ok) return parsed;
    const made = answerTrunk(parsed.description, preference);
    if (made.ok) srtp.agreed(made.remote.srtp, made.remote);
    return made;
  };
  return { srtp, preference, answer, offer: () => offerTrunk(preference) };
}

const cryptoLines = (sdp: string): string[] => sdp.match(/^a=crypto:.*$/gm) ?? [];
const protocolOf = (sdp: string): string => /^m=audio \d+ (\S+)/m.exec(sdp)?.[1] ?? "";

describe("an offer of SIP Server's with RTP/SAVP", () => {
  it("is answered in kind, with the first suite we have, the same tag, and a key of our own", () => {
    const made = good(side("accept").answer(both));
    expect(protocolOf(made.sdp)).toBe("RTP/SAVP");
    const [own, ...more] = cryptoLines(made.sdp);
    expect(own).toMatch(/^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[A-Za-z0-9+/]{40}$/);
    expect(more).toEqual([]);
    expect(made.remote.srtp).toEqual({
      suite: "AES_CM_128_HMAC_SHA1_80",
      receiveKey: theirKey,
      sendKey: own?.split("inline:")[1],
    });
    expect(made.remote.srtp?.sendKey).not.toBe(theirKey);
  });

  it.each([
    ["the short tag alone", line(7, "32"), "AES_CM_128_HMAC_SHA1_32"],
    ["a lifetime", line(1, "80", theirKey, "|2^20"), "AES_CM_128_HMAC_SHA1_80"],
    ["a window size hint", line(1, "80", theirKey, " WSH=128"), "AES_CM_128_HMAC_SHA1_80"],
    ["a suite in lower case", line(1, "80").replace("AES_CM", "aes_cm"), "AES_CM_128_HMAC_SHA1_80"],
    [
      "first what we have not",
      `a=crypto:1 AEAD_AES_256_GCM inline:${theirKey}\r\n${line(2, "32")}`,
      "AES_CM_128_HMAC_SHA1_32",
    ],
  ])("is taken with %s", (_what, text, suite) => {
    expect(good(side("accept").answer(secureOffer(text))).remote.srtp?.suite).toBe(suite);
  });

  it.each([
    ["no key", ""],
    ["several keys under one line", line(1, "80", theirKey, "|2^20|1:4")],
    ["a key that is too short", line(1, "80", theirKey.slice(4))],
    ["encryption switched off", line(1, "80", theirKey, " UNENCRYPTED_SRTP")],
    ["a key derivation rate", line(1, "80", theirKey, " KDR=1")],
    ["the null cipher", `a=crypto:1 F8_128_HMAC_SHA1_80 inline:${theirKey}`],
    ["a line of nonsense", "a=crypto:x"],
  ])("is refused with 488 for %s", (_what, text) => {
    const offer = text === "" ? secureOffer() : secureOffer(text);
    for (const policy of ["accept", "offer", "require"] as const)
      expect(side(policy).answer(offer)).toMatchObject({ ok: false, status: 488 });
  });

  it("is refused with 488 where SRTP is off, as before", () => {
    expect(side("off").answer(both)).toEqual({
      ok: false,
      status: 488,
      reason: "no audio m-line with RTP/AVP",
    });
  });

  it("beside one of plain RTP goes first, unless it is off or has no key", () => {
    const alternatives = `${genesysOffer()}m=audio 24004 RTP/SAVP 0\r\n${line(1, "80")}\r\n`;
    const made = good(side("accept").answer(alternatives));
    expect(made.sdp.match(/^m=.*$/gm)).toEqual([
      "m=audio 0 RTP/AVP 0 8 9 102 103 104 18 120 101",
      "m=audio 10004 RTP/SAVP 0",
    ]);
    expect(made.remote.srtp).toBeDefined();
    for (const [policy, sdp] of [
      ["off", alternatives] as const,
      ["accept", alternatives.replace(/^a=crypto.*\r\n/m, "")] as const,
    ]) {
      const plain = good(side(policy).answer(sdp));
      expect([plain.remote.port, plain.remote.srtp]).toEqual([24002, undefined]);
    }
  });
});

describe("an offer of plain RTP", () => {
  it("is answered in kind, but refused where SRTP is required", () => {
    for (const policy of ["off", "accept", "offer"] as const) {
      const made = good(side(policy).answer(genesysOffer()));
      expect([protocolOf(made.sdp), cryptoLines(made.sdp), made.remote.srtp]).toEqual([
        "RTP/AVP",
        [],
        undefined,
      ]);
    }
    expect(side("require").answer(genesysOffer())).toMatchObject({ ok: false, status: 488 });
  });

  it("gives no key away that stands in it without SAVP", () => {
    const made = good(side("accept").answer(genesysOffer({ add: [line(1, "80")] })));
    expect([cryptoLines(made.sdp), made.remote.srtp]).toEqual([[], undefined]);
  });
});

describe("our key in answers", () => {
  it("stays while SIP Server's key and address stay, so that a refresh changes nothing", () => {
    const { answer } = side("accept");
    const first = good(answer(both));
    const second = good(answer(both.replace("a=rtpmap:0 pcmu/8000", "a=rtpmap:0 PCMU/8000")));
    expect(second.remote.srtp).toEqual(first.remote.srtp);
  });

  it.each([
    ["another key", (sdp: string) => sdp.replace(theirKey, otherKey.replace("N", "M"))],
    ["another address", (sdp: string) => sdp.replace("c=IN IP4 192.0.2.77", "c=IN IP4 192.0.2.78")],
    ["another port", (sdp: string) => sdp.replace("24002", "24010")],
    ["another suite", () => secureOffer(line(1, "32"))],
    ["SRTP again after plain RTP", (sdp: string) => sdp],
  ])("is a new one upon %s", (what, change) => {
    const { answer } = side("accept");
    const first = good(answer(both));
    if (what.includes("plain")) good(answer(genesysOffer()));
    const second = good(answer(change(both)));
    expect(second.remote.srtp?.sendKey).not.toBe(first.remote.srtp?.sendKey);
  });
});

describe("our offers", () => {
  it.each([
    ["off", "RTP/AVP"],
    ["accept", "RTP/AVP"],
    ["offer", "RTP/SAVP"],
    ["require", "RTP/SAVP"],
  ] as const)("%s: %s", (policy, protocol) => {
    const { sdp } = side(policy).offer();
    expect(protocolOf(sdp)).toBe(protocol);
    expect(cryptoLines(sdp).map((text) => text.replace(/inline:.*/, ""))).toEqual(
      protocol === "RTP/AVP"
        ? []
        : ["a=crypto:1 AES_CM_128_HMAC_SHA1_80 ", "a=crypto:2 AES_CM_128_HMAC_SHA1_32 "],
    );
  });

  it("have a key of their own on each line, new in each offer", () => {
    const { offer } = side("offer");
    const all = [...cryptoLines(offer().sdp), ...cryptoLines(offer().sdp)].map(
      (text) => text.split("inline:")[1],
    );
    expect(new Set(all).size).toBe(4);
  });

  it("are settled by the answer's tag: our key of that line, its key for what comes", () => {
    const { offer } = side("offer");
    const made = offer();
    const second = cryptoLines(made.sdp)[1]?.split("inline:")[1];
    const answer = secureOffer(line(2, "32")).replace("0 8 9 102 103 104 18 120 101", "0 101");
    expect(good(acceptTrunkAnswer(made.offer, answer)).remote.srtp).toEqual({
      suite: "AES_CM_128_HMAC_SHA1_32",
      sendKey: second,
      receiveKey: theirKey,
    });
  });

  it.each([
    ["plain RTP", genesysOffer()],
    ["a tag we did not offer", secureOffer(line(3, "80"))],
    ["a tag with another suite", secureOffer(line(1, "32"))],
    ["no key", secureOffer()],
  ])("with keys are never settled by an answer of %s", (_what, answer) => {
    expect(acceptTrunkAnswer(side("offer").offer().offer, answer)).toMatchObject({ ok: false, status: 488 });
  });

  it("of plain RTP are never settled by an answer with keys", () => {
    expect(acceptTrunkAnswer(side("accept").offer().offer, both)).toMatchObject({ ok: false, status: 488 });
  });
});

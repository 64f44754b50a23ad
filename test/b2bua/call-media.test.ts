import { describe, expect, it } from "vitest";
import { CallMedia } from "../../src/b2bua/media/call-media.ts";
import type { CodecPreference } from "../../src/b2bua/media/codec-terms.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { browserSdp } from "../support/descriptions.ts";
import { FakeMediaSession } from "../support/fake-media.ts";
import { chromiumOffer, genesysOffer } from "./sdp/fixtures.ts";

const wide: CodecPreference = { browser: ["opus", "pcmu"], trunk: ["g722", "pcmu"] };
const opusToo: CodecPreference = { browser: ["opus", "pcmu"], trunk: ["opus", "g722", "pcmu"] };

function callMedia(codecs: CodecPreference): { media: CallMedia; session: FakeMediaSession } {
  const session = new FakeMediaSession(0, () => {});
  return { media: new CallMedia(session, codecs, new CountingRandom()), session };
}

const trunkOffer = (list: string, add: readonly string[] = []): string =>
  genesysOffer({ add }).replace("0 8 9 102 103 104 18 120 101", list);
const opusAnswer = browserSdp({ setup: "active", payloads: "111 110" });
const pcmuAnswer = browserSdp({ setup: "active", payloads: "0 126" });
const band = (sdp: string): string => /maxplaybackrate=(\d+)/.exec(sdp)?.[1] ?? "any";

/** The description an answer or offer was made with. */
function good(made: { readonly ok: boolean; readonly sdp?: string; readonly reason?: string }): string {
  if (made.sdp === undefined) throw new Error(made.reason);
  return made.sdp;
}

describe("a call from SIP Server", () => {
  it.each([
    ["0 9 101", "16000", "g722"],
    ["0 101", "8000", "pcmu"],
  ])("that offers %s asks the browser for a band of %s and becomes %s", (list, expected, codec) => {
    const { media } = callMedia(wide);
    expect(media.examineTrunkOffer(trunkOffer(list)).ok).toBe(true);
    expect(band(media.offerToBrowser())).toBe(expected);
    expect(media.takeBrowserAnswer(opusAnswer).ok).toBe(true);
    good(media.answerToTrunk(trunkOffer(list)));
    expect(media.codecsInUse).toEqual({ browser: "opus", trunk: codec });
  });

  it("is answered with G.711 where the browser took G.711, G.722 offered or not", () => {
    const { media } = callMedia(wide);
    media.examineTrunkOffer(trunkOffer("9 0 101"));
    media.offerToBrowser();
    expect(media.takeBrowserAnswer(pcmuAnswer).ok).toBe(true);
    expect(good(media.answerToTrunk(trunkOffer("9 0 101")))).toContain("RTP/AVP 0 101");
  });

  it("is answered with G.722 where nothing else was offered, though the browser took G.711", () => {
    const { media } = callMedia(wide);
    expect(media.examineTrunkOffer(trunkOffer("9 101")).ok).toBe(true);
    media.offerToBrowser();
    expect(media.takeBrowserAnswer(pcmuAnswer).ok).toBe(true);
    expect(good(media.answerToTrunk(trunkOffer("9 101")))).toContain("RTP/AVP 9 101");
    const narrow = callMedia({ browser: ["pcmu"], trunk: ["g722", "pcmu"] }).media;
    expect(narrow.examineTrunkOffer(trunkOffer("9 101")).ok).toBe(true);
    expect(narrow.offerToTrunk()).toContain("RTP/AVP 0 101");
  });

  it("with no offer asks the browser for the widest band that SIP Server may turn out to have", () => {
    expect(band(callMedia(wide).media.offerToBrowser())).toBe("16000");
    expect(band(callMedia(opusToo).media.offerToBrowser())).toBe("any");
    const narrow: CodecPreference = { browser: ["opus"], trunk: ["pcmu"] };
    expect(band(callMedia(narrow).media.offerToBrowser())).toBe("8000");
  });

  it("carries each side's Opus parameters to the other where Opus passes", () => {
    const { media } = callMedia(opusToo);
    const offer = trunkOffer("120 0 101", ["a=fmtp:120 maxplaybackrate=24000;usedtx=1;useinbandfec=0"]);
    media.examineTrunkOffer(offer);
    expect(media.offerToBrowser()).toContain("a=fmtp:111 useinbandfec=0;maxplaybackrate=24000;usedtx=1\r\n");
    const answer = `${opusAnswer}a=fmtp:111 maxaveragebitrate=20000;cbr=1\r\n`.replace(
      /a=fmtp:111 minptime.*\r\n/,
      "",
    );
    expect(media.takeBrowserAnswer(answer).ok).toBe(true);
    const sdp = good(media.answerToTrunk(offer));
    expect(sdp).toContain("a=rtpmap:120 opus/48000/2\r\n");
    expect(sdp).toContain("a=fmtp:120 maxaveragebitrate=20000;cbr=1\r\n");
  });
});

describe("a call from the agent", () => {
  it("offers G.722 only where the browser speaks Opus", async () => {
    const { media } = callMedia(wide);
    expect(band(good(await media.answerToBrowser(chromiumOffer())))).toBe("16000");
    expect(media.offerToTrunk()).toContain("RTP/AVP 9 0 101");
    const other = callMedia(wide).media;
    good(await other.answerToBrowser(chromiumOffer().replace("SAVPF 111 63", "SAVPF 63")));
    expect(other.offerToTrunk()).toContain("RTP/AVP 0 101");
  });

  it("offers G.722 to a browser of G.711 where it is the only codec configured", async () => {
    const { media } = callMedia({ browser: ["pcmu"], trunk: ["g722"] });
    good(await media.answerToBrowser(chromiumOffer()));
    expect(media.offerToTrunk()).toContain("RTP/AVP 9 101");
  });

  it("tells the browser at its next offer what then fits, and never changes its codec", async () => {
    const { media } = callMedia(wide);
    good(await media.answerToBrowser(chromiumOffer()));
    media.offerToTrunk();
    expect(media.takeTrunkAnswer(trunkOffer("0 101")).ok).toBe(true);
    expect(band(good(await media.answerToBrowser(chromiumOffer())))).toBe("8000");
    good(media.answerToTrunk(trunkOffer("9 101")));
    const later = good(await media.answerToBrowser(chromiumOffer()));
    expect(band(later)).toBe("16000");
    expect(later).toContain("a=rtpmap:111 opus/48000/2");
  });

  it("tells the relay the packet time that SIP Server's re-INVITE asks for", async () => {
    const { media, session } = callMedia(wide);
    good(await media.answerToBrowser(chromiumOffer()));
    media.offerToTrunk();
    media.takeTrunkAnswer(trunkOffer("0 101", ["a=ptime:30"]));
    expect(session.trunkRemote?.payload.packetMs).toBe(30);
    media.answerToTrunk(trunkOffer("0 101"));
    expect(session.trunkRemote?.payload.packetMs).toBeUndefined();
  });
});

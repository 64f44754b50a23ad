import { describe, expect, it } from "vitest";
import {
  acceptTrunkAnswer,
  answerTrunk,
  carriedOpusFormat,
  offerBrowser,
  offerTrunk,
  opusFormats,
} from "../../../src/b2bua/sdp/index.ts";
import type { TrunkPreference } from "../../../src/b2bua/sdp/index.ts";
import { browserLocal, genesysOffer, good, origin, trunkDescription, trunkLocal } from "./fixtures.ts";

const preference: TrunkPreference = {
  local: trunkLocal,
  codecs: ["opus", "g722", "pcmu"],
  direction: "sendrecv",
  origin,
};
/** As `genesysOffer`, with the numbers `list` in its m-line. */
const offerOf = (list: string, add: readonly string[] = []): string =>
  genesysOffer({ add }).replace("0 8 9 102 103 104 18 120 101", list);
const answered = (sdp: string, change: Partial<TrunkPreference> = {}) =>
  good(answerTrunk(trunkDescription(sdp), { ...preference, ...change }));

describe("G.722 toward SIP Server", () => {
  it("is offered as payload type 9 with the clock rate 8000 it has by mistake", () => {
    const { sdp } = offerTrunk({ ...preference, codecs: ["g722", "pcmu"] });
    expect(sdp).toContain("m=audio 10004 RTP/AVP 9 0 101\r\na=rtpmap:9 G722/8000\r\n");
  });

  it("is answered where it is preferred, without rtpmap too", () => {
    expect(answered(offerOf("0 9 101")).remote.payload).toEqual({
      codec: "g722",
      payloadType: 9,
      telephoneEvent: { payloadType: 101, clockRate: 8000 },
    });
    const bare = offerOf("0 9 101").replace("a=rtpmap:9 g722/8000\r\n", "");
    expect(answered(bare).remote.payload.codec).toBe("g722");
    expect(answered(offerOf("0 9 101"), { codecs: ["pcmu", "g722"] }).remote.payload.codec).toBe("pcmu");
  });

  it("is not what G722/16000 says, which no standard knows", () => {
    const offer = offerOf("0 9 101").replace("g722/8000", "g722/16000");
    expect(answered(offer).remote.payload.codec).toBe("pcmu");
  });
});

describe("Opus toward SIP Server", () => {
  it("is offered at 48000 with two channels, with events at both clock rates", () => {
    const { sdp } = offerTrunk({ ...preference, opusFormat: "useinbandfec=1;usedtx=1" });
    expect(sdp.split("\r\n").slice(5, -1)).toEqual([
      "m=audio 10004 RTP/AVP 111 9 0 101 110",
      "a=rtpmap:111 opus/48000/2",
      "a=rtpmap:9 G722/8000",
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:101 telephone-event/8000",
      "a=rtpmap:110 telephone-event/48000",
      "a=fmtp:111 useinbandfec=1;usedtx=1",
      "a=fmtp:101 0-15",
      "a=fmtp:110 0-15",
      "a=ptime:20",
      "a=sendrecv",
    ]);
  });

  it.each([
    ["of Opus' clock where the answer has them", ["a=rtpmap:100 telephone-event/48000"], 100, 48000],
    ["of 8000 where it has no other", [], 101, 8000],
  ])("takes events %s", (_name, add, payloadType, clockRate) => {
    const { offer } = offerTrunk(preference);
    const { remote } = good(acceptTrunkAnswer(offer, offerOf("120 101 100", add)));
    expect(remote.payload).toMatchObject({
      codec: "opus",
      payloadType: 120,
      receivePayloadType: 111,
      telephoneEvent: { payloadType, clockRate },
    });
  });

  it("beside it G.711 has events of 8000 only", () => {
    const { offer } = offerTrunk(preference);
    const answer = offerOf("0 100 101", ["a=rtpmap:100 telephone-event/48000"]);
    expect(good(acceptTrunkAnswer(offer, answer)).remote.payload.telephoneEvent?.clockRate).toBe(8000);
  });

  it("always has packets of 20 ms, which pass as they come", () => {
    expect(answered(offerOf("120 101", ["a=ptime:40"])).remote.payload.packetMs).toBeUndefined();
  });
});

describe("Opus parameters carried from one side to the other", () => {
  it("are those of RFC 7587 with whole numbers, in one order", () => {
    expect(
      carriedOpusFormat(
        "stereo=1; maxplaybackrate=24000;UseInbandFec=1;usedtx=1;x-evil=7;cbr=yes;sprop-stereo=0;maxaveragebitrate=99999999",
      ),
    ).toBe("useinbandfec=1;maxplaybackrate=24000;stereo=1;sprop-stereo=0;usedtx=1");
    expect(carriedOpusFormat("")).toBe("");
    expect(carriedOpusFormat("a=1\r\nb")).toBe("");
  });

  it("ask a browser for the band that its far side has", () => {
    const browser = { local: browserLocal, codecs: ["opus"], direction: "sendrecv", origin } as const;
    expect(offerBrowser(browser).sdp).toContain("maxplaybackrate=8000;sprop-maxcapturerate=8000;");
    const wide = offerBrowser({ ...browser, opusFormat: opusFormats.g722 }).sdp;
    expect(wide).toContain("maxplaybackrate=16000;sprop-maxcapturerate=16000;");
    expect(offerBrowser({ ...browser, opusFormat: opusFormats.opus }).sdp).not.toContain("maxplaybackrate");
  });
});

describe("the packet time SIP Server asks for", () => {
  it.each([
    [[], undefined],
    [["a=ptime:20"], undefined],
    [["a=ptime:10"], 10],
    [["a=ptime:30"], 30],
    [["a=ptime:40"], 40],
    [["a=ptime:50"], 50],
    [["a=ptime:60"], 60],
    [["a=ptime:25"], undefined],
    [["a=ptime:26"], 30],
    [["a=ptime:5"], 10],
    [["a=ptime:120"], 60],
    [["a=ptime:0"], undefined],
    [["a=maxptime:10"], 10],
    [["a=maxptime:150"], undefined],
    [["a=ptime:60", "a=maxptime:45"], 40],
    [["a=ptime:60", "a=maxptime:3"], 10],
    [["a=ptime:30", "a=maxptime:0"], 30],
  ])("%j is sent %s ms", (add, packetMs) => {
    expect(answered(offerOf("0 101", add)).remote.payload.packetMs).toBe(packetMs);
    const { offer } = offerTrunk(preference);
    expect(good(acceptTrunkAnswer(offer, offerOf("0 101", add))).remote.payload.packetMs).toBe(packetMs);
  });

  it("is told 20 ms by us all the same: either end names what it wants to hear", () => {
    expect(answered(offerOf("0 101", ["a=ptime:60"])).sdp).toContain("a=ptime:20\r\n");
  });
});

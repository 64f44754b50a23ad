import { describe, expect, it } from "vitest";
import { CallMedia } from "../../src/b2bua/media/call-media.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { FakeMediaSession } from "../support/fake-media.ts";
import { newPlace, notifiesOf, send, statusesOf, TransferBench } from "../support/transfer-bench.ts";

/** SIP Server's description with an SRTP key of 40 times `sign`. */
function secure(sign: string, options: Parameters<typeof genesysSdp>[0] = {}): string {
  const line = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${sign.repeat(40)}`;
  return genesysSdp(options).replace("RTP/AVP", "RTP/SAVP") + `${line}\r\n`;
}

/** The first key that a description of ours offers or answers with. */
const keyIn = (sdp: string): string | undefined => /^a=crypto:1 \S+ inline:(\S{40})/m.exec(sdp)?.[1];

/** A running call with SRTP, in which SIP Server has sent REFER; the target rings. */
async function referred() {
  const bench = new TransferBench({ trunkSrtp: "require", allowEvents: ["x-jackfield-call"] });
  await bench.callAgent(secure("a"));
  bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
  await bench.pass();
  const { outgoing } = bench.trunk;
  if (!outgoing) throw new Error("no call");
  const notifies = notifiesOf(bench.trunk);
  send(outgoing.session, "REFER", [["Refer-To", "<sip:1004@192.0.2.10:5060>"]]);
  await bench.pass();
  return { bench, session: outgoing.session, target: bench.trunk.received, notifies };
}

describe("offers to two legs of SIP Server's at once, each with keys of its own (RFC 4568)", () => {
  it("a hold while the target of a REFER rings: the target's answer settles the key it was offered", async () => {
    const { bench, session, target } = await referred();
    bench.trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(secure("b"));
    session.request("NOTIFY", [["Event", "hold"]]);
    await bench.pass();
    expect(bench.media.last.trunkRemote?.srtp?.receiveKey).toBe("b".repeat(40));
    // The hold is offered to the target, too; it may take its time.
    bench.trunk.user.onOfferReceived = () => {};
    target.accept(secure("c", { address: newPlace }));
    await bench.pass();
    expect(bench.media.last.trunkRemote).toMatchObject({
      address: newPlace,
      srtp: { receiveKey: "c".repeat(40), sendKey: keyIn(target.offer) },
    });
  });

  it("a REFER while our hold waits for its answer: that answer settles the key of the hold", async () => {
    const { bench, session, target } = await referred();
    target.reject(486);
    await bench.pass();
    let offered = "";
    let answer = (): void => {};
    bench.trunk.user.onOfferReceived = (sdp, reply) => {
      offered = sdp;
      answer = () => reply.accept(secure("b"));
    };
    session.request("NOTIFY", [["Event", "hold"]]);
    await bench.pass();
    send(session, "REFER", [["Refer-To", "<sip:1004@192.0.2.10:5060>"]]);
    await bench.pass();
    answer();
    await bench.pass();
    expect(keyIn(offered)).toBeDefined();
    expect(bench.media.last.trunkRemote?.srtp?.sendKey).toBe(keyIn(offered));
  });

  it("an offer in the early dialog of the target, and its NOTIFY hold, touch nothing of the call that runs", async () => {
    const { bench, target, notifies } = await referred();
    target.progress(183, secure("c", { address: newPlace }));
    await bench.pass();
    const before = bench.media.last.told.length;
    // As after a reliable 183.
    target.session.firstExchange = "free";
    const update = send(
      target.session,
      "UPDATE",
      [["Content-Type", "application/sdp"]],
      secure("d", { address: "192.0.2.77" }),
    );
    const notify = send(target.session, "NOTIFY", [["Event", "hold"]]);
    await bench.pass();
    expect(update).not.toEqual([200]);
    expect(notify).toEqual([200]);
    expect(bench.media.last.told).toHaveLength(before);
    target.accept(secure("e", { address: newPlace }), [["P-Asserted-Identity", '"Ann" <sip:1004@a>']]);
    await bench.pass();
    expect(bench.media.last.trunkRemote?.address).toBe(newPlace);
    expect(statusesOf(notifies).at(-1)).toBe(200);
    const told = bench.browser.events.map(({ body }) => body.toString()).join("\n");
    expect(told).toContain('["P-Asserted-Identity","\\"Ann\\" <sip:1004@a>"]');
  });
});

describe("a refresh of ours, which repeats our last description", () => {
  const made = () => {
    const session = new FakeMediaSession(0, () => {});
    const codecs = { browser: ["pcmu"], trunk: ["pcmu"], trunkSrtp: "require" } as const;
    return { session, media: new CallMedia(session, codecs, new CountingRandom("refresh")) };
  };

  it("that was an answer keeps the key in it, whatever key SIP Server answers with", () => {
    const { session, media } = made();
    const answer = media.answerToTrunk(secure("a"));
    const ours = answer.ok ? keyIn(answer.sdp) : undefined;
    expect(media.takeTrunkRefresh(secure("b"))).toMatchObject({ ok: true });
    expect(session.trunkRemote?.srtp).toMatchObject({ sendKey: ours, receiveKey: "b".repeat(40) });
    // A new offer of SIP Server's gets a new key of ours, which it is told.
    const next = media.answerToTrunk(secure("c"));
    expect(session.trunkRemote?.srtp?.sendKey).toBe(next.ok ? keyIn(next.sdp) : undefined);
    expect(session.trunkRemote?.srtp?.sendKey).not.toBe(ours);
  });

  it("that was an offer keeps the key in it, though another one was refused since", () => {
    const { session, media } = made();
    const ours = keyIn(media.offerToTrunk());
    media.takeTrunkAnswer(secure("a"));
    media.offerToTrunk();
    expect(media.takeTrunkRefresh(secure("b"))).toEqual({ ok: true });
    expect(session.trunkRemote?.srtp).toMatchObject({ sendKey: ours, receiveKey: "b".repeat(40) });
  });
});

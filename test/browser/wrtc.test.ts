import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { shareOfTone, until, type Lab } from "./support/index.ts";
import {
  openWrtcLab,
  signInWrtc,
  whyNotGenesys,
  wrtcClients,
  type PollReply,
  type WrtcPage,
  type WrtcTerms,
} from "./support/wrtc.ts";

/**
 * Calls of grtc.js with real sound. Which line of the checklist is proven where (the protocol's notes have 40): `calls`
 * this file, `sign-in` wrtc-sign-in.test.ts, `many` test/interop/wrtc.test.ts, the rest in test/wrtc.
 *
 *  1  sign-in: without a password      2  sign-in: odd characters         3  sign-in: wrong password
 *  4  sign-in: as nobody               5  http/sign-in, protocol/reading  6  sign-in: anew; late sign_out: http/wait
 *  7  sign-in, http/sign-in            8  sign-in: addresses              9  sign-in: page is left; http/wait
 * 10  session/mailbox, http/wait      11  calls: five INFOs at once      12  http/delivery, by HTTP/1.1 and 2
 * 13  http/wait, session/mailbox      14  sign-in: restart               15  sign-in: the seventh
 * 16  calls: 200 for all polls        17  calls: both hear each other    18  calls: 9198, 9200, 4444; timeout: calls/outbound
 * 19  calls: CANCEL; crossing 200: calls/outbound                        20  calls: nobody answers
 * 21  calls: a tone before the answer                                    22  calls: is called, rejects, caller gives up
 * 23  calls: without an offer. We ring with an OFFER of our own, so that no INVITE is ever sent (docs/decisions)
 * 24  calls: talk, hold and talk      25  calls: three times             26  calls: held by SIP Server
 * 27  calls: at the same time; both orders by turns, and 491: calls/re-offers
 * 28  calls: busy; two clients of one DN: calls/inbound                  29  calls: replies are lost
 * 30  calls: digits with Opus; with PCMU: test/browser/dtmf.test.ts, the same relay
 * 31  calls: data, both ways          32  calls: statistics              33  calls: video. VP8 passed through: not built
 * 34  calls: a new connection         35  sign-in: the address changes, and a time without UDP
 * 36  calls: itself; destinations     37  sign-in: TURN by UDP; TCP: turn   38  calls: signs out; fifty calls: many
 * 39  no second version of the library is at hand                        40  the simple variant has tests of its own
 *
 * A page that crashes says nothing: its session expires (9).
 */

/** What the browser says, what the number says (numbers.ts: 9197), Hz. */
const here = 1150;
const there = 440;
const ringbackTone = 425;

let lab: Lab;
/** Replies to all pages' polls. */
const polls: PollReply[] = [];

beforeAll(async () => {
  lab = await openWrtcLab();
});
afterEach(async () => await lab.closePhones());
afterAll(async () => await lab.close());

async function signedIn(client: "wrtc" | "grtc", terms: WrtcTerms = {}): Promise<WrtcPage> {
  const page = await signInWrtc(lab, client, terms);
  page.onPoll = (reply) => polls.push(reply);
  return page;
}

async function expectTalking(page: WrtcPage, uuid: string): Promise<void> {
  const shares = await lab.sharesOf(page, uuid, { here: there, there: here });
  expect(shares.here).toBeGreaterThan(0.9);
  expect(shares.there).toBeGreaterThan(0.9);
}

/** Both get packets from now on: enough where what they sound like has been shown elsewhere. */
async function expectFlowing(page: WrtcPage, uuid: string): Promise<void> {
  lab.sandbox.record(uuid);
  await page.phone.clearEncodedFrames();
  await until(() => lab.soundOf(uuid).length > 5);
  await expect
    .poll(async () => (await page.phone.encodedFrames()).filter(({ side }) => side === "received").length)
    .toBeGreaterThan(5);
}

async function talking(page: WrtcPage, number = "9197"): Promise<string> {
  await page.phone.setMicrophone({ kind: "tone", frequency: here });
  return await lab.call(page, number);
}

/** Each once: on a busy machine UDP's messages are sent again, to the letter. */
function sip(start: string, dn: string): string[] {
  const texts = new Set(lab.sandbox.trace().map(({ text }) => text));
  return [...texts].filter((text) => text.startsWith(start) && text.includes(`sip:${dn}@`));
}

function invites(dn: string): string[] {
  return sip("INVITE ", dn).filter((text) => !/^To: .*;tag=/m.test(text));
}

function holding(dn: string): boolean | undefined {
  return lab.callOf(dn)?.parties.find(({ name }) => name === dn)?.holding;
}

async function over(page: WrtcPage): Promise<void> {
  await until(() => lab.callOf(page.dn) === undefined);
  await until(() => lab.gateway.counts.mediaSessions === 0);
}

for (const { client, title } of wrtcClients)
  describe(title, () => {
    it("calls, and both hear each other by candidates that came beside the description; hangs up", async () => {
      const page = await signedIn(client);
      const uuid = await talking(page);
      await expectTalking(page, uuid);
      const [offer] = page.roap("OFFER");
      expect(offer?.["sdp"]).not.toContain("a=candidate");
      expect(offer?.["Candidates"]).not.toHaveLength(0);
      await until(() => page.roap("OK").length === 1);
      await page.phone.hangUp();
      await over(page);
      expect(await lab.record(page.dn)).toMatchObject({
        direction: "from-agent",
        farNumber: "9197",
        endedBy: "agent",
        status: 200,
      });
    });

    it("calls who is busy, who declines, and nobody: told so, then free at once for another call", async () => {
      const page = await signedIn(client);
      for (const number of ["9198", "9200", "4444"]) {
        const { length } = await page.events();
        await expect(page.phone.call(number)).rejects.toThrow(/NOMATCH|REFUSED/);
        const names = (await page.events()).slice(length).map(({ name }) => name);
        expect(names.indexOf("onPeerClosing")).toBeGreaterThan(names.indexOf("onGatewayError"));
      }
      await lab.call(page, "9196");
    });

    it("calls numbers with a plus, of features, and in URIs", async () => {
      const page = await signedIn(client);
      for (const to of ["+15551234", "*72#1", "sip:4444@host;x=y"])
        await expect(page.phone.call(to)).rejects.toThrow();
      const called = invites(page.dn).map((text) => /^INVITE sip:([^@]*)@/.exec(text)?.[1]);
      expect(called).toEqual(["+15551234", "*72", "4444"]);
    });

    it("gives up before the answer: CANCEL", async () => {
      const page = await signedIn(client);
      page.phone.call("9199").catch(() => undefined);
      await until(() => sip("SIP/2.0 180", page.dn).length > 0);
      await page.phone.hangUp();
      await over(page);
      expect(sip("CANCEL ", page.dn)).toHaveLength(1);
      expect(await lab.record(page.dn)).toMatchObject({ status: 487, endedBy: "agent" });
    });

    it("hears a tone before the answer, by the one ANSWER there is", async () => {
      const page = await signedIn(client);
      const connected = page.phone.call("9201");
      await connected;
      // Nobody has answered yet: this is the tone of a 183.
      expect(lab.callOf(page.dn)?.state).toBe("setup");
      await page.phone.clearEncodedFrames();
      const { uuid } = await until(() => lab.callOf(page.dn));
      const { here: heard } = await lab.listen(page, uuid);
      expect(shareOfTone(heard, ringbackTone)).toBeGreaterThan(0.9);
      await lab.connected(page.dn);
      await expectFlowing(page, uuid);
      expect(page.roap("OK")).toHaveLength(1);
    });

    it("is called by a number, accepts, and hears its caller hang up", async () => {
      const page = await signedIn(client);
      const uuid = await lab.sandbox.ring(page.dn, "1003");
      expect(await page.phone.nextCall()).toMatchObject({ from: "1003" });
      await page.phone.answer();
      await lab.connected(page.dn);
      await expectFlowing(page, uuid);
      lab.sandbox.hangUp(uuid);
      expect(await page.phone.ended()).toMatchObject({ by: "remote" });
      expect(await lab.record(page.dn)).toMatchObject({ direction: "to-agent", endedBy: "sip-server" });
    });

    it("is called, and rejects; is called again, and its caller gives up", async () => {
      const page = await signedIn(client);
      await lab.sandbox.ring(page.dn, "1003");
      await page.phone.nextCall();
      await page.phone.reject(603);
      await over(page);
      const { status } = await lab.record(page.dn);
      expect([486, 603]).toContain(status);
      const uuid = await lab.sandbox.ring(page.dn, "1004");
      await page.phone.nextCall();
      lab.sandbox.hangUp(uuid);
      await page.event("onPeerClosing");
      await over(page);
    });

    it("is called without an offer, and NOTIFY talk answers: both are heard", async () => {
      const page = await signedIn(client);
      await page.phone.setMicrophone({ kind: "tone", frequency: here });
      const uuid = await lab.sandbox.makeCall(page.dn, "9197");
      await lab.connected(page.dn);
      await expectTalking(page, uuid);
      expect(await page.event("onNotifyEvent")).toMatchObject({ event: "talk" });
    });

    it("is called with an offer, and NOTIFY talk answers", async () => {
      const page = await signedIn(client);
      const uuid = await lab.sandbox.ring(page.dn, "1003");
      await page.phone.nextCall();
      expect(await lab.sandbox.answer(uuid)).toBe(200);
      await lab.connected(page.dn);
      await expectFlowing(page, uuid);
    });

    it("holds and retrieves three times, and its sound is back", async () => {
      const page = await signedIn(client);
      const uuid = await talking(page);
      for (let round = 1; round <= 3; round++) {
        await page.phone.hold(true);
        await until(() => holding(page.dn) === true);
        await page.event("onSessionHold", round);
        await page.phone.hold(false);
        await until(() => holding(page.dn) === false);
      }
      await expectTalking(page, uuid);
      expect(page.roap("OFFER").map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    });

    it("is held and retrieved by NOTIFY hold and talk", async () => {
      const page = await signedIn(client);
      const uuid = await talking(page);
      expect(await lab.sandbox.hold(uuid)).toBe(200);
      await until(() => holding(page.dn) === true);
      expect(await page.event("onSessionHold")).toBe(true);
      expect(await page.event("onNotifyEvent")).toMatchObject({ event: "hold" });
      expect(await lab.sandbox.retrieve(uuid)).toBe(200);
      await until(() => holding(page.dn) === false);
      await expectFlowing(page, uuid);
    });

    it("is held by SIP Server in each of the forms there are, and gets its call back", async () => {
      const page = await signedIn(client);
      const uuid = await talking(page);
      for (const form of ["inactive", "sendonly", "zero"] as const) {
        expect(await lab.sandbox.holdByReinvite(uuid, form)).toBe(true);
        const held = await lab.listen(page, uuid);
        expect(shareOfTone(held.here, there)).toBeLessThan(0.1);
        expect(held.here.samples.length > 0).toBe(form === "sendonly");
        expect(await lab.sandbox.retarget(uuid)).toBe(true);
        await expectFlowing(page, uuid);
      }
    });

    it("and SIP Server renegotiate at the same time: the call goes on", async () => {
      const page = await signedIn(client);
      const uuid = await talking(page);
      for (const on of [true, false]) {
        // Either may be first on the wire.
        await Promise.all([lab.sandbox.retarget(uuid), page.phone.hold(on)]);
        await Promise.all([page.phone.hold(on), lab.sandbox.retarget(uuid, { offerless: true })]);
      }
      await until(() => holding(page.dn) === false);
      await expectTalking(page, uuid);
    });

    it("is busy for a second caller, ringing or talking", async () => {
      const page = await signedIn(client);
      const first = await lab.sandbox.ring(page.dn, "1003");
      await page.phone.nextCall();
      await lab.sandbox.ring(page.dn, "1004");
      await until(() => sip("SIP/2.0 486", page.dn).length === 1);
      await page.phone.answer();
      await lab.connected(page.dn);
      await lab.sandbox.ring(page.dn, "1005");
      await until(() => sip("SIP/2.0 486", page.dn).length === 2);
      await expectFlowing(page, first);
      expect((await page.events()).filter(({ name }) => name === "onIncomingCall")).toHaveLength(1);
    });

    it("repeats an OFFER whose replies are lost: there is one INVITE", async () => {
      const page = await signedIn(client);
      let lost = 0;
      await page.phone.page.route("**/message?*", async (route) => {
        if (++lost > 2) return await route.continue();
        await route.fetch();
        await route.abort();
      });
      const uuid = await lab.call(page, "9196");
      await until(() => page.roap("OFFER").length >= 2);
      expect(new Set(page.roap("OFFER").map(({ tiebreaker }) => tiebreaker)).size).toBe(1);
      await expectFlowing(page, uuid);
      expect(invites(page.dn)).toHaveLength(1);
    });

    it("sends digits, which arrive at SIP Server as events, each once", async () => {
      const page = await signedIn(client);
      const uuid = await lab.call(page, "9196");
      await until(() => lab.farOf(uuid).packetsReceived > 0);
      lab.sandbox.record(uuid);
      await page.do("sendDTMF", "0123456789*#ABCD", 60, 40);
      await until(() => lab.farOf(uuid).digits.length >= 16);
      expect(lab.farOf(uuid).digits).toBe("0123456789*#ABCD");
      const ends = lab.sandbox
        .recording(uuid)
        .filter(({ payload }) => payload.length === 4 && payload.readUInt8(1) & 0x80);
      // 60 ms at 8 kHz; the browser rounds to its packets.
      for (const { payload } of ends) expect(payload.readUInt16BE(2)).toBeGreaterThanOrEqual(480);
      for (const { payload } of ends) expect(payload.readUInt16BE(2)).toBeLessThanOrEqual(960);
    });

    it("sends data to SIP Server and to its party, and gets theirs", async () => {
      const page = await signedIn(client);
      await page.do("setData", [
        { key: "Account", value: "42" },
        { key: "Note", value: "a special OFFER, no ERROR" },
      ]);
      const uuid = await lab.call(page, "9196");
      // Others may have called the DN before.
      const own = invites(page.dn).filter((text) => new RegExp(`^From: .*sip:${page.dn}@`, "m").test(text));
      expect(own.at(-1)).toMatch(/^X-Genesys-Account: 42\r$/m);
      await page.do("sendInfo", { name: "Jo Do" }, true);
      await page.do("sendInfo", { name: "peer" }, false);
      const infos = await until(() => {
        const found = sip("INFO ", page.dn);
        return found.length >= 2 && found;
      });
      const typeOf = (body: string): string | undefined =>
        /^Content-Type: (.*)\r$/im.exec(infos.find((text) => text.endsWith(body)) ?? "")?.[1];
      expect(typeOf("name=Jo+Do")).toBe("application/x-www-form-urlencoded");
      expect(typeOf("name=peer")).toBe("application/octet-stream");
      // Five at once: in their order, none lost.
      const type = "application/x-www-form-urlencoded";
      for (let at = 1; at <= 5; at++)
        expect(await lab.sandbox.info(uuid, { type, text: `number=${at}&word=OFFER` })).toBe(200);
      await page.event("onInfoFromPeer", 5);
      const told = (await page.events()).filter(({ name }) => name === "onInfoFromPeer");
      expect(told.map(({ data }) => data)).toEqual(
        ["1", "2", "3", "4", "5"].map((number) => ({ number, word: "OFFER" })),
      );
      expect(lab.callOf(page.dn)?.state).toBe("connected");
    });

    it("is told what its caller attached", async () => {
      const page = await signedIn(client);
      const headers = [["X-Genesys-Topic", "an OFFER, an ERROR, an errorType"]] as const;
      await lab.sandbox.ring(page.dn, "1003", { headers });
      await page.phone.nextCall();
      await page.phone.answer();
      await lab.connected(page.dn);
      expect(await page.do("getData")).toContainEqual({
        key: "Topic",
        value: "an OFFER, an ERROR, an errorType",
      });
    });

    it("asks for statistics, and gets them", async () => {
      const page = await signedIn(client);
      const uuid = await lab.call(page, "9196");
      await until(() => lab.farOf(uuid).packetsReceived > 25);
      await page.do("getServerStats");
      expect(await page.event("onStatsFromServer")).toMatchObject({
        timestamp: expect.any(Number) as number,
        duration: expect.any(Number) as number,
        audio: {
          rtt: expect.any(Number) as number,
          rtt_max: expect.any(Number) as number,
          rtt_average: expect.any(Number) as number,
          rx: { packets: expect.any(Number) as number, lost: 0 },
          tx: { bytes: expect.any(Number) as number },
        },
      });
    });

    it("offers video, which is declined, and adds it in a call, by three m-lines", async () => {
      const page = await signedIn(client);
      await page.phone.setMicrophone({ kind: "tone", frequency: here });
      await page.do("makeOffer", "9197", true, true);
      let uuid = await lab.connected(page.dn);
      await expectTalking(page, uuid);
      const answered = async (): Promise<string[]> => {
        const sdp = await page.phone.page.evaluate(
          () => window.testPhone.sip.connection()?.remoteDescription?.sdp ?? "",
        );
        return Array.from(sdp.matchAll(/^m=(\w+ \d+)/gm), ([, line = ""]) => line);
      };
      expect((await answered())[1]).toBe("video 0");
      await page.phone.hangUp();
      await over(page);

      await page.do("makeOffer", "9197", true, false);
      uuid = await lab.connected(page.dn);
      await page.do("makeOffer", undefined, true, true);
      await expect.poll(answered).toHaveLength(3);
      expect((await answered())[2]).toBe("video 0");
      await expectTalking(page, uuid);
    });

    it("takes a new connection for hold and resume where its page wants that: the call survives", async () => {
      const page = await signedIn(client);
      await page.do("setRenewSessionOnNeed", true);
      const uuid = await talking(page);
      await page.phone.hold(true);
      await until(() => holding(page.dn) === true);
      await page.phone.hold(false);
      await until(() => holding(page.dn) === false);
      const offers = page.roap("OFFER");
      expect(offers.map(({ seq }) => seq)).toEqual([1, 1, 1]);
      const keys = offers.map(({ sdp }) => /^a=fingerprint:(.*)\r$/m.exec(String(sdp))?.[1]);
      expect(new Set(keys).size).toBe(3);
      await expectTalking(page, uuid);
    });

    it("calls itself, and hears what it says", async () => {
      const page = await signedIn(client);
      await page.phone.setMicrophone({ kind: "tone", frequency: here });
      await page.phone.call("self");
      await page.phone.clearEncodedFrames();
      await expect
        .poll(async () => (await page.phone.encodedFrames()).filter(({ side }) => side === "received").length)
        .toBeGreaterThan(10);
      expect(lab.callOf(page.dn)).toBeUndefined();
      await page.phone.hangUp();
      await over(page);
    });

    it("signs out in a call: BYE, then un-REGISTER", async () => {
      const page = await signedIn(client);
      await lab.call(page, "9196");
      await page.do("disconnect");
      await over(page);
      await until(() => lab.sandbox.bindings().every(({ dn }) => dn !== page.dn));
      const order = lab.sandbox
        .trace()
        .filter(({ direction, text }) => direction === "in" && text.includes(`sip:${page.dn}@`));
      const bye = order.findIndex(({ text }) => text.startsWith("BYE "));
      expect(order.findLastIndex(({ text }) => text.startsWith("REGISTER "))).toBeGreaterThan(bye);
    });

    it("tells its page when nobody answers, and the INVITE is cancelled", async () => {
      // As short as our own client takes it; Genesys' takes 18 seconds at least.
      const page = await signedIn(client, { noAnswerMs: client === "grtc" ? 18_000 : 600 });
      await expect(page.phone.call("9199")).rejects.toThrow("no answer");
      await over(page);
      expect(sip("CANCEL ", page.dn)).toHaveLength(1);
    });
  });

// One entry for all that this file and wrtc-sign-in.test.ts have for it.
if (whyNotGenesys !== undefined)
  it.skip(`goes through the checklist with Genesys' own library: ${whyNotGenesys}`, () => {});

describe("clients of the protocol", () => {
  it("got nothing but 200 for their polls, as text that nobody keeps", () => {
    expect(polls).not.toHaveLength(0);
    for (const { status, headers } of polls) {
      expect(status).toBe(200);
      expect(headers["content-type"]).toBe("text/plain; charset=utf-8");
      expect(headers["cache-control"]).toContain("no-store");
    }
  });
});

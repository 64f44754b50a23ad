import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DoubleCall } from "../support/browser-double.ts";
import { framesOf } from "../support/browser-media.ts";
import { toCodes, voice } from "../support/sound.ts";
import { headerOf, type Passed } from "./support/front.ts";
import { Lab } from "./support/lab.ts";
import { paced, RtpPhone, until, type HeardPacket } from "./support/rtp-phone.ts";

let lab: Lab;
const phones: RtpPhone[] = [];
beforeAll(async () => {
  lab = await Lab.open({ media: { browserCodecs: ["pcmu"] } });
});
afterAll(async () => {
  await lab.close();
  await Promise.all(phones.map((phone) => phone.close()));
});

async function openPhone(): Promise<RtpPhone> {
  const phone = await RtpPhone.open();
  phones.push(phone);
  return phone;
}

const sound = framesOf(toCodes(voice(2), "pcmu"));

/** The browser talks until its call is over. Resolves with how many offers the browser was sent meanwhile. */
async function talkOn(call: DoubleCall): Promise<number> {
  let offers = 0;
  const answer = call.signalling.answerOffer;
  call.signalling.answerOffer = (sdp) => {
    offers++;
    return answer(sdp);
  };
  await call.connected;
  while (!call.signalling.told.includes("ended"))
    await paced(5, (index) => call.media.sendFrame(sound[index] ?? Buffer.alloc(0)));
  return offers;
}

/** Messages to or from this DN at SIP Server, in the order in which they passed. */
function messagesOf(dn: string): Passed[] {
  const invite = lab.front.trace.find(
    ({ text }) => text.startsWith("INVITE ") && headerOf(text, "(?:To|t)").includes(`sip:${dn}@`),
  );
  const callId = headerOf(invite?.text ?? "", "Call-ID");
  return lab.front.trace.filter(({ text }) => callId !== "" && headerOf(text, "Call-ID") === callId);
}

/** When the first message that begins so, with this CSeq, passed. */
function timeOf(dn: string, start: string, cseq?: string): number {
  const found = messagesOf(dn).find(
    ({ text }) => text.startsWith(start) && (cseq === undefined || headerOf(text, "CSeq") === cseq),
  );
  if (!found) throw new Error(`no ${start} ${cseq ?? ""}`);
  return found.at;
}

const between = (heard: readonly HeardPacket[], from: number, to: number): HeardPacket[] =>
  heard.filter(({ at }) => at > from && at < to);

/** Sound may still be under way, or unread by a busy test, for so long when SIP Server has its answer, ms. */
const onTheWay = 400;

describe.concurrent("on the wire", () => {
  describe("a call of SIP Server's", () => {
    it("is held and retrieved by NOTIFY, through a 491 of either side", async () => {
      const phone = await openPhone();
      const browser = await lab.agent("5071", { answerOnTalkMs: 0 });
      const server = await lab.sipp("hold-talk", { dn: "5071", rtp1: phone.port });
      const offers = await server.judge(async () => talkOn(await browser.nextCall()));
      expect(offers).toBe(0);
      // Nothing is sent from NOTIFY hold on, be the re-INVITE refused at first or not.
      const [held, retrieved] = [timeOf("5071", "NOTIFY", "3 NOTIFY"), timeOf("5071", "NOTIFY", "4 NOTIFY")];
      expect(between(phone.heard, held + onTheWay, retrieved)).toEqual([]);
      expect(between(phone.heard, 0, held).length).toBeGreaterThan(0);
      expect(between(phone.heard, timeOf("5071", "ACK", "6 ACK"), Infinity).length).toBeGreaterThan(0);
      expect(new Set(phone.heard.map(({ ssrc }) => ssrc)).size).toBe(1);
      const invites = messagesOf("5071").filter(
        ({ from, text }) => from === "gateway" && text.startsWith("INVITE "),
      );
      expect(invites.map(({ text }) => /a=(send\w+)/.exec(text)?.[1])).toEqual([
        "sendonly",
        "sendonly",
        "sendrecv",
      ]);
      expect((invites[1]?.at ?? 0) - (invites[0]?.at ?? 0)).toBeLessThan(3500);
    });

    it("sends the digits of NOTIFY dtmf as RFC 4733 events, each once, for as long as asked", async () => {
      const phone = await openPhone();
      const browser = await lab.agent("5072", { answerOnTalkMs: 0 });
      const server = await lab.sipp("dtmf", { dn: "5072", rtp1: phone.port });
      await server.judge(async () => talkOn(await browser.nextCall()));
      const events = phone.heard.filter(({ payloadType }) => payloadType === 101);
      const presses = Array.from(Map.groupBy(events, ({ timestamp }) => timestamp).values());
      expect(presses.map(([first]) => first?.payload.readUInt8(0))).toEqual([1, 2, 11, 12]);
      const ends = presses.map((press) => press.filter(({ payload }) => (payload.readUInt8(1) & 0x80) !== 0));
      expect(ends.map((of) => of.length)).toEqual([3, 3, 3, 3]);
      expect(ends[3]?.map(({ payload }) => payload.readUInt16BE(2))).toEqual([3200, 3200, 3200]);
      const numbers = phone.heard.map(({ sequence }) => sequence);
      expect(numbers).toEqual(numbers.map((_number, at) => ((numbers[0] ?? 0) + at) & 0xffff));
    });

    it("written in every odd way SIP Server knows is set up, held and ended", async () => {
      const phone = await openPhone();
      const browser = await lab.agent("5073", { answerOnTalkMs: 0 });
      const server = await lab.sipp("odd-forms", { dn: "5073", rtp1: phone.port });
      expect(await server.judge(async () => talkOn(await browser.nextCall()))).toBe(0);
      expect(await lab.record("5073")).toMatchObject({
        endedBy: "sip-server",
        status: 200,
        farNumber: "1003",
      });
      const heldAt = timeOf("5073", "NOTIFY", "90 NOTIFY");
      expect(between(phone.heard, 0, heldAt).length).toBeGreaterThan(0);
      expect(between(phone.heard, heldAt + onTheWay, Infinity)).toEqual([]);
    });
  });

  describe("a network that loses", () => {
    it("the first copy of each message is made good by repetition on both sides", async () => {
      const phone = await openPhone();
      const browser = await lab.agent("5076", { answerOnTalkMs: 0 });
      const copies = new Map<string, number>();
      lab.front.loses = (text) => {
        // SIPp wants the answers in their order, so that to NOTIFY comes before that to INVITE, and once.
        if (!text.includes("sip:5076@") || headerOf(text, "CSeq").endsWith(" REGISTER")) return false;
        const copy = (copies.get(text) ?? 0) + 1;
        copies.set(text, copy);
        if (text.startsWith("SIP/2.0 200") && headerOf(text, "CSeq") === "2 NOTIFY") return copy > 1;
        return copy === 1;
      };
      const server = await lab.sipp("lossy", { dn: "5076", rtp1: phone.port });
      await server.judge(async () => talkOn(await browser.nextCall()));
      const lost = Array.from(
        copies.keys(),
        (text) => `${text.split(" ", 2).join(" ")} ${headerOf(text, "CSeq")}`,
      );
      for (const what of ["INVITE ", "SIP/2.0 180", "NOTIFY ", "SIP/2.0 200", "ACK ", "BYE "])
        expect(lost.some((line) => line.startsWith(what))).toBe(true);
      expect(phone.heard.length).toBeGreaterThan(0);
      await lab.record("5076");
      expect(lab.records.filter(({ dn }) => dn === "5076")).toMatchObject([
        { endedBy: "sip-server", status: 200 },
      ]);
    });
  });

  describe("a re-INVITE of SIP Server's", () => {
    it("is sendonly, inactive, at 0.0.0.0, of another session id, of another codec and port", async () => {
      const [phone, behind] = [await openPhone(), await openPhone()];
      const browser = await lab.agent("5074", { answerOnTalkMs: 0 });
      const server = await lab.sipp("reinvites", { dn: "5074", rtp1: phone.port, rtp2: behind.port });
      const music = sound.slice(20, 35);
      await server.judge(async () => {
        const call = await browser.nextCall();
        const talked = talkOn(call);
        await until("sendonly", () =>
          messagesOf("5074").some(({ text }) => text.startsWith("ACK ") && /CSeq: 3 /.test(text)),
        );
        const answer = messagesOf("5074").find(
          ({ text }) => text.startsWith("SIP/2.0 200") && headerOf(text, "CSeq") === "3 INVITE",
        );
        phone.remotePort = Number(/^m=audio (\d+)/m.exec(answer?.text ?? "")?.[1]);
        await paced(music.length, (index) => phone.send(music[index] ?? Buffer.alloc(0)));
        expect(await talked).toBe(0);
        expect(call.media.heardCodes().includes(Buffer.concat(music.slice(2, -2)))).toBe(true);
      });
      const moved = timeOf("5074", "INVITE", "6 INVITE");
      expect(between(phone.heard, timeOf("5074", "ACK", "3 ACK") + onTheWay, Infinity)).toEqual([]);
      expect(between(behind.heard, 0, moved)).toEqual([]);
      const changed = timeOf("5074", "ACK", "7 ACK");
      const types = (from: number, to: number) =>
        Array.from(new Set(between(behind.heard, from, to).map(({ payloadType }) => payloadType)));
      expect(types(moved, timeOf("5074", "INVITE", "7 INVITE"))).toEqual([0]);
      expect(types(changed + onTheWay, Infinity)).toEqual([8]);
      const all = [...phone.heard, ...behind.heard];
      expect(new Set(all.map(({ ssrc }) => ssrc)).size).toBe(1);
    });
  });

  describe("a consult call", () => {
    it("has two dialogs, the second with another CallUUID in its re-INVITE, and is completed by two BYEs", async () => {
      const [customer, colleague] = [await openPhone(), await openPhone()];
      const allowEvents = "talk, x-jackfield-trunk, x-jackfield-call";
      const browser = await lab.agent("5075", { answerOnTalkMs: 0, allowEvents });
      const first = await lab.sipp("consult-first", { dn: "5075", rtp1: customer.port });
      let second: Promise<void> | undefined;
      await first.judge(async () => {
        const held = talkOn(await browser.nextCall());
        await until("the hold", () =>
          messagesOf("5075").some(
            ({ from, text }) => from === "gateway" && text.startsWith("ACK ") && text.includes("sip:1003@"),
          ),
        );
        const consult = await lab.sipp("consult-second", { dn: "5075", rtp1: colleague.port });
        second = consult.judge(async () => void (await talkOn(await browser.nextCall())));
        await held;
      });
      await second;
      const heldAt = timeOf("5075", "NOTIFY", "3 NOTIFY");
      expect(between(customer.heard, 0, heldAt).length).toBeGreaterThan(0);
      expect(between(customer.heard, heldAt + onTheWay, Infinity)).toEqual([]);
      expect(colleague.heard.length).toBeGreaterThan(0);
      await until("both records", () => lab.records.filter(({ dn }) => dn === "5075").length === 2);
      const records = lab.records.filter(({ dn }) => dn === "5075");
      expect(new Set(records.map(({ farNumber }) => farNumber))).toEqual(new Set(["1003", "1004"]));
      for (const { endedBy, callUuid } of records)
        expect([endedBy, callUuid]).toEqual(["sip-server", "UIVB8J6JE91C53UIM3VI59VHQ4000015"]);
      const told = browser.agent.events
        .filter(({ headers }) => headers.get("Event") === "x-jackfield-call")
        .map(({ body }) => body.toString());
      expect(told.filter((text) => text.includes("UIVB8J6JE91C53UIM3VI59VHQ4000015"))).toHaveLength(1);
    });
  });
});

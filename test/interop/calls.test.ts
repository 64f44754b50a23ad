import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { framesOf } from "../support/browser-media.ts";
import { toCodes, voice } from "../support/sound.ts";
import { headerOf, type Passed } from "./support/front.ts";
import { Lab } from "./support/lab.ts";
import { after, paced, RtpPhone, until } from "./support/rtp-phone.ts";
import { freeUdpPort } from "../support/free-port.ts";

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

/** All messages of the one dialog SIP Server had with this DN, in both directions. */
function dialogOf(dn: string): Passed[] {
  const invite = lab.front.trace.find(
    ({ text }) => text.startsWith("INVITE ") && text.includes(`sip:${dn}@`),
  );
  return lab.front.messages(headerOf(invite?.text ?? "", "Call-ID"));
}

const statusLine = (text: string): string => text.slice(0, text.indexOf("\r\n"));
/** Our responses of one dialog as `180 1 INVITE`, in the order sent. */
const responses = (dn: string): string[] =>
  dialogOf(dn)
    .filter(({ from, text }) => from === "gateway" && text.startsWith("SIP/2.0 "))
    .map(({ text }) => `${statusLine(text).split(" ")[1]} ${headerOf(text, "CSeq")}`)
    .filter((line) => !line.startsWith("100 "));
/** A 200 that waits for its ACK is repeated, on a slow machine behind what came after it. */
const withoutRepeats = (lines: readonly string[]): string[] => [...new Set(lines)];
/** ms from the far message whose first line begins so to our first answer `answer` after it. */
function delay(dn: string, asked: string, answer: string): number {
  const messages = dialogOf(dn);
  const begin = messages.findIndex(({ from, text }) => from === "far" && text.startsWith(asked));
  const end = messages
    .slice(begin)
    .find(
      ({ from, text }) =>
        from === "gateway" && `${statusLine(text).split(" ")[1]} ${headerOf(text, "CSeq")}` === answer,
    );
  return (end?.at ?? Infinity) - (messages[begin]?.at ?? 0);
}
/** To tags of all our responses; a dialog has one. */
const toTags = (dn: string): Set<string> =>
  new Set(
    dialogOf(dn)
      .filter(
        ({ from, text }) =>
          from === "gateway" && text.startsWith("SIP/2.0 ") && !text.startsWith("SIP/2.0 100"),
      )
      .map(({ text }) => /;tag=([^;\r]+)/.exec(headerOf(text, "To"))?.[1] ?? "none"),
  );
const sdpPort = (text: string): number => Number(/^m=audio (\d+)/m.exec(text)?.[1]);
const originVersion = (text: string): number => Number(/^o=\S+ \d+ (\d+)/m.exec(text)?.[1]);
const bodies = (dn: string, cseq: string): string[] =>
  dialogOf(dn)
    .filter(
      ({ from, text }) => from === "gateway" && headerOf(text, "CSeq") === cseq && text.includes("m=audio"),
    )
    .map(({ text }) => text);

const sound = framesOf(toCodes(voice(2), "pcmu"));

describe.concurrent("a call from SIP Server, with SIPp as SIP Server", () => {
  it("is rung, answered by talk, renegotiated without an offer, and its sound follows to the new port", async () => {
    const [before, behind] = [await openPhone(), await openPhone()];
    const browser = await lab.agent("5011", { answerOnTalkMs: 0 });
    const keys = { dn: "5011", rtp1: before.port, rtp2: behind.port };
    const server = await lab.sipp("inbound", keys);
    await server.judge(async () => {
      const call = await browser.nextCall();
      await call.connected;
      await until("ACK of the re-INVITE", () =>
        dialogOf("5011").some(({ text }) => /^ACK[^]*CSeq: 3/.test(text)),
      );
      await paced(sound.length, (index) => call.media.sendFrame(sound[index] ?? Buffer.alloc(0)));
      await after(50);
      call.hangUp();
      return call;
    });
    expect(withoutRepeats(responses("5011"))).toEqual([
      "180 1 INVITE",
      "200 2 NOTIFY",
      "200 1 INVITE",
      "200 3 INVITE",
    ]);
    expect(toTags("5011").size).toBe(1);
    const heard = Buffer.concat(
      behind.heard.filter(({ payloadType }) => payloadType === 0).map(({ payload }) => payload),
    );
    expect(heard.includes(Buffer.concat(sound.slice(5, -5)))).toBe(true);
    // One line of sound: the move changes neither SSRC nor sequence.
    const all = [...before.heard, ...behind.heard].sort((one, other) => one.at - other.at);
    expect(new Set(all.map(({ ssrc }) => ssrc)).size).toBe(1);
    expect(before.heard.filter(({ at }) => at > (behind.heard[0]?.at ?? 0) + 50)).toEqual([]);
    const [answer = "", offer = ""] = [bodies("5011", "1 INVITE")[0], bodies("5011", "3 INVITE")[0]];
    expect(sdpPort(offer)).toBe(sdpPort(answer));
    expect(originVersion(offer)).toBe(originVersion(answer) + 1);
  });

  it("takes talk 3 ms after the 180, doubled and twice, and answers once when the browser is ready", async () => {
    const phone = await openPhone();
    lab.front.doubles = (text) =>
      text.startsWith("NOTIFY ") && text.includes("sip:5013@") && /CSeq: 2 /.test(text);
    const browser = await lab.agent("5013", { answerOnTalkMs: 700 });
    const server = await lab.sipp("talk-early", { dn: "5013", rtp1: phone.port });
    const ended = await server.judge(async () => {
      const call = await browser.nextCall();
      return await call.when("ended");
    });
    expect(ended).toMatch(/BYE/);
    const said = responses("5013");
    // A slow machine makes SIPp repeat it besides.
    expect(said.filter((line) => line === "200 2 NOTIFY").length).toBeGreaterThanOrEqual(2);
    expect(withoutRepeats(said)).toEqual([
      "180 1 INVITE",
      "200 2 NOTIFY",
      "200 3 NOTIFY",
      "200 1 INVITE",
      "200 4 BYE",
    ]);
    expect(new Set(bodies("5013", "1 INVITE")).size).toBe(1);
    expect(delay("5013", "NOTIFY", "200 1 INVITE")).toBeGreaterThan(650);
    expect(browser.talks.length).toBeGreaterThanOrEqual(1);
  });

  it("is over with 200 and 487 on a CANCEL whose To has no tag", async () => {
    const phone = await openPhone();
    const browser = await lab.agent("5014");
    const server = await lab.sipp("cancel", { dn: "5014", rtp1: phone.port });
    const failed = await server.judge(async () => {
      const call = await browser.nextCall();
      return await call.when("failed");
    });
    expect(failed).toMatch(/^487 /);
    expect(await lab.record("5014")).toMatchObject({ endedBy: "sip-server", status: 487 });
  });

  it("goes on when a CANCEL crosses our 200, until the BYE", async () => {
    const phone = await openPhone();
    const browser = await lab.agent("5015", { answerOnTalkMs: 0 });
    const server = await lab.sipp("cancel-too-late", { dn: "5015", rtp1: phone.port });
    await server.judge(async () => {
      const call = await browser.nextCall();
      await call.connected;
      expect(await call.when("ended")).toMatch(/BYE/);
    });
    expect(withoutRepeats(responses("5015")).slice(-3)).toEqual([
      "200 1 INVITE",
      "200 1 CANCEL",
      "200 3 BYE",
    ]);
  });

  it("ends with the far side's Reason told to the browser and in the record", async () => {
    const phone = await openPhone();
    const browser = await lab.agent("5016", { answerOnTalkMs: 0 });
    const server = await lab.sipp("bye-reason", { dn: "5016", rtp1: phone.port });
    const told = await server.judge(async () => (await browser.nextCall()).when("ended"));
    expect(told).toContain('SIP;cause=403;text="Forbidden"');
    expect((await lab.record("5016")).reason).toContain('cause=403;text="Forbidden"');
  });

  it("does not exist for a BYE or NOTIFY of another dialog: 481", async () => {
    await (await lab.sipp("unknown-dialog", { dn: "5017" })).success();
  });
});

describe.concurrent("a call that SIP Server makes for the agent (3pcc)", () => {
  it("offers, repeats its 200 while the callee rings for 20 s, and has sound by the late ACK's answer", async () => {
    const phone = await openPhone();
    const browser = await lab.agent("5021", { answerOnTalkMs: 0 });
    // A busy machine holds up the gateway's timers: each time by so much at most.
    const held = monitorEventLoopDelay({ resolution: 10 });
    held.enable();
    const server = await lab.sipp("make-call", { dn: "5021", rtp1: phone.port }, { seconds: 40 });
    await server.judge(async () => {
      const call = await browser.nextCall();
      await call.connected;
      await until("the ACK", () => dialogOf("5021").some(({ text }) => text.startsWith("ACK ")), 25_000);
      await paced(sound.length, (index) => call.media.sendFrame(sound[index] ?? Buffer.alloc(0)));
      await after(50);
      call.hangUp();
    });
    const answers = dialogOf("5021").filter(
      ({ from, text }) =>
        from === "gateway" && text.startsWith("SIP/2.0 200") && headerOf(text, "CSeq") === "1 INVITE",
    );
    held.disable();
    const holdUp = held.max / 1e6;
    const begin = answers[0]?.at ?? 0;
    const times = answers.map(({ at }) => (at - begin) / 1000);
    // RFC 3261 13.3.1.4: T1, doubling to T2, until the ACK. Each counts from the one before: held up by half a second
    // in all, the last comes behind the ACK.
    const due = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5];
    expect(times.length, times.join()).toBeLessThanOrEqual(due.length);
    expect(times.length, times.join()).toBeGreaterThanOrEqual(
      due.length * holdUp < 400 ? due.length : due.length - 1,
    );
    for (const [index, seconds] of times.entries())
      expect(Math.abs(seconds - (due[index] ?? 0)) * 1000).toBeLessThan(250 + index * holdUp);
    const heard = Buffer.concat(
      phone.heard.filter(({ payloadType }) => payloadType === 0).map(({ payload }) => payload),
    );
    expect(heard.includes(Buffer.concat(sound.slice(5, -5)))).toBe(true);
    expect(sdpPort(answers[0]?.text ?? "") % 2).toBe(0);
  });

  it("that fails, ACK with 0.0.0.0 and BYE together, ends without a fault and tells the far code", async () => {
    const browser = await lab.agent("5022", { answerOnTalkMs: 0 });
    const server = await lab.sipp("make-call-failed", { dn: "5022" });
    const told = await server.judge(async () => (await browser.nextCall()).when("ended"));
    expect(told).toContain("cause=403");
    expect(withoutRepeats(responses("5022")).at(-1)).toBe("200 3 BYE");
    const record = await lab.record("5022");
    expect(record).toMatchObject({ endedBy: "sip-server", status: 200 });
    expect(record.reason).toContain('cause=403;text="Forbidden"');
    // Nobody is called at 0.0.0.0, and nothing of ours follows the BYE.
    const messages = dialogOf("5022");
    const bye = messages.findIndex(({ text }) => text.startsWith("BYE "));
    const fromUs = messages.slice(bye).filter(({ from }) => from === "gateway");
    expect(fromUs.map(({ text }) => headerOf(text, "CSeq"))).toEqual(["3 BYE"]);
  });
});

describe.concurrent("a call the agent dials, with SIPp as SIP Server", () => {
  it("has sound with the 183 and after the 200, bit-exact there and back, and ends with our BYE", async () => {
    const echo = await freeUdpPort();
    const browser = await lab.agent("5031");
    const server = await lab.sipp("outbound", { dn: "5031", echo }, { echoPort: echo });
    lab.front.phones.set("70031", server.port);
    await server.judge(async () => {
      const call = await browser.dial("70031");
      expect(await call.when("ringing")).toContain("m=audio");
      await call.when("answered");
      await call.connected;
      await paced(sound.length, (index) => call.media.sendFrame(sound[index] ?? Buffer.alloc(0)));
      await after(100);
      expect(call.media.heardCodes().includes(Buffer.concat(sound.slice(5, -5)))).toBe(true);
      call.hangUp();
    });
    const invite = lab.front.requests("INVITE", "70031")[0]?.text ?? "";
    expect(headerOf(invite, "Contact")).toBe(`<sip:5031@${lab.address}>`);
    expect(statusLine(invite)).toBe(`INVITE sip:70031@${lab.front.address} SIP/2.0`);
    expect((await lab.record("5031")).callUuid).toBe("UIVB8J6JE91C53UIM3VI59VHQ4000015");
  });

  it("is acknowledged and hung up when our CANCEL crosses the 200", async () => {
    const phone = await openPhone();
    const browser = await lab.agent("5032");
    const server = await lab.sipp("outbound-cancel-crossed", { dn: "5032", rtp1: phone.port });
    lab.front.phones.set("70032", server.port);
    const failed = await server.judge(async () => {
      const call = await browser.dial("70032");
      await call.when("ringing");
      call.signalling.outgoing?.cancel();
      return await call.when("failed");
    });
    expect(failed).toMatch(/^487 /);
  });
});

describe.concurrent("OPTIONS from SIP Server", () => {
  it("to a trunk's name with a time of day as CSeq gets 200 with what we can do", async () => {
    await (await lab.sipp("options")).success();
  });
});

// By itself, so that its times are not those of its neighbours.
describe("a call from SIP Server on a quiet gateway", () => {
  let nextDn = 5112;
  // Again where others had the machine meanwhile: what is slow by itself is slow each time.
  it(
    "meets the time limits: 180 and NOTIFY's 200 in 100 ms, 200 in 200 ms after talk, re-INVITE in 300 ms",
    {
      retry: 4,
    },
    async () => {
      const dn = String(nextDn++);
      const [one, two] = [await openPhone(), await openPhone()];
      const browser = await lab.agent(dn, { answerOnTalkMs: 0 });
      const server = await lab.sipp("inbound", { dn, rtp1: one.port, rtp2: two.port });
      await server.judge(async () => {
        const call = await browser.nextCall();
        await until("ACK of the re-INVITE", () =>
          dialogOf(dn).some(({ text }) => /^ACK[^]*CSeq: 3/.test(text)),
        );
        call.hangUp();
      });
      expect(delay(dn, "INVITE", "180 1 INVITE")).toBeLessThan(100);
      expect(delay(dn, "NOTIFY", "200 2 NOTIFY")).toBeLessThan(100);
      expect(delay(dn, "NOTIFY", "200 1 INVITE")).toBeLessThan(200);
      const again = dialogOf(dn).find(({ text }) => /^INVITE[^]*CSeq: 3/.test(text));
      const answered = dialogOf(dn).find(
        ({ text }) => text.startsWith("SIP/2.0 200") && headerOf(text, "CSeq") === "3 INVITE",
      );
      expect((answered?.at ?? Infinity) - (again?.at ?? 0)).toBeLessThan(300);
    },
  );
});

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeOpus, framesOf, type DoubleCodec } from "../support/browser-media.ts";
import type { DoubleCall } from "../support/browser-double.ts";
import { align, fromCodes, segmentalSnr, toCodes, voice } from "../support/sound.ts";
import { Baresip, type BaresipOptions } from "./support/baresip.ts";
import { Lab } from "./support/lab.ts";
import { after, paced } from "./support/rtp-phone.ts";

const seconds = 5;
/**
 * Set before the first run: voice-like sound through one pass of Opus at 24 kbit/s and 8 kHz, PCMU behind it. Whatever
 * is not that sound must stay below.
 */
const leastOpusDb = 8;
/** Samples at the beginning and end that set-up and hang-up may cost. */
const margin = 6400;
/** Longest delay looked for, samples: what the phone was ahead or behind. */
const farthest = 8000;

/**
 * A voice as PCMU can carry it, so that a straight path gives back exactly these samples; without zeros, whose code
 * (0xff) baresip's table expands to 2.
 */
function carried(seed: number): Int16Array {
  const samples = fromCodes(toCodes(voice(seconds, seed), "pcmu"), "pcmu");
  return samples.map((sample) => (sample === 0 ? 8 : sample));
}
const agentVoice = carried(1);
const farVoice = carried(2);

let lab: Lab;
let wideLab: Lab;
let loudLab: Lab;
let agentOpus: readonly Buffer[];
let nextDn = 5050;
let nextNumber = 71_000;
beforeAll(async () => {
  // A machine that has much else to do makes no gateway refuse a call.
  const maxWorkerLoad = 0;
  lab = await Lab.open({ media: { maxWorkerLoad } });
  wideLab = await Lab.open({ media: { maxWorkerLoad, trunkCodecs: ["g722", "pcmu"] } });
  loudLab = await Lab.open({ media: { maxWorkerLoad, gainDb: { toAgent: 3, toSipServer: -6 } } });
  agentOpus = await encodeOpus(agentVoice);
});
afterAll(async () => {
  for (const one of [lab, wideLab, loudLab]) await one.close();
});

/** Calls under way, and the end of the last of them. */
let talking = 0;
let silence = Promise.withResolvers<void>();

/** Speaks for the whole call; resolves with what each side heard. */
async function converse(call: DoubleCall, phone: Baresip, codec: DoubleCodec) {
  await call.connected;
  const frames =
    codec === "opus" ? agentOpus : framesOf(toCodes(agentVoice, codec === "pcma" ? "pcma" : "pcmu"));
  await paced(frames.length, (index) => call.media.sendFrame(frames[index] ?? Buffer.alloc(0)));
  await after(200);
  call.hangUp();
  await after(200);
  await phone.quit();
  return { agentHeard: await call.media.heard(), farHeard: phone.recorded() };
}

/** Counts a call, and resolves when all are over: to compare sound keeps this thread busy, and nobody may be talking. */
async function counted<T>(place: () => Promise<T>): Promise<T> {
  if (talking++ === 0) silence = Promise.withResolvers();
  try {
    return await place();
  } finally {
    if (--talking === 0) silence.resolve();
    await silence.promise;
  }
}

type PhoneKind = Partial<Pick<BaresipOptions, "codec" | "packetMs" | "sound">>;

async function agentCalls(codec: DoubleCodec, kind: PhoneKind = {}, at = lab, dn = String(nextDn++)) {
  return await counted(async () => {
    const number = String(nextNumber++);
    const browser = await at.agent(dn, { codec });
    const phone = await Baresip.start({ front: at.front, number, sound: farVoice, ...kind });
    try {
      const call = await browser.dial(number);
      const failed = call.when("failed").then((why) => Promise.reject(new Error(why)));
      await Promise.race([call.when("answered"), failed]);
      return await converse(call, phone, codec);
    } finally {
      await phone.stop();
    }
  });
}

async function phoneCalls(codec: DoubleCodec, kind: PhoneKind = {}, at = lab, dn = String(nextDn++)) {
  return await counted(async () => {
    const browser = await at.agent(dn, { codec });
    const ringing = browser.nextCall();
    const dial = `sip:${dn}@${at.front.address}`;
    const number = String(nextNumber++);
    const phone = await Baresip.start({ front: at.front, number, sound: farVoice, dial, ...kind });
    try {
      const call = await ringing;
      call.answer();
      return await converse(call, phone, codec);
    } finally {
      await phone.stop();
    }
  });
}

/** How much later `heard` is than `sent`, samples, found by one second out of its middle. */
function lagOf(sent: Int16Array, heard: Int16Array): number {
  const start = Math.min(2 * margin, heard.length);
  return start + align(sent, heard.slice(start, start + 8000), -farthest - start, farthest);
}

/** Share of `heard` that is, sample for sample, what was sent; ends left out. */
function share(sent: Int16Array, heard: Int16Array): number {
  const lag = lagOf(sent, heard);
  let same = 0;
  let all = 0;
  for (let index = margin; index < heard.length - margin; index++) {
    if (index - lag < 0 || index - lag >= sent.length) continue;
    all++;
    if (heard[index] === sent[index - lag]) same++;
  }
  return all < soundEnough ? 0 : same / all;
}
/** 2 s must be left to compare. */
const soundEnough = 16_000;

const db = (sent: Int16Array, heard: Int16Array): number => {
  const middle = heard.slice(margin, -margin);
  if (middle.length < soundEnough) throw new Error(`only ${heard.length} samples heard`);
  return segmentalSnr(sent, middle, lagOf(sent, heard) - margin);
};

/** Codes taken for the other law's. */
const wrongLaw = (samples: Int16Array): Int16Array => fromCodes(toCodes(samples, "pcmu"), "pcma");

// Each test has a phone, a DN and a browser of its own, and much of its time is the sound's own length.
// Again where others had the machine for so long that sound was late: what we spoil ourselves is spoilt each time.
describe.concurrent("sound between a browser and a phone (baresip) behind SIP Server", { retry: 2 }, () => {
  it.each([
    ["the agent calls", agentCalls],
    ["the phone calls", phoneCalls],
  ])("is the same to the last bit both ways when the browser speaks PCMU: %s", async (_name, place) => {
    const { agentHeard, farHeard } = await place("pcmu");
    expect(share(farVoice, agentHeard)).toBe(1);
    expect(share(agentVoice, farHeard)).toBe(1);
    // The measure itself: what is not the same sound has no such share.
    expect(share(agentVoice, agentHeard)).toBeLessThan(0.2);
    expect(share(agentVoice, wrongLaw(farHeard))).toBeLessThan(0.2);
    expect(share(agentVoice, new Int16Array(farHeard.length))).toBeLessThan(0.2);
  });

  it.each([
    ["the agent calls", agentCalls],
    ["the phone calls", phoneCalls],
  ])("is near the original both ways when the browser speaks Opus: %s", async (_name, place) => {
    const { agentHeard, farHeard } = await place("opus");
    expect(db(farVoice, agentHeard)).toBeGreaterThan(leastOpusDb);
    expect(db(agentVoice, farHeard)).toBeGreaterThan(leastOpusDb);
    // Silence, swapped legs, wrong law: the same measure must refuse them.
    expect(db(agentVoice, agentHeard)).toBeLessThan(leastOpusDb);
    expect(db(farVoice, farHeard)).toBeLessThan(leastOpusDb);
    expect(db(agentVoice, wrongLaw(farHeard))).toBeLessThan(leastOpusDb);
    expect(db(agentVoice, new Int16Array(farHeard.length))).toBeLessThan(leastOpusDb);
  });

  it.each([10, 30, 60])(
    "is the same to the last bit both ways when the phone wants packets of %i ms: PCMU",
    async (packetMs) => {
      const dn = String(nextDn++);
      const { agentHeard, farHeard } = await phoneCalls("pcmu", { packetMs }, lab, dn);
      expect(share(farVoice, agentHeard)).toBe(1);
      expect(share(agentVoice, farHeard)).toBe(1);
      // The phone that offers it; one that answers takes the 20 ms of our own offer.
      const trunk = (await lab.record(dn)).media?.trunk;
      expect((trunk?.bytesSent ?? 0) / (trunk?.packetsSent ?? 1)).toBeCloseTo(packetMs * 8 + 12, -1);
    },
  );
});

describe.concurrent("sound between a browser of Opus and a phone (baresip) of G.722", { retry: 2 }, () => {
  /** `farVoice` at 16 kHz. */
  const wideVoice = Int16Array.from({ length: 2 * farVoice.length }, (_, index) => {
    const here = farVoice[index >> 1] ?? 0;
    return index & 1 ? (here + (farVoice[(index >> 1) + 1] ?? here)) / 2 : here;
  });

  it.each([
    ["the agent calls", agentCalls],
    ["the phone calls", phoneCalls],
  ])("is near the original both ways: %s", async (_name, place) => {
    const dn = String(nextDn++);
    const { agentHeard, farHeard } = await place("opus", { codec: "G722", sound: wideVoice }, wideLab, dn);
    const record = await wideLab.record(dn);
    expect([record.agentLeg.codec, record.trunkLeg.codec]).toEqual(["opus", "g722"]);
    const everySecond = Int16Array.from(
      { length: farHeard.length >> 1 },
      (_, index) => farHeard[2 * index] ?? 0,
    );
    expect(db(farVoice, agentHeard)).toBeGreaterThan(leastOpusDb);
    expect(db(agentVoice, everySecond)).toBeGreaterThan(leastOpusDb);
    expect(db(agentVoice, agentHeard)).toBeLessThan(leastOpusDb);
    expect(db(farVoice, everySecond)).toBeLessThan(leastOpusDb);
  });
});

describe.concurrent(
  "sound between a browser and a phone (baresip) with a gain for each direction",
  { retry: 2 },
  () => {
    it("is louder for the agent and quieter for the phone, as configured", async () => {
      const { agentHeard, farHeard } = await agentCalls("pcmu", {}, loudLab);
      const level = (sent: Int16Array, heard: Int16Array): number => {
        const lag = lagOf(sent, heard);
        let [quiet, loud] = [0, 0];
        for (let index = margin; index < heard.length - margin; index++) {
          if (index - lag < 0 || index - lag >= sent.length) continue;
          quiet += (sent[index - lag] ?? 0) ** 2;
          loud += (heard[index] ?? 0) ** 2;
        }
        return 10 * Math.log10(loud / quiet);
      };
      expect(level(farVoice, agentHeard)).toBeCloseTo(3, 1);
      expect(level(agentVoice, farHeard)).toBeCloseTo(-6, 1);
    });
  },
);

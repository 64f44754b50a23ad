import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { soundBytes } from "../../src/sandbox/index.ts";
import { fromCodes, voice } from "../support/sound.ts";
import {
  clients,
  cut,
  decodeOpus,
  forPage,
  heardByNumber,
  Lab,
  level,
  likeness,
  shareOfTone,
  tone,
  until,
  type WiredPhone,
  type WireFrame,
} from "./support/index.ts";

/** Seconds of voice in each test of likeness. */
const seconds = 2;
/**
 * Least segmental SNR, dB, of a voice that went through Opus once, and twice (out, and back as echo). Set from libopus
 * alone, without any network: the same voices through one encoder and decoder at 24 kbps 16.5-18.2 dB, through two with
 * G.711 between 13.6-15.3. Heard in the wrong law the same come to 3.3-4.7, another voice to 0.0: between.
 */
const least = { once: 10, twice: 8 };
/** Frames of 20 ms compared at least where sound must be bit-exact. */
const framesCompared = 80;

function soundFrames(frames: readonly WireFrame[], side: WireFrame["side"]): readonly WireFrame[] {
  return frames.filter((frame) => frame.side === side && frame.payloadType !== 13 && frame.data.length > 4);
}

function text(data: Uint8Array): string {
  return Buffer.from(data).toString("hex");
}

/** Whether `part` is, frame by frame and without a gap, in `whole`; and more than silence, which is in everything. */
function isRunOf(part: readonly string[], whole: readonly string[]): boolean {
  return new Set(part).size > part.length / 2 && ` ${whole.join(" ")} `.includes(` ${part.join(" ")} `);
}

describe("G.711 straight through", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open({ browserCodecs: ["pcmu"] });
  });
  afterEach(async () => await lab.closePhones());
  afterAll(async () => await lab.close());

  // Sound is Chromium's business, whichever library called: where nothing else is asked, one of them does.
  it("carries each frame of the browser's and of its echo bit by bit", async () => {
    const wired = await lab.signIn("jssip");
    const uuid = await lab.call(wired, "9196");
    const played = wired.phone.play(forPage(voice(seconds + 0.5)));
    lab.sandbox.record(uuid);
    await until(() => lab.soundOf(uuid).length > 10);
    lab.sandbox.record(uuid);
    await until(() => lab.soundOf(uuid).length > framesCompared + 10);
    const packets = lab.soundOf(uuid).slice();
    const heard = packets.map(({ payload }) => text(payload));
    await played;
    let sent: readonly string[] = [];
    let received: readonly string[] = [];
    // The page's worker tells of frames when it comes to it.
    await expect
      .poll(async () => {
        const frames = await wired.phone.encodedFrames();
        sent = soundFrames(frames, "sent").map(({ data }) => text(data));
        received = soundFrames(frames, "received").map(({ data }) => text(data));
        return isRunOf(heard, sent) && isRunOf(heard.slice(0, framesCompared), received);
      })
      .toBe(true);

    expect(packets.every(({ payload, payloadType }) => payload.length === 160 && payloadType === 0)).toBe(
      true,
    );
    expect(heard.length).toBeGreaterThan(framesCompared);
    // Sequence numbers and timestamps of one continuous line, whatever the browser's were.
    packets.forEach(({ sequence, timestamp, ssrc }, index) => {
      expect(sequence).toBe(((packets[0]?.sequence ?? 0) + index) & 0xffff);
      expect(timestamp).toBe(((packets[0]?.timestamp ?? 0) + index * 160) >>> 0);
      expect(ssrc).toBe(packets[0]?.ssrc);
    });
    // The measure is not blind: one frame less, one bit more, and it says no.
    expect(isRunOf(heard.toSpliced(50, 1), sent)).toBe(false);
    expect(isRunOf(heard.with(50, "00"), sent)).toBe(false);

    await wired.phone.hangUp();
    const { media, agentLeg, trunkLeg } = await lab.record(wired.dn);
    expect([agentLeg.codec, trunkLeg.codec]).toEqual(["pcmu", "pcmu"]);
    expect(media?.browser.framesConcealed).toBe(0);
  });

  it("gets SIP Server's sound bit by bit, from its first sample on", async () => {
    const wired = await lab.signIn("jssip");
    await lab.beCalled(wired, { sound: { kind: "music" }, renegotiate: false });
    const received = await untilFrames(wired, framesCompared + 20);
    const heard = received.map(({ data }) => text(data));
    const music = Array.from({ length: heard.length + 200 }, (_, frame) =>
      text(soundBytes({ kind: "music" }, "pcmu", frame * 160, 160)),
    );
    expect(isRunOf(heard, music)).toBe(true);
    // What was sent before the browser could hear (ICE and DTLS) is lost, and no more.
    const lost = music.indexOf(heard[0] ?? "");
    console.log(`${lost} frames of SIP Server's sound came before the browser could hear`);
    expect(lost).toBeLessThan(50);
    expect(isRunOf(heard, music.toReversed())).toBe(false);
  });
});

/** Sound frames the browser has got, once there are at least `count`. */
async function untilFrames({ phone }: WiredPhone, count: number): Promise<readonly WireFrame[]> {
  let found: readonly WireFrame[] = [];
  await expect
    .poll(
      async () => {
        found = soundFrames(await phone.encodedFrames(), "received");
        return found.length;
      },
      { interval: 200 },
    )
    .toBeGreaterThanOrEqual(count);
  return found;
}

describe("Opus", () => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open();
  });
  afterEach(async () => await lab.closePhones());
  afterAll(async () => await lab.close());

  /** A voice said into a call to the echo, what the number heard of it and what came back. */
  async function say(
    wired: WiredPhone,
    uuid: string,
    said: Int16Array,
  ): Promise<{ there: Int16Array; back: Int16Array }> {
    lab.sandbox.record(uuid);
    await wired.phone.clearEncodedFrames();
    await wired.phone.play(forPage(said));
    await wait(300);
    const frames = soundFrames(await wired.phone.encodedFrames(), "received");
    return { there: heardByNumber(lab.soundOf(uuid), "pcmu"), back: await decodeOpus(frames) };
  }

  it("carries two calls' voices there and back, each its own and no other", async () => {
    const phones = [await lab.signIn("jssip"), await lab.signIn("sip.js")];
    const voices = [voice(seconds, 1), voice(seconds, 2)];
    const calls: string[] = [];
    for (const wired of phones) calls.push(await lab.call(wired, "9196"));
    await wait(500);
    const heard = await Promise.all(
      phones.map((wired, index) => say(wired, calls[index] ?? "", voices[index] ?? new Int16Array())),
    );
    for (const [index, { there, back }] of heard.entries()) {
      const said = voices[index] ?? new Int16Array();
      const other = heard[1 - index];
      const found = { once: likeness(said, there), twice: likeness(said, back) };
      console.log(`${clients[index]}: there ${found.once.toFixed(1)} dB, back ${found.twice.toFixed(1)} dB`);
      expect(found.once).toBeGreaterThan(least.once);
      expect(found.twice).toBeGreaterThan(least.twice);

      const swapped = {
        once: likeness(said, other?.there ?? said),
        twice: likeness(said, other?.back ?? said),
      };
      expect(swapped.once).toBeLessThan(least.once);
      expect(swapped.twice).toBeLessThan(least.twice);
    }
    const [first] = phones;
    const codec = (await first?.phone.stats())?.find(
      ({ type, mimeType }) => type === "codec" && mimeType === "audio/opus",
    );
    expect(String(codec?.["sdpFmtpLine"])).toContain("useinbandfec=1");
  });

  it("would be told from silence, and from the other law", async () => {
    const wired = await lab.signIn("jssip");
    const said = voice(seconds, 3);
    const uuid = await lab.beCalled(wired, { law: "pcma" });
    await wait(500);
    lab.sandbox.record(uuid);
    await wired.phone.play(forPage(said));
    await wait(100);
    const packets = lab.soundOf(uuid).slice();
    expect(packets.every(({ payloadType }) => payloadType === 8)).toBe(true);
    const right = likeness(said, heardByNumber(packets, "pcma"));
    const wrong = likeness(said, heardByNumber(packets, "pcmu"));
    console.log(`A-law ${right.toFixed(1)} dB, read as mu-law ${wrong.toFixed(1)} dB`);
    expect(right).toBeGreaterThan(least.once);
    expect(wrong).toBeLessThan(least.once);

    lab.sandbox.record(uuid);
    await wait(1400);
    const silence = heardByNumber(lab.soundOf(uuid), "pcma");
    expect(silence.length).toBeGreaterThan(8000);
    expect(likeness(said, silence)).toBeLessThan(least.once);
  });

  it("is heard as it is played, both ways", async () => {
    const wired = await lab.signIn("sip.js");
    const uuid = await lab.call(wired, "9197");
    await wired.phone.setMicrophone({ kind: "tone", frequency: 1000, gain: 0.4 });
    await wait(700);
    await wired.phone.startRecording();
    lab.sandbox.record(uuid);
    await wait(1000);
    const heard = await wired.phone.recorded();
    expect(heard.samples.length / heard.sampleRate).toBeGreaterThan(0.7);
    expect(shareOfTone(heard, 440)).toBeGreaterThan(0.95);
    expect(shareOfTone(heard, 1000)).toBeLessThan(0.05);
    const there = fromCodes(Buffer.concat(lab.soundOf(uuid).map(({ payload }) => payload)), "pcmu");
    const samples = { sampleRate: 8000, samples: Float32Array.from(there, (value) => value / 32_768) };
    expect(shareOfTone(samples, 1000)).toBeGreaterThan(0.95);
    expect(shareOfTone(samples, 440)).toBeLessThan(0.05);
    expect(level(cut(samples, 0.2, 0.8))).toBeCloseTo(0.4 / Math.SQRT2, 1);
  });

  it("is heard before the answer, where SIP Server plays", async () => {
    const wired = await lab.signIn("sip.js");
    await wired.phone.startRecording();
    const answered = wired.phone.call("9201");
    const early = async (): Promise<number> => {
      const heard = await wired.phone.recorded();
      const end = heard.samples.length / heard.sampleRate;
      // What it hears once the number has answered is not it.
      return lab.callOf(wired.dn)?.state === "setup" && end > 0.5
        ? shareOfTone(cut(heard, end - 0.4, end), 425)
        : 0;
    };
    await expect.poll(early).toBeGreaterThan(0.9);
    await answered;
    await lab.connected(wired.dn);
    await wired.phone.startRecording();
    const said = wired.phone.play(tone(1000, 1));
    const echo = async (): Promise<number> => {
      const heard = await wired.phone.recorded();
      const end = heard.samples.length / heard.sampleRate;
      return end > 0.3 ? shareOfTone(cut(heard, end - 0.3, end), 1000) : 0;
    };
    await expect.poll(echo).toBeGreaterThan(0.9);
    await said;
  });

  it("how long until it is heard (information)", async () => {
    const wired = await lab.signIn("jssip");
    await wired.phone.setMicrophone({ kind: "tone", frequency: 1000 });
    const uuid = await lab.sandbox.ring(wired.dn, "1003", { sound: { kind: "music" }, renegotiate: false });
    lab.sandbox.record(uuid);
    await wired.phone.nextCall();
    await wired.phone.answer();
    await lab.connected(wired.dn);
    const firstThere = await until(() => lab.soundOf(uuid)[0]);
    await untilFrames(wired, 10);
    const answered = lab.sandbox
      .trace()
      .findLast(({ text: message }) => /^SIP\/2.0 200[^]*CSeq: \d+ INVITE/.test(message));
    const after = firstThere.at - (answered?.at ?? Number.NaN);
    console.log(`first sound reached SIP Server ${after.toFixed(0)} ms after the 200 to its INVITE`);
    expect(firstThere.payload).toHaveLength(160);
  });
});

import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { clients, cut, Lab, shareOfTone, until, type WireFrame } from "./support/index.ts";

const digitOf = "0123456789*#ABCD";
/** DTMF keys sound in two tones (ITU-T Q.23), Hz. */
const tonesOfOne = [697, 1209] as const;

/** Key presses among the frames: all packets of one carry the timestamp of its start (RFC 4733 2.2.2). */
function keyPresses(frames: readonly WireFrame[]): { digit: string; duration: number; ends: number }[] {
  const presses = new Map<number, { digit: string; duration: number; ends: number }>();
  for (const { side, data, rtpTimestamp } of frames) {
    // A sound frame is longer, but for Opus' shortest, which is not a multiple of an event.
    if (side !== "received" || data.length !== 4) continue;
    const view = Buffer.from(data);
    const press = presses.get(rtpTimestamp) ?? {
      digit: digitOf[view.readUInt8(0)] ?? "?",
      duration: 0,
      ends: 0,
    };
    press.duration = Math.max(press.duration, view.readUInt16BE(2));
    if (view.readUInt8(1) & 0x80) press.ends++;
    presses.set(rtpTimestamp, press);
  }
  return Array.from(presses.values());
}

describe.each([
  { codec: "opus", clockRate: 48_000, clients },
  { codec: "pcmu", clockRate: 8000, clients: ["jssip"] as const },
])("with $codec toward the browser", ({ codec, clockRate, clients: those }) => {
  let lab: Lab;

  beforeAll(async () => {
    lab = await Lab.open({ browserCodecs: [codec] });
  });
  afterEach(async () => await lab.closePhones());
  afterAll(async () => await lab.close());

  it.each(those)("%s's digits arrive at SIP Server as RFC 4733 events, each once", async (client) => {
    const wired = await lab.signIn(client);
    const uuid = await lab.call(wired, "9196");
    lab.sandbox.record(uuid);
    // Neither client can send any before the connection is up: JsSIP throws, SIP.js drops them.
    await until(() => lab.farOf(uuid).packetsReceived > 0);
    // All sixteen of them are in wrtc.test.ts.
    await wired.phone.sendDigits("1*#D");
    await until(() => lab.farOf(uuid).digits.length >= 4);
    await wait(300);
    expect(lab.farOf(uuid).digits).toBe("1*#D");
    const events = lab.sandbox.recording(uuid).filter(({ payload }) => payload.length === 4);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(4);
    // 120 ms asked for, at 8 kHz; the browser rounds to its packets.
    const durations = events.filter(({ payload }) => payload.readUInt8(1) & 0x80);
    for (const { payload } of durations) expect(payload.readUInt16BE(2)).toBeGreaterThanOrEqual(800);
    for (const { payload } of durations) expect(payload.readUInt16BE(2)).toBeLessThanOrEqual(1280);
  });

  it("gets SIP Server's digits as events of its own clock rate", async () => {
    const wired = await lab.signIn("jssip");
    await wired.phone.startRecording();
    await lab.call(wired, "9205");
    let presses: ReturnType<typeof keyPresses> = [];
    await expect
      .poll(
        async () => {
          presses = keyPresses(await wired.phone.encodedFrames());
          return presses.at(-1)?.digit === "#" && presses.at(-1)?.ends === 3;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(presses.map(({ digit }) => digit).join("")).toBe("123#");
    for (const { duration, ends } of presses) {
      expect(duration).toBe(clockRate / 10);
      expect(ends).toBe(3);
    }
    // Chromium plays what the events stand for.
    const heard = await wired.phone.recorded();
    const parts = Math.floor((20 * heard.samples.length) / heard.sampleRate);
    const shares = Array.from({ length: parts }, (_, at) => {
      const part = cut(heard, at * 0.05, at * 0.05 + 0.05);
      return Math.min(...tonesOfOne.map((frequency) => shareOfTone(part, frequency)));
    });
    expect(Math.max(...shares)).toBeGreaterThan(0.2);
  });

  // Digits of our own making are the same with either codec.
  if (codec !== "opus") return;

  it.each(those)("%s's digits in INFO become RFC 4733 events too", async (client) => {
    const wired = await lab.signIn(client);
    const uuid = await lab.call(wired, "9196");
    await wired.phone.sendDigits("42#", "info");
    await until(() => lab.farOf(uuid).digits.length >= 3);
    await wait(300);
    expect(lab.farOf(uuid).digits).toBe("42#");
    const infos = wired.sent.filter((message) => message.startsWith("INFO"));
    expect(infos).toHaveLength(3);
  });

  it("sends the digits that SIP Server asks for by NOTIFY dtmf", async () => {
    const wired = await lab.signIn("jssip");
    const uuid = await lab.call(wired, "9196");
    expect(await lab.sandbox.dtmf(uuid, "7")).toBe(200);
    await until(() => lab.farOf(uuid).digits === "7");
  });
});

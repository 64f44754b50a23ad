import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  clients,
  framesOf,
  Lab,
  shareOfTone,
  until,
  type Samples,
  type WiredPhone,
} from "./support/index.ts";

/** What the browser says, what the number says (numbers.ts: 9197), Hz; the sandbox's music has neither. */
const here = 1150;
const there = 440;
/** Notes of the sandbox's music on hold, Hz. */
const notes = [523, 587, 659, 698, 784, 880, 988, 1047] as const;

/** How SIP Server moves its sound, one after the other in one call. */
const moves = [
  { what: "by re-INVITE with an offer, to another address", offerless: false, host: "127.0.0.2" },
  { what: "by re-INVITE without an offer", offerless: true },
  { what: "as after a transfer", offerless: true, newSessionId: true, newCallUuid: true },
  { what: "to another law", offerless: false, law: "pcma" },
] as const;

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => await lab.closePhones());
afterAll(async () => await lab.close());

/** Energy of all the browser has played of the call. */
async function played({ phone }: WiredPhone): Promise<number> {
  const inbound = (await phone.stats()).find(({ type }) => type === "inbound-rtp");
  return Number(inbound?.["totalAudioEnergy"] ?? 0);
}

/** The best of the music's notes; windows that lie across two of them lower it. */
function shareOfMusic(sound: Samples): number {
  return notes.reduce((sum, note) => sum + shareOfTone(sound, note), 0);
}

async function expectTalking(wired: WiredPhone, uuid: string, law?: "pcmu" | "pcma"): Promise<void> {
  const before = await played(wired);
  const shares = await lab.sharesOf(wired, uuid, { here: there, there: here }, law);
  expect(shares.here).toBeGreaterThan(0.9);
  expect(shares.there).toBeGreaterThan(0.9);
  // Seen in one run of many: Chromium had not begun to play the once muted track again after 0.75 s.
  await expect.poll(() => played(wired)).toBeGreaterThan(before + 0.01);
}

/** Recorders and level meters hear the call too, not only the loudspeaker; and nothing plays it twice. */
async function expectPlayedOnce(wired: WiredPhone): Promise<void> {
  await wired.phone.startRecording();
  const risen = await played(wired);
  const began = performance.now();
  await wait(1000);
  const seconds = (performance.now() - began) / 1000;
  // At most 0.1 a second: two players of one sound would double its level.
  expect((await played(wired)) - risen).toBeLessThan(0.15 * seconds);
  await expect.poll(async () => shareOfTone(await wired.phone.recorded(), there)).toBeGreaterThan(0.7);
}

async function talking(wired: WiredPhone): Promise<string> {
  await wired.phone.setMicrophone({ kind: "tone", frequency: here });
  const uuid = await lab.call(wired, "9197");
  return uuid;
}

function holder(dn: string): boolean | undefined {
  return lab.callOf(dn)?.parties.find(({ name }) => name === dn)?.holding;
}

function invites(messages: readonly string[]): number {
  return messages.filter((message) => message.startsWith("INVITE")).length;
}

describe.each(clients)("%s", (client) => {
  it("holds: the far end hears music, the agent nothing; and retrieves", async () => {
    const wired = await lab.signIn(client);
    const uuid = await talking(wired);
    await wired.phone.hold(true);
    await until(() => holder(wired.dn) === true);
    const held = await lab.listen(wired, uuid);
    expect(shareOfMusic(held.there)).toBeGreaterThan(0.8);
    expect(shareOfTone(held.there, here)).toBeLessThan(0.01);
    expect(held.here.samples).toHaveLength(0);
    await wired.phone.hold(false);
    await until(() => holder(wired.dn) === false);
    await expectTalking(wired, uuid);
    await expectPlayedOnce(wired);
  });
});

// What the browser is not asked about is the same for every client.
describe("a call", () => {
  it("is held and retrieved by NOTIFY hold and talk, and sees no re-INVITE", async () => {
    const wired = await lab.signIn("sip.js");
    const uuid = await talking(wired);
    expect(await lab.sandbox.hold(uuid)).toBe(200);
    await until(() => holder(wired.dn) === true);
    const held = await lab.listen(wired, uuid);
    expect(shareOfMusic(held.there)).toBeGreaterThan(0.8);
    expect(shareOfTone(held.there, here)).toBeLessThan(0.01);
    expect(await lab.sandbox.retrieve(uuid)).toBe(200);
    await until(() => holder(wired.dn) === false);
    await expectTalking(wired, uuid);
    expect(invites(wired.received)).toBe(0);
  });

  it("is held by SIP Server's re-INVITE (sendonly, inactive, zero), and gets its call back", async () => {
    const wired = await lab.signIn("jssip");
    const uuid = await talking(wired);
    for (const form of ["sendonly", "inactive", "zero"] as const) {
      // The music comes from a media server of its own, with a codec of its own.
      const media = { musicHost: "127.0.0.3", musicLaw: "pcma" } as const;
      expect(await lab.sandbox.holdByReinvite(uuid, form, media)).toBe(true);
      const held = await lab.listen(wired, uuid);
      expect(shareOfTone(held.here, there), form).toBeLessThan(0.1);
      if (form === "sendonly") expect(shareOfMusic(held.here)).toBeGreaterThan(0.8);
      else expect(held.here.samples, form).toHaveLength(0);
      expect(held.there.samples, form).toHaveLength(0);
      expect(await lab.sandbox.retarget(uuid)).toBe(true);
      await expectTalking(wired, uuid);
    }
    await expectPlayedOnce(wired);
    expect(invites(wired.received)).toBe(0);
  });

  it("goes on unnoticed when SIP Server moves its sound", async () => {
    const wired = await lab.signIn("jssip");
    const uuid = await talking(wired);
    for (const { what, ...options } of moves) {
      const before = lab.farOf(uuid).local;
      await wired.phone.clearEncodedFrames();
      expect(await lab.sandbox.retarget(uuid, options), what).toBe(true);
      expect(lab.farOf(uuid).local, what).not.toEqual(before);
      // One line of timestamps over the move, with no step back and none of more than a few frames.
      const moved = (await framesOf(wired.phone, 1)).length;
      const frames = await framesOf(wired.phone, moved + 20);
      const steps = frames
        .slice(1)
        .map(({ rtpTimestamp }, at) => (rtpTimestamp - (frames[at]?.rtpTimestamp ?? 0)) | 0);
      expect(Math.min(...steps), what).toBeGreaterThan(0);
      expect(Math.max(...steps), what).toBeLessThan(20 * 960);
      await expectTalking(wired, uuid, "law" in options ? options.law : "pcmu");
    }
    expect(invites(wired.received)).toBe(0);
  });
});

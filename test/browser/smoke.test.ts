import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  cut,
  launchBrowser,
  level,
  loudPart,
  openPhone,
  serveTestPages,
  shareOfTone,
  tone,
  type PageServer,
  type TestBrowser,
} from "./support/index.ts";

let pages: PageServer;
let browser: TestBrowser;

beforeAll(async () => {
  const loopback = join(import.meta.dirname, "support", "page", "loopback-client.ts");
  pages = await serveTestPages({ loopback });
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser.close();
  await pages.close();
});

describe("the measures of sound", () => {
  it("tell a tone from another tone, from silence and from half of each", () => {
    const thousand = tone(1000, 0.5);
    expect(shareOfTone(thousand, 1000)).toBeGreaterThan(0.99);
    expect(shareOfTone(thousand, 700)).toBeLessThan(0.01);
    expect(shareOfTone({ sampleRate: 48_000, samples: new Float32Array(4800) }, 1000)).toBe(0);
    const other = tone(700, 0.5).samples;
    const both = { ...thousand, samples: thousand.samples.map((one, at) => one + (other[at] ?? 0)) };
    expect(shareOfTone(both, 1000)).toBeCloseTo(0.5, 1);
    expect(level(thousand)).toBeCloseTo(0.5 / Math.SQRT2, 3);
  });
});

describe("Chromium and the test pages", () => {
  it.each(["jssip", "sip.js"] as const)("load %s as published", async (client) => {
    const phone = await openPhone(browser, pages, client);
    expect(await phone.page.evaluate(() => typeof window.testPhone.sip.register)).toBe("function");
    expect(await phone.notifications()).toEqual([]);
    await phone.close();
  });

  it.each(["jssip", "sip.js"] as const)(
    "%s rejects when nothing listens at the server's address",
    async (client) => {
      const before = browser.errors.length;
      const phone = await openPhone(browser, pages, client);
      const account = { server: "ws://127.0.0.1:9/ws", dn: "5001", password: "x" };
      const outcome = phone.register(account).then(
        () => "registered",
        () => "refused",
      );
      // JsSIP goes on trying for ever and says nothing, SIP.js gives up at once: neither ever registers.
      await expect.poll(() => browser.errors.slice(before).join()).toContain("WebSocket connection");
      expect(await Promise.race([outcome, wait(200, "waiting")])).not.toBe("registered");
      await phone.close();
    },
  );

  it("hear the tone that the page sends, and silence when it sends none", async () => {
    const phone = await openPhone(browser, pages, "loopback");
    await phone.setMicrophone({ kind: "tone", frequency: 1000, gain: 0.4 });
    await phone.call("echo");
    await wait(600);
    await phone.startRecording();
    await wait(1000);
    const heard = await phone.recorded();
    expect(heard.samples.length / heard.sampleRate).toBeGreaterThan(0.7);
    expect(shareOfTone(cut(heard, 0.2, 0.7), 1000)).toBeGreaterThan(0.95);
    expect(level(heard)).toBeCloseTo(0.4 / Math.SQRT2, 1);
    await phone.setMicrophone({ kind: "silence" });
    await wait(600);
    await phone.startRecording();
    await wait(500);
    expect(level(await phone.recorded())).toBeLessThan(0.01);
    await phone.close();
  });

  // Again where Chromium itself was kept from playing: the gateway has no part in it.
  it(
    "hear samples that the test plays, and keep the frames that went over the wire",
    { retry: 2 },
    async () => {
      const phone = await openPhone(browser, pages, "loopback");
      await phone.register({ server: "", dn: "", password: "", encoded: true });
      await phone.setMicrophone({ kind: "silence" });
      await phone.call("echo");
      await wait(300);
      await phone.startRecording();
      await phone.play(tone(440, 0.8));
      const secondsHeard = async (): Promise<number> => {
        const { samples, sampleRate } = loudPart(await phone.recorded());
        return samples.length / sampleRate;
      };
      await expect.poll(secondsHeard, { timeout: 5000 }).toBeCloseTo(0.8, 1);
      const heard = loudPart(await phone.recorded());
      expect(shareOfTone(heard, 440)).toBeGreaterThan(0.95);
      const frames = await phone.encodedFrames();
      const sent = frames.filter(({ side }) => side === "sent");
      const received = frames.filter(({ side }) => side === "received");
      expect(sent.length).toBeGreaterThan(40);
      expect(received.length).toBeGreaterThan(40);
      expect(new Set(sent.map(({ payloadType, data }) => `${payloadType} ${data.length}`))).toEqual(
        new Set(["0 160"]),
      );
      await phone.hangUp();
      await phone.close();
    },
  );

  it("send Chromium's fake microphone, and tell what the connection counted", async () => {
    const phone = await openPhone(browser, pages, "loopback");
    await phone.setMicrophone({ kind: "device" });
    await phone.call("echo");
    await wait(300);
    await phone.startRecording();
    await wait(1500);
    expect(level(await phone.recorded())).toBeGreaterThan(0.005);
    const inbound = (await phone.stats()).find(({ type }) => type === "inbound-rtp");
    expect(Number(inbound?.["packetsReceived"])).toBeGreaterThan(50);
    await phone.close();
  });

  it("throw no error of their own", () => {
    const own = browser.errors.filter((text) => !text.includes("WebSocket connection"));
    expect(own).toEqual([]);
  });
});

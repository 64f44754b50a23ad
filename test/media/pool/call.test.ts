import { createSocket } from "node:dgram";
import { createDecoder, createEncoder } from "libopus-wasm";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { MediaPool, MediaStatistics } from "../../../src/media/index.ts";
import { fromCodes, segmentalSnr, toCodes, voice } from "../../support/sound.ts";
import { opus, parse, pcma, pcmu, rtp } from "../relay/relay-double.ts";
import { once, openCall, openPool, qualityReports, until, type Call } from "./pool-double.ts";

// Threads are started and the machine may be busy.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let pool: MediaPool;
let call: Call | undefined;
beforeAll(async () => {
  pool = await openPool({ idleMs: 700, qualityMs: 300 });
});
afterEach(async () => {
  call?.session.close("test over");
  await call?.close();
  call = undefined;
  await until(() => pool.sessions === 0);
});
afterAll(() => pool.close());

const sound = voice(1);
const codes = toCodes(sound, "pcmu");
const frame = (index: number): Buffer => codes.subarray(index * 160, index * 160 + 160);

function collect(made: Call): Buffer[] {
  const heard: Buffer[] = [];
  made.browser.onRtp = (packet, length) => heard.push(Buffer.from(packet.subarray(0, length)));
  return heard;
}

const payloads = (packets: readonly Buffer[]): Buffer =>
  Buffer.concat(packets.map((packet) => parse(packet).payload));

describe("a call through a media worker", () => {
  it.each([1, 7] as const)("carries PCMU bit-exact over ICE, DTLS and SRTP (profile %i)", async (profile) => {
    call = await openCall(pool, pcmu, pcmu, { profiles: [profile] });
    const { browser, trunk, session } = call;
    const heard = collect(call);
    for (let index = 0; index < 50; index++) {
      browser.sendRtp(rtp(0, index, index * 160, frame(index)));
      trunk.send(rtp(0, index, index * 160, frame(49 - index), { ssrc: 9 }), session);
    }
    await until(() => trunk.received.length >= 40 && heard.length >= 50);
    // What is silence in the voice itself is not told from filled silence: compare what sounds.
    const sounding = Array.from({ length: 50 }, (_, index) => frame(index)).filter((part) =>
      part.some((code) => code !== 0xff),
    );
    await until(() => trunk.received.length >= sounding.length);
    expect(payloads(trunk.received)).toEqual(Buffer.concat(sounding));
    expect(payloads(heard)).toEqual(
      Buffer.concat(Array.from({ length: 50 }, (_, index) => frame(49 - index))),
    );
    expect(parse(heard[0] ?? Buffer.alloc(0)).header.ssrc).toBe(session.browser.ssrc);
  });

  it("transcodes Opus and PCMA both ways, heard as it was said", async () => {
    call = await openCall(pool, opus, pcma);
    const { browser, trunk, session } = call;
    const heard = collect(call);
    const encoder = await createEncoder({
      sampleRate: 8000,
      channels: 1,
      bitrate: 32_000,
      application: 2048,
    });
    const alaw = toCodes(sound, "pcma");
    const toTrunk: Buffer[] = [];
    trunk.onRtp = (packet) => toTrunk.push(packet);
    for (let index = 0; index < 50; index++) {
      browser.sendRtp(
        rtp(111, index, index * 960, encoder.encode(sound.subarray(index * 160, index * 160 + 160))),
      );
      trunk.send(rtp(8, index, index * 160, alaw.subarray(index * 160, index * 160 + 160)), session);
    }
    await until(() => toTrunk.length >= 50 && heard.length >= 50);
    encoder.free();
    const voiceOnly = toTrunk.slice(-50);
    expect(segmentalSnr(sound, fromCodes(payloads(voiceOnly), "pcma"))).toBeGreaterThan(8);
    const decoder = await createDecoder({ sampleRate: 8000, channels: 1 });
    const decoded = new Int16Array(8000);
    heard.forEach((packet, index) => decoded.set(decoder.decode(parse(packet).payload), index * 160));
    decoder.free();
    expect(segmentalSnr(sound, decoded)).toBeGreaterThan(7);
    expect(segmentalSnr(voice(1, 2), decoded)).toBeLessThan(1);
  });

  it("relays digits both ways and tells each once", async () => {
    call = await openCall(pool, opus, pcmu);
    const { browser, trunk, session } = call;
    const told: string[] = [];
    session.events.on("dtmf", (side, digit) => told.push(`${side} ${digit}`));
    for (let index = 1; index <= 3; index++) {
      const end = index === 3 ? 0x80 : 0;
      browser.sendRtp(
        rtp(110, index, 0, Buffer.from([11, end | 10, (index * 960) >>> 8, (index * 960) & 0xff])),
      );
      trunk.send(rtp(101, index, 0, Buffer.from([9, end | 10, 0, index * 50])), session);
    }
    await until(() => trunk.received.filter((packet) => (packet[1] ?? 0) % 128 === 101).length >= 5);
    expect(told.toSorted()).toEqual(["browser #", "trunk 9"]);
    session.sendDtmf("trunk", "1", 60);
    await until(() =>
      trunk.received.some((packet) => packet[1] === 101 && packet[12] === 1 && packet[13] === 0x8a),
    );
    expect(() => session.sendDtmf("trunk", "1x")).toThrow(RangeError);
  });

  it("refuses replayed SRTP, SRTP of strangers and RTP in the clear, and goes on unharmed", async () => {
    call = await openCall(pool, pcmu, pcmu);
    const { browser, trunk, session } = call;
    const datagram = browser.sendRtp(rtp(0, 1, 160, Buffer.alloc(160, 0x21)));
    for (let copy = 0; copy < 5; copy++) browser.sendRaw(datagram);
    browser.sendRaw(rtp(0, 2, 320, Buffer.alloc(170, 0x66)));
    const stranger = createSocket("udp4");
    stranger.send(datagram, session.browser.port, "127.0.0.1");
    const strangers = async (): Promise<number | undefined> => (await pool.workers())[0]?.refused["stranger"];
    await until(async () => (await strangers()) === 1);
    browser.sendRtp(rtp(0, 2, 320, Buffer.alloc(160, 0x22)));
    await until(() => trunk.received.some((packet) => packet[12] === 0x22));
    stranger.close();
    expect(trunk.received.map((packet) => packet[12])).toEqual([0x21, 0x22]);
    const { browser: figures } = await session.statistics();
    expect(figures.dropped).toMatchObject({ replay: 5, authentication: 1 });
    expect(await strangers()).toBe(1);
  });

  it("tells quality while it runs and the silence of a side once, but none while it is held", async () => {
    call = await openCall(pool, pcmu, pcmu);
    const { session } = call;
    const idle: string[] = [];
    session.events.on("idle", (side) => idle.push(side));
    session.setDirection("browser", "inactive");
    session.setDirection("trunk", "inactive");
    const [quality] = await once(session, "quality");
    expect((quality as MediaStatistics).trunk.codec).toBe("pcmu");
    // Three reports are 900 ms, the idle time is 700.
    await qualityReports(session, 3);
    expect(idle).toEqual([]);
    session.setDirection("trunk", "sendrecv");
    await once(session, "idle");
    await qualityReports(session, 4);
    expect(idle).toEqual(["trunk"]);
  });

  it("keeps its media over an ICE restart with new credentials", async () => {
    call = await openCall(pool, pcmu, pcmu);
    const { session, browser, trunk } = call;
    const restarted = await session.restartIce();
    expect(restarted.iceUfrag).not.toBe(session.browser.iceUfrag);
    expect(restarted).toMatchObject({ port: session.browser.port, ssrc: session.browser.ssrc });
    browser.setRemote(restarted);
    const answered = browser.checksAnswered;
    browser.check();
    await until(() => browser.checksAnswered > answered);
    browser.sendRtp(rtp(0, 1, 160, Buffer.alloc(160, 0x21)));
    await until(() => trunk.received.length === 1);
  });

  it("ends by itself when the browser closes its connection and no signalling follows", async () => {
    call = await openCall(pool, pcmu, pcmu);
    const closed = once(call.session, "closed");
    call.browser.farewell();
    expect((await closed)[0]).toBe("browser closed its media connection");
  });

  it("fails when the browser's certificate is not the one its SDP announced", async () => {
    const session = await pool.open();
    const closed = once(session, "closed");
    const { WebRtcPeer } = await import("../../support/webrtc-peer.ts");
    const peer = await WebRtcPeer.create();
    session.setBrowserRemote({
      iceUfrag: peer.iceUfrag,
      fingerprints: [{ algorithm: "sha-256", value: Array(32).fill("AA").join(":") }],
      payload: pcmu,
      direction: "sendrecv",
    });
    peer.connect(session.browser).catch(() => {});
    expect((await closed)[0]).toMatch(/^browser media failed: /);
    expect(peer.connected).toBe(false);
    await peer.close();
  });
});

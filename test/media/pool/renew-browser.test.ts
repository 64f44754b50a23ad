import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import type { MediaPool } from "../../../src/media/index.ts";
import { sharedCertificate, WebRtcPeer } from "../../support/webrtc-peer.ts";
import { parse, pcmu, rtp } from "../relay/relay-double.ts";
import { openCall, openPool, until, type Call } from "./pool-double.ts";

// Threads are started and the machine may be busy.
vi.setConfig({ testTimeout: 20_000, hookTimeout: 20_000 });

let pool: MediaPool;
let call: Call;
let second: WebRtcPeer;
beforeAll(async () => {
  pool = await openPool();
});
afterEach(async () => {
  call.session.close("test over");
  await call.close();
  await second.close();
  await until(() => pool.sessions === 0);
});
afterAll(() => pool.close());

const sound = (code: number): Buffer => Buffer.alloc(160, code);

/** Another page takes the call over. The worst case: it has the very certificate of the one before. */
async function takeOver(): Promise<void> {
  second = await WebRtcPeer.create({ certificate: await sharedCertificate() });
  const local = await call.session.renewBrowser();
  call.session.setBrowserRemote({
    iceUfrag: second.iceUfrag,
    fingerprints: [second.fingerprint],
    payload: pcmu,
    direction: "sendrecv",
  });
  await second.connect(local);
}

describe("a browser page that takes a session over from another", () => {
  it("is heard and hears by ICE and DTLS of its own; SIP Server's side has one line, port and source", async () => {
    call = await openCall(pool, pcmu, pcmu);
    const { browser, trunk, session } = call;
    browser.sendRtp(rtp(0, 1, 160, sound(0x21)));
    await until(() => trunk.received.length === 1);
    const ports = { ...session.trunk };
    await takeOver();
    second.sendRtp(rtp(0, 60_000, 99, sound(0x22), { ssrc: 77 }));
    await until(() => trunk.received.length === 2);
    const [before, after] = trunk.received.map((packet) => parse(packet).header);
    expect(after?.ssrc).toBe(before?.ssrc);
    // What lies between is silence that was filled: no packet and no moment is missing from the line.
    const packets = ((after?.sequence ?? 0) - (before?.sequence ?? 0)) & 0xffff;
    expect(packets).toBe(trunk.silence + 1);
    expect(((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0).toBeGreaterThanOrEqual(packets * 160);
    expect(session.trunk).toEqual(ports);
    const heard: number[] = [];
    second.onRtp = (packet) => heard.push(parse(packet).payload[0] ?? 0);
    trunk.send(rtp(0, 1, 160, sound(0x33), { ssrc: 9 }), session);
    await until(() => heard.includes(0x33));
  });

  it("shuts the page before it out: its checks are answered and its packets taken no more", async () => {
    call = await openCall(pool, pcmu, pcmu);
    const { browser, trunk } = call;
    await takeOver();
    const answered = browser.checksAnswered;
    browser.check();
    browser.sendRtp(rtp(0, 1, 160, sound(0x44)));
    second.sendRtp(rtp(0, 1, 160, sound(0x22), { ssrc: 77 }));
    await until(() => trunk.received.length === 1);
    expect(trunk.received[0]?.[12]).toBe(0x22);
    expect(browser.checksAnswered).toBe(answered);
    const refused = (await pool.workers())[0]?.refused;
    expect(refused).toMatchObject({ stunUnknownUfrag: 1, stranger: 1 });
  });

  it("leaves nothing of the pages before it, however many there were", async () => {
    call = await openCall(pool, pcmu, pcmu);
    second = await WebRtcPeer.create();
    const ufrags = new Set<string>();
    for (let time = 0; time < 1200; time++) ufrags.add((await call.session.renewBrowser()).iceUfrag);
    // More than may be half-open at a time (1000): each that was there before is gone.
    expect(ufrags.size).toBe(1200);
  });
});

import { describe, expect, it, vi } from "vitest";
import { contentTypes, writeHandshake, writeRecord } from "../../../src/media/dtls/records.ts";
import { FakeBrowser, makePort, rtcpPacket, rtpPacket, type TestPort } from "../support/browser.ts";
import { testCertificates } from "../support/dtls-peer.ts";
import { makeCheck } from "../support/stun-client.ts";
import { fuzz } from "./harness.ts";
import { mutant } from "./mutate.ts";

vi.setConfig({ testTimeout: 300_000 });

const attacker = "203.0.113.66";

async function connectedCall(): Promise<{ at: TestPort; browser: FakeBrowser }> {
  const [, certificate] = await testCertificates();
  const at = await makePort();
  const browser = new FakeBrowser(at, certificate, 5000);
  await browser.connect();
  return { at, browser };
}

/** All that an attacker may not change, in one comparable line. */
function stateOf(
  at: TestPort,
  { transport, received, receivedRtcp, failures, connections }: FakeBrowser,
): string {
  const { connected, remoteAddress, srtpProfile, lastConsentAt, local } = transport;
  const { iceUfrag, icePwd, fingerprint } = local;
  return [
    connected,
    remoteAddress?.address,
    remoteAddress?.port,
    srtpProfile,
    lastConsentAt,
    iceUfrag,
    icePwd,
    fingerprint.value,
    received.length,
    receivedRtcp.length,
    failures.length,
    connections,
    at.port.transports,
    at.clock.pendingTimers,
  ].join(" ");
}

describe("the shared port with a call under way, fed with packets that are not authentic", () => {
  it("from the browser's own address and from a stranger's: only counters move, the call goes on", async () => {
    const { at, browser } = await connectedCall();
    const { iceUfrag, icePwd } = browser.transport.local;
    const checks = [
      // Authentic ones come without what follows the tag, so that a change is one of what the tag covers.
      covered(makeCheck({ ufrag: iceUfrag, pwd: icePwd, useCandidate: true })),
      covered(makeCheck({ ufrag: iceUfrag, pwd: icePwd })),
      makeCheck({ ufrag: iceUfrag, pwd: "not the password at all", useCandidate: true }),
      makeCheck({ ufrag: iceUfrag, useCandidate: true }),
      makeCheck({ ufrag: "guess", pwd: icePwd, useCandidate: true }),
    ];
    const sealed = [browser.protect(rtpPacket(900)), browser.protect(rtcpPacket(), true)];
    const records = [
      writeRecord(
        contentTypes.handshake,
        0,
        7,
        writeHandshake({ type: 1, sequence: 0, body: Buffer.alloc(80, 254) }),
      ),
      writeRecord(contentTypes.alert, 0, 8, Buffer.from([2, 40])),
      writeRecord(contentTypes.alert, 1, 9, Buffer.alloc(26, 5)),
      writeRecord(contentTypes.handshake, 1, 10, Buffer.alloc(40, 5)),
      writeRecord(contentTypes.applicationData, 1, 11, Buffer.alloc(60, 5)),
    ];
    const valid = [...checks, ...sealed, ...records];
    const authentic = valid.filter((packet) => !checks.slice(2).includes(packet));
    let before = stateOf(at, browser);
    let sequence = 1000;
    let unanswered = 0;
    const { stalls } = await fuzz({
      name: "shared port",
      share: 0.05,
      make: (pick) => mutant(pick, valid),
      feed: (input, index) => {
        if (authentic.some((packet) => sameToTag(packet, input))) return;
        // Time goes by, or the limits on records and errors would keep most of it out.
        at.clock.advance(20);
        const sent = at.socket.sent.length;
        if (index % 3 === 0) at.socket.deliver(input, 4444, attacker);
        else browser.deliver(input);
        if (stateOf(at, browser) !== before)
          throw new Error(`state was ${before}, is ${stateOf(at, browser)}`);
        if (at.port.refused.internalError !== undefined) throw new Error("internal error");
        // Nothing but an error response to a check ever goes out, and not to everything.
        for (const { packet } of at.socket.sent.slice(sent))
          if (packet.readUInt16BE(0) !== 0x0111) throw new Error("answered something");
        if (at.socket.sent.length === sent) unanswered++;
      },
      check: () => {
        at.socket.sent.length = 0;
        const sound = rtpPacket(++sequence);
        browser.deliver(browser.protect(sound));
        browser.deliver(browser.protect(rtcpPacket(), true));
        expect(browser.received.pop()).toEqual(sound);
        expect(browser.receivedRtcp).toHaveLength(1);
        browser.receivedRtcp.length = 0;
        expect(browser.transport.sendRtp(sound, sound.length)).toBe(true);
        expect(at.socket.sent.at(-1)).toMatchObject({ address: "192.0.2.50", port: 5000 });
        expect(stateOf(at, browser)).toBe(before);
      },
    });
    expect(stalls).toEqual([]);
    expect(unanswered).toBeGreaterThan(100);
    // The control: what the forgeries were made from does change the state.
    at.clock.advance(100);
    at.socket.deliver(checks[0] ?? Buffer.alloc(0), 4445, attacker);
    expect(browser.transport.remoteAddress).toEqual({ address: attacker, port: 4445 });
    before = stateOf(at, browser);
    browser.deliver(sealed[0] ?? Buffer.alloc(0));
    expect(stateOf(at, browser)).not.toBe(before);
    browser.peer.close();
  });
});

describe("one datagram full of forged records", () => {
  it("costs the opening of one of them, and of none that is longer than any we are sent", async () => {
    const { at, browser } = await connectedCall();
    const before = stateOf(at, browser);
    const forged = (size: number): Buffer => writeRecord(contentTypes.alert, 1, 9, Buffer.alloc(size, 5));
    at.clock.advance(10_000);
    browser.deliver(Buffer.concat(Array.from({ length: 90 }, () => forged(26))));
    expect(browser.transport.dropped).toEqual({ dtlsDecrypt: 1 });
    at.clock.advance(10_000);
    browser.deliver(Buffer.concat([forged(18_000), forged(18_000), forged(1300)]));
    expect(browser.transport.dropped).toEqual({ dtlsDecrypt: 1, dtlsUnexpected: 3 });
    expect(stateOf(at, browser)).toBe(before);
    browser.peer.close();
  });
});

/** A check cut behind MESSAGE-INTEGRITY, its length field right: still authentic (RFC 8489 14.5). */
function covered(check: Buffer): Buffer {
  const cut = Buffer.from(check.subarray(0, check.length - 8));
  cut.writeUInt16BE(cut.length - 20, 2);
  return cut;
}

/** Whether `input` is `packet`, perhaps with something behind it. */
function sameToTag(packet: Buffer, input: Buffer): boolean {
  return (
    input.length >= packet.length && Buffer.from(input.subarray(4, packet.length)).equals(packet.subarray(4))
  );
}

import { describe, expect, it } from "vitest";
import { decodeStun } from "../../../src/media/ice/index.ts";
import { stunAttributes } from "../../../src/media/ice/stun.ts";
import { writeRecord } from "../../../src/media/dtls/records.ts";
import { FakeBrowser, makePort, rtcpPacket, rtpPacket, type TestPort } from "../support/browser.ts";
import { settle, testCertificates, until } from "../support/dtls-peer.ts";
import { makeCheck } from "../support/stun-client.ts";

/** A connected call at port 5000 and what the attacker cannot be allowed to change. */
async function makeCall(): Promise<{ at: TestPort; browser: FakeBrowser; unharmed: () => void }> {
  const [, certificate] = await testCertificates();
  const at = await makePort();
  const browser = new FakeBrowser(at, certificate, 5000);
  await browser.connect();
  let sequence = 100;
  const unharmed = (): void => {
    expect(browser.failures).toEqual([]);
    expect(browser.connections).toBe(1);
    expect(browser.transport.connected).toBe(true);
    expect(browser.transport.remoteAddress).toEqual({ address: "192.0.2.50", port: 5000 });
    const packet = rtpPacket(++sequence);
    browser.deliver(browser.protect(packet));
    expect(browser.received.at(-1)).toEqual(packet);
    expect(browser.transport.sendRtp(packet, packet.length)).toBe(true);
    expect(at.socket.sent.at(-1)).toMatchObject({ port: 5000, address: "192.0.2.50" });
  };
  return { at, browser, unharmed };
}

const attacker = "203.0.113.66";

describe("an attacker on the shared port", () => {
  it("changes nothing by STUN without integrity, with a wrong password or a wrong fragment", async () => {
    const { at, browser, unharmed } = await makeCall();
    const { iceUfrag, icePwd } = browser.transport.local;
    const consent = browser.transport.lastConsentAt;
    at.clock.advance(1000);
    const attempts = [
      makeCheck({ ufrag: iceUfrag, useCandidate: true }),
      makeCheck({ ufrag: iceUfrag, pwd: "A".repeat(24), useCandidate: true }),
      makeCheck({ ufrag: iceUfrag, pwd: "", useCandidate: true }),
      makeCheck({ ufrag: "guessed1", pwd: icePwd, useCandidate: true }),
      makeCheck({ ufrag: iceUfrag, pwd: icePwd, remote: "other", useCandidate: true }),
    ];
    for (const packet of attempts) {
      at.socket.deliver(packet, 4444, attacker);
      at.socket.deliver(packet, 5000);
    }
    expect(browser.transport.lastConsentAt).toBe(consent);
    expect(at.port.refused).toEqual({
      stunNoIntegrity: 2,
      stunIntegrity: 4,
      stunUnknownUfrag: 2,
      stunUsername: 2,
    });
    at.socket.deliver(browser.protect(rtpPacket(1)), 4444, attacker);
    expect(at.port.refused.stranger).toBe(1);
    expect(browser.received).toEqual([]);
    unharmed();
  });

  it("cannot nominate its own address by repeating a check it saw with USE-CANDIDATE put in", async () => {
    const { at, browser, unharmed } = await makeCall();
    const { iceUfrag, icePwd } = browser.transport.local;
    const seen = makeCheck({ ufrag: iceUfrag, pwd: icePwd });
    const attribute = Buffer.from("00250000", "hex");
    // In front of MESSAGE-INTEGRITY it breaks the tag, behind it it counts for nothing; FINGERPRINT is cut off.
    const at24 = seen.length - 8 - 24;
    const before = Buffer.concat([seen.subarray(0, at24), attribute, seen.subarray(at24, seen.length - 8)]);
    const behind = Buffer.concat([seen.subarray(0, seen.length - 8), attribute]);
    for (const packet of [before, behind]) {
      packet.writeUInt16BE(packet.length - 20, 2);
      at.socket.deliver(packet, 4444, attacker);
    }
    expect(at.port.refused).toEqual({ stunIntegrity: 1 });
    unharmed();
  });

  it("with a call of its own cannot take over a neighbour's address by forging its source", async () => {
    const { at, unharmed } = await makeCall();
    const [, , certificate] = await testCertificates();
    const own = new FakeBrowser(at, certificate, 4444, { address: attacker });
    await own.connect();
    const { iceUfrag, icePwd } = own.transport.local;
    const forged = makeCheck({ ufrag: iceUfrag, pwd: icePwd, remote: "brow", useCandidate: true });
    at.socket.deliver(forged, 5000, "192.0.2.50");
    expect(at.port.refused).toEqual({ stunAddressTaken: 1 });
    expect(own.transport.remoteAddress?.address).toBe(attacker);
    unharmed();
    // A call long silent loses its address to one that shows it is there.
    at.clock.advance(10_000);
    at.socket.deliver(forged, 5000, "192.0.2.50");
    expect(own.transport.remoteAddress).toEqual({ address: "192.0.2.50", port: 5000 });
    own.peer.close();
  });

  it("gets few error responses, and never one that is signed", async () => {
    const { at, browser, unharmed } = await makeCall();
    const { iceUfrag } = browser.transport.local;
    const before = at.socket.sent.length;
    for (let i = 0; i < 500; i++) at.socket.deliver(makeCheck({ ufrag: iceUfrag, pwd: "x" }), 4444, attacker);
    const errors = at.socket.sent.slice(before);
    expect(errors).toHaveLength(20);
    for (const { packet } of errors) {
      const message = decodeStun(packet, packet.length);
      expect(message).toMatchObject({ class: "error", integrityOffset: undefined });
    }
    expect(at.port.refused).toEqual({ stunIntegrity: 500, stunErrorWithheld: 480 });
    at.clock.advance(1000);
    for (let i = 0; i < 50; i++) at.socket.deliver(makeCheck({ ufrag: iceUfrag, pwd: "x" }), 4444, attacker);
    expect(at.socket.sent.length - before).toBe(30);
    unharmed();
  });

  it("cannot have a replayed SRTP or SRTCP packet played", async () => {
    const { at, browser, unharmed } = await makeCall();
    const sound = browser.protect(rtpPacket(1));
    const report = browser.protect(rtcpPacket(), true);
    for (let i = 0; i < 3; i++) {
      browser.deliver(sound);
      browser.deliver(report);
    }
    at.socket.deliver(sound, 4444, attacker);
    expect(browser.received).toHaveLength(1);
    expect(browser.receivedRtcp).toHaveLength(1);
    expect(browser.transport.dropped).toEqual({ replay: 4 });
    expect(at.port.refused).toEqual({ replay: 4, stranger: 1 });
    unharmed();
  });

  it("cannot have forged sound played from a forged source", async () => {
    const { browser, unharmed } = await makeCall();
    for (let i = 0; i < 50; i++) {
      browser.deliver(Buffer.concat([rtpPacket(i), Buffer.alloc(10, i)]));
      browser.deliver(Buffer.concat([rtcpPacket(), Buffer.alloc(14, i)]));
    }
    browser.deliver(rtpPacket(1));
    expect(browser.received).toEqual([]);
    expect(browser.receivedRtcp).toEqual([]);
    expect(browser.transport.dropped.authentication).toBe(100);
    unharmed();
  });

  it("cannot send sound or a handshake before ICE and DTLS are through", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    browser.transport.setRemote({ iceUfrag: "brow", fingerprints: [certificate.fingerprint] });
    browser.peer.connect();
    await settle(5);
    expect(at.port.refused).toEqual({ stranger: 1 });
    expect(at.socket.sent).toEqual([]);
    browser.check();
    browser.deliver(rtpPacket(1));
    browser.deliver(rtcpPacket());
    expect(browser.transport.dropped).toEqual({ srtpBeforeKeys: 2 });
    expect(browser.received).toEqual([]);
    browser.peer.close();
  });

  it("with a copied certificate does not get through the whole transport", async () => {
    const [, victim, other] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, victim, 5000, { key: other.keyPem });
    browser.transport.setRemote({ iceUfrag: "brow", fingerprints: [victim.fingerprint] });
    browser.check({ useCandidate: true });
    browser.peer.connect();
    await until(() => browser.failures.length > 0);
    expect(browser.failures).toEqual(["CertificateVerify is wrong: the peer has not its certificate's key"]);
    expect(browser.transport.connected).toBe(false);
    expect(at.clock.pendingTimers).toBe(0);
    browser.peer.close();
  });

  it("leaves the call unharmed by a ClientHello or an alert in the clear", async () => {
    const { browser, unharmed } = await makeCall();
    const hello = Buffer.concat([Buffer.from("010000300000000000000030fefd", "hex"), Buffer.alloc(46, 1)]);
    browser.deliver(writeRecord(22, 0, 200, hello));
    browser.deliver(writeRecord(21, 0, 201, Buffer.from([2, 0])));
    browser.deliver(writeRecord(21, 0, 202, Buffer.from([1, 0])));
    expect(browser.transport.dropped).toEqual({ dtlsPlaintext: 3 });
    unharmed();
  });

  it("only moves counters with junk of every first byte and length", async () => {
    const { at, browser, unharmed } = await makeCall();
    for (let first = 0; first < 256; first++)
      for (const length of [1, 2, 12, 13, 20, 40, 1500]) {
        at.socket.deliver(Buffer.alloc(length, first), 5000);
        at.socket.deliver(Buffer.alloc(length, first), 4444, attacker);
      }
    at.socket.deliver(Buffer.alloc(0), 5000);
    expect(at.port.refused.stunMalformed).toBe(4 * 7 * 2);
    expect(at.port.refused.stranger).toBe(252 * 7);
    expect(browser.transport.dropped.unknownProtocol).toBe((16 + 64 + 64) * 7 + 1);
    at.clock.advance(2000);
    unharmed();
  });

  it("cannot make the browser's own role conflict or unknown attribute stop consent", async () => {
    const { at, browser, unharmed } = await makeCall();
    at.clock.advance(500);
    browser.check({
      remote: "brow",
      extra: [{ type: stunAttributes.iceControlled, value: Buffer.alloc(8) }],
    });
    browser.check({ remote: "brow", extra: [{ type: 0x7123, value: Buffer.alloc(0) }] });
    expect(browser.transport.lastConsentAt).toBe(0);
    browser.check({ remote: "brow" });
    expect(browser.transport.lastConsentAt).toBe(500);
    expect(at.port.refused).toEqual({ stunRoleConflict: 1, stunUnknownAttribute: 1 });
    unharmed();
  });

  it("has no hold over the port through Binding indications and responses", async () => {
    const { at, browser, unharmed } = await makeCall();
    const { iceUfrag, icePwd } = browser.transport.local;
    const before = at.socket.sent.length;
    for (const type of [0x0011, 0x0101, 0x0111])
      at.socket.deliver(
        makeCheck({ ufrag: iceUfrag, pwd: icePwd, type, useCandidate: true }),
        4444,
        attacker,
      );
    expect(at.socket.sent).toHaveLength(before);
    expect(at.port.refused).toEqual({});
    unharmed();
  });
});

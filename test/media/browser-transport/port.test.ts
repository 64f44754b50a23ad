import { createSocket } from "node:dgram";
import { describe, expect, it } from "vitest";
import {
  bindDatagramSocket,
  BrowserPortFullError,
  createBrowserPort,
} from "../../../src/media/browser-transport/index.ts";
import { decodeStun } from "../../../src/media/ice/index.ts";
import { silentLogger, systemClock, systemRandom } from "../../../src/core/index.ts";
import { FakeBrowser, makePort, rtcpPacket, rtpPacket } from "../support/browser.ts";
import { settle, testCertificates, until } from "../support/dtls-peer.ts";
import { makeCheck } from "../support/stun-client.ts";

const handlers = { onRtp() {}, onRtcp() {}, onConnected() {}, onFailed() {} };

describe("a browser port", () => {
  it.each([
    { name: "AES-CM", srtpProfiles: [1, 7] as const, chosen: 1 },
    { name: "GCM", srtpProfiles: [7, 1] as const, chosen: 7 },
  ])("carries sound and reports both ways with $name", async ({ srtpProfiles, chosen }) => {
    const [, certificate] = await testCertificates();
    const at = await makePort({ srtpProfiles });
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    const { transport } = browser;
    expect(transport.srtpProfile).toBe(chosen);
    expect(transport.connected).toBe(true);
    browser.deliver(browser.protect(rtpPacket(1)));
    browser.deliver(browser.protect(rtcpPacket(), true));
    expect(browser.received).toEqual([rtpPacket(1)]);
    expect(browser.receivedRtcp).toEqual([rtcpPacket()]);
    const packet = rtpPacket(9, "to the browser");
    expect(transport.sendRtp(packet, packet.length)).toBe(true);
    const out = at.socket.sent.at(-1);
    expect(out).toMatchObject({ port: 5000, address: "192.0.2.50" });
    const plain = Buffer.alloc(100);
    const length = browser.receiver?.unprotect(out?.packet ?? plain, out?.packet.length ?? 0, plain);
    expect(plain.subarray(0, length)).toEqual(packet);
    expect(transport.sendRtcp(rtcpPacket(201), 28)).toBe(true);
    const report = at.socket.sent.at(-1)?.packet ?? plain;
    const reportLength = browser.receiver?.unprotectRtcp(report, report.length, plain);
    expect(plain.subarray(0, reportLength)).toEqual(rtcpPacket(201));
    expect(transport.dropped).toEqual({});
    expect(at.port.refused).toEqual({});
    browser.peer.close();
    await at.port.close();
    expect(at.clock.pendingTimers).toBe(0);
  });

  it("tells RTCP from RTP by the packet type, also where an RTP marker bit is set", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    const marked = rtpPacket(1);
    marked[1] = 0x80 | 111;
    browser.deliver(browser.protect(marked));
    for (const type of [200, 201, 205, 207]) browser.deliver(browser.protect(rtcpPacket(type), true));
    expect(browser.received).toEqual([marked]);
    expect(browser.receivedRtcp.map((packet) => packet[1])).toEqual([200, 201, 205, 207]);
    browser.peer.close();
  });

  it("keeps several browsers apart, also two at one port number", async () => {
    const [, first, second] = await testCertificates();
    const at = await makePort();
    const browsers = [
      new FakeBrowser(at, first, 5000, { address: "192.0.2.50" }),
      new FakeBrowser(at, second, 5000, { address: "192.0.2.51" }),
      new FakeBrowser(at, first, 5001, { address: "192.0.2.50" }),
    ];
    for (const browser of browsers) await browser.connect();
    browsers.forEach((browser, i) => browser.deliver(browser.protect(rtpPacket(1, `browser ${i}`))));
    browsers.forEach((browser, i) => expect(browser.received).toEqual([rtpPacket(1, `browser ${i}`)]));
    browsers.forEach((browser, i) => {
      browser.transport.sendRtp(rtpPacket(1), 17);
      expect(at.socket.sent.at(-1)).toMatchObject({ port: [5000, 5000, 5001][i], address: browser.address });
    });
    expect(at.port.transports).toBe(3);
    for (const browser of browsers) browser.peer.close();
  });

  it("answers a check before the browser's SDP came and finishes DTLS when it has", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    browser.check({ remote: "brow", useCandidate: true });
    const answer = at.socket.sent[0]?.packet ?? Buffer.alloc(0);
    expect(decodeStun(answer, answer.length)?.class).toBe("success");
    const connecting = browser.handshake();
    await settle();
    expect(browser.connections).toBe(0);
    browser.transport.setRemote({ iceUfrag: "brow", fingerprints: [certificate.fingerprint] });
    await connecting;
    expect(browser.connections).toBe(1);
    browser.peer.close();
  });

  it("notes the time of every valid check", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    expect(browser.transport.lastConsentAt).toBeUndefined();
    at.clock.advance(100);
    browser.check();
    expect(browser.transport.lastConsentAt).toBe(100);
    at.clock.advance(5000);
    browser.check({ pwd: "wrong" });
    expect(browser.transport.lastConsentAt).toBe(100);
    browser.check();
    expect(browser.transport.lastConsentAt).toBe(5100);
  });

  it("sends to the first valid address until the browser nominates another", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    browser.check({}, 6000);
    expect(browser.transport.remoteAddress?.port).toBe(5000);
    browser.deliver(browser.protect(rtpPacket(1)), 6000);
    expect(browser.received).toHaveLength(1);
    browser.check({ useCandidate: true }, 6000);
    expect(browser.transport.remoteAddress).toEqual({ address: "192.0.2.50", port: 6000 });
    browser.transport.sendRtp(rtpPacket(1), 17);
    expect(at.socket.sent.at(-1)?.port).toBe(6000);
    browser.peer.close();
  });

  it("follows a browser whose NAT gave it another port, by its consent checks, once the old one is silent", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    browser.check();
    at.clock.advance(6000);
    browser.check({}, 6000);
    expect(browser.transport.remoteAddress?.port).toBe(5000);
    at.clock.advance(2000);
    browser.check({}, 6000);
    expect(browser.transport.remoteAddress?.port).toBe(6000);
    browser.transport.sendRtp(rtpPacket(1), 17);
    expect(at.socket.sent.at(-1)?.port).toBe(6000);
    browser.peer.close();
  });

  it("remembers at most eight addresses of a browser and never forgets the one in use", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    for (let port = 6000; port < 6020; port++) {
      at.clock.advance(10);
      browser.check({}, port);
    }
    browser.deliver(browser.protect(rtpPacket(1)), 6000);
    expect(at.port.refused).toEqual({ stranger: 1 });
    browser.deliver(browser.protect(rtpPacket(2)), 5000);
    browser.deliver(browser.protect(rtpPacket(3)), 6019);
    expect(browser.received).toHaveLength(2);
    browser.peer.close();
  });

  it("keeps the sound running through an ICE restart", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    const old = browser.transport.local;
    const fresh = browser.transport.restartIce();
    expect(fresh.fingerprint).toEqual(old.fingerprint);
    expect(fresh.iceUfrag).not.toBe(old.iceUfrag);
    browser.transport.setRemote({ iceUfrag: "next", fingerprints: [certificate.fingerprint] });
    browser.deliver(browser.protect(rtpPacket(1)));
    browser.deliver(makeCheck({ ufrag: old.iceUfrag, pwd: old.icePwd, remote: "brow" }));
    browser.check({ remote: "next", useCandidate: true }, 7000);
    browser.deliver(browser.protect(rtpPacket(2)), 7000);
    expect(browser.received).toHaveLength(2);
    expect(browser.connections).toBe(1);
    expect(browser.transport.remoteAddress?.port).toBe(7000);
    browser.deliver(makeCheck({ ufrag: old.iceUfrag, pwd: old.icePwd, remote: "brow" }));
    expect(at.port.refused).toEqual({ stunUnknownUfrag: 1 });
    browser.peer.close();
  });

  it("makes a new DTLS connection when the fingerprint changes and only then", async () => {
    const [, first, second] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, first, 5000);
    await browser.connect();
    const { algorithm, value } = first.fingerprint;
    browser.transport.setRemote({
      iceUfrag: "brow",
      fingerprints: [{ algorithm, value: value.toLowerCase() }],
    });
    expect(browser.transport.connected).toBe(true);
    browser.transport.setRemote({ iceUfrag: "brow", fingerprints: [second.fingerprint] });
    expect(browser.transport.connected).toBe(false);
    expect(browser.transport.sendRtp(rtpPacket(1), 17)).toBe(false);
    browser.peer.close();
    const { DtlsPeer } = await import("../support/dtls-peer.ts");
    const again = new DtlsPeer({
      certificate: second,
      send: (datagram) => setImmediate(() => browser.deliver(datagram)),
    });
    at.socket.onSend = ({ packet }) => setImmediate(() => again.receive(packet));
    again.connect();
    await until(() => browser.connections === 2);
    expect(browser.transport.connected).toBe(true);
    again.close();
  });

  it("fails a browser whose SDP has no usable fingerprint", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    browser.transport.setRemote({ iceUfrag: "brow", fingerprints: [{ algorithm: "sha-1", value: "AB" }] });
    expect(browser.failures).toEqual(["no fingerprint of SHA-256, SHA-384 or SHA-512 in the browser's SDP"]);
  });

  it("tells of a browser that closes its end", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    const header = { type: 21, version: 0xfefd, epoch: 1, sequenceNumber: 90 };
    const alert = browser.peer.client.cipher.cipher.encrypt(1, Buffer.from([1, 0]), header);
    const { writeRecord } = await import("../../../src/media/dtls/records.ts");
    browser.deliver(writeRecord(21, 1, 90, alert));
    expect(browser.failures).toEqual(["closed by peer"]);
    expect(browser.transport.connected).toBe(false);
    expect(browser.transport.sendRtcp(rtcpPacket(), 28)).toBe(false);
    expect(browser.transport.dropped).toEqual({ sendBeforeKeys: 1 });
    browser.peer.close();
  });

  it("takes a new DTLS connection under the old fingerprint once the former one is over", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    const header = { type: 21, version: 0xfefd, epoch: 1, sequenceNumber: 90 };
    const { writeRecord } = await import("../../../src/media/dtls/records.ts");
    const alert = browser.peer.client.cipher.cipher.encrypt(1, Buffer.from([1, 0]), header);
    browser.deliver(writeRecord(21, 1, 90, alert));
    browser.peer.close();
    // The page was loaded anew and its certificate is one the application keeps.
    browser.transport.setRemote({ iceUfrag: "brow", fingerprints: [certificate.fingerprint] });
    const { DtlsPeer } = await import("../support/dtls-peer.ts");
    const again = new DtlsPeer({
      certificate,
      send: (datagram) => setImmediate(() => browser.deliver(datagram)),
    });
    at.socket.onSend = ({ packet }) => setImmediate(() => again.receive(packet));
    again.connect();
    await until(() => browser.connections === 2);
    again.close();
  });

  it("survives a fault of its own in taking a packet, counts it and goes on", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    const { send } = at.socket;
    at.socket.send = () => {
      throw new Error("a bug");
    };
    browser.check();
    at.socket.send = send;
    expect(at.port.refused).toEqual({ internalError: 1 });
    await browser.connect();
    browser.peer.close();
  });

  it("forgets all of a closed transport and calls no handler of it", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    const secure = browser.protect(rtpPacket(1));
    const { local } = browser.transport;
    browser.transport.close();
    browser.transport.close();
    browser.deliver(secure);
    browser.deliver(makeCheck({ ufrag: local.iceUfrag, pwd: local.icePwd }));
    expect(browser.received).toEqual([]);
    expect(at.port.transports).toBe(0);
    expect(at.port.refused).toEqual({ stranger: 1, stunUnknownUfrag: 1 });
    expect(browser.transport.sendRtp(rtpPacket(1), 17)).toBe(false);
    expect(browser.transport.remoteAddress).toBeUndefined();
    browser.transport.setRemote({ iceUfrag: "x", fingerprints: [] });
    browser.transport.restartIce();
    expect(at.clock.pendingTimers).toBe(0);
    browser.peer.close();
  });

  it("limits the transports that have not connected, not those that have", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort({ maxHalfOpen: 2 });
    const browser = new FakeBrowser(at, certificate, 5000);
    await browser.connect();
    const waiting = at.port.open(handlers);
    at.port.open(handlers);
    expect(() => at.port.open(handlers)).toThrow(BrowserPortFullError);
    waiting.close();
    at.port.open(handlers);
    browser.peer.close();
    await at.port.close();
    expect(at.socket.closed).toBe(true);
    expect(at.port.transports).toBe(0);
    expect(() => at.port.open(handlers)).toThrow(BrowserPortFullError);
  });

  it("counts what the system does not take, and a handler that throws, and goes on", async () => {
    const [, certificate] = await testCertificates();
    const at = await makePort();
    const browser = new FakeBrowser(at, certificate, 5000);
    expect(browser.transport.sendRtp(rtpPacket(1), 17)).toBe(false);
    await browser.connect();
    at.socket.full = true;
    expect(browser.transport.sendRtp(rtpPacket(1), 17)).toBe(false);
    browser.check();
    at.socket.full = false;
    expect(browser.transport.sendRtp(Buffer.alloc(4), 4)).toBe(false);
    browser.onRtp = () => {
      throw new Error("a fault of the owner's");
    };
    browser.deliver(browser.protect(rtpPacket(1)));
    browser.onRtp = undefined;
    browser.deliver(browser.protect(rtpPacket(2)));
    expect(browser.received).toHaveLength(1);
    expect(browser.transport.dropped).toEqual({
      sendBeforeKeys: 1,
      sendQueueFull: 1,
      malformed: 1,
      handlerError: 1,
    });
    expect(at.port.refused).toEqual({ sendBeforeKeys: 1, sendQueueFull: 2, malformed: 1, handlerError: 1 });
    browser.peer.close();
  });

  it("reports the fingerprint and what the socket was granted", async () => {
    const { port, ours } = await makePort();
    expect(port.fingerprint).toEqual(ours.fingerprint);
    expect(port.receiveBufferBytes).toBe(8_388_608);
    expect(port.port).toBe(20_100);
  });
});

describe("bindDatagramSocket", () => {
  it("serves checks on a real port, says what buffer it got and frees the port", async () => {
    const [certificate] = await testCertificates();
    const socket = await bindDatagramSocket({ host: "127.0.0.1", port: 0 });
    expect(socket.port).toBeGreaterThan(0);
    expect(socket.receiveBufferBytes).toBeGreaterThan(100_000);
    const port = createBrowserPort({
      socket,
      certificate,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
    });
    const { local } = port.open(handlers);
    const client = createSocket("udp4");
    const answered = new Promise<Buffer>((resolve) => {
      client.once("message", resolve);
    });
    client.send(makeCheck({ ufrag: local.iceUfrag, pwd: local.icePwd }), socket.port, "127.0.0.1");
    const answer = await answered;
    expect(decodeStun(answer, answer.length)?.class).toBe("success");
    client.close();
    await port.close();
    await port.close();
    expect(socket.send(Buffer.alloc(1), 1, 9, "127.0.0.1")).toBe(false);
    const again = await bindDatagramSocket({ host: "127.0.0.1", port: socket.port });
    await again.close();
  });

  it("sends in the same turn, so that the memory may be used again", async () => {
    const socket = await bindDatagramSocket({ host: "127.0.0.1", port: 0 });
    const client = createSocket("udp4");
    await new Promise<void>((resolve) => {
      client.bind(0, "127.0.0.1", resolve);
    });
    const got: number[] = [];
    const all = new Promise<void>((resolve) => {
      client.on("message", (packet) => {
        got.push(packet[0] ?? -1);
        if (got.length === 20) resolve();
      });
    });
    const memory = Buffer.alloc(1);
    for (let i = 0; i < 20; i++) {
      memory[0] = i;
      expect(socket.send(memory, 1, client.address().port, "127.0.0.1")).toBe(true);
    }
    await all;
    expect(got).toEqual(Array.from({ length: 20 }, (_, i) => i));
    client.close();
    await socket.close();
  });

  it("rejects when the port is taken", async () => {
    const socket = await bindDatagramSocket({ host: "127.0.0.1", port: 0 });
    await expect(bindDatagramSocket({ host: "127.0.0.1", port: socket.port })).rejects.toThrow(/EADDRINUSE/);
    await socket.close();
  });

  it("neither throws nor stops when the system refuses to send", async () => {
    const errors: Error[] = [];
    const socket = await bindDatagramSocket({
      host: "127.0.0.1",
      port: 0,
      onError: (error) => errors.push(error),
    });
    const client = createSocket("udp4");
    await new Promise<void>((resolve) => {
      client.bind(0, "127.0.0.1", resolve);
    });
    const got = new Promise<Buffer>((resolve) => {
      client.once("message", resolve);
    });
    socket.send(Buffer.alloc(1), 1, 9, "2001:db8::1"); // no IPv6 from an IPv4 socket
    socket.send(Buffer.alloc(70_000), 70_000, client.address().port, "127.0.0.1"); // too long for UDP
    socket.send(Buffer.from([42]), 1, client.address().port, "127.0.0.1");
    expect(await got).toEqual(Buffer.from([42]));
    expect(errors).toEqual([]);
    client.close();
    await socket.close();
  });
});

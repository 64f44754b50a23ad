import { describe, expect, it } from "vitest";
import { DtlsEndpoint } from "../../../src/media/dtls/index.ts";
import { readRecord, recordsOf, writeRecord } from "../../../src/media/dtls/records.ts";
import { systemRandom } from "../../../src/core/index.ts";
import { makeHandshake, settle, testCertificates, until } from "../support/dtls-peer.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Splits a datagram with one handshake message into `parts` fragments, each its own datagram. */
function fragment(datagram: Buffer, parts: number): Buffer[] {
  const record = readRecord(datagram, 0, datagram.length);
  if (record === undefined || record.contentType !== 22 || record.epoch !== 0) return [datagram];
  const header = record.fragment.subarray(0, 12);
  const body = record.fragment.subarray(12);
  const size = Math.ceil(body.length / parts);
  return Array.from({ length: parts }, (_, i) => {
    const part = body.subarray(i * size, (i + 1) * size);
    const head = Buffer.from(header);
    head.writeUIntBE(i * size, 6, 3);
    head.writeUIntBE(part.length, 9, 3);
    return writeRecord(22, 0, record.sequenceNumber * 10 + i, Buffer.concat([head, part]), record.version);
  });
}

describe("DtlsEndpoint", () => {
  it.each([
    { name: "AES-CM by default", profiles: undefined, chosen: 1, salt: 14 },
    { name: "GCM when asked to", profiles: [7, 1] as const, chosen: 7, salt: 12 },
  ])("connects, with $name, and both ends have the same SRTP keys", async ({ profiles, chosen, salt }) => {
    const shake = await makeHandshake(profiles ? { endpoint: { profiles } } : {});
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    const keys = shake.keys[0];
    const theirs = shake.peer.keys(chosen === 7 ? 7 : 1);
    expect(shake.peer.client.srtp.srtpProfile).toBe(chosen);
    expect(keys?.profile).toBe(chosen);
    expect(keys?.local.key).toEqual(theirs.remoteKey);
    expect(keys?.local.salt).toEqual(theirs.remoteSalt);
    expect(keys?.remote.key).toEqual(theirs.localKey);
    expect(keys?.remote.salt).toEqual(theirs.localSalt);
    expect(keys?.remote.salt.length).toBe(salt);
    expect(shake.endpoint.state).toBe("connected");
    expect(shake.failures).toEqual([]);
    expect(shake.dropped.all).toEqual({});
    expect(shake.clock.pendingTimers).toBe(0);
    shake.peer.close();
  });

  it("leaves no timer of werift's behind, whether connected, failed or closed half-way", async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const [ours, browser] = await testCertificates();
    const recorded: Buffer[] = [];
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        recorded.push(datagram);
        return [datagram];
      },
    });
    shake.peer.connect();
    await until(() => shake.endpoint.state === "connected");
    shake.peer.close();
    const before = timers(); // those of werift's client, which end by themselves
    const endpoint = new DtlsEndpoint({
      certificate: ours,
      clock: new FakeClock(),
      random: { bytes: () => Buffer.alloc(20, 9), fraction: () => 0 },
      remoteFingerprints: [browser.fingerprint],
      send: () => {},
      onKeys: () => {},
      onFailure: () => {},
    });
    // The recorded second hello, given this endpoint's cookie, takes it as far as flight 4.
    const hello = Buffer.from(recorded[1] ?? Buffer.alloc(0));
    const cookieAt = 13 + 12 + 34 + 1 + (hello[13 + 12 + 34] ?? 0);
    expect(hello[cookieAt]).toBe(20);
    hello.fill(9, cookieAt + 1, cookieAt + 21);
    endpoint.receive(hello);
    await until(() => endpoint.state === "waitingFlight5");
    expect(timers()).toBeLessThanOrEqual(before);
    endpoint.close();
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it.each([2, 3, 7])("takes a ClientHello in %i fragments, in order", async (parts) => {
    const shake = await makeHandshake({ toEndpoint: (datagram) => fragment(datagram, parts) });
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    expect(shake.failures).toEqual([]);
    shake.peer.close();
  });

  it.each([2, 5])("takes all messages in %i fragments in reversed order, with doubles", async (parts) => {
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        const all = fragment(datagram, parts).toReversed();
        return [...all.slice(0, 1), ...all];
      },
    });
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    expect(shake.failures).toEqual([]);
    shake.peer.close();
  });

  it("takes flight 5 in reversed order, Finished first", async () => {
    const flight: Buffer[] = [];
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        const type = datagram[13];
        if (datagram[0] === 22 && type === 1) return [datagram];
        flight.push(datagram);
        return flight.length === 5 ? flight.toReversed() : [];
      },
    });
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    expect(shake.failures).toEqual([]);
    shake.peer.close();
  });

  it("takes a whole flight in one datagram and sends its own so", async () => {
    let open: Buffer[] = [];
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        if (datagram[0] === 22 && datagram[13] === 1) return [datagram];
        open.push(datagram);
        if (open.length < 5) return [];
        const all = Buffer.concat(open);
        open = [];
        return [all];
      },
    });
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    // HelloVerifyRequest, flight 4, flight 6
    expect(shake.sent).toHaveLength(3);
    expect(shake.sent.every((datagram) => datagram.length <= 1200)).toBe(true);
    expect(recordsOf(shake.sent[1] ?? Buffer.alloc(0))).toHaveLength(5);
    shake.peer.close();
  });

  it("sends flight 4 again, newly numbered and ever more slowly, until the client answers", async () => {
    let lose = true;
    const shake = await makeHandshake({
      toPeer: (datagram) => (lose && recordsOf(datagram).length === 5 ? [] : [datagram]),
    });
    shake.peer.connect();
    await until(() => shake.endpoint.state === "waitingFlight5");
    const flights = (): Buffer[] => shake.sent.filter((datagram) => recordsOf(datagram).length === 5);
    const first = flights().length;
    shake.clock.advance(399);
    expect(flights()).toHaveLength(first);
    shake.clock.advance(1);
    expect(flights()).toHaveLength(first + 1);
    shake.clock.advance(800);
    expect(flights()).toHaveLength(first + 2);
    const numbers = flights().flatMap((datagram) =>
      recordsOf(datagram).map((record) => record.sequenceNumber),
    );
    expect(new Set(numbers).size).toBe(numbers.length);
    lose = false;
    shake.clock.advance(1600);
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    expect(shake.clock.pendingTimers).toBe(0);
    shake.peer.close();
  });

  it("sends flight 4 again when the second ClientHello comes again, but not for every copy", async () => {
    let hello: Buffer | undefined;
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        if (datagram[13] === 1 && datagram.readUInt16BE(17) === 1) hello = datagram;
        return [datagram];
      },
      toPeer: (datagram) => (recordsOf(datagram).length === 5 ? [] : [datagram]),
    });
    shake.peer.connect();
    await until(() => shake.endpoint.state === "waitingFlight5");
    const count = shake.sent.length;
    for (let i = 0; i < 20; i++) shake.endpoint.receive(hello ?? Buffer.alloc(0));
    expect(shake.sent).toHaveLength(count);
    shake.clock.advance(200);
    for (let i = 0; i < 20; i++) shake.endpoint.receive(hello ?? Buffer.alloc(0));
    expect(shake.sent).toHaveLength(count + 1);
    shake.peer.close();
    shake.endpoint.close();
    expect(shake.clock.pendingTimers).toBe(0);
  });

  it("sends flight 6 again when the client's Finished comes again", async () => {
    let finished: Buffer | undefined;
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        if (datagram.readUInt16BE(3) === 1) finished = datagram;
        return [datagram];
      },
      toPeer: (datagram) => (recordsOf(datagram)[0]?.contentType === 20 ? [] : [datagram]),
    });
    shake.peer.connect();
    await until(() => shake.keys.length > 0);
    expect(shake.peer.connected).toBe(false);
    const count = shake.sent.length;
    shake.endpoint.receive(finished ?? Buffer.alloc(0));
    expect(shake.sent).toHaveLength(count + 1);
    expect(shake.sent.at(-1)).toEqual(shake.sent.at(-2));
    expect(shake.keys).toHaveLength(1);
    shake.peer.close();
  });

  it("goes no further than flight 4 before the fingerprint is known, and on when it is", async () => {
    const [, browser] = await testCertificates();
    const shake = await makeHandshake({ endpoint: { remoteFingerprints: [] } });
    shake.peer.connect();
    await until(() => shake.endpoint.state === "waitingFlight5");
    await settle();
    expect(shake.endpoint.state).toBe("waitingFlight5");
    expect(shake.keys).toEqual([]);
    shake.endpoint.setRemoteFingerprints([browser.fingerprint]);
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    shake.peer.close();
  });

  it("fails after 20 seconds without an end, naming the peer's alert, which alone ends nothing", async () => {
    const shake = await makeHandshake({ toPeer: () => [] });
    shake.peer.connect();
    await until(() => shake.sent.length > 0);
    shake.endpoint.receive(writeRecord(21, 0, 5, Buffer.from([2, 40])));
    expect(shake.endpoint.state).toBe("waitingHello");
    shake.clock.advance(19_999);
    expect(shake.failures).toEqual([]);
    shake.clock.advance(1);
    expect(shake.failures).toEqual(["DTLS handshake timed out in state waitingHello; peer sent alert 40"]);
    expect(shake.clock.pendingTimers).toBe(0);
    shake.peer.close();
  });

  it("refuses a client without a common SRTP profile", async () => {
    const shake = await makeHandshake({ peer: { profiles: [1] }, endpoint: { profiles: [7] } });
    shake.peer.connect();
    await until(() => shake.failures.length > 0);
    expect(shake.failures[0]).toMatch(/^ClientHello refused/);
    shake.peer.close();
  });

  it("refuses a client without use_srtp", async () => {
    const shake = await makeHandshake({ peer: { profiles: [] } });
    shake.peer.connect();
    await until(() => shake.failures.length > 0);
    expect(shake.failures).toEqual(["ClientHello refused: no common SRTP profile"]);
    shake.peer.close();
  });

  it("refuses a client without extended_master_secret", async () => {
    const shake = await makeHandshake({ peer: { extendedMasterSecret: false } });
    shake.peer.connect();
    await until(() => shake.failures.length > 0);
    expect(shake.failures).toEqual(["ClientHello refused: no extended_master_secret offered"]);
    expect(recordsOf(shake.sent.at(-1) ?? Buffer.alloc(0))[0]?.fragment).toEqual(Buffer.from([2, 40]));
    shake.peer.close();
  });

  it("makes no key and keeps no state for a sender whose cookie is wrong, and limits the records it takes", async () => {
    const recorded: Buffer[] = [];
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        recorded.push(datagram);
        return [];
      },
    });
    shake.peer.connect();
    await until(() => recorded.length > 0);
    const hello = recorded[0] ?? Buffer.alloc(0);
    for (let i = 0; i < 150; i++) shake.endpoint.receive(hello);
    expect(shake.sent).toHaveLength(100);
    expect(shake.dropped.all.dtlsRate).toBe(50);
    expect(shake.endpoint.state).toBe("waitingHello");
    shake.clock.advance(1000);
    shake.endpoint.receive(hello);
    expect(shake.sent).toHaveLength(101);
    shake.peer.close();
    shake.endpoint.close();
  });

  it("limits the fragments it takes, many of which fit in one record", async () => {
    const shake = await makeHandshake();
    // Empty fragments of a message of 8 KB, each contradicting the one before it.
    const empty = (type: number): Buffer => Buffer.from([type, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    const fragments = Array.from({ length: 1000 }, (_, index) => empty(index % 2 === 0 ? 1 : 2));
    shake.endpoint.receive(writeRecord(22, 0, 1, Buffer.concat(fragments)));
    expect(shake.dropped.all.dtlsRate).toBe(1);
    expect(shake.dropped.all.dtlsUnexpected).toBeLessThanOrEqual(100);
    shake.endpoint.close();
  });

  it("says goodbye in an encrypted alert and takes the peer's", async () => {
    const shake = await makeHandshake();
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    shake.endpoint.close();
    shake.endpoint.close();
    const alert = recordsOf(shake.sent.at(-1) ?? Buffer.alloc(0))[0];
    expect(alert).toMatchObject({ contentType: 21, epoch: 1 });
    const header = {
      type: 21,
      version: alert?.version ?? 0,
      epoch: 1,
      sequenceNumber: alert?.sequenceNumber ?? 0,
    };
    const plain = shake.peer.client.cipher.cipher.decrypt(1, Buffer.from(alert?.fragment ?? []), header);
    expect(plain).toEqual(Buffer.from([1, 0]));
    const finished = recordsOf(shake.sent.at(-2) ?? Buffer.alloc(0)).at(-1);
    expect(alert?.sequenceNumber).not.toBe(finished?.sequenceNumber);
    expect(shake.endpoint.state).toBe("closed");
    shake.peer.close();

    const other = await makeHandshake();
    other.peer.connect();
    await until(() => other.keys.length > 0 && other.peer.connected);
    const bye = other.peer.client.cipher.cipher.encrypt(1, Buffer.from([1, 0]), {
      type: 21,
      version: 0xfefd,
      epoch: 1,
      sequenceNumber: 77,
    });
    other.endpoint.receive(writeRecord(21, 1, 77, bye));
    expect(other.endpoint.state).toBe("closed");
    expect(other.closedByPeer()).toBe(1);
    other.peer.close();
  });

  it("survives 20,000 mutated datagrams in every state without throwing", async () => {
    const recorded: Buffer[] = [];
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        recorded.push(datagram);
        return [datagram];
      },
    });
    shake.peer.connect();
    await until(() => shake.keys.length > 0);
    shake.peer.close();
    const [ours, browser] = await testCertificates();
    const noise = new CountingRandom("dtls").bytes(4096);
    let connected = 0;
    const clock = new FakeClock();
    for (let round = 0; round < 100; round++) {
      const endpoint = new DtlsEndpoint({
        certificate: ours,
        clock,
        random: systemRandom,
        remoteFingerprints: [browser.fingerprint],
        send: () => {},
        onKeys: () => connected++,
        onFailure: () => {},
      });
      for (let i = 0; i < 200; i++) {
        clock.advance(20);
        const bad = Buffer.from(recorded[i % recorded.length] ?? Buffer.alloc(1));
        for (let k = 0; k <= i % 4; k++)
          bad[(noise[(round * 7 + i + k) % 4096] ?? 0) % Math.min(60, bad.length)] =
            noise[(i * 13 + k) % 4096] ?? 0;
        endpoint.receive(i % 5 === 0 ? bad.subarray(0, i % bad.length) : bad);
      }
      await settle(1);
      endpoint.close();
    }
    expect(connected).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });
});

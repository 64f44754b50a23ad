import { generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { readClientHello } from "../../../src/media/dtls/client-hello.ts";
import { TokenBucket } from "../../../src/core/index.ts";
import { sameFingerprints, usableFingerprints } from "../../../src/media/dtls/index.ts";
import {
  certificateMatches,
  certificateVerifyIsRight,
  clientVerifyData,
  fingerprintOf,
  finishedIsRight,
  firstCertificate,
} from "../../../src/media/dtls/peer-authentication.ts";
import { HandshakeReassembler } from "../../../src/media/dtls/reassembly.ts";
import {
  packRecords,
  readHandshakeFragment,
  readRecord,
  recordsOf,
  writeHandshake,
  writeRecord,
  type HandshakeFragment,
} from "../../../src/media/dtls/records.ts";

const body = Buffer.from("0123456789abcdefghij");

function part(start: number, end: number, sequence = 2, type = 11): HandshakeFragment {
  return { type, sequence, length: body.length, offset: start, body: body.subarray(start, end) };
}

describe("HandshakeReassembler", () => {
  it.each([
    ["in order", [part(0, 7), part(7, 14), part(14, 20)]],
    ["reversed", [part(14, 20), part(7, 14), part(0, 7)]],
    ["overlapping and doubled", [part(5, 15), part(5, 15), part(0, 8), part(12, 20)]],
    ["whole", [part(0, 20)]],
    ["middle last", [part(0, 1), part(19, 20), part(1, 19)]],
  ])("puts fragments together that come %s", (_order, fragments) => {
    const messages = new HandshakeReassembler(2);
    fragments.forEach((fragment, i) => {
      expect(messages.take()).toBeUndefined();
      expect(messages.add(fragment)).toBe(true);
      if (i < fragments.length - 1) expect(messages.take()).toBeUndefined();
    });
    expect(messages.take()).toEqual({ type: 11, sequence: 2, body });
    expect(messages.take()).toBeUndefined();
    expect(messages.next).toBe(3);
  });

  it("hands messages out in order of their numbers", () => {
    const messages = new HandshakeReassembler(2);
    messages.add(part(0, 20, 4, 15));
    messages.add(part(0, 20, 3, 16));
    expect(messages.take()).toBeUndefined();
    messages.add(part(0, 20, 2, 11));
    expect([messages.take(), messages.take(), messages.take()].map((message) => message?.type)).toEqual([
      11, 16, 15,
    ]);
  });

  it("takes an empty message", () => {
    const messages = new HandshakeReassembler(0);
    messages.add({ type: 14, sequence: 0, length: 0, offset: 0, body: Buffer.alloc(0) });
    expect(messages.take()?.body).toHaveLength(0);
  });

  it("refuses the past, what is too far ahead and what is too long", () => {
    const messages = new HandshakeReassembler(2);
    expect(messages.add(part(0, 20, 1))).toBe(false);
    expect(messages.add(part(0, 20, 10))).toBe(false);
    expect(messages.add({ ...part(0, 20), length: 8193 })).toBe(false);
  });

  it("starts anew when fragments contradict each other, the newest counting", () => {
    const messages = new HandshakeReassembler(2);
    messages.add({ ...part(0, 5), length: 100 });
    messages.add(part(0, 10, 2, 16));
    messages.add(part(0, 10));
    messages.add(part(10, 20));
    expect(messages.take()).toEqual({ type: 11, sequence: 2, body });
  });

  it("bounds the stretches of a message that comes in crumbs and recovers by a whole one", () => {
    const messages = new HandshakeReassembler(0);
    const crumbs = Buffer.alloc(4000, 1);
    const crumb = (at: number, size: number): HandshakeFragment => ({
      type: 11,
      sequence: 0,
      length: 4000,
      offset: at,
      body: crumbs.subarray(at, at + size),
    });
    for (let at = 1; at < 4000; at += 2) messages.add(crumb(at, 1));
    expect(messages.take()).toBeUndefined();
    messages.add(crumb(0, 4000));
    expect(messages.take()?.body).toEqual(crumbs);
  });
});

describe("DTLS records", () => {
  it("reads what it writes", () => {
    const record = writeRecord(22, 1, 2 ** 40 + 5, body);
    expect(readRecord(record, 0, record.length)).toEqual({
      contentType: 22,
      version: 0xfefd,
      epoch: 1,
      sequenceNumber: 2 ** 40 + 5,
      fragment: body,
    });
    const message = writeHandshake({ type: 11, sequence: 7, body });
    expect(readHandshakeFragment(message, 0)).toEqual(part(0, 20, 7));
  });

  it.each([
    ["cut", writeRecord(22, 0, 1, body).subarray(0, 30)],
    ["shorter than a header", Buffer.alloc(12, 22)],
    ["of an unknown type", writeRecord(24, 0, 1, body)],
    ["of TLS's version", writeRecord(22, 0, 1, body, 0x0303)],
  ])("refuses a record %s", (_what, record) => {
    expect(readRecord(record, 0, record.length)).toBeUndefined();
  });

  it("refuses a record longer than TLS allows and a fragment that overruns", () => {
    const long = writeRecord(22, 0, 1, Buffer.alloc(2 ** 14 + 2049));
    expect(readRecord(long, 0, long.length)).toBeUndefined();
    const message = writeHandshake({ type: 11, sequence: 7, body });
    expect(readHandshakeFragment(message.subarray(0, 20), 0)).toBeUndefined();
    expect(readHandshakeFragment(message.subarray(0, 11), 0)).toBeUndefined();
    message.writeUIntBE(1, 6, 3);
    expect(readHandshakeFragment(message, 0)).toBeUndefined();
  });

  it("packs records into datagrams without splitting or reordering them", () => {
    const records = [100, 500, 700, 20, 1300].map((size) => writeRecord(22, 0, size, Buffer.alloc(size)));
    const datagrams = packRecords(records, 1200);
    expect(datagrams.map((datagram) => recordsOf(datagram).map((record) => record.sequenceNumber))).toEqual([
      [100, 500],
      [700, 20],
      [1300],
    ]);
    expect(packRecords([], 1200)).toEqual([]);
  });
});

describe("readClientHello", () => {
  const hello = (cookie: Buffer, rest = Buffer.from("rest")): Buffer =>
    Buffer.concat([
      Buffer.from([0xfe, 0xfd]),
      Buffer.alloc(32, 1),
      Buffer.from([2, 9, 9, cookie.length]),
      cookie,
      rest,
    ]);

  it("finds the cookie and leaves it out", () => {
    expect(readClientHello(hello(Buffer.from("abc")))).toEqual({
      cookie: Buffer.from("abc"),
      withoutCookie: hello(Buffer.alloc(0)),
    });
  });

  it("refuses what is cut or not DTLS", () => {
    const whole = hello(Buffer.from("abc"), Buffer.alloc(0));
    for (let length = 0; length < whole.length; length++)
      expect(readClientHello(whole.subarray(0, length))).toBeUndefined();
    whole[0] = 3;
    expect(readClientHello(whole)).toBeUndefined();
  });
});

describe("peer authentication", () => {
  const der = Buffer.from("any bytes");
  const print = fingerprintOf(der);

  it("matches a certificate by a usable fingerprint only", () => {
    expect(certificateMatches(der, [print])).toBe(true);
    expect(certificateMatches(Buffer.from("other bytes"), [print])).toBe(false);
    expect(certificateMatches(der, [])).toBe(false);
    expect(certificateMatches(der, [{ ...print, algorithm: "sha-1" }])).toBe(false);
    expect(certificateMatches(der, [{ ...print, algorithm: "sha-512" }])).toBe(false);
  });

  it.each([
    ["md5", 16],
    ["sha-1", 20],
    ["sha-224", 28],
  ])("refuses fingerprints of %s", (algorithm, bytes) => {
    expect(
      usableFingerprints([{ algorithm, value: Array.from({ length: bytes }, () => "AA").join(":") }]),
    ).toEqual([]);
  });

  it.each([
    ["sha-256", 32],
    ["SHA-384", 48],
    ["sha-512", 64],
  ])("takes fingerprints of %s of the right form", (algorithm, bytes) => {
    const value = Array.from({ length: bytes }, () => "aF").join(":");
    expect(usableFingerprints([{ algorithm, value }])).toHaveLength(1);
    for (const bad of [value.slice(3), `${value}:00`, value.replace("a", "g"), value.replace(":", "-"), ""])
      expect(usableFingerprints([{ algorithm, value: bad }])).toEqual([]);
  });

  it("compares lists of fingerprints whatever their order and case", () => {
    const other = fingerprintOf(Buffer.from("other"));
    const lower = { algorithm: "SHA-256", value: print.value.toLowerCase() };
    expect(sameFingerprints([print, other], [other, lower])).toBe(true);
    expect(sameFingerprints([print], [other])).toBe(false);
    expect(sameFingerprints([print], [print, other])).toBe(false);
  });

  it("finds the first certificate of a list and refuses a malformed one", () => {
    const list = (size: number): Buffer => {
      const out = Buffer.concat([Buffer.alloc(6), der]);
      out.writeUIntBE(out.length - 3, 0, 3);
      out.writeUIntBE(size, 3, 3);
      return out;
    };
    expect(firstCertificate(list(der.length))).toEqual(der);
    expect(firstCertificate(list(0))).toBeUndefined();
    expect(firstCertificate(list(der.length + 1))).toBeUndefined();
    expect(firstCertificate(Buffer.alloc(3))).toBeUndefined();
    expect(firstCertificate(list(der.length).subarray(0, 10))).toBeUndefined();
  });

  it("verifies a signature only with its key, text and named algorithm", () => {
    const ec = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const other = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
    const text = Buffer.from("transcript");
    const message = (algorithm: number, signature: Buffer): Buffer => {
      const head = Buffer.alloc(4);
      head.writeUInt16BE(algorithm, 0);
      head.writeUInt16BE(signature.length, 2);
      return Buffer.concat([head, signature]);
    };
    const good = message(0x0403, sign("sha256", text, ec.privateKey));
    expect(certificateVerifyIsRight(good, ec.publicKey, text)).toBe(true);
    expect(certificateVerifyIsRight(good, other.publicKey, text)).toBe(false);
    expect(certificateVerifyIsRight(good, ec.publicKey, Buffer.from("another"))).toBe(false);
    for (const algorithm of [0x0401, 0x0203, 0x0503])
      expect(certificateVerifyIsRight(message(algorithm, good.subarray(4)), ec.publicKey, text)).toBe(false);
    expect(certificateVerifyIsRight(good.subarray(0, 20), ec.publicKey, text)).toBe(false);
    expect(certificateVerifyIsRight(message(0x0403, Buffer.alloc(0)), ec.publicKey, text)).toBe(false);
    expect(certificateVerifyIsRight(message(0x0403, Buffer.alloc(70, 1)), ec.publicKey, text)).toBe(false);
  });

  it("takes Finished only with its master secret and handshake", () => {
    const secret = Buffer.alloc(48, 1);
    const text = Buffer.from("transcript");
    const right = clientVerifyData(secret, text);
    expect(right).toHaveLength(12);
    expect(finishedIsRight(right, secret, text)).toBe(true);
    expect(finishedIsRight(right, Buffer.alloc(48, 2), text)).toBe(false);
    expect(finishedIsRight(right, secret, Buffer.from("other"))).toBe(false);
    expect(finishedIsRight(right.subarray(0, 11), secret, text)).toBe(false);
    expect(finishedIsRight(Buffer.alloc(0), secret, text)).toBe(false);
  });
});

describe("TokenBucket", () => {
  it("lets a burst through, then as many as time brings", () => {
    const bucket = new TokenBucket(3, 10, 0);
    expect([0, 0, 0, 0].map((now) => bucket.take(now))).toEqual([true, true, true, false]);
    expect(bucket.take(99)).toBe(false);
    expect(bucket.take(100)).toBe(true);
    expect(bucket.take(100)).toBe(false);
    expect([60_000, 60_000, 60_000, 60_000].map((now) => bucket.take(now))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});

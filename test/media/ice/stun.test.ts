import { createSecretKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { addressBytes, xorMappedAddress } from "../../../src/media/ice/address.ts";
import { decodeStun, encodeStun, integrityIsRight, stunAttributes } from "../../../src/media/ice/stun.ts";
import { CountingRandom } from "../../support/counting-random.ts";

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ""), "hex");
const password = createSecretKey(Buffer.from("VOkJxbRl1RmTxUk/WvJxBt"));

/** RFC 5769 2.1. */
const request = hex(`00010058 2112a442 b7e7a701bc34d686fa87dfae
  80220010 5354554e207465737420636c69656e74 00240004 6e0001ff 80290008 932ff9b151263b36
  00060009 6576746a3a68367659202020 00080014 9aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2 80280004 e57a3bcf`);
/** RFC 5769 2.2. */
const response = hex(`0101003c 2112a442 b7e7a701bc34d686fa87dfae
  8022000b 7465737420766563746f7220 00200008 0001a147e112a643
  00080014 2b91f599fd9e90c38c7489f92af9ba53f06be7d7 80280004 c07d4c96`);
const id = request.subarray(8, 20);

describe("decodeStun", () => {
  it("reads the sample request of RFC 5769 2.1", () => {
    const message = decodeStun(request, request.length);
    expect(message).toMatchObject({
      class: "request",
      method: 1,
      username: "evtj:h6vY",
      useCandidate: false,
      controlled: true,
      unknown: [],
    });
    expect(message?.transactionId).toEqual(id);
    expect(message && integrityIsRight(request, message, password)).toBe(true);
  });

  it("tells classes apart", () => {
    const classOf = (type: number) => decodeStun(encodeStun(type, id, [], undefined), 28)?.class;
    expect([0x0001, 0x0011, 0x0101, 0x0111].map(classOf)).toEqual([
      "request",
      "indication",
      "success",
      "error",
    ]);
  });

  it("finds the integrity of the sample response right with its password only", () => {
    const message = decodeStun(response, response.length);
    expect(message?.class).toBe("success");
    expect(message && integrityIsRight(response, message, password)).toBe(true);
    const other = createSecretKey(Buffer.from("VOkJxbRl1RmTxUk/WvJxBu"));
    expect(message && integrityIsRight(response, message, other)).toBe(false);
  });

  it("refuses a message with any bit of it turned, by FINGERPRINT or by its form", () => {
    for (let at = 0; at < request.length; at++) {
      const bad = Buffer.from(request);
      bad[at] = (bad[at] ?? 0) ^ 0x04;
      const message = decodeStun(bad, bad.length);
      // A turned bit in the type of FINGERPRINT leaves a message without one, whose integrity still holds.
      if (at < request.length - 8) expect(message).toBeUndefined();
      else if (message !== undefined) expect(integrityIsRight(bad, message, password)).toBe(true);
    }
  });

  it("takes a message without FINGERPRINT", () => {
    const bare = Buffer.from(request.subarray(0, request.length - 8));
    bare.writeUInt16BE(bare.length - 20, 2);
    const message = decodeStun(bare, bare.length);
    expect(message && integrityIsRight(bare, message, password)).toBe(true);
  });

  it("ignores attributes behind MESSAGE-INTEGRITY, so that none can be slipped in", () => {
    const bare = Buffer.from(request.subarray(0, request.length - 8));
    const useCandidate = hex("00250000");
    const slipped = Buffer.concat([bare, useCandidate]);
    slipped.writeUInt16BE(slipped.length - 20, 2);
    const message = decodeStun(slipped, slipped.length);
    expect(message?.useCandidate).toBe(false);
    expect(message && integrityIsRight(slipped, message, password)).toBe(true);
  });

  it.each([
    ["shorter than a header", request.subarray(0, 19)],
    ["cut", request.subarray(0, request.length - 4)],
    ["with another cookie", Buffer.concat([request.subarray(0, 4), Buffer.alloc(4), request.subarray(8)])],
    ["with bytes behind it", Buffer.concat([request, Buffer.alloc(4)])],
    ["of a first byte that is not STUN's", Buffer.concat([Buffer.from([4]), request.subarray(1)])],
  ])("refuses a message %s", (_what, packet) => {
    expect(decodeStun(packet, packet.length)).toBeUndefined();
  });

  it("refuses attributes that overrun, repeat, are of the wrong size or too many", () => {
    const message = (...attributes: { type: number; value: Buffer }[]): Buffer =>
      encodeStun(0x0001, id, attributes, undefined);
    const fails = (packet: Buffer): void => expect(decodeStun(packet, packet.length)).toBeUndefined();
    const overrun = message({ type: 0x8022, value: Buffer.alloc(4) });
    overrun.writeUInt16BE(400, 22);
    fails(overrun);
    const user = { type: stunAttributes.username, value: Buffer.from("a:b") };
    fails(message(user, user));
    fails(message({ type: stunAttributes.username, value: Buffer.alloc(510) }));
    fails(message({ type: stunAttributes.messageIntegrity, value: Buffer.alloc(19) }));
    fails(message({ type: stunAttributes.iceControlled, value: Buffer.alloc(4) }));
    fails(message(...Array.from({ length: 33 }, () => ({ type: 0x8022, value: Buffer.alloc(0) }))));
    fails(message(...Array.from({ length: 3 }, () => ({ type: 0x8022, value: Buffer.alloc(500) }))));
    expect(decodeStun(message(user), message(user).length)?.username).toBe("a:b");
  });

  it("lists the comprehension-required attributes it does not know", () => {
    const packet = encodeStun(0x0001, id, [{ type: 0x7fff, value: Buffer.alloc(4) }], password);
    expect(decodeStun(packet, packet.length)?.unknown).toEqual([0x7fff]);
  });

  it("never throws on 50,000 mutated messages", () => {
    const noise = new CountingRandom("stun").bytes(4096);
    for (let i = 0; i < 50_000; i++) {
      const bad = Buffer.from(request.subarray(0, request.length - (i % 9)));
      for (let k = 0; k < 3; k++)
        bad[(noise[(i + k) % 4096] ?? 0) % bad.length] = noise[(i * 7 + k) % 4096] ?? 0;
      bad.writeUInt16BE(bad.length - 20, 2);
      bad.writeUInt32BE(0x2112a442, 4);
      expect(() => decodeStun(bad, bad.length)).not.toThrow();
    }
  });
});

describe("encodeStun", () => {
  it("writes the sample response of RFC 5769 2.2", () => {
    const software = { type: 0x8022, value: Buffer.from("test vector") };
    const mapped = {
      type: stunAttributes.xorMappedAddress,
      value: xorMappedAddress("192.0.2.1", 32853, id),
    };
    const written = encodeStun(0x0101, id, [software, mapped], password);
    // The sample pads with a space, we with zero (RFC 8489 14): that byte and what is computed over it differ.
    expect(written.subarray(0, 35)).toEqual(response.subarray(0, 35));
    expect(written.subarray(36, 52)).toEqual(response.subarray(36, 52));
    const message = decodeStun(written, written.length);
    expect(message && integrityIsRight(written, message, password)).toBe(true);
  });
});

describe("xorMappedAddress", () => {
  it("writes the IPv6 address of RFC 5769 2.3", () => {
    expect(xorMappedAddress("2001:db8:1234:5678:11:2233:4455:6677", 32853, id)).toEqual(
      hex("0002a147 0113a9faa5d3f179bc25f4b5bed2b9d9"),
    );
  });

  it.each([
    ["127.0.0.1", "7f000001"],
    ["::ffff:10.1.2.3", "0a010203"],
    ["::1", "00000000000000000000000000000001"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
    ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"],
    ["64:ff9b::1.2.3.4", "0064ff9b000000000000000001020304"],
    ["2001:db8::", "20010db8000000000000000000000000"],
  ])("knows the bytes of %s", (address, bytes) => {
    expect(addressBytes(address)).toEqual(hex(bytes));
  });

  it("refuses what is no address", () => {
    expect(addressBytes("example.com")).toBeUndefined();
    expect(() => xorMappedAddress("example.com", 1, id)).toThrow(RangeError);
  });
});

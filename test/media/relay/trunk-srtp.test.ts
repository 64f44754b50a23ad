import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { TrunkSrtp } from "../../../src/media/contract.ts";
import { TrunkCipher } from "../../../src/media/relay/trunk-srtp.ts";
import { SdesKey } from "../../support/sdes-peer.ts";
import { pcmu, RelayDouble, rtp } from "./relay-double.ts";

const payload = Buffer.alloc(160, 0x33);
const packet = (index: number, ssrc = 1): Buffer => rtp(0, index, index * 160, payload, { ssrc });
const key = (): string => randomBytes(30).toString("base64");
const keys = (suite: TrunkSrtp["suite"] = "AES_CM_128_HMAC_SHA1_80"): TrunkSrtp => ({
  suite,
  sendKey: key(),
  receiveKey: key(),
});
const tagOf = ({ suite }: TrunkSrtp): number => (suite.endsWith("_80") ? 10 : 4);

async function secured(srtp: TrunkSrtp): Promise<RelayDouble> {
  const relay = await RelayDouble.connected(pcmu, pcmu);
  relay.describeTrunk({ srtp });
  return relay;
}

/** What the far end makes of the packets sent to it, from `first` on. */
function opened(relay: RelayDouble, sendKey: string, tagBytes: number, first = 0): (Buffer | undefined)[] {
  const far = new SdesKey(sendKey, tagBytes);
  return relay.trunk.rtp.slice(first).map((sent) => far.open(sent.packet));
}

describe.each(["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"] as const)(
  "SRTP toward SIP Server, %s",
  (suite) => {
    it("carries the sound of both ways under each way's own key", async () => {
      const srtp = keys(suite);
      const relay = await secured(srtp);
      for (let index = 1; index <= 3; index++) relay.fromBrowser(packet(index));
      const plain = opened(relay, srtp.sendKey, tagOf(srtp));
      expect(plain.map((one) => one?.subarray(12))).toEqual([payload, payload, payload]);
      const far = new SdesKey(srtp.receiveKey, tagOf(srtp));
      relay.fromTrunk(far.seal(packet(1)));
      relay.fromTrunk(far.seal(packet(2)));
      expect(relay.sentTo("browser").map((sent) => sent.payload)).toEqual([payload, payload]);
      expect(relay.session.statistics().trunk.dropped).toEqual({});
    });

    it("takes nothing plain, forged, replayed or under our own key, and counts it", async () => {
      const srtp = keys(suite);
      const relay = await secured(srtp);
      const good = new SdesKey(srtp.receiveKey, tagOf(srtp)).seal(packet(1));
      const forged = Buffer.from(good);
      forged.writeUInt8(forged.readUInt8(20) ^ 1, 20);
      relay.fromTrunk(packet(2));
      relay.fromTrunk(forged);
      relay.fromTrunk(new SdesKey(srtp.sendKey, tagOf(srtp)).seal(packet(3)));
      relay.fromTrunk(Buffer.from(good));
      relay.fromTrunk(Buffer.from(good));
      expect(relay.sentTo("browser")).toHaveLength(1);
      expect(relay.session.statistics().trunk.dropped).toEqual({ authentication: 3, replay: 1 });
    });

    it("seals RTCP with the long tag", async () => {
      const srtp = keys(suite);
      const relay = await secured(srtp);
      relay.fromBrowser(packet(1));
      relay.pass(6000);
      expect(relay.trunk.rtcp.length).toBeGreaterThan(0);
      for (const { packet: report } of relay.trunk.rtcp) {
        // In the clear: the header. Behind it the E bit with the index, and ten bytes of tag (RFC 4568 6.2).
        expect(report.readUInt8(1)).toBe(200);
        expect(report.readUInt32BE(report.length - 14) >>> 31).toBe(1);
        expect((report.length - 14) % 4).toBe(0);
      }
    });
  },
);

describe("another description in the call", () => {
  it("with the same keys goes on counting: a packet of before is a replay", async () => {
    const srtp = keys();
    const relay = await secured(srtp);
    const sealed = new SdesKey(srtp.receiveKey, 10).seal(packet(1));
    relay.fromTrunk(Buffer.from(sealed));
    relay.describeTrunk({ srtp: { ...srtp } });
    relay.fromTrunk(Buffer.from(sealed));
    expect(relay.session.statistics().trunk.dropped).toEqual({ replay: 1 });
  });

  it("with new keys is sealed under them at once; what comes under the old one is heard until the new one is used", async () => {
    const [first, second] = [keys(), keys()];
    const relay = await secured(first);
    const [before, behind] = [new SdesKey(first.receiveKey, 10), new SdesKey(second.receiveKey, 10)];
    relay.fromBrowser(packet(1));
    relay.fromTrunk(before.seal(packet(1)));
    relay.describeTrunk({ srtp: second });
    relay.fromBrowser(packet(2));
    expect(opened(relay, second.sendKey, 10, 1)[0]?.subarray(12)).toEqual(payload);
    relay.fromTrunk(before.seal(packet(2)));
    relay.fromTrunk(behind.seal(packet(3)));
    expect(relay.sentTo("browser")).toHaveLength(3);
    relay.fromTrunk(before.seal(packet(4)));
    expect(relay.sentTo("browser")).toHaveLength(3);
    expect(relay.session.statistics().trunk.dropped).toEqual({ authentication: 1 });
  });

  it("with a new key after the sequence numbers wrapped is read by an end that knows nothing of that", () => {
    const [first, second] = [keys(), keys()];
    const cipher = new TrunkCipher(first);
    const seal = (sequence: number): Buffer => {
      const plain = packet(sequence);
      const length = cipher.seal(plain, plain.length, false);
      return Buffer.from(cipher.sealed.subarray(0, length));
    };
    seal(65_535);
    const wrapped = seal(0);
    const far = new SdesKey(first.sendKey, 10);
    expect([far.open(wrapped, 0), far.open(wrapped, 1)?.subarray(12)]).toEqual([undefined, payload]);
    cipher.renew(second);
    expect(new SdesKey(second.sendKey, 10).open(seal(1), 0)?.subarray(12)).toEqual(payload);
  });

  it("without keys is plain again", async () => {
    const relay = await secured(keys());
    relay.describeTrunk();
    relay.fromBrowser(packet(1));
    relay.fromTrunk(packet(1));
    expect(relay.sentTo("trunk").map((sent) => sent.payload)).toEqual([payload]);
    expect(relay.sentTo("browser")).toHaveLength(1);
  });
});

describe("a capture of a call with SRTP toward SIP Server", () => {
  it("sees plain packets, and no key", async () => {
    const srtp = keys();
    const relay = await secured(srtp);
    const seen: string[] = [];
    const tap = {
      rtp: (sent: boolean, bytes: Buffer, length: number) =>
        seen.push(`${sent ? "out" : "in"} ${bytes.subarray(12, length).equals(payload)}`),
      rtcp() {},
    };
    relay.session.setTaps(undefined, tap);
    relay.fromBrowser(packet(1));
    relay.fromTrunk(new SdesKey(srtp.receiveKey, 10).seal(packet(1)));
    expect(seen).toEqual(["out true", "in true"]);
  });
});

import { describe, expect, it, vi } from "vitest";
import {
  createSrtpReceiver,
  createSrtpSender,
  masterSaltBytes,
  srtpProfiles,
  type SrtpProfile,
} from "../../../src/media/srtp/index.ts";
import { rtcpPacket } from "../support/browser.ts";
import { rtp } from "../relay/relay-double.ts";
import { fuzz } from "./harness.ts";
import { mutant } from "./mutate.ts";

vi.setConfig({ testTimeout: 300_000 });

const room = 20;

function keysOf(profile: SrtpProfile): { profile: SrtpProfile; key: Buffer; salt: Buffer } {
  return { profile, key: Buffer.alloc(16, 0x5a), salt: Buffer.alloc(masterSaltBytes(profile), 0xa5) };
}

describe.each(Object.entries(srtpProfiles))(
  "an SRTP receiver (%s) fed with forged packets",
  (name, profile) => {
    it("opens none, remembers none, and opens the next true one, across the sequence's wrap", async () => {
      const sender = createSrtpSender(keysOf(profile));
      const receiver = createSrtpReceiver(keysOf(profile));
      const out = Buffer.alloc(4096);
      let sequence = 65_000;
      const seal = (rtcp: boolean): Buffer => {
        const packet = rtcp
          ? rtcpPacket()
          : rtp(111, ++sequence, sequence * 960, Buffer.alloc(60, sequence & 0xff));
        const sealed = Buffer.alloc(packet.length + room);
        const length = rtcp
          ? sender.protectRtcp(packet, packet.length, sealed)
          : sender.protect(packet, packet.length, sealed);
        return sealed.subarray(0, length);
      };
      const open = (packet: Buffer): number => {
        const rtcp = (packet[1] ?? 0) >= 192 && (packet[1] ?? 0) <= 223;
        return rtcp
          ? receiver.unprotectRtcp(packet, packet.length, out)
          : receiver.unprotect(packet, packet.length, out);
      };
      // Known to the forger: packets not yet delivered, and ones that were.
      const fresh = Array.from({ length: 4 }, () => seal(false));
      const freshReport = seal(true);
      expect(open(seal(false))).toBeGreaterThan(0);
      expect(open(seal(true))).toBeGreaterThan(0);
      const valid = [...fresh, freshReport, seal(true), seal(false)];
      const { stalls } = await fuzz({
        name: `SRTP ${name}`,
        share: 0.05,
        make: (pick) => mutant(pick, valid, 2100),
        feed: (input) => {
          if (valid.some((packet) => packet.equals(input))) return;
          const opened = open(input);
          if (opened >= 0) throw new Error(`opened, ${opened} bytes`);
        },
        everyInputs: 100,
        check: () => {
          expect(receiver.sources).toBe(2);
          expect(open(seal(false))).toBeGreaterThan(0);
          expect(open(seal(true))).toBeGreaterThan(0);
        },
      });
      expect(stalls).toEqual([]);
      // The control: what was forged from is true and would have been opened.
      const late = createSrtpReceiver(keysOf(profile));
      expect(late.unprotect(fresh[0] ?? out, fresh[0]?.length ?? 0, out)).toBeGreaterThan(0);
      expect(open(freshReport)).toBeGreaterThan(0);
    });
  },
);

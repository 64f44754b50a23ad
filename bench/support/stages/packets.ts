import { randomBytes } from "node:crypto";
import {
  createSrtpReceiver,
  createSrtpSender,
  masterKeyBytes,
  masterSaltBytes,
  maxOverheadBytes,
  srtpProfiles,
  type SrtpProfile,
} from "../../../src/media/srtp/index.ts";
import { ReplayWindow } from "../../../src/media/srtp/replay-window.ts";
import { emptyRtpHeader, readRtp, rtpHeaderLength, writeRtpHeader } from "../../../src/media/rtp/packet.ts";
import { perPacket, type Stage, type StageSize } from "./stage.ts";

/** Payloads of 20 ms: G.711, and Opus at 24 kbit/s. */
const payloadBytes = [160, 60] as const;
const profiles = [
  ["AES-CM + HMAC", srtpProfiles.aesCm128HmacSha1Tag80],
  ["AES-GCM", srtpProfiles.aeadAes128Gcm],
] as const;

function numbered(packet: Buffer, index: number): void {
  writeRtpHeader(packet, 0, false, index & 0xffff, (index * 160) >>> 0, 0x1234);
}

function parse({ cheap }: StageSize): Stage {
  const packet = randomBytes(rtpHeaderLength + 160);
  numbered(packet, 1);
  const header = emptyRtpHeader();
  return {
    name: "RTP parse",
    measure: () => perPacket(cheap, () => readRtp(packet, packet.length, header)),
  };
}

function replay({ cheap }: StageSize): Stage {
  const window = new ReplayWindow();
  let next = 0;
  return {
    name: "replay check",
    measure: () =>
      perPacket(cheap, () => {
        if (window.accepts(next)) window.record(next);
        next++;
      }),
  };
}

function srtp(label: string, profile: SrtpProfile, bytes: number, { cheap }: StageSize): Stage[] {
  const keys = { profile, key: randomBytes(masterKeyBytes), salt: randomBytes(masterSaltBytes(profile)) };
  const sender = createSrtpSender(keys);
  const plain = Buffer.concat([Buffer.alloc(rtpHeaderLength), randomBytes(bytes)]);
  const room = plain.length + maxOverheadBytes;
  const out = Buffer.alloc(room);
  const count = Math.ceil(cheap / 10);
  let next = 0;
  const protect: Stage = {
    name: `${label} protect, ${plain.length} B`,
    measure: () =>
      perPacket(count, () => {
        numbered(plain, next++);
        if (sender.protect(plain, plain.length, out) < 0) throw new Error("not protected");
      }),
  };
  // A far end of its own: each packet is opened once, as a second time would be a replay.
  const far = createSrtpSender(keys);
  const receiver = createSrtpReceiver(keys);
  const sealed = Buffer.alloc(count * room);
  const packets = Array.from({ length: count }, (_, index) =>
    sealed.subarray(index * room, (index + 1) * room),
  );
  let farNext = 0;
  let length = 0;
  const unprotect: Stage = {
    name: `${label} unprotect, ${plain.length} B`,
    measure: () => {
      for (const packet of packets) {
        numbered(plain, farNext++);
        length = far.protect(plain, plain.length, packet);
      }
      return perPacket(count, (index) => {
        const packet = packets[index];
        if (!packet || receiver.unprotect(packet, length, packet) < 0) throw new Error("not opened");
      });
    },
  };
  return [protect, unprotect];
}

/** Parse, replay check and SRTP of both profiles. */
export function packetStages(size: StageSize): Stage[] {
  return [
    parse(size),
    replay(size),
    ...profiles.flatMap(([label, profile]) =>
      payloadBytes.flatMap((bytes) => srtp(label, profile, bytes, size)),
    ),
  ];
}

import { createSecretKey } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { hasFec, opusSamples } from "../../../src/media/codec/opus.ts";
import { readClientHello } from "../../../src/media/dtls/client-hello.ts";
import { certificateKey, firstCertificate } from "../../../src/media/dtls/peer-authentication.ts";
import { HandshakeReassembler } from "../../../src/media/dtls/reassembly.ts";
import {
  contentTypes,
  readHandshakeFragment,
  recordsOf,
  writeHandshake,
  writeRecord,
} from "../../../src/media/dtls/records.ts";
import { EventReceiver } from "../../../src/media/dtmf/event-receiver.ts";
import { digitOf, readEvent } from "../../../src/media/dtmf/event.ts";
import { decodeStun, localUfragOf } from "../../../src/media/ice/index.ts";
import { integrityIsRight } from "../../../src/media/ice/stun.ts";
import { readRtcp } from "../../../src/media/rtcp/packet.ts";
import { writeReport } from "../../../src/media/rtcp/write.ts";
import { emptyRtpHeader, readRtp, rtpHeaderBytes } from "../../../src/media/rtp/packet.ts";
import { ReceivedSource } from "../../../src/media/rtp/source.ts";
import { seeded } from "../../support/seeded.ts";
import { testCertificates } from "../support/dtls-peer.ts";
import { makeCheck } from "../support/stun-client.ts";
import { rtp } from "../relay/relay-double.ts";
import { fuzz, processorMs } from "./harness.ts";
import { mutant, randomBytes } from "./mutate.ts";

vi.setConfig({ testTimeout: 300_000 });

function within(value: number, least: number, most: number, what: string): void {
  if (!(value >= least && value <= most)) throw new RangeError(`${what} is ${value}`);
}

describe("parsers fed with what no honest sender sends neither throw nor stall", () => {
  it("STUN messages", async () => {
    const key = createSecretKey(Buffer.from("another password"));
    const valid = [
      makeCheck({ ufrag: "abcdefgh", pwd: "password", useCandidate: true }),
      makeCheck({ ufrag: "abcdefgh" }),
      makeCheck({ ufrag: "abcdefgh", pwd: "p", extra: [{ type: 0x8029, value: Buffer.alloc(8) }] }),
      makeCheck({ ufrag: "abcdefgh", pwd: "p", extra: [{ type: 0x7777, value: Buffer.alloc(5) }] }),
    ];
    let parsed = 0;
    const { stalls } = await fuzz({
      name: "STUN",
      share: 0.2,
      make: (pick) => {
        const bytes = mutant(pick, valid);
        // Half of them with the length right, or all would be refused by it.
        if (bytes.length >= 20 && pick(2) === 0) bytes.writeUInt16BE((bytes.length - 20) & 0xffff, 2);
        // And without FINGERPRINT at times, or its checksum would refuse the rest.
        return pick(2) === 0 ? withoutFingerprint(bytes) : bytes;
      },
      feed: (input) => {
        const message = decodeStun(input, input.length);
        if (!message) return;
        parsed++;
        if (endOfAttributes(input) !== input.length) throw new Error("attributes do not fill the message");
        localUfragOf(message);
        within(message.transactionId.length, 12, 12, "transaction id");
        within(message.unknown.length, 0, 32, "unknown attributes");
        if (message.integrityOffset === undefined) return;
        within(message.integrityOffset, 20, input.length - 24, "integrity offset");
        if (integrityIsRight(input, message, key)) throw new Error("a stranger's message is authentic");
      },
    });
    expect(stalls).toEqual([]);
    expect(parsed).toBeGreaterThan(100);
  });

  it("RTP headers and sequences", async () => {
    const header = emptyRtpHeader();
    const source = new ReceivedSource();
    const extended = Buffer.from("90e0123400000001000000020bede00021100000deadbeef", "hex");
    const valid = [rtp(0, 1, 160, Buffer.alloc(160, 0x55)), rtp(111, 2, 960, Buffer.alloc(40, 7)), extended];
    let parsed = 0;
    const { stalls } = await fuzz({
      name: "RTP",
      share: 0.24,
      make: (pick) => mutant(pick, valid, 1600),
      feed: (input, index) => {
        const length = index % 7 === 0 ? Math.max(0, input.length - 1) : input.length;
        rtpHeaderBytes(input, length);
        if (!readRtp(input, length, header)) return;
        parsed++;
        within(header.payloadOffset, 12, length, "payload offset");
        within(header.payloadLength, 0, length - header.payloadOffset, "payload length");
        const lost = source.receive(header.ssrc, header.sequence, index);
        within(lost, -5, 3000, "loss");
        source.measureJitter(header.timestamp, index, 8000);
        within(source.jitter, 0, 2 ** 31, "jitter");
        within(source.packetsLost, 0, 2 ** 40, "packets lost");
      },
      check: () => {
        const { fractionLost, cumulativeLost } = source.report();
        within(fractionLost, 0, 255, "fraction lost");
        within(cumulativeLost, -0x800000, 0x7fffff, "cumulative lost");
      },
    });
    expect(stalls).toEqual([]);
    expect(parsed).toBeGreaterThan(100);
  });

  it("RTCP compounds", async () => {
    const report = Buffer.alloc(400);
    const reception = { ssrc: 1, fractionLost: 3, cumulativeLost: 4, extendedHighestSequence: 9, jitter: 8 };
    const length = writeReport(report, {
      ssrc: 5,
      cname: "someone",
      sender: { ntp: { seconds: 1, fraction: 2 }, rtpTimestamp: 3, packets: 4, octets: 5 },
      reception: { ...reception, lastReport: 6, delaySinceLastReport: 7 },
      voipMetrics: {
        lossPercent: 1,
        discardPercent: 0,
        burstLossPercent: 40,
        gapLossPercent: 0.5,
        burstMs: 100,
        gapMs: 5000,
        roundTripMs: 30,
        endSystemMs: 40,
        rFactor: 88,
        mosLq: 4.2,
        mosCq: 4.1,
        gmin: 16,
      },
      bye: true,
    });
    const feedback = Buffer.from("81cd000300000001000000020001000081ce00020000000100000002", "hex");
    const valid = [Buffer.from(report.subarray(0, length)), feedback, Buffer.from("80c9000100000009", "hex")];
    let told = 0;
    let blocks = 0;
    let metricBlocks = 0;
    let metricsRead = 0;
    const count = (): void => void told++;
    const { stalls } = await fuzz({
      name: "RTCP",
      share: 0.16,
      make: (pick) => mutant(pick, valid, 1600),
      feed: (input) => {
        told = 0;
        blocks = 0;
        metricBlocks = 0;
        readRtcp(input, input.length, {
          onSenderReport: count,
          onBye: count,
          onFeedback: count,
          onMalformed: count,
          onVoipMetrics: (_ssrc, _reporter, metrics) => {
            metricBlocks++;
            within(metrics.lossPercent, 0, 100, "loss");
            within(metrics.mosLq ?? 1, 1, 5, "MOS");
            within(metrics.rFactor ?? 0, 0, 100, "R");
          },
          onReportBlock: (block) => {
            blocks++;
            within(block.fractionLost, 0, 255, "fraction lost");
            within(block.cumulativeLost, -0x800000, 0x7fffff, "cumulative lost");
          },
        });
        within(told, 0, 32 * 31, "things told by one packet");
        within(blocks, 0, input.length / 24, "report blocks of one packet");
        within(metricBlocks, 0, input.length / 36, "blocks of VoIP metrics of one packet");
        metricsRead += metricBlocks;
      },
    });
    expect(stalls).toEqual([]);
    expect(metricsRead).toBeGreaterThan(100);
  });

  it("telephone-events", async () => {
    const events = new EventReceiver();
    const event = { code: 0, end: false, volume: 0, duration: 0 };
    const { stalls } = await fuzz({
      name: "events",
      share: 0.1,
      make: (pick) => randomBytes(pick, pick(8) === 0 ? pick(12) : 4),
      feed: (input, index) => {
        if (!readEvent(input, 0, input.length, event)) return;
        within(event.duration, 0, 0xffff, "duration");
        digitOf(event.code);
        events.receive(index & 1, (index >>> 3) * 0xffff, event);
        within(events.duration, 0, 2 ** 32, "duration of the press");
      },
    });
    expect(stalls).toEqual([]);
  });

  it("Opus packets' first bytes", async () => {
    const { stalls } = await fuzz({
      name: "Opus TOC",
      share: 0.04,
      make: (pick) => randomBytes(pick, pick(6)),
      feed: (input) => {
        within(opusSamples(input, 0, input.length), 0, 960, "samples");
        hasFec(input, 0, input.length);
      },
    });
    expect(stalls).toEqual([]);
  });

  it("DTLS records, handshake fragments and their reassembly", async () => {
    const [ours] = await testCertificates();
    const hello = helloBody();
    const certificate = certificateBody(ours.certPem);
    const message = writeHandshake({ type: 11, sequence: 1, body: certificate });
    const part = Buffer.concat([
      message.subarray(0, 6),
      Buffer.from([0, 0, 0, 0, 0, 100]),
      message.subarray(12, 112),
    ]);
    const valid = [
      writeRecord(contentTypes.handshake, 0, 0, writeHandshake({ type: 1, sequence: 0, body: hello })),
      writeRecord(contentTypes.handshake, 0, 1, message),
      writeRecord(contentTypes.handshake, 0, 2, part),
      Buffer.concat([writeRecord(20, 0, 3, Buffer.from([1])), writeRecord(22, 1, 0, Buffer.alloc(40, 9))]),
      writeRecord(contentTypes.alert, 0, 4, Buffer.from([2, 40])),
    ];
    let reassembler = new HandshakeReassembler(0);
    let whole = 0;
    const { stalls } = await fuzz({
      name: "DTLS",
      share: 0.1,
      make: (pick) => mutant(pick, valid, 4000),
      feed: (input, index) => {
        if (index % 200 === 0) reassembler = new HandshakeReassembler(0);
        for (const record of recordsOf(input)) {
          for (let at = 0; ;) {
            const fragment = readHandshakeFragment(record.fragment, at);
            if (!fragment) break;
            within(fragment.offset + fragment.body.length, 0, fragment.length, "end of a fragment");
            reassembler.add(fragment);
            at += 12 + fragment.body.length;
          }
          const taken = reassembler.takeAny(0) ?? reassembler.take();
          if (!taken) continue;
          whole++;
          within(taken.body.length, 0, 8192, "message");
          readClientHello(taken.body);
        }
      },
    });
    expect(stalls).toEqual([]);
    expect(whole).toBeGreaterThan(20);
  });

  it("ClientHellos and certificates", async () => {
    const [ours] = await testCertificates();
    const bodies = [helloBody(), certificateBody(ours.certPem)];
    const { stalls } = await fuzz({
      name: "DTLS bodies",
      share: 0.02,
      make: (pick) => mutant(pick, bodies),
      feed: (input) => {
        const hello = readClientHello(input);
        if (hello) within(hello.cookie.length, 0, 255, "cookie");
        const der = firstCertificate(input);
        if (der) certificateKey(der);
      },
    });
    expect(stalls).toEqual([]);
  });
});

describe("the fuzz itself", () => {
  it("makes the same inputs from the same seed, most of them unlike the valid ones", () => {
    const valid = [Buffer.alloc(40, 1)];
    const made = Array.from({ length: 200 }, (_, index) => mutant(seeded(index), valid).toString("hex"));
    expect(made).toEqual(
      Array.from({ length: 200 }, (_, index) => mutant(seeded(index), valid).toString("hex")),
    );
    expect(new Set(made).size).toBeGreaterThan(150);
  });

  it("tells of a throw, with the input and the seed", async () => {
    const feed = (): void => {
      throw new Error("no");
    };
    await expect(fuzz({ name: "x", share: 0, make: () => Buffer.from([1, 2]), feed })).rejects.toThrow(
      /seed .* 0102|0102/,
    );
  });

  it("tells of an input that stalls each time, and not of one that stalls once", async () => {
    let fed = 0;
    // By the processor's time, as stalls are judged: on a busy machine the clock runs on while nothing spins.
    const spin = (ms: number): void => {
      for (const end = processorMs() + ms; processorMs() < end;);
    };
    const make = (_pick: unknown, index: number): Buffer => Buffer.from([index >>> 8, index]);
    const always = await fuzz({ name: "y", share: 0, make, feed: (_, index) => index === 3 && spin(12) });
    expect(always.stalls).toHaveLength(1);
    const once = await fuzz({
      name: "z",
      share: 0,
      make,
      feed: (_, index) => index === 3 && fed++ === 0 && spin(12),
    });
    expect(once.stalls).toEqual([]);
  });
});

/** Where the last attribute ends, read apart from the parser under test; NaN when one's header is cut. */
function endOfAttributes(message: Buffer): number {
  let at = 20;
  while (at < message.length) {
    if (at + 4 > message.length) return Number.NaN;
    at += 4 + Math.ceil(message.readUInt16BE(at + 2) / 4) * 4;
  }
  return at;
}

function withoutFingerprint(bytes: Buffer): Buffer {
  if (bytes.length < 28) return bytes;
  const cut = bytes.subarray(0, bytes.length - 8);
  cut.writeUInt16BE(cut.length - 20, 2);
  return cut;
}

function helloBody(): Buffer {
  const random = Buffer.alloc(32, 3);
  const cookie = Buffer.alloc(20, 4);
  return Buffer.concat([
    Buffer.from([0xfe, 0xfd]),
    random,
    Buffer.from([0, cookie.length]),
    cookie,
    Buffer.from("0002c02b0100001c000a00040002001d000b00020100000e0007000400010007000017000000", "hex"),
  ]);
}

function certificateBody(pem: string): Buffer {
  const der = Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ""), "base64");
  const header = Buffer.alloc(6);
  header.writeUIntBE(der.length + 3, 0, 3);
  header.writeUIntBE(der.length, 3, 3);
  return Buffer.concat([header, der]);
}

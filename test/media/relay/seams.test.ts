import { beforeAll, describe, expect, it } from "vitest";
import { OpusSink } from "../../../src/media/codec/opus-sink.ts";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { Payload } from "../../../src/media/contract.ts";
import { toCodes, voice } from "../../support/sound.ts";
import { JitterBuffer, type Stage } from "../../../src/media/relay/jitter-buffer.ts";
import { opus, pcma, pcmu, RelayDouble, rtp } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

const codes = toCodes(voice(3), "pcmu");
const frameOf = (index: number): Buffer => codes.subarray((index % 150) * 160, (index % 150) * 160 + 160);

/** Sends packets of 20 ms from the browser, one a tick. */
function speak(relay: RelayDouble, first: number, count: number): void {
  for (let index = first; index < first + count; index++) {
    relay.fromBrowser(rtp(0, index, index * 160, frameOf(index)));
    relay.pass(20);
  }
}

describe("what is collected of a packet", () => {
  it("goes out under the number of the codec that it is coded in when the codec changes", async () => {
    const relay = await RelayDouble.connected(pcmu, { ...pcmu, packetMs: 60 });
    speak(relay, 0, 4);
    relay.describeTrunk({ payload: pcma });
    await relay.settle();
    speak(relay, 4, 2);
    const sent = relay.sentTo("trunk");
    expect(sent.map(({ header, payload }) => [header.payloadType, payload.length])).toEqual([
      [0, 480],
      [0, 160],
      [8, 160],
      [8, 160],
    ]);
    expect(sent[1]?.payload).toEqual(frameOf(3));
  });

  it("before a hold is not heard after it", async () => {
    const relay = await RelayDouble.connected(pcmu, { ...pcmu, packetMs: 60 });
    speak(relay, 0, 4);
    relay.session.setDirection("trunk", "inactive");
    relay.pass(5000);
    relay.session.setDirection("trunk", "sendrecv");
    speak(relay, 254, 3);
    const sent = relay.sentTo("trunk");
    expect(sent.map(({ payload }) => payload.length)).toEqual([480, 480]);
    expect(sent[1]?.payload).toEqual(Buffer.concat([254, 255, 256].map(frameOf)));
  });
});

describe("Opus that passes as it is", () => {
  const trunk: Payload = { ...opus, payloadType: 120 };

  it("keeps its own comfort noise: no silence of ours between the packets of a source in DTX", async () => {
    const relay = await RelayDouble.connected(opus, trunk);
    relay.fromBrowser(rtp(111, 1, 0, Buffer.from([0x48, 1, 2, 3, 4])));
    for (let sign = 0; sign < 5; sign++) {
      relay.pass(400);
      relay.fromBrowser(rtp(111, 2 + sign, (sign + 1) * 19_200, Buffer.from([0x48])));
    }
    relay.pass(400);
    // Whoever says nothing for 200 ms without saying so first is filled up for.
    expect(
      relay
        .sentTo("trunk")
        .slice(-5)
        .map(({ payload }) => payload.length),
    ).toEqual([1, 1, 1, 1, 1]);
  });

  it("is filled up for once not even a sign of life comes, and after a hold", async () => {
    const relay = await RelayDouble.connected(opus, trunk);
    relay.fromBrowser(rtp(111, 1, 0, Buffer.from([0x48])));
    relay.pass(1900);
    expect(relay.sentTo("trunk").length).toBe(1);
    relay.pass(1000);
    expect(relay.sentTo("trunk").length).toBeGreaterThan(30);
    relay.fromBrowser(rtp(111, 2, 3000 * 48, Buffer.from([0x48])));
    relay.session.setDirection("browser", "sendonly");
    const before = relay.sentTo("trunk").length;
    relay.pass(1000);
    expect(relay.sentTo("trunk").length).toBeGreaterThan(before + 30);
  });
});

describe("an encoder that turns to FEC", () => {
  it("has the complexity told while it was being made", async () => {
    const sound = voice(0.5, 3);
    const encode = async (
      tell: (sink: OpusSink, done: Promise<void>) => Promise<void>,
    ): Promise<string[]> => {
      const sink = await OpusSink.create();
      sink.setComplexity(5);
      await tell(sink, sink.setLoss(10));
      const packets = Array.from({ length: 25 }, (_, frame) =>
        Buffer.from(sink.encode(sound.slice(frame * 160, frame * 160 + 160))).toString("hex"),
      );
      sink.free();
      return packets;
    };
    const during = await encode(async (sink, done) => {
      sink.setComplexity(0);
      await done;
    });
    const after = await encode(async (sink, done) => {
      await done;
      sink.setComplexity(0);
    });
    const never = await encode((_, done) => done);
    expect(during).toEqual(after);
    expect(during).not.toEqual(never);
  });
});

describe("a jitter buffer that throws away what a stalled network brings too late", () => {
  it("tells how many were lost before it", () => {
    const lost: number[] = [];
    const late: number[] = [];
    const stage: Stage = {
      position: 0,
      lastSamples: 160,
      makesUp: false,
      silent: false,
      makeUp: () => {},
      setDelay: () => {},
    };
    const buffer = new JitterBuffer(
      stage,
      (_packet, _length, missing) => void lost.push(missing),
      (missing) => void late.push(missing),
    );
    buffer.start(0);
    const take = (sequence: number, now: number): void => {
      const packet = rtp(0, sequence, sequence * 160, frameOf(sequence));
      buffer.take(packet, packet.length, sequence, now, true);
    };
    for (let sequence = 0; sequence < 20; sequence++) {
      take(sequence, sequence * 20);
      buffer.tick(sequence * 20 + 10, true);
    }
    for (let now = 400; now < 800; now += 20) buffer.tick(now + 10, true);
    expect(late).toEqual([]);
    // 20 to 22 are lost, 23 and 24 come 300 ms late, 40 in time.
    for (const sequence of [23, 24, 40]) take(sequence, 800);
    buffer.tick(810, true);
    for (let now = 820; now < 1000; now += 20) buffer.tick(now + 10, true);
    expect(late).toEqual([3, 0]);
    expect(lost.at(-1)).toBe(15);
  });
});

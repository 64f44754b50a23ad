import { createEncoder } from "libopus-wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { JitterDelay } from "../../../src/media/relay/jitter-delay.ts";
import { fromCodes, segmentalSnr, toCodes, voice } from "../../support/sound.ts";
import { encodeDtx, talkAndPauses } from "./dtx.ts";
import { opus, pcmu, RelayDouble, rtp } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

const speech = toCodes(voice(20), "pcmu");
const frame = (index: number): Buffer => speech.subarray((index % 1000) * 160, (index % 1000) * 160 + 160);

function random(seed = 17): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Heard {
  readonly relay: RelayDouble;
  /** Packets toward SIP Server in each tick. */
  readonly pace: readonly number[];
  readonly frames: readonly Buffer[];
  readonly steps: readonly number[];
  readonly sequenceSteps: readonly number[];
}

interface Path {
  readonly count: number;
  /** ms that packet `index` is under way. */
  readonly delay?: (index: number) => number;
  readonly lost?: (index: number) => boolean;
  readonly sent?: (index: number) => boolean;
  readonly jitterBuffer?: boolean;
  readonly ppm?: number;
  readonly packets?: readonly Uint8Array[];
}

/** Relays packets through a path to a relay with a jitter buffer; what goes out is looked at tick by tick. */
async function heard({
  count,
  delay = () => 10,
  lost = () => false,
  sent = () => true,
  jitterBuffer = true,
  ppm = 0,
  packets,
}: Path): Promise<Heard> {
  const relay = await RelayDouble.connected(packets ? opus : pcmu, pcmu, { jitterBuffer });
  let sequence = 65_400;
  const arrivals = Array.from({ length: count }, (_, index) => index)
    .filter(sent)
    .map((index) => ({ index, sequence: sequence++, at: 13 + (index * 20) / (1 + ppm / 1e6) + delay(index) }))
    .filter(({ index }) => !lost(index));
  arrivals.sort((one, other) => one.at - other.at);
  const pace: number[] = [];
  let next = 0;
  for (let tick = 1; tick <= count + 6; tick++) {
    const before = relay.trunk.rtp.length;
    for (; (arrivals[next]?.at ?? Infinity) < tick * 20; next++) {
      const { index, at, sequence: number } = arrivals[next] ?? { index: 0, at: 0, sequence: 0 };
      if (at > relay.clock.now()) relay.pass(at - relay.clock.now());
      relay.fromBrowser(
        packets
          ? rtp(111, number, index * 960, packets[index] ?? Buffer.alloc(0))
          : rtp(0, number, index * 160, frame(index)),
      );
    }
    relay.pass(tick * 20 - relay.clock.now());
    pace.push(relay.trunk.rtp.length - before);
  }
  const out = relay.sentTo("trunk");
  const differences = (of: (index: number) => number): number[] =>
    out.slice(1).map((_, index) => (of(index + 1) - of(index)) | 0);
  return {
    relay,
    pace,
    frames: out.map(({ payload }) => payload),
    steps: differences((index) => (out[index]?.header.timestamp ?? 0) | 0),
    sequenceSteps: differences((index) => out[index]?.header.sequence ?? 0).map((step) => step & 0xffff),
  };
}

const ones = (count: number): number[] => Array<number>(count).fill(1);

describe("the adaptive jitter buffer toward SIP Server", () => {
  it("sends a frame every tick whatever the jitter, in order and whole, once it has grown to it", async () => {
    const next = random();
    const jitter = Array.from({ length: 1000 }, () => 10 + 55 * next());
    const { relay, pace, frames, steps, sequenceSteps } = await heard({
      count: 1000,
      delay: (index) => jitter[index] ?? 0,
    });
    expect(pace.slice(100, 990)).toEqual(ones(890));
    expect(new Set(steps)).toEqual(new Set([160]));
    expect(new Set(sequenceSteps)).toEqual(new Set([1]));
    const last = frames
      .slice(-600, -30)
      .map((sent) => [...Array(1000).keys()].findIndex((index) => frame(index).equals(sent)));
    expect(last.slice(1).every((index, at) => index === (last[at] ?? 0) + 1)).toBe(true);
    const { jitterBufferMs, dropped, framesConcealed } = relay.session.statistics().browser;
    expect(jitterBufferMs).toBeGreaterThanOrEqual(40);
    expect(jitterBufferMs).toBeLessThanOrEqual(80);
    expect(dropped).toEqual({});
    expect(framesConcealed).toBeLessThan(5);
    // Control: without it the pace is the network's.
    const plain = await heard({ count: 1000, delay: (index) => jitter[index] ?? 0, jitterBuffer: false });
    expect(plain.pace.slice(100, 990).filter((count) => count !== 1).length).toBeGreaterThan(300);
  });

  it("keeps packets no longer than 40 ms where there is no jitter", async () => {
    const { pace, relay } = await heard({ count: 100 });
    expect(pace.findIndex((count) => count > 0)).toBeLessThanOrEqual(2);
    expect(pace.slice(2, 100)).toEqual(ones(98));
    expect(relay.session.statistics().browser.jitterBufferMs).toBeLessThanOrEqual(40);
    expect(relay.session.statistics().trunk.jitterBufferMs).toBeUndefined();
  });

  it("makes up what is lost when its time has come, and puts in order what is not", async () => {
    const swapped = (index: number): number => (index % 7 === 3 ? 38 : 10);
    const { relay, pace, steps, frames } = await heard({
      count: 400,
      delay: swapped,
      lost: (index) => index > 50 && index % 20 === 10,
    });
    expect(pace.slice(60, 395)).toEqual(ones(335));
    expect(new Set(steps)).toEqual(new Set([160]));
    const { framesConcealed, packetsLost, packetsReordered, dropped } = relay.session.statistics().browser;
    expect(packetsLost).toBe(17);
    expect(framesConcealed).toBeGreaterThanOrEqual(17);
    expect(framesConcealed).toBeLessThan(22);
    expect(packetsReordered).toBeGreaterThan(40);
    expect(dropped).toEqual({});
    expect(frames.at(-20)?.equals(frame(399)) ?? false).toBe(false);
  });

  it("recovers Opus from the packet after the lost one without sending two frames at once", async () => {
    const sound = voice(8);
    const encoder = await createEncoder({
      sampleRate: 8000,
      channels: 1,
      application: 2048,
      bitrate: 32_000,
      fec: true,
      packetLossPercent: 25,
    });
    const packets = Array.from({ length: 400 }, (_, index) =>
      Uint8Array.from(encoder.encode(sound.subarray(index * 160, index * 160 + 160))),
    );
    encoder.free();
    const next = random(5);
    const jitter = Array.from({ length: 400 }, () => 10 + 30 * next());
    const { relay, pace, steps, frames } = await heard({
      count: 400,
      packets,
      delay: (index) => jitter[index] ?? 0,
      lost: (index) => index % 10 === 9,
    });
    expect(pace.slice(60, 395)).toEqual(ones(335));
    expect(new Set(steps)).toEqual(new Set([160]));
    const { framesRecovered, packetsLost } = relay.session.statistics().browser;
    expect(packetsLost).toBe(39);
    // The others' next packet was itself not there when their time came.
    expect(framesRecovered).toBeGreaterThan(20);
    expect(
      segmentalSnr(sound.subarray(16_000), fromCodes(Buffer.concat(frames.slice(100)), "pcmu")),
    ).toBeGreaterThan(4);
  });

  it("grows at once with a path that gets worse, and shrinks in pauses once it is good again", async () => {
    const next = random(9);
    const noise = Array.from({ length: 4000 }, () => next());
    const { relay, pace, sequenceSteps, steps } = await heard({
      count: 4000,
      delay: (index) => 10 + (index > 500 && index < 1500 ? 90 : 2) * (noise[index] ?? 0),
      // Two seconds of talk, one of nothing.
      sent: (index) => index % 150 < 100,
    });
    expect(new Set(sequenceSteps)).toEqual(new Set([1]));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(Math.max(...pace)).toBeLessThanOrEqual(2);
    expect(relay.session.statistics().browser.jitterBufferMs).toBeLessThanOrEqual(45);
    expect(relay.session.statistics().browser.dropped["late"] ?? 0).toBeLessThan(10);
  });

  it.each([200, -200])(
    "follows a clock that is wrong by %i ppm for ten minutes at an even pace",
    async (ppm) => {
      const { relay, pace, steps, sequenceSteps } = await heard({ count: 30_000, ppm });
      expect(new Set(steps)).toEqual(new Set([160]));
      expect(new Set(sequenceSteps)).toEqual(new Set([1]));
      expect(pace.slice(10, 29_950).filter((count) => count !== 1).length).toBeLessThan(15);
      expect(Math.max(...pace)).toBeLessThanOrEqual(2);
      expect(relay.session.statistics().browser.jitterBufferMs).toBeLessThanOrEqual(80);
      expect(relay.session.statistics().browser.dropped).toEqual({});
    },
  );

  it("goes on after a stall of the network, whether the path is longer for good or not", async () => {
    for (const after of [10, 400]) {
      const { pace, relay, sequenceSteps, steps } = await heard({
        count: 600,
        delay: (index) =>
          index < 300 ? 10 : index < 320 ? 410 - (after === 10 ? (index - 300) * 20 : 0) : after,
      });
      expect(Math.max(...pace)).toBeLessThanOrEqual(3);
      expect(pace.slice(360, 590)).toEqual(ones(230));
      expect(new Set(sequenceSteps)).toEqual(new Set([1]));
      expect(Math.min(...steps)).toBeGreaterThan(0);
      expect(relay.session.statistics().browser.dropped["late"] ?? 0).toBeLessThan(25);
    }
  });

  it("makes nothing up while the worker itself was kept from reading what has come", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { jitterBuffer: true });
    for (let index = 0; index < 50; index++) {
      relay.fromBrowser(rtp(0, index, index * 160, frame(index)));
      relay.pass(20);
    }
    relay.stall(120);
    for (let tick = 0; tick < 6; tick++) relay.session.tick(relay.clock.now(), false);
    for (let index = 50; index < 100; index++) {
      relay.fromBrowser(rtp(0, index, index * 160, frame(index)));
      if (index >= 56) relay.pass(20);
    }
    expect(relay.session.statistics().browser).toMatchObject({ framesConcealed: 0, dropped: {} });
    const places = relay.sentTo("trunk").map(({ payload }) => speech.indexOf(payload) / 160);
    expect(places).toEqual(Array.from(places, (_, index) => index));
  });

  it("passes key presses in their order, and the voice after them", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { jitterBuffer: true });
    let sequence = 0;
    const talk = (from: number, count: number): void => {
      for (let index = from; index < from + count; index++) {
        relay.fromBrowser(rtp(0, sequence++, index * 160, frame(index)));
        relay.pass(20);
      }
    };
    talk(0, 50);
    for (let packet = 1; packet <= 8; packet++) {
      const end = packet > 5;
      relay.fromBrowser(
        rtp(101, sequence++, 50 * 160, Buffer.from([5, end ? 0x8a : 0x0a, 0, Math.min(packet, 5) * 50])),
      );
      relay.pass(20);
    }
    talk(58, 50);
    relay.pass(100);
    expect(relay.told.filter((line) => line.startsWith("dtmf"))).toEqual(["dtmf browser 5"]);
    const sent = relay.sentTo("trunk");
    expect(sent.filter(({ header }) => header.payloadType === 101).length).toBeGreaterThanOrEqual(5);
    expect(sent.some(({ payload }) => payload.equals(frame(107)))).toBe(true);
    sent
      .slice(1)
      .forEach(({ header }, index) =>
        expect((header.sequence - (sent[index]?.header.sequence ?? 0)) & 0xffff).toBe(1),
      );
    expect(relay.session.statistics().browser.dropped).toEqual({});
  });

  it("starts anew with another source and after hold, sending nothing old", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { jitterBuffer: true });
    const talk = (from: number, count: number, ssrc: number, offset: number): void => {
      for (let index = from; index < from + count; index++) {
        relay.fromBrowser(rtp(0, index + offset, index * 160 + offset, frame(index), { ssrc }));
        relay.pass(20);
      }
    };
    talk(0, 20, 1, 0);
    talk(20, 20, 2, 40_000);
    relay.session.setDirection("browser", "inactive");
    relay.pass(300);
    relay.session.setDirection("browser", "sendrecv");
    talk(40, 20, 2, 40_000);
    relay.pass(100);
    const sent = relay.sentTo("trunk");
    sent.slice(1).forEach(({ header }, index) => {
      expect((header.sequence - (sent[index]?.header.sequence ?? 0)) & 0xffff).toBe(1);
      expect((header.timestamp - (sent[index]?.header.timestamp ?? 0)) | 0).toBeGreaterThan(0);
    });
    expect(sent.some(({ payload }) => payload.equals(frame(59)))).toBe(true);
    expect(relay.session.statistics().browser).toMatchObject({ packetsLost: 0, dropped: {} });
  });
});

describe("the jitter buffer and what it does not expect", () => {
  it("keeps the pace through silences by DTX, whose noise is made here", async () => {
    const packets = await encodeDtx(talkAndPauses(10, 1000, 1500));
    const next = random(3);
    const jitter = Array.from({ length: 500 }, () => 10 + 25 * next());
    const { pace, sequenceSteps, steps, relay } = await heard({
      count: 500,
      packets: packets.map((packet) => packet ?? Buffer.alloc(0)),
      sent: (index) => packets[index] !== undefined,
      delay: (index) => jitter[index] ?? 0,
    });
    expect(pace.slice(60, 480).filter((count) => count !== 1).length).toBeLessThan(12);
    expect(new Set(sequenceSteps)).toEqual(new Set([1]));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(relay.session.statistics().browser.dropped).toEqual({});
  });

  it.each([10, 40, 60])("sends even frames of packets of %i ms", async (ms) => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { jitterBuffer: true });
    const next = random(ms);
    for (let index = 0; index * ms < 8000; index++) {
      const late = 9 * next();
      relay.pass(late);
      relay.fromBrowser(
        rtp(0, index, index * ms * 8, speech.subarray(index * ms * 8, (index + 1) * ms * 8), { ssrc: 5 }),
      );
      relay.pass(ms - late);
    }
    const sent = relay.sentTo("trunk");
    expect(sent.length).toBeGreaterThan(385);
    sent.slice(1).forEach(({ header }, index) => {
      expect((header.timestamp - (sent[index]?.header.timestamp ?? 0)) >>> 0).toBe(160);
    });
    const { dropped, framesConcealed } = relay.session.statistics().browser;
    expect(dropped).toEqual({});
    expect(framesConcealed).toBeLessThan(4);
  });

  it("passes Opus as it is, in order, with losses left for the far decoder", async () => {
    const relay = await RelayDouble.connected(opus, opus, { jitterBuffer: true });
    const encoder = await createEncoder({ sampleRate: 8000, channels: 1, application: 2048 });
    const sound = voice(2);
    const packets = Array.from({ length: 100 }, (_, index) =>
      Buffer.from(encoder.encode(sound.subarray(index * 160, index * 160 + 160))),
    );
    encoder.free();
    const order = packets.map((_, index) =>
      index % 10 === 4 ? index + 1 : index % 10 === 5 ? index - 1 : index,
    );
    for (const index of order) {
      if (index !== 50) relay.fromBrowser(rtp(111, index, index * 960, packets[index] ?? Buffer.alloc(0)));
      relay.pass(20);
    }
    const sent = relay
      .sentTo("trunk")
      .filter(({ payload }) => packets.some((packet) => packet.equals(payload)));
    const places = sent.map(({ payload }) => packets.findIndex((packet) => packet.equals(payload)));
    expect(places.length).toBeGreaterThan(90);
    expect(places).toEqual([...places].sort((one, other) => one - other));
    const after = sent[places.indexOf(51)]?.header;
    const before = sent[places.indexOf(49)]?.header;
    expect(((after?.sequence ?? 0) - (before?.sequence ?? 0)) & 0xffff).toBe(2);
    expect(((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0).toBe(1920);
  });

  it("survives any numbers, timestamps, lengths and gaps of time", async () => {
    for (const payload of [pcmu, opus]) {
      const relay = await RelayDouble.connected(payload, pcmu, { jitterBuffer: true });
      const next = random(77);
      let sequence = 0;
      let timestamp = 0;
      for (let index = 0; index < 4000; index++) {
        const wild = next() < 0.02;
        sequence = wild ? Math.floor(next() * 65_536) : sequence + Math.floor(next() * 3);
        timestamp = next() < 0.01 ? Math.floor(next() * 2 ** 32) : timestamp + Math.floor(next() * 2000);
        const body = Buffer.alloc(Math.floor(next() * 300), Math.floor(next() * 256));
        const type = next() < 0.1 ? 101 : payload.payloadType;
        relay.fromBrowser(rtp(type, sequence, timestamp, body, { ssrc: next() < 0.005 ? index : 9 }));
        if (next() < 0.7) relay.pass(Math.floor(next() * 60));
      }
      expect(relay.told.filter((line) => line.startsWith("failed"))).toEqual([]);
      const sent = relay.sentTo("trunk");
      expect(sent.length).toBeGreaterThan(1000);
      sent.slice(1).forEach(({ header }, index) => {
        expect((header.sequence - (sent[index]?.header.sequence ?? 0)) & 0xffff).toBe(1);
      });
    }
  });
});

describe("how long packets are kept", () => {
  const fed = (
    seconds: number,
    late: (index: number) => number,
    delay = new JitterDelay(),
    from = 0,
  ): JitterDelay => {
    for (let index = 0; index < seconds * 50; index++)
      delay.take(1000 + late(index), from + index * 20 + late(index));
    return delay;
  };

  it("is 20 ms without jitter, and never more than 120", () => {
    expect(fed(20, () => 0).targetMs).toBe(20);
    expect(fed(20, (index) => (index % 3) * 200).targetMs).toBe(120);
  });

  it("is as long as all but three in a hundred are late", () => {
    expect(fed(30, (index) => index % 80).targetMs).toBeGreaterThanOrEqual(75);
    expect(fed(30, (index) => index % 80).targetMs).toBeLessThanOrEqual(80);
    // One in fifty comes 100 ms late: not worth waiting for, after a while.
    const rare = fed(60, (index) => (index % 50 === 0 ? 100 : index % 30));
    expect(rare.targetMs).toBeGreaterThanOrEqual(30);
  });

  it("grows at once and shrinks by 5 ms a second", () => {
    const delay = fed(10, () => 0);
    delay.take(1070, 10_070);
    expect(delay.targetMs).toBe(70);
    fed(5, () => 0, delay, 10_100);
    expect(delay.targetMs).toBe(45);
    fed(20, () => 0, delay, 15_100);
    expect(delay.targetMs).toBe(20);
  });

  it("measures against the quickest packet of the last seconds, so that a longer path is none for long", () => {
    const delay = fed(10, () => 0);
    fed(12, () => 50, delay, 10_000);
    expect(delay.baseMs).toBe(1050);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { Payload, Side } from "../../../src/media/contract.ts";
import { readEvent, writeEvent } from "../../../src/media/dtmf/event.ts";
import { opus, pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

interface Way {
  readonly name: string;
  readonly from: Side;
  readonly browser: Payload;
}

const ways: readonly Way[] = [
  { name: "browser 48000 to trunk 8000", from: "browser", browser: opus },
  { name: "trunk 8000 to browser 48000", from: "trunk", browser: opus },
  { name: "browser 8000 to trunk 8000", from: "browser", browser: pcmu },
  { name: "trunk 8000 to browser 8000", from: "trunk", browser: pcmu },
];

interface EventPacket {
  readonly at: number;
  readonly packet: Buffer;
}

interface Heard {
  readonly code: number;
  readonly end: boolean;
  readonly duration: number;
  readonly timestamp: number;
  readonly marker: boolean;
}

function payloadOf(side: Side, browser: Payload): { payloadType: number; clockRate: number } {
  const { telephoneEvent } = side === "browser" ? browser : pcmu;
  return telephoneEvent ?? { payloadType: -1, clockRate: 8000 };
}

/** Packets of one key held `ms`, one every 20 ms, segments of at most 65535, three ends, as RFC 4733 2.5.1 has them. */
function press(
  way: Way,
  code: number,
  ms: number,
  first: { sequence: number; timestamp: number },
): EventPacket[] {
  const { payloadType, clockRate } = payloadOf(way.from, way.browser);
  const packets: EventPacket[] = [];
  let { sequence } = first;
  let segment = 0;
  const add = (at: number, duration: number, end: boolean): void => {
    const body = Buffer.alloc(4);
    writeEvent(body, 0, { code, end, volume: 10, duration: duration - segment });
    const marker = packets.length === 0;
    packets.push({
      at,
      packet: rtp(payloadType, sequence++, first.timestamp + segment, body, { ssrc: 9, marker }),
    });
  };
  for (let at = 20; at < ms; at += 20) {
    const duration = (at * clockRate) / 1000;
    if (duration - segment > 0xffff) {
      add(at, segment + 0xffff, false);
      segment += 0xffff;
    }
    add(at, duration, false);
  }
  for (let copy = 0; copy < 3; copy++) add(ms + copy * 20, (ms * clockRate) / 1000, true);
  return packets;
}

function eventsOf(sent: readonly Sent[], payloadType: number): Heard[] {
  return sent
    .filter(({ header }) => header.payloadType === payloadType)
    .map(({ header, payload }) => {
      const event = { code: 0, end: false, volume: 0, duration: 0 };
      readEvent(payload, 0, payload.length, event);
      const { code, end, duration } = event;
      return { code, end, duration, timestamp: header.timestamp, marker: header.marker };
    });
}

async function connect({ browser }: Way): Promise<RelayDouble> {
  return RelayDouble.connected(browser, pcmu);
}

function play(relay: RelayDouble, { from }: Way, packets: readonly EventPacket[], start = 0): void {
  for (const { at, packet } of packets) {
    relay.pass(Math.max(0, start + at - relay.clock.now()));
    relay.from(from, packet);
  }
}

function heardFrom(relay: RelayDouble, { from, browser }: Way): { events: Heard[]; rate: number } {
  const to = from === "browser" ? "trunk" : "browser";
  const { payloadType, clockRate } = payloadOf(to, browser);
  return { events: eventsOf(relay.sentTo(to), payloadType), rate: clockRate };
}

function digitsTold(relay: RelayDouble): string[] {
  return relay.told.filter((words) => words.startsWith("dtmf"));
}

const without =
  (...lost: number[]) =>
  (packets: EventPacket[]): EventPacket[] =>
    packets.filter((_, index) => !lost.includes(index) && !lost.includes(index - packets.length));
/** The packet at `from` comes just behind the one at `behind`; negative counts from the end. */
const moved =
  (from: number, behind: number) =>
  (packets: EventPacket[]): EventPacket[] => {
    const at = (place: number): number => (place < 0 ? packets.length + place : place);
    const rest = packets.filter((_, index) => index !== at(from));
    const late = packets[at(from)];
    const after = packets[at(behind)];
    return late && after ? rest.toSpliced(rest.indexOf(after) + 1, 0, { ...late, at: after.at + 1 }) : rest;
  };

/** The same packets once more, as a gateway sends them that repeats what it has: the timestamp says whose they are. */
function renumbered(packets: readonly EventPacket[]): EventPacket[] {
  return packets.map(({ packet }, index) => {
    const copy = Buffer.from(packet);
    copy.writeUInt16BE(packet.readUInt16BE(2) + packets.length, 2);
    return { at: 260 + index, packet: copy };
  });
}

/** What networks do to the packets of a key held 160 ms: seven updates, three ends. */
const mishaps: readonly [name: string, change: (packets: EventPacket[]) => EventPacket[]][] = [
  ["all of it comes", (packets) => packets],
  ["the start is lost", without(0)],
  ["the first three are lost", without(0, 1, 2)],
  ["the middle is lost", without(2, 3, 4)],
  ["only the ends come", without(0, 1, 2, 3, 4, 5, 6)],
  ["only the last end comes", without(0, 1, 2, 3, 4, 5, 6, 7, 8)],
  ["two of three ends are lost", without(-1, -2)],
  ["the first two ends are lost", without(-2, -3)],
  ["all ends are lost", without(-1, -2, -3)],
  ["each comes twice", (packets) => packets.flatMap((packet) => [packet, packet])],
  ["all come again", (packets) => [...packets, ...packets.map(({ packet }) => ({ at: 260, packet }))]],
  ["all come again with numbers of their own", (packets) => [...packets, ...renumbered(packets)]],
  ["the start comes second", moved(0, 1)],
  ["the start comes third", moved(0, 2)],
  ["the last update comes behind the first end", moved(-4, -3)],
  ["the last update comes behind all ends", moved(-4, -1)],
  ["the first end comes last", moved(-3, -1)],
  ["all come at once", (packets) => packets.map(({ packet }) => ({ at: 20, packet }))],
];

describe.each(ways)("a key pressed once ($name)", (way) => {
  it.each(mishaps)("is one digit with three ends though %s", async (_name, change) => {
    const relay = await connect(way);
    play(relay, way, change(press(way, 7, 160, { sequence: 500, timestamp: 90_000 })));
    relay.pass(600);
    expect(digitsTold(relay)).toEqual([`dtmf ${way.from} 7`]);
    const { events, rate } = heardFrom(relay, way);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(events.map(({ code }) => code)).toEqual(events.map(() => 7));
    expect(events.map(({ marker }) => marker)).toEqual(events.map((_, index) => index === 0));
    const durations = events.map(({ duration }) => duration);
    expect(durations).toEqual(durations.toSorted((one, other) => one - other));
    expect(events.map(({ end }) => end)).toEqual(events.map((_, index) => index >= events.length - 3));
    expect(new Set(durations.slice(-3)).size).toBe(1);
    // As long as was heard of it: 160 ms where an end came, at least 80 of it elsewhere.
    const ms = ((durations.at(-1) ?? 0) * 1000) / rate;
    expect(ms).toBeGreaterThanOrEqual(80);
    expect(ms).toBeLessThanOrEqual(160);
  });

  it.each(mishaps)("and once more is two digits though each time %s", async (_name, change) => {
    const relay = await connect(way);
    const again = { sequence: 530, timestamp: 90_000 + payloadOf(way.from, way.browser).clockRate };
    play(relay, way, change(press(way, 7, 160, { sequence: 500, timestamp: 90_000 })));
    play(relay, way, change(press(way, 7, 160, again)), 1000);
    relay.pass(600);
    expect(digitsTold(relay)).toEqual([`dtmf ${way.from} 7`, `dtmf ${way.from} 7`]);
    const { events } = heardFrom(relay, way);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(2);
    expect(events.filter(({ end }) => end)).toHaveLength(6);
  });
});

describe.each(ways)("a key held for ten seconds ($name)", (way) => {
  it.each([0, 3, 8])(
    "is one digit, split where the duration field ends, with %i packets lost at a seam",
    async (lost) => {
      const relay = await connect(way);
      const packets = press(way, 1, 10_000, { sequence: 100, timestamp: 4000 });
      const full = packets.findIndex(({ packet }) => packet.readUInt16BE(14) === 0xffff);
      expect(full).toBeGreaterThan(0);
      play(
        relay,
        way,
        packets.filter((_, index) => index <= full - lost || index > full),
      );
      relay.pass(300);
      expect(digitsTold(relay)).toEqual([`dtmf ${way.from} 1`]);
      const { events, rate } = heardFrom(relay, way);
      const segments = [...new Set(events.map(({ timestamp }) => timestamp))];
      expect(segments).toHaveLength(Math.ceil((10 * rate) / 0xffff));
      segments.slice(1).forEach((timestamp, index) => {
        const before = segments[index] ?? 0;
        // Positions are samples at 8 kHz: at 48 kHz a segment's start may be off by less than one of them.
        expect(Math.abs(((timestamp - before) | 0) - 0xffff)).toBeLessThan(rate / 8000);
        const last = events.filter((event) => event.timestamp === before).at(-1);
        expect(last).toMatchObject({ end: false, duration: 0xffff });
      });
      expect(events.filter(({ end }) => end)).toHaveLength(3);
      expect(events.filter(({ marker }) => marker)).toHaveLength(1);
      const total = (segments.length - 1) * 0xffff + (events.at(-1)?.duration ?? 0);
      expect(Math.abs(total - 10 * rate)).toBeLessThan(10);
    },
  );
});

describe.each(ways)("ten keys dialled as fast as a dialler can ($name)", (way) => {
  it("come out as ten digits in order, each ended three times, though one packet in five is lost", async () => {
    const relay = await connect(way);
    const { clockRate } = payloadOf(way.from, way.browser);
    const keys = [1, 2, 2, 3, 11, 0, 0, 0, 9, 5];
    const packets = keys.flatMap((code, index) =>
      press(way, code, 60, { sequence: 1000 + index * 5, timestamp: index * clockRate * 0.15 }).map(
        ({ at, packet }) => ({
          at: at + index * 150,
          packet,
        }),
      ),
    );
    play(
      relay,
      way,
      packets.filter((_, index) => index % 5 !== 2),
    );
    relay.pass(500);
    expect(digitsTold(relay)).toEqual(Array.from("1223#00095", (digit) => `dtmf ${way.from} ${digit}`));
    const { events } = heardFrom(relay, way);
    const ends = events.filter(({ end }) => end);
    expect(ends.map(({ code }) => code)).toEqual(keys.flatMap((code) => [code, code, code]));
  });
});

import { describe, expect, it } from "vitest";
import type { TelephoneEvent } from "../../../src/media/dtmf/event.ts";
import { digitCodes, EventSender, type EventLine } from "../../../src/media/dtmf/event-sender.ts";

interface Sent extends TelephoneEvent {
  readonly marker: boolean;
  readonly position: number;
  readonly at: number;
}

class LineDouble implements EventLine {
  readonly sent: Sent[] = [];
  readonly ended: number[] = [];
  position = 1000;
  beginEvent(): number {
    return this.position;
  }
  sendEvent(event: Readonly<TelephoneEvent>, marker: boolean, position: number, now: number): void {
    this.sent.push({ ...event, marker, position, at: now });
  }
  endEvent(position: number): void {
    this.ended.push(position);
    this.position = position;
  }
}

function setUp(clockRate = 8000): {
  line: LineDouble;
  sender: EventSender;
  run: (from: number, to: number) => void;
} {
  const line = new LineDouble();
  const sender = new EventSender(line);
  sender.setClockRate(clockRate);
  return {
    line,
    sender,
    run(from, to) {
      for (let now = from; now <= to; now += 20) if (sender.busy) sender.tick(now);
    },
  };
}

describe("sending digits of ours", () => {
  it("sends a growing event on one timestamp with the marker first and three ends", () => {
    const { line, sender, run } = setUp();
    sender.send("5", 100);
    run(0, 400);
    expect(line.sent.map(({ duration }) => duration)).toEqual([160, 160, 320, 480, 640, 800, 800, 800]);
    expect(line.sent.map(({ end }) => end)).toEqual([false, false, false, false, false, true, true, true]);
    expect(line.sent.map(({ marker }) => marker)).toEqual([true, ...Array(7).fill(false)]);
    expect(new Set(line.sent.map(({ position }) => position))).toEqual(new Set([1000]));
    expect(line.ended).toEqual([1800]);
    expect(sender.busy).toBe(false);
  });

  it("sends one digit after the other with a pause between", () => {
    const { line, sender, run } = setUp();
    sender.send("1#", 60);
    run(0, 600);
    const first = line.sent.filter(({ code }) => code === 1);
    const second = line.sent.filter(({ code }) => code === 11);
    const tone = first.find(({ end }) => end)?.at ?? 0;
    expect((second[0]?.at ?? 0) - tone).toBeGreaterThanOrEqual(40);
    expect(second[0]).toMatchObject({ marker: true });
    expect(second.filter(({ end }) => end)).toHaveLength(3);
  });

  it("tells durations in the clock of the payload type", () => {
    const { line, sender, run } = setUp(48000);
    sender.send("0", 100);
    run(0, 300);
    expect(line.sent.at(-1)).toMatchObject({ duration: 4800, end: true });
  });

  it("splits what the duration field cannot hold into segments", () => {
    const { line, sender, run } = setUp(48000);
    sender.send("0", 2000);
    run(0, 2400);
    const full = line.sent.filter(({ duration }) => duration === 0xffff);
    expect(full).toHaveLength(1);
    const segment = (0xffff * 8000) / 48000;
    const last = line.sent.at(-1);
    expect(last?.position).toBeCloseTo(1000 + segment, 3);
    expect((last?.duration ?? 0) + 0xffff).toBe(96000);
    expect(line.sent.filter(({ marker }) => marker)).toHaveLength(1);
  });

  it("keeps a digit within 40 ms and 6 s", () => {
    const { line, sender, run } = setUp();
    sender.send("1", 1);
    run(0, 200);
    expect(line.sent.at(-1)?.duration).toBe(320);
    sender.send("2", 1e9);
    run(200, 7000);
    expect(line.sent.at(-1)?.duration).toBe(48000);
  });

  it("refuses what is no digit before it sends anything", () => {
    const { line, sender, run } = setUp();
    expect(() => sender.send("12x")).toThrow(RangeError);
    run(0, 100);
    expect(line.sent).toEqual([]);
    expect(digitCodes("0*#d")).toEqual([0, 10, 11, 15]);
    expect(() => digitCodes("1 2")).toThrow('" " is no DTMF digit');
  });
});

describe("relaying events of the other side", () => {
  it("sends each packet at once, the end three times whatever the other side does", () => {
    const { line, sender, run } = setUp();
    sender.press(7, 8, 160, 0);
    sender.hold(320, 20);
    sender.release(480, 40);
    run(60, 200);
    expect(line.sent.map(({ duration, end, at }) => [duration, end, at])).toEqual([
      [160, false, 0],
      [320, false, 20],
      [480, true, 40],
      [480, true, 60],
      [480, true, 80],
    ]);
    expect(line.sent.every(({ code, volume }) => code === 7 && volume === 8)).toBe(true);
    expect(line.ended).toEqual([1480]);
  });

  it("ends an event of which nothing is heard any more", () => {
    const { line, sender, run } = setUp();
    sender.press(7, 8, 160, 0);
    run(20, 500);
    expect(line.sent.filter(({ end }) => end)).toHaveLength(3);
    expect(sender.running).toBe(false);
  });

  it("sends all three ends of a key although the next one follows at once", () => {
    const { line, sender } = setUp();
    sender.press(1, 10, 160, 0);
    sender.release(320, 20);
    sender.press(2, 10, 160, 30);
    expect(line.sent.map(({ code, end, duration }) => [code, end, duration])).toEqual([
      [1, false, 160],
      [1, true, 320],
      [1, true, 320],
      [1, true, 320],
      [2, false, 160],
    ]);
  });

  it("ends one press before it begins the next", () => {
    const { line, sender } = setUp();
    sender.press(1, 10, 160, 0);
    sender.press(2, 10, 160, 20);
    expect(line.sent.map(({ code, end, marker }) => [code, end, marker])).toEqual([
      [1, false, true],
      [1, true, false],
      [1, true, false],
      [1, true, false],
      [2, false, true],
    ]);
  });

  it("lets a press wait while a digit of ours is sent", () => {
    const { line, sender, run } = setUp();
    sender.send("1", 60);
    run(0, 20);
    sender.press(9, 10, 160, 30);
    sender.hold(320, 40);
    sender.release(480, 60);
    run(40, 600);
    expect(line.sent.filter(({ code, end }) => code === 1 && end)).toHaveLength(3);
    expect(line.sent.filter(({ code, end }) => code === 9 && end)).toHaveLength(3);
    const codes = line.sent.map(({ code }) => code);
    expect(codes.lastIndexOf(1)).toBeLessThan(codes.indexOf(9));
  });

  it("forgets everything when the line is shut", () => {
    const { line, sender, run } = setUp();
    sender.send("123");
    run(0, 40);
    sender.clear();
    const count = line.sent.length;
    run(60, 600);
    expect(line.sent).toHaveLength(count);
    expect(sender.busy).toBe(false);
  });
});

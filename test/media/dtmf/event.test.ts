import { describe, expect, it } from "vitest";
import {
  codeOf,
  digitOf,
  readEvent,
  writeEvent,
  type TelephoneEvent,
} from "../../../src/media/dtmf/event.ts";
import { EventReceiver } from "../../../src/media/dtmf/event-receiver.ts";

function event(overrides: Partial<TelephoneEvent> = {}): TelephoneEvent {
  return { code: 5, end: false, volume: 10, duration: 160, ...overrides };
}

describe("telephone-event payloads (RFC 4733 2.3)", () => {
  it("reads and writes code, end, volume and duration", () => {
    const packet = Buffer.alloc(6);
    writeEvent(packet, 2, event({ code: 11, end: true, volume: 63, duration: 0xfffe }));
    expect(packet.toString("hex")).toBe("00000bbffffe");
    const read = event();
    expect(readEvent(packet, 2, 4, read)).toBe(true);
    expect(read).toEqual({ code: 11, end: true, volume: 63, duration: 0xfffe });
  });

  it("refuses a payload of three bytes", () => {
    expect(readEvent(Buffer.alloc(3), 0, 3, event())).toBe(false);
  });

  it("knows the sixteen digits and no others", () => {
    const digits = Array.from("0123456789*#ABCD");
    expect(digits.map(codeOf)).toEqual(digits.map((_, code) => code));
    expect(digits.map((_, code) => digitOf(code))).toEqual(digits);
    expect(codeOf("d")).toBe(15);
    expect([codeOf("E"), codeOf(""), codeOf("12"), digitOf(16), digitOf(255)]).toEqual(
      Array(5).fill(undefined),
    );
  });
});

describe("telling key presses from event packets", () => {
  it("tells one press from its start, updates and three ends", () => {
    const receiver = new EventReceiver();
    const steps = [
      receiver.receive(1, 1000, event()),
      receiver.receive(1, 1000, event({ duration: 320 })),
      receiver.receive(1, 1000, event({ duration: 480, end: true })),
      receiver.receive(1, 1000, event({ duration: 480, end: true })),
      receiver.receive(1, 1000, event({ duration: 480, end: true })),
    ];
    expect(steps).toEqual(["pressed", "held", "released", "repeat", "repeat"]);
    expect(receiver.duration).toBe(480);
  });

  it("tells the same digit twice when it was pressed twice", () => {
    const receiver = new EventReceiver();
    receiver.receive(1, 1000, event({ end: true }));
    expect(receiver.receive(1, 5000, event())).toBe("pressed");
  });

  it("tells a press of another source though the timestamp is the same", () => {
    const receiver = new EventReceiver();
    receiver.receive(1, 1000, event({ end: true }));
    expect(receiver.receive(2, 1000, event())).toBe("pressed");
  });

  it("tells press and release of an event of which only the end was heard", () => {
    const receiver = new EventReceiver();
    const end = event({ end: true, duration: 800 });
    expect([receiver.receive(1, 7, end), receiver.receive(1, 7, end), receiver.receive(1, 7, end)]).toEqual([
      "pressed",
      "released",
      "repeat",
    ]);
  });

  it("takes the next segment of a long event for the same press (RFC 4733 2.5.1.3)", () => {
    const receiver = new EventReceiver();
    receiver.receive(1, 0, event({ duration: 960 }));
    receiver.receive(1, 0, event({ duration: 0xffff }));
    expect(receiver.receive(1, 0xffff, event({ duration: 960 }))).toBe("held");
    expect(receiver.duration).toBe(0xffff + 960);
    expect(receiver.receive(1, 0xffff, event({ duration: 1920, end: true }))).toBe("released");
  });

  it("takes another digit at that place for another press", () => {
    const receiver = new EventReceiver();
    receiver.receive(1, 0, event({ duration: 0xffff }));
    expect(receiver.receive(1, 0xffff, event({ code: 6 }))).toBe("pressed");
  });

  it("does not let a duration shrink", () => {
    const receiver = new EventReceiver();
    receiver.receive(1, 0, event({ duration: 800 }));
    receiver.receive(1, 0, event({ duration: 640 }));
    expect(receiver.duration).toBe(800);
  });
});

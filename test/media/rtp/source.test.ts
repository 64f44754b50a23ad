import { describe, expect, it } from "vitest";
import { arrival, ReceivedSource } from "../../../src/media/rtp/source.ts";

const ssrc = 0xabcd;

function receiveAll(source: ReceivedSource, sequences: readonly number[]): number[] {
  return sequences.map((sequence, index) => source.receive(ssrc, sequence & 0xffff, index * 20));
}

describe("following a source's sequence numbers", () => {
  it("tells how many packets are missing before each", () => {
    const source = new ReceivedSource();
    expect(receiveAll(source, [10, 11, 14, 15])).toEqual([arrival.started, 0, 2, 0]);
    expect(source.packetsLost).toBe(2);
  });

  it("goes on over the wrap, also when packets are lost across it", () => {
    const source = new ReceivedSource();
    expect(receiveAll(source, [65534, 65535, 0, 3])).toEqual([arrival.started, 0, 0, 2]);
    expect(source.report().extendedHighestSequence).toBe(0x10003);
  });

  it("tells late from duplicate, and a late one is not lost", () => {
    const source = new ReceivedSource();
    expect(receiveAll(source, [1, 2, 4, 3, 3, 4, 5])).toEqual([
      arrival.started,
      0,
      1,
      arrival.late,
      arrival.duplicate,
      arrival.duplicate,
      0,
    ]);
    expect(source.packetsLost).toBe(0);
  });

  it.each([31, 32, 33, 50, 63])("knows a duplicate from a late packet %i behind", (behind) => {
    const source = new ReceivedSource();
    receiveAll(source, [1000, 1001]);
    expect(source.receive(ssrc, 1001 + behind, 0)).toBe(behind - 1);
    expect(source.receive(ssrc, 1001, 0)).toBe(arrival.duplicate);
    expect(source.receive(ssrc, 1002, 0)).toBe(arrival.late);
    expect(source.receive(ssrc, 1002, 0)).toBe(arrival.duplicate);
  });

  it("takes one far number for a stray and two in a row for a restart", () => {
    const source = new ReceivedSource();
    expect(receiveAll(source, [1, 30000, 2, 40000, 40001, 40002])).toEqual([
      arrival.started,
      arrival.suspicious,
      0,
      arrival.suspicious,
      arrival.started,
      0,
    ]);
    expect(source.packetsLost).toBe(0);
  });

  it("starts anew with another SSRC at once and keeps the loss counted before", () => {
    const source = new ReceivedSource();
    receiveAll(source, [1, 4]);
    expect(source.receive(7, 900, 100)).toBe(arrival.started);
    expect(source.receive(7, 902, 120)).toBe(1);
    expect(source.packetsLost).toBe(3);
    expect(source.ssrc).toBe(7);
  });

  it("does not fall back to the SSRC just left, until that has been the only one for a while", () => {
    const source = new ReceivedSource();
    source.receive(1, 10, 0);
    source.receive(2, 20, 20);
    expect(source.receive(1, 11, 25)).toBe(arrival.former);
    expect(source.ssrc).toBe(2);
    expect(source.receive(1, 40, 600)).toBe(arrival.started);
  });
});

describe("what a report says of a source", () => {
  it("gives the fraction lost since the last report, the total and the highest number (RFC 3550 A.3)", () => {
    const source = new ReceivedSource();
    receiveAll(source, [1, 2, 3, 4, 9]);
    expect(source.report()).toMatchObject({
      ssrc,
      fractionLost: Math.floor((4 * 256) / 9),
      cumulativeLost: 4,
      extendedHighestSequence: 9,
    });
    source.receive(ssrc, 10, 0);
    expect(source.report()).toMatchObject({ fractionLost: 0, cumulativeLost: 4 });
  });

  it("reports no fraction when nothing was to be expected", () => {
    const source = new ReceivedSource();
    receiveAll(source, [1]);
    source.report();
    expect(source.report().fractionLost).toBe(0);
  });
});

describe("jitter (RFC 3550 A.8)", () => {
  it("is zero for packets in step with their timestamps and grows with their unrest", () => {
    const steady = new ReceivedSource();
    const restless = new ReceivedSource();
    for (let index = 0; index < 200; index++) {
      steady.measureJitter(index * 160, 1000 + index * 20, 8000);
      restless.measureJitter(index * 160, 1000 + index * 20 + (index % 2) * 10, 8000);
    }
    expect(steady.jitter).toBe(0);
    expect(restless.jitter).toBeGreaterThan(70);
    expect(restless.jitter).toBeLessThan(81);
  });

  it("is not poisoned by a jump of the timestamps, nor by their wrap", () => {
    const source = new ReceivedSource();
    for (let index = 0; index < 50; index++)
      source.measureJitter((0xfffffff0 + index * 160) >>> 0, index * 20, 8000);
    source.measureJitter(500_000, 1000, 8000);
    for (let index = 1; index < 50; index++)
      source.measureJitter(500_000 + index * 160, 1000 + index * 20, 8000);
    expect(source.jitter).toBeLessThan(1);
  });
});

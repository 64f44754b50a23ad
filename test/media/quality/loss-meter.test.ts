import { describe, expect, it } from "vitest";
import { burstRatioOf, countsOf, LossMeter } from "../../../src/media/quality/loss-meter.ts";
import { CountingRandom } from "../../support/counting-random.ts";

/** Runs a meter over a picture of packets: `.` received, `x` lost, `d` discarded; what is lost last stays untold. */
function meter(picture: string): LossMeter {
  const made = new LossMeter();
  // What is missed before the first packet counts here, so that pictures may begin with a loss.
  made.arrived(0);
  made.received = 0;
  made.gapPackets = 0;
  let lost = 0;
  for (const packet of picture) {
    if (packet === "x") lost++;
    else {
      made.arrived(lost);
      lost = 0;
      if (packet === "d") made.discard();
    }
  }
  return made;
}

/** RFC 3611 4.7.2 by its words, over the whole picture: stretches between losses, joined where fewer than 16 apart. */
function byDefinition(picture: string) {
  const packets = picture.split("");
  const bursts: { from: number; to: number }[] = [];
  let cluster: number[] = [];
  const close = (): void => {
    const [from] = cluster;
    const to = cluster.at(-1);
    if (from !== undefined && to !== undefined && cluster.length > 1) bursts.push({ from, to });
    cluster = [];
  };
  for (const [index, packet] of packets.entries()) {
    if (packet === ".") continue;
    const last = cluster.at(-1);
    if (last !== undefined && index - last - 1 >= 16) close();
    cluster.push(index);
  }
  close();
  const within = (index: number): boolean => bursts.some(({ from, to }) => index >= from && index <= to);
  const inBurst = packets.map((_packet, index) => within(index));
  const count = (burst: boolean, missed: boolean): number =>
    packets.filter((packet, index) => inBurst[index] === burst && (!missed || packet !== ".")).length;
  return {
    bursts: bursts.length,
    burstPackets: count(true, false),
    burstLosses: count(true, true),
    gapPackets: count(false, false),
    gapLosses: count(false, true),
    gaps: inBurst.filter((burst, index) => !burst && inBurst[index - 1] !== false).length,
  };
}

const clear = ".".repeat(16);

describe("burst and gap", () => {
  it.each([
    ["nothing lost", clear + clear],
    ["a lone loss", `${clear}x${clear}`],
    ["two losses 15 received apart, one burst", `${clear}x${".".repeat(15)}x${clear}`],
    ["two losses 16 received apart, both in the gap", `${clear}x${clear}x${clear}`],
    ["a run of losses", `${clear}xxxx${clear}`],
    ["a burst of several runs and a discard", `${clear}xx..d.....x${clear}`],
    ["two bursts and a lone loss between", `${clear}x.x${clear}${clear}x${clear}xxx${clear}`],
    ["a burst at the very beginning", `xx.x${clear}.`],
    ["a lone loss at the very beginning that becomes a burst", `x....x${clear}`],
    ["a burst still running at the end", `${clear}x..x.....`],
    ["a lone loss just before the end", `${clear}x.`],
  ])("are told apart as RFC 3611 says: %s", (_name, picture) => {
    const made = meter(picture);
    expect(made).toMatchObject(byDefinition(picture));
    expect(made.expected).toBe(picture.length);
    expect(made.burstPackets + made.gapPackets).toBe(picture.length);
  });

  it("agree with the definition over random pictures", () => {
    const random = new CountingRandom();
    for (let round = 0; round < 300; round++) {
      const loss = random.fraction() * 0.3;
      const draw = (): string => (random.fraction() < loss ? "x" : random.fraction() < 0.02 ? "d" : ".");
      const picture = `${Array.from({ length: 120 }, draw).join("")}.`;
      expect(meter(picture), picture).toMatchObject(byDefinition(picture));
    }
  });

  it("count lost and discarded apart, and a late one as discarded instead of lost", () => {
    const made = meter("..xx..d..");
    expect(made).toMatchObject({ lost: 2, discarded: 1, received: 6 });
    made.cameTooLate();
    expect(made).toMatchObject({ lost: 1, discarded: 2, received: 6 });
    made.cameTooLate();
    expect(made).toMatchObject({ lost: 0, discarded: 3, received: 6 });
    made.cameTooLate();
    expect(made).toMatchObject({ lost: 0, discarded: 3, received: 6, expected: 9 });
  });

  it("do not join the losses of two sources, nor count what was missed while nobody listened", () => {
    const made = meter("....x");
    made.arrived(1);
    made.restart();
    made.arrived(500);
    made.arrived(1);
    expect(made).toMatchObject({ bursts: 0, gapLosses: 2, lost: 2 });
  });
});

describe("the burst ratio", () => {
  it("is about 1 for random loss and the length of the runs for bursts", () => {
    const random = new CountingRandom();
    const pick = (): string => (random.fraction() < 0.1 ? "x" : ".");
    const scattered = Array.from({ length: 20_000 }, pick).join("");
    expect(burstRatioOf(countsOf(meter(`${scattered}.`)))).toBeLessThan(1.1);
    expect(burstRatioOf(countsOf(meter(`${".".repeat(96)}xxxx`.repeat(50) + ".")))).toBeCloseTo(3.84, 1);
  });

  it("is 1 where nothing or everything is lost", () => {
    expect(burstRatioOf(countsOf(meter("....")))).toBe(1);
    expect(burstRatioOf({ expected: 5, missed: 5, runs: 1, burstPackets: 5, burstLosses: 5 })).toBe(1);
  });
});

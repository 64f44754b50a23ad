import { describe, expect, it } from "vitest";
import type { Side } from "../../../src/media/contract.ts";
import { toCodes, voice } from "../../support/sound.ts";
import { pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

const codes = toCodes(voice(4), "pcmu");
const frame = (index: number): Buffer => codes.subarray(index * 160, index * 160 + 160);
const other = (side: Side): Side => (side === "browser" ? "trunk" : "browser");

/** Sends the packets named, one every 20 ms, each with its place in the voice; `first` is the number of frame 0. */
function send(
  relay: RelayDouble,
  order: readonly number[],
  { side = "browser", first = 0, ssrc = 7 }: { side?: Side; first?: number; ssrc?: number } = {},
): void {
  for (const index of order) {
    relay.from(side, rtp(0, first + index, index * 160, frame(index), { ssrc }));
    relay.pass(20);
  }
}

/** Which frames of the voice were sent, -1 for anything else. */
function heard(sent: readonly Sent[]): number[] {
  return sent.map(({ payload }) =>
    Array.from({ length: 200 }, (_, index) => index).findIndex((index) => frame(index).equals(payload)),
  );
}

function expectContinuous(sent: readonly Sent[]): void {
  sent.slice(1).forEach(({ header }, index) => {
    const before = sent[index]?.header;
    expect((header.sequence - (before?.sequence ?? 0)) & 0xffff).toBe(1);
    expect((header.timestamp - (before?.timestamp ?? 0)) >>> 0).toBe(160);
  });
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe("packets out of order", () => {
  it.each([
    ["by one place", [0, 1, 3, 2, 4, 5], 1],
    ["by two places", [0, 1, 3, 4, 2, 5], 1],
    ["two by two places", [0, 1, 4, 5, 2, 3], 2],
    ["backwards", [0, 1, 4, 3, 2, 5], 2],
    ["again and again", [0, 2, 1, 4, 3, 5, 7, 6], 3],
  ])(
    "%s are put in order, toward both sides, also over the wrap of the numbers",
    async (_name, order, count) => {
      for (const side of ["browser", "trunk"] as const) {
        for (const first of [0, 65_533]) {
          const relay = await RelayDouble.connected(pcmu, pcmu);
          send(relay, order, { side, first });
          const sent = relay.sentTo(other(side)).slice(0, order.length);
          expect(heard(sent)).toEqual(upTo(order.length));
          expectContinuous(sent);
          expect(relay.session.statistics()[side]).toMatchObject({
            packetsReordered: count,
            packetsLost: 0,
            framesConcealed: 0,
            packetsReceived: order.length,
            dropped: {},
          });
        }
      }
    },
  );

  it("of which one comes twice are told from it by count, and it is heard once", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    send(relay, [0, 1, 3, 3, 2, 2, 4]);
    expect(heard(relay.sentTo("trunk"))).toEqual(upTo(5));
    expect(relay.session.statistics().browser).toMatchObject({
      dropped: { duplicate: 2 },
      packetsReordered: 1,
    });
  });

  it("and put in order are no loss in the call's quality; too late they are", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu, { qualityMs: 200 });
    send(relay, [0, 2, 1, 4, 3, 5, 6, 7, 8, 9, 10]);
    expect(relay.quality.at(-1)?.browser.received.call).toMatchObject({ lossPercent: 0 });
    send(relay, [11, 12, 17, 14, 18, 19, 20, 21, 22, 23, 24, 25]);
    expect(relay.quality.at(-1)?.browser.received.call?.lossPercent).toBeGreaterThan(10);
  });

  it("are not delayed while in order: each is out before the next comes", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (const index of upTo(50)) {
      send(relay, [index]);
      expect(relay.sentTo("trunk")).toHaveLength(index + 1);
    }
  });

  it("wait no longer than 40 ms, by the next packet or by the tick after", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    send(relay, [0, 1, 3]);
    relay.pass(20);
    expect(relay.sentTo("trunk")).toHaveLength(2);
    relay.pass(20);
    expect(heard(relay.sentTo("trunk"))).toEqual([0, 1, -1, 3]);
    send(relay, [4, 6, 7, 8]);
    expect(heard(relay.sentTo("trunk"))).toEqual([0, 1, -1, 3, 4, -1, 6, 7, 8]);
    expectContinuous(relay.sentTo("trunk"));
    expect(relay.session.statistics().browser).toMatchObject({ packetsLost: 2, framesConcealed: 2 });
  });

  it("wait on while the worker itself was kept from reading what has come", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    send(relay, [0, 1, 3]);
    relay.stall(100);
    relay.session.tick(relay.clock.now(), false);
    expect(relay.sentTo("trunk")).toHaveLength(2);
    send(relay, [2, 4]);
    expect(heard(relay.sentTo("trunk"))).toEqual(upTo(5));
  });

  it("do not wait after two losses in a row, until one comes too late for its place", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    const waits = (order: readonly number[]): boolean => {
      const before = relay.sentTo("trunk").length;
      send(relay, order.slice(0, 1));
      const waited = relay.sentTo("trunk").length === before;
      send(relay, order.slice(1));
      return waited;
    };
    send(relay, [0]);
    expect(waits([2, 3, 4])).toBe(true);
    expect(waits([6, 7, 8])).toBe(true);
    expect(waits([10, 11, 12])).toBe(false);
    expect(waits([15, 16])).toBe(false);
    // Number 18 comes after 19 was sent on: too late, but a sign that waiting would pay.
    expect(waits([19, 18, 20])).toBe(false);
    expect(relay.session.statistics().browser.dropped).toEqual({ late: 1 });
    expect(waits([22, 21, 23])).toBe(true);
    expect(heard(relay.sentTo("trunk")).slice(-3)).toEqual([21, 22, 23]);
    expectContinuous(relay.sentTo("trunk"));
  });

  it("do not wait for more than two: a burst of losses goes on at once", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    send(relay, [0, 1, 5]);
    expect(heard(relay.sentTo("trunk"))).toEqual([0, 1, -1, -1, -1, 5]);
  });

  it("are let go when another source begins, the old one's first", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    send(relay, [0, 1]);
    relay.fromBrowser(rtp(0, 3, 480, frame(3), { ssrc: 7 }));
    relay.fromBrowser(rtp(0, 900, 77, frame(60), { ssrc: 8 }));
    relay.fromBrowser(rtp(0, 902, 397, frame(62), { ssrc: 8 }));
    relay.fromBrowser(rtp(0, 901, 237, frame(61), { ssrc: 8 }));
    const sent = relay.sentTo("trunk");
    expect(heard(sent)).toEqual([0, 1, -1, 3, 60, 61, 62]);
    expectContinuous(sent);
  });

  it("are forgotten on hold, and what was not heard meanwhile is no loss", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    send(relay, [0, 1, 3]);
    relay.session.setDirection("browser", "inactive");
    relay.pass(60);
    relay.session.setDirection("browser", "sendrecv");
    send(relay, [8, 9]);
    expect(heard(relay.sentTo("trunk"))).toEqual([0, 1, 8, 9]);
    // Number 2 was missing before, 4 to 7 were not listened for.
    expect(relay.session.statistics().browser).toMatchObject({ packetsLost: 1, framesConcealed: 0 });
  });

  it("carry key presses that are told once and in their place", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    send(relay, [0, 1]);
    const event = (duration: number, end: boolean): Buffer =>
      Buffer.from([5, end ? 0x8a : 0x0a, duration >>> 8, duration & 0xff]);
    const key = (sequence: number, duration: number, end = false): void => {
      relay.fromBrowser(rtp(101, sequence, 320, event(duration, end), { ssrc: 7 }));
      relay.pass(20);
    };
    key(3, 320);
    key(2, 160);
    key(5, 640, true);
    key(4, 480);
    key(6, 640, true);
    send(relay, [9, 8, 10]);
    expect(relay.told.filter((line) => line.startsWith("dtmf"))).toEqual(["dtmf browser 5"]);
    const events = relay.sentTo("trunk").filter(({ header }) => header.payloadType === 101);
    expect(events.map(({ payload }) => payload.readUInt16BE(2))).toEqual([160, 320, 480, 640, 640, 640]);
    expect(relay.session.statistics().browser.dropped).toEqual({});
  });
});

describe("a network that both loses and reorders", () => {
  it("never sends the line back nor a frame twice, whatever comes", async () => {
    let state = 99;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const relay = await RelayDouble.connected(pcmu, pcmu);
    const arrivals = upTo(190)
      .filter(() => random() > 0.05)
      .map((index) => ({ index, at: index * 20 + (random() > 0.8 ? 50 * random() : 0) }));
    arrivals.sort((one, two) => one.at - two.at);
    for (const { index, at } of arrivals) {
      if (at > relay.clock.now()) relay.pass(at - relay.clock.now());
      relay.fromBrowser(rtp(0, 65_500 + index, index * 160, frame(index), { ssrc: 7 }));
    }
    relay.pass(60);
    const sent = relay.sentTo("trunk");
    expectContinuous(sent);
    const places = heard(sent).filter((index) => index >= 0);
    expect(places).toEqual([...places].sort((one, two) => one - two));
    expect(new Set(places).size).toBe(places.length);
    expect(places.length).toBeGreaterThan(arrivals.length - 8);
  });
});

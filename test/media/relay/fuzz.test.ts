import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { Payload } from "../../../src/media/contract.ts";
import { g722, opus, pcma, pcmu, RelayDouble, rtp } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

/** Numbers that look random and are the same in every run (mulberry32). */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

const senderReport = Buffer.from(
  "80c8000600001234e5f0a1b2c3d4e5f600001000000000640000fa0081c9000700001234deadbeef0000000000000000000000000000000000000000",
  "hex",
);

/** A packet of a kind the side may send, some of its bytes changed, sometimes cut. */
function mutated(
  pick: (below: number) => number,
  index: number,
  { payloadType, telephoneEvent }: Payload,
): Buffer {
  const kind = pick(4);
  const event = telephoneEvent?.payloadType ?? 101;
  const packet =
    kind === 0
      ? Buffer.from(senderReport)
      : kind === 1
        ? rtp(event, index, pick(3) * 800, Buffer.from([pick(18), pick(256), pick(256), pick(256)]))
        : rtp(
            payloadType,
            index,
            index * 160,
            Buffer.from(Array.from({ length: pick(200) }, () => pick(256))),
          );
  for (let changes = pick(4); changes > 0; changes--) packet[pick(packet.length)] = pick(256);
  return pick(8) === 0 ? packet.subarray(0, pick(packet.length + 1)) : packet;
}

describe("packets changed at random", () => {
  it.each([
    ["PCMU", pcmu, pcma],
    ["Opus", opus, pcmu],
    ["G.722", opus, g722],
  ])("of both sides never make a %s session fail, run away or stop", async (_name, browser, trunk) => {
    const relay = await RelayDouble.connected(browser, trunk, { idleMs: 1000 });
    const pick = numbers(browser.payloadType + 1);
    for (let index = 0; index < 6000; index++) {
      relay.fromBrowser(mutated(pick, index, browser));
      const report = mutated(pick, index, browser);
      relay.transport.handlers?.onRtcp(report, report.length);
      relay.fromTrunk(mutated(pick, index, trunk));
      const trunkReport = mutated(pick, index, trunk);
      relay.trunk.onRtcp(trunkReport, trunkReport.length, "192.0.2.10", 40_001);
      relay.pass(pick(20));
      if (index % 97 === 0)
        relay.describeTrunk({ payload: trunk, direction: pick(2) === 0 ? "inactive" : "sendrecv" });
    }
    expect(relay.told.filter((told) => told.startsWith("failed"))).toEqual([]);
    // 60 s in all: no more than what 20 ms frames and the events in their stead make.
    expect(relay.sentTo("browser").length).toBeLessThan(12_000);
    expect(relay.sentTo("trunk").length).toBeLessThan(12_000);
    relay.describeTrunk({ payload: trunk });
    relay.pass(10_000);
    const before = relay.sentTo("browser").length;
    for (let index = 0; index < 5; index++) {
      relay.fromTrunk(rtp(trunk.payloadType, index, index * 160, Buffer.alloc(160, 0x33), { ssrc: 77 }));
      relay.pass(20);
    }
    // One more may end the frame that odd packets left half full.
    expect([5, 6]).toContain(relay.sentTo("browser").length - before);
    await relay.session.close();
    expect(relay.clock.pendingTimers).toBe(0);
  });
});

import { beforeAll, describe, expect, it, vi } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import type { SideStatistics } from "../../../src/media/contract.ts";
import { writeEvent } from "../../../src/media/dtmf/event.ts";
import { seeded } from "../../support/seeded.ts";
import { speech } from "../../support/speech.ts";
import { encodeAsBrowser } from "../sound/browser-codec.ts";
import { opus, parse, pcmu, RelayDouble, rtp, trunkAddress } from "../relay/relay-double.ts";
import { fuzz } from "./harness.ts";
import { mutant } from "./mutate.ts";

vi.setConfig({ testTimeout: 300_000 });
beforeAll(() => warmUpOpus(50));

const report = Buffer.from(
  "80c8000600001234e5f0a1b2c3d4e5f600001000000000640000fa0081c9000700001234deadbeef0000000000000000000000000000000000000000",
  "hex",
);

function eventOf(payloadType: number, sequence: number): Buffer {
  const body = Buffer.alloc(4);
  writeEvent(body, 0, {
    code: sequence % 18,
    end: sequence % 3 === 0,
    volume: 10,
    duration: 160 * (sequence % 9),
  });
  return rtp(payloadType, sequence, 9000 + (sequence >> 3) * 160, body);
}

/** Statistics but for what counts the refused. */
function told(side: SideStatistics): Omit<SideStatistics, "dropped"> {
  const { dropped: _dropped, ...rest } = side;
  return rest;
}

describe("a session fed from SIP Server's network by strangers", () => {
  it.each(["address", "strict"] as const)(
    "(%s) changes nothing but its count of strangers",
    async (trunkSource) => {
      const relay = await RelayDouble.connected(pcmu, pcmu, { trunkSource });
      let sequence = 0;
      const speak = (): void => {
        relay.fromTrunk(rtp(0, ++sequence, sequence * 160, Buffer.alloc(160, 0x33)));
        relay.fromBrowser(rtp(0, sequence, sequence * 160, Buffer.alloc(160, 0x44)));
      };
      speak();
      const valid = [
        rtp(0, 1000, 160_000, Buffer.alloc(160, 9)),
        eventOf(101, 4),
        report,
        rtp(0, 2, 320, Buffer.alloc(80)),
      ];
      const pick = seeded(3);
      let strangers = 0;
      const { stalls } = await fuzz({
        name: `strangers (${trunkSource})`,
        share: 0.02,
        make: (from) => mutant(from, valid, 1600),
        feed: (input) => {
          strangers++;
          const [address, port] =
            trunkSource === "strict" && pick(2) === 0
              ? [trunkAddress.address, 1 + pick(39_000)]
              : [`192.0.2.${11 + pick(200)}`, pick(2) === 0 ? trunkAddress.port : 1 + pick(60_000)];
          if (pick(2) === 0) relay.trunk.onRtp(input, input.length, address, port);
          else relay.trunk.onRtcp(input, input.length, address, port);
        },
        everyInputs: 100,
        check: () => {
          const { browser, trunk } = relay.session.statistics();
          expect(trunk.dropped).toEqual({ stranger: strangers });
          expect(told(trunk)).toMatchObject({
            packetsReceived: sequence,
            packetsLost: 0,
            packetsSent: sequence,
          });
          expect(told(browser)).toMatchObject({ packetsSent: sequence, packetsReceived: sequence });
          expect(relay.told).toEqual(["connected"]);
          // The line, the source and the place packets go to are what they were.
          relay.pass(20);
          speak();
          const sent = relay.trunk.rtp.at(-1);
          expect(sent).toMatchObject(trunkAddress);
          const { header } = parse(relay.transport.rtp.at(-1) ?? Buffer.alloc(0));
          const first = parse(relay.transport.rtp[0] ?? Buffer.alloc(0)).header;
          expect((header.sequence - first.sequence) & 0xffff).toBe((sequence - 1) & 0xffff);
          expect((header.timestamp - first.timestamp) >>> 0).toBe((sequence - 1) * 160);
        },
      });
      expect(stalls).toEqual([]);
      await relay.session.close();
    },
  );
});

describe("a session fed with corrupt packets by those it trusts", () => {
  it("relays what can be relayed, at no more than the clock's pace, and stays", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const packets = (await encodeAsBrowser(speech(1, 4), { fec: true, lossPercent: 20 })).slice(5, 30);
    const fromBrowser = [
      ...packets.map((packet, index) => rtp(111, index, index * 960, packet)),
      eventOf(110, 3),
      eventOf(110, 5),
      report,
    ];
    const fromTrunk = [
      ...Array.from({ length: 8 }, (_, index) => rtp(0, index, index * 160, Buffer.alloc(160, 0x30 + index))),
      eventOf(101, 3),
      eventOf(101, 4),
      report,
    ];
    const pick = seeded(11);
    const { inputs, stalls } = await fuzz({
      name: "trusted ends",
      share: 0.05,
      make: (from, index) => {
        const input = mutant(from, index % 2 === 0 ? fromBrowser : fromTrunk, 1600);
        // Most go on where the last stopped, or they would be dropped for their number.
        if (input.length >= 12 && from(4) > 0) {
          input.writeUInt16BE(index & 0xffff, 2);
          if (from(4) > 0) input.writeUInt32BE(0x1234, 8);
          if (from(2) === 0) input.writeUInt32BE(((index >>> 1) * (index % 2 === 0 ? 960 : 160)) >>> 0, 4);
        }
        return input;
      },
      feed: (input, index) => {
        if ((input[1] ?? 0) >= 192 && (input[1] ?? 0) <= 223) {
          if (index % 2 === 0) relay.transport.handlers?.onRtcp(input, input.length);
          else relay.trunk.onRtcp(input, input.length, trunkAddress.address, trunkAddress.port + 1);
        } else if (index % 2 === 0) relay.fromBrowser(input);
        else relay.fromTrunk(input);
        if (pick(2) === 0) relay.pass(20);
      },
      check: () => {
        expect(relay.told.filter((words) => words.startsWith("failed"))).toEqual([]);
      },
    });
    expect(stalls).toEqual([]);
    const seconds = relay.clock.now() / 1000;
    expect(seconds).toBeGreaterThan(inputs / 200);
    for (const side of ["browser", "trunk"] as const)
      expect(relay.session.statistics()[side].packetsSent).toBeLessThan(seconds * 50 * 4 + 1000);
    await relay.session.close();
    expect(relay.clock.pendingTimers).toBe(0);
  });
});

import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { fromCodes, toCodes, voice } from "../../support/sound.ts";
import { encodeDtx, talkAndPauses } from "./dtx.ts";
import { opus, pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

beforeAll(() => warmUpOpus(0));

interface Outcome {
  readonly relay: RelayDouble;
  readonly sent: readonly Sent[];
  /** Packets sent toward SIP Server in each 20 ms. */
  readonly pace: readonly number[];
}

/** Relays the packets, each `delay(index)` ms after its time; `lost` ones use up a number and are not sent. */
async function relayed(
  packets: readonly (Uint8Array | undefined)[],
  { delay = (_index: number): number => 0, lost = (_index: number): boolean => false } = {},
): Promise<Outcome> {
  const relay = await RelayDouble.connected(opus, pcmu);
  const pace: number[] = [];
  let sequence = 65_500;
  relay.pass(7);
  for (const [index, packet] of packets.entries()) {
    const before = relay.sentTo("trunk").length;
    const late = delay(index);
    relay.pass(late);
    if (packet && !lost(index)) relay.fromBrowser(rtp(111, sequence, index * 960, packet));
    if (packet) sequence++;
    relay.pass(20 - late);
    pace.push(relay.sentTo("trunk").length - before);
  }
  return { relay, sent: relay.sentTo("trunk"), pace };
}

function expectContinuous(sent: readonly Sent[]): void {
  sent.slice(1).forEach(({ header }, index) => {
    const before = sent[index]?.header;
    expect((header.sequence - (before?.sequence ?? 0)) & 0xffff).toBe(1);
    expect((header.timestamp - (before?.timestamp ?? 0)) >>> 0).toBe(160);
  });
}

function loudness(sent: readonly Sent[]): number {
  const pcm = fromCodes(Buffer.concat(sent.map(({ payload }) => payload)), "pcmu");
  return Math.sqrt(pcm.reduce((sum, sample) => sum + sample * sample, 0) / pcm.length);
}

const digitalSilence = ({ payload }: Sent): boolean => payload.every((code) => code === 0xff);

describe("a browser that is silent by DTX", () => {
  it("is heard by SIP Server without a hole: 50 frames a second, timestamps and numbers in step", async () => {
    const packets = await encodeDtx(talkAndPauses(8, 1000, 1500));
    const absent = packets.filter((packet) => !packet).length;
    expect(absent).toBeGreaterThan(100);
    const { relay, sent, pace } = await relayed(packets);
    expectContinuous(sent);
    expect(sent.length).toBeGreaterThanOrEqual(398);
    expect(sent.length).toBeLessThanOrEqual(400);
    // At the start of a silence one frame is waited for, on its end that one is sent beside the voice.
    expect(Math.max(...pace)).toBeLessThanOrEqual(3);
    expect(pace.filter((count) => count !== 1).length).toBeLessThan(30);
    expect(relay.session.statistics().browser).toMatchObject({
      packetsLost: 0,
      framesConcealed: 0,
      dropped: {},
    });
  });

  it("is heard as the noise of its room, not as digital silence", async () => {
    const sound = talkAndPauses(4, 1000, 3000);
    const { sent } = await relayed(await encodeDtx(sound));
    const quiet = sent.slice(100, 195);
    expect(quiet.filter(digitalSilence)).toEqual([]);
    const level = loudness(quiet);
    const room = Math.sqrt(sound.subarray(16_000).reduce((sum, sample) => sum + sample * sample, 0) / 16_000);
    expect(level).toBeGreaterThan(room / 4);
    expect(level).toBeLessThan(room * 2);
  });

  it.each([5, 15, 19])(
    "and whose packets come up to %i ms late stays without a jump of the timestamps",
    async (most) => {
      const { sent, relay } = await relayed(await encodeDtx(talkAndPauses(6, 700, 900)), {
        delay: (index) => (index * 7) % (most + 1),
      });
      expectContinuous(sent);
      expect(sent.length).toBeGreaterThanOrEqual(298);
      expect(relay.session.statistics().browser.dropped).toEqual({});
    },
  );

  it("and loses packets, the first of a sentence among them, has those recovered or guessed in their place", async () => {
    const packets = await encodeDtx(talkAndPauses(10, 900, 1100), true);
    const begins = (index: number): boolean =>
      !packets[index - 1] && (packets[index]?.length ?? 0) > 10 && (packets[index + 1]?.length ?? 0) > 10;
    const starts = packets.flatMap((_, index) => (index > 0 && begins(index) ? [index] : []));
    expect(starts.length).toBeGreaterThan(3);
    const { sent, relay } = await relayed(packets, { lost: (index) => starts.includes(index) });
    expectContinuous(sent);
    expect(sent.length).toBeGreaterThanOrEqual(498);
    const { framesConcealed, framesRecovered, packetsLost } = relay.session.statistics().browser;
    expect(packetsLost).toBe(starts.length);
    expect(framesConcealed + framesRecovered).toBe(starts.length);
    expect(framesRecovered).toBeGreaterThan(0);
  });

  it("and is not heard of any more gives way to plain silence after two seconds, at the same pace", async () => {
    const packets = await encodeDtx(talkAndPauses(2, 1000, 1000));
    const last = packets.findIndex((packet) => (packet?.length ?? 9) <= 2);
    const { sent, relay } = await relayed([
      ...packets.slice(0, last + 1),
      ...Array<undefined>(200).fill(undefined),
    ]);
    expectContinuous(sent);
    expect(sent.length).toBeGreaterThan(last + 195);
    expect(sent.slice(-50).every(digitalSilence)).toBe(true);
    expect(sent.slice(last + 5, last + 90).some(digitalSilence)).toBe(false);
    expect(relay.told).toEqual(["connected"]);
  });

  it("is not made up for while its worker is kept from reading, while held, nor while a key is down", async () => {
    const packets = await encodeDtx(talkAndPauses(2, 1000, 1000));
    const last = packets.findIndex((packet) => (packet?.length ?? 9) <= 2);
    const { relay } = await relayed(packets.slice(0, last + 1));
    const count = (): number => relay.sentTo("trunk").length;
    let before = count();
    relay.session.tick(relay.clock.now() + 100, false);
    expect(count()).toBe(before);
    relay.stall(1000);
    relay.session.tick(relay.clock.now());
    expect(count() - before).toBeLessThan(4);
    relay.describeTrunk({ direction: "inactive" });
    before = count();
    relay.pass(500);
    expect(count()).toBe(before);
    relay.describeTrunk();
    relay.session.sendDtmf("trunk", "5", 400);
    relay.pass(40);
    before = count();
    relay.pass(300);
    expect(
      relay
        .sentTo("trunk")
        .slice(before)
        .every(({ header }) => header.payloadType === 101),
    ).toBe(true);
  });
});

describe("comfort noise of SIP Server's (RFC 3389)", () => {
  it("is kept from the browser, and the voice after it stands in its true place", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    const codes = toCodes(voice(2), "pcmu");
    let sequence = 65_530;
    const talk = (from: number, count: number): void => {
      for (let index = from; index < from + count; index++) {
        relay.fromTrunk(rtp(0, sequence++, index * 160, codes.subarray(index * 160, index * 160 + 160)));
        relay.pass(20);
      }
    };
    talk(0, 20);
    for (let index = 20; index < 60; index += 10) {
      relay.fromTrunk(rtp(13, sequence++, index * 160, Buffer.from([60, 10, 20])));
      relay.pass(200);
    }
    talk(60, 20);
    const sent = relay.sentTo("browser");
    expect(sent).toHaveLength(40);
    expect(sent.every(({ header }) => header.payloadType === 111)).toBe(true);
    const steps = sent
      .slice(1)
      .map(({ header }, index) => (header.timestamp - (sent[index]?.header.timestamp ?? 0)) >>> 0);
    expect(steps).toEqual(Array.from({ length: 39 }, (_, index) => (index === 19 ? 41 * 960 : 960)));
    expect(sent[20]?.header.marker).toBe(true);
    expect(relay.session.statistics().trunk).toMatchObject({
      packetsLost: 0,
      framesConcealed: 0,
      packetsReordered: 0,
      dropped: { comfortNoise: 4 },
    });
  });
});

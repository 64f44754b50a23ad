import { describe, expect, it } from "vitest";
import { toCodes, tone, voice } from "../../support/sound.ts";
import { pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

const codes = toCodes(voice(10), "pcmu");
const frame = (index: number, samples = 160): Buffer =>
  codes.subarray((index % 500) * samples, (index % 500) * samples + samples);

/** Sends `count` 20 ms packets from the browser, one every 20 ms. */
function talk(relay: RelayDouble, first: number, count: number, { ssrc = 1, timestamp = 0 } = {}): void {
  for (let index = first; index < first + count; index++) {
    relay.fromBrowser(rtp(0, index, timestamp + index * 160, frame(index), { ssrc }));
    relay.pass(20);
  }
}

function expectContinuous(sent: readonly Sent[]): void {
  sent.forEach(({ header }, index) => {
    expect(header.ssrc).toBe(sent[0]?.header.ssrc);
    expect(header.sequence).toBe(((sent[0]?.header.sequence ?? 0) + index) & 0xffff);
  });
}

/** Timestamp steps between packets, in 20 ms frames. */
function steps(sent: readonly Sent[]): number[] {
  return sent
    .slice(1)
    .map(({ header }, index) => ((header.timestamp - (sent[index]?.header.timestamp ?? 0)) >>> 0) / 160);
}

const silent = (sent: Sent | undefined): boolean => sent?.payload.every((code) => code === 0xff) ?? false;

describe("the line toward a side", () => {
  it("goes on without a seam when the other side changes SSRC, numbers and timestamps", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    talk(relay, 0, 5);
    talk(relay, 40_000, 5, { ssrc: 2, timestamp: 0xdead0000 });
    const sent = relay.sentTo("trunk");
    expect(sent).toHaveLength(10);
    expectContinuous(sent);
    expect(steps(sent)).toEqual(Array(9).fill(1));
  });

  it("goes on without a seam when SIP Server moves the call to another address in mid-sentence", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 0; index < 5; index++) {
      relay.fromTrunk(rtp(0, index, index * 160, frame(index), { ssrc: 5 }));
      relay.pass(20);
    }
    relay.describeTrunk({ address: "192.0.2.11", port: 5000 });
    relay.fromTrunk(rtp(0, 5, 800, frame(5), { ssrc: 5 }));
    relay.fromTrunk(rtp(0, 900, 77, frame(6), { ssrc: 6 }), "192.0.2.11", 5000);
    const sent = relay.sentTo("browser");
    expect(sent).toHaveLength(6);
    expectContinuous(sent);
    expect(steps(sent)).toEqual(Array(5).fill(1));
    expect(relay.session.statistics().trunk.dropped).toEqual({ stranger: 1 });
    relay.fromBrowser(rtp(0, 1, 0, frame(1)));
    expect(relay.trunk.rtp.at(-1)).toMatchObject({ address: "192.0.2.11", port: 5000 });
  });

  it("shows a jump of the source's timestamps as the time that really passed", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    talk(relay, 0, 3);
    talk(relay, 3, 3, { timestamp: 1_000_000 });
    talk(relay, 6, 3, { timestamp: -5_000_000 });
    const sent = relay.sentTo("trunk");
    expect(sent).toHaveLength(9);
    expect(steps(sent)).toEqual(Array(8).fill(1));
  });

  it("covers lost packets in place, so that numbers and timestamps have no gap", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    const sound = toCodes(tone(200, 1), "pcmu");
    for (let index = 0; index < 20; index++) {
      if (index !== 10 && index !== 11)
        relay.fromBrowser(rtp(0, index, index * 160, sound.subarray(index * 160, index * 160 + 160)));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    expect(sent).toHaveLength(20);
    expectContinuous(sent);
    expect(steps(sent)).toEqual(Array(19).fill(1));
    expect(silent(sent[10])).toBe(false);
    expect(sent.map(({ header }) => header.marker).filter(Boolean)).toHaveLength(1);
    expect(relay.session.statistics().browser).toMatchObject({ framesConcealed: 2, packetsLost: 2 });
  });

  it("leaves a loss too long to guess as a gap of the timestamps, with the marker after it", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    talk(relay, 0, 3);
    relay.stall(400);
    talk(relay, 23, 3);
    const sent = relay.sentTo("trunk");
    expectContinuous(sent);
    expect(steps(sent)).toContain(21);
    expect(sent[3]?.header.marker).toBe(true);
    expect(relay.session.statistics().browser).toMatchObject({ framesConcealed: 0, packetsLost: 20 });
  });

  it("drops late and duplicate packets and counts them apart", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (const index of [0, 1, 5, 2, 5, 6]) relay.fromBrowser(rtp(0, index, index * 160, frame(index)));
    expect(relay.sentTo("trunk")).toHaveLength(7);
    expect(relay.session.statistics().browser.dropped).toEqual({ late: 1, duplicate: 1 });
  });
});

describe("packets of other lengths than 20 ms", () => {
  it.each([10, 20, 30, 40, 60])("makes 20 ms frames of %i ms packets, every sample in place", async (ms) => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    const samples = ms * 8;
    const count = 1200 / ms;
    for (let index = 0; index < count; index++) {
      relay.fromTrunk(rtp(0, index, index * samples, frame(index, samples)));
      relay.pass(ms);
    }
    const sent = relay.sentTo("browser");
    expect(sent.every(({ payload }) => payload.length === 160)).toBe(true);
    expect(Buffer.concat(sent.map(({ payload }) => payload))).toEqual(codes.subarray(0, 9600));
    expect(steps(sent)).toEqual(Array(59).fill(1));
    expect(relay.session.statistics().trunk.framesConcealed).toBe(0);
  });

  it("follows a change of packet length in mid-stream", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    let at = 0;
    for (const [index, samples] of [160, 240, 80, 480, 160, 80, 240].entries()) {
      relay.fromTrunk(rtp(0, index, at, codes.subarray(at, at + samples)));
      at += samples;
      relay.pass(samples / 8);
    }
    expect(Buffer.concat(relay.sentTo("browser").map(({ payload }) => payload))).toEqual(
      codes.subarray(0, at),
    );
  });

  it("refuses a payload longer than any telephone sends, and an empty one", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromTrunk(rtp(0, 1, 0, Buffer.alloc(1441)));
    relay.fromTrunk(rtp(0, 2, 0, Buffer.alloc(0)));
    expect(relay.sentTo("browser")).toEqual([]);
    expect(relay.session.statistics().trunk.dropped).toEqual({ malformed: 2 });
  });
});

describe("filling silence toward SIP Server", () => {
  it("sends a frame of silence every 20 ms when the browser sends nothing", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.pass(2200);
    const sent = relay.sentTo("trunk");
    expect(sent.length).toBeGreaterThanOrEqual(98);
    expect(sent.length).toBeLessThanOrEqual(102);
    expect(sent.every(silent)).toBe(true);
    expectContinuous(sent);
    expect(steps(sent)).toEqual(Array(sent.length - 1).fill(1));
    expect(relay.sentTo("browser")).toEqual([]);
  });

  it("fills a pause of the browser's and gives its voice the true place again afterwards", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    talk(relay, 0, 10);
    relay.pass(1000);
    for (let index = 10; index < 20; index++) {
      relay.fromBrowser(rtp(0, index, 8000 + index * 160, frame(index), { ssrc: 1 }));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    expectContinuous(sent);
    const first = sent[0]?.header.timestamp ?? 0;
    const back = sent.findIndex(({ payload }) => payload.equals(frame(10)));
    expect(((sent[back]?.header.timestamp ?? 0) - first) >>> 0).toBe(8000 + 10 * 160);
    expect(sent.slice(10, back).every(silent)).toBe(true);
    expect(back - 10).toBeGreaterThan(40);
    expect(sent.slice(back).map(({ payload }) => payload)).toEqual(
      Array.from({ length: 10 }, (_, index) => frame(10 + index)),
    );
    expect(steps(sent).every((step) => step >= 1)).toBe(true);
  });

  it("does not run away when the browser pauses again and again", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let burst = 0; burst < 50; burst++) {
      for (let index = 0; index < 5; index++) {
        relay.fromBrowser(rtp(0, burst * 5 + index, burst * 4000 + index * 160 + burst, frame(index)));
        relay.pass(20);
      }
      relay.pass(400 + (burst % 7) * 3 - 9);
    }
    const sent = relay.sentTo("trunk");
    const span = ((sent.at(-1)?.header.timestamp ?? 0) - (sent[0]?.header.timestamp ?? 0)) >>> 0;
    expect(Math.abs(span / 8 - relay.clock.now())).toBeLessThan(200);
  });

  it("throws away what a stalled network delivers in one burst after silence has taken its place", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    talk(relay, 0, 10);
    relay.pass(380);
    for (let index = 10; index < 30; index++)
      relay.fromBrowser(rtp(0, index, index * 160, frame(index), { ssrc: 1 }));
    talk(relay, 30, 10);
    const sent = relay.sentTo("trunk");
    expectContinuous(sent);
    const first = sent[0]?.header.timestamp ?? 0;
    const last = sent.at(-1);
    expect(last?.payload).toEqual(frame(39));
    expect((((last?.header.timestamp ?? 0) - first) >>> 0) / 160).toBeLessThanOrEqual(42);
    expect(relay.session.statistics().browser.dropped["late"]).toBeGreaterThan(5);
  });

  it("goes on behind the silence when the way has grown longer for good", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    talk(relay, 0, 10);
    relay.pass(380);
    talk(relay, 10, 50);
    const sent = relay.sentTo("trunk");
    expect(relay.session.statistics().browser.dropped["late"]).toBe(1);
    expect(sent.at(-1)?.payload).toEqual(frame(59));
    expect(sent.slice(-49).map(({ payload }) => payload)).toEqual(
      Array.from({ length: 49 }, (_, index) => frame(11 + index)),
    );
    expect(steps(sent).every((step) => step > 0 && step < 100)).toBe(true);
  });

  it("does not send a burst after the worker itself has stalled", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.pass(300);
    const before = relay.sentTo("trunk").length;
    relay.stall(10_000);
    relay.pass(20);
    expect(relay.sentTo("trunk").length - before).toBeGreaterThan(0);
    expect(relay.sentTo("trunk").length - before).toBeLessThan(5);
  });

  it("leaves it when the worker says that it was kept from reading what has come", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    talk(relay, 0, 10);
    relay.stall(400);
    relay.session.tick(relay.clock.now(), false);
    for (let index = 10; index < 30; index++)
      relay.fromBrowser(rtp(0, index, index * 160, frame(index), { ssrc: 1 }));
    const sent = relay.sentTo("trunk");
    expect(sent).toHaveLength(30);
    expect(steps(sent)).toEqual(Array(29).fill(1));
    expect(relay.session.statistics().browser.dropped).toEqual({});
  });

  it.each([
    ["before connect", (relay: RelayDouble) => relay.describeTrunk(), false],
    ["while inactive", (relay: RelayDouble) => relay.describeTrunk({ direction: "inactive" }), true],
    ["while only receiving", (relay: RelayDouble) => relay.describeTrunk({ direction: "recvonly" }), true],
    ["while held at 0.0.0.0", (relay: RelayDouble) => relay.describeTrunk({ address: "0.0.0.0" }), true],
    ["while held at port 0", (relay: RelayDouble) => relay.describeTrunk({ port: 0 }), true],
  ])("fills nothing %s", async (_name, describeTrunk, connect) => {
    const relay = new RelayDouble();
    relay.describeBrowser();
    describeTrunk(relay);
    if (connect) relay.session.connect();
    relay.up();
    await relay.settle();
    relay.pass(2000);
    expect(relay.trunk.rtp).toEqual([]);
  });
});

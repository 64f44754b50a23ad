import { beforeAll, describe, expect, it } from "vitest";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { writeEvent, readEvent } from "../../../src/media/dtmf/event.ts";
import type { Payload } from "../../../src/media/contract.ts";
import { opus, parse, pcmu, RelayDouble, rtp, type Sent } from "./relay-double.ts";

const payload = Buffer.alloc(160, 0x33);

function eventPacket(
  payloadType: number,
  sequence: number,
  timestamp: number,
  event: { code?: number; end?: boolean; duration: number },
  ssrc = 1,
): Buffer {
  const body = Buffer.alloc(4);
  writeEvent(body, 0, { code: 5, end: false, volume: 10, ...event });
  return rtp(payloadType, sequence, timestamp, body, { ssrc, marker: event.duration <= 960 });
}

function eventsOf(
  sent: readonly Sent[],
  payloadType: number,
): { code: number; end: boolean; duration: number; timestamp: number; marker: boolean }[] {
  return sent
    .filter(({ header }) => header.payloadType === payloadType)
    .map(({ header, payload: body }) => {
      const event = { code: 0, end: false, volume: 0, duration: 0 };
      readEvent(body, 0, body.length, event);
      const { code, end, duration } = event;
      return { code, end, duration, timestamp: header.timestamp, marker: header.marker };
    });
}

/** What Chromium sends for a key held 100 ms: audio stops, events every 20 ms, three ends. */
function pressLikeChromium(
  relay: RelayDouble,
  payloadType: number,
  rate: number,
  sequence: number,
  timestamp: number,
): number {
  const step = rate / 50;
  let next = sequence;
  for (let index = 1; index <= 5; index++) {
    relay.fromBrowser(eventPacket(payloadType, next++, timestamp, { duration: index * step }));
    relay.pass(20);
  }
  for (let index = 0; index < 3; index++) {
    relay.fromBrowser(eventPacket(payloadType, next++, timestamp, { duration: 6 * step, end: true }));
    relay.pass(20);
  }
  return next;
}

// As the worker does before it is ready: the codec is loaded before the first call.
beforeAll(() => warmUpOpus(0));

describe("digits pressed in the browser", () => {
  it("reach SIP Server at 8 kHz on the timestamps of our own line, and are told once", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    pressLikeChromium(relay, 110, 48000, 100, 960_000);
    const sent = relay.sentTo("trunk");
    const events = eventsOf(sent, 101);
    expect(events.map(({ duration, end }) => [duration, end])).toEqual([
      [160, false],
      [320, false],
      [480, false],
      [640, false],
      [800, false],
      [960, true],
      [960, true],
      [960, true],
    ]);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(events.map(({ marker }) => marker)).toEqual([true, ...Array(7).fill(false)]);
    expect(events.every(({ code }) => code === 5)).toBe(true);
    expect(relay.told).toEqual(["connected", "dtmf browser 5"]);
  });

  it("stand where the audio before and after leaves room, on one line", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 0; index < 5; index++) {
      relay.fromBrowser(rtp(0, index, index * 160, payload, { ssrc: 1 }));
      relay.pass(20);
    }
    const next = pressLikeChromium(relay, 101, 8000, 5, 800);
    for (let index = 0; index < 5; index++) {
      relay.fromBrowser(rtp(0, next + index, 800 + 1280 + index * 160, payload, { ssrc: 1 }));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    const base = sent[0]?.header.timestamp ?? 0;
    const audio = sent
      .filter(({ header }) => header.payloadType === 0)
      .map(({ header }) => (header.timestamp - base) >>> 0);
    expect(eventsOf(sent, 101).map(({ timestamp }) => (timestamp - base) >>> 0)).toEqual(Array(8).fill(800));
    expect(audio).toEqual([0, 160, 320, 480, 640, 2080, 2240, 2400, 2560, 2720]);
    sent.forEach(({ header }, index) =>
      expect(header.sequence).toBe(((sent[0]?.header.sequence ?? 0) + index) & 0xffff),
    );
    expect(relay.session.statistics().browser.framesConcealed).toBe(0);
  });

  it("are ended three times though the browser's ends are lost", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(eventPacket(101, 1, 0, { duration: 160 }));
    relay.pass(20);
    relay.fromBrowser(eventPacket(101, 2, 0, { duration: 320, end: true }));
    relay.pass(200);
    expect(eventsOf(relay.sentTo("trunk"), 101).map(({ end }) => end)).toEqual([false, true, true, true]);
  });

  it("are told and relayed when only the end of the event came through", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(eventPacket(101, 1, 0, { duration: 800, end: true, code: 11 }));
    relay.pass(200);
    expect(relay.told).toContain("dtmf browser #");
    const events = eventsOf(relay.sentTo("trunk"), 101);
    expect(events.filter(({ end }) => end)).toHaveLength(3);
    expect(events.every(({ duration }) => duration === 800)).toBe(true);
  });

  it("are not followed by silence frames while the key is down", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 1; index <= 50; index++) {
      relay.fromBrowser(eventPacket(101, index, 0, { duration: index * 160 }));
      relay.pass(20);
    }
    expect(relay.sentTo("trunk").filter(({ header }) => header.payloadType === 0)).toEqual([]);
  });

  it("are counted and still told when SIP Server takes no events", async () => {
    const plain: Payload = { codec: "pcmu", payloadType: 0 };
    const relay = await RelayDouble.connected(pcmu, plain);
    pressLikeChromium(relay, 101, 8000, 1, 0);
    expect(relay.told).toEqual(["connected", "dtmf browser 5"]);
    expect(relay.session.statistics().browser.dropped).toEqual({ dtmfUnsent: 1 });
    expect(eventsOf(relay.sentTo("trunk"), 101)).toEqual([]);
  });

  it("that are no DTMF (flash) are relayed but told as no digit", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(eventPacket(101, 1, 0, { code: 16, duration: 160 }));
    expect(relay.told).toEqual(["connected"]);
    expect(eventsOf(relay.sentTo("trunk"), 101)).toHaveLength(1);
  });

  it("counts an event too short to be one", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(rtp(101, 1, 0, Buffer.alloc(3)));
    expect(relay.session.statistics().browser.dropped).toEqual({ malformed: 1 });
  });
});

describe("digits from SIP Server", () => {
  it("reach the browser at 48 kHz", async () => {
    const relay = await RelayDouble.connected(opus, pcmu);
    for (let index = 1; index <= 5; index++) {
      relay.fromTrunk(eventPacket(101, index, 4000, { duration: index * 160, end: index === 5 }));
      relay.pass(20);
    }
    relay.pass(100);
    expect(relay.told).toContain("dtmf trunk 5");
    expect(eventsOf(relay.sentTo("browser"), 110).map(({ duration, end }) => [duration, end])).toEqual([
      [960, false],
      [1920, false],
      [2880, false],
      [3840, false],
      [4800, true],
      [4800, true],
      [4800, true],
    ]);
  });
});

describe("digits of our own", () => {
  it("replace the audio while they last, which then goes on in its place", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.session.sendDtmf("trunk", "7", 100);
    for (let index = 0; index < 30; index++) {
      relay.fromBrowser(rtp(0, index, index * 160, payload, { ssrc: 1 }));
      relay.pass(20);
    }
    const sent = relay.sentTo("trunk");
    const events = eventsOf(sent, 101);
    expect(events.at(-1)).toMatchObject({ code: 7, end: true, duration: 800 });
    expect(events.filter(({ end }) => end)).toHaveLength(3);
    const base = sent[0]?.header.timestamp ?? 0;
    const audio = sent
      .filter(({ header }) => header.payloadType === 0)
      .map(({ header }) => ((header.timestamp - base) >>> 0) / 160);
    expect(audio).toHaveLength(25);
    expect(audio.at(-1)).toBe(29);
    sent.forEach(({ header }, index) =>
      expect(header.sequence).toBe(((sent[0]?.header.sequence ?? 0) + index) & 0xffff),
    );
  });

  it("go out on an idle line too, at the time it has got to", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.session.sendDtmf("browser", "12", 80);
    relay.pass(1000);
    const events = eventsOf(relay.sentTo("browser"), 101);
    expect(events.filter(({ end }) => end).map(({ code }) => code)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(2);
  });

  it("are counted where there is no way to send them", async () => {
    const relay = await RelayDouble.connected(pcmu, { codec: "pcmu", payloadType: 0 });
    relay.session.sendDtmf("trunk", "123", undefined);
    relay.pass(1000);
    expect(relay.session.statistics().trunk.dropped).toEqual({ dtmfUnsent: 3 });
  });
});

describe("event packets beyond all reason", () => {
  it("are not told and not relayed faster than anybody dials", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    for (let index = 0; index < 1000; index++) {
      relay.fromBrowser(eventPacket(101, index, index * 160, { duration: 160 }));
      if (index % 10 === 9) relay.pass(20);
    }
    // 2 s: the burst at once, then some 20 a second.
    expect(relay.told.filter((told) => told.startsWith("dtmf")).length).toBeLessThan(80);
    expect(relay.session.statistics().browser.dropped.dtmfRate).toBeGreaterThan(900);
    relay.pass(5000);
    relay.fromBrowser(eventPacket(101, 2000, 900_000, { code: 9, duration: 160 }));
    expect(relay.told.at(-1)).toBe("dtmf browser 9");
  });

  it("of ours beyond what can wait are dropped and counted", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.session.sendDtmf("trunk", "1".repeat(10_000), 40);
    expect(relay.session.statistics().trunk.dropped).toEqual({ dtmfUnsent: 10_000 - 128 });
  });
});

describe("a digit under way while the worker was kept from reading", () => {
  it("keeps its length: what came meanwhile is read before it is taken for abandoned", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(eventPacket(101, 1, 8000, { duration: 160 }));
    relay.stall(1000);
    relay.session.tick(relay.clock.now(), false);
    relay.fromBrowser(eventPacket(101, 2, 8000, { duration: 480 }));
    relay.fromBrowser(eventPacket(101, 3, 8000, { duration: 800, end: true }));
    relay.pass(100);
    const events = eventsOf(relay.sentTo("trunk"), 101);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(events.filter(({ end }) => end).map(({ duration }) => duration)).toEqual([800, 800, 800]);
  });
});

describe("a key that is down", () => {
  it("while SIP Server moves the call to another address is one press there, ended there", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(eventPacket(101, 1, 8000, { duration: 160 }));
    relay.describeTrunk({ address: "192.0.2.11", port: 5000 });
    relay.pass(20);
    relay.fromBrowser(eventPacket(101, 2, 8000, { duration: 320 }));
    relay.fromBrowser(eventPacket(101, 3, 8000, { duration: 480, end: true }));
    relay.pass(100);
    const there = relay.trunk.rtp
      .filter(({ address }) => address === "192.0.2.11")
      .map(({ packet }) => parse(packet));
    const events = eventsOf(there, 101);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(events.filter(({ end }) => end)).toHaveLength(3);
    expect(relay.told.filter((told) => told.startsWith("dtmf"))).toEqual(["dtmf browser 5"]);
  });

  it("while the call is held and retrieved is not pressed a second time", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.fromBrowser(eventPacket(101, 1, 8000, { duration: 160 }));
    relay.describeTrunk({ direction: "inactive" });
    relay.pass(40);
    relay.fromBrowser(eventPacket(101, 2, 8000, { duration: 480 }));
    relay.describeTrunk({ direction: "sendrecv" });
    relay.fromBrowser(eventPacket(101, 3, 8000, { duration: 640 }));
    relay.fromBrowser(eventPacket(101, 4, 8000, { duration: 800, end: true }));
    relay.pass(100);
    const events = eventsOf(relay.sentTo("trunk"), 101);
    expect(new Set(events.map(({ timestamp }) => timestamp)).size).toBe(1);
    expect(relay.told.filter((told) => told.startsWith("dtmf"))).toEqual(["dtmf browser 5"]);
    pressLikeChromium(relay, 101, 8000, 5, 16_000);
    expect(new Set(eventsOf(relay.sentTo("trunk"), 101).map(({ timestamp }) => timestamp)).size).toBe(2);
  });

  it("on a held line is told, counted as unsent and never sent later", async () => {
    const relay = await RelayDouble.connected(pcmu, pcmu);
    relay.describeTrunk({ direction: "inactive" });
    relay.fromBrowser(eventPacket(101, 1, 8000, { duration: 160, end: true }));
    expect(eventsOf(relay.sentTo("trunk"), 101)).toEqual([]);
    expect(relay.session.statistics().browser.dropped).toEqual({ dtmfUnsent: 1 });
    relay.pass(1000);
    relay.describeTrunk({ direction: "sendrecv" });
    relay.fromBrowser(eventPacket(101, 2, 16_000, { code: 6, duration: 160, end: true }));
    expect(eventsOf(relay.sentTo("trunk"), 101).map(({ code }) => code)).toContain(6);
    expect(eventsOf(relay.sentTo("trunk"), 101).map(({ code }) => code)).not.toContain(5);
  });
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { assemble, compress, expand, soundBytes } from "../../src/sandbox/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { dialogOfAnswer, request, response, sdp, type Endpoint } from "./support/endpoint.ts";
import { ack, beAnswered, dial, Lab, turns, until } from "./support/lab.ts";
import { portOf, RtpPhone } from "./support/rtp-phone.ts";

let lab: Lab;
let clock: FakeClock;
let agent: Endpoint;
let rtp: RtpPhone;

beforeEach(async () => {
  clock = new FakeClock();
  lab = await Lab.open(clock);
  agent = await lab.registered("5001");
  rtp = await RtpPhone.open();
});

afterEach(async () => {
  rtp.close();
  await lab.close();
});

/** Plays `frames` beats and waits for their packets. */
async function hear(frames: number): Promise<void> {
  const wanted = rtp.got.length + frames;
  clock.advance(frames * 20);
  await until(() => rtp.got.length >= wanted, `${wanted} packets, have ${rtp.got.length}`);
}

/** 440 Hz as G.711 says it, computed here from the formula and a table-free reference of the law. */
function referenceTone(samples: number): number[] {
  return Array.from({ length: samples }, (_, n) =>
    Math.round(8000 * Math.sin((2 * Math.PI * 440 * n) / 8000)),
  );
}

describe("G.711 of the sandbox", () => {
  test("expands to the anchor values of the ITU tables", () => {
    expect([0xff, 0x7f, 0x80, 0x00, 0xf0, 0x8f].map((byte) => expand("pcmu", byte))).toEqual([
      0, 0, 32124, -32124, 120, 16764,
    ]);
    expect([0xd5, 0x55, 0xaa, 0x2a, 0x80].map((byte) => expand("pcma", byte))).toEqual([
      8, -8, 32256, -32256, 5504,
    ]);
  });

  test("compresses what it expands back to the same byte, and errs by half a step at most", () => {
    for (const law of ["pcmu", "pcma"] as const) {
      for (let byte = 0; byte < 256; byte++) {
        // 0x7f of PCMU is minus zero, which is written 0xff.
        if (law === "pcmu" && byte === 0x7f) continue;
        expect(compress(law, expand(law, byte))).toBe(byte);
      }
      for (let sample = -32635; sample <= 32635; sample += 89) {
        const byte = compress(law, sample);
        // Half a step of the byte's segment (ITU-T G.711 tables 1 and 2, scaled to 16 bits).
        const segment = ((law === "pcmu" ? ~byte : byte ^ 0x55) >> 4) & 7;
        const half = law === "pcmu" ? 4 << segment : 8 << Math.max(0, segment - 1);
        expect(Math.abs(expand(law, byte) - sample), `${law} ${sample}`).toBeLessThanOrEqual(half);
      }
    }
  });
});

describe("numbers that sound", () => {
  test("the tone number sends 440 Hz, exact to the sample from sample 0 on, in packets of 20 ms", async () => {
    await dial(agent, "9197", rtp.port);
    await hear(100);
    const bytes = Buffer.concat(rtp.got.map((packet) => packet.payload));
    expect(bytes.length).toBe(16_000);
    expect([...bytes]).toEqual(referenceTone(16_000).map((sample) => compress("pcmu", sample)));
    const [first] = rtp.got;
    rtp.got.forEach((packet, index) => {
      expect(packet.sequence).toBe(((first?.sequence ?? 0) + index) & 0xffff);
      expect(packet.timestamp).toBe(((first?.timestamp ?? 0) + index * 160) >>> 0);
      expect([packet.ssrc, packet.payloadType, packet.marker]).toEqual([first?.ssrc, 0, index === 0]);
    });
    expect(bytes.equals(soundBytes({ kind: "tone", frequencyHz: 440 }, "pcmu", 0, 16_000))).toBe(true);
  });

  test("the tone number speaks PCMA when that alone is offered", async () => {
    agent.request("INVITE", "sip:9197@127.0.0.1", [agent.contact], sdp(rtp.port, { codecs: "8" }));
    const ok = await agent.next((seen) => seen.status === 200 && seen.method === "INVITE");
    expect(ok.body).toContain("RTP/AVP 8\r\n");
    await hear(5);
    const bytes = Buffer.concat(rtp.got.map((packet) => packet.payload));
    expect([...bytes]).toEqual(referenceTone(800).map((sample) => compress("pcma", sample)));
    expect(rtp.got[0]?.payloadType).toBe(8);
  });

  test("the echo number returns every payload bit for bit, gaps, markers and digits included", async () => {
    const ok = await dial(agent, "9196", rtp.port);
    const to = portOf(ok.body);
    const sent = [0, 1, 2, 4, 5].map((n) => ({
      payloadType: n === 5 ? 101 : 0,
      marker: n === 0 || n === 5,
      sequence: (65_534 + n) & 0xffff,
      timestamp: (2 ** 32 - 200 + n * 160) >>> 0,
      payload:
        n === 5
          ? Buffer.from([5, 10, 0, 160])
          : Buffer.from(Array.from({ length: 160 }, (_, i) => (i * 7 + n) & 0xff)),
    }));
    for (const packet of sent) rtp.send(to, packet);
    await until(() => rtp.got.length === 5);
    const [first] = rtp.got;
    rtp.got.forEach((packet, index) => {
      const original = sent[index];
      expect(packet.payload.equals(original?.payload ?? Buffer.alloc(0))).toBe(true);
      expect([packet.payloadType, packet.marker, packet.port]).toEqual([
        original?.payloadType,
        original?.marker,
        to,
      ]);
      expect((packet.sequence - (first?.sequence ?? 0)) & 0xffff).toBe([0, 1, 2, 4, 5][index]);
      expect((packet.timestamp - (first?.timestamp ?? 0)) >>> 0).toBe([0, 160, 320, 640, 800][index]);
      expect(packet.ssrc).toBe(first?.ssrc);
      expect(packet.ssrc).not.toBe(7);
    });
    expect(lab.sandbox.calls()[0]?.parties[1]?.media).toMatchObject({
      packetsReceived: 5,
      packetsSent: 5,
      digits: "5",
    });
  });

  test("the echo keeps one sequence line when the sender's SSRC changes", async () => {
    const to = portOf((await dial(agent, "9196", rtp.port)).body);
    const payload = Buffer.alloc(160, 1);
    rtp.send(to, { payloadType: 0, sequence: 100, timestamp: 5000, ssrc: 1, payload });
    rtp.send(to, { payloadType: 0, sequence: 9, timestamp: 77, ssrc: 2, payload });
    await until(() => rtp.got.length === 2);
    const [one, two] = rtp.got;
    expect(((two?.sequence ?? 0) - (one?.sequence ?? 0)) & 0xffff).toBe(1);
    expect(((two?.timestamp ?? 0) - (one?.timestamp ?? 0)) >>> 0).toBe(160);
  });

  test("a recording holds what came, and can be laid out by timestamp", async () => {
    const to = portOf((await dial(agent, "9196", rtp.port)).body);
    const uuid = lab.sandbox.calls()[0]?.uuid ?? "";
    const frame = (value: number): Buffer => Buffer.alloc(160, value);
    rtp.send(to, { payloadType: 0, sequence: 1, timestamp: 0, payload: frame(9) });
    await until(() => rtp.got.length === 1);
    expect(lab.sandbox.recording(uuid)).toEqual([]);
    lab.sandbox.record(uuid);
    rtp.send(to, { payloadType: 0, sequence: 2, timestamp: 160, payload: frame(1) });
    rtp.send(to, { payloadType: 0, sequence: 4, timestamp: 480, payload: frame(3) });
    await until(() => rtp.got.length === 3);
    const packets = lab.sandbox.recording(uuid);
    expect(packets.map((packet) => packet.sequence)).toEqual([2, 4]);
    expect(packets[0]?.from.port).toBe(rtp.port);
    expect([...assemble(packets, 0, 0xff)]).toEqual([...frame(1), ...frame(0xff), ...frame(3)]);
    lab.sandbox.hangUp(uuid);
    expect(lab.sandbox.recording(uuid)).toHaveLength(2);
  });

  test("the digits number sends each key as RFC 4733 events: one timestamp, three ends, growing duration", async () => {
    await dial(agent, "9205", rtp.port);
    await hear(25 + 4 * 12);
    const events = rtp.got.filter((packet) => packet.payloadType === 101);
    expect(events).toHaveLength(32);
    expect(rtp.got.findIndex((packet) => packet.payloadType === 101)).toBe(25);
    for (let key = 0; key < 4; key++) {
      const row = events.slice(key * 8, key * 8 + 8);
      expect(new Set(row.map((packet) => packet.timestamp)).size).toBe(1);
      expect(row.map((packet) => packet.payload[0])).toEqual(Array(8).fill([1, 2, 3, 11][key]));
      expect(row.map((packet) => (packet.payload[1] ?? 0) >> 7)).toEqual([0, 0, 0, 0, 0, 1, 1, 1]);
      expect(row.map((packet) => packet.payload.readUInt16BE(2))).toEqual([
        160, 320, 480, 640, 800, 800, 800, 800,
      ]);
      expect(row.map((packet) => packet.marker)).toEqual([true, ...Array(7).fill(false)]);
    }
  });

  test("early media sounds before the answer, another number after it", async () => {
    agent.request("INVITE", "sip:9201@127.0.0.1", [agent.contact], sdp(rtp.port));
    const early = await agent.next((seen) => seen.status === 183);
    expect(early.body).toContain("m=audio");
    await hear(3);
    expect(
      Buffer.concat(rtp.got.map((packet) => packet.payload)).equals(
        soundBytes({ kind: "tone", frequencyHz: 425 }, "pcmu", 0, 480),
      ),
    ).toBe(true);
    expect(agent.count((seen) => seen.status === 200 && seen.method === "INVITE")).toBe(0);
    clock.advance(2000);
    const ok = await agent.next((seen) => seen.status === 200 && seen.method === "INVITE");
    expect(portOf(ok.body)).toBe(portOf(early.body));
  });

  test("rtp loss takes packets both ways and no SIP", async () => {
    lab.sandbox.faults.drop(1, 1, "rtp");
    await dial(agent, "9197", rtp.port);
    clock.advance(200);
    await until(() => (lab.sandbox.calls()[0]?.parties[1]?.media?.packetsSent ?? 0) >= 10);
    lab.sandbox.faults.drop(0, 1, "rtp");
    await hear(1);
    expect(rtp.got).toHaveLength(1);
  });

  test("a far number that moves sends from its new port with a new SSRC, and hears on both until then", async () => {
    await lab.sandbox.ring("5001", "1003", { sound: { kind: "tone", frequencyHz: 440 } });
    const { invite } = await beAnswered(agent, rtp.port);
    await hear(1);
    clock.advance(10);
    const offerless = await agent.next(request("INVITE"));
    agent.answer(offerless, 200, { body: sdp(rtp.port) });
    const acked = await agent.next(request("ACK"));
    expect(portOf(acked.body)).not.toBe(portOf(invite.body));
    await until(() => lab.sandbox.calls()[0]?.parties[0]?.media?.local.port === portOf(acked.body));
    const frame = { payloadType: 0, sequence: 1, timestamp: 0, payload: Buffer.alloc(160) };
    rtp.send(portOf(invite.body), frame);
    rtp.send(portOf(acked.body), frame);
    await until(() => (lab.sandbox.calls()[0]?.parties[0]?.media?.packetsReceived ?? 0) > 0);
    expect(lab.sandbox.calls()[0]?.parties[0]?.media?.packetsReceived).toBe(1);
    const before = rtp.got.at(-1);
    rtp.got.length = 0;
    await hear(2);
    expect(rtp.got.map((packet) => packet.port)).toEqual([portOf(acked.body), portOf(acked.body)]);
    expect(rtp.got[0]?.ssrc).not.toBe(before?.ssrc);
  });

  test("the held agent hears music, and no more of it after the retrieve", async () => {
    await lab.close();
    // The renegotiation after the answer is put off beyond the test.
    lab = await Lab.open(clock, { renegotiateAfterMs: 60_000 });
    agent = await lab.registered("5001");
    const callee = await lab.registered("5002");
    agent.request("INVITE", "sip:5002@127.0.0.1", [agent.contact], sdp(40_000));
    const incoming = await callee.next(request("INVITE"));
    callee.answer(incoming, 200, { body: sdp(rtp.port) });
    const ok = await agent.next(response(200, "INVITE"));
    ack(agent, ok);
    await callee.next(request("ACK"));
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
    agent.inDialog(dialogOfAnswer(ok), "INVITE", 60, sdp(40_000, { direction: "sendonly" }));
    await agent.next((seen) => seen.status === 200 && seen.header("CSeq") === "60 INVITE");
    agent.inDialog(dialogOfAnswer(ok), "ACK", 60);
    const music = await callee.next(request("INVITE"));
    callee.answer(music, 200, { body: sdp(rtp.port, { direction: "recvonly" }) });
    await callee.next(request("ACK"));
    await hear(5);
    expect(rtp.got[0]?.payload.equals(soundBytes({ kind: "music" }, "pcmu", 0, 160))).toBe(true);
    expect(rtp.got.every((packet) => packet.port === portOf(music.body))).toBe(true);
    agent.inDialog(dialogOfAnswer(ok), "INVITE", 61, sdp(40_000));
    callee.answer(await callee.next(request("INVITE")), 200, { body: sdp(rtp.port) });
    await agent.next((seen) => seen.status === 200 && seen.header("CSeq") === "61 INVITE");
    agent.inDialog(dialogOfAnswer(ok), "ACK", 61);
    await until(() => lab.sandbox.calls()[0]?.parties[0]?.holding === false);
    const heard = rtp.got.length;
    clock.advance(200);
    await turns(50);
    expect(rtp.got).toHaveLength(heard);
  });
});

import { silentLogger, systemRandom } from "../../../src/core/index.ts";
import type { Payload } from "../../../src/media/index.ts";
import { RelaySession } from "../../../src/media/relay/session.ts";
import type { RelayTransport, RelayTransportHandlers } from "../../../src/media/relay/transport.ts";
import type { TrunkSocket } from "../../../src/media/relay/trunk-socket.ts";
import { rtpHeaderLength, writeRtpHeader } from "../../../src/media/rtp/packet.ts";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import { cpuUs } from "../calibration.ts";
import { makeVoice, type Band, type BenchCodec, type Voice } from "../voices.ts";
import type { Stage, StageSize } from "./stage.ts";

const calls = 20;
const frameMs = 20;
const trunkAddress = { address: "192.0.2.10", port: 40_000 };
const payloads: Readonly<Record<BenchCodec, Payload>> = {
  opus: { codec: "opus", payloadType: 111, telephoneEvent: { payloadType: 110, clockRate: 48_000 } },
  pcmu: { codec: "pcmu", payloadType: 0, telephoneEvent: { payloadType: 101, clockRate: 8000 } },
};
const frameTicks = { opus: 960, pcmu: 160 } as const;

class SilentTrunk implements TrunkSocket {
  readonly port = 10_000;
  onRtp: TrunkSocket["onRtp"] = () => {};
  onRtcp: TrunkSocket["onRtcp"] = () => {};
  sent = 0;
  sendRtp(): boolean {
    this.sent++;
    return true;
  }
  sendRtcp(): boolean {
    return true;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

class SilentTransport implements RelayTransport {
  readonly local = { iceUfrag: "u", icePwd: "p", fingerprint: { algorithm: "sha-256", value: "AB" } };
  readonly connected = true;
  readonly lastConsentAt = undefined;
  readonly dropped = {};
  readonly handlers: RelayTransportHandlers;
  sent = 0;
  constructor(handlers: RelayTransportHandlers) {
    this.handlers = handlers;
  }
  setRemote(): void {}
  upkeep(): void {}
  sendRtp(): boolean {
    this.sent++;
    return true;
  }
  sendRtcp(): boolean {
    return true;
  }
  restartIce(): SilentTransport["local"] {
    return this.local;
  }
  close(): void {}
}

/** What a far end sends: the frames of its voice, numbered. */
class Line {
  readonly #voice: Voice;
  readonly #codec: BenchCodec;
  readonly #packet = Buffer.alloc(1500);
  #next: number;
  constructor(voice: Voice, codec: BenchCodec, first: number) {
    this.#voice = voice;
    this.#codec = codec;
    this.#next = first;
  }
  next(): Buffer {
    const index = this.#next++;
    const payload = this.#voice.frames[index % this.#voice.frames.length] ?? Buffer.alloc(0);
    const { payloadType } = payloads[this.#codec];
    writeRtpHeader(
      this.#packet,
      payloadType,
      false,
      index & 0xffff,
      (index * frameTicks[this.#codec]) >>> 0,
      0x77,
    );
    payload.copy(this.#packet, rtpHeaderLength);
    return this.#packet.subarray(0, rtpHeaderLength + payload.length);
  }
}

interface Call {
  readonly session: RelaySession;
  readonly transport: SilentTransport;
  readonly trunk: SilentTrunk;
  readonly browserLine: Line;
  readonly trunkLine: Line;
}

/** Sessions between doubles on a clock of their own, all running in step. */
class Calls {
  readonly #clock = new FakeClock();
  readonly #all: Call[] = [];

  static async open(codec: BenchCodec, band: Band): Promise<Calls> {
    const made = new Calls();
    const [spoken, played] = [await makeVoice(codec, band), await makeVoice("pcmu", band, 2)];
    for (let index = 0; index < calls; index++) made.#add(codec, spoken, played, index * 13);
    // Codecs are made meanwhile.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
    return made;
  }

  #add(codec: BenchCodec, spoken: Voice, played: Voice, first: number): void {
    const trunk = new SilentTrunk();
    let transport: SilentTransport | undefined;
    const nothing = (): void => {};
    const session = new RelaySession({
      openTransport: (handlers) => (transport = new SilentTransport(handlers)),
      trunk,
      clock: this.#clock,
      random: systemRandom,
      log: silentLogger,
      trunkSource: "address",
      idleMs: 0,
      qualityMs: 5000,
      listener: {
        connected: nothing,
        dtmf: nothing,
        quality: nothing,
        idle: nothing,
        failed: (reason) => {
          throw new Error(reason);
        },
      },
    });
    if (!transport) throw new Error("no transport");
    session.setBrowserRemote({
      iceUfrag: "far",
      fingerprints: [{ algorithm: "sha-256", value: "CD" }],
      payload: payloads[codec],
      direction: "sendrecv",
    });
    session.setTrunkRemote({ ...trunkAddress, payload: payloads.pcmu, direction: "sendrecv" });
    session.connect();
    transport.handlers.onConnected();
    const lines = { browserLine: new Line(spoken, codec, first), trunkLine: new Line(played, "pcmu", first) };
    this.#all.push({ session, transport, trunk, ...lines });
  }

  /** CPU of `frames` frames of all calls, us per packet, resp. per call and tick. */
  run(frames: number): { toTrunk: number; toBrowser: number; tick: number } {
    const used = { toTrunk: 0, toBrowser: 0, tick: 0 };
    const sentBefore = this.#sent();
    for (let frame = 0; frame < frames; frame++) {
      this.#clock.advance(frameMs);
      const fromBrowser = this.#all.map(({ browserLine }) => browserLine.next());
      const fromTrunk = this.#all.map(({ trunkLine }) => trunkLine.next());
      const start = cpuUs();
      for (const [index, { transport }] of this.#all.entries()) {
        const packet = fromBrowser[index];
        if (packet) transport.handlers.onRtp(packet, packet.length);
      }
      const half = cpuUs();
      for (const [index, { trunk }] of this.#all.entries()) {
        const packet = fromTrunk[index];
        if (packet) trunk.onRtp(packet, packet.length, trunkAddress.address, trunkAddress.port);
      }
      const both = cpuUs();
      for (const { session } of this.#all) session.tick(this.#clock.now());
      used.toTrunk += half - start;
      used.toBrowser += both - half;
      used.tick += cpuUs() - both;
    }
    const packets = frames * calls;
    if (this.#sent() - sentBefore < packets * 2 * 0.98) throw new Error("the relay did not relay");
    return {
      toTrunk: used.toTrunk / packets,
      toBrowser: used.toBrowser / packets,
      tick: used.tick / packets,
    };
  }

  #sent(): number {
    return this.#all.reduce((sum, { transport, trunk }) => sum + transport.sent + trunk.sent, 0);
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ session }) => session.close()));
  }
}

/** The whole relay without sockets and SRTP: `RelaySession` from one double to the other. */
export async function relayStages({ dear }: StageSize): Promise<Stage[]> {
  const kinds = [
    ["opus", "narrow", "Opus 24k", "Opus"],
    ["opus", "full", "Opus full band 32k", "Opus (its browser full band)"],
    ["pcmu", "narrow", "PCMU", "PCMU"],
  ] as const;
  const stages: Stage[] = [];
  for (const [codec, band, from, to] of kinds) {
    const running = await Calls.open(codec, band);
    let last = { toTrunk: 0, toBrowser: 0, tick: 0 };
    stages.push(
      {
        name: `relay without sockets, from browser: ${from} -> PCMU`,
        measure: () => {
          last = running.run(Math.ceil(dear / calls));
          return last.toTrunk;
        },
        close: () => running.close(),
      },
      // Measured together with the first, as a call is both ways.
      { name: `relay without sockets, from trunk: PCMU -> ${to}`, measure: () => last.toBrowser },
      { name: `relay's tick, per call (${from})`, measure: () => last.tick },
    );
  }
  return stages;
}

import type { Clock, Logger, Random } from "../../core/index.ts";
import { Timers } from "../timers.ts";
import type { Faults } from "../wire/faults.ts";
import type { Law } from "./g711.ts";
import { EventSender } from "./event-sender.ts";
import type { Pacer } from "./pacer.ts";
import { Recorder, type RecordedPacket } from "./recorder.ts";
import { RtpPort } from "./rtp-port.ts";
import { parseRtp, writeRtp, type RtpPacket } from "./rtp.ts";
import { sendsIn, receivesIn, type Direction } from "./sdp.ts";
import { frameSamples, soundBytes, type Sound } from "./sound.ts";

/** What a stream needs to know of the other side. */
export interface StreamRemote {
  readonly address: string;
  readonly port: number;
  readonly law: Law;
  readonly payloadType: number;
  /** RFC 4733 payload type; undefined when none was agreed. */
  readonly eventPayloadType: number | undefined;
  /** Ours: what we send and take. */
  readonly direction: Direction;
}

export interface StreamDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly pacer: Pacer;
  readonly faults: Faults;
}

/** One number's RTP: plays its sound every 20 ms, echoes, counts, notes digits and records on demand. */
export class RtpStream {
  readonly recorder: Recorder;
  readonly #deps: StreamDeps;
  readonly #timers: Timers;
  #port: RtpPort;
  #previous: RtpPort | undefined;
  #sound: Sound;
  #remote: StreamRemote | undefined;
  #started = false;
  #closed = false;
  #ssrc: number;
  #sequence: number;
  #timestamp: number;
  /** Number of the sound's next sample. */
  #sample = 0;
  #paused = true;
  #events: EventSender | undefined;
  #echoed: { ssrc: number; sequenceOffset: number; timestampOffset: number } | undefined;
  readonly #beat = (): void => this.#frame();
  packetsSent = 0;

  private constructor(port: RtpPort, sound: Sound, deps: StreamDeps) {
    this.#deps = deps;
    this.#port = port;
    this.#sound = sound;
    this.#timers = new Timers(deps.clock);
    this.recorder = new Recorder(deps.clock);
    const start = deps.random.bytes(10);
    this.#ssrc = start.readUInt32BE(0);
    this.#timestamp = start.readUInt32BE(4);
    this.#sequence = start.readUInt16BE(8);
    port.onRtp = (datagram, address, from) => this.#received(datagram, address, from);
  }

  /** Rejects when no port pair is free on `host`. */
  static async open(host: string, sound: Sound, deps: StreamDeps): Promise<RtpStream> {
    return new RtpStream(await RtpPort.open(host, deps.log), sound, deps);
  }

  /** Last known also after the close. */
  get local(): { readonly address: string; readonly port: number } {
    return { address: this.#port.host, port: this.#port.port };
  }

  get host(): string {
    return this.#port.host;
  }

  get port(): number {
    return this.#port.port;
  }

  get remote(): StreamRemote | undefined {
    return this.#remote;
  }

  get packetsReceived(): number {
    return this.recorder.packetsReceived;
  }

  get digits(): string {
    return this.recorder.digits;
  }

  get recording(): readonly RecordedPacket[] {
    return this.recorder.packets;
  }

  /** Goes to a new port pair with a new SSRC, as another media server would; the old pair hears on until `setRemote`. */
  async move(host: string): Promise<void> {
    const port = await RtpPort.open(host, this.#deps.log);
    if (this.#closed) return port.close();
    this.#previous?.close();
    this.#previous = this.#port;
    this.#port = port;
    port.onRtp = (datagram, address, from) => this.#received(datagram, address, from);
    this.#ssrc = this.#deps.random.bytes(4).readUInt32BE(0);
    this.#echoed = undefined;
  }

  setRemote(remote: StreamRemote): void {
    this.#remote = remote;
    this.#previous?.close();
    this.#previous = undefined;
  }

  setSound(sound: Sound): void {
    this.#sound = sound;
    this.#sample = 0;
    this.#events = undefined;
  }

  /** Begins to play; idempotent. */
  start(): void {
    if (this.#started || this.#closed) return;
    this.#started = true;
    this.#deps.pacer.add(this.#beat);
  }

  /** Stops to play; it is heard on. */
  stop(): void {
    this.#started = false;
    this.#deps.pacer.delete(this.#beat);
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.stop();
    this.#closed = true;
    this.#timers.close();
    this.#port.close();
    this.#previous?.close();
  }

  #sendable(): StreamRemote | undefined {
    const remote = this.#remote;
    const may = remote && sendsIn(remote.direction) && remote.port > 0 && remote.address !== "0.0.0.0";
    return may && !this.#closed ? remote : undefined;
  }

  #frame(): void {
    const remote = this.#sendable();
    const sound = this.#sound;
    if (remote && sound.kind !== "none" && sound.kind !== "echo") {
      if (!this.#sendEvent(remote, sound)) {
        this.#emit(remote, remote.payloadType, soundBytes(sound, remote.law, this.#sample, frameSamples));
      }
      this.#sample += frameSamples;
    } else this.#paused = true;
    this.#timestamp = (this.#timestamp + frameSamples) >>> 0;
  }

  #sendEvent(remote: StreamRemote, sound: Sound): boolean {
    if (sound.kind !== "digits" || remote.eventPayloadType === undefined) return false;
    this.#events ??= new EventSender(sound.digits);
    const event = this.#events.next(this.#timestamp);
    if (!event) return false;
    this.#emit(remote, remote.eventPayloadType, event.payload, event.timestamp, event.first);
    return true;
  }

  #emit(
    remote: StreamRemote,
    payloadType: number,
    payload: Buffer,
    timestamp = this.#timestamp,
    marker = this.#paused,
  ): void {
    this.#paused = false;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#put(
      { payloadType, marker, sequence: this.#sequence, timestamp, ssrc: this.#ssrc, payload },
      remote,
    );
  }

  #put(packet: RtpPacket, remote: StreamRemote): void {
    this.packetsSent++;
    if (!this.#deps.faults.losesRtp()) this.#port.send(writeRtp(packet), remote.port, remote.address);
  }

  #received(datagram: Buffer, address: string, port: number): void {
    if (this.#closed || this.#deps.faults.losesRtp()) return;
    const packet = parseRtp(datagram);
    if (!packet) return;
    const remote = this.#remote;
    this.recorder.take(packet, { address, port }, remote?.eventPayloadType);
    if (!this.#started || this.#sound.kind !== "echo" || !remote || !receivesIn(remote.direction)) return;
    const { delayMs } = this.#sound;
    if (delayMs <= 0) return this.#echo(packet);
    this.#timers.after(delayMs, () => this.#echo(packet));
  }

  /** Keeps the sender's gaps and steps in sequence and timestamp, on one line of our own. */
  #echo(packet: RtpPacket): void {
    const remote = this.#sendable();
    if (!remote) return;
    if (this.#echoed?.ssrc !== packet.ssrc) {
      this.#echoed = {
        ssrc: packet.ssrc,
        sequenceOffset: this.#sequence + 1 - packet.sequence,
        timestampOffset: this.#timestamp + frameSamples - packet.timestamp,
      };
    }
    const sequence = (packet.sequence + this.#echoed.sequenceOffset) & 0xffff;
    const timestamp = (packet.timestamp + this.#echoed.timestampOffset) >>> 0;
    this.#sequence = sequence;
    this.#timestamp = timestamp;
    this.#put({ ...packet, sequence, timestamp, ssrc: this.#ssrc }, remote);
  }
}

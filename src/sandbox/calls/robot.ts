import type { Law } from "../media/g711.ts";
import {
  intersection,
  mirrored,
  parseAudio,
  softphoneCodecs,
  telephoneEvent,
  writeAudio,
  type AudioDescription,
  type Direction,
} from "../media/sdp.ts";
import type { Sound } from "../media/sound.ts";
import { RtpStream, type StreamDeps } from "../media/stream.ts";
import type { NumberBehaviour } from "../numbers.ts";
import { Timers } from "../timers.ts";
import type { CalledListener, EndCause, OfferResult, Party, PartyOwner } from "./party.ts";

export interface RobotDeps extends StreamDeps {
  readonly host: string;
  readonly owner: PartyOwner;
}

const laws: readonly Law[] = ["pcmu", "pcma"];

/** A number of the sandbox as a party of a call: behaves as its plan says, speaks RTP. */
export class Robot implements Party {
  readonly name: string;
  readonly behaviour: NumberBehaviour;
  readonly stream: RtpStream;
  /** What it is ready to do; media flows as far as the other side wants the same. */
  readonly #direction: Direction;
  readonly #timers: Timers;
  #laws: readonly Law[] = laws;
  #owner: PartyOwner;
  #ended = false;

  private constructor(
    name: string,
    behaviour: NumberBehaviour,
    direction: Direction,
    stream: RtpStream,
    deps: RobotDeps,
  ) {
    this.name = name;
    this.behaviour = behaviour;
    this.stream = stream;
    this.#direction = direction;
    this.#owner = deps.owner;
    this.#timers = new Timers(deps.clock);
  }

  /** Rejects when no RTP port pair is free. */
  static async open(
    name: string,
    behaviour: NumberBehaviour,
    deps: RobotDeps,
    direction: Direction = "sendrecv",
  ): Promise<Robot> {
    const stream = await RtpStream.open(deps.host, soundOf(behaviour), deps);
    return new Robot(name, behaviour, direction, stream, deps);
  }

  /** From now on it offers and answers with this law alone. */
  useLaw(law: Law): void {
    this.#laws = [law];
  }

  /** It is another call's party now. */
  moveTo(owner: PartyOwner): void {
    this.#owner = owner;
  }

  /** Moves to another RTP port pair, also of another loopback address; its next description tells of it. */
  async move(host = this.stream.host): Promise<void> {
    await this.stream.move(host);
  }

  call(offer: string | undefined, listener: CalledListener): void {
    const { behaviour } = this;
    if (behaviour.kind === "fail") {
      this.end({ text: behaviour.reason });
      return listener.failed(behaviour.status, behaviour.reason);
    }
    if (behaviour.kind === "no-answer") {
      listener.progress(180, undefined);
      return this.#after(behaviour.giveUpMs, () => this.#fail(listener, 408, "Request Timeout"));
    }
    const sdp = offer === undefined ? this.#offer() : this.#answer(offer);
    if (sdp === undefined) return this.#fail(listener, 488, "Not Acceptable Here");
    const answer = (): void => {
      this.stream.start();
      listener.answered(sdp);
      if (behaviour.kind === "answer" && behaviour.hangUpAfterMs !== undefined) {
        this.#after(behaviour.hangUpAfterMs, () => this.#hangUp());
      }
    };
    if (behaviour.kind === "early-media") {
      listener.progress(183, sdp);
      this.stream.setSound(behaviour.early);
      this.stream.start();
      return this.#after(behaviour.earlyMs, () => {
        this.stream.setSound(behaviour.sound);
        answer();
      });
    }
    listener.progress(180, undefined);
    this.#after(behaviour.ringMs ?? 0, answer);
  }

  acknowledge(answer: string | undefined): void {
    if (this.#ended || answer === undefined) return;
    const audio = parseAudio(answer);
    if (audio) this.#apply(audio, audio);
    this.stream.start();
  }

  askOffer(): Promise<OfferResult> {
    return Promise.resolve({ ok: true, sdp: this.#offer() });
  }

  giveOffer(sdp: string): Promise<OfferResult> {
    const answer = this.#ended ? undefined : this.#answer(sdp);
    if (answer === undefined)
      return Promise.resolve({ ok: false, status: 488, reason: "Not Acceptable Here" });
    this.stream.start();
    return Promise.resolve({ ok: true, sdp: answer });
  }

  end(_cause: EndCause): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#timers.close();
    this.stream.close();
  }

  /** The list phones offer (genesys-sip-server 4), our laws first. */
  #offer(): string {
    const first = this.#laws.flatMap((law) =>
      softphoneCodecs.filter(({ encoding }) => encoding === `${law}/8000`),
    );
    const rest = softphoneCodecs.filter(({ encoding }) => !/^pcm[ua]\//.test(encoding));
    return this.#write({ codecs: [...first, ...rest], direction: this.#direction });
  }

  /** One codec and telephone-event, the first of ours that was offered; undefined when none was. */
  #answer(offer: string): string | undefined {
    const audio = parseAudio(offer);
    const law = this.#laws.find((have) => audio?.codecs.some(({ encoding }) => encoding === `${have}/8000`));
    if (!audio || !law) return undefined;
    const codecs = audio.codecs.filter(
      ({ encoding }) => encoding === `${law}/8000` || encoding === telephoneEvent,
    );
    const direction = intersection(this.#direction, mirrored(audio.direction));
    this.#apply({ ...audio, codecs }, audio);
    return this.#write({ codecs, direction });
  }

  #write(audio: Pick<AudioDescription, "codecs" | "direction">): string {
    return writeAudio({ address: this.stream.host, port: this.stream.port, ...audio });
  }

  #apply(agreed: AudioDescription, remote: AudioDescription): void {
    const codec = agreed.codecs.find(({ encoding }) => /^pcm[ua]\/8000$/.test(encoding));
    if (!codec) return;
    this.stream.setRemote({
      address: remote.address,
      port: remote.port,
      law: codec.encoding.startsWith("pcmu") ? "pcmu" : "pcma",
      payloadType: codec.payloadType,
      eventPayloadType: agreed.codecs.find(({ encoding }) => encoding === telephoneEvent)?.payloadType,
      direction: intersection(this.#direction, mirrored(remote.direction)),
    });
  }

  #fail(listener: CalledListener, status: number, reason: string): void {
    this.end({ text: reason });
    listener.failed(status, reason);
  }

  #hangUp(): void {
    this.end({ text: "hung up" });
    this.#owner.partyEnded(this, { text: `${this.name} hung up` });
  }

  #after(delayMs: number, callback: () => void): void {
    if (delayMs <= 0) callback();
    else this.#timers.after(delayMs, callback);
  }
}

function soundOf(behaviour: NumberBehaviour): Sound {
  return behaviour.kind === "answer" || behaviour.kind === "early-media" ? behaviour.sound : { kind: "none" };
}

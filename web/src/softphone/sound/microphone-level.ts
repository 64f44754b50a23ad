/**
 * Turns a microphone down, which browsers cannot do by themselves, for as long as it is open. Until that is asked for its
 * sound goes as it is: a way through WebAudio costs time and processor.
 */
export class MicrophoneLevel {
  readonly #changed: () => void;
  #volume = 1;
  #way: Way | undefined;

  /** @param changed copies of `of` are to be taken anew */
  constructor(changed: () => void) {
    this.#changed = changed;
  }

  /** 0 to 1. */
  get volume(): number {
    return this.#volume;
  }

  set volume(volume: number) {
    const before = this.#volume;
    this.#volume = volume;
    if (this.#way !== undefined) this.#way.gain.gain.value = volume;
    else if (before === 1 && volume !== 1) this.#changed();
  }

  /** The microphone as calls are to have it. */
  of(stream: MediaStream): MediaStream {
    if (this.#way?.stream !== stream) this.close();
    if (this.#way === undefined && this.#volume !== 1) this.#way = this.#open(stream);
    // A context that the browser does not let run yet would be silence.
    return this.#way?.context.state === "running" ? this.#way.out : stream;
  }

  /** Lets go of the microphone; idempotent. */
  close(): void {
    const way = this.#way;
    this.#way = undefined;
    for (const track of way?.copy.getTracks() ?? []) track.stop();
    way?.context.close().catch(() => undefined);
  }

  #open(stream: MediaStream): Way {
    const context = new AudioContext();
    const copy = stream.clone();
    for (const track of copy.getAudioTracks()) track.enabled = true;
    const gain = new GainNode(context, { gain: this.#volume });
    const end = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
    new MediaStreamAudioSourceNode(context, { mediaStream: copy }).connect(gain).connect(end);
    context.addEventListener("statechange", () => {
      if (this.#way?.context === context) this.#changed();
    });
    context.resume().catch(() => undefined);
    return { stream, copy, context, gain, out: end.stream };
  }
}

interface Way {
  /** What it was made for, and its own copy of it. */
  readonly stream: MediaStream;
  readonly copy: MediaStream;
  readonly context: AudioContext;
  readonly gain: GainNode;
  readonly out: MediaStream;
}

import { inOneLine, type Problem } from "../../shared/words.ts";
import { MicrophoneLevel } from "./microphone-level.ts";
import { microphoneProblem, placeProblem } from "./problems.ts";

/** The microphone could not be had; `problem` says why and what to do. */
export class MicrophoneError extends Error {
  override readonly name = "MicrophoneError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.what);
    this.problem = problem;
  }
}

/** Which microphone, and what the browser does to its sound. */
export interface MicrophoneWish {
  /** Empty: the system's default. */
  readonly deviceId: string;
  readonly echoCancellation: boolean;
  readonly noiseSuppression: boolean;
  readonly autoGainControl: boolean;
}

const PROCESSING = ["echoCancellation", "noiseSuppression", "autoGainControl"] as const;

export interface MicrophoneOwner {
  /** Another one than before, or the first: calls that run are to get new copies. */
  changed(): void;
  /** It went away by itself (pulled out, permission withdrawn). */
  ended(): void;
  /** The one that was wished for cannot be used; another is. */
  replaced(problem: Problem): void;
}

/** What keeps the microphone open: the sign-in, or somebody who tries it out. */
export type Holder = "phone" | "trial";

function constraints(wish: MicrophoneWish, any: boolean): MediaTrackConstraints {
  const { deviceId, ...processing } = wish;
  return any || deviceId === "" ? processing : { ...processing, deviceId: { exact: deviceId } };
}

function isAllowed(): boolean | undefined {
  // Chromium alone tells what the page around it allows.
  const policy: unknown = Reflect.get(document, "featurePolicy");
  if (typeof policy !== "object" || policy === null) return undefined;
  const allowsFeature: unknown = Reflect.get(policy, "allowsFeature");
  return typeof allowsFeature === "function"
    ? Boolean(Reflect.apply(allowsFeature, policy, ["microphone"]))
    : undefined;
}

function stop(stream: MediaStream | undefined): void {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

function isLive(stream: MediaStream): boolean {
  return stream.getAudioTracks().some(({ readyState }) => readyState === "live");
}

function hasSameProcessing(one: MicrophoneWish, other: MicrophoneWish): boolean {
  return PROCESSING.every((key) => one[key] === other[key]);
}

/**
 * The person's microphone, asked for once at sign-in so that answering a call asks nothing. Each call gets a copy of
 * its own: muting or ending one call leaves the next alone.
 */
export class Microphone {
  readonly #owner: MicrophoneOwner;
  readonly #holders = new Set<Holder>();
  #wish: MicrophoneWish;
  #stream: MediaStream | undefined;
  readonly #copies = new Set<MediaStream>();
  readonly #level: MicrophoneLevel;
  /** One opens after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(wish: MicrophoneWish, owner: MicrophoneOwner) {
    this.#wish = wish;
    this.#owner = owner;
    this.#level = new MicrophoneLevel(() => owner.changed());
  }

  /** 0 to 1: how loud calls get it. */
  get volume(): number {
    return this.#level.volume;
  }

  set volume(volume: number) {
    this.#level.volume = volume;
  }

  get ready(): boolean {
    return this.#stream !== undefined && isLive(this.#stream);
  }

  /** Somebody wants it, whether it could be had or not. */
  get wanted(): boolean {
    return this.#holders.size > 0;
  }

  /** Has the microphone ready, asking the person when need be. Throws MicrophoneError. */
  async acquire(holder: Holder = "phone"): Promise<void> {
    this.#holders.add(holder);
    if (!this.ready) await this.#inTurn(async () => (this.ready ? undefined : await this.#open()));
  }

  /**
   * Goes over to another one; the former is used until that one is there. Calls are silent for a moment where only the
   * sound's processing changes: Chromium keeps to the former for as long as anything has the device open. Throws
   * MicrophoneError.
   */
  async use(wish: MicrophoneWish): Promise<void> {
    const isOther = !hasSameProcessing(wish, this.#wish);
    this.#wish = wish;
    if (!this.wanted) return;
    await this.#inTurn(async () => {
      if (isOther) {
        for (const stream of [this.#stream, ...this.#copies]) stop(stream);
        this.#level.close();
      }
      await this.#open();
    });
  }

  /** A copy for one call; its user stops its tracks. Undefined while there is no microphone. */
  copy(): MediaStream | undefined {
    if (this.#stream === undefined || !this.ready) return undefined;
    const copy = this.#level.of(this.#stream).clone();
    for (const track of copy.getAudioTracks()) track.enabled = true;
    for (const one of this.#copies) if (!isLive(one)) this.#copies.delete(one);
    this.#copies.add(copy);
    return copy;
  }

  /** Lets go of it, once nobody else holds it. */
  release(holder: Holder = "phone"): void {
    this.#holders.delete(holder);
    if (this.wanted) return;
    stop(this.#stream);
    this.#level.close();
    this.#stream = undefined;
  }

  async #inTurn(open: () => Promise<void>): Promise<void> {
    const mine = this.#turn.then(open);
    this.#turn = mine.catch(() => undefined);
    await mine;
  }

  async #open(): Promise<void> {
    if (!this.wanted) return;
    const stream = await this.#ask(this.#wish);
    if (!this.wanted) return stop(stream);
    stop(this.#stream);
    this.#stream = stream;
    for (const track of stream.getAudioTracks()) {
      // Silent but at hand: only the copies of calls carry sound.
      track.enabled = false;
      track.addEventListener("ended", () => {
        if (this.#stream === stream) this.#owner.ended();
      });
    }
    this.#owner.changed();
  }

  async #ask(wish: MicrophoneWish): Promise<MediaStream> {
    const embedded = window.parent !== window;
    const place = { origin: location.origin, secure: window.isSecureContext, embedded, allowed: isAllowed() };
    const problem = placeProblem(place);
    if (problem !== undefined) throw new MicrophoneError(problem);
    try {
      return await navigator.mediaDevices.getUserMedia({ audio: constraints(wish, false) });
    } catch (error) {
      const blocked = error instanceof Error && error.name === "NotAllowedError";
      if (wish.deviceId === "" || blocked) throw new MicrophoneError(microphoneProblem(error));
      return await this.#askForAny(wish, error);
    }
  }

  /** Better another microphone than none. */
  async #askForAny(wish: MicrophoneWish, because: unknown): Promise<MediaStream> {
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: constraints(wish, true) });
      const now = stream.getAudioTracks()[0]?.label ?? "";
      const isGone =
        because instanceof Error && ["OverconstrainedError", "NotFoundError"].includes(because.name);
      // That it is gone, the list of devices tells better.
      if (!isGone) {
        const what = `The chosen microphone cannot be used. Another is used instead: ${now}.`;
        this.#owner.replaced({
          what,
          remedy: "Another program may hold it: close that one and choose it again.",
        });
      }
      return stream;
    } catch (error) {
      throw new MicrophoneError(microphoneProblem(error));
    }
  }
}

/** What to tell of an error of `Microphone`'s. */
export function microphoneText(error: unknown): string {
  return error instanceof MicrophoneError ? inOneLine(error.problem) : String(error);
}

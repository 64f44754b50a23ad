import type { Problem } from "../phone/words.ts";

/** The microphone could not be had; `problem` says why and what to do. */
export class MicrophoneError extends Error {
  override readonly name = "MicrophoneError";
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.what);
    this.problem = problem;
  }
}

const SETTINGS: MediaTrackConstraints = {
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
};

function problemOf(error: unknown): Problem {
  switch (error instanceof Error ? error.name : "") {
    case "NotAllowedError":
      return {
        what: "The microphone is blocked for this page.",
        remedy: "Allow it by the symbol left of the address, then sign in again.",
      };
    case "NotFoundError":
    case "OverconstrainedError":
      return { what: "There is no microphone.", remedy: "Plug one in, then sign in again." };
    case "NotReadableError":
    case "AbortError":
      return {
        what: "The microphone cannot be used.",
        remedy: "Another program may hold it: close that one, then try again.",
      };
    default:
      return {
        what: `The microphone cannot be used (${String(error)}).`,
        remedy: "Reload the page and try again.",
      };
  }
}

/**
 * The person's microphone, asked for once at sign-in so that answering a call asks nothing. Each call gets a copy of
 * its own: muting or ending one call leaves the next alone.
 */
export class Microphone {
  #stream: MediaStream | undefined;
  readonly #onLost: () => void;

  /** @param onLost called when the device goes away (unplugged, permission withdrawn) */
  constructor(onLost: () => void) {
    this.#onLost = onLost;
  }

  get ready(): boolean {
    return this.#stream?.getAudioTracks().some((track) => track.readyState === "live") ?? false;
  }

  /** Has the microphone ready, asking the person when need be. Throws MicrophoneError. */
  async acquire(): Promise<void> {
    if (this.ready) return;
    if (!window.isSecureContext) {
      throw new MicrophoneError({
        what: `Browsers give the microphone only to secure pages, and ${location.origin} is not one.`,
        remedy: "Open this page by https://, or on the same machine as http://localhost.",
      });
    }
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({ audio: SETTINGS });
    } catch (error) {
      throw new MicrophoneError(problemOf(error));
    }
    for (const track of this.#stream.getAudioTracks()) {
      // Silent but at hand: only the copies of calls carry sound.
      track.enabled = false;
      track.addEventListener("ended", () => this.#onLost());
    }
  }

  /** A copy for one call; its user stops its tracks. Undefined while there is no microphone. */
  copy(): MediaStream | undefined {
    if (this.#stream === undefined || !this.ready) return undefined;
    const copy = this.#stream.clone();
    for (const track of copy.getAudioTracks()) track.enabled = true;
    return copy;
  }

  release(): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = undefined;
  }
}

/** The part of an RTCPeerConnection that is watched. */
interface Gathering {
  readonly iceGatheringState: string;
  addEventListener(type: string, listener: (event: Event) => void): void;
  removeEventListener(type: string, listener: (event: Event) => void): void;
}

/** How long TURN servers have for the first answer: by TLS over a slow line it takes a second. */
const PATIENCE_MS = 5000;

/**
 * Watches the first gathering of a call that may go by TURN servers alone: without one there will be no sound, so the
 * call need not be made or answered. Tells it once, in words.
 */
export class RelayWatch {
  readonly #connection: Gathering;
  readonly #none: (why: string) => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  /** STUN's code of a server that answered, e.g. 401 (RFC 8489 14.8); 701 is the browser's own for silence. */
  #refusal: string | undefined;
  readonly #onCandidate = (event: Event): void => {
    const candidate: unknown = Reflect.get(event, "candidate");
    if (candidate !== null && candidate !== undefined) this.close();
  };
  readonly #onState = (): void => {
    if (this.#connection.iceGatheringState === "complete") this.#tell();
  };
  readonly #onError = (event: Event): void => {
    const code: unknown = Reflect.get(event, "errorCode");
    if (typeof code === "number" && code < 700) this.#refusal = `refused it (${code})`;
  };

  constructor(connection: Gathering, none: (why: string) => void) {
    this.#connection = connection;
    this.#none = none;
    this.#timer = setTimeout(() => this.#tell(), PATIENCE_MS);
    connection.addEventListener("icecandidate", this.#onCandidate);
    connection.addEventListener("icegatheringstatechange", this.#onState);
    connection.addEventListener("icecandidateerror", this.#onError);
  }

  /** Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#connection.removeEventListener("icecandidate", this.#onCandidate);
    this.#connection.removeEventListener("icegatheringstatechange", this.#onState);
    this.#connection.removeEventListener("icecandidateerror", this.#onError);
  }

  #tell(): void {
    this.close();
    const what = this.#refusal ?? "did not answer";
    this.#none(
      `There is no way for the sound: it may only go by the TURN server, which ${what}. Try again, and tell support if it stays so.`,
    );
  }
}

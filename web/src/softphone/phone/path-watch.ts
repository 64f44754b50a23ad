/** The part of an RTCPeerConnection that is watched. */
interface Path {
  readonly iceConnectionState: string;
  addEventListener(type: "iceconnectionstatechange", listener: () => void): void;
}

/** How long one attempt has before the next. */
const ATTEMPT_MS = 3000;

/**
 * Watches the path of a call's sound. When it breaks (another network, another address) new candidates are gathered by
 * an ICE restart, which the gateway answers by itself.
 */
export class PathWatch {
  readonly #connection: Path;
  readonly #restart: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param restart asks for an ICE restart; may find that it cannot be had at the moment */
  constructor(connection: Path, restart: () => void) {
    this.#connection = connection;
    this.#restart = restart;
    connection.addEventListener("iceconnectionstatechange", () => this.#look());
  }

  get broken(): boolean {
    return ["disconnected", "failed"].includes(this.#connection.iceConnectionState);
  }

  /** The way to the gateway is back: a path that is broken need not be waited for. */
  renew(): void {
    this.#look();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Browsers say `disconnected` only after seconds without an answer; the old path serves on while a new one is made. */
  #look(): void {
    clearTimeout(this.#timer);
    if (!this.broken) return;
    this.#restart();
    this.#timer = setTimeout(() => this.#look(), ATTEMPT_MS);
  }
}

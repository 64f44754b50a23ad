/** False where the browser has one output alone, the system's (Safari before 18.4, Firefox before 116). */
export function canChooseOutput(): boolean {
  return "setSinkId" in HTMLMediaElement.prototype;
}

/**
 * One way out for sound: an audio element with its device and volume. Tells when the browser lets the page make no sound
 * until somebody clicks in it, and goes on at that click.
 */
export class Output {
  readonly #element: HTMLAudioElement;
  readonly #onBlocked: () => void;
  /** The device asked for, and the one set. */
  #wanted = "";
  #set = "";
  #setting = false;

  constructor(element: HTMLAudioElement, onBlocked: () => void) {
    this.#element = element;
    this.#onBlocked = onBlocked;
  }

  set volume(value: number) {
    this.#element.volume = value;
  }

  /** @param deviceId empty: the system's default. One that cannot be used leaves the default. */
  use(deviceId: string): void {
    this.#wanted = deviceId;
    if (canChooseOutput() && !this.#setting) void this.#setDevice();
  }

  /** Plays the stream, or nothing any more. */
  play(stream: MediaStream | undefined): void {
    if (this.#element.srcObject === (stream ?? null)) return;
    this.#element.srcObject = stream ?? null;
    if (stream !== undefined) this.#start(() => this.#onBlocked());
  }

  async #setDevice(): Promise<void> {
    this.#setting = true;
    while (this.#set !== this.#wanted) {
      const next = this.#wanted;
      try {
        await this.#element.setSinkId(next);
        this.#set = next;
      } catch {
        // Gone meanwhile: whoever follows the devices is told so and asks for another.
        if (this.#wanted === next) this.#wanted = "";
        if (next === "") break;
      }
    }
    this.#setting = false;
  }

  #start(blocked: () => void): void {
    this.#element.play().catch((error: unknown) => {
      // Replaced or ended before it began: nothing is lost.
      if (!(error instanceof Error) || error.name !== "NotAllowedError") return;
      blocked();
      const again = (): void => {
        for (const event of GESTURES) document.removeEventListener(event, again);
        if (this.#element.srcObject !== null) this.#start(() => undefined);
      };
      for (const event of GESTURES) document.addEventListener(event, again);
    });
  }
}

/** What browsers take as leave to play sound. */
export const GESTURES = ["pointerup", "keydown"] as const;

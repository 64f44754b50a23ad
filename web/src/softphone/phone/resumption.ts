import { stopTracks } from "./call-microphone.ts";
import type { KeptCall } from "./kept.ts";
import type { SignedLine } from "./line.ts";

export interface ResumptionOwner {
  /** The microphone's copy for one call, or why there is none. */
  microphone(): Promise<MediaStream | string>;
  /** Whether this sign-in still lasts. */
  lasts(line: SignedLine): boolean;
  resume(line: SignedLine, kept: KeptCall, microphone: MediaStream): void;
  /** A call cannot be taken over, in words. */
  problem(text: string): void;
}

/** The calls of the page before, until they are taken over one after the other. */
export class Resumption {
  readonly #owner: ResumptionOwner;
  #kept: readonly KeptCall[];

  constructor(kept: readonly KeptCall[], owner: ResumptionOwner) {
    this.#kept = kept;
    this.#owner = owner;
  }

  get kept(): readonly KeptCall[] {
    return this.#kept;
  }

  /** An attempt came to nothing: there will be another. */
  again(kept: KeptCall): void {
    this.#kept = [...this.#kept, kept];
  }

  /** Signed in: takes over those that are this DN's, and forgets the others. */
  begin(line: SignedLine | undefined): void {
    this.#kept = this.#kept.filter(({ dn }) => dn === line?.dn);
    if (line !== undefined && this.#kept.length > 0) void this.#takeOver(line);
  }

  async #takeOver(line: SignedLine): Promise<void> {
    for (let next = this.#kept[0]; next !== undefined; next = this.#kept[0]) {
      const microphone = await this.#owner.microphone();
      if (!this.#owner.lasts(line) || this.#kept[0] !== next) {
        if (typeof microphone !== "string") stopTracks(microphone);
        return;
      }
      this.#kept = this.#kept.slice(1);
      if (typeof microphone === "string") this.#owner.problem(microphone);
      else this.#owner.resume(line, next, microphone);
    }
  }
}

import type { Sound } from "../sound/sound.ts";
import type { KeptSession } from "./kept.ts";
import type { Mutes } from "./mutes.ts";
import type { SoundNow } from "./page-state.ts";
import type { SoundChange } from "./wire.ts";

/** How the page is heard and hears, as Workspace orders it. */
export class Heard {
  readonly #sound: Pick<Sound, "speakerMuted" | "microphoneVolume" | "settings">;
  readonly #mutes: Pick<Mutes, "muted" | "set">;

  constructor(
    sound: Pick<Sound, "speakerMuted" | "microphoneVolume" | "settings">,
    mutes: Pick<Mutes, "muted" | "set">,
    kept: Omit<KeptSession, "session"> | undefined,
  ) {
    this.#sound = sound;
    this.#mutes = mutes;
    sound.speakerMuted = kept?.speakerMuted ?? false;
    sound.microphoneVolume = kept?.microphoneVolume ?? 1;
  }

  get now(): SoundNow {
    const { speakerMuted, microphoneVolume, settings } = this.#sound;
    return {
      microphone: { muted: this.#mutes.muted, volume: microphoneVolume },
      speaker: { muted: speakerMuted, volume: settings.value.speakerVolume },
    };
  }

  /** What is not ordered again after a reload. */
  get kept(): Omit<KeptSession, "session"> {
    const { speakerMuted, microphoneVolume } = this.#sound;
    return { microphoneMuted: this.#mutes.muted, microphoneVolume, speakerMuted };
  }

  setMicrophone({ muted, volume }: SoundChange): void {
    if (muted !== undefined) this.#mutes.set(muted);
    if (volume !== undefined) this.#sound.microphoneVolume = volume / 100;
  }

  setSpeaker({ muted, volume }: SoundChange): void {
    if (muted !== undefined) this.#sound.speakerMuted = muted;
    // As if the person had moved the page's own slider.
    if (volume !== undefined) this.#sound.settings.choose({ speakerVolume: volume / 100 });
  }

  /** Whoever signs in next begins as with a softphone that was started anew. */
  reset(): void {
    this.setMicrophone({ muted: false, volume: 100 });
    this.setSpeaker({ muted: false });
  }
}

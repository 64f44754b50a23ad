import { member, record } from "../../shared/json.ts";
import { Listeners } from "../../shared/listeners.ts";
import { SYSTEM_DEFAULT, type Wanted } from "./devices.ts";

/** What can be chosen about sound. */
export interface SoundChoices {
  readonly microphone: Wanted;
  readonly speaker: Wanted;
  readonly ring: Wanted;
  readonly echoCancellation: boolean;
  readonly noiseSuppression: boolean;
  readonly autoGainControl: boolean;
  /** 0 to 1. */
  readonly speakerVolume: number;
  /** 0 to 1. */
  readonly ringVolume: number;
  /** Tell of a call by the browser's notification while the page is not in sight. */
  readonly notifications: boolean;
}

const BUILT_IN: SoundChoices = {
  microphone: SYSTEM_DEFAULT,
  speaker: SYSTEM_DEFAULT,
  ring: SYSTEM_DEFAULT,
  echoCancellation: true,
  noiseSuppression: true,
  autoGainControl: true,
  speakerVolume: 1,
  ringVolume: 1,
  notifications: true,
};

const STORAGE_KEY = "jackfield.sound";
const LONGEST_NAME = 500;

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= LONGEST_NAME;
}

function wanted(value: unknown): Wanted | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { id = "", label = "" } = record(value);
  return isName(id) && isName(label) ? { id, label } : undefined;
}

function volume(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? Math.min(1, Math.max(0, value)) : undefined;
}

function flag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

const READERS: { readonly [Key in keyof SoundChoices]: (value: unknown) => SoundChoices[Key] | undefined } = {
  microphone: wanted,
  speaker: wanted,
  ring: wanted,
  echoCancellation: flag,
  noiseSuppression: flag,
  autoGainControl: flag,
  speakerVolume: volume,
  ringVolume: volume,
  notifications: flag,
};

/** What can be understood of choices that come from elsewhere; the rest is left out. */
export function soundChoices(value: unknown): Partial<SoundChoices> {
  const entries = Object.entries(READERS).map(([key, read]) => [key, read(member(value, key))] as const);
  return Object.fromEntries(entries.filter(([, read]) => read !== undefined));
}

/**
 * What is chosen about sound: what the person chose on this machine (remembered), else what the embedding page gave as a
 * default, else what is built in.
 */
export class SoundSettings {
  readonly #storage: () => Storage;
  readonly #changes = new Listeners<void>();
  #defaults: Partial<SoundChoices> = {};
  #chosen: Partial<SoundChoices>;
  #value: SoundChoices;

  /** @param storage asked for each time: reading `localStorage` throws where the browser blocks it */
  constructor(storage: () => Storage) {
    this.#storage = storage;
    this.#chosen = this.#remembered();
    this.#value = { ...BUILT_IN, ...this.#chosen };
  }

  get value(): SoundChoices {
    return this.#value;
  }

  /** @returns ends it */
  onChange(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  /** Defaults of the embedding page: they hold where the person chose nothing. */
  apply(defaults: Partial<SoundChoices>): void {
    this.#defaults = { ...this.#defaults, ...soundChoices(defaults) };
    this.#changed();
  }

  /** The person's choice, kept for the next time on this machine. */
  choose(chosen: Partial<SoundChoices>): void {
    this.#chosen = { ...this.#chosen, ...soundChoices(chosen) };
    this.#remember();
    this.#changed();
  }

  /** Takes the person's choices back. */
  reset(): void {
    this.#chosen = {};
    this.#remember();
    this.#changed();
  }

  #changed(): void {
    this.#value = { ...BUILT_IN, ...this.#defaults, ...this.#chosen };
    this.#changes.tell();
  }

  #remembered(): Partial<SoundChoices> {
    try {
      return soundChoices(JSON.parse(this.#storage().getItem(STORAGE_KEY) ?? "{}"));
    } catch {
      return {};
    }
  }

  #remember(): void {
    try {
      this.#storage().setItem(STORAGE_KEY, JSON.stringify(this.#chosen));
    } catch {
      // Blocked or full: the choice holds until the page goes.
    }
  }
}

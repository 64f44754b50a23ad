import { Listeners } from "../../shared/listeners.ts";
import { inOneLine, type Problem } from "../../shared/words.ts";
import {
  askForNotices,
  CallNotice,
  noticePermission,
  type Caller,
  type NoticePermission,
} from "./call-notice.ts";
import { SoundSettings, type SoundChoices } from "./choices.ts";
import { devicesFor, follow, type Choice, type Device, type DeviceUse, type Following } from "./devices.ts";
import { Microphone, microphoneText, type MicrophoneWish } from "./microphone.ts";
import { measure } from "./meter.ts";
import { canChooseOutput, Output } from "./output.ts";
import { CALL_BLOCKED, isLossOf, newsOf, newsText, RING_BLOCKED, type DeviceNews } from "./problems.ts";
import { Sounds, type Tone } from "./sounds.ts";

export interface SoundOwner {
  /** Something that `Sound.snapshot` shows. */
  changed(): void;
  /** Something to write down; a `problem` wants the person's attention. */
  told(text: string, problem: boolean): void;
  /** Another microphone is in use: running calls are to get new copies. */
  microphoneChanged(): void;
}

/** What of sound and devices can be shown. */
export interface SoundSnapshot {
  readonly microphones: readonly Device[];
  readonly outputs: readonly Device[];
  readonly inUse: Readonly<Record<DeviceUse, Choice>>;
  readonly choices: SoundChoices;
  readonly microphoneReady: boolean;
  /** Counts the microphones opened so far: a meter begins anew with each. */
  readonly microphoneNumber: number;
  readonly canChooseOutput: boolean;
  readonly notices: NoticePermission;
}

const USES = ["microphone", "speaker", "ring"] as const;
/** Changes of devices within this time belong together. */
const SAME_EVENT_MS = 2000;
const NONE: Choice = { id: "", label: "", missing: false, none: false };

/** Everything one hears with and speaks into: devices and what becomes of them, tones, volume, the call's sound. */
export class Sound {
  readonly settings: SoundSettings;
  readonly microphone: Microphone;
  readonly #owner: SoundOwner;
  readonly #sounds = new Sounds(() => this.#owner.told(RING_BLOCKED, true));
  readonly #remote: Output;
  readonly #notice = new CallNotice(() => this.settings.value.notifications);
  readonly #deviceNews = new Listeners<DeviceNews>();
  readonly #following = new Map<DeviceUse, Following>();
  #devices: readonly Device[] = [];
  #wish: MicrophoneWish;
  #microphoneNumber = 0;
  #told: { readonly at: number; readonly news: readonly DeviceNews[] } = { at: -Infinity, news: [] };
  #busy = false;
  #again = false;
  #speakerMuted = false;

  /** @param remote plays the far end's sound */
  constructor(remote: HTMLAudioElement, owner: SoundOwner, storage = () => localStorage) {
    this.#owner = owner;
    this.settings = new SoundSettings(storage);
    this.#remote = new Output(remote, () => owner.told(CALL_BLOCKED, true));
    this.#wish = wishOf(this.settings.value.microphone.id, this.settings.value);
    this.microphone = new Microphone(this.#wish, {
      changed: () => {
        this.#microphoneNumber++;
        owner.microphoneChanged();
        // Only now does the browser tell the devices' names.
        void this.refresh();
      },
      ended: () => void this.refresh(),
      replaced: (problem) => this.#tell(problem),
    });
    this.settings.onChange(() => void this.refresh());
    // Not there on pages that are not secure.
    const devices: Partial<MediaDevices> | undefined = (navigator as Partial<Navigator>).mediaDevices;
    devices?.addEventListener?.("devicechange", () => void this.refresh());
    void this.refresh();
  }

  get snapshot(): SoundSnapshot {
    const inUse = (use: DeviceUse): Choice => this.#following.get(use)?.choice ?? NONE;
    return {
      microphones: devicesFor("microphone", this.#devices),
      outputs: devicesFor("speaker", this.#devices),
      inUse: { microphone: inUse("microphone"), speaker: inUse("speaker"), ring: inUse("ring") },
      choices: this.settings.value,
      microphoneReady: this.microphone.ready,
      microphoneNumber: this.#microphoneNumber,
      canChooseOutput: canChooseOutput(),
      notices: noticePermission(),
    };
  }

  get speakerMuted(): boolean {
    return this.#speakerMuted;
  }

  /** Nothing is heard of calls; the ring stays. */
  set speakerMuted(muted: boolean) {
    this.#speakerMuted = muted;
    this.#setVolumes();
  }

  /** 0 to 1; not a choice of the person's, so the next page begins with 1. */
  get microphoneVolume(): number {
    return this.microphone.volume;
  }

  set microphoneVolume(volume: number) {
    this.microphone.volume = volume;
  }

  /** Devices that go, come back or change. @returns ends it */
  onDevice(listener: (news: DeviceNews) => void): () => void {
    return this.#deviceNews.add(listener);
  }

  /** Plays the far end's sound, or none any more. */
  hear(stream: MediaStream | undefined): void {
    this.#remote.play(stream);
  }

  /** What the page itself plays, and who rings (undefined: nobody). */
  ring(tone: Tone, caller: Caller | undefined): void {
    this.#sounds.play(tone);
    this.#notice.ring(caller);
  }

  beep(): void {
    this.#sounds.beep();
  }

  /** A sound on the chosen device. */
  test(way: "speaker" | "ring"): void {
    this.#sounds.test(way);
  }

  /** Opens the microphone to try it out, where nobody is signed in. */
  async tryMicrophone(): Promise<void> {
    try {
      await this.microphone.acquire("trial");
    } catch (error) {
      this.#owner.told(microphoneText(error), true);
    }
    this.#owner.changed();
  }

  endTrial(): void {
    this.microphone.release("trial");
    this.#owner.changed();
  }

  /** Asks the person whether calls may be told by the browser; to be called from a click. */
  async askForNotices(): Promise<void> {
    await askForNotices().catch(() => undefined);
    this.#owner.changed();
  }

  /** How loud the microphone is, 0 to 1, many times a second. @returns ends it; undefined without a microphone */
  measureMicrophone(show: (level: number) => void): (() => void) | undefined {
    const copy = this.microphone.copy();
    return copy && measure(copy, show);
  }

  /** Looks at devices and choices again and goes over to what is to be used; one run at a time. */
  async refresh(): Promise<void> {
    this.#again = true;
    if (this.#busy) return;
    this.#busy = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#refreshOnce();
      }
    } finally {
      this.#busy = false;
      this.#owner.changed();
    }
  }

  async #refreshOnce(): Promise<void> {
    const { mediaDevices } = navigator as Partial<Navigator>;
    // A list that cannot be had leaves things as they are.
    this.#devices = (await mediaDevices?.enumerateDevices().catch(() => undefined)) ?? this.#devices;
    const news = USES.flatMap((use) => this.#follow(use) ?? []);
    this.#remote.use(this.snapshot.inUse.speaker.id);
    this.#setVolumes();
    if (news.length > 0) this.#announce(news);
    await this.#useMicrophone();
  }

  #setVolumes(): void {
    const { speaker, ring } = this.snapshot.inUse;
    const { speakerVolume, ringVolume } = this.settings.value;
    const volume = this.#speakerMuted ? 0 : speakerVolume;
    this.#remote.volume = volume;
    this.#sounds.set("speaker", speaker.id, volume);
    this.#sounds.set("ring", ring.id, ringVolume);
  }

  #follow(use: DeviceUse): DeviceNews | undefined {
    const before = this.#following.get(use);
    const after = follow(use, before, this.#devices, this.settings.value[use]);
    this.#following.set(use, after);
    return newsOf(use, before?.choice.label ?? "", after);
  }

  /** A headset's microphone and speaker may go one after the other: what has just been told is told with the rest. */
  #announce(news: readonly DeviceNews[]): void {
    const now = performance.now();
    const uses = new Set(news.map(({ use }) => use));
    const recent =
      now - this.#told.at < SAME_EVENT_MS ? this.#told.news.filter(({ use }) => !uses.has(use)) : [];
    this.#told = { at: now, news: [...recent, ...news] };
    this.#tell(newsText(this.#told.news), this.#told.news.some(isLossOf));
    for (const one of news) this.#deviceNews.tell(one);
  }

  #tell(problem: Problem, attention = true): void {
    this.#owner.told(inOneLine(problem), attention);
  }

  async #useMicrophone(): Promise<void> {
    const following = this.#following.get("microphone");
    const wish = wishOf(following?.choice.id ?? "", this.settings.value);
    const isOther = following?.switched === true || !isSameWish(wish, this.#wish);
    const isLacking = this.microphone.wanted && !this.microphone.ready;
    // That there is none has been told with the device that is gone.
    if (following?.choice.none === true || (!isOther && !isLacking)) return;
    this.#wish = wish;
    try {
      await this.microphone.use(wish);
    } catch (error) {
      this.#owner.told(microphoneText(error), true);
    }
  }
}

function wishOf(deviceId: string, choices: SoundChoices): MicrophoneWish {
  const { echoCancellation, noiseSuppression, autoGainControl } = choices;
  return { deviceId, echoCancellation, noiseSuppression, autoGainControl };
}

function isSameWish(one: MicrophoneWish, other: MicrophoneWish): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

import type { PageState, PageWork, SoundChange } from "../contract.ts";
import { fieldOf } from "./fields.ts";

type Device = "microphone" | "speaker";

/** A command of WWE's for the sound: what it is called, and what it changes. */
export interface SoundCommand {
  readonly name: string;
  /** Undefined: the body does not say what. */
  readonly change: (body: unknown) => SoundChange | undefined;
  readonly device: Device;
}

/** A question of WWE's: what it is called without `Get`, and what answers it. */
export interface SoundQuestion {
  readonly name: string;
  readonly answer: (state: PageState) => boolean | number;
}

const mute = (): SoundChange => ({ muted: true });
const unmute = (): SoundChange => ({ muted: false });

/** `{"value": 40}`, also as a text; the form was never seen. */
function volume(body: unknown): SoundChange | undefined {
  const given = fieldOf(body, "value") ?? fieldOf(body, "volume");
  const wanted =
    typeof given === "number" || (typeof given === "string" && given.trim() !== "") ? Number(given) : NaN;
  return wanted >= 0 && wanted <= 100 ? { volume: wanted } : undefined;
}

/** Names as WWE has them; paths, bodies and answers by analogy, none was ever seen (wwe-endpoint-and-gws-api.md A5). */
export const soundCommands: readonly SoundCommand[] = [
  { name: "MuteMicrophone", device: "microphone", change: mute },
  { name: "UnmuteMicrophone", device: "microphone", change: unmute },
  { name: "MuteSpeaker", device: "speaker", change: mute },
  { name: "UnmuteSpeaker", device: "speaker", change: unmute },
  { name: "SetMicrophoneVolume", device: "microphone", change: volume },
  { name: "SetSpeakerVolume", device: "speaker", change: volume },
];

/** State: true is muted. */
export const soundQuestions: readonly SoundQuestion[] = [
  { name: "MicrophoneState", answer: ({ microphone }) => microphone.muted },
  { name: "SpeakerState", answer: ({ speaker }) => speaker.muted },
  { name: "MicrophoneVolume", answer: ({ microphone }) => microphone.volume },
  { name: "SpeakerVolume", answer: ({ speaker }) => speaker.volume },
];

export function soundWork({ device, change }: SoundCommand, body: unknown): PageWork | undefined {
  const changed = change(body);
  return changed && { order: "sound", [device]: changed };
}

import type { JSX } from "preact";
import { shownName } from "./devices.ts";
import type { SoundSnapshot } from "./sound.ts";

/** Stays in sight while the agent's microphone is not the chosen one: the notice of that goes with the next notice. */
export function MicrophoneHint({
  inUse,
  choices,
}: Pick<SoundSnapshot, "inUse" | "choices">): JSX.Element | null {
  const { none, missing, label } = inUse.microphone;
  if (!none && !missing) return null;
  return (
    <p class="hint microphone" data-testid="microphone-hint">
      {none
        ? "No microphone: nobody can hear you. Plug one in."
        : `${shownName(choices.microphone.label)} is not plugged in. Microphone now: ${shownName(label)}.`}
    </p>
  );
}

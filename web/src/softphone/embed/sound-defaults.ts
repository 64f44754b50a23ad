import type { Configuration } from "../../../sdk/protocol.ts";
import type { SoundChoices } from "../sound/choices.ts";
import { policyOf } from "../sound/policy.ts";

/** What `configure` says of sound, by the names it has here; what it leaves out is left out. */
export function soundDefaults(wanted: Omit<Configuration, "mode">): Partial<SoundChoices> {
  const said = {
    echoCancellation: wanted.echo_cancellation,
    noiseSuppression: wanted.noise_suppression,
    autoGainControl: wanted.auto_gain_control,
    speakerVolume: wanted.speaker_volume,
    ringVolume: wanted.ring_volume,
    notifications: wanted.notifications,
  };
  const known = Object.entries(said).filter(([, value]) => value !== undefined);
  return { ...policyOf(wanted.workspace_options ?? {}), ...Object.fromEntries(known) };
}

import type { SoundChoices } from "./choices.ts";

/** What Workspace's options mean for the softphone; what they do not say is left out. */
export interface Policy {
  /** Defaults for `SoundSettings.apply`. */
  readonly sound: Partial<SoundChoices>;
  /** The page answers a call by itself. */
  readonly autoAnswer?: boolean;
  /** The agent is made not ready while the headset is pulled out. */
  readonly headsetUnpluggedNotReady?: boolean;
}

const ON: readonly string[] = ["1", "true", "on", "yes"];
const OFF: readonly string[] = ["0", "false", "off", "no"];

/** Workspace sends "1", 1 and true for the same. */
function flag(value: unknown): boolean | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
  const text = String(value).trim().toLowerCase();
  return ON.includes(text) ? true : OFF.includes(text) ? false : undefined;
}

/** `sipendpoint.policy.session.agc_mode`, `policy.session.agc-mode` and the like are one option. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replace(/^sipendpoint\./, "")
    .replaceAll("-", "_");
}

/**
 * Reads the options that Workspace Web Edition gives its SIP endpoint (`SetOptions`, as seen in its traffic). The narrower
 * `policy.session.noise_suppression` goes before `noise_suppression`. Options and values that are not known say nothing.
 */
export function policyOf(options: Readonly<Record<string, unknown>>): Policy {
  const found = new Map<string, boolean>();
  for (const [name, value] of Object.entries(options)) {
    const on = flag(value);
    if (on !== undefined) found.set(plain(name), on);
  }
  const first = (...names: readonly string[]): boolean | undefined =>
    names.map((name) => found.get(name)).find((on) => on !== undefined);
  const noiseSuppression = first("policy.session.noise_suppression", "noise_suppression");
  const autoGainControl = first("policy.session.agc_mode", "agc_mode");
  const autoAnswer = first("policy.session.auto_answer", "auto_answer");
  const notReady = first("headset_unplugged_set_not_ready");
  return {
    sound: {
      ...(noiseSuppression === undefined ? {} : { noiseSuppression }),
      ...(autoGainControl === undefined ? {} : { autoGainControl }),
    },
    ...(autoAnswer === undefined ? {} : { autoAnswer }),
    ...(notReady === undefined ? {} : { headsetUnpluggedNotReady: notReady }),
  };
}

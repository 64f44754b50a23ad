import type { SoundChoices } from "./choices.ts";

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
 * Defaults that the options of Workspace Web Edition for its SIP endpoint (`SetOptions`, as seen in its traffic) mean here.
 * The narrower `policy.session.noise_suppression` goes before `noise_suppression`. Options and values that are not known
 * say nothing.
 */
export function policyOf(options: Readonly<Record<string, unknown>>): Partial<SoundChoices> {
  const found = new Map<string, boolean>();
  for (const [name, value] of Object.entries(options)) {
    const on = flag(value);
    if (on !== undefined) found.set(plain(name), on);
  }
  const first = (name: string): boolean | undefined => found.get(`policy.session.${name}`) ?? found.get(name);
  const [noiseSuppression, autoGainControl] = [first("noise_suppression"), first("agc_mode")];
  return {
    ...(noiseSuppression === undefined ? {} : { noiseSuppression }),
    ...(autoGainControl === undefined ? {} : { autoGainControl }),
  };
}

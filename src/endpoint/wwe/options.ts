import type { PageWork } from "../contract.ts";
import { fieldOf } from "./fields.ts";

type Constraints = Omit<Extract<PageWork, { order: "options" }>, "order">;

/** SetOptions' keys that mean something to getUserMedia, the one that counts last (wwe-endpoint-and-gws-api.md A3). */
const constraints: Readonly<Record<string, keyof Constraints>> = {
  noise_suppression: "noiseSuppression",
  "policy.session.noise_suppression": "noiseSuppression",
  "policy.session.agc_mode": "autoGainControl",
};

/** What a page is to ask its microphone for; undefined: SetOptions says nothing of it. */
export function constraintsOf(body: unknown): Constraints | undefined {
  const options = fieldOf(body, "value");
  const found = Object.entries(constraints).flatMap(([name, constraint]) => {
    const on = switchOf(fieldOf(options, name));
    return on === undefined ? [] : [[constraint, on] as const];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** Values come as texts, numbers and booleans. */
function switchOf(value: unknown): boolean | undefined {
  const text = typeof value === "string" ? value.trim().toLowerCase() : value;
  if (text === true || text === 1 || text === "1" || text === "true") return true;
  if (text === false || text === 0 || text === "0" || text === "false") return false;
  return undefined;
}

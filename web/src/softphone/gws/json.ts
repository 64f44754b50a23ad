import { list, member } from "../../shared/json.ts";

const LONGEST = 300;

/** Text of a member, cut to what can be shown; numbers count as text. Empty where there is none. */
export function text(value: unknown, name: string): string {
  const found = member(value, name);
  if (typeof found === "number") return String(found);
  return typeof found === "string" ? found.trim().slice(0, LONGEST) : "";
}

export function words(value: unknown): readonly string[] {
  return list(value).filter((one): one is string => typeof one === "string" && one !== "");
}

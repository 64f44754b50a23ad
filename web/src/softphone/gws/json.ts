/** Readers of JSON that anybody may have written: what is not as expected is left out. */

export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Text of a member, cut to what can be shown; numbers count as text. Empty when there is none. */
export function text(value: unknown, name: string): string {
  const found = member(value, name);
  if (typeof found === "number") return String(found);
  return typeof found === "string" ? found.trim().slice(0, LONGEST) : "";
}

export function words(value: unknown): readonly string[] {
  return list(value).filter((one): one is string => typeof one === "string" && one !== "");
}

const LONGEST = 300;

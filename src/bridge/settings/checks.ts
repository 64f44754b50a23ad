/** What a key's value is taken as, or why not. */
export type Checked<T> =
  { readonly value: T } | { readonly reason: string; readonly remedy: string; readonly value?: undefined };
/** Judges a value as JSON or the registry has it: numbers may be texts, lists texts with `\0` between (REG_MULTI_SZ). */
export type Check<T> = (value: unknown) => Checked<T>;

export const origin: Check<string> = (value) => {
  const remedy = "write scheme, host and port alone, as https://gateway.example.com:8443";
  if (typeof value !== "string" || !URL.canParse(value)) return { reason: "is not an address", remedy };
  const url = new URL(value);
  if (url.protocol !== "https:" && url.protocol !== "http:")
    return { reason: "is neither https nor http", remedy };
  const plain = url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "";
  return plain ? { value: url.origin } : { reason: "has more than scheme, host and port", remedy };
};

/** As `origin`; without TLS only on this machine, where nobody is in between. */
export const gatewayUrl: Check<string> = (value) => {
  const checked = origin(value);
  if (checked.value === undefined || isProtected(new URL(checked.value))) return checked;
  return {
    reason: "is not https",
    remedy: "write the gateway's https address: the agent's token goes there",
  };
};

function isProtected({ protocol, hostname }: URL): boolean {
  return protocol === "https:" || ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
}

export const origins: Check<readonly string[]> = (value) => {
  const texts = typeof value === "string" ? splitList(value.replaceAll(/[\s,]+/g, "\\0")) : value;
  if (!Array.isArray(texts) || texts.length > 100)
    return { reason: "is not a list of addresses", remedy: 'write ["https://wwe.example.com"]' };
  const checked = texts.map((one: unknown) => ({ one, result: origin(one) }));
  for (const { one, result } of checked)
    if (result.value === undefined)
      return { ...result, reason: `has ${JSON.stringify(one)}, which ${result.reason}` };
  return { value: checked.flatMap(({ result }) => (result.value === undefined ? [] : [result.value])) };
};

export const texts: Check<readonly string[]> = (value) => {
  const list = typeof value === "string" ? splitList(value) : value;
  const fits = Array.isArray(list) && list.length <= 100 && list.every((one) => typeof one === "string");
  return fits ? { value: list } : { reason: "is not a list of texts", remedy: 'write ["--one", "--two"]' };
};

function splitList(text: string): string[] {
  return text.split("\\0").filter((one) => one !== "");
}

export function whole(from: number, to: number): Check<number> {
  return (value) => {
    const number = typeof value === "string" && /^(?:\d+|0x[\da-f]+)$/i.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) && number >= from && number <= to
      ? { value: number }
      : { reason: "is out of range or not a number", remedy: `write a whole number from ${from} to ${to}` };
  };
}

export function oneOf<T extends string>(...words: readonly T[]): Check<T> {
  return (value) => {
    const word = words.find((one) => one === value);
    return word === undefined
      ? { reason: "is not one of its words", remedy: `write ${words.join(", ")}` }
      : { value: word };
  };
}

/** A path from the root: what it stands for must not depend on where the bridge was started. */
export const path: Check<string> = (value) =>
  typeof value === "string" && /^(?:\/|[a-z]:[\\/]|\\\\)/i.test(value) && !value.includes("\0")
    ? { value }
    : { reason: "is not a path from the root", remedy: "write the whole path of the file or folder" };

/** Width and height, pixels: `[420, 640]` or `420x640`. */
export const size: Check<readonly [number, number]> = (value) => {
  const parts: readonly unknown[] =
    typeof value === "string" ? value.split("x") : Array.isArray(value) ? value : [];
  const [width, height] = parts.map(whole(200, 4000)).map((one) => one.value);
  return parts.length === 2 && width !== undefined && height !== undefined
    ? { value: [width, height] }
    : { reason: "is not a width and a height", remedy: "write [420, 640]: 200 to 4000 pixels each" };
};

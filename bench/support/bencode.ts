/** What rtpengine's control protocol says: text, whole numbers, lists and dictionaries. */
export type Bencoded = string | number | readonly Bencoded[] | { readonly [key: string]: Bencoded };

export function bencode(value: Bencoded): string {
  if (typeof value === "number") return `i${Math.trunc(value)}e`;
  if (typeof value === "string") return `${Buffer.byteLength(value)}:${value}`;
  if (isList(value)) return `l${value.map(bencode).join("")}e`;
  const entries = Object.entries(value).map(([key, one]) => bencode(key) + bencode(one));
  return `d${entries.join("")}e`;
}

function isList(value: Bencoded): value is readonly Bencoded[] {
  return Array.isArray(value);
}

/** Throws on text that is none. Text of one byte per character (latin1). */
export function bdecode(text: string): Bencoded {
  let at = 0;
  const upTo = (end: string): string => {
    const place = text.indexOf(end, at);
    if (place < 0) throw new Error("bencode cut short");
    const part = text.slice(at, place);
    at = place + 1;
    return part;
  };
  const next = (): Bencoded => {
    const kind = text[at];
    if (kind === "i") {
      at++;
      return Number(upTo("e"));
    }
    if (kind === "l" || kind === "d") {
      at++;
      const items: Bencoded[] = [];
      while (text[at] !== "e") items.push(next());
      at++;
      if (kind === "l") return items;
      const pairs = items.flatMap((key, index) =>
        index % 2 === 0 ? [[typeof key === "string" ? key : "", items[index + 1] ?? ""]] : [],
      );
      return Object.fromEntries(pairs) as Record<string, Bencoded>;
    }
    const length = Number(upTo(":"));
    if (!Number.isInteger(length) || at + length > text.length) throw new Error("not bencode");
    at += length;
    return text.slice(at - length, at);
  };
  return next();
}

/** What stands behind `?` of a request's target, as it came; empty where there is none. */
export function rawQuery(target: string): string {
  const at = target.indexOf("?");
  return at === -1 ? "" : target.slice(at + 1);
}

/** Percent-decoded once; `+` stays, since nothing of this protocol is form-encoded. Undefined: it cannot be decoded. */
export function percentDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Who posts a message, and to whom. */
export interface Addressing {
  /** SSID; empty: not said. */
  readonly from: string;
  /** Decoded once; empty: nobody. */
  readonly to: string;
}

/** `from=SSID&to=PEER`: the peer is all behind `&to=`, so that an `&` that nobody escaped survives (1.2). */
export function readAddressing(query: string): Addressing {
  const at = query.indexOf("&to=");
  const own = at === -1 ? query : query.slice(0, at);
  const to = at === -1 ? "" : query.slice(at + "&to=".length);
  return { from: valueOf(own, "from") ?? "", to: percentDecoded(to) ?? to };
}

/** Value of `name` in a raw query, as it stands there; undefined where it is not. */
export function valueOf(query: string, name: string): string | undefined {
  const pair = query.split("&").find((one) => one.startsWith(`${name}=`));
  return pair?.slice(name.length + 1);
}

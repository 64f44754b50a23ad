/** What the page's address asks to sign in with (`#dn=5001`, `#token=...`, `#dn=5001&password=...`); empty: not said. */
export interface AskedSignIn {
  readonly dn: string;
  readonly token: string;
  readonly password: string;
}

/**
 * Takes the sign-in out of the address, before anything else can read it there, or a person copy it; whatever else the
 * fragment says stays.
 */
export function takeSignInFrom(address: Address, history: AddressBar): AskedSignIn {
  const fields = takeFrom(address, history, ["dn", "token", "password"]);
  const text = (name: string): string => fields.get(name)?.trim() ?? "";
  return { dn: text("dn"), token: text("token"), password: fields.get("password") ?? "" };
}

export type Address = Pick<Location, "hash" | "pathname" | "search">;
export interface AddressBar {
  replaceState(data: unknown, unused: string, url: string): void;
}

/** Takes what has these names out of the address's fragment. @returns what the fragment said, with all else in it */
export function takeFrom(
  address: Address,
  history: AddressBar,
  names: readonly string[],
): Pick<URLSearchParams, "get"> {
  const parts = address.hash.slice(1).split("&");
  const fields = new URLSearchParams(address.hash.slice(1));
  // Names as they are read: they may be written `%74oken`.
  const rest = parts.filter((part) => !names.some((name) => new URLSearchParams(part).has(name)));
  if (rest.length < parts.length) {
    const fragment = rest.length === 0 ? "" : `#${rest.join("&")}`;
    history.replaceState(null, "", `${address.pathname}${address.search}${fragment}`);
  }
  return fields;
}

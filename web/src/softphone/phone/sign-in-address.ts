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
export function takeSignInFrom(
  address: { readonly hash: string; readonly pathname: string; readonly search: string },
  history: { replaceState(data: unknown, unused: string, url: string): void },
): AskedSignIn {
  const parts = address.hash.slice(1).split("&");
  const fields = new URLSearchParams(address.hash.slice(1));
  const text = (name: string): string => fields.get(name)?.trim() ?? "";
  const asked = { dn: text("dn"), token: text("token"), password: fields.get("password") ?? "" };
  // Names as they are read above: they may be written `%74oken`.
  const rest = parts.filter(
    (part) => !["dn", "token", "password"].some((name) => new URLSearchParams(part).has(name)),
  );
  if (rest.length < parts.length) {
    const fragment = rest.length === 0 ? "" : `#${rest.join("&")}`;
    history.replaceState(null, "", `${address.pathname}${address.search}${fragment}`);
  }
  return asked;
}

/**
 * Whether an `Origin` is that of a page of ours. Browsers send it with all that may change something, and no page can forge it.
 * `host`: of the same request. `secure`: browsers reach us by TLS without a proxy in between.
 */
export function isOwnOrigin(origin: string, host: string, secure: boolean): boolean {
  if (!URL.canParse(origin)) return false;
  const { protocol, host: from } = new URL(origin);
  const here = `${protocol}//${host}`;
  const known = protocol === "https:" || (protocol === "http:" && !secure);
  return known && URL.canParse(here) && new URL(here).host === from;
}

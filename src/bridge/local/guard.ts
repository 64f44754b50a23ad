/** What a browser says with a request about where it comes from. */
export interface Asking {
  readonly host: string | undefined;
  readonly origin: string | undefined;
  /** `Sec-Fetch-Site` */
  readonly fetchSite: string | undefined;
}

const ownNames = new Set(["127.0.0.1", "localhost"]);

/** Whether `Host` is this machine's own name: a page that had its name turned to 127.0.0.1 (DNS rebinding) sends another. */
export function isOwnHost(host: string | undefined): boolean {
  return host !== undefined && ownNames.has(host.replace(/:\d{1,5}$/, ""));
}

/** Whether a request may come from the dashboard itself; acts must (`must`), where each browser sends `Origin`. */
export function isOwnPage({ host, origin, fetchSite }: Asking, must: boolean): boolean {
  if (fetchSite !== undefined && fetchSite !== "same-origin" && (must || fetchSite !== "none")) return false;
  if (origin === undefined) return !must;
  return origin === `https://${host}`;
}

/** What a page of an allowed origin may read and send (wwe-endpoint-and-gws-api.md A1). */
export function corsHeaders(origin: string): Record<string, string> {
  return { "access-control-allow-origin": origin, vary: "Origin", "cache-control": "no-store" };
}

/** As `corsHeaders`, of a preflight. `privateNetwork`: it asked to come from a public network. */
export function preflightHeaders(origin: string, privateNetwork: boolean): Record<string, string> {
  return {
    ...corsHeaders(origin),
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "Content-Type, X-Requested-With",
    "access-control-max-age": "7200",
    ...(privateNetwork ? { "access-control-allow-private-network": "true" } : {}),
  };
}

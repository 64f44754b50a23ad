import { isOwnOrigin } from "../../core/index.ts";

/** Whose page sent a request; `none`: no browser's page said so, or a page of ours asked (GET). */
export type Origin = "none" | "ours" | "allowed" | "foreign";

/** `host`: of the request, which was expected (`hostIsExpected`). `secure`: browsers reach us by TLS without a proxy in between. */
export function originOf(
  origin: string | undefined,
  host: string,
  secure: boolean,
  allowed: readonly string[],
): Origin {
  if (origin === undefined) return "none";
  if (allowed.includes(origin)) return "allowed";
  return isOwnOrigin(origin, host, secure) ? "ours" : "foreign";
}

/** The name of a Host header: without port, lower case; undefined when it is none. */
export function hostName(host: string | undefined): string | undefined {
  const url = `http://${host ?? ""}`;
  if (host === undefined || /[/?#@\\\s]/.test(host) || !URL.canParse(url)) return undefined;
  return new URL(url).hostname.replace(/\.$/, "");
}

/**
 * Whether a page of another site that had its name lead here (DNS rebinding) is not the one that asks. `*.example.com` stands for
 * one label, as in certificates.
 */
export function hostIsExpected(host: string | undefined, expected: readonly string[]): boolean {
  const name = hostName(host);
  if (name === undefined) return false;
  return expected.some((entry) => {
    const wanted = entry.toLowerCase();
    return wanted.startsWith("*.") ? name.slice(name.indexOf(".")) === wanted.slice(1) : name === wanted;
  });
}

import { textOf } from "../../shared/json.ts";
import type { Refusal } from "./call-control.ts";
import type { Ha1 } from "./kept.ts";

/** What a sign-in token stands for. */
export interface TokenSignIn {
  readonly dn: string;
  readonly ha1: Ha1;
}

const GET_ANOTHER = "Get a new one, or sign in with number and password.";
const REASONS: Readonly<Record<string, string>> = {
  expired: `The sign-in token has expired. ${GET_ANOTHER}`,
  used: `The sign-in token was used before; each one signs in once. ${GET_ANOTHER}`,
  "unknown-dn": "The number of this sign-in token may not sign in at this gateway. Ask for it to be added.",
};
const STATUSES: Readonly<Record<number, string>> = {
  404: "This gateway takes no sign-in tokens. Sign in with number and password.",
  503: "The gateway cannot check the sign-in just now. Try again in a minute.",
  429: "Too many sign-in tokens were refused. Wait a minute and get a new one.",
};

/** Asks the gateway what a sign-in token stands for (`POST /api/sign-in`). @returns that, or why it cannot be used */
export async function exchangeToken(token: string): Promise<TokenSignIn | NonNullable<Refusal>> {
  try {
    const response = await fetch("api/sign-in", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok)
      return (
        REASONS[textOf(answer, "reason")] ??
        STATUSES[response.status] ??
        `The gateway does not know this sign-in token. ${GET_ANOTHER}`
      );
    return signInOf(answer) ?? "The gateway's answer to the sign-in token cannot be read.";
  } catch {
    return "The gateway did not answer the sign-in token. Try again.";
  }
}

/** Reads what the gateway tells of a sign-in without a password; undefined where something is missing. */
export function signInOf(answer: unknown): TokenSignIn | undefined {
  const [dn, user, realm, value] = ["dn", "user", "realm", "ha1"].map((name) => textOf(answer, name));
  if (!dn || !user || !realm || !value) return undefined;
  return { dn, ha1: { user, realm, value } };
}

import type { Refusal } from "./call-control.ts";
import type { Ha1 } from "./kept.ts";

/** What a sign-in token stands for. */
export interface TokenSignIn {
  readonly dn: string;
  readonly ha1: Ha1;
}

const PROBLEMS: Readonly<Record<number, string>> = {
  401: "The sign-in token is not valid, has expired or was used before. Get a new one.",
  429: "Too many attempts. Wait a minute and sign in again.",
};

/** Asks the gateway what a sign-in token stands for (`POST /api/sign-in`). @returns that, or why it cannot be used */
export async function exchangeToken(token: string): Promise<TokenSignIn | NonNullable<Refusal>> {
  try {
    const response = await fetch("api/sign-in", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token }),
    });
    if (!response.ok) return PROBLEMS[response.status] ?? "The gateway does not take this sign-in token.";
    const answer: unknown = await response.json();
    return signInOf(answer) ?? "The gateway's answer to the sign-in token cannot be read.";
  } catch {
    return "The gateway did not answer. Try again.";
  }
}

function signInOf(answer: unknown): TokenSignIn | undefined {
  if (typeof answer !== "object" || answer === null) return undefined;
  const text = (name: string): string => {
    const value: unknown = Reflect.get(answer, name);
    return typeof value === "string" ? value : "";
  };
  const [dn, user, realm, value] = [text("dn"), text("user"), text("realm"), text("ha1")];
  if (dn === "" || user === "" || realm === "" || value === "") return undefined;
  return { dn, ha1: { user, realm, value } };
}

import type { CredentialStore, Enrolment } from "../contract.ts";

/** What the store has, if it is an enrolment. */
export async function readEnrolment(store: CredentialStore): Promise<Enrolment | undefined> {
  const text = await store.read();
  if (text === undefined) return undefined;
  try {
    return asEnrolment(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function asEnrolment(value: unknown): Enrolment | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { gateway, token, dn } = value as Readonly<Record<string, unknown>>;
  if (typeof gateway !== "string" || !URL.canParse(gateway) || !isToken(token)) return undefined;
  return { gateway: new URL(gateway).origin, token, ...(isDn(dn) ? { dn } : {}) };
}

/** It becomes one segment of a path as it is. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && /^[\w.~-]{8,4096}$/.test(value) && !/^\.+$/.test(value);
}

/** It is shown in terminals and logs. */
export function isDn(value: unknown): value is string {
  return typeof value === "string" && /^[\x21-\x7e]{1,64}$/.test(value);
}

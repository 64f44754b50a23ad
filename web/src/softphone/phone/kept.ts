import { list, parseJson, record, textOf } from "../../shared/json.ts";
import type { HeaderLine } from "./caller-data.ts";

/**
 * What a tab keeps of its call over a reload. The token alone opens nothing: the gateway takes it only by a connection
 * on which this DN and instance have signed in.
 */
export interface KeptCall {
  readonly dn: string;
  /** By which the gateway lets a newer page take the call over. */
  readonly token: string;
  readonly direction: "in" | "out";
  readonly peer: string;
  /** What SIP Server told of it. */
  readonly lines: readonly HeaderLine[];
  /** When it was answered, ms since the epoch. */
  readonly since: number;
  readonly held: boolean;
  readonly muted: boolean;
}

/** MD5 of user name, realm and password (RFC 7616 3.4.2): signs in at that realm as the password does. */
export interface Ha1 {
  /** User name of the digest, where it is another one than the DN: a session behind a sign-in token. */
  readonly user?: string;
  readonly realm: string;
  readonly value: string;
}

const CALLS_KEY = "jackfield.calls";
const RETURN_KEY = "jackfield.return";
/** A reload is over by then; the gateway waits no longer than that either. */
const RETURN_MS = 30_000;

export function keepCalls(storage: Storage, calls: readonly KeptCall[]): void {
  if (calls.length === 0) storage.removeItem(CALLS_KEY);
  else storage.setItem(CALLS_KEY, JSON.stringify({ calls }));
}

/** The calls of the page that was here before. */
export function keptCalls(storage: Storage): readonly KeptCall[] {
  const { calls } = parsed(storage.getItem(CALLS_KEY));
  return list(calls).flatMap((one) => keptCall(one) ?? []);
}

function keptCall(kept: unknown): KeptCall | undefined {
  const { dn, token, direction, lines, since, held, muted } = record(kept);
  if (typeof dn !== "string" || typeof token !== "string" || typeof since !== "number") return undefined;
  return {
    dn,
    token,
    since,
    direction: direction === "in" ? "in" : "out",
    peer: textOf(kept, "peer"),
    lines: list(lines).filter(isLine),
    held: held === true,
    muted: muted === true,
  };
}

/**
 * Keeps the sign-in for the page that a reload puts in this one's place: written as this page goes, taken away as that
 * one comes, so that nothing which opens the gateway lies in the tab's storage meanwhile.
 */
export function keepSignIn(storage: Storage, ha1: Ha1, now: number): void {
  storage.setItem(RETURN_KEY, JSON.stringify({ ...ha1, until: now + RETURN_MS }));
}

/** What the page before has left, once. */
export function takeSignIn(storage: Storage, now: number): Ha1 | undefined {
  const { user, realm, value, until } = parsed(storage.getItem(RETURN_KEY));
  storage.removeItem(RETURN_KEY);
  if (typeof realm !== "string" || typeof value !== "string") return undefined;
  if (typeof until !== "number" || now > until) return undefined;
  return { realm, value, ...(typeof user === "string" ? { user } : {}) };
}

function parsed(text: string | null): Readonly<Record<string, unknown>> {
  return record(parseJson(text ?? ""));
}

function isLine(value: unknown): value is HeaderLine {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string");
}

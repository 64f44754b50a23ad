import type { SipRequest, SipResponse } from "../message/types.ts";

/** Who refreshes, by its role in the transaction that carries the header. */
export type Refresher = "uac" | "uas";

/** Session-Expires (RFC 4028 4). */
export interface SessionExpires {
  readonly seconds: number;
  readonly refresher: Refresher | undefined;
}

/** Smallest interval there may be, seconds; what a message without Min-SE means (RFC 4028 5). */
export const smallestInterval = 90;

/** The message's Session-Expires; undefined when it has none that can be read. */
export function readSessionExpires(message: SipRequest | SipResponse): SessionExpires | undefined {
  const [seconds, ...parameters] = message.headers.get("Session-Expires")?.split(";") ?? [];
  if (seconds === undefined || !/^\s*\d{1,10}\s*$/.test(seconds)) return undefined;
  const refresher = parameters
    .map((parameter) => /^\s*refresher\s*=\s*(uac|uas)\s*$/i.exec(parameter)?.[1]?.toLowerCase())
    .find((value) => value !== undefined);
  return {
    seconds: Number(seconds),
    refresher: refresher === undefined ? undefined : asRefresher(refresher),
  };
}

function asRefresher(text: string): Refresher {
  return text === "uac" ? "uac" : "uas";
}

/** Min-SE in seconds; 90 when the message has none that can be read (RFC 4028 5). */
export function readMinSe(message: SipRequest | SipResponse): number {
  const value = /^\s*(\d{1,10})\s*(?:;|$)/.exec(message.headers.get("Min-SE") ?? "")?.[1];
  return value === undefined ? smallestInterval : Number(value);
}

export function writeSessionExpires({ seconds, refresher }: SessionExpires): string {
  return refresher === undefined ? String(seconds) : `${seconds};refresher=${refresher}`;
}

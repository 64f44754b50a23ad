import { createHmac } from "node:crypto";

/** What credentials for TURN servers are made of, and how browsers are to use the servers. */
export interface TurnTerms {
  /** `turn:` and `turns:` URLs (RFC 7065), one secret for all. */
  readonly urls: readonly string[];
  /** Shared with the TURN servers. */
  readonly secret: string;
  readonly lifetimeSeconds: number;
  /** `relay`: browsers use nothing else. */
  readonly policy: "all" | "relay";
}

/** What a page is told, as JSON: the first two are as `RTCConfiguration` has them. */
export interface TurnOffer {
  readonly iceServers: readonly {
    readonly urls: readonly string[];
    readonly username: string;
    readonly credential: string;
  }[];
  readonly iceTransportPolicy: "all" | "relay";
  /** Until when the credentials are good, seconds since 1970-01-01 UTC. */
  readonly expires?: number;
}

/** There is no TURN server any more. */
export const noTurn: TurnOffer = { iceServers: [], iceTransportPolicy: "all" };

/**
 * Credentials for `user` by the TURN REST convention (draft-uberti-behave-turn-rest-00, coturn's `use-auth-secret`):
 * the user name begins with the time they expire, the password is its HMAC-SHA1 under the shared secret.
 *
 * @param nowMs wall clock, ms since 1970-01-01 UTC
 */
export function turnOffer(terms: TurnTerms, user: string, nowMs: number): TurnOffer {
  const expires = Math.floor(nowMs / 1000) + Math.floor(terms.lifetimeSeconds);
  const username = `${expires}:${user}`;
  const credential = createHmac("sha1", terms.secret).update(username).digest("base64");
  return {
    iceServers: [{ urls: terms.urls, username, credential }],
    iceTransportPolicy: terms.policy,
    expires,
  };
}

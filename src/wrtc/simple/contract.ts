import type { WrtcPresence } from "../../registrar/index.ts";
import type { ClientCalls, ClientLine } from "../contract.ts";

/** A request to one of the paths that both protocols share, routed by its last segment. */
export interface SimpleRequest {
  readonly method: string;
  readonly action: string;
  /** Raw, without `?`. */
  readonly query: string;
  readonly body: string;
  /** Of the page; undefined: the gateway's own, or the client is no browser. */
  readonly origin: string | undefined;
  /** The connection's, without port. */
  readonly address: string;
  readonly userAgent: string;
}

/** What is answered; JSON has a type of its own, all else is `text/plain`. */
export interface SimpleAnswer {
  readonly status: number;
  readonly body: string;
  readonly json?: true;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection ended before the client had it. */
  readonly lost?: () => void;
}

/** Who wants to sign in. */
export interface SimpleSignIn {
  readonly dn: string;
  /** Undefined: none was given. */
  readonly password: string | undefined;
  readonly origin: string | undefined;
  readonly address: string;
  readonly userAgent: string;
}

/** A session as the clients of grtc.js have it too: same sign-in, expiry and registration. */
export interface SimpleSession {
  readonly calls: ClientCalls;
  /** Its client gave a sign of life. */
  seen(): void;
  /** Idempotent. */
  close(reason: string): void;
}

/** What a session is told. */
export interface SimpleSessionUser {
  line(presence: WrtcPresence): ClientLine;
  /** It is over: signed out, expired, dismissed. */
  onClosed(): void;
}

/** Judges sign-ins and keeps sessions. */
export interface SimpleDesk {
  /** Never rejects; resolves when the DN's registration at SIP Server is decided. */
  signIn(
    order: SimpleSignIn,
    user: SimpleSessionUser,
  ): Promise<SimpleSession | { readonly status: number; readonly error: string }>;
}

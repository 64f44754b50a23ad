import type { MediaStatistics } from "../b2bua/index.ts";
import type { WrtcPresence } from "../registrar/index.ts";

/*
 * Who carries messages stands in protocol/, session/, http/ and wrtc.ts; who acts on them in calls/. Another protocol on
 * the same paths (simple/) is an `OtherVariant` (http/exchange.ts), given to `Wrtc.serve` by src/cli/onlookers/wrtc.ts and
 * asked before grtc.js' own; it opens its sessions by `Wrtc.signIn.signIn`.
 */

/** One pair of data attached to a call (`setData` of grtc.js); the value may be any JSON. */
export interface AttachedPair {
  readonly key: string;
  readonly value: unknown;
}

/** What ties an answer to its offer (wrtc-http-protocol.md 2.1). Numbers and strings as the client sent them, unjudged. */
export interface RoapIds {
  readonly offererSessionId?: unknown;
  readonly answererSessionId?: unknown;
  readonly seq?: unknown;
  readonly tiebreaker?: unknown;
}

/** What a client posted, read (wrtc-http-protocol.md 1.3). Repetitions never come this far. */
export type ClientMessage =
  /** `sdp`: whole, the entries of `Candidates` merged into their m-lines. */
  | {
      readonly kind: "offer" | "answer";
      readonly sdp: string;
      readonly ids: RoapIds;
      readonly attached: readonly AttachedPair[];
    }
  | { readonly kind: "ok" }
  | { readonly kind: "bye" }
  /** `to-server`: INFO-MAP, which SIP Server maps to user data; `to-peer`: INFO-PEER, passed through. As posted, form-encoded. */
  | { readonly kind: "info"; readonly use: "to-server" | "to-peer"; readonly body: string }
  | { readonly kind: "get-stats" };

/** What a client is told (wrtc-http-protocol.md 1.4); each protocol writes it in its own way. */
export type GatewayMessage =
  | {
      readonly kind: "offer" | "answer";
      readonly sdp: string;
      readonly ids: RoapIds;
      readonly attached?: readonly AttachedPair[];
    }
  | { readonly kind: "error"; readonly errorType: ErrorType; readonly reason: string }
  | { readonly kind: "bye"; readonly reason: string }
  | { readonly kind: "talk" }
  | { readonly kind: "hold" }
  | { readonly kind: "info"; readonly body: string }
  /** `sinceMs`: how long the call has been established, ms. */
  | { readonly kind: "stats"; readonly statistics: MediaStatistics; readonly sinceMs: number };

/** ROAP's names for what went wrong (draft-jennings-rtcweb-signaling 5.5); what Genesys' gateway sends is unknown. */
export type ErrorType = "NOMATCH" | "TIMEOUT" | "REFUSED" | "CONFLICT" | "DOUBLECONFLICT" | "FAILED";

/** The way to one session's client. Messages arrive in order, each once as far as can be known. */
export interface ClientLine {
  readonly presence: WrtcPresence;
  /** Anonymous sign-in: it has no DN of its own at SIP Server, and can only call. */
  readonly anonymous: boolean;
  /** `peer`: the other party; non-empty and fit for a raw URL with an offer, which a client ignores without. */
  send(message: GatewayMessage, peer: string): void;
  /** Where the first message of this kind is that the client may not have read yet; left out: nowhere, it reads at once. */
  unread?(kind: GatewayMessage["kind"]): "waiting" | "under-way" | undefined;
  /** The client is done with the call that it was told of so far: what it has not read of that, it is not told any more. */
  forget?(): void;
}

/** The calls of one session: one at a time (wrtc-http-protocol.md 2.3). */
export interface ClientCalls {
  /** There is a call, one that is being set up included. */
  readonly busy: boolean;
  /**
   * `to`: whom the client addresses, percent-decoded once; its own SSID (`self`) arrives as "self", nobody as the empty
   * string. An offer to "self" begins an echo call: `B2bua.echoToClient` in the place of `callFromClient`, with the same
   * leg.
   */
  receive(message: ClientMessage, to: string): void;
  /** The session is over, and so is its call. Idempotent. */
  close(reason: string): void;
}

/**
 * What gateway, page and bridge say to each other at `/endpoint/...`. The page cannot import this: its copy of the types is
 * held against `orderNames`, `callActs` and the examples of docs/endpoint.md by a test.
 *
 * How a page gets in: it is opened as `/#endpoint=TOKEN`, TOKEN being an agent token or a page token; it takes the token out
 * of its address and exchanges it (`POST /endpoint/page`) for a page session, by which it opens `events` with an EventSource.
 * All of the page's requests are of its own origin; POSTs are `application/json`.
 */

/** Name of the page's key behind `#`. */
export const pageKey = "endpoint";

/** `POST /endpoint/page`: an agent token or a page token. Wrong, used, expired: 401 `{error, reason}`; guessing: 429. */
export interface PageRequest {
  readonly token: string;
}

/** Its answer. */
export interface PageAnswer {
  /** The page session, a secret, good over restarts of the gateway: `GET /endpoint/{session}/events` and so on. */
  readonly session: string;
  readonly dn: string;
  /** ISO 8601. */
  readonly expires_at: string;
}

/** What signs the page in by SIP digest, as `POST /api/sign-in` answers it. */
export interface PageCredentials {
  readonly dn: string;
  readonly user: string;
  readonly realm: string;
  readonly ha1: string;
  /** ISO 8601. */
  readonly expires_at: string;
}

/** Of a microphone or a speaker; what is not named stays. */
export interface SoundChange {
  readonly muted?: boolean;
  /** 0 to 100. */
  readonly volume?: number;
}

export const callActs = ["make", "answer", "hang-up", "hold", "retrieve", "dtmf"] as const;
export type CallAct = (typeof callActs)[number];

export const orderNames = ["sign-in", "sign-out", "sound", "call", "options"] as const;

/** What the page is to do. */
export type PageWork =
  /** Sent whenever the page connects while WWE wants the DN registered: signed in with this DN already is ok at once. */
  | { readonly order: "sign-in"; readonly credentials: PageCredentials }
  /** Signed out already is ok at once. */
  | { readonly order: "sign-out" }
  | { readonly order: "sound"; readonly microphone?: SoundChange; readonly speaker?: SoundChange }
  /** `number` with make, `digits` with dtmf (0-9 A-D * #). ok: it was begun, not that the far side did anything. */
  | { readonly order: "call"; readonly act: CallAct; readonly number?: string; readonly digits?: string }
  /** For getUserMedia, by the names of its constraints; what is not named stays. */
  | {
      readonly order: "options";
      readonly noiseSuppression?: boolean;
      readonly autoGainControl?: boolean;
      readonly echoCancellation?: boolean;
    };

/**
 * `data` of a server-sent event `order` of `GET /endpoint/{session}/events`. The other events
 * have the data `{}`: `alive` comes each 20 s, and the page answers with its state: two without an answer, and it counts as gone; `replaced`: a newer page has taken over, the stream ends and this page session
 * opens nothing any more (401), so an EventSource gives up.
 */
export type PageOrder = PageWork & {
  /** Repeated in the result; rises. */
  readonly id: number;
};

/** `POST /endpoint/{session}/result`, within 5 s of the order: 204, also for an order nobody waits for any more. */
export interface PageResult {
  readonly id: number;
  readonly ok: boolean;
  /** Why not, in words; at most 200 characters are kept. */
  readonly reason?: string;
}

export interface SoundState {
  readonly muted: boolean;
  /** 0 to 100. */
  readonly volume: number;
}

/** The call that is shown, as `GetCallStatus` tells it. */
export interface PageCall {
  readonly state: "dialling" | "ringing" | "established" | "held";
  readonly number: string;
  readonly direction: "incoming" | "outgoing";
  /** ISO 8601. */
  readonly since: string;
}

/** `POST /endpoint/{session}/state`: after connecting, at every change and upon `alive`, 204. */
export interface PageState {
  readonly signed_in: boolean;
  readonly microphone: SoundState;
  readonly speaker: SoundState;
  readonly call: PageCall | null;
}

/** `POST /endpoint/enrol` by the bridge: 401 wrong, used or expired; 429 with Retry-After. */
export interface EnrolRequest {
  /** As issued; case, spaces and hyphens do not count. */
  readonly code: string;
}

export interface EnrolAnswer {
  /** The agent token. */
  readonly token: string;
  readonly dn: string;
}

/** `POST /endpoint/{agent token}/page-token` with `{}`: for the browser, so that the agent token never goes there. */
export interface PageTokenAnswer {
  readonly token: string;
  /** Whole address of the page with the token behind `#`. */
  readonly url: string;
  /** ISO 8601; 60 s from now, and good once. */
  readonly expires_at: string;
}

/** `GET /endpoint/{agent token}/status` by the bridge, for its dashboard and its window. */
export interface AgentStatusAnswer {
  /** As `GetIsEndpointActive` tells. */
  readonly in_service: boolean;
  /** A page of the agent's holds `events`. */
  readonly page_connected: boolean;
  /** WWE has the DN registered. */
  readonly wanted: boolean;
  /** A client of the DN has a call. */
  readonly in_call: boolean;
}

/** Last segment of the path, by which requests are told apart. */
export const actions = ["sign_in", "wait", "message", "sign_out"] as const;
export type Action = (typeof actions)[number];

/** A request to one of the paths that grtc.js and the simple variant share. */
export interface WrtcRequest {
  readonly method: string;
  readonly action: Action;
  /** Raw, without `?`. */
  readonly query: string;
  /** As it came, whatever its type was. */
  readonly body: string;
  /** Of the page; undefined: the gateway's own, or the client is no browser. Only what may ask comes this far. */
  readonly origin: string | undefined;
  /** The connection's, without the port. */
  readonly address: string;
  readonly port?: number;
  readonly userAgent: string;
  /** Its client has closed the connection, or given the request up. */
  readonly isGone: () => boolean;
}

/** What is answered: `text/plain`, JSON where it says so. */
export interface WrtcAnswer {
  readonly status: number;
  readonly body: string;
  readonly json?: true;
  readonly headers?: Readonly<Record<string, string>>;
  /** The connection ended before the client had it. */
  readonly lost?: () => void;
}

/** Who takes requests that are none of grtc.js', such as those of the simple variant (section 5); asked first. */
export interface OtherVariant {
  /** Undefined: the request is none of this variant's. */
  answer(request: WrtcRequest): WrtcAnswer | Promise<WrtcAnswer> | undefined;
}

/** An answer in words. */
export function says(
  status: number,
  words: string,
  headers: Readonly<Record<string, string>> = {},
): WrtcAnswer {
  return { status, body: words === "" ? "" : `${words}\n`, headers };
}

/** To be told elsewhere: a gateway that is drained takes nobody. */
export const goElsewhere = says(503, "the gateway is being drained", { "retry-after": "3" });
/** The client asks again every 3 s, and its application is told to sign in again. */
export const unknownSession = says(404, "no session with this id: sign in");

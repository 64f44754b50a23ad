import { list, member, parseJson } from "../../shared/json.ts";
import { text } from "./json.ts";
import type { GwsSettings } from "./settings.ts";

/**
 * `unreachable`: no connection, or the browser keeps the answer from us; `silent`: none in time; `denied`: not signed
 * in, or not any more; `csrf`: no token; `malformed`: no JSON; `refused`: all else.
 */
export type GwsErrorKind = "unreachable" | "silent" | "denied" | "csrf" | "malformed" | "refused";

export class GwsError extends Error {
  readonly kind: GwsErrorKind;
  /** HTTP status, 0 where there was no answer. */
  readonly status: number;
  /** GWS's own `statusCode`; undefined where it gave none. */
  readonly code: number | undefined;
  /** GWS's own words. */
  readonly detail: string;
  /** Channels that did start, where only some did (`statusCode` 7). */
  readonly succeeded: readonly string[];

  constructor(kind: GwsErrorKind, status = 0, code?: number, detail = "", succeeded: readonly string[] = []) {
    super(`GWS: ${kind} ${status} ${detail}`);
    this.kind = kind;
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.succeeded = succeeded;
  }
}

export interface Basic {
  readonly user: string;
  readonly password: string;
}

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const PATIENCE_MS = 10_000;
const LARGEST_ANSWER = 1_000_000;

/** Requests to GWS by session cookie, with the CSRF token where GWS gives one. */
export class GwsHttp {
  /** The CSRF header as GWS named it; CometD's requests carry it too, so it is one object for good. */
  readonly csrfHeaders: Record<string, string> = {};
  readonly #settings: GwsSettings;
  readonly #fetch: Fetch;

  constructor(settings: GwsSettings, fetchFrom: Fetch = (url, init) => fetch(url, init)) {
    this.#settings = settings;
    this.#fetch = fetchFrom;
  }

  /** @param path below the API's, e.g. `me`. Rejects with `GwsError`. */
  async get(path: string, basic?: Basic): Promise<unknown> {
    const headers = basic && { authorization: `Basic ${base64(`${basic.user}:${basic.password}`)}` };
    return await this.#request(path, { method: "GET", ...(headers ? { headers } : {}) });
  }

  /** One operation. A CSRF token that is missing or too old is fetched anew, once. */
  async post(path: string, body: object, last = false): Promise<unknown> {
    const send = (): Promise<unknown> =>
      this.#request(path, {
        method: "POST",
        headers: { "content-type": "application/json", ...this.csrfHeaders },
        body: JSON.stringify(body),
        // The page may be going.
        keepalive: last,
      });
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof GwsError) || error.kind !== "csrf" || last) throw error;
      await this.get("me");
      return await send();
    }
  }

  async #request(path: string, init: RequestInit): Promise<unknown> {
    const { url, api } = this.#settings;
    let response: Response | undefined;
    let answer: string;
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      const options = { credentials: "include", cache: "no-store", signal } as const;
      response = await this.#fetch(`${url}${api}/${path}`, { ...init, ...options });
      answer = await response.text();
    } catch (error) {
      const late = error instanceof Error && error.name === "TimeoutError";
      // An answer that was cut off says no more of what GWS has done than none in time.
      throw new GwsError(late || response !== undefined ? "silent" : "unreachable");
    }
    this.#learnCsrf(response.headers);
    return readAnswer(response.status, answer);
  }

  /** `X-CSRF-HEADER` says how the header is called that the token goes in. */
  #learnCsrf(headers: Headers): void {
    const name = headers.get("x-csrf-header") ?? "";
    const token = headers.get("x-csrf-token");
    if (token === null || !/^[\w-]{0,60}$/.test(name)) return;
    this.csrfHeaders[name === "" ? "X-CSRF-TOKEN" : name] = token;
  }
}

/** The body of a good answer. Throws `GwsError` for HTTP's errors and for GWS's own, which come with 200 as well. */
export function readAnswer(status: number, answer: string): unknown {
  const good = status >= 200 && status < 300;
  const body = answer.length > LARGEST_ANSWER ? undefined : parseJson(answer);
  const code = member(body, "statusCode");
  const detail = reason(body);
  const number = typeof code === "number" ? code : undefined;
  if (good && body === undefined && answer.trim() !== "") throw new GwsError("malformed", status);
  if (good && (number ?? 0) === 0) return body;
  if (status === 403 && /csrf/i.test(detail || answer)) throw new GwsError("csrf", status, number, detail);
  if (status === 401 || status === 403) throw new GwsError("denied", status, number, detail);
  throw new GwsError("refused", status, number, detail, channelsOf(member(body, "succeeded")));
}

/** Names, or objects that hold one. */
function channelsOf(value: unknown): readonly string[] {
  return list(value).flatMap(
    (one) => (typeof one === "string" ? one : text(one, "channel") || text(one, "name")) || [],
  );
}

/** Of a 7 (partly done) the reason stands with what failed. */
function reason(body: unknown): string {
  const failed = list(member(body, "failed"))
    .map((one) => text(one, "statusMessage") || text(one, "errorMessage") || text(one, "message"))
    .filter((one) => one !== "");
  return failed.length > 0 ? failed.join("; ") : text(body, "statusMessage");
}

/** RFC 7617 with UTF-8. */
function base64(value: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(value)));
}

import { textOf } from "../../shared/json.ts";
import type { Ban, Certificate, LogLevel, Me, Sample, Trace, TraceSummary } from "./contract.ts";

/** What came of a request; `status` 0: no answer at all. `error` is for people. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly status: number; readonly error: string };

/** Level null: as the others. No room: all that have none of their own. No minutes: it stays. */
export interface LogLevelWish {
  readonly level: string | null;
  readonly room?: string;
  readonly for_minutes?: number;
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;
type Method = "GET" | "POST" | "PUT" | "DELETE";

/** The admin API. Nothing of it throws; what goes wrong is in the answer. */
export class AdminApi {
  readonly #base: string;
  readonly #fetch: Fetch;
  /** Called when a request but `login` is answered 401. */
  onSignedOut: () => void = () => undefined;

  /** `base`: where `/api` is, with a slash at its end. */
  constructor(base: string, fetcher: Fetch) {
    this.#base = base;
    this.#fetch = fetcher;
  }

  get eventsUrl(): string {
    return `${this.#base}events`;
  }

  captureUrl(file: string): string {
    return `${this.#base}captures/${encodeURIComponent(file)}`;
  }

  /** Who is signed in; nobody is no fault, which browsers would show. */
  async session(): Promise<Answer<{ user: Me | null }>> {
    return await this.#ask("GET", "session");
  }

  async login(name: string, password: string): Promise<Answer<Me>> {
    return await this.#ask("POST", "login", { name, password });
  }

  async logout(): Promise<Answer<unknown>> {
    return await this.#ask("POST", "logout", {});
  }

  async history(): Promise<Answer<{ samples: readonly Sample[] }>> {
    return await this.#watched("GET", "history");
  }

  async traces(
    filter: Readonly<Record<string, string>>,
  ): Promise<Answer<{ traces: readonly TraceSummary[] }>> {
    const query = new URLSearchParams(filter).toString();
    return await this.#watched("GET", query === "" ? "traces" : `traces?${query}`);
  }

  async trace(id: string): Promise<Answer<Trace>> {
    return await this.#watched("GET", `calls/${encodeURIComponent(id)}/trace`);
  }

  async traceText(id: string): Promise<Answer<string>> {
    return await this.#watched("GET", `calls/${encodeURIComponent(id)}/trace?format=text`);
  }

  async startCapture(id: string): Promise<Answer<{ file: string; seconds: number }>> {
    return await this.#watched("POST", `calls/${encodeURIComponent(id)}/capture`, {});
  }

  async stopCapture(id: string): Promise<Answer<{ file: string; packets: number; bytes: number }>> {
    return await this.#watched("DELETE", `calls/${encodeURIComponent(id)}/capture`, {});
  }

  async hangUp(id: string): Promise<Answer<unknown>> {
    return await this.#watched("DELETE", `calls/${encodeURIComponent(id)}`, {});
  }

  async signOut(dn: string): Promise<Answer<{ signed_out: number }>> {
    return await this.#watched("DELETE", `agents/${encodeURIComponent(dn)}`, {});
  }

  async bans(): Promise<Answer<{ bans: readonly Ban[] }>> {
    return await this.#watched("GET", "bans");
  }

  /** All, unless it is said which. */
  async liftBans(filter: Readonly<Record<string, string>>): Promise<Answer<{ lifted: number }>> {
    const query = new URLSearchParams(filter).toString();
    return await this.#watched("DELETE", query === "" ? "bans" : `bans?${query}`, {});
  }

  async drain(draining: boolean): Promise<Answer<{ draining: boolean; calls: number }>> {
    return await this.#watched("PUT", "drain", { draining });
  }

  async logLevel(wish: LogLevelWish): Promise<Answer<LogLevel>> {
    return await this.#watched("PUT", "log-level", wish);
  }

  async reloadCertificate(): Promise<Answer<Certificate>> {
    return await this.#watched("POST", "certificate/reload", {});
  }

  async #watched<T>(method: Method, path: string, body?: unknown): Promise<Answer<T>> {
    const answer = await this.#ask<T>(method, path, body);
    if (!answer.ok && answer.status === 401) this.onSignedOut();
    return answer;
  }

  async #ask<T>(method: Method, path: string, body?: unknown): Promise<Answer<T>> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
    try {
      const response = await this.#fetch(`${this.#base}${path}`, init);
      const value = await contentOf(response);
      if (response.ok) return { ok: true, value: value as T };
      return { ok: false, status: response.status, error: faultOf(response, value) };
    } catch {
      return { ok: false, status: 0, error: "Jackfield does not answer" };
    }
  }
}

async function contentOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!/^application\/json/i.test(response.headers.get("content-type") ?? "")) return text;
  return JSON.parse(text);
}

function faultOf(response: Response, content: unknown): string {
  if (response.status === 429) {
    const wait = response.headers.get("retry-after");
    return `too many tries from this address${wait === null ? "" : `: wait ${wait} seconds`}`;
  }
  return textOf(content, "error") || `answered ${response.status}`;
}

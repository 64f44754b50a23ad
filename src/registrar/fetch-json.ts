import type { Clock } from "../core/index.ts";

export interface FetchRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON; left out: GET. */
  readonly body?: string;
  readonly timeoutMs: number;
  /** What is longer is not read to its end. */
  readonly maxBytes: number;
  /** Gives up before the time is over. */
  readonly signal?: AbortSignal;
}

/** What came: the status with its JSON (only of 200), or why nothing did, in words that hold neither URL nor secret. */
export type Fetched =
  | { readonly status: 200; readonly json: unknown }
  | { readonly status: number }
  | { readonly failure: string };

/** One request over HTTP(S), bounded in time and size; redirects are not followed. Never rejects. */
export async function fetchJson(clock: Clock, request: FetchRequest): Promise<Fetched> {
  const { url, headers, body, timeoutMs, maxBytes, signal } = request;
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  const timer = clock.setTimer(timeoutMs, stop);
  try {
    const response = await fetch(url, {
      headers: { accept: "application/json", ...(body === undefined ? {} : json), ...headers },
      ...(body === undefined ? {} : { method: "POST", body }),
      redirect: "manual",
      signal: abort.signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { status: response.status };
    }
    const text = await readBounded(response, maxBytes);
    if (text === undefined) return { failure: `the answer has more than ${maxBytes} bytes` };
    return { status: 200, json: parsed(text) };
  } catch (error) {
    return { failure: abort.signal.aborted ? `no answer within ${timeoutMs} ms` : reasonOf(error) };
  } finally {
    timer.clear();
    signal?.removeEventListener("abort", stop);
  }
}

const json = { "content-type": "application/json" };

async function readBounded({ body }: Response, maxBytes: number): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.byteLength;
    // Leaving the loop cancels the rest.
    if (length > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** Undefined for what is no JSON: nobody takes it for an answer. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch failed` has the system's error as its cause, with a code such as ECONNREFUSED. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code: unknown = cause instanceof Error && "code" in cause ? cause.code : undefined;
  return typeof code === "string" ? `cannot be reached (${code})` : "cannot be reached";
}

import { textOf } from "../../shared/json.ts";

/** As much of an `EventSource` as is used. */
export interface OrderStream {
  addEventListener(name: string, listener: (event: { readonly data?: unknown }) => void): void;
  close(): void;
}

/** `session`: what the token was exchanged for; `refused`: why there is none, in words; else the gateway did not answer. */
export type Exchanged = { readonly session: string } | { readonly refused: string } | undefined;

/** The gateway as the page asks it; none of these rejects. */
export interface EndpointWire {
  exchange(token: string): Promise<Exchanged>;
  open(session: string): OrderStream;
  /** @returns `gone`: the session opens nothing any more */
  post(session: string, what: "result" | "state", body: object): Promise<"taken" | "gone" | "failed">;
}

const PATIENCE_MS = 10_000;
const REASONS: Readonly<Record<string, string>> = {
  expired: "The address this window was opened with is too old.",
  used: "The address this window was opened with was used before.",
};
const NOT_VALID = "The address this window was opened with is not valid.";
/** Not the link's fault, and better later. */
const PASSING: readonly number[] = [408, 429, 500, 502, 503, 504];

async function send(path: string, body: object): Promise<Response> {
  return await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    cache: "no-store",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
}

/** The gateway that served the page. */
export const endpointWire: EndpointWire = {
  async exchange(token) {
    try {
      const response = await send("endpoint/page", { token });
      const answer: unknown = await response.json().catch(() => undefined);
      const session = textOf(answer, "session");
      if (response.ok && session !== "") return { session };
      if (response.ok || PASSING.includes(response.status)) return undefined;
      if (response.status === 404) return { refused: "This gateway has no endpoint for Workspace." };
      return { refused: REASONS[textOf(answer, "reason")] ?? NOT_VALID };
    } catch {
      return undefined;
    }
  },
  open: (session) => new EventSource(`endpoint/${encodeURIComponent(session)}/events`),
  async post(session, what, body) {
    try {
      const { ok, status } = await send(`endpoint/${encodeURIComponent(session)}/${what}`, body);
      if ([401, 403, 404].includes(status)) return "gone";
      // What the gateway cannot read it cannot read the next time either.
      return ok || !PASSING.includes(status) ? "taken" : "failed";
    } catch {
      return "failed";
    }
  },
};

import type { IncomingMessage } from "node:http";
import type { Logger } from "../../core/index.ts";
import type { GatewayLink } from "../gateway/link.ts";
import type { BridgeState } from "../state.ts";
import { corsHeaders, preflightHeaders } from "./guard.ts";
import type { OriginRule } from "./origins.ts";
import { readBody } from "./read-body.ts";
import { withoutGateway } from "./without-gateway.ts";

export interface LocalAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export interface ForwardOptions {
  readonly link: Pick<GatewayLink, "ask">;
  readonly origins: Pick<OriginRule, "allows">;
  readonly state: BridgeState;
  readonly warn: Logger["warn"];
  /** WWE has a DN registered (true), or asked for its end. */
  readonly onRegistered: (registered: boolean) => void;
}

/** Of a request; WWE's are under a kilobyte. */
const maxBodyBytes = 65_536;
/** What the bridge and the gateway's page ask; no page may under the agent's token. All others have no letters alone. */
const own = new Set(["status", "events", "result", "state"]);

/** What WWE asks only once it has sent RegisterDn, maybe to a bridge before this one (wwe-endpoint-and-gws-api.md A2). */
const followRegisterDn = new Set(["getisendpointactive", "ping"]);

/** WWE's requests: checked, passed on to the gateway, its answers handed back. */
export class Forward {
  readonly #options: ForwardOptions;
  /** WWE has signed out, or its RegisterDn was refused, and has not signed in since. */
  #signedOut = false;

  constructor(options: ForwardOptions) {
    this.#options = options;
  }

  async answer(request: IncomingMessage): Promise<LocalAnswer> {
    const { origin } = request.headers;
    if (origin === undefined || !(await this.#options.origins.allows(origin))) return this.#refuse(origin);
    const answer =
      request.method === "OPTIONS" ? preflight(request, origin) : await this.#forward(request, origin);
    return { ...answer, headers: { ...corsHeaders(origin), ...answer.headers } };
  }

  #refuse(origin: string | undefined): LocalAnswer {
    this.#options.warn({ origin: origin?.slice(0, 300) }, "a page that may not ask was refused");
    return problem(403, "this origin may not ask here: settings `origins`, or the gateway's list");
  }

  async #forward(request: IncomingMessage, origin: string): Promise<LocalAnswer> {
    const { method = "" } = request;
    const [path = "", query] = (request.url ?? "").split("?", 2);
    const [, name] = /^\/([A-Za-z]{1,64})\/?$/.exec(path) ?? [];
    if (name === undefined || own.has(name.toLowerCase()))
      return problem(404, "there is nothing at this path");
    if (method !== "GET" && method !== "POST")
      return { ...problem(405, "GET or POST"), headers: { allow: "GET, POST, OPTIONS" } };
    const type = request.headers["content-type"];
    if (method === "POST" && !/^application\/json\s*(?:;|$)/i.test(type ?? ""))
      return problem(415, "the body must be application/json");
    const body = method === "POST" ? await readBody(request, maxBodyBytes) : undefined;
    if (body === "too-large") return problem(413, "the body is too large");
    if (body === "cut") return problem(400, "the body was cut");
    this.#options.state.sawWwe(origin, name);
    const result = await this.#options.link.ask({
      method,
      path: query === undefined ? path : `${path}?${query.replaceAll(/[^\w=&.%-]/g, "").slice(0, 500)}`,
      // Without Origin: the page was judged here, and the gateway's list may be for others.
      headers: { accept: "application/json", ...(type === undefined ? {} : { "content-type": type }) },
      body,
    });
    if ("fault" in result) return { ...withoutGateway(name), headers: json };
    const { status, body: text, headers } = result.answer;
    if (status === 200) this.#notice(name.toLowerCase(), text.toString());
    return {
      status,
      headers: { "content-type": headers["content-type"] ?? json["content-type"] },
      body: text,
    };
  }

  /** What the gateway's answers tell of the agent. */
  #notice(name: string, text: string): void {
    const { state, onRegistered } = this.#options;
    if (followRegisterDn.has(name) && !this.#signedOut) onRegistered(true);
    if (name === "getisendpointactive") {
      const inService = text.includes(":true");
      if (state.view.inService !== inService) {
        state.tell(inService ? "the DN is in service" : "the DN is not in service");
        state.change({ inService });
      }
    } else if (name === "registerdn") {
      const registered = text.includes(":true");
      state.tell(
        registered ? "WWE registers the DN" : "the gateway refused to register the DN (its log says why)",
      );
      this.#signedOut = !registered;
      if (registered) onRegistered(true);
    } else if (name === "unregisterdn") {
      state.tell("WWE signs the DN out");
      this.#signedOut = true;
      onRegistered(false);
    }
  }
}

const json = { "content-type": "application/json; charset=utf-8" };

function preflight({ headers }: IncomingMessage, origin: string): LocalAnswer {
  const privateNetwork = headers["access-control-request-private-network"] === "true";
  return { status: 200, headers: preflightHeaders(origin, privateNetwork) };
}

function problem(status: number, error: string): LocalAnswer {
  return { status, headers: json, body: JSON.stringify({ error }) };
}

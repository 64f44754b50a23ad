import { timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { randomId, type Logger, type Random } from "../../core/index.ts";
import type { LocalAnswer } from "../local/forward.ts";
import { isOwnPage } from "../local/guard.ts";
import { readBody } from "../local/read-body.ts";
import { dashboardPage, dashboardScript, dashboardStyle } from "./page.ts";
import type { DashboardReaders } from "./readers.ts";

const dashboardActs = ["test", "restart", "window"] as const;
export type DashboardAct = (typeof dashboardActs)[number];

export interface DashboardOptions {
  readonly readers: DashboardReaders;
  readonly random: Random;
  readonly log: Logger;
  /** Does it; resolves with what to show. */
  readonly act: (act: DashboardAct) => Promise<string>;
}

const maxBodyBytes = 1000;

/** `/dashboard`: seen on this machine alone; acts are taken from the page itself, which brings its token. */
export class Dashboard {
  readonly #options: DashboardOptions;
  readonly #token: string;

  constructor(options: DashboardOptions) {
    this.#options = options;
    this.#token = randomId(options.random, 32);
  }

  /** Undefined: `response` is taken over. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<LocalAnswer | undefined> {
    const { method, url, headers } = request;
    const fetchSite = headers["sec-fetch-site"];
    const asking = {
      host: headers.host,
      origin: headers.origin,
      fetchSite: Array.isArray(fetchSite) ? fetchSite[0] : fetchSite,
    };
    // A link to the dashboard may stand on any page; it shows nothing to that one.
    const isPage = url === "/dashboard" || url === "/dashboard/";
    const opened = method === "GET" && isPage && headers["sec-fetch-mode"] === "navigate";
    if (!opened && !isOwnPage(asking, method === "POST")) return said(403, "not from the dashboard itself");
    if (method === "POST" && url === "/dashboard/act") return await this.#act(request);
    if (method !== "GET") return { ...said(405, "GET"), headers: { ...json, allow: "GET" } };
    switch (url ?? "") {
      case "/dashboard":
      case "/dashboard/":
        return file("text/html", dashboardPage(this.#token));
      case "/dashboard/script.js":
        return file("text/javascript", dashboardScript);
      case "/dashboard/style.css":
        return file("text/css", dashboardStyle);
      case "/dashboard/events":
        return this.#options.readers.add(response) ? undefined : said(503, "too many dashboards are open");
      default:
        return said(404, "there is nothing at this path");
    }
  }

  async #act(request: IncomingMessage): Promise<LocalAnswer> {
    const { log, act } = this.#options;
    if (!this.#knows(request.headers["x-page-token"])) return said(403, "reload the page");
    if (request.headers["content-type"] !== "application/json") return said(415, "application/json");
    const body = await readBody(request, maxBodyBytes);
    const wanted = typeof body === "string" ? undefined : actOf(body.toString());
    if (wanted === undefined) return said(400, "there is no such act");
    log.info({ act: wanted }, "asked for at the dashboard");
    return said(200, await act(wanted));
  }

  #knows(token: string | readonly string[] | undefined): boolean {
    if (typeof token !== "string") return false;
    const [theirs, ours] = [Buffer.from(token), Buffer.from(this.#token)];
    return theirs.length === ours.length && timingSafeEqual(theirs, ours);
  }
}

function actOf(text: string): DashboardAct | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    const act = typeof parsed === "object" && parsed !== null && "act" in parsed ? parsed.act : undefined;
    return dashboardActs.find((one) => one === act);
  } catch {
    return undefined;
  }
}

const json = { "content-type": "application/json; charset=utf-8" };
const policy = [
  "default-src 'none'",
  ...["script-src", "style-src", "connect-src"].map((kind) => `${kind} 'self'`),
  ...["frame-ancestors", "base-uri", "form-action"].map((kind) => `${kind} 'none'`),
].join("; ");

function said(status: number, text: string): LocalAnswer {
  return { status, headers: json, body: JSON.stringify({ said: text }) };
}

function file(type: string, body: string): LocalAnswer {
  return {
    status: 200,
    headers: { "content-type": `${type}; charset=utf-8`, "content-security-policy": policy },
    body,
  };
}

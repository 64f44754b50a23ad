import { request as httpRequest, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http";
import { request as httpsRequest } from "node:https";
import { systemClock, type Clock } from "../../src/core/index.ts";
import type { WweAnswer, WweTransport } from "./fake-wwe.ts";

export interface ChromeRequestsOptions {
  /** Of WWE's page, e.g. `https://wwe.test`. */
  readonly origin: string;
  /** The page's address space is public and the endpoint's is not: preflights ask for leave (Private Network Access). */
  readonly privateNetwork?: boolean;
  /** Authorities of an https endpoint, PEM. */
  readonly ca?: string;
  readonly clock?: Clock;
}

/** The browser keeps the answer from the page. */
export class CorsError extends Error {
  override readonly name = "CorsError";
}

interface Allowed {
  readonly methods: readonly string[];
  readonly headers: readonly string[];
  readonly until: number;
}

const CONTENT_TYPE = "application/json; charset=UTF-8";
/** Where the answer says nothing (Chrome). */
const DEFAULT_AGE_S = 5;
const LONGEST_AGE_S = 7200;

/**
 * Requests of a page on another origin as Chrome sends them: `$.ajax` sets a JSON type on all of them, so each is
 * preflighted, unless the preflight's answer still holds.
 */
export class ChromeRequests implements WweTransport {
  preflights = 0;
  /** Of the preflights, oldest first. */
  readonly preflightAnswers: IncomingHttpHeaders[] = [];
  readonly #options: ChromeRequestsOptions;
  readonly #clock: Clock;
  readonly #allowed = new Map<string, Allowed>();

  constructor(options: ChromeRequestsOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async request(method: "GET" | "POST", url: string, body?: string): Promise<WweAnswer> {
    await this.#preflight(method, url);
    const { status, headers, text } = await this.#send(method, url, body, {
      accept: "application/json, text/javascript, */*; q=0.01",
      "content-type": CONTENT_TYPE,
      ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }),
    });
    this.#checkOrigin(headers, `${method} ${url}`);
    return { status, text };
  }

  async #preflight(method: string, url: string): Promise<void> {
    const known = this.#allowed.get(url);
    if (known !== undefined && this.#clock.now() < known.until && allows(known, method)) return;
    const { origin, privateNetwork = false } = this.#options;
    this.preflights++;
    const { status, headers } = await this.#send("OPTIONS", url, undefined, {
      accept: "*/*",
      "access-control-request-method": method,
      "access-control-request-headers": "content-type",
      ...(privateNetwork ? { "access-control-request-private-network": "true" } : {}),
    });
    this.preflightAnswers.push(headers);
    const what = `preflight of ${method} ${url} for ${origin}`;
    if (status < 200 || status > 299) throw new CorsError(`${what}: ${status}`);
    this.#checkOrigin(headers, what);
    if (privateNetwork && headers["access-control-allow-private-network"] !== "true")
      throw new CorsError(`${what}: not allowed from a public network`);
    const age = Number(headers["access-control-max-age"] ?? DEFAULT_AGE_S);
    const allowed = {
      methods: list(headers["access-control-allow-methods"]).map((one) => one.toUpperCase()),
      headers: list(headers["access-control-allow-headers"]).map((one) => one.toLowerCase()),
      until: this.#clock.now() + 1000 * Math.min(LONGEST_AGE_S, age),
    };
    if (!allows(allowed, method)) throw new CorsError(`${what}: ${JSON.stringify(allowed)}`);
    this.#allowed.set(url, allowed);
  }

  #checkOrigin(headers: IncomingHttpHeaders, what: string): void {
    const allowed = headers["access-control-allow-origin"];
    if (allowed !== this.#options.origin && allowed !== "*")
      throw new CorsError(`${what}: Access-Control-Allow-Origin ${allowed ?? "missing"}`);
  }

  async #send(
    method: string,
    url: string,
    body: string | undefined,
    headers: OutgoingHttpHeaders,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }> {
    const { origin, ca } = this.#options;
    const common = {
      origin,
      referer: `${origin}/`,
      "user-agent":
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
      "sec-fetch-mode": "cors",
      "sec-fetch-site": "cross-site",
      "sec-fetch-dest": "empty",
      "accept-encoding": "identity",
      "accept-language": "en-US,en;q=0.9",
    };
    const all = { method, headers: { ...headers, ...common } };
    return await new Promise((resolve, reject) => {
      const request = url.startsWith("https:")
        ? httpsRequest(url, { ...all, ...(ca === undefined ? {} : { ca }) })
        : httpRequest(url, all);
      request.on("error", reject);
      request.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      request.end(body);
    });
  }
}

function list(value: string | undefined): readonly string[] {
  return (value ?? "").split(",").map((one) => one.trim());
}

/** GET and POST are allowed unasked; the JSON type is not. */
function allows({ methods, headers }: Allowed, method: string): boolean {
  const methodAllowed = ["GET", "POST"].includes(method) || methods.includes(method) || methods.includes("*");
  return methodAllowed && (headers.includes("content-type") || headers.includes("*"));
}

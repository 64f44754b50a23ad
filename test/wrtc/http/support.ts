import { request as httpRequest, type Agent, type IncomingHttpHeaders } from "node:http";
import {
  silentLogger,
  systemClock,
  systemRandom,
  TypedEvents,
  type Logger,
} from "../../../src/core/index.ts";
import type { TrunkEvents, TrunkStatus, WrtcPresence } from "../../../src/registrar/index.ts";
import {
  Wrtc,
  type ClientCalls,
  type ClientLine,
  type ClientMessage,
  type DnLogin,
  type LoginVerdict,
  type OtherVariant,
  type WrtcTerms,
} from "../../../src/wrtc/index.ts";
import { openHttpServer, type HttpServer, type HttpServerOptions } from "../../../src/ws/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** What one session's calls were told. */
export class HeardCalls implements ClientCalls {
  busy = false;
  readonly line: ClientLine;
  readonly heard: { readonly message: ClientMessage; readonly to: string }[] = [];
  closed: string | undefined;

  constructor(line: ClientLine) {
    this.line = line;
  }

  receive(message: ClientMessage, to: string): void {
    this.heard.push({ message, to });
  }

  close(reason: string): void {
    if (this.busy) this.line.send({ kind: "bye", reason }, "");
    this.closed ??= reason;
  }
}

export const page = "https://agents.example.com";
export const password = "p:w&d+ %41é";

export interface BenchOptions {
  readonly terms?: Partial<WrtcTerms>;
  readonly paths?: readonly string[];
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly variants?: readonly OtherVariant[];
  readonly limits?: Pick<HttpServerOptions, "requestTimeoutMs" | "idleTimeoutMs">;
  readonly secret?: string;
  readonly log?: Logger;
}

/** The room with all its routes on a real port, the registrar, SIP Server and passwords made up. */
export class WrtcBench {
  readonly clock = new FakeClock();
  readonly http: HttpServer;
  readonly wrtc: Wrtc;
  readonly calls: HeardCalls[] = [];
  readonly admitted: WrtcPresence[] = [];
  readonly released: string[] = [];
  readonly reachable: boolean[] = [];
  accepting = true;
  terms: WrtcTerms;
  /** DNs and their standing at SIP Server. */
  readonly standings = new Map<string, TrunkStatus>();
  readonly trunkEvents = new TypedEvents<TrunkEvents>();
  verdict: LoginVerdict | undefined;
  readonly asked: string[] = [];
  readonly #options: BenchOptions;

  constructor(options: BenchOptions) {
    this.#options = options;
    const { tls, terms, limits } = options;
    this.http = openHttpServer({
      host: "127.0.0.1",
      port: 0,
      log: silentLogger,
      clock: systemClock,
      closeTimeoutMs: 0,
      ...limits,
      ...(tls ? { tls } : {}),
    });
    this.terms = {
      origins: [page],
      allowAnonymous: false,
      waitMs: 25_000,
      waitHttp1Ms: 10_000,
      expiryMs: 150_000,
      rebuildMs: 3_600_000,
      perDn: 5,
      inAll: 100,
      ...terms,
    };
    this.wrtc = this.#open();
    const { paths = ["/wrtc"], variants = [] } = options;
    this.wrtc.serve(this.http.app, { paths, secure: tls !== undefined, variants });
  }

  static async open(options: BenchOptions = {}): Promise<WrtcBench> {
    const bench = new WrtcBench(options);
    await bench.http.listen();
    return bench;
  }

  #open(): Wrtc {
    const { secret = "not so secret", log = silentLogger } = this.#options;
    return new Wrtc({
      registrar: {
        admit: (presence) => {
          this.admitted.push(presence);
          return this.accepting;
        },
        release: (presence, reason) => void this.released.push(`${presence.dn} ${reason}`),
        noteReachable: ({ reachable }) => void this.reachable.push(reachable),
      },
      trunk: {
        status: (dn) => this.standings.get(dn) ?? { state: "in-service", reason: "" },
        events: this.trunkEvents,
      },
      login: this.#login,
      makeCalls: (line) => {
        const calls = new HeardCalls(line);
        this.calls.push(calls);
        return calls;
      },
      terms: () => this.terms,
      accepting: () => this.accepting,
      secret: () => secret,
      node: "gw1",
      clock: this.clock,
      random: systemRandom,
      log,
    });
  }

  readonly #login: DnLogin = {
    judge: async (dn, given, address) => {
      this.asked.push(dn);
      if (this.verdict) return this.verdict;
      if (given !== undefined && given !== password) return { outcome: "refused" };
      return this.#login.judgeKnown(dn, address);
    },
    judgeKnown: (dn) =>
      Promise.resolve(/^50\d\d$/.test(dn) ? { outcome: "accepted" } : { outcome: "refused" }),
  };

  /** Where SIP Server has a DN now. */
  stand(dn: string, state: TrunkStatus["state"], reason = ""): void {
    this.standings.set(dn, { state, reason });
    this.trunkEvents.emit("status", dn, { state, reason });
  }

  get port(): number {
    return this.http.port;
  }

  ask(path: string, options: AskOptions = {}): Promise<Answer> {
    return ask(this.port, path, options);
  }

  /** Signs in; the SSID. */
  async signIn(dn = "5001", options: AskOptions = {}): Promise<string> {
    const answer = await this.ask("/wrtc/sign_in", { body: `${dn}:${password}`, ...options });
    const [, ssid] = /^id=([\w-]+)\n$/.exec(answer.body) ?? [];
    if (answer.status !== 200 || ssid === undefined) throw new Error(`${answer.status} ${answer.body}`);
    return ssid;
  }

  async close(): Promise<void> {
    this.wrtc.close("test is over");
    await this.http.close();
  }
}

/** Waits for a condition, never for time. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

export interface AskOptions {
  /** Keeps connections; without it each request has one of its own that closes behind it. */
  readonly agent?: Agent;
  readonly method?: string;
  readonly body?: string;
  readonly origin?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request with its path as it stands there, by a connection of its own; `fetch` would tidy it. */
export function ask(
  port: number,
  path: string,
  { method, body, origin, headers, signal, agent }: AskOptions = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        host: "127.0.0.1",
        port,
        path,
        method: method ?? (body === undefined ? "GET" : "POST"),
        agent: agent ?? false,
        headers: {
          ...(body === undefined
            ? {}
            : {
                "content-type": "application/x-www-form-urlencoded; charset=UTF-8",
                "content-length": String(Buffer.byteLength(body)),
              }),
          ...(origin === undefined ? {} : { origin }),
          ...headers,
        },
        ...(signal ? { signal } : {}),
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

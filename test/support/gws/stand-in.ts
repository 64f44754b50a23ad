import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Sandbox } from "../../../src/sandbox/index.ts";
import { Bayeux } from "./bayeux.ts";
import { CallWatch } from "./calls.ts";
import { operate, OperationError } from "./operations.ts";

export interface StandInOptions {
  readonly sandbox: Sandbox;
  /** Agent's DN; user name `agent-DN`, password `gws-DN`. */
  readonly dn: string;
  /** Pages that may call (CORS). */
  readonly origins: readonly string[];
}

/** A request as it came, without passwords. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly csrf: string | undefined;
}

/** An answer in the place of the right one. */
export interface Fault {
  /** In `METHOD path` or the body. */
  readonly match: string;
  /** `hang`: none at all; `cut`: the connection is closed. */
  readonly answer:
    { readonly status: number; readonly body: string; readonly location?: string } | "hang" | "cut";
  /** Default 1. */
  times?: number;
}

interface Session {
  csrf: string;
}

const API = "/api/v2/";
const ALLOWED_HEADERS =
  "X-Requested-With,Content-Type,Accept,Origin,Cookie,authorization,ssid,surl,ContactCenterId,X-CSRF-TOKEN";
const DENIED = { statusCode: 20, statusMessage: "Access denied" };

/**
 * Genesys Web Services as far as the page sees it, behind it the sandbox's SIP Server: what an agent does here SIP Server
 * does by SIP, and what becomes of calls there is told as events. Answers and events in the forms of the traces.
 */
export class StandInGws {
  readonly requests: SeenRequest[] = [];
  readonly faults: Fault[] = [];
  readonly watch: CallWatch;
  readonly bayeux: Bayeux;
  readonly deviceId = randomUUID();
  /** Of the contact centre session; `Offline` before it. */
  state = "Offline";
  /** As the site has it; off in the lab. */
  csrf = false;
  /** StartContactCenterSession is refused this often, as if SIP Server had not told of the DN yet. */
  notRegisteredFor = 0;
  readonly #options: StandInOptions;
  readonly #server: Server;
  readonly #sessions = new Map<string, Session>();
  readonly #held: (() => void)[] = [];
  #holding = false;

  private constructor(options: StandInOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    this.bayeux = new Bayeux(this.#server, {
      userOf: (request) => (this.#sessionOf(request) === undefined ? undefined : this.user),
      holdMs: 2000,
    });
    this.watch = new CallWatch(options.sandbox, options.dn, (call, notificationType) =>
      this.tell("/v2/me/calls", {
        messageType: "CallStateChangeMessage",
        notificationType,
        call,
        phoneNumber: options.dn,
        extensions: { BusinessCall: 0 },
      }),
    );
  }

  static async open(options: StandInOptions): Promise<StandInGws> {
    const gws = new StandInGws(options);
    await new Promise<void>((resolve) => gws.#server.listen(0, "127.0.0.1", resolve));
    return gws;
  }

  get user(): string {
    return `agent-${this.#options.dn}`;
  }

  get password(): string {
    return `gws-${this.#options.dn}`;
  }

  get origin(): string {
    const address = this.#server.address();
    if (typeof address !== "object" || address === null) throw new Error("not listening");
    return `http://127.0.0.1:${address.port}`;
  }

  /** Operations that came, in order. */
  get operations(): readonly string[] {
    return this.requests.flatMap(({ body: { operationName } }) =>
      typeof operationName === "string" ? [operationName] : [],
    );
  }

  /** An event, at once or when `release` is called. */
  tell(channel: string, data: unknown): void {
    const send = (): void => this.bayeux.tell(this.user, channel, data);
    if (this.#holding) this.#held.push(send);
    else send();
  }

  /** Events are kept back: they come late. */
  hold(): void {
    this.#holding = true;
  }

  release(): void {
    this.#holding = false;
    for (const send of this.#held.splice(0)) send();
  }

  /** The HTTP sessions are over, as after half an hour. */
  expire(): void {
    this.#sessions.clear();
  }

  /** Tokens known so far count no more. */
  renewCsrf(): void {
    for (const session of this.#sessions.values()) session.csrf = randomUUID();
  }

  /** As it was opened, for the next test. */
  reset(): void {
    this.expire();
    this.release();
    this.bayeux.drop();
    this.bayeux.down = false;
    this.bayeux.transports = ["websocket", "long-polling"];
    this.bayeux.handshakes.length = 0;
    this.requests.length = 0;
    this.faults.length = 0;
    this.csrf = false;
    this.notRegisteredFor = 0;
    this.state = "Offline";
  }

  setState(state: string): void {
    this.state = state;
    this.tell("/v2/me/devices", { messageType: "DeviceStateChangeMessage", devices: [this.#device()] });
  }

  async close(): Promise<void> {
    this.watch.close();
    this.bayeux.close();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#allow(request, response);
    const { pathname } = new URL(request.url ?? "/", "http://gws");
    if (request.method === "OPTIONS") return void response.writeHead(200).end();
    if (pathname.startsWith("/genesys/cometd")) return this.bayeux.handle(request, response);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
    const text = Buffer.concat(chunks).toString();
    const body = text === "" ? {} : (JSON.parse(text) as Record<string, unknown>);
    const path = pathname.startsWith(API) ? pathname.slice(API.length) : pathname;
    const csrf = request.headers["x-csrf-token"];
    this.requests.push({
      method: request.method ?? "",
      path,
      body,
      csrf: typeof csrf === "string" ? csrf : undefined,
    });
    if (this.#fails(`${request.method} ${path} ${text}`, response)) return;
    const session = this.#sessionOf(request) ?? this.#signIn(request, response);
    if (session === undefined) return reply(response, 403, DENIED);
    if (this.csrf) {
      if (request.method === "GET") {
        response.setHeader("X-CSRF-HEADER", "X-CSRF-TOKEN");
        response.setHeader("X-CSRF-TOKEN", session.csrf);
      } else if (csrf !== session.csrf)
        return reply(response, 403, { statusCode: 20, statusMessage: "Missing or invalid Csrf token" });
    }
    await this.#answer(request.method ?? "", path, body, response);
  }

  #allow(request: IncomingMessage, response: ServerResponse): void {
    const { origin } = request.headers;
    if (origin === undefined || !this.#options.origins.includes(origin)) return;
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Allow-Methods", "GET,POST,PUT,DELETE,OPTIONS");
    response.setHeader("Access-Control-Allow-Headers", ALLOWED_HEADERS);
    response.setHeader("Access-Control-Expose-Headers", "X-CSRF-HEADER,X-CSRF-TOKEN");
    response.setHeader("Vary", "Origin");
  }

  #fails(what: string, response: ServerResponse): boolean {
    const fault = this.faults.find(({ match }) => what.includes(match));
    if (fault === undefined) return false;
    fault.times = (fault.times ?? 1) - 1;
    if (fault.times <= 0) this.faults.splice(this.faults.indexOf(fault), 1);
    if (fault.answer === "cut") response.destroy();
    else if (fault.answer !== "hang") {
      const { status, body, location } = fault.answer;
      if (location !== undefined) response.setHeader("location", location);
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    }
    return true;
  }

  #sessionOf(request: IncomingMessage): Session | undefined {
    const id = /JSESSIONID=([\w-]+)/.exec(request.headers.cookie ?? "")?.[1];
    return id === undefined ? undefined : this.#sessions.get(id);
  }

  #signIn(request: IncomingMessage, response: ServerResponse): Session | undefined {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
    if (Buffer.from(basic, "base64").toString() !== `${this.user}:${this.password}`) return undefined;
    const id = randomUUID();
    const session = { csrf: randomUUID() };
    this.#sessions.set(id, session);
    response.setHeader("Set-Cookie", `JSESSIONID=${id}; Path=/; HttpOnly; SameSite=Lax`);
    return session;
  }

  #device(): object {
    return {
      id: this.deviceId,
      deviceState: this.state === "Offline" ? "Inactive" : "Active",
      userState: { id: "900D55CC", displayName: spaced(this.state), state: this.state },
      phoneNumber: this.#options.dn,
      e164Number: this.#options.dn,
      telephonyNetwork: "Private",
      doNotDisturb: "Off",
      capabilities: ["DoNotDisturbOn", "ForwardCallsOn"],
      channels: ["voice"],
    };
  }

  async #answer(
    method: string,
    path: string,
    body: Readonly<Record<string, unknown>>,
    response: ServerResponse,
  ): Promise<void> {
    if (method === "GET" && path === "me") {
      const me = { userName: this.user, devices: [this.#device()], calls: this.watch.all };
      return reply(response, 200, { statusCode: 0, user: me });
    }
    if (method !== "POST") return reply(response, 404, { statusCode: 6, statusMessage: "Not found" });
    const operation = String(body["operationName"]);
    if (path === "me") return this.#session(operation, response);
    if (path === "me/channels/voice") {
      reply(response, 200, { statusCode: 0 });
      return this.setState(operation);
    }
    try {
      const later = operate(this.#options.sandbox, this.#options.dn, this.watch, path, operation, body);
      reply(response, 200, { statusCode: 0 });
      await later();
    } catch (error) {
      if (!response.headersSent)
        return reply(response, 400, { statusCode: 2, statusMessage: wordsOf(error) });
      this.tell("/v2/me/devices", {
        messageType: "ErrorMessage",
        errorMessage: wordsOf(error),
        errorCode: 50,
      });
    }
  }

  #session(operation: string, response: ServerResponse): void {
    const { sandbox, dn } = this.#options;
    if (operation === "EndContactCenterSession") {
      reply(response, 200, { statusCode: 0 });
      return this.setState("Offline");
    }
    const registered = sandbox.bindings().some((binding) => binding.dn === dn);
    if (!registered || this.notRegisteredFor-- > 0) {
      const failed = [
        { channel: "voice", statusCode: 4, statusMessage: `Device '${dn}' is not registered.` },
      ];
      return reply(response, 200, { statusCode: 7, statusMessage: "Partly done", failed, succeeded: [] });
    }
    reply(response, 200, { statusCode: 0 });
    this.setState("NotReady");
  }
}

function reply(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function wordsOf(error: unknown): string {
  return error instanceof OperationError || error instanceof Error ? error.message : String(error);
}

function spaced(name: string): string {
  return name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " ");
}

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { tokenName } from "../config/index.ts";
import type { Clock, Logger, Random } from "../core/index.ts";
import { Guesses, type GuessLimit } from "./guesses.ts";
import type { Identity } from "./identity.ts";
import { KnownBrowsers } from "./known-browser.ts";
import { cookieOf, isJson, notOurs, tooMany, type Login } from "./login.ts";
import { originOf } from "./own-origin.ts";

export interface LoginRoutesOptions {
  readonly login: Login;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** How long a wrong password counts, ms. */
const wrongPasswordCountsMs = 20_000;
/**
 * Wrong passwords at once: of one address for one name, of one address, for one name, of all strangers together (each
 * costs a core a moment, and who has many addresses makes up as many names), of a browser known.
 */
const atOnce = { pair: 5, address: 20, name: 20, strangers: 100, known: 5 };
const knownSeconds = 90 * 24 * 3600;
const bodyLimit = 4096;

/** `POST /api/login`, `POST /api/logout`, `GET /api/me`, and `GET /api/session`, which refuses nobody. */
export function registerLoginRoutes(app: FastifyInstance, options: LoginRoutesOptions): void {
  const { login } = options;
  const desk = new LoginDesk(options);
  app.get("/api/me", { onRequest: login.check }, (request) => told(login.identity(request)));
  app.get("/api/session", (request) => {
    const person = login.person(request);
    return { user: person ? told(person) : null };
  });
  app.post("/api/login", { bodyLimit }, (request, reply) => desk.signIn(request, reply));
  app.post("/api/logout", { bodyLimit }, (request, reply) => desk.signOut(request, reply));
}

function told({ who, role }: Identity) {
  return { name: who, role };
}

class LoginDesk {
  readonly #options: LoginRoutesOptions;
  readonly #guesses: Guesses;
  readonly #known: KnownBrowsers;

  constructor(options: LoginRoutesOptions) {
    this.#options = options;
    this.#guesses = new Guesses(options.clock, wrongPasswordCountsMs);
    this.#known = new KnownBrowsers(options.random);
  }

  async signIn(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { login, log } = this.#options;
    if (!isJson(request)) return reply.status(415).send({ error: "send Content-Type: application/json" });
    if (originOf(request, login.secure) === "foreign") return reply.status(403).send(notOurs(request));
    const given = readCredentials(request.body);
    if (!given) return reply.status(400).send({ error: 'write {"name": "...", "password": "..."}' });
    const { name, password } = given;
    if (name === tokenName && login.isToken(password))
      return this.#begin(request, reply, { who: tokenName, role: "operate" });
    const limits = this.#limitsOf(request, name);
    const waitMs = this.#guesses.waitMs(limits);
    if (waitMs > 0) {
      login.events.emit("refused", request.ip, 429, "too many wrong passwords before");
      return tooMany(reply, waitMs, "too many wrong passwords: wait, then try again");
    }
    if (login.passwords.busy) return tooMany(reply, 1000, "others sign in just now: wait, then try again");
    // Counted before it is reckoned, or many at a time would get past the limit.
    this.#guesses.wrong(limits);
    const identity = await login.passwords.identify(name, password);
    if (!identity) {
      log.warn({ address: request.ip, name }, "wrong name or password at the dashboard");
      login.events.emit("refused", request.ip, 401, "wrong name or password");
      return reply.status(401).send({ error: "wrong name or password" });
    }
    this.#guesses.takeBack(limits);
    return this.#begin(request, reply, identity);
  }

  /** Ends the session of the cookie that came; without one there is nothing to end. */
  signOut(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { login } = this.#options;
    if (!isJson(request)) return reply.status(415).send({ error: "send Content-Type: application/json" });
    if (originOf(request, login.secure) === "foreign") return reply.status(403).send(notOurs(request));
    const id = cookieOf(request, login.cookieName);
    if (id !== undefined) login.sessions.end(id);
    return reply
      .status(204)
      .header("set-cookie", this.#cookie(request, login.cookieName, "", 0))
      .send();
  }

  /** Always a new id: one that was planted before becomes nobody's. */
  #begin(request: FastifyRequest, reply: FastifyReply, identity: Identity): FastifyReply {
    const { login, log } = this.#options;
    const former = cookieOf(request, login.cookieName);
    if (former !== undefined) login.sessions.end(former);
    const id = login.sessions.begin(identity);
    log.info({ who: identity.who, role: identity.role, address: request.ip }, "signed in at the dashboard");
    return reply
      .header("set-cookie", [
        this.#cookie(request, login.cookieName, id),
        this.#cookie(request, this.#knownName, this.#known.mark(identity.who), knownSeconds),
      ])
      .send(told(identity));
  }

  #limitsOf(request: FastifyRequest, name: string): GuessLimit[] {
    const known = this.#known.idOf(cookieOf(request, this.#knownName) ?? "", name);
    if (known !== undefined) return [{ key: `known ${known}`, atOnce: atOnce.known }];
    return [
      { key: `pair ${request.ip} ${name}`, atOnce: atOnce.pair },
      { key: `address ${request.ip}`, atOnce: atOnce.address },
      { key: `name ${name}`, atOnce: atOnce.name },
      { key: "strangers", atOnce: atOnce.strangers },
    ];
  }

  get #knownName(): string {
    return `${this.#options.login.cookieName}-known`;
  }

  /** Without `maxAge` (seconds) it ends with the browser's session. */
  #cookie({ headers }: FastifyRequest, name: string, value: string, maxAge?: number): string {
    // A page that came by https through a proxy is told apart by its origin alone.
    const secure = this.#options.login.secure || headers.origin?.startsWith("https://") === true;
    const age = maxAge === undefined ? "" : `; Max-Age=${maxAge}`;
    return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${secure ? "; Secure" : ""}${age}`;
  }
}

function readCredentials(body: unknown): { readonly name: string; readonly password: string } | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const name: unknown = Reflect.get(body, "name");
  const password: unknown = Reflect.get(body, "password");
  if (typeof name !== "string" || typeof password !== "string") return undefined;
  return name.length > 64 || password.length > 1024 ? undefined : { name, password };
}

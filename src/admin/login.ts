import { createHash, timingSafeEqual } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { FastifyReply, FastifyRequest } from "fastify";
import { tokenName, type Config } from "../config/index.ts";
import { TypedEvents, type Clock, type Logger, type Random } from "../core/index.ts";
import { Guesses } from "./guesses.ts";
import type { Identity } from "./identity.ts";
import { originOf } from "./own-origin.ts";
import { PasswordCheck } from "./password-check.ts";
import { Sessions, type Session } from "./sessions.ts";

/** Wrong tokens from one address before each further one gets 429, and how long one of them counts, ms. */
const wrongTokensAtOnce = 5;
const wrongTokenCountsMs = 10_000;

export interface LoginOptions {
  readonly admin: Config["admin"];
  /** Browsers reach us by TLS without a proxy in between. */
  readonly secure: boolean;
  /** What to do in place of what failed, told with 401. */
  readonly remedy?: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What the login tells. */
export type LoginEvents = {
  /** Somebody at `address` gave a wrong secret, or (429) one more after many; `cause` in words. */
  refused: [address: string, status: 401 | 429, cause: string];
};

interface Asker extends Identity {
  /** Absent with the token, which does not run out. */
  readonly session?: Session;
}

/**
 * Says who may ask the admin API what: sessions of the dashboard by cookie, programs by the token. `check` and
 * `operate` are fastify's `onRequest` hooks, so they answer before the body is read.
 */
export class Login {
  readonly sessions: Sessions;
  readonly secure: boolean;
  readonly events: TypedEvents<LoginEvents>;
  /** Counted since the start: wrong secrets, and such as were not looked at for too many before. */
  readonly refusals = { wrong: 0, blocked: 0 };
  /** Of the users; their names and passwords may change. */
  passwords: PasswordCheck;
  #admin: Config["admin"];
  readonly #wrongTokens: Guesses;
  readonly #log: Logger;
  readonly #remedy: string;
  readonly #askers = new WeakMap<FastifyRequest, Asker>();

  constructor({ admin, secure, remedy, clock, random, log }: LoginOptions) {
    this.secure = secure;
    this.#remedy = remedy ?? "sign in at /admin/, or send the admin token: Authorization: Bearer ...";
    this.sessions = new Sessions(clock, random, {
      idleMs: admin.sessions.idleMinutes * 60_000,
      absoluteMs: admin.sessions.hours * 3_600_000,
    });
    this.#admin = admin;
    this.passwords = new PasswordCheck(admin.users);
    this.#wrongTokens = new Guesses(clock, wrongTokenCountsMs);
    this.#log = log;
    this.events = new TypedEvents(log);
    this.events.on("refused", (_address, status) => {
      this.refusals[status === 429 ? "blocked" : "wrong"]++;
    });
  }

  /** Other people and another token from now on; sessions end of whom is no more what he was, or has another password. */
  configure(admin: Config["admin"]): void {
    const before = this.#admin;
    this.#admin = admin;
    this.passwords = new PasswordCheck(admin.users);
    this.sessions.endOf(({ who }) => !isDeepStrictEqual(secretsOf(before, who), secretsOf(admin, who)));
  }

  /** For what only tells: role read will do. */
  readonly check = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const asker = this.#askerOf(request);
    if (asker) {
      this.#askers.set(request, asker);
      return undefined;
    }
    return this.#refuse(request, reply);
  };

  /** For what acts: role operate, in a browser by a page of ours. */
  readonly operate = async (
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<FastifyReply | undefined> => {
    const refused = await this.check(request, reply);
    if (refused) return refused;
    const { role, session } = this.#asker(request);
    if (role !== "operate")
      return reply.status(403).send({ error: "this needs the role operate; yours is read" });
    const origin = originOf(request, this.secure);
    // The token comes with no request that a foreign page makes; a cookie might.
    // A link of ours (GET) comes with neither origin nor content type, and changes nothing.
    const byPage = session && request.method !== "GET";
    if (origin === "foreign" || (byPage && origin === "none"))
      return reply.status(403).send(notOurs(request));
    if (byPage && !isJson(request))
      return reply.status(415).send({ error: "send Content-Type: application/json" });
    return undefined;
  };

  /** Who asks, behind one of the hooks. */
  identity(request: FastifyRequest): Identity {
    const { who, role } = this.#asker(request);
    return { who, role };
  }

  /** Who is signed in by the cookie that came; undefined: nobody, which is no fault. */
  person(request: FastifyRequest): Identity | undefined {
    return this.#sessionOf(request)?.identity;
  }

  /** Whether who asked then may still see what is told; for answers that go on and on. */
  holds(request: FastifyRequest): boolean {
    const asker = this.#askers.get(request);
    return asker !== undefined && (asker.session === undefined || this.sessions.lives(asker.session));
  }

  /** Constant in time; false without a token. */
  isToken(given: string): boolean {
    const { token } = this.#admin;
    return token !== undefined && sameSecret(given, token);
  }

  get cookieName(): string {
    // Browsers take a cookie of this prefix from nobody but this very host by TLS (RFC 6265bis 4.1.3.2).
    return this.secure ? "__Host-jackfield-admin" : "jackfield-admin";
  }

  #asker(request: FastifyRequest): Asker {
    const asker = this.#askers.get(request);
    if (!asker) throw new Error("asked who it is behind no login");
    return asker;
  }

  #askerOf(request: FastifyRequest): Asker | undefined {
    const given = bearerOf(request);
    // Always looked at, however many wrong ones came from that address: behind one proxy there is but one address,
    // and the token is too long to be guessed.
    if (given !== undefined) return this.isToken(given) ? { who: tokenName, role: "operate" } : undefined;
    const session = this.#sessionOf(request);
    return session && { ...session.identity, session };
  }

  #sessionOf(request: FastifyRequest): Session | undefined {
    const id = cookieOf(request, this.cookieName);
    return id === undefined ? undefined : this.sessions.find(id);
  }

  #refuse(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const limits = [{ key: request.ip, atOnce: wrongTokensAtOnce }];
    if (bearerOf(request) !== undefined) {
      const waitMs = this.#wrongTokens.waitMs(limits);
      const cause = waitMs > 0 ? "too many wrong tokens before" : "wrong token";
      this.events.emit("refused", request.ip, waitMs > 0 ? 429 : 401, cause);
      if (waitMs > 0)
        return tooMany(reply, waitMs, "too many wrong tokens from this address: only the right one helps");
      this.#wrongTokens.wrong(limits);
      this.#log.warn({ address: request.ip }, "wrong admin token");
    }
    return reply
      .status(401)
      .header("www-authenticate", 'Bearer realm="jackfield admin"')
      .send({ error: this.#remedy });
  }
}

/** What somebody signs in with, and as what. */
function secretsOf({ token, users }: Config["admin"], who: string): unknown {
  return who === tokenName ? token : users.find(({ name }) => name === who);
}

/** 429 with the time to wait. */
export function tooMany(reply: FastifyReply, waitMs: number, error: string): FastifyReply {
  return reply
    .status(429)
    .header("retry-after", Math.ceil(waitMs / 1000))
    .send({ error });
}

/** Forms of other pages can send text/plain, and fastify would read that too. */
export function isJson(request: FastifyRequest): boolean {
  return /^application\/json\s*(;|$)/i.test(request.headers["content-type"] ?? "");
}

export function notOurs({ headers, host }: FastifyRequest): { readonly error: string } {
  const from = headers.origin === undefined ? "no origin" : `origin ${headers.origin.slice(0, 200)}`;
  return {
    error: `only pages of ${host} may do this, and this came with ${from} (a proxy must pass Host on)`,
  };
}

/** Value of a cookie, the first of its name. */
export function cookieOf(request: FastifyRequest, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? "").split(";")) {
    const [key = "", value = ""] = part.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}

/** The token of `Authorization: Bearer` (RFC 6750 2.1). */
export function bearerOf(request: FastifyRequest): string | undefined {
  return /^Bearer +(\S{1,1024}) *$/i.exec(request.headers.authorization ?? "")?.[1];
}

/** Whether both are the same, constant in time. */
export function sameSecret(one: string, other: string): boolean {
  // Digests have one length, so the time to compare them tells nothing of either.
  return timingSafeEqual(digestOf(one), digestOf(other));
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

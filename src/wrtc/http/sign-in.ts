import { limitedWarn, type Clock, type Logger } from "../../core/index.ts";
import type { PacedTrunkRegistrations, TrunkStatus } from "../../registrar/index.ts";
import { readSignInBody, readSignInQuery, type SignInWish } from "../protocol/sign-in.ts";
import type { PollClients } from "../session/poll-clients.ts";
import type { Caller, Session, SessionUser } from "../session/session.ts";
import type { Sessions } from "../session/sessions.ts";
import { goElsewhere, says, type WrtcAnswer, type WrtcRequest } from "./exchange.ts";

/** What came of a password. */
export type LoginVerdict =
  | { readonly outcome: "accepted" }
  | { readonly outcome: "refused" }
  /** Too many wrong ones before; nothing can be judged now. `seconds`: when to try again. */
  | { readonly outcome: "blocked" | "unavailable"; readonly seconds: number };

/** Who knows the agents and their passwords. Nothing of it rejects. */
export interface DnLogin {
  /** `password` undefined: none was given, and none is asked for; the DN must be an agent's all the same. */
  judge(dn: string, password: string | undefined, address: string): Promise<LoginVerdict>;
  /** Whether the DN may still sign in; for who has proven before that it is his. */
  judgeKnown(dn: string, address: string): Promise<LoginVerdict>;
}

export interface SignInOptions {
  readonly clients: PollClients;
  readonly sessions: Sessions;
  readonly login: DnLogin;
  readonly trunk: Pick<PacedTrunkRegistrations, "status" | "events">;
  readonly accepting: () => boolean;
  /** RISK: DNs without a password, and clients without a DN. */
  readonly allowAnonymous: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who wants to sign in by the simple variant, with an id of his own. */
export interface OwnSignIn {
  readonly dn: string;
  readonly password: string | undefined;
  readonly origin: string | undefined;
  readonly address: string;
  readonly userAgent: string;
}

/** A session opened for another protocol on the same paths. */
export type OwnSession = Pick<Session, "calls" | "seen"> & {
  /** Idempotent. */
  close(reason: string): void;
};

/** The client knows no limit of its own, but its person does. */
const patienceMs = 10_000;
/** Of a DN in the log, characters. */
const longestDn = 64;
const noRoom = says(503, "no more sessions are taken", { "retry-after": "10" });

/** Judges sign-ins, opens sessions and holds the answer until SIP Server has given its own to the DN's REGISTER. */
export class SignIn {
  readonly #options: SignInOptions;
  readonly #warn: Logger["warn"];
  /** Each ends the wait of one for SIP Server. */
  readonly #held = new Set<() => void>();
  #opened = 0;

  constructor(options: SignInOptions) {
    this.#options = options;
    this.#warn = limitedWarn(options.log, options.clock);
  }

  async answer(request: WrtcRequest): Promise<WrtcAnswer> {
    const { method, query, body, origin, isGone } = request;
    const wish = method === "POST" ? readSignInBody(body) : readSignInQuery(query);
    if (!wish) return says(400, "nobody is named who wants to sign in");
    const dn = wish.kind === "dn" ? wish.dn : wish.id;
    const refusal = await this.#refusalOf(wish, dn, request);
    if (refusal) return refusal;
    const caller = callerOf(request);
    const opened = this.#options.clients.open({ dn, anonymous: wish.kind === "anonymous", origin, caller });
    const session = opened?.client.session;
    if (!opened || !session) return this.#options.accepting() ? noRoom : goElsewhere;
    const failure = await this.#settled(session, isGone);
    return failure ?? says(200, `id=${opened.ssid}`);
  }

  /** The same for a client of the simple variant. */
  async signIn(
    order: OwnSignIn,
    user: SessionUser,
  ): Promise<OwnSession | { readonly status: number; readonly error: string }> {
    const { dn, password } = order;
    const { sessions } = this.#options;
    const refusal = await this.#refusalOf({ kind: "dn", dn, password }, dn, order);
    if (refusal) return refused(refusal);
    // Its client's id opens something, so it stands in no list.
    const name = `simple-${++this.#opened}`;
    const session = sessions.open({ dn, anonymous: false, name, caller: order }, user);
    if (!session) return refused(this.#options.accepting() ? noRoom : goElsewhere);
    sessions.counters.opened++;
    const failure = await this.#settled(session, () => false);
    if (failure) return refused(failure);
    const close = (reason: string): void => sessions.end(session, reason);
    return { calls: session.calls, seen: () => session.seen(), close };
  }

  /** Nobody waits for SIP Server any more. Idempotent. */
  close(): void {
    for (const finish of this.#held) finish();
  }

  async #refusalOf(wish: SignInWish, dn: string, { address }: Caller): Promise<WrtcAnswer | undefined> {
    const { login, allowAnonymous, accepting } = this.#options;
    if (!accepting()) return goElsewhere;
    const password = wish.kind === "dn" ? wish.password : undefined;
    if (password === undefined && !allowAnonymous()) {
      this.#warn(
        { dn: dn.slice(0, longestDn), address },
        "sign-in without a password refused (wrtc.allowAnonymous)",
      );
      return says(403, "a password is needed");
    }
    if (wish.kind === "anonymous") return undefined;
    return refusalOf(await login.judge(dn, password, address));
  }

  /** What SIP Server says against it; undefined: nothing, and the client may poll. */
  async #settled(session: Session, isGone: () => boolean): Promise<WrtcAnswer | undefined> {
    const { sessions, log } = this.#options;
    const { dn, anonymous, presence } = session;
    const status = anonymous ? undefined : await this.#registered(session);
    const refuse = (code: number, words: string): WrtcAnswer => {
      sessions.end(session, words);
      return says(code, words);
    };
    if (isGone()) return refuse(503, "the client did not wait for its sign-in");
    if (presence.gone) return says(503, "the session is over already");
    // Still in the queue of REGISTERs, as after a restart with a whole site: it is signed in, and on its way.
    if (!status || status.state === "in-service" || status.state === "registering") return undefined;
    log.warn(
      { dn, state: status.state, reason: status.reason },
      "sign-in refused: SIP Server takes the DN not",
    );
    return refuse(status.state === "rejected" ? 403 : 503, status.reason);
  }

  /** The DN's standing at SIP Server as soon as it is decided, or when the patience is over. */
  #registered({ dn, presence }: Session): Promise<TrunkStatus> {
    const { trunk, clock } = this.#options;
    return new Promise((resolve) => {
      const look = (): boolean => presence.gone || /^(in-service|rejected)$/.test(trunk.status(dn).state);
      if (look()) return resolve(trunk.status(dn));
      const finish = (): void => {
        this.#held.delete(finish);
        timer.clear();
        stop();
        resolve(trunk.status(dn));
      };
      const timer = clock.setTimer(patienceMs, finish);
      const stop = trunk.events.on("status", (changed) => {
        if (changed === dn && look()) finish();
      });
      this.#held.add(finish);
    });
  }
}

function refusalOf(verdict: LoginVerdict): WrtcAnswer | undefined {
  if (verdict.outcome === "accepted") return undefined;
  if (verdict.outcome === "refused") return says(403, "wrong DN or password");
  const headers = { "retry-after": String(verdict.seconds) };
  return verdict.outcome === "blocked"
    ? says(429, "too many wrong passwords", headers)
    : says(503, "what tells of agents cannot be reached just now", headers);
}

function refused({ status, body }: WrtcAnswer): { readonly status: number; readonly error: string } {
  return { status, error: body.trim() };
}

/** Where a request came from. */
export function callerOf({ address, port, userAgent }: WrtcRequest): Caller {
  return { address, userAgent, ...(port === undefined ? {} : { port }) };
}

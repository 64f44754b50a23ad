import { BoundedMap, dnPattern, TokenBucket, type Clock, type Logger } from "../../core/index.ts";
import { fetchJson, type Fetched } from "../fetch-json.ts";
import { readAgent, type DirectoryAgent } from "./answer.ts";
import { Turns } from "./turns.ts";

export interface DirectoryOptions {
  /** With `{dn}`: GET, the DN put in; without: POST of `{"dn":"..."}`. */
  readonly url: string;
  /** Header that carries `secret`: `Authorization` as `Bearer ...`, any other as it is. */
  readonly header: string;
  readonly secret?: string | undefined;
  readonly timeoutSeconds: number;
  /** How long an answer holds before it is asked for anew. */
  readonly cacheSeconds: number;
  /** How long a DN that is none is not asked for again. */
  readonly negativeCacheSeconds: number;
  /** How much longer an answer holds while the directory gives none. */
  readonly staleSeconds: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Whether a DN can be judged: all is known of it, the directory gives no answer, or too many wait for one. */
export type Readiness = "ready" | "down" | "busy";

/** Counted since start. */
export interface DirectoryCounters {
  lookups: number;
  failures: number;
  /** Sign-ins that went by an old answer because no new one came. */
  stale: number;
  /** Sign-ins refused because too many waited. */
  busy: number;
}

/** When who was refused may ask again, seconds; so long the directory is left alone after it failed, too. */
export const directoryRetrySeconds = 5;

const maxBytes = 16 * 1024;
const agentsKept = 20_000;
const unknownKept = 20_000;
/** Sign-ins that wait at a time, in all and of one address, behind which a whole site may be. */
const waitingAtOnce = { all: 2000, address: 400 };
/** Statuses that judge the DN asked for: whoever makes DNs up must not make the directory pass for down by them. */
const dnRefused: ReadonlySet<number> = new Set([400, 410, 422]);

/**
 * Agents known by an HTTP directory. Who judges a sign-in waits for `prepare` first; `find` then tells at once. While the
 * directory is down, what it said before holds on.
 */
export class AgentDirectory {
  readonly counters: DirectoryCounters = { lookups: 0, failures: 0, stale: 0, busy: 0 };
  readonly #options: DirectoryOptions;
  readonly #agents = new BoundedMap<{ readonly agent: DirectoryAgent; readonly at: number }>(agentsKept);
  /** DNs that are none, with when they may be asked for again. */
  readonly #unknown = new BoundedMap<number>(unknownKept);
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #turns = new Turns();
  readonly #waiting = new Map<string, number>();
  readonly #wrongAnswersTold: TokenBucket;
  readonly #closed = new AbortController();
  #waitingInAll = 0;
  #downUntil = -Infinity;
  #failing = false;

  constructor(options: DirectoryOptions) {
    this.#options = options;
    this.#wrongAnswersTold = new TokenBucket(5, 1 / 60, options.clock.now());
  }

  /** What is known of a DN, however old: the agent may be in a call. */
  find(dn: string): DirectoryAgent | undefined {
    return this.#agents.get(dn)?.agent;
  }

  /** Sign-ins that wait for an answer. */
  get waiting(): number {
    return this.#waitingInAll;
  }

  /** Makes `find` right for a sign-in from `address`; undefined: it is already. Never rejects. */
  prepare(dn: string, address: string): Promise<Readiness> | undefined {
    const now = this.#options.clock.now();
    const known = this.#agents.get(dn);
    if (known && now < known.at + this.#options.cacheSeconds * 1000) return undefined;
    if (!dnPattern.test(dn) || now < (this.#unknown.get(dn) ?? -Infinity)) return undefined;
    const own = this.#waiting.get(address) ?? 0;
    if (this.#waitingInAll >= waitingAtOnce.all || own >= waitingAtOnce.address) {
      this.counters.busy++;
      return Promise.resolve("busy");
    }
    this.#waitingInAll++;
    this.#waiting.set(address, own + 1);
    return this.#ready(dn).finally(() => this.#leave(address));
  }

  close(): void {
    this.#closed.abort();
  }

  #leave(address: string): void {
    this.#waitingInAll--;
    const left = (this.#waiting.get(address) ?? 1) - 1;
    if (left === 0) this.#waiting.delete(address);
    else this.#waiting.set(address, left);
  }

  async #ready(dn: string): Promise<Readiness> {
    let asking = this.#asking.get(dn);
    if (!asking) {
      asking = this.#turns.take(() => this.#ask(dn)).finally(() => this.#asking.delete(dn));
      this.#asking.set(dn, asking);
    }
    if (await asking) return "ready";
    const known = this.#agents.get(dn);
    const { cacheSeconds, staleSeconds, clock } = this.#options;
    if (!known || clock.now() >= known.at + (cacheSeconds + staleSeconds) * 1000) return "down";
    this.counters.stale++;
    return "ready";
  }

  /** False: no answer. */
  async #ask(dn: string): Promise<boolean> {
    const { clock, log } = this.#options;
    if (this.#closed.signal.aborted || clock.now() < this.#downUntil) return false;
    this.counters.lookups++;
    const answer = await fetchJson(clock, this.#requestFor(dn));
    if (!("failure" in answer) && answer.status === 404) {
      this.#agents.delete(dn);
      this.#unknown.set(dn, clock.now() + this.#options.negativeCacheSeconds * 1000);
      this.#works();
      return true;
    }
    if (!("json" in answer) && ("failure" in answer || !dnRefused.has(answer.status))) {
      this.#failed(answer);
      return false;
    }
    this.#works();
    const agent = "json" in answer ? readAgent(answer.json) : { wrong: `status ${answer.status}` };
    if ("wrong" in agent) {
      this.counters.failures++;
      // One broken entry must not fill the log, nor keep the others out.
      if (this.#wrongAnswersTold.take(clock.now()))
        log.warn({ dn, wrong: agent.wrong }, "the agents' directory gave an answer that cannot be used");
      return false;
    }
    this.#unknown.delete(dn);
    this.#agents.set(dn, { agent, at: clock.now() });
    return true;
  }

  #requestFor(dn: string) {
    const { url, header, secret, timeoutSeconds } = this.#options;
    const shown = /^authorization$/i.test(header) ? `Bearer ${secret}` : secret;
    return {
      url: url.replaceAll("{dn}", () => encodeURIComponent(dn)),
      headers: shown === undefined || secret === undefined ? {} : { [header]: shown },
      ...(url.includes("{dn}") ? {} : { body: JSON.stringify({ dn }) }),
      timeoutMs: timeoutSeconds * 1000,
      maxBytes,
      signal: this.#closed.signal,
    };
  }

  #works(): void {
    if (this.#failing) this.#options.log.info({}, "the agents' directory answers again");
    this.#failing = false;
    this.#downUntil = -Infinity;
  }

  #failed(answer: Fetched): void {
    const { clock, log } = this.#options;
    this.counters.failures++;
    this.#downUntil = clock.now() + directoryRetrySeconds * 1000;
    if (this.#closed.signal.aborted) return;
    const failure = "failure" in answer ? answer.failure : `answered ${answer.status}`;
    if (!this.#failing)
      log.warn({ failure }, "the agents' directory gives no answer: known agents stay, new ones wait");
    this.#failing = true;
  }
}

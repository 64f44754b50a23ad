import type { Readable } from "node:stream";
import { StateMachine, type Clock, type Logger, type Timer, type Transitions } from "../core/index.ts";
import type { AgentRegistrar, TrunkRegistrations } from "../registrar/index.ts";
import type { PageCredentials, PageWork } from "./contract.ts";
import { PageLine, type OrderOutcome } from "./page-line.ts";
import type { PageHolder } from "./tokens/endpoint-tokens.ts";
import { shortestLifeMs } from "./wwe/life.ts";

/** What sessions ask of the gateway. */
export interface EndpointDoors {
  readonly registrar: Pick<AgentRegistrar, "find">;
  readonly trunk: Pick<TrunkRegistrations, "status">;
  /** What signs a page in with the DN; a text: why nothing does. */
  readonly credentialsFor: (dn: string) => Promise<PageCredentials | string>;
  /** Signs the DN's clients out against their will. */
  readonly signOut: (dn: string, reason: string) => void;
  /** Whether one of the DN's clients has a call. */
  readonly busy: (dn: string) => boolean;
  /** Whether the time of a page's session is over. */
  readonly isOver: (page: PageHolder) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** `expired`: by WWE's silence; `left`: by its UnregisterDn; `refused`: its RegisterDn was not as it must be. */
type State = "idle" | "wanted" | "expired" | "left" | "refused";
type Input = "register" | "refuse" | "adopt" | "resume" | "unregister" | "expire";

/**
 * `adopt`: a DN that is in service already, after a restart of the gateway or by the page alone. `resume`: WWE asks what it asks
 * of a DN it has registered, and will send no other RegisterDn.
 */
const transitions: Transitions<State, Input> = {
  idle: { register: "wanted", refuse: "refused", adopt: "wanted", resume: "wanted", unregister: "left" },
  wanted: { register: "wanted", refuse: "wanted", unregister: "left", expire: "expired" },
  expired: { register: "wanted", refuse: "refused", resume: "wanted", unregister: "left" },
  left: { register: "wanted", refuse: "left", unregister: "left" },
  refused: { register: "wanted", refuse: "refused", unregister: "left" },
};

/**
 * WWE and the page of one DN: whether WWE wants it registered, and whether it is. Silence of WWE ends it, unless the DN's client
 * is connected (wwe-endpoint-and-gws-api.md A4).
 */
export class EndpointSession {
  readonly dn: string;
  readonly page: PageLine;
  /** Of the agent token by which WWE was heard of last. */
  tokenId: string | undefined;
  readonly #doors: EndpointDoors;
  readonly #log: Logger;
  readonly #over: () => void;
  readonly #machine: StateMachine<State, Input>;
  #lifeMs = shortestLifeMs;
  #heardAt: number;
  #timer: Timer;
  #options: PageWork | undefined;
  /** The page that is being signed in. */
  #signingIn: Readable | undefined;
  #signingOut = false;
  /** Why the DN is to be signed out once its call is over. */
  #signOutDue: string | undefined;
  /** Why the page did not sign in the last time: said once. */
  #notSignedIn = "";
  /** When what the page was last signed in with runs out, ms since 1970-01-01 UTC; 0: it is not signed in by us, as far as known. */
  #signedInUntil = 0;

  /** `over`: called once, when nobody has been heard of for too long. */
  constructor(dn: string, doors: EndpointDoors, nextId: () => number, over: () => void) {
    this.dn = dn;
    this.#doors = doors;
    this.#log = doors.log.child({ dn });
    this.#over = over;
    this.#machine = new StateMachine(transitions, "idle", this.#log);
    this.page = new PageLine(doors.clock, this.#log, nextId);
    this.#heardAt = doors.clock.now();
    this.#timer = doors.clock.setTimer(this.#lifeMs, () => this.#look());
  }

  /** SIP Server has the DN in service, its client is connected, and the page has not fallen silent. */
  get active(): boolean {
    return this.#machine.state === "wanted" && this.#inService && !this.page.lost;
  }

  get state(): "idle" | "wanted" | "active" {
    return this.active ? "active" : this.#machine.state === "wanted" ? "wanted" : "idle";
  }

  /** WWE was heard of, by the token of that id. @param registered by a request that follows RegisterDn alone */
  heard(tokenId: string, registered: boolean): void {
    this.tokenId = tokenId;
    this.#heardAt = this.#doors.clock.now();
    const { state } = this.#machine;
    if (registered && (state === "idle" || state === "expired")) this.#resume();
    else if (state === "idle" && this.#inService) this.#machine.apply("adopt");
  }

  set lifeMs(ms: number) {
    this.#lifeMs = ms;
    this.#timer.clear();
    this.#timer = this.#doors.clock.setTimer(ms, () => this.#look());
  }

  /** What the page is to ask its microphone for, now and whenever it connects. */
  setOptions(work: PageWork): void {
    this.#options = work;
    this.#tell(work);
  }

  /** A DN that is registered stays as it is. */
  register(): void {
    this.#machine.apply("register");
    this.#signOutDue = undefined;
    if (!this.#reachable) this.#signIn();
  }

  /** RegisterDn of what is not ours: what WWE asks behind it follows no registration. */
  refuse(): void {
    this.#machine.apply("refuse");
  }

  /** The gateway forgot by a restart, or WWE was silent for too long. */
  #resume(): void {
    this.#log.info({}, "endpoint: WWE has the DN registered, it is brought in again");
    this.#machine.apply("resume");
    this.#signOutDue = undefined;
    if (!this.#reachable) this.#signIn();
  }

  unregister(): void {
    this.#machine.apply("unregister");
    this.#signOut("WWE has un-registered the DN");
  }

  order(work: PageWork): Promise<OrderOutcome> {
    return this.page.send(work);
  }

  /** The page's events, first what it missed. */
  openPage(holder: PageHolder): Readable {
    const stream = this.page.open(holder);
    if (this.#options) this.#tell(this.#options);
    if (this.#machine.state === "wanted") this.#signIn();
    const isOut = this.#machine.state === "left" || this.#machine.state === "expired";
    if (isOut && this.inCall) this.#signOutDue ??= "WWE has un-registered the DN";
    else if (isOut) this.#tell({ order: "sign-out" });
    return stream;
  }

  /**
   * Now and then: ends a page whose session is over, and signs one in again that was not or no longer is, since WWE sends
   * RegisterDn once a day. A sign-out by somebody else is left to stand. A call is waited for.
   */
  tick(): void {
    const { page, dn } = this;
    const { busy, isOver, clock } = this.#doors;
    if (page.connected && page.holder && isOver(page.holder) && !busy(dn)) return page.close();
    page.keepAlive();
    if (this.#signOutDue !== undefined) this.#signOut(this.#signOutDue);
    const isOut = this.#machine.state === "wanted" && !this.#reachable;
    if (isOut && clock.wallClock() >= this.#signedInUntil && !busy(dn)) this.#signIn();
  }

  get inCall(): boolean {
    return this.#doors.busy(this.dn);
  }

  /** Idempotent. */
  close(): void {
    this.#timer.clear();
    this.page.close();
  }

  get #reachable(): boolean {
    return this.#doors.registrar.find(this.dn)?.reachable ?? false;
  }

  get #inService(): boolean {
    return this.#reachable && this.#doors.trunk.status(this.dn).state === "in-service";
  }

  #look(): void {
    const left = this.#heardAt + this.#lifeMs - this.#doors.clock.now();
    // A page that stays is still to be heard and told; so is WWE when it comes back.
    const stays = (this.#machine.state === "wanted" && this.#reachable) || this.inCall;
    if (left > 0 || stays) return this.#lookIn(left > 0 ? left : this.#lifeMs);
    if (this.#machine.state === "wanted") {
      this.#log.warn(
        { seconds: this.#lifeMs / 1000 },
        "endpoint: WWE was not heard of, the DN is un-registered",
      );
      this.#machine.apply("expire");
      this.#signOut("WWE was not heard of");
    }
    if (this.#signOutDue !== undefined) this.#signOut(this.#signOutDue);
    if (this.page.connected) return this.#lookIn(this.#lifeMs);
    this.#over();
  }

  #lookIn(ms: number): void {
    this.#timer = this.#doors.clock.setTimer(ms, () => this.#look());
  }

  #signIn(): void {
    const { stream } = this.page;
    if (!stream || this.#signingIn === stream || this.#signingOut) return;
    this.#signingIn = stream;
    this.#run(this.#bringIn(stream), "sign-in");
  }

  async #bringIn(stream: Readable): Promise<void> {
    try {
      const credentials = await this.#doors.credentialsFor(this.dn);
      if (typeof credentials === "string")
        return this.#failed(credentials, "endpoint: nothing signs the page in");
      if (this.#machine.state !== "wanted" || this.page.stream !== stream) return;
      const { ok, reason } = await this.page.send({ order: "sign-in", credentials });
      this.#signedInUntil = ok ? Date.parse(credentials.expires_at) : 0;
      if (ok) this.#notSignedIn = "";
      else this.#failed(reason, "endpoint: the page did not sign in");
    } finally {
      if (this.#signingIn === stream) this.#signingIn = undefined;
    }
  }

  #failed(reason: string, message: string): void {
    if (reason !== this.#notSignedIn) this.#log.warn({ reason }, message);
    this.#notSignedIn = reason;
  }

  /** A page that signs out ends its calls: they are waited for. */
  #signOut(reason: string): void {
    this.#signOutDue = this.inCall ? reason : undefined;
    if (this.#signOutDue !== undefined) return;
    if (this.#signingOut) return;
    this.#signingOut = true;
    this.#run(this.#bringOut(reason), "sign-out");
  }

  async #bringOut(reason: string): Promise<void> {
    this.#signedInUntil = 0;
    const { ok } = await this.page.send({ order: "sign-out" });
    this.#signingOut = false;
    if (this.#machine.state === "wanted") return this.#signIn();
    // A page that cannot be asked is signed out all the same.
    if (!ok && this.#doors.registrar.find(this.dn)) this.#doors.signOut(this.dn, reason);
  }

  /** What nobody waits for. */
  #tell(work: PageWork): void {
    this.#run(this.page.send(work), work.order);
  }

  #run(work: Promise<unknown>, what: string): void {
    work.catch((error: unknown) => this.#log.error({ err: error, what }, "endpoint: an order failed"));
  }
}

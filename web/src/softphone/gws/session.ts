import { Listeners } from "../../shared/listeners.ts";
import type { Refusal } from "../phone/call-control.ts";
import { GwsCalls } from "./calls.ts";
import type { EventOwner, Events, OpenEvents } from "./event-channel.ts";
import { GwsError, type Basic, type GwsHttp } from "./http.ts";
import { readEvent, readMe, type GwsCall, type GwsDevice, type GwsMe } from "./messages.ts";
import type { GwsSettings } from "./settings.ts";
import { gwsProblem, isNotRegistered, operationProblem, sessionProblem } from "./words.ts";

/**
 * `waiting`: signed in, the contact centre session not begun, because the DN is not in service or it did not work;
 * `active`: begun.
 */
export type GwsStage = "signed-out" | "signing-in" | "waiting" | "starting" | "active";

/** What of GWS can be shown. */
export interface GwsSnapshot {
  readonly stage: GwsStage;
  /** Events come. */
  readonly live: boolean;
  readonly userName: string;
  readonly device: GwsDevice | undefined;
  readonly calls: readonly GwsCall[];
  /** The contact centre session is this page's own. */
  readonly begun: boolean;
  /** What is wrong, in words; empty when nothing is. */
  readonly problem: string;
}

/** Runs something after a while. @returns takes it back */
export type After = (ms: number, act: () => void) => () => void;

export interface SessionParts {
  readonly http: GwsHttp;
  readonly openEvents: OpenEvents;
  readonly after: After;
}

const SIGN_IN = "me?subresources=features,devices,channels";
const RESYNC = "me?subresources=devices,calls";
const START_AGAIN_MS = 2000;
/** GWS hears of a registration from SIP Server a little later than we do. */
const START_ATTEMPTS = 8;
const RESYNC_AGAIN_MS = 5000;

/** One agent at GWS: the sign-in, the contact centre session, the events, the calls. It never touches the SIP calls. */
export class GwsSession {
  readonly settings: GwsSettings;
  readonly #parts: SessionParts;
  readonly #changes = new Listeners<void>();
  readonly #errors = new Listeners<string>();
  readonly #calls = new GwsCalls();
  #stage: GwsStage = "signed-out";
  #live = false;
  #userName = "";
  #devices: readonly GwsDevice[] = [];
  #problem = "";
  #dn: string | undefined;
  #inService = false;
  #events: Events | undefined;
  #attempts = 0;
  /** Takes back what is to be done later, by its name. */
  readonly #later = new Map<string, () => void>();
  /** Grows with each sign-in and sign-out: what belongs to an earlier one counts no more. */
  #era = 0;
  #resyncing = false;
  /** Wanted anew while it was under way. */
  #resyncAgain = false;
  #resyncFailed = false;
  /** The contact centre session is this page's, which ends it too. */
  #begun = false;

  constructor(settings: GwsSettings, parts: SessionParts) {
    this.settings = settings;
    this.#parts = parts;
  }

  get snapshot(): GwsSnapshot {
    return {
      stage: this.#stage,
      live: this.#live,
      userName: this.#userName,
      device: this.#device,
      calls: this.#calls.all,
      begun: this.#begun,
      problem: this.#problem,
    };
  }

  /** @returns forgets the listener */
  onChange(listener: () => void): () => void {
    return this.#changes.add(listener);
  }

  /** `ErrorMessage` events: something that was accepted did not work. @returns forgets the listener */
  onError(listener: (text: string) => void): () => void {
    return this.#errors.add(listener);
  }

  /** The call of this `X-Genesys-CallUUID`. */
  find(callUuid: string): GwsCall | undefined {
    return this.#calls.find(callUuid);
  }

  /** The one of the DN; where none has its number (GWS gives dynamic ones) the first. */
  get #device(): GwsDevice | undefined {
    return this.#devices.find(({ phoneNumber }) => phoneNumber === this.#dn) ?? this.#devices[0];
  }

  /** What the page knows of its DN. Nobody signed in any more ends the contact centre session. */
  line(dn: string | undefined, inService: boolean): void {
    const gone = this.#dn !== undefined && dn === undefined;
    const came = !this.#inService && inService;
    this.#dn = dn;
    this.#inService = inService;
    if (gone) this.signOut();
    else if (came) this.start();
  }

  /** Name and password go out once and are kept nowhere. */
  async signIn(basic: Basic): Promise<void> {
    if (this.#stage !== "signed-out") return;
    const era = ++this.#era;
    this.#set("signing-in");
    try {
      const me = readMe(await this.#parts.http.get(SIGN_IN, basic));
      if (era === this.#era) this.#enter(me, me.userName || basic.user);
    } catch (error) {
      if (era === this.#era) this.#set("signed-out", gwsProblem(error));
    }
  }

  /**
   * After a reload the cookie may still be good: then nobody need type anything. Fails without a word.
   * @param begun whether the page before had begun the contact centre session
   */
  async resume(begun: boolean): Promise<void> {
    if (this.#stage !== "signed-out") return;
    const era = ++this.#era;
    this.#set("signing-in");
    try {
      const me = readMe(await this.#parts.http.get(SIGN_IN));
      if (era !== this.#era) return;
      this.#enter(me, me.userName);
      this.#begun = begun;
    } catch {
      if (era === this.#era) this.#set("signed-out");
    }
  }

  #enter(me: GwsMe, userName: string): void {
    this.#userName = userName;
    this.#devices = me.devices;
    this.#begun = false;
    const owner: EventOwner = {
      event: (data) => this.#onEvent(data),
      up: () => this.#onLive(true),
      down: () => this.#onLive(false),
    };
    this.#set("waiting");
    this.#events = this.#parts.openEvents(this.settings, this.#parts.http.csrfHeaders, owner);
    this.#keepAlive();
    // Workspace, or this page before its reload, has begun it: it is not begun twice, and ended by who began it.
    if (isAtWork(this.#device)) this.#started("");
    else if (this.#inService) this.start();
  }

  /** Begins the contact centre session; SIP Server must have the DN in service before. */
  start(): void {
    if (this.#stage !== "waiting") return;
    this.#attempts = 0;
    void this.#start();
  }

  async #start(): Promise<void> {
    const era = this.#era;
    this.#attempts += 1;
    this.#set("starting", this.#problem);
    const body = { operationName: "StartContactCenterSession", channels: this.settings.channels };
    try {
      await this.#parts.http.post("me", body);
      if (era !== this.#era) return;
      this.#begun = true;
      this.#started("");
    } catch (error) {
      if (era === this.#era) this.#onNotStarted(error);
    }
  }

  #started(problem: string): void {
    this.#set("active", problem);
    void this.#resync();
  }

  #onNotStarted(error: unknown): void {
    if (error instanceof GwsError && error.kind === "denied") return this.#expire();
    if (error instanceof GwsError && error.succeeded.includes("voice"))
      return this.#started(gwsProblem(error));
    const again = error instanceof GwsError && isNotRegistered(error) && this.#attempts < START_ATTEMPTS;
    const problem = sessionProblem(error, this.#dn ?? "", again);
    if (!again) return this.#set("waiting", problem);
    this.#set("starting", problem);
    this.#delay("start", START_AGAIN_MS, () => void this.#start());
  }

  /** Ends the contact centre session and all that belongs to it; never waits for GWS. */
  signOut(): void {
    if (this.#stage === "signed-out") return;
    const begun = this.#begun || this.#stage === "starting";
    this.#leave("");
    if (!begun) return;
    this.#parts.http.post("me", { operationName: "EndContactCenterSession" }, true).catch(() => {
      // Who signs out has gone; GWS ends the session by itself when the DN is out of service.
    });
  }

  /** The HTTP session is over: GWS forgets it when nothing is asked for half an hour, and when it is restarted. */
  #expire(): void {
    this.#leave("The sign-in at GWS has ended. Sign in there again; calls go on.");
  }

  #leave(problem: string): void {
    this.#era += 1;
    for (const takeBack of this.#later.values()) takeBack();
    this.#later.clear();
    this.#events?.close();
    this.#events = undefined;
    this.#live = false;
    this.#begun = false;
    this.#calls.clear();
    this.#devices = [];
    this.#set("signed-out", problem);
  }

  /** Ready, NotReady ... @returns why not, in words */
  async setState(operation: string): Promise<Refusal> {
    try {
      await this.#post("me/channels/voice", { operationName: operation });
      if (!this.#live) void this.#resync();
      return undefined;
    } catch (error) {
      return gwsProblem(error);
    }
  }

  /** Makes an agent who is ready not ready, since nobody would hear them. @returns what to tell them */
  async headsetLost(): Promise<Refusal> {
    if (this.#stage !== "active" || !["", "Ready"].includes(this.#device?.state ?? "")) return undefined;
    const refusal = await this.setState("NotReady");
    if (refusal !== undefined)
      return `The microphone is gone, and you could not be made not ready at GWS: ${refusal}`;
    return "The microphone is gone: you are not ready at GWS now. Plug it in, then make yourself ready.";
  }

  /** Rejects with `GwsError`. That it is accepted is all it says: the outcome comes as events. */
  async operate(callId: string, operation: string, more: object = {}): Promise<void> {
    await this.#post(`me/calls/${encodeURIComponent(callId)}`, { operationName: operation, ...more });
  }

  /** As `operate`. */
  async dial(number: string): Promise<void> {
    const device = this.#device;
    if (device === undefined) throw new GwsError("refused", 0, undefined, "GWS knows no device of yours");
    const destination = { phoneNumber: number };
    await this.#post(`me/devices/${encodeURIComponent(device.id)}/calls`, {
      operationName: "Dial",
      destination,
    });
  }

  async #post(path: string, body: object): Promise<void> {
    const era = this.#era;
    this.#problem = "";
    try {
      await this.#parts.http.post(path, body);
    } catch (error) {
      // Not signed in any more, or not allowed this one thing: the next answer tells.
      if (era === this.#era && error instanceof GwsError && error.kind === "denied") await this.#resync();
      throw error;
    }
  }

  #onEvent(data: unknown): void {
    const event = readEvent(data);
    if (event === undefined) return;
    if (event.kind === "call") this.#calls.apply(event.call);
    else if (event.kind === "devices") this.#learn(event.devices);
    else {
      this.#problem = operationProblem(event.text);
      this.#errors.tell(event.text);
    }
    this.#changes.tell();
  }

  /** Events name the devices that changed, not all. */
  #learn(devices: readonly GwsDevice[]): void {
    const told = new Map(devices.map((device) => [device.id, device]));
    this.#devices = this.#devices.map((device) => told.get(device.id) ?? device);
  }

  #onLive(live: boolean): void {
    this.#live = live;
    this.#changes.tell();
    // What happened in between was missed; and where events are refused, this tells whether the sign-in is over.
    void this.#resync();
  }

  /** Devices and calls as they are now. */
  async #resync(): Promise<void> {
    if (this.#stage === "signed-out" || this.#stage === "signing-in") return;
    this.#resyncAgain = this.#resyncing;
    if (this.#resyncing) return;
    const era = this.#era;
    this.#resyncing = true;
    this.#calls.asked();
    try {
      const me = readMe(await this.#parts.http.get(RESYNC));
      if (era !== this.#era) return;
      this.#calls.answered(me.calls);
      if (me.devices.length > 0) this.#devices = me.devices;
      if (this.#resyncFailed) this.#problem = "";
      this.#resyncFailed = false;
      this.#changes.tell();
    } catch (error) {
      if (era !== this.#era) return;
      if (error instanceof GwsError && error.kind === "denied") return this.#expire();
      this.#resyncFailed = true;
      this.#set(this.#stage, gwsProblem(error));
      this.#delay("resync", RESYNC_AGAIN_MS, () => void this.#resync());
    } finally {
      this.#resyncing = false;
      if (this.#resyncAgain) void this.#resync();
    }
  }

  #keepAlive(): void {
    this.#delay("keep-alive", this.settings.keepAliveSeconds * 1000, () => {
      this.#keepAlive();
      void this.#resync();
    });
  }

  #delay(name: string, ms: number, act: () => void): void {
    this.#later.get(name)?.();
    this.#later.set(name, this.#parts.after(ms, act));
  }

  #set(stage: GwsStage, problem = ""): void {
    this.#stage = stage;
    this.#problem = problem;
    this.#changes.tell();
  }
}

function isAtWork(device: GwsDevice | undefined): boolean {
  return device?.active === true && !["", "Offline", "LoggedOut"].includes(device.state);
}

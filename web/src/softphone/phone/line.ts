import { UA, WebSocketInterface } from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession.js";
import type { CallOptions, RTCSessionEvent } from "jssip/lib/UA.js";
import { ALLOW_EVENTS, gatewayEvent, type GatewayEvent, type TrunkState } from "./gateway-events.ts";
import type { Ha1 } from "./kept.ts";
import type { Credentials } from "./settings.ts";
import { inOneLine } from "../../shared/words.ts";
import { isFinal, signInProblem } from "./words.ts";

export type SocketState = "idle" | "connecting" | "connected" | "lost";
export type Registration = "none" | "registering" | "registered" | "failed";

/** The DN's registration at SIP Server as the gateway tells it; unknown until it does. */
export interface Trunk {
  readonly state: TrunkState | "unknown";
  readonly reason: string;
}

export interface LineOwner {
  changed(): void;
  told(text: string, problem: boolean): void;
  /** The gateway refused the sign-in; `final`: for good, the line is to be closed once no call needs it. */
  refused(status: number, text: string, final: boolean): void;
  /** Signed in, anew or again. */
  registered(): void;
  session(event: RTCSessionEvent): void;
  /** Whatever else the gateway tells: of a call, of messages that wait. */
  event(event: Exclude<GatewayEvent, { kind: "trunk" }>): void;
}

/** What the phone uses of a line. */
export type SignedLine = Pick<
  Line,
  "dn" | "socket" | "registration" | "trunk" | "gateway" | "retryAt" | "ha1" | "close" | "address" | "call"
>;
export type NewLine = (credentials: Credentials, instance: string, owner: LineOwner) => SignedLine;

/** A refused or unanswered REGISTER is tried again after this long. */
const RETRY_MS = 10_000;
const REGISTER_EXPIRES_S = 300;
const LONGEST_RING_S = 180;
const UNKNOWN_TRUNK = { state: "unknown", reason: "" } as const;

/** One sign-in: the socket to the gateway and the registration on it, kept up until closed. */
export class Line {
  readonly dn: string;
  socket: SocketState = "connecting";
  registration: Registration = "none";
  trunk: Trunk = UNKNOWN_TRUNK;
  /** As the gateway names itself. */
  gateway: string | undefined;
  /** When a refused sign-in is tried again, ms since the epoch. */
  retryAt: number | undefined;
  readonly #owner: LineOwner;
  readonly #domain: string;
  readonly #user: string | undefined;
  readonly #ua: UA;
  #closed = false;
  #moved = false;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** @param instance this tab's `+sip.instance`, a UUID. Throws when an address cannot be used. */
  constructor({ dn, password, ha1, server, domain }: Credentials, instance: string, owner: LineOwner) {
    this.dn = dn;
    this.#domain = domain;
    this.#user = ha1?.user;
    this.#owner = owner;
    this.#ua = new UA({
      sockets: [new WebSocketInterface(server)],
      uri: `sip:${encodeURIComponent(dn)}@${domain}`,
      ...(ha1 === undefined ? { password } : { realm: ha1.realm, ha1: ha1.value }),
      ...(ha1?.user === undefined ? {} : { authorization_user: ha1.user }),
      instance_id: instance,
      register_expires: REGISTER_EXPIRES_S,
      no_answer_timeout: LONGEST_RING_S,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 8,
      user_agent: "Jackfield softphone (JsSIP)",
    });
    this.#ua.registrator().setExtraHeaders([`Allow-Events: ${ALLOW_EVENTS}`]);
    this.#listen();
    this.#ua.start();
  }

  /** Ends the calls, un-registers and lets go of the socket. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#ua.stop();
  }

  /** What signs a page in that takes this one's place; undefined before the first challenge. */
  get ha1(): Ha1 | undefined {
    // JsSIP's types leave `UA.get` out.
    const get: unknown = Reflect.get(this.#ua, "get");
    if (typeof get !== "function") return undefined;
    const [realm, value]: unknown[] = ["realm", "ha1"].map((name) => Reflect.apply(get, this.#ua, [name]));
    if (typeof realm !== "string" || typeof value !== "string") return undefined;
    return { realm, value, ...(this.#user === undefined ? {} : { user: this.#user }) };
  }

  /** A number's address. */
  address(number: string): string {
    return `sip:${number}@${this.#domain}`;
  }

  /** Calls a number of our domain; the session also comes by `LineOwner.session`. Throws when it is no number. */
  call(number: string, options: CallOptions): RTCSession {
    return this.#ua.call(this.address(number), options);
  }

  #listen(): void {
    const ua = this.#ua;
    ua.on("connecting", () => this.#onSocket(this.socket === "lost" ? "lost" : "connecting"));
    ua.on("connected", () => this.#onSocket("connected"));
    ua.on("disconnected", ({ code }) => {
      // Service Restart (RFC 6455's registry of close codes): the gateway sends its pages to the next one.
      this.#moved = code === 1012;
      this.#onSocket("lost");
    });
    ua.on("registered", () => {
      this.#register("registered", `Signed in as ${this.dn}.`);
      if (!this.#closed) this.#owner.registered();
    });
    ua.on("unregistered", () => {
      if (this.registration === "registered") this.#register("none");
    });
    ua.on("registrationFailed", (event: object) => this.#onRefused(event));
    ua.on("newRTCSession", (event: RTCSessionEvent) => this.#owner.session(event));
    ua.on("sipEvent", ({ request }) => {
      this.gateway = request.getHeader("User-Agent") ?? this.gateway;
      const event = gatewayEvent(request);
      if (event?.kind === "trunk") {
        this.trunk = { state: event.state, reason: event.reason };
        this.#changed();
      } else if (event !== undefined) this.#owner.event(event);
    });
  }

  #changed(): void {
    // What a stopped UA still says is nobody's business any more.
    if (!this.#closed) this.#owner.changed();
  }

  #register(state: Registration, text?: string): void {
    this.registration = state;
    if (state !== "failed") this.retryAt = undefined;
    if (text !== undefined && !this.#closed) this.#owner.told(text, false);
    this.#changed();
  }

  #onSocket(state: SocketState): void {
    const before = this.socket;
    this.socket = state;
    this.retryAt = undefined;
    if (this.#closed) return;
    if (state === "connected") {
      this.registration = "registering";
      this.#owner.told(before === "lost" ? "The connection to the gateway is back." : "Connected.", false);
    }
    if (state === "lost") {
      // JsSIP connects again by itself; without a socket nothing is known of SIP Server.
      this.trunk = UNKNOWN_TRUNK;
      this.registration = "none";
      if (before === "lost") return this.#changed();
      if (this.#moved) this.#owner.told("The gateway is being restarted. Signing in again by itself.", false);
      else this.#owner.told("No connection to the gateway. Trying again by itself.", true);
    }
    this.#changed();
  }

  #onRefused(event: object): void {
    if (this.#closed) return;
    const { status, phrase } = responseOf(event);
    const text = inOneLine(signInProblem(status, phrase));
    if (isFinal(status)) {
      this.#register("failed");
      this.#owner.refused(status, text, true);
      return;
    }
    // A lost socket is told and mended by itself.
    if (this.socket !== "connected") return;
    this.#owner.refused(status, text, false);
    this.retryAt = Date.now() + RETRY_MS;
    this.#register("failed");
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#ua.register(), RETRY_MS);
  }
}

/** Status and phrase of the response in a JsSIP event; 0 where JsSIP, other than its types say, gives none. */
function responseOf(event: object): { status: number; phrase: string } {
  const response: unknown = Reflect.get(event, "response");
  if (typeof response !== "object" || response === null) return { status: 0, phrase: "" };
  const status: unknown = Reflect.get(response, "status_code");
  const phrase: unknown = Reflect.get(response, "reason_phrase");
  return {
    status: typeof status === "number" ? status : 0,
    phrase: typeof phrase === "string" ? phrase : "",
  };
}

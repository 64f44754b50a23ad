import { C, UA, WebSocketInterface } from "jssip";
import type { EndEvent, RTCSession } from "jssip/lib/RTCSession.js";
import type { RTCSessionEvent } from "jssip/lib/UA.js";
import type { Account, CallEnd, ClientContext, IncomingCall, Notification, SipClient } from "./contract.ts";
import { Mailbox, pending, type Pending } from "./pending.ts";
import { installPhone } from "./phone.ts";

const NO_SERVERS = { iceServers: [] };
const AUDIO = { audio: true, video: false };

function statusOf(event: object): number {
  for (const key of ["response", "message"]) {
    const found: unknown = Reflect.get(event, key);
    const status: unknown = typeof found === "object" && found !== null && Reflect.get(found, "status_code");
    if (typeof status === "number") return status;
  }
  return 0;
}

class JsSipClient implements SipClient {
  readonly #context: ClientContext;
  readonly #incoming = new Mailbox<IncomingCall>();
  readonly #notifications: Notification[] = [];
  #ua: UA | undefined;
  #socket: WebSocketInterface | undefined;
  #domain = "jackfield.test";
  #autoAnswer = false;
  #registered: Pending<void> = pending();
  #isRegistered = false;
  #session: RTCSession | undefined;
  /** The call before the current one. */
  #former: RTCSession | undefined;
  #connection: RTCPeerConnection | undefined;
  #confirmed: Pending<void> = pending();
  #ended: Pending<CallEnd> = pending();

  constructor(context: ClientContext) {
    this.#context = context;
  }

  async register(account: Account): Promise<void> {
    const { server, dn, password, domain, instanceId, expires, allowEvents, userAgent } = account;
    this.#autoAnswer = account.autoAnswer === true;
    this.#domain = domain ?? this.#domain;
    this.#socket = new WebSocketInterface(server);
    const ua = new UA({
      sockets: [this.#socket],
      uri: `sip:${dn}@${this.#domain}`,
      password,
      instance_id: instanceId ?? crypto.randomUUID(),
      register_expires: expires ?? 300,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 2,
      ...(userAgent === undefined ? {} : { user_agent: userAgent }),
    });
    const events = allowEvents ?? "talk, hold, x-jackfield-trunk";
    if (events !== "") ua.registrator().setExtraHeaders([`Allow-Events: ${events}`]);
    ua.on("registered", () => this.#back());
    ua.on("disconnected", () => this.#lost());
    ua.on("registrationFailed", (event: object) => {
      this.#registered.reject(new Error(`${statusOf(event)} ${String(Reflect.get(event, "cause"))}`));
    });
    ua.on("sipEvent", ({ request }) => {
      this.#notifications.push({
        event: request.getHeader("Event"),
        body: request.body,
        callId: request.getHeader("X-Jackfield-Call-ID") ?? "",
      });
    });
    ua.on("newRTCSession", (event: RTCSessionEvent) => this.#onSession(event));
    this.#ua = ua;
    ua.start();
    await this.#registered.promise;
  }

  async registered(): Promise<void> {
    await this.#registered.promise;
  }

  #lost(): void {
    if (!this.#isRegistered) return;
    this.#isRegistered = false;
    this.#registered = pending();
  }

  #back(): void {
    this.#isRegistered = true;
    this.#registered.resolve();
  }

  async unregister(): Promise<void> {
    const ua = this.#ua;
    if (ua === undefined) return;
    await new Promise<void>((resolve) => {
      ua.on("unregistered", () => resolve());
      ua.unregister();
    });
  }

  cutSocket(): void {
    // The socket itself, not JsSIP's disconnect(), which would forget its handlers and never come back.
    const socket: unknown = this.#socket && Reflect.get(this.#socket, "_ws");
    if (!(socket instanceof WebSocket)) return;
    // At once: the client hears of it only when the other end has closed too.
    this.#lost();
    socket.close();
  }

  async call(number: string, extraHeaders: readonly string[] = []): Promise<void> {
    const mediaStream = await this.#context.microphone();
    this.#ua?.call(`sip:${number}@${this.#domain}`, {
      mediaConstraints: AUDIO,
      mediaStream,
      pcConfig: NO_SERVERS,
      extraHeaders: [...extraHeaders],
    });
    await this.#confirmed.promise;
  }

  async nextCall(): Promise<IncomingCall> {
    return await this.#incoming.next();
  }

  async answer(): Promise<void> {
    const mediaStream = await this.#context.microphone();
    this.#session?.answer({ mediaConstraints: AUDIO, mediaStream, pcConfig: NO_SERVERS });
    await this.#confirmed.promise;
  }

  reject(status: number): void {
    this.#session?.terminate({ status_code: status });
  }

  hangUp(): void {
    this.#session?.terminate();
  }

  async ended(): Promise<CallEnd> {
    return await this.#ended.promise;
  }

  async hold(on: boolean): Promise<void> {
    const session = this.#session;
    await new Promise<void>((resolve, reject) => {
      const begun = on ? session?.hold({}, resolve) : session?.unhold({}, resolve);
      if (begun !== true) reject(new Error("the call cannot be held or retrieved now"));
    });
  }

  async transfer(number?: string): Promise<number> {
    const current = this.#session;
    const referred = number === undefined ? this.#former : current;
    if (!current || !referred) throw new Error("no call to transfer");
    return await new Promise<number>((resolve) => {
      const told = ({
        status_line: { status_code: status },
      }: {
        status_line: { status_code: number };
      }): void => resolve(status);
      referred.refer(number === undefined ? current.remote_identity.uri : `sip:${number}@${this.#domain}`, {
        ...(number === undefined ? { replaces: current } : {}),
        eventHandlers: {
          accepted: told,
          failed: told,
          requestFailed: (event: object) => resolve(statusOf(event)),
        },
      });
    });
  }

  sendDigits(digits: string, by: "rfc4733" | "info" = "rfc4733"): void {
    this.#session?.sendDTMF(digits, {
      transportType: by === "info" ? C.DTMF_TRANSPORT.INFO : C.DTMF_TRANSPORT.RFC2833,
      duration: 120,
      interToneGap: 80,
    });
  }

  notifications(): readonly Notification[] {
    return this.#notifications;
  }

  connection(): RTCPeerConnection | undefined {
    return this.#connection;
  }

  #onSession({ session, originator, request }: RTCSessionEvent): void {
    const by: string = originator;
    this.#former = this.#session;
    this.#session = session;
    this.#confirmed = pending();
    this.#ended = pending();
    const watch = (connection: RTCPeerConnection): void => {
      this.#connection = connection;
      this.#context.watch(connection);
    };
    if (by === "local") watch(session.connection);
    session.on("peerconnection", ({ peerconnection }) => watch(peerconnection));
    session.on("icecandidate", ({ ready }) => ready());
    session.on("confirmed", () => this.#confirmed.resolve());
    const end = (event: EndEvent): void => {
      const status = statusOf(event);
      const who: string = event.originator;
      this.#confirmed.reject(new Error(`${status} ${event.cause}`));
      this.#ended.resolve({ by: who === "remote" ? "remote" : "local", cause: event.cause, status });
    };
    session.on("ended", end);
    session.on("failed", end);
    if (by === "remote") {
      const { uri, display_name: displayName } = session.remote_identity;
      this.#incoming.put({
        callId: request.getHeader("Call-ID"),
        from: uri.user,
        displayName: displayName ?? "",
      });
      const callInfo: unknown = request.getHeader("Call-Info");
      if (this.#autoAnswer && /;answer-after=0/.test(String(callInfo))) void this.answer();
    }
  }
}

installPhone((context) => new JsSipClient(context));

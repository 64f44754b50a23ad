import {
  Inviter,
  Invitation,
  Registerer,
  RegistererState,
  SessionState,
  UserAgent,
  Web,
  type Notification as SipNotification,
  type Session,
} from "sip.js";
import type { Account, CallEnd, ClientContext, IncomingCall, Notification, SipClient } from "./contract.ts";
import { Mailbox, pending, type Pending } from "./pending.ts";
import { installPhone } from "./phone.ts";

const RECONNECT_MS = 1000;

class SipJsClient implements SipClient {
  readonly #context: ClientContext;
  readonly #incoming = new Mailbox<IncomingCall>();
  readonly #notifications: Notification[] = [];
  #agent: UserAgent | undefined;
  #registerer: Registerer | undefined;
  #domain = "jackfield.test";
  #autoAnswer = false;
  #registered: Pending<void> = pending();
  #isRegistered = false;
  #session: Session | undefined;
  /** The call before the current one. */
  #former: Session | undefined;
  #confirmed: Pending<void> = pending();
  #ended: Pending<CallEnd> = pending();
  /** What ended the call, put in before the state change that tells of its end. */
  #why: CallEnd = { by: "local", cause: "", status: 0 };

  constructor(context: ClientContext) {
    this.#context = context;
  }

  async register(account: Account): Promise<void> {
    const { server, dn, password, domain, instanceId, expires, allowEvents, userAgent } = account;
    this.#autoAnswer = account.autoAnswer === true;
    this.#domain = domain ?? this.#domain;
    const uri = UserAgent.makeURI(`sip:${dn}@${this.#domain}`);
    if (uri === undefined) throw new Error(`${dn} makes no SIP address`);
    const agent = new UserAgent({
      uri,
      authorizationUsername: dn,
      authorizationPassword: password,
      ...(instanceId === undefined ? {} : { instanceId }),
      instanceIdAlwaysAdded: true,
      ...(userAgent === undefined ? {} : { userAgentString: userAgent }),
      transportOptions: { server },
      sessionDescriptionHandlerFactory: this.#media(),
      logBuiltinEnabled: false,
      delegate: {
        onInvite: (invitation) => this.#onInvite(invitation),
        onNotify: (notification) => this.#onNotify(notification),
        onDisconnect: () => this.#onDisconnect(),
      },
    });
    this.#agent = agent;
    await agent.start();
    const events = allowEvents ?? "talk, hold, x-jackfield-trunk";
    this.#registerer = new Registerer(agent, {
      expires: expires ?? 300,
      extraHeaders: events === "" ? [] : [`Allow-Events: ${events}`],
    });
    await this.#sendRegister();
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
    const registerer = this.#registerer;
    if (registerer === undefined) return;
    await new Promise<void>((resolve, reject) => {
      registerer.stateChange.addListener((state) => {
        if (state === RegistererState.Unregistered) resolve();
      });
      registerer.unregister().catch(reject);
    });
  }

  cutSocket(): void {
    const socket: unknown = this.#agent && Reflect.get(this.#agent.transport, "ws");
    if (!(socket instanceof WebSocket)) return;
    // At once: the client hears of it only when the other end has closed too.
    this.#lost();
    socket.close();
  }

  async call(number: string, extraHeaders: readonly string[] = []): Promise<void> {
    const target = UserAgent.makeURI(`sip:${number}@${this.#domain}`);
    if (this.#agent === undefined || target === undefined) throw new Error(`${number} makes no SIP address`);
    const inviter = new Inviter(this.#agent, target, { extraHeaders: [...extraHeaders], earlyMedia: true });
    this.#take(inviter);
    await inviter.invite({
      requestDelegate: {
        onReject: ({ message }) => {
          this.#why = { by: "remote", cause: message.reasonPhrase ?? "", status: message.statusCode ?? 0 };
        },
      },
    });
    await this.#confirmed.promise;
  }

  async nextCall(): Promise<IncomingCall> {
    return await this.#incoming.next();
  }

  async answer(): Promise<void> {
    if (!(this.#session instanceof Invitation)) throw new Error("no call rings");
    await this.#session.accept();
    await this.#confirmed.promise;
  }

  reject(status: number): void {
    if (this.#session instanceof Invitation) forget(this.#session.reject({ statusCode: status }));
  }

  hangUp(): void {
    const session = this.#session;
    if (session?.state === SessionState.Established) forget(session.bye());
    else if (session instanceof Inviter) forget(session.cancel());
    else this.reject(480);
  }

  async ended(): Promise<CallEnd> {
    return await this.#ended.promise;
  }

  async hold(on: boolean): Promise<void> {
    const session = this.#session;
    if (session === undefined) throw new Error("there is no call");
    await new Promise<void>((resolve, reject) => {
      const options: Web.SessionDescriptionHandlerOptions = { hold: on };
      session.sessionDescriptionHandlerOptionsReInvite = options;
      session
        .invite({
          requestDelegate: {
            onAccept: () => resolve(),
            onReject: ({ message }) => reject(new Error(`${message.statusCode} ${message.reasonPhrase}`)),
          },
        })
        .catch(reject);
    });
  }

  async transfer(number?: string): Promise<number> {
    const current = this.#session;
    const referred = number === undefined ? this.#former : current;
    const target = number === undefined ? current : UserAgent.makeURI(`sip:${number}@${this.#domain}`);
    if (!referred || !target) throw new Error("no call to transfer");
    return await new Promise<number>((resolve, reject) => {
      const options = {
        onNotify: (notification: SipNotification): void => {
          const status = Number(/^SIP\/2\.0 (\d{3})/.exec(notification.request.body)?.[1]);
          forget(notification.accept());
          if (status >= 200) resolve(status);
        },
        requestDelegate: {
          onReject: ({ message }: { message: { statusCode?: number | undefined } }) =>
            resolve(message.statusCode ?? 0),
        },
      };
      referred.refer(target, options).catch(reject);
    });
  }

  sendDigits(digits: string, by: "rfc4733" | "info" = "rfc4733"): void {
    if (by === "rfc4733") {
      this.#session?.sessionDescriptionHandler?.sendDtmf(digits, { duration: 120, interToneGap: 80 });
      return;
    }
    for (const digit of digits) {
      const content = `Signal=${digit}\r\nDuration=120\r\n`;
      const body = { contentDisposition: "render", contentType: "application/dtmf-relay", content };
      if (this.#session) forget(this.#session.info({ requestOptions: { body } }));
    }
  }

  notifications(): readonly Notification[] {
    return this.#notifications;
  }

  connection(): RTCPeerConnection | undefined {
    const handler = this.#session?.sessionDescriptionHandler;
    return handler instanceof Web.SessionDescriptionHandler ? handler.peerConnection : undefined;
  }

  #media(): Web.SessionDescriptionHandlerFactory {
    const make = Web.defaultSessionDescriptionHandlerFactory(async () => await this.#context.microphone());
    return (session, options) => {
      const handler = make(session, {
        ...options,
        iceGatheringTimeout: 200,
        peerConnectionConfiguration: { iceServers: [] },
      });
      if (handler.peerConnection !== undefined) this.#context.watch(handler.peerConnection);
      return handler;
    };
  }

  async #sendRegister(): Promise<void> {
    await this.#registerer?.register({
      requestDelegate: {
        // Not by the state: it stays "registered" over a lost socket.
        onAccept: () => this.#back(),
        onReject: ({ message }) => {
          this.#registered.reject(new Error(`${message.statusCode} ${message.reasonPhrase}`));
        },
      },
    });
  }

  /** SIP.js leaves coming back to its user: this is the way its guide shows. */
  #onDisconnect(): void {
    this.#lost();
    setTimeout(() => {
      this.#agent
        ?.reconnect()
        .then(async () => await this.#sendRegister())
        .catch(() => this.#onDisconnect());
    }, RECONNECT_MS);
  }

  #onNotify(notification: SipNotification): void {
    const { request } = notification;
    this.#notifications.push({
      event: request.getHeader("Event") ?? "",
      body: request.body,
      callId: request.getHeader("X-Jackfield-Call-ID") ?? "",
    });
    forget(notification.accept());
  }

  #onInvite(invitation: Invitation): void {
    this.#take(invitation);
    const { uri, displayName } = invitation.remoteIdentity;
    const callId = invitation.request.callId;
    this.#incoming.put({ callId, from: uri.user ?? "", displayName });
    const callInfo = invitation.request.getHeader("Call-Info") ?? "";
    if (this.#autoAnswer && /;answer-after=0/.test(callInfo)) forget(this.answer());
  }

  #take(session: Session): void {
    this.#former = this.#session;
    this.#session = session;
    this.#confirmed = pending();
    const ended = pending<CallEnd>();
    this.#ended = ended;
    this.#why = { by: "local", cause: "", status: 0 };
    session.delegate = {
      onBye: (bye) => {
        this.#why = { by: "remote", cause: "BYE", status: 0 };
        forget(bye.accept());
      },
      onCancel: () => {
        this.#why = { by: "remote", cause: "CANCEL", status: 0 };
      },
    };
    session.stateChange.addListener((state) => {
      if (state === SessionState.Established) this.#confirmed.resolve();
      if (state !== SessionState.Terminated) return;
      // SIP.js changes the state first and tells of the response right after.
      queueMicrotask(() => {
        this.#confirmed.reject(new Error(`${this.#why.status} ${this.#why.cause}`));
        ended.resolve(this.#why);
      });
    });
  }
}

/** For requests whose fate the state of the call tells. */
function forget(sent: Promise<unknown>): void {
  sent.catch(() => undefined);
}

installPhone((context) => new SipJsClient(context));

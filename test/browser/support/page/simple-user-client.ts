import { Web } from "sip.js";
import type { Account, CallEnd, ClientContext, IncomingCall, Notification, SipClient } from "./contract.ts";
import { Mailbox, pending, type Pending } from "./pending.ts";
import { installPhone } from "./phone.ts";

/**
 * SIP.js' own ready-made softphone, used as its guide shows: it speaks into the browser's microphone, hands no INVITE
 * and no NOTIFY to its page, and tells neither the caller nor why a call ended.
 */
class SimpleUserClient implements SipClient {
  readonly #incoming = new Mailbox<IncomingCall>();
  #user: Web.SimpleUser | undefined;
  #domain = "jackfield.test";
  #registered: Pending<void> = pending();
  #confirmed: Pending<void> = pending();
  #ended: Pending<CallEnd> = pending();
  #held: Pending<void> = pending();

  async register({ server, dn, password, domain }: Account): Promise<void> {
    this.#domain = domain ?? this.#domain;
    const user = new Web.SimpleUser(server, {
      aor: `sip:${dn}@${this.#domain}`,
      media: { constraints: { audio: true, video: false }, remote: { audio: new Audio() } },
      userAgentOptions: {
        authorizationUsername: dn,
        authorizationPassword: password,
        logBuiltinEnabled: false,
        sessionDescriptionHandlerFactoryOptions: {
          iceGatheringTimeout: 200,
          peerConnectionConfiguration: { iceServers: [] },
        },
      },
      delegate: {
        onRegistered: () => this.#registered.resolve(),
        onCallCreated: () => {
          this.#confirmed = pending();
          this.#ended = pending();
        },
        onCallReceived: () => this.#incoming.put({ callId: "", from: "", displayName: "" }),
        onCallAnswered: () => this.#confirmed.resolve(),
        onCallHangup: () => this.#ended.resolve({ by: "local", cause: "", status: 0 }),
        onCallHold: () => this.#held.resolve(),
      },
    });
    this.#user = user;
    await user.connect();
    await user.register();
    await this.#registered.promise;
  }

  async registered(): Promise<void> {
    await this.#registered.promise;
  }

  async unregister(): Promise<void> {
    await this.#user?.unregister();
  }

  async transfer(): Promise<number> {
    return await Promise.reject(new Error("not with this client"));
  }

  cutSocket(): void {
    throw new Error("not with this client");
  }

  async call(number: string): Promise<void> {
    await this.#user?.call(`sip:${number}@${this.#domain}`);
    await this.#confirmed.promise;
  }

  async nextCall(): Promise<IncomingCall> {
    return await this.#incoming.next();
  }

  async answer(): Promise<void> {
    await this.#user?.answer();
    await this.#confirmed.promise;
  }

  reject(): void {
    void this.#user?.decline();
  }

  hangUp(): void {
    void this.#user?.hangup();
  }

  async ended(): Promise<CallEnd> {
    return await this.#ended.promise;
  }

  async hold(on: boolean): Promise<void> {
    this.#held = pending();
    await (on ? this.#user?.hold() : this.#user?.unhold());
    await this.#held.promise;
  }

  /** Always as INFO: that is what it does unless told otherwise. */
  sendDigits(digits: string): void {
    for (const digit of digits) void this.#user?.sendDTMF(digit);
  }

  notifications(): readonly Notification[] {
    return [];
  }

  connection(): RTCPeerConnection | undefined {
    return undefined;
  }
}

installPhone((_context: ClientContext) => new SimpleUserClient());

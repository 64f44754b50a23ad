import type { ClientEvent } from "../../../../support/wrtc-client/index.ts";
import type { Account, CallEnd, ClientContext, IncomingCall, SipClient } from "../contract.ts";
import { Mailbox, pending, type Pending } from "../pending.ts";
import { installPhone } from "../phone.ts";
import type { Grtc } from "./contract.ts";

/** Makes the client; `tell`: to be called with each callback. */
export type MakeGrtc = (context: ClientContext, tell: (event: ClientEvent) => void) => Grtc;

/** The test page's phone on a client of the WRTC protocol: for what every client can. */
class WrtcPhone implements SipClient {
  readonly events: ClientEvent[] = [];
  readonly grtc: Grtc;
  readonly #incoming = new Mailbox<IncomingCall>();
  #registered: Pending<void> = pending();
  #answered: Pending<void> = pending();
  #ended: Pending<CallEnd> = pending();
  #error = "";

  constructor(make: MakeGrtc, context: ClientContext) {
    this.grtc = make(context, (event) => this.#on(event));
  }

  /** @param account `server`: the gateway's base address; without a password passwordless; DN empty: anonymous */
  async register({ server, dn, password }: Account): Promise<void> {
    if (this.grtc.view() === undefined)
      this.grtc.configure({ gateway: server, ...(password === "" ? {} : { password }) });
    this.#registered = pending();
    if (dn === "") this.grtc.connect();
    else this.grtc.register(dn);
    await this.#registered.promise;
  }

  async registered(): Promise<void> {
    await this.#registered.promise;
  }

  async unregister(): Promise<void> {
    await Promise.resolve(this.grtc.disconnect());
  }

  cutSocket(): void {
    throw new Error("there is no socket");
  }

  async call(number: string): Promise<void> {
    this.#begin();
    this.grtc.makeOffer(number, true, false);
    await this.#answered.promise;
  }

  async nextCall(): Promise<IncomingCall> {
    return await this.#incoming.next();
  }

  async answer(): Promise<void> {
    this.grtc.acceptCall();
    await this.#answered.promise;
  }

  reject(): void {
    this.grtc.rejectCall();
    this.#end("local", "rejected");
  }

  hangUp(): void {
    this.grtc.terminateCall();
    this.#end("local", "terminated");
  }

  async ended(): Promise<CallEnd> {
    return await this.#ended.promise;
  }

  async hold(on: boolean): Promise<void> {
    this.#answered = pending();
    if (on) this.grtc.holdCall();
    else this.grtc.resumeCall();
    await this.#answered.promise;
  }

  async transfer(): Promise<number> {
    return await Promise.reject(new Error("the protocol has none"));
  }

  sendDigits(digits: string): void {
    this.grtc.sendDTMF(digits, 120, 80);
  }

  notifications(): readonly [] {
    return [];
  }

  connection(): RTCPeerConnection | undefined {
    return this.grtc.connection();
  }

  #begin(): void {
    this.#answered = pending();
    this.#ended = pending();
    this.#error = "";
  }

  #end(by: CallEnd["by"], cause: string): void {
    this.#answered.reject(new Error(cause));
    this.#ended.resolve({ by, cause, status: 0 });
  }

  #on(event: ClientEvent): void {
    this.events.push(event);
    const data = Object(event.data) as Readonly<Record<string, unknown>>;
    if (event.name === "onRegister" || event.name === "onConnect") this.#registered.resolve();
    else if (event.name === "onFailed") this.#registered.reject(new Error("onFailed"));
    else if (event.name === "onIncomingCall") {
      this.#begin();
      this.#incoming.put({ callId: "", from: String(data["peer"]), displayName: "" });
    } else if (event.name === "onCallEvent") this.#answered.resolve();
    else if (event.name === "onGatewayError") this.#error = String(data["error"]);
    else if (event.name === "onPeerClosing") this.#end("remote", this.#error);
    else if (event.name === "onPeerNoanswer") {
      // As Genesys' own page does on it.
      this.grtc.terminateCall();
      this.#end("local", "no answer");
    }
  }
}

/** Puts the client on `window.testPhone` and `window.wrtc`. */
export function installWrtc(make: MakeGrtc): void {
  installPhone((context) => {
    const phone = new WrtcPhone(make, context);
    window.wrtc = phone;
    return phone;
  });
}

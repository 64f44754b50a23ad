import type { RTCSessionEvent } from "jssip/lib/UA.js";
import { answerOptions, Call, type CallOwner, type CallSnapshot } from "./call.ts";
import { Line, type LineOwner, type Registration, type SocketState, type Trunk } from "./line.ts";
import { MicrophoneError, type Microphone } from "./microphone.ts";
import type { Credentials } from "./settings.ts";
import { inOneLine } from "./words.ts";

/** What of the phone can be shown. */
export interface PhoneSnapshot {
  readonly dn: string | undefined;
  readonly socket: SocketState;
  readonly registration: Registration;
  readonly trunk: Trunk;
  readonly call: CallSnapshot | undefined;
}

export interface PhoneOwner {
  changed(snapshot: PhoneSnapshot): void;
  /** Something to write down; a `problem` wants the person's attention. */
  told(text: string, problem: boolean): void;
  /** The far end's sound, undefined when there is none any more. */
  remoteSound(stream: MediaStream | undefined): void;
  /** The gateway refused number or password for good: nobody is signed in. */
  refused(text: string): void;
}

/** The softphone: one sign-in, one call at a time. A second call that comes in gets 486. */
export class Phone {
  readonly #owner: PhoneOwner;
  readonly #microphone: Microphone;
  readonly #instance: string;
  #line: Line | undefined;
  #call: Call | undefined;
  /** The microphone's copy for the session that JsSIP announces within its `call`. */
  #outgoing: MediaStream | undefined;

  /** @param instance this tab's `+sip.instance`, a UUID */
  constructor(owner: PhoneOwner, microphone: Microphone, instance: string) {
    this.#owner = owner;
    this.#microphone = microphone;
    this.#instance = instance;
  }

  get snapshot(): PhoneSnapshot {
    return {
      dn: this.#line?.dn,
      socket: this.#line?.socket ?? "idle",
      registration: this.#line?.registration ?? "none",
      trunk: this.#line?.trunk ?? { state: "unknown", reason: "" },
      call: this.#call?.snapshot,
    };
  }

  /** Connects and registers, and keeps doing so until signed out. Throws when an address cannot be used. */
  signIn(credentials: Credentials): void {
    this.signOut();
    const owner: LineOwner = {
      changed: () => this.#changed(),
      told: (text, problem) => {
        const goesOn = problem && this.#call !== undefined && this.#line?.socket === "lost";
        this.#owner.told(goesOn ? `${text} The call goes on meanwhile.` : text, problem);
      },
      refused: (text) => {
        this.signOut();
        this.#owner.refused(text);
      },
      session: (event) => this.#onSession(event),
      remoteControl: (kind, callId) => this.#onRemoteControl(kind, callId),
      callData: (changed, callId) => {
        if (this.#call?.callId === callId) this.#call.changeData(changed);
      },
      quality: (quality, callId) => {
        if (this.#call?.callId === callId) this.#call.setQuality(quality);
      },
    };
    this.#line = new Line(credentials, this.#instance, owner);
    this.#changed();
  }

  /** Ends the call, un-registers and lets go of socket and microphone. Idempotent. */
  signOut(): void {
    const line = this.#line;
    if (line === undefined) return;
    this.#line = undefined;
    line.close();
    this.#microphone.release();
    this.#changed();
  }

  /** Calls a number, blanks and dashes left out. */
  async call(number: string): Promise<void> {
    const target = number.replaceAll(/[\s()/-]/g, "");
    const line = this.#line;
    if (line === undefined || this.#call !== undefined || target === "") return;
    if (line.registration !== "registered") {
      this.#owner.told("Not signed in at the gateway at the moment: the call was not made.", true);
      return;
    }
    const mediaStream = await this.#copyOfMicrophone();
    if (mediaStream === undefined || this.#call !== undefined || this.#line !== line) return;
    this.#outgoing = mediaStream;
    try {
      line.call(target, { ...answerOptions(), mediaStream });
    } catch {
      this.#owner.told(`"${number}" cannot be called.`, true);
    } finally {
      this.#outgoing = undefined;
    }
  }

  /** Answers the call that rings; told twice it answers once. */
  async answer(): Promise<void> {
    const call = this.#call;
    if (call?.snapshot.phase !== "ringing") return;
    const copy = await this.#copyOfMicrophone();
    if (copy !== undefined) call.answer(copy);
  }

  reject(): void {
    this.#call?.hangUp({ code: 486, phrase: "Busy Here" });
  }

  hangUp(): void {
    this.#call?.hangUp();
  }

  mute(on: boolean): void {
    this.#call?.mute(on);
  }

  hold(on: boolean): void {
    if (this.#call?.hold(on) === false) {
      this.#owner.told(`The call cannot be ${on ? "held" : "retrieved"} at the moment. Try again.`, true);
    }
  }

  /** @returns whether the digit was sent */
  sendDigit(digit: string): boolean {
    const sent = this.#call?.sendDigit(digit) ?? false;
    if (!sent && this.#call !== undefined)
      this.#owner.told("The other end takes no digits at the moment.", true);
    return sent;
  }

  async #copyOfMicrophone(): Promise<MediaStream | undefined> {
    try {
      await this.#microphone.acquire();
      return this.#microphone.copy();
    } catch (error) {
      const text = error instanceof MicrophoneError ? inOneLine(error.problem) : String(error);
      this.#owner.told(text, true);
      return undefined;
    }
  }

  #changed(): void {
    this.#owner.changed(this.snapshot);
  }

  #onSession({ session, originator, request }: RTCSessionEvent): void {
    const by: string = originator;
    const incoming = by === "remote";
    if (incoming && this.#call !== undefined) {
      session.terminate({ status_code: 486, reason_phrase: "Busy Here" });
      this.#owner.told(`${session.remote_identity.uri.user} called and was told that you are busy.`, false);
      return;
    }
    const owner: CallOwner = {
      changed: () => this.#changed(),
      remoteSound: (stream) => this.#owner.remoteSound(stream),
      ended: (call, problem) => this.#onCallEnded(call, problem),
    };
    this.#call = new Call({
      session,
      direction: incoming ? "in" : "out",
      callId: request.getHeader("Call-ID"),
      request,
      owner,
      microphone: this.#outgoing,
    });
    this.#owner.told(`${incoming ? "Call from" : "Calling"} ${this.#call.snapshot.peer}.`, false);
    this.#changed();
  }

  #onCallEnded(call: Call, problem: string | undefined): void {
    if (this.#call !== call) return;
    this.#call = undefined;
    this.#owner.remoteSound(undefined);
    this.#owner.told(problem ?? "Call ended.", problem !== undefined);
    this.#changed();
  }

  /** SIP Server answers, holds and retrieves through us; told twice it does no more than once. */
  #onRemoteControl(kind: "talk" | "hold", callId: string): void {
    const call = this.#call;
    if (call?.callId !== callId) return;
    if (kind === "hold") call.hold(true);
    else if (call.snapshot.heldHere) call.hold(false);
    else void this.answer();
  }
}

import type { RTCSessionEvent } from "jssip/lib/UA.js";
import { answerOptions, Call, RESUME_HEADER, type CallOwner, type CallSnapshot } from "./call.ts";
import type { GatewayEvent, Messages } from "./gateway-events.ts";
import type { Ha1, KeptCall } from "./kept.ts";
import { Line, type LineOwner, type Registration, type SocketState, type Trunk } from "./line.ts";
import { MicrophoneError, type Microphone } from "../sound/microphone.ts";
import type { Credentials } from "./settings.ts";
import { inOneLine } from "./words.ts";

/** What of the phone can be shown. */
export interface PhoneSnapshot {
  readonly dn: string | undefined;
  readonly socket: SocketState;
  readonly registration: Registration;
  readonly trunk: Trunk;
  /** The call that is shown large and that the buttons act on. */
  readonly call: CallSnapshot | undefined;
  readonly otherCalls: readonly CallSnapshot[];
  readonly messages: Messages | undefined;
}

export interface PhoneOwner {
  changed(snapshot: PhoneSnapshot): void;
  /** Something to write down; a `problem` wants the person's attention. */
  told(text: string, problem: boolean): void;
  /** The far end's sound, undefined when there is none any more. */
  remoteSound(stream: MediaStream | undefined): void;
  /** A short tone for the agent alone. */
  beep(): void;
  /** The gateway refused number or password for good: nobody is signed in. */
  refused(text: string): void;
}

/** As many lines as a phone of SIP Server's has; one more call gets 486. */
const MAX_CALLS = 3;

/** The softphone: one sign-in, up to three calls. The gateway sees to it that one of them is heard. */
export class Phone {
  readonly #owner: PhoneOwner;
  readonly #microphone: Microphone;
  readonly #instance: string;
  #line: Line | undefined;
  readonly #calls: Call[] = [];
  /** The call that is shown. */
  #call: Call | undefined;
  #heard: MediaStream | undefined;
  #messages: Messages | undefined;
  /** The microphone's copy for the session that JsSIP announces within its `call`. */
  #outgoing: MediaStream | undefined;
  /** The calls of the page before, until they are taken over. */
  #kept: readonly KeptCall[];
  /** The same while JsSIP announces the session that takes it over. */
  #resuming: KeptCall | undefined;

  /**
   * @param instance this tab's `+sip.instance`, a UUID
   * @param kept the calls that the page before had in this tab
   */
  constructor(owner: PhoneOwner, microphone: Microphone, instance: string, kept: readonly KeptCall[]) {
    this.#owner = owner;
    this.#microphone = microphone;
    this.#instance = instance;
    this.#kept = kept;
  }

  /** What is to be kept of the calls over a reload, the one that is shown first. */
  get kept(): readonly KeptCall[] {
    const dn = this.#line?.dn;
    if (dn === undefined) return this.#kept;
    const calls = this.#calls.toSorted((a, b) => Number(b === this.#call) - Number(a === this.#call));
    return [...calls.flatMap((call) => call.keep(dn) ?? []), ...this.#kept];
  }

  /**
   * The page goes. Calls that a newer page can take over, or that will ring there anew, go on; others end now, so that
   * their far ends need not wait. @returns the sign-in for the newer page where there is a call to come back to
   */
  leave(): Ha1 | undefined {
    const line = this.#line;
    if (line === undefined) return undefined;
    const stays = (call: Call): boolean =>
      call.snapshot.phase === "ringing" || call.keep(line.dn) !== undefined;
    for (const call of this.#calls.slice()) if (!stays(call)) call.hangUp();
    return this.#calls.some(stays) ? line.ha1 : undefined;
  }

  get snapshot(): PhoneSnapshot {
    return {
      dn: this.#line?.dn,
      socket: this.#line?.socket ?? "idle",
      registration: this.#line?.registration ?? "none",
      trunk: this.#line?.trunk ?? { state: "unknown", reason: "" },
      call: this.#call?.snapshot,
      otherCalls: this.#calls.filter((one) => one !== this.#call).map(({ snapshot }) => snapshot),
      messages: this.#messages,
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
      registered: () => this.#onRegistered(),
      session: (event) => this.#onSession(event),
      event: (event) => this.#onEvent(event),
    };
    this.#line = new Line(credentials, this.#instance, owner);
    this.#changed();
  }

  /** Ends the call, un-registers and lets go of socket and microphone. Idempotent. */
  signOut(): void {
    const line = this.#line;
    if (line === undefined) return;
    this.#line = undefined;
    this.#messages = undefined;
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

  /** Takes the calls over that the page before had, and mends the sound of those that are. */
  #onRegistered(): void {
    for (const call of this.#calls) call.renewPath();
    const line = this.#line;
    this.#kept = this.#kept.filter(({ dn }) => dn === line?.dn);
    if (line !== undefined && this.#kept.length > 0) void this.#resume(line);
  }

  async #resume(line: Line): Promise<void> {
    for (let next = this.#kept[0]; next !== undefined; next = this.#kept[0]) {
      const mediaStream = await this.#copyOfMicrophone();
      if (this.#line !== line || this.#kept[0] !== next) return;
      this.#kept = this.#kept.slice(1);
      if (mediaStream === undefined) continue;
      const extraHeaders = [`${RESUME_HEADER}: ${next.token}`];
      this.#outgoing = mediaStream;
      this.#resuming = next;
      try {
        line.call("resume", { ...answerOptions(), mediaStream, extraHeaders });
      } finally {
        this.#outgoing = undefined;
        this.#resuming = undefined;
      }
    }
  }

  /** Answers the call that rings; told twice it answers once. */
  async answer(): Promise<void> {
    const call = this.#call;
    if (call?.snapshot.phase !== "ringing") return;
    const copy = await this.#copyOfMicrophone();
    if (copy !== undefined) call.answer(copy);
  }

  /** Shows another call: answers the one that rings, retrieves the one that is held; the gateway holds the rest. */
  switchTo(callId: string): void {
    this.#show(this.#find(callId));
    if (this.#call?.snapshot.phase === "ringing") void this.answer();
    else if (this.#call?.snapshot.heldHere === true) this.hold(false);
  }

  /** Tells the caller that nobody takes the call: the one that is shown, or another that rings beside it. */
  reject(callId?: string): void {
    const call = callId === undefined ? this.#call : this.#find(callId);
    if (call?.snapshot.phase !== "ringing") return;
    call.hangUp({ code: 486, phrase: "Busy Here" });
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
    const sound = this.#call?.sound;
    if (sound !== this.#heard) {
      this.#heard = sound;
      this.#owner.remoteSound(sound);
    }
    this.#owner.changed(this.snapshot);
  }

  #find(callId: string): Call | undefined {
    return this.#calls.find((one) => one.callId === callId);
  }

  #show(call: Call | undefined): void {
    if (call === undefined || call === this.#call) return;
    this.#call = call;
    this.#changed();
  }

  #onSession({ session, originator, request }: RTCSessionEvent): void {
    const by: string = originator;
    const incoming = by === "remote";
    if (incoming && this.#calls.length >= MAX_CALLS) {
      session.terminate({ status_code: 486, reason_phrase: "Busy Here" });
      this.#owner.told(`${session.remote_identity.uri.user} called and was told that you are busy.`, false);
      return;
    }
    const owner: CallOwner = {
      changed: () => this.#changed(),
      reachable: () => this.#line?.registration === "registered",
      ended: (call, problem) => this.#onCallEnded(call, problem),
    };
    const call = new Call({
      session,
      direction: incoming ? "in" : "out",
      callId: request.getHeader("Call-ID"),
      request,
      owner,
      microphone: this.#outgoing,
      kept: this.#resuming,
    });
    this.#calls.push(call);
    this.#call ??= call;
    const what = this.#resuming ? "Coming back to the call with" : incoming ? "Call from" : "Calling";
    this.#owner.told(`${what} ${call.snapshot.peer}.`, false);
    this.#changed();
  }

  #onCallEnded(call: Call, problem: string | undefined): void {
    const at = this.#calls.indexOf(call);
    if (at < 0) return;
    this.#calls.splice(at, 1);
    if (this.#call === call) this.#call = this.#calls.at(-1);
    this.#owner.told(problem ?? "Call ended.", problem !== undefined);
    this.#changed();
  }

  #onEvent(event: Parameters<LineOwner["event"]>[0]): void {
    if (event.kind === "messages") {
      this.#messages = event.waiting;
      return this.#changed();
    }
    const call = this.#find(event.callId);
    if (call === undefined) return;
    if (event.kind === "quality") call.setQuality(event.quality);
    else if (event.kind === "call") call.learn(event.news);
    else this.#onRemoteControl(event.kind, call);
  }

  /** SIP Server answers, holds and retrieves through us; told twice it does no more than once. */
  #onRemoteControl(
    kind: Extract<GatewayEvent, { kind: "talk" | "hold" | "beep" }>["kind"],
    call: Call,
  ): void {
    if (kind === "beep") return this.#owner.beep();
    if (kind === "hold") return call.follow(true);
    const { phase, heldHere } = call.snapshot;
    if (phase === "ringing" || heldHere) this.#show(call);
    if (phase === "ringing") void this.answer();
    else call.follow(false);
  }
}

import type { RTCSessionEvent } from "jssip/lib/UA.js";
import { Listeners } from "../../shared/listeners.ts";
import type { Microphone } from "../sound/microphone.ts";
import type { CallControl, Refusal } from "./call-control.ts";
import { Call, type CallHappening, type CallOwner } from "./call.ts";
import type { CallSnapshot } from "./call-snapshot.ts";
import type { CallEnd } from "./call-end.ts";
import { copyOf, stopTracks } from "./call-microphone.ts";
import { Calls } from "./calls.ts";
import type { GatewayEvent, Messages } from "./gateway-events.ts";
import type { Ha1, KeptCall } from "./kept.ts";
import { Line, type LineOwner, type NewLine, type SignedLine } from "./line.ts";
import { DIRECT, type IceSetup } from "./ice-setup.ts";
import { plainNumber } from "./numbers.ts";
import { Outgoing } from "./outgoing.ts";
import type { PhoneEvent } from "./phone-event.ts";
import type { PhoneSnapshot } from "./phone-snapshot.ts";
import { Resumption } from "./resumption.ts";
import type { Credentials } from "./settings.ts";
import type { Target } from "./transfer.ts";

const NO_CALL = "There is no such call.";
const UNREACHABLE =
  "No connection to the gateway at the moment. The call goes on; try again once the connection is back.";

/** The softphone: one sign-in, up to three calls. The gateway sees to it that one of them is heard. */
export class Phone implements CallControl {
  readonly #changes = new Listeners<PhoneSnapshot>();
  readonly #events = new Listeners<PhoneEvent>();
  readonly #microphone: Pick<Microphone, "acquire" | "copy" | "release">;
  readonly #newLine: NewLine;
  readonly #instance: string;
  #line: SignedLine | undefined;
  readonly #calls = new Calls();
  #heard: MediaStream | undefined;
  #messages: Messages | undefined;
  /** How calls from now on find their way to the gateway. */
  #ice: IceSetup = DIRECT;
  #registered = false;
  /** Signs out for good once the last call is over: the gateway takes the sign-in no more. */
  #giveUp: (() => void) | undefined;
  readonly #outgoing = new Outgoing();
  readonly #resumption: Resumption;

  /**
   * @param instance this tab's `+sip.instance`, a UUID
   * @param kept the calls that the page before had in this tab
   */
  constructor(
    microphone: Pick<Microphone, "acquire" | "copy" | "release">,
    instance: string,
    kept: readonly KeptCall[],
    newLine: NewLine = (...what) => new Line(...what),
  ) {
    this.#microphone = microphone;
    this.#newLine = newLine;
    this.#instance = instance;
    this.#resumption = new Resumption(kept, {
      microphone: () => copyOf(microphone),
      lasts: (line) => this.#line === line,
      resume: (line, call, copy) => this.#outgoing.resume(line, call, this.#ice, copy),
      problem: (text) => this.#notice(text, true),
    });
  }

  /** Whatever can be shown has changed. @returns forgets the listener */
  onChange(listener: (snapshot: PhoneSnapshot) => void): () => void {
    return this.#changes.add(listener);
  }

  /** @returns forgets the listener */
  onEvent(listener: (event: PhoneEvent) => void): () => void {
    return this.#events.add(listener);
  }

  /** What is to be kept of the calls over a reload, the one that is shown first. */
  get kept(): readonly KeptCall[] {
    const dn = this.#line?.dn;
    const { kept } = this.#resumption;
    return dn === undefined ? kept : [...this.#calls.keep(dn), ...kept];
  }

  get snapshot(): PhoneSnapshot {
    return {
      dn: this.#line?.dn,
      socket: this.#line?.socket ?? "idle",
      registration: this.#line?.registration ?? "none",
      trunk: this.#line?.trunk ?? { state: "unknown", reason: "" },
      call: this.#calls.shown?.snapshot,
      otherCalls: this.#calls.others,
      messages: this.#messages,
      gateway: this.#line?.gateway,
      retryAt: this.#line?.retryAt,
    };
  }

  /** What carries a call's sound, for its statistics; undefined before there is any. */
  connection(callId: string): RTCPeerConnection | undefined {
    return this.#calls.find(callId)?.connection;
  }

  /** Connects and registers, and keeps doing so until signed out. Throws when an address cannot be used. */
  signIn(credentials: Credentials): void {
    this.signOut();
    this.#line = this.#newLine(credentials, this.#instance, this.#lineOwner(credentials.dn));
    this.#changed();
  }

  #lineOwner(dn: string): LineOwner {
    return {
      changed: () => this.#changed(),
      told: (text, problem) => {
        const goesOn = problem && this.#calls.shown !== undefined && this.#line?.socket === "lost";
        this.#notice(goesOn ? `${text} The call goes on meanwhile.` : text, problem);
      },
      refused: (status, reason, final) => this.#onRefused(dn, status, reason, final),
      registered: () => this.#onRegistered(),
      session: (event) => this.#onSession(event),
      event: (event) => this.#onGatewayEvent(event),
    };
  }

  #onRefused(dn: string, status: number, reason: string, final: boolean): void {
    const tell = (): void => {
      if (final) this.signOut();
      this.#notice(reason, true);
      this.#events.tell({ kind: "registration-failed", dn, status, reason, final });
    };
    // What the gateway refuses is the sign-in; the calls are not over for that.
    if (!final || this.#calls.all.length === 0) return tell();
    this.#giveUp = tell;
    this.#notice(`${reason} The call goes on; it is signed out after it.`, true);
  }

  /** Ends the calls, un-registers and lets go of socket and microphone. Idempotent. */
  signOut(): void {
    const line = this.#line;
    if (line === undefined) return;
    this.#setRegistered(false);
    this.#line = undefined;
    this.#giveUp = undefined;
    this.#messages = undefined;
    this.#ice = DIRECT;
    line.close();
    this.#microphone.release();
    this.#changed();
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
    for (const call of this.#calls.all.slice()) if (!stays(call)) call.hangUp();
    return this.#calls.all.some(stays) ? line.ha1 : undefined;
  }

  /** Calls a number, blanks and dashes left out; the call is the one that is shown from then on. */
  async dial(number: string): Promise<Refusal> {
    const target = plainNumber(number);
    if (target === "") return "There is no number to call.";
    const line = this.#line;
    const refusal = this.#noDial(line);
    if (line === undefined || refusal !== undefined) return refusal;
    const copy = await copyOf(this.#microphone);
    if (typeof copy === "string") return copy;
    const meanwhile = this.#line === line ? this.#noDial(line) : "Signed out: the call was not made.";
    if (meanwhile !== undefined) {
      stopTracks(copy);
      return meanwhile;
    }
    try {
      this.#outgoing.dial(line, target, this.#ice, copy);
      return undefined;
    } catch {
      return `"${number}" cannot be called.`;
    }
  }

  #noDial(line: SignedLine | undefined): Refusal {
    if (line?.registration !== "registered")
      return "Not signed in at the gateway at the moment: the call was not made.";
    if (this.#calls.isFull) return "All three lines are in use. End a call first.";
    return undefined;
  }

  /** Answers a call that rings; told twice it answers once. */
  async answer(callId?: string): Promise<Refusal> {
    const call = this.#calls.find(callId);
    if (call?.snapshot.phase !== "ringing") return "No call rings.";
    const copy = await copyOf(this.#microphone);
    if (typeof copy === "string") return copy;
    this.show(call.callId);
    call.answer(copy);
    return undefined;
  }

  /** Tells the caller that nobody takes the call: the one that is shown, or another that rings beside it. */
  async reject(callId?: string): Promise<Refusal> {
    const call = this.#calls.find(callId);
    if (call?.snapshot.phase !== "ringing") return "No call rings.";
    call.hangUp({ code: 486, phrase: "Busy Here" });
    return undefined;
  }

  async hangUp(callId?: string): Promise<Refusal> {
    const call = this.#calls.find(callId);
    if (call === undefined) return NO_CALL;
    call.hangUp();
    return undefined;
  }

  async hold(callId?: string): Promise<Refusal> {
    return this.#hold(true, this.#calls.find(callId));
  }

  /** Shows the call, too; the gateway holds the others. */
  async retrieve(callId?: string): Promise<Refusal> {
    const call = this.#calls.find(callId);
    if (call !== undefined) this.show(call.callId);
    return this.#hold(false, call);
  }

  async transfer(number: string, callId?: string): Promise<Refusal> {
    const call = this.#calls.find(callId);
    const target = plainNumber(number);
    if (target === "") return "There is no number to transfer to.";
    if (call === undefined || this.#line === undefined) return NO_CALL;
    return this.#refer(call, { name: target, uri: this.#line.address(target) });
  }

  async completeTransfer(callId?: string, otherCallId?: string): Promise<Refusal> {
    const shown = this.#calls.find(callId);
    const other = this.#calls.all.findLast((one) =>
      otherCallId === undefined
        ? one !== shown && one.snapshot.phase === "talking"
        : one.callId === otherCallId,
    );
    if (shown === undefined || other === undefined || other === shown)
      return "There is no second call to connect with.";
    if (shown.snapshot.phase !== "talking") return "The other end has not answered yet.";
    return this.#refer(other, shown.asTarget);
  }

  async sendDigits(digits: string, callId?: string): Promise<Refusal> {
    const call = this.#calls.find(callId);
    if (call === undefined) return NO_CALL;
    for (const digit of digits)
      if (!call.sendDigit(digit)) return "The other end takes no digits at the moment.";
    return undefined;
  }

  mute(on: boolean, callId?: string): void {
    this.#calls.find(callId)?.mute(on);
  }

  /** Makes a call the one that is shown and that the buttons act on. */
  show(callId: string): void {
    const call = this.#calls.find(callId);
    if (call !== undefined && this.#calls.show(call)) this.#changed();
  }

  /** JsSIP ends a call whose request finds no connection, and one that the gateway does not know by this connection yet. */
  get #reachable(): boolean {
    const { socket, registration } = this.#line ?? {};
    return socket === "connected" && (registration === "registered" || registration === "failed");
  }

  #refer(call: Call, target: Target): Refusal {
    if (!this.#reachable) return UNREACHABLE;
    if (call.transfer(target)) return undefined;
    return "The call cannot be transferred at the moment.";
  }

  #hold(on: boolean, call: Call | undefined): Refusal {
    if (call === undefined) return NO_CALL;
    if (!this.#reachable) return UNREACHABLE;
    if (call.hold(on)) return undefined;
    return `The call cannot be ${on ? "held" : "retrieved"} at the moment. Try again.`;
  }

  /** Takes the calls over that the page before had, and mends the sound of those that are. */
  #onRegistered(): void {
    this.#giveUp = undefined;
    for (const call of this.#calls.all) call.renewPath();
    this.#resumption.begin(this.#line);
  }

  /** Another microphone than before: calls that have one get a copy of it. */
  microphoneChanged(): void {
    for (const call of this.#calls.all) call.useMicrophone(() => this.#microphone.copy());
  }

  #changed(): void {
    this.#setRegistered(this.#line?.registration === "registered");
    const stream = this.#calls.shown?.sound;
    if (stream !== this.#heard) {
      this.#heard = stream;
      this.#events.tell({ kind: "sound", stream });
    }
    this.#changes.tell(this.snapshot);
  }

  #setRegistered(on: boolean): void {
    const dn = this.#line?.dn;
    if (on === this.#registered || dn === undefined) return;
    this.#registered = on;
    this.#events.tell({ kind: on ? "registered" : "unregistered", dn });
  }

  #notice(text: string, problem: boolean): void {
    this.#events.tell({ kind: "notice", text, problem });
  }

  #onSession({ session, originator, request }: RTCSessionEvent): void {
    const by: string = originator;
    const incoming = by === "remote";
    if (incoming && this.#calls.isFull) {
      session.terminate({ status_code: 486, reason_phrase: "Busy Here" });
      this.#notice(`${session.remote_identity.uri.user} called and was told that you are busy.`, false);
      return;
    }
    const { microphone, kept } = this.#outgoing.begun;
    const call = new Call({
      session,
      direction: incoming ? "in" : "out",
      callId: request.getHeader("Call-ID"),
      line: this.#calls.freeLine,
      request,
      owner: this.#callOwner(),
      microphone,
      kept,
    });
    this.#calls.add(call, !incoming && kept === undefined);
    const what = kept ? "Coming back to the call with" : incoming ? "Call from" : "Calling";
    this.#notice(`${what} ${call.snapshot.peer}.`, false);
    const kind = kept ? "resumed" : incoming ? "incoming" : "calling";
    this.#events.tell({ kind, call: call.snapshot });
    this.#changed();
  }

  #callOwner(): CallOwner {
    return {
      changed: () => this.#changed(),
      reachable: () => this.#reachable,
      ice: () => this.#ice,
      happened: (about, kind) => this.#onHappened(about, kind),
      ended: (about, end) => this.#onCallEnded(about, end),
    };
  }

  #onHappened(call: Call, kind: CallHappening): void {
    const { peer, transfer, heldHere } = call.snapshot;
    if (kind === "transfer" && transfer?.state === "refused") {
      const then = heldHere ? "The call is on hold; retrieve it to go on." : "The call goes on.";
      this.#notice(`${peer} was not transferred to ${transfer.to}: ${transfer.reason} ${then}`, true);
    }
    this.#events.tell({ kind, call: call.snapshot });
  }

  #onCallEnded(call: Call, { problem, status, by, answered, elsewhere }: CallEnd): void {
    if (!this.#calls.remove(call)) return;
    if (call.again !== undefined && this.#line !== undefined) {
      this.#resumption.again(call.again);
      return this.#changed();
    }
    const about = call.snapshot;
    this.#notice(problem ?? endText(about, elsewhere), problem !== undefined);
    if (answered || problem === undefined)
      this.#events.tell({ kind: "ended", call: about, by, reason: problem, elsewhere });
    else this.#events.tell({ kind: "failed", call: about, status, reason: problem });
    if (this.#calls.all.length === 0) this.#giveUp?.();
    this.#changed();
  }

  #onGatewayEvent(event: Parameters<LineOwner["event"]>[0]): void {
    if (event.kind === "messages") {
      this.#messages = event.waiting;
      return this.#changed();
    }
    if (event.kind === "turn") {
      this.#ice = event.ice;
      return;
    }
    const call = this.#calls.find(event.callId);
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
    if (kind === "beep") return this.#events.tell({ kind: "beep" });
    if (kind === "hold") return call.follow(true);
    const { phase, heldHere } = call.snapshot;
    if (phase === "ringing" || heldHere) this.show(call.callId);
    if (phase === "ringing") void this.#answerNow(call);
    else call.follow(false);
  }

  async #answerNow({ callId }: Call): Promise<void> {
    const refusal = await this.answer(callId);
    if (refusal !== undefined) this.#notice(refusal, true);
  }
}

function endText({ peer, transfer }: CallSnapshot, elsewhere: boolean): string {
  if (elsewhere) return `The call from ${peer} was answered by another phone.`;
  if (transfer === undefined || transfer.state === "refused") return "Call ended.";
  return `${peer} was transferred to ${transfer.to}.`;
}

import { C } from "jssip";
import type { EndEvent, RTCSession } from "jssip/lib/RTCSession.js";
import {
  assertedPeer,
  callerOf,
  callerData,
  headerLines,
  headerOf,
  withChanges,
  type HeaderLine,
} from "./caller-data.ts";
import { callEnd, type CallEnd } from "./call-end.ts";
import { CallMicrophone, stopTracks } from "./call-microphone.ts";
import { CallHold, comeBackHeld } from "./call-hold.ts";
import { callOptions } from "./call-options.ts";
import { CallPath } from "./call-path.ts";
import type { CallSnapshot, Phase } from "./call-snapshot.ts";
import type { CallNews, Quality } from "./gateway-events.ts";
import type { IceSetup } from "./ice-setup.ts";
import type { KeptCall } from "./kept.ts";
import { refer, type Target, type Transfer } from "./transfer.ts";

/** Carries the call's token, to the page and from it. */
export const RESUME_HEADER = "X-Jackfield-Resume";

export type CallHappening =
  "progress" | "accepted" | "muted" | "unmuted" | "held" | "retrieved" | "transfer" | "changed" | "quality";

export interface CallOwner {
  changed(): void;
  /** Whether the gateway can be told something. */
  reachable(): boolean;
  /** How the call is to find its way to the gateway. */
  ice(): IceSetup;
  happened(call: Call, what: CallHappening): void;
  ended(call: Call, end: CallEnd): void;
}

const SHOWN_DIGITS = 24;

export interface CallParts {
  readonly session: RTCSession;
  readonly direction: "in" | "out";
  readonly callId: string;
  readonly line: number;
  /** The INVITE, as JsSIP has it. */
  readonly request: object;
  readonly owner: CallOwner;
  /** The microphone's copy for this call, undefined while it is not answered. */
  readonly microphone: MediaStream | undefined;
  /** The call of the page before, which this session takes over. */
  readonly kept?: KeptCall | undefined;
}

/** One call: a JsSIP session and what is known of it. */
export class Call {
  readonly callId: string;
  readonly direction: "in" | "out";
  readonly line: number;
  /** What takes the call over in another attempt, where the connection was lost in this one. */
  again: KeptCall | undefined;
  readonly #session: RTCSession;
  readonly #owner: CallOwner;
  #peer: string;
  /** What SIP Server told of the call so far. */
  #lines: readonly HeaderLine[];
  readonly #kept: KeptCall | undefined;
  /** Who called whom; of a call taken over not the same as who began the session. */
  readonly #shown: "in" | "out";
  readonly #path: CallPath;
  readonly #hold: CallHold;
  /** Why it ended here without a try, in words. */
  #hopeless: string | undefined;
  /** By which a newer page can take the call over. */
  #token: string | undefined;
  readonly #microphone: CallMicrophone;
  #phase: Phase;
  #earlyMedia = false;
  #since: number | undefined;
  #quality: Quality | undefined;
  #farRings = false;
  #digits = "";
  #transfer: Transfer | undefined;
  readonly #began: number;
  #sound: MediaStream | undefined;

  constructor({ session, direction, callId, line, request, owner, microphone, kept }: CallParts) {
    this.callId = callId;
    this.line = line;
    this.#began = kept?.since ?? Date.now();
    this.direction = direction;
    this.#session = session;
    this.#owner = owner;
    this.#microphone = new CallMicrophone(session, microphone);
    this.#kept = kept;
    this.#shown = kept?.direction ?? direction;
    this.#phase = kept ? "resuming" : direction === "in" ? "ringing" : "calling";
    this.#token = direction === "in" ? headerOf(request, RESUME_HEADER) : undefined;
    this.#lines = kept?.lines ?? (direction === "in" ? headerLines(request) : []);
    const { display_name: name, uri } = session.remote_identity;
    this.#peer = kept?.peer ?? callerOf(this.#lines, { name: name ?? "", number: uri.user });
    if (kept?.muted === true) this.#microphone.beginMuted();
    this.#hold = new CallHold(session, () => owner.changed());
    this.#path = new CallPath(session, {
      talks: () => this.#phase === "talking",
      reachable: () => owner.reachable(),
      ice: () => owner.ice(),
      hopeless: (why) => this.#giveUp(why),
    });
    this.#listen();
  }

  get snapshot(): CallSnapshot {
    const held = this.#session.isOnHold();
    return {
      callId: this.callId,
      direction: this.#shown,
      phase: this.#phase,
      line: this.line,
      peer: this.#peer,
      // Of what is shown: a transfer on SIP Server's side changes it.
      number: /\(([^()]*)\)$/.exec(this.#peer)?.[1] ?? this.#peer,
      began: this.#began,
      data: callerData(this.#lines),
      muted: this.#session.isMuted().audio === true,
      heldHere:
        this.#hold.wanted ?? (held.local || (this.#phase === "resuming" && this.#kept?.held === true)),
      heldThere: held.remote,
      earlyMedia: this.#earlyMedia,
      farRings: this.#farRings,
      digits: this.#digits,
      transfer: this.#transfer,
      since: this.#since,
      quality: this.#quality,
    };
  }

  /** The far end's sound, undefined before there is any. */
  get sound(): MediaStream | undefined {
    return this.#sound;
  }

  /** What carries the sound, for its statistics. */
  get connection(): RTCPeerConnection | undefined {
    // Until the call is answered there is none, other than JsSIP's types say.
    return this.#session.connection ?? undefined;
  }

  /** What the gateway tells of the call: who is at the other end now, other data of it. */
  learn({ changed, farRings }: CallNews): void {
    this.#lines = withChanges(this.#lines, changed);
    this.#peer = assertedPeer(changed) ?? this.#peer;
    this.#farRings = farRings ?? this.#farRings;
    this.#owner.happened(this, "changed");
    this.#owner.changed();
  }

  /** What a newer page of this tab needs to take the call over; undefined while it could not. */
  keep(dn: string): KeptCall | undefined {
    const { heldHere: held, muted, direction, peer, since } = this.snapshot;
    if (this.#phase === "resuming") return this.#kept;
    if (this.#phase !== "talking" || this.#token === undefined || since === undefined) return undefined;
    return { dn, token: this.#token, direction, peer, lines: this.#lines, since, held, muted };
  }

  /** The gateway can be reached again: a path that broke meanwhile is renewed, an offer that was lost is made anew. */
  renewPath(): void {
    this.#path.renew();
  }

  setQuality(quality: Quality | undefined): void {
    this.#quality = quality;
    this.#owner.happened(this, "quality");
    this.#owner.changed();
  }

  /** Answers once; later calls do nothing. @param microphone this call's own copy */
  answer(microphone: MediaStream): void {
    if (this.#phase !== "ringing") {
      stopTracks(microphone);
      return;
    }
    this.#microphone.begin(microphone);
    this.#move("answering");
    this.#session.answer({ ...callOptions(this.#owner.ice()), mediaStream: microphone });
  }

  /** Sends another microphone's sound from now on. @param copy makes this call's own copy */
  useMicrophone(copy: () => MediaStream | undefined): void {
    this.#microphone.change(copy);
  }

  hangUp(status?: { readonly code: number; readonly phrase: string }): void {
    if (this.#session.isEnded()) return;
    this.#session.terminate(status && { status_code: status.code, reason_phrase: status.phrase });
  }

  /** A call that is not answered has no sound yet that could be muted. */
  mute(on: boolean): void {
    if (this.#phase !== "talking") return;
    if (on) this.#session.mute({ audio: true });
    else this.#session.unmute({ audio: true });
  }

  /** @returns false when it cannot be done at the moment: not answered yet, or a change is under way */
  hold(on: boolean): boolean {
    return this.#hold.put(on);
  }

  /** SIP Server's remote control: done as soon as it can be. The gateway has held the sound already. */
  follow(on: boolean): void {
    this.#hold.follow(on);
  }

  /** As the target of another call's transfer. */
  get asTarget(): Target {
    const uri = this.#session.remote_identity.uri.toString();
    return { name: this.#peer, uri, replaces: this.#session };
  }

  /** Refers the far party elsewhere; the call goes on until SIP Server ends it. @returns false when it cannot be now */
  transfer(target: Target): boolean {
    const state = this.#transfer?.state;
    if (this.#phase !== "talking" || state === "offered" || state === "trying") return false;
    refer(this.#session, target, (now) => {
      this.#transfer = now;
      this.#owner.happened(this, "transfer");
      this.#owner.changed();
    });
    return true;
  }

  /** @returns false when the far end takes no digits */
  sendDigit(digit: string): boolean {
    if (this.#phase !== "talking") return false;
    try {
      this.#session.sendDTMF(digit, {
        transportType: C.DTMF_TRANSPORT.RFC2833,
        duration: 120,
        interToneGap: 70,
      });
      this.#digits = (this.#digits + digit).slice(-SHOWN_DIGITS);
      this.#owner.changed();
      return true;
    } catch {
      return false;
    }
  }

  #move(phase: Phase): void {
    this.#phase = phase;
    this.#owner.changed();
  }

  #listen(): void {
    const session = this.#session;
    session.on("peerconnection", ({ peerconnection }) => {
      this.#watch(peerconnection);
      this.#owner.changed();
    });
    // An outgoing session has its connection before anybody can listen.
    if (this.direction === "out") this.#watch(session.connection);
    // The gateway is ICE-lite and answers where our checks come from: one candidate is enough, none need be waited for.
    session.on("icecandidate", ({ ready }) => ready());
    session.on("progress", (event: object) => {
      if (this.direction === "in" || this.#kept !== undefined) return;
      const response: unknown = Reflect.get(event, "response");
      this.#takeResponse(response);
      this.#earlyMedia ||=
        typeof response === "object" && response !== null && Boolean(Reflect.get(response, "body"));
      const first = this.#phase !== "alerting";
      this.#move("alerting");
      if (first) this.#owner.happened(this, "progress");
    });
    session.on("accepted", (event: object) => {
      const response: unknown = Reflect.get(event, "response");
      if (this.direction === "out") this.#takeResponse(response);
      this.#since ??= this.#kept?.since ?? Date.now();
      if (response instanceof Object) this.#token = headerOf(response, RESUME_HEADER) ?? this.#token;
      this.#move("talking");
      this.#owner.happened(this, "accepted");
    });
    if (this.#kept?.held === true) comeBackHeld(session, () => this.#phase === "resuming");
    session.on("hold", ({ originator }) => this.#onSwitch(originator, "held"));
    session.on("unhold", ({ originator }) => this.#onSwitch(originator, "retrieved"));
    for (const event of ["muted", "unmuted"] as const)
      session.on(event, () => this.#onSwitch("local", event));
    for (const event of ["ended", "failed"] as const) session.on(event, (end) => this.#end(end));
  }

  #onSwitch(by: string, what: CallHappening): void {
    this.#owner.changed();
    if (by === "local") this.#owner.happened(this, what);
  }

  /** What the far side's answer says of it: the number that was dialled stays in the title. */
  #takeResponse(response: unknown): void {
    if (typeof response !== "object" || response === null) return;
    this.#lines = withChanges(this.#lines, headerLines(response));
  }

  #watch(connection: RTCPeerConnection): void {
    this.#path.watch(connection);
    connection.addEventListener("track", ({ streams, track }) => {
      this.#sound = streams[0] ?? new MediaStream([track]);
      this.#owner.changed();
    });
  }

  /** Where it rings SIP Server may try another agent. */
  #giveUp(why: string): void {
    this.#hopeless = why;
    this.hangUp({ code: 480, phrase: "No Way For The Sound" });
  }

  #end(event: EndEvent): void {
    this.again = this.#phase === "resuming" && this.#path.requestLost ? this.#kept : undefined;
    this.#phase = "ended";
    this.#path.close();
    this.#microphone.stop();
    const end = callEnd(event, this.#since !== undefined);
    this.#owner.ended(this, { ...end, problem: this.#hopeless ?? end.problem });
  }
}

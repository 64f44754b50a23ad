import type { CallAct, CallControl, Refusal } from "../phone/call-control.ts";
import type { CallerDatum } from "../phone/caller-data.ts";
import { GwsError } from "./http.ts";
import type { GwsCall } from "./messages.ts";
import type { After, GwsSession } from "./session.ts";
import { gwsProblem } from "./words.ts";

const OPERATIONS: Readonly<Record<CallAct, readonly string[]>> = {
  hold: ["Hold"],
  retrieve: ["Retrieve", "SwapCalls"],
  transfer: ["SingleStepTransfer", "InitiateTransfer", "CompleteTransfer"],
  sendDigits: ["SendDtmf"],
};

/** What is known of a call by SIP. */
export interface SipCall {
  readonly callId: string;
  readonly phase: string;
  readonly heldHere: boolean;
  readonly data: readonly CallerDatum[];
}

/** The phone: it shows its calls, and does by SIP what GWS cannot. */
export interface SipPhone extends CallControl {
  readonly snapshot: { readonly call: SipCall | undefined; readonly otherCalls: readonly SipCall[] };
}

export type Tell = (text: string, problem: boolean) => void;

/** An event of GWS's may come after the INVITE; a person is not kept waiting for it longer. */
const MEET_MS = 1500;
const MEET_STEP_MS = 100;
/** What GWS has accepted shows in SIP by then, or the phone does it itself. */
const EFFECT_MS = 4000;
const EFFECT_STEP_MS = 200;

/** An act that GWS accepted and whose effect is waited for. */
interface Pending {
  /** Does it by SIP now. */
  readonly fallBack: () => void;
  /** Another act has taken its place, or its effect is there. */
  readonly settle: () => void;
}

/** The `X-Genesys-CallUUID` of a SIP call, which is its id at GWS; undefined where SIP Server gave none. */
export function callUuidOf(call: SipCall | undefined): string | undefined {
  return call?.data.find(({ label }) => label === "Call UUID")?.value;
}

/**
 * Calls controlled through GWS, so that Workspace and all that follows GWS stay in step. What GWS does not know, refuses
 * or leaves undone, the phone does by SIP: SIP Server tells GWS of that as well.
 */
export class GwsControl implements CallControl {
  readonly #session: GwsSession;
  readonly #phone: SipPhone;
  readonly #tell: Tell;
  readonly #after: After;
  /** By Call-ID: a newer act on a call takes the place of the one before. */
  readonly #pending = new Map<string, Pending>();
  /** Digits go out one after the other. */
  #digits: Promise<unknown> = Promise.resolve();

  constructor(session: GwsSession, phone: SipPhone, tell: Tell, after: After) {
    this.#session = session;
    this.#phone = phone;
    this.#tell = tell;
    this.#after = after;
    session.onError((text) => this.#onError(text));
  }

  /** A number while another call runs is a consult call: only such can be transferred to (InitiateTransfer). */
  async dial(number: string): Promise<Refusal> {
    const target = number.replaceAll(/[\s()/-]/g, "");
    if (!this.#on || target === "") return await this.#phone.dial(number);
    const first = this.#all.map((call) => this.#known(call)).find((call) => can(call, "InitiateTransfer"));
    const destination = { phoneNumber: target };
    return await this.#once(
      () =>
        first === undefined
          ? this.#session.dial(target)
          : this.#session.operate(first.id, "InitiateTransfer", { destination }),
      () => this.#phone.dial(number),
      "The call may still come.",
    );
  }

  async answer(callId?: string): Promise<Refusal> {
    const call = this.#find(callId);
    const sip = (): Promise<Refusal> => this.#phone.answer(callId);
    if (call?.phase !== "ringing" || !this.#on) return await sip();
    const known = await this.#meet(call, "Answer");
    const rings = (): boolean => this.#find(call.callId)?.phase === "ringing";
    // SIP Server's talk was faster, or the caller has given up.
    if (!rings()) return undefined;
    return await this.#act(call.callId, known, "Answer", sip, () => !rings());
  }

  /** GWS has no word for it. */
  async reject(callId?: string): Promise<Refusal> {
    return await this.#phone.reject(callId);
  }

  async hangUp(callId?: string): Promise<Refusal> {
    const call = this.#find(callId);
    const sip = (): Promise<Refusal> => this.#phone.hangUp(callId);
    const gone = (): boolean => call === undefined || this.#find(call.callId) === undefined;
    return await this.#act(call?.callId ?? "", this.#known(call), "Hangup", sip, gone);
  }

  async hold(callId?: string): Promise<Refusal> {
    const call = this.#find(callId);
    const sip = (): Promise<Refusal> => this.#phone.hold(callId);
    return await this.#act(call?.callId ?? "", this.#known(call), "Hold", sip, () =>
      this.#heldOrGone(call, true),
    );
  }

  /** During a consultation GWS takes SwapCalls in its place. */
  async retrieve(callId?: string): Promise<Refusal> {
    const call = this.#find(callId);
    const sip = (): Promise<Refusal> => this.#phone.retrieve(callId);
    const known = this.#known(call);
    const operation = can(known, "Retrieve") ? "Retrieve" : "SwapCalls";
    return await this.#act(call?.callId ?? "", known, operation, sip, () => this.#heldOrGone(call, false));
  }

  async transfer(number: string, callId?: string): Promise<Refusal> {
    const known = this.#known(this.#find(callId));
    const sip = (): Promise<Refusal> => this.#phone.transfer(number, callId);
    if (!can(known, "SingleStepTransfer")) return await sip();
    const destination = { phoneNumber: number.replaceAll(/[\s()/-]/g, "") };
    const operate = (): Promise<void> =>
      this.#session.operate(known.id, "SingleStepTransfer", { destination });
    return await this.#once(operate, sip, "The transfer may still come about.");
  }

  async completeTransfer(callId?: string, otherCallId?: string): Promise<Refusal> {
    const calls = callId === undefined ? this.#all : [this.#find(callId), this.#find(otherCallId)];
    const known = calls.map((call) => this.#known(call)).find((call) => can(call, "CompleteTransfer"));
    const sip = (): Promise<Refusal> => this.#phone.completeTransfer(callId, otherCallId);
    if (known === undefined) return await sip();
    const operate = (): Promise<void> => this.#session.operate(known.id, "CompleteTransfer");
    return await this.#once(operate, sip, "The transfer may still come about.");
  }

  async sendDigits(digits: string, callId?: string): Promise<Refusal> {
    const known = this.#known(this.#find(callId));
    const sip = (): Promise<Refusal> => this.#phone.sendDigits(digits, callId);
    if (!can(known, "SendDtmf")) return await sip();
    const body = { [this.#session.settings.dtmfField]: digits };
    const operate = (): Promise<void> => this.#session.operate(known.id, "SendDtmf", body);
    const done = this.#digits.then(() => this.#once(operate, sip, "The digits may have been sent."));
    this.#digits = done;
    return await done;
  }

  /** By the call's capabilities, as long as GWS tells them. */
  allows(act: CallAct, callId: string): boolean {
    const known = this.#session.snapshot.live ? this.#known(this.#find(callId)) : undefined;
    return known === undefined || OPERATIONS[act].some((operation) => can(known, operation));
  }

  get #on(): boolean {
    return this.#session.snapshot.stage === "active";
  }

  /** The one that is shown first. */
  get #all(): readonly SipCall[] {
    const { call, otherCalls } = this.#phone.snapshot;
    return call === undefined ? otherCalls : [call, ...otherCalls];
  }

  #find(callId?: string): SipCall | undefined {
    return callId === undefined
      ? this.#phone.snapshot.call
      : this.#all.find((call) => call.callId === callId);
  }

  /** The call as GWS has it; undefined where it has none, or GWS is not to be asked. */
  #known(call: SipCall | undefined): GwsCall | undefined {
    const uuid = this.#on ? callUuidOf(call) : undefined;
    return uuid === undefined ? undefined : this.#session.find(uuid);
  }

  #heldOrGone(call: SipCall | undefined, held: boolean): boolean {
    const now = call && this.#find(call.callId);
    return now === undefined || now.heldHere === held;
  }

  /** No order between SIP and GWS is guaranteed: waits a moment for the call to be known there too. */
  async #meet(call: SipCall, operation: string): Promise<GwsCall | undefined> {
    for (let waited = 0; waited < MEET_MS && callUuidOf(call) !== undefined; waited += MEET_STEP_MS) {
      const known = this.#known(call);
      if (can(known, operation) || this.#find(call.callId)?.phase !== "ringing") return known;
      await new Promise<void>((resolve) => void this.#after(MEET_STEP_MS, resolve));
    }
    return this.#known(call);
  }

  /** What may be done twice without harm: done by SIP as well when nothing comes of it. */
  async #act(
    callId: string,
    known: GwsCall | undefined,
    operation: string,
    sip: () => Promise<Refusal>,
    seen: () => boolean,
  ): Promise<Refusal> {
    this.#pending.get(callId)?.settle();
    if (!can(known, operation)) return await sip();
    try {
      await this.#session.operate(known.id, operation);
    } catch (error) {
      if (seen()) return undefined;
      this.#tell(`${gwsProblem(error)} The phone does it by itself.`, true);
      return await sip();
    }
    this.#await(callId, sip, seen);
    return undefined;
  }

  #await(callId: string, sip: () => Promise<Refusal>, seen: () => boolean): void {
    let takeBack = (): void => {};
    let waited = 0;
    const settle = (): void => {
      takeBack();
      if (this.#pending.get(callId) === pending) this.#pending.delete(callId);
    };
    const fallBack = (): void => {
      settle();
      if (seen()) return;
      this.#tell("GWS took the order, but nothing came of it. The phone does it by itself.", true);
      sip().then(
        (refusal) => refusal !== undefined && this.#tell(refusal, true),
        (error: unknown) => this.#tell(`That did not work (${String(error)}).`, true),
      );
    };
    const look = (): void => {
      if (seen()) return settle();
      if (waited >= EFFECT_MS) return fallBack();
      waited += EFFECT_STEP_MS;
      takeBack = this.#after(EFFECT_STEP_MS, look);
    };
    const pending: Pending = { fallBack, settle };
    this.#pending.get(callId)?.settle();
    this.#pending.set(callId, pending);
    look();
  }

  /** What must not be done twice: by SIP only where GWS has surely not done it. */
  async #once(operate: () => Promise<void>, sip: () => Promise<Refusal>, perhaps: string): Promise<Refusal> {
    try {
      await operate();
      return undefined;
    } catch (error) {
      if (error instanceof GwsError && error.kind === "silent") return `${gwsProblem(error)} ${perhaps}`;
      this.#tell(`${gwsProblem(error)} The phone does it by itself.`, true);
      return await sip();
    }
  }

  /** It names no call: what still waits for its effect is what did not work. */
  #onError(text: string): void {
    this.#tell(`GWS says that it did not work: ${text}`, true);
    for (const { fallBack } of this.#pending.values()) fallBack();
  }
}

function can(call: GwsCall | undefined, operation: string): call is GwsCall {
  return call?.capabilities.includes(operation) === true;
}

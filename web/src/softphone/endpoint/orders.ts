import type { Refusal } from "../phone/call-control.ts";
import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
import type { TokenSignIn } from "../phone/sign-in-token.ts";
import { SIGN_IN_BESIDE_CALL } from "../phone/words.ts";
import type { Phone } from "../phone/phone.ts";
import type { Order, Result, SoundChange, Work } from "./wire.ts";

/** What orders act on. */
export interface Carrier {
  readonly phone: Pick<
    Phone,
    "snapshot" | "dial" | "answer" | "reject" | "hangUp" | "hold" | "retrieve" | "sendDigits"
  >;
  signIn(by: TokenSignIn): Promise<Refusal>;
  /** Also where nobody is signed in. */
  signOut(): void;
  setMicrophone(change: SoundChange): void;
  setSpeaker(change: SoundChange): void;
  setOptions(wanted: Extract<Work, { order: "options" }>["wanted"]): void;
}

const UNKNOWN = "This page does not know that order. Reload it.";
/** The gateway keeps no more of a reason. */
const LONGEST_REASON = 200;

/** Never rejects. */
export async function carryOut(carrier: Carrier, { id, work }: Order): Promise<Result> {
  let refusal: Refusal;
  try {
    refusal = work === undefined ? UNKNOWN : await obey(carrier, work);
  } catch {
    // What went wrong inside may name what it was done with.
    refusal = "The page could not do this.";
  }
  return refusal === undefined
    ? { id, ok: true }
    : { id, ok: false, reason: refusal.slice(0, LONGEST_REASON) };
}

async function obey(carrier: Carrier, work: Work): Promise<Refusal> {
  switch (work.order) {
    case "sign-in":
      return await signIn(carrier, work.credentials);
    case "sign-out":
      carrier.signOut();
      return undefined;
    case "sound":
      if (work.microphone !== undefined) carrier.setMicrophone(work.microphone);
      if (work.speaker !== undefined) carrier.setSpeaker(work.speaker);
      return undefined;
    case "options":
      carrier.setOptions(work.wanted);
      return undefined;
    case "call":
  }
  return await onCall(carrier.phone, work);
}

/** Comes again with each connection: what is signed in, or about to be, is left alone, and its calls with it. */
async function signIn(carrier: Carrier, by: TokenSignIn): Promise<Refusal> {
  const { dn, call, registration, retryAt } = carrier.phone.snapshot;
  const refused = registration === "failed" && retryAt === undefined;
  if (dn === by.dn && !refused) return undefined;
  if (call !== undefined) return SIGN_IN_BESIDE_CALL;
  return await carrier.signIn(by);
}

async function onCall(
  phone: Carrier["phone"],
  { act, number, digits }: Extract<Work, { order: "call" }>,
): Promise<Refusal> {
  switch (act) {
    case "make":
      return await phone.dial(number);
    case "answer":
      return await phone.answer(ringing(phone.snapshot));
    case "hang-up":
      return phone.snapshot.call?.phase === "ringing" ? await phone.reject() : await phone.hangUp();
    case "hold":
      return await phone.hold();
    case "retrieve":
      return await phone.retrieve();
    case "dtmf":
  }
  return await phone.sendDigits(digits);
}

/** A call that rings beside the one that is shown is the one to answer. */
function ringing({ call, otherCalls }: PhoneSnapshot): string | undefined {
  return [call, ...otherCalls].find((one) => one?.phase === "ringing")?.callId;
}

/** Why something could not be done, in words for a person; undefined when it is done or under way. */
export type Refusal = string | undefined;

/**
 * What a person or an embedding page does with calls. `Phone` does it by SIP; a desktop's server may do it in its place.
 * Without `callId` the call that is shown is meant. None of these throws; what comes of them later is told as events.
 */
export interface CallControl {
  dial(number: string): Promise<Refusal>;
  answer(callId?: string): Promise<Refusal>;
  reject(callId?: string): Promise<Refusal>;
  hangUp(callId?: string): Promise<Refusal>;
  hold(callId?: string): Promise<Refusal>;
  retrieve(callId?: string): Promise<Refusal>;
  /** Blind: the far party is sent to another number. */
  transfer(number: string, callId?: string): Promise<Refusal>;
  /** Attended: the far parties of the two calls are connected. Without a second call: the shown one and the other one. */
  completeTransfer(callId?: string, otherCallId?: string): Promise<Refusal>;
  /** @param digits 0 to 9, * and # */
  sendDigits(digits: string, callId?: string): Promise<Refusal>;
  /** Whether it can be done to this call now, where somebody else says so; left out: the person may try. */
  allows?(act: CallAct, callId: string): boolean;
}

export type CallAct = "hold" | "retrieve" | "transfer" | "sendDigits";

const ELSEWHERE = "This page has the sound only. Calls are controlled in the desktop.";
const elsewhere = async (): Promise<Refusal> => ELSEWHERE;

/** Of audio-only mode: SIP Server controls the calls, by the desktop's orders. */
export const NO_CONTROL: CallControl = {
  dial: elsewhere,
  answer: elsewhere,
  reject: elsewhere,
  hangUp: elsewhere,
  hold: elsewhere,
  retrieve: elsewhere,
  transfer: elsewhere,
  completeTransfer: elsewhere,
  sendDigits: elsewhere,
};

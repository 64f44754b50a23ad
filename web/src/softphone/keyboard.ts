import type { Softphone } from "./softphone.ts";

/** What a key does wherever the focus is. */
export type KeyAct =
  | "answer"
  | "hang-up"
  | "hold"
  | "mute"
  | "keypad"
  | "transfer"
  | "complete"
  | "dial"
  | "line-1"
  | "line-2"
  | "line-3"
  | "help";

export interface Shortcut {
  readonly act: KeyAct;
  /** With Alt (Option). */
  readonly key: string;
  readonly what: string;
}

/** Only with Alt: what is typed, and what a screen reader reads by, stays theirs. */
export const SHORTCUTS: readonly Shortcut[] = [
  { act: "answer", key: "A", what: "Answer the call that rings" },
  { act: "hang-up", key: "X", what: "Hang up, or reject the call that rings" },
  { act: "hold", key: "H", what: "Hold or retrieve" },
  { act: "mute", key: "M", what: "Mute or unmute" },
  { act: "keypad", key: "K", what: "Keypad" },
  { act: "transfer", key: "T", what: "Transfer" },
  { act: "complete", key: "C", what: "Complete the transfer: connect the two calls" },
  { act: "dial", key: "N", what: "Number to call" },
  { act: "line-1", key: "1", what: "Line 1" },
  { act: "line-2", key: "2", what: "Line 2" },
  { act: "line-3", key: "3", what: "Line 3" },
  { act: "help", key: "/", what: "This list" },
];

/** The part of a KeyboardEvent that is read here. */
export interface Key {
  readonly key: string;
  readonly code: string;
  readonly altKey: boolean;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly shiftKey: boolean;
  readonly repeat: boolean;
}

/**
 * What a key press asks for.
 * @param typing the focus is where text is typed
 * @param apple Option types characters there, so that none is taken while somebody types
 */
export function actOf(event: Key, typing: boolean, apple: boolean): KeyAct | undefined {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.repeat || (typing && apple)) return undefined;
  // Digits by their place, since some layouts have them behind Shift; letters as the layout has them where it says so.
  const place =
    /^Digit(\d)$/.exec(event.code)?.[1] ?? (apple ? /^Key(\w)$/.exec(event.code)?.[1] : undefined);
  const wanted = (place ?? (event.code === "Slash" ? "/" : event.key)).toUpperCase();
  if (event.shiftKey && place === undefined && wanted !== "/") return undefined;
  return SHORTCUTS.find(({ key }) => key === wanted)?.act;
}

/** A digit of the keypad that was typed on the keyboard. */
export function toneOfKey(event: Key): string | undefined {
  if (event.altKey || event.ctrlKey || event.metaKey || event.repeat) return undefined;
  return /^[0-9*#]$/.test(event.key) ? event.key : undefined;
}

/** Does what the key asks for, where there is something to be done. */
export function perform(act: KeyAct, softphone: Softphone): void {
  const { control, snapshot } = softphone;
  const { call, otherCalls, ui, dn } = snapshot;
  const talking = call?.phase === "talking";
  const line = /^line-(\d)$/.exec(act)?.[1];
  if (act === "help") softphone.set({ help: !ui.help });
  else if (dn === undefined) return;
  else if (line !== undefined) {
    const other = otherCalls.find((one) => one.line === Number(line));
    if (other !== undefined) softphone.switchTo(other.callId);
  } else if (act === "answer") {
    const rings = [call, ...otherCalls].find((one) => one?.phase === "ringing");
    if (rings !== undefined) softphone.act(control.answer(rings.callId));
  } else if (act === "dial") {
    if (call === undefined) softphone.focusNumber();
    else softphone.toggle("dial");
  } else if (call === undefined) return;
  else if (act === "hang-up") {
    softphone.act(call.phase === "ringing" ? control.reject(call.callId) : control.hangUp(call.callId));
  } else if (!talking) return;
  else if (act === "hold")
    softphone.act(call.heldHere ? control.retrieve(call.callId) : control.hold(call.callId));
  else if (act === "mute") softphone.phone.mute(!call.muted, call.callId);
  else if (act === "complete") softphone.act(control.completeTransfer(call.callId));
  else if (act === "keypad" || act === "transfer") softphone.toggle(act);
}

/** Listens to the whole page's keys. */
export function listenToKeys(softphone: Softphone): void {
  const apple = /Mac|iP(?:hone|ad)/.test(navigator.userAgent);
  document.addEventListener("keydown", (event) => {
    const typing =
      event.target instanceof HTMLElement && event.target.closest("input, textarea, select") !== null;
    // Calls are controlled elsewhere then.
    const here = softphone.mode === "phone";
    const act = here ? actOf(event, typing, apple) : undefined;
    if (act !== undefined) {
      event.preventDefault();
      return perform(act, softphone);
    }
    const { call, ui } = softphone.snapshot;
    const digit = here ? toneOfKey(event) : undefined;
    if (digit !== undefined && !typing && call?.phase === "talking" && !ui.help)
      softphone.act(softphone.control.sendDigits(digit, call.callId));
    if (event.key === "Escape" && !ui.help) softphone.set({ tool: "none", sheet: "none", asked: undefined });
  });
}

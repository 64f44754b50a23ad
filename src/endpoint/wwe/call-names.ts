import type { CallAct, PageWork } from "../contract.ts";
import { fieldOf } from "./fields.ts";

/** A command of our own for the call; WWE sends none (wwe-endpoint-and-gws-api.md A6). */
export interface CallCommand {
  readonly name: string;
  readonly act: CallAct;
}

export const callCommands: readonly CallCommand[] = [
  { name: "MakeCall", act: "make" },
  { name: "AnswerCall", act: "answer" },
  { name: "HangUp", act: "hang-up" },
  { name: "Hold", act: "hold" },
  { name: "Retrieve", act: "retrieve" },
  { name: "SendDTMF", act: "dtmf" },
];

const dialled = /^[\w.+*#@-]{1,64}$/;
const tones = /^[\dA-Da-d*#]{1,64}$/;

/** Undefined: the body lacks what the act needs. */
export function callWork({ act }: CallCommand, body: unknown): PageWork | undefined {
  if (act === "make") {
    const number = textOf(fieldOf(body, "number"));
    return dialled.test(number) ? { order: "call", act, number } : undefined;
  }
  if (act !== "dtmf") return { order: "call", act };
  const digits = textOf(fieldOf(body, "digits"));
  return tones.test(digits) ? { order: "call", act, digits: digits.toUpperCase() } : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "number" ? String(value) : typeof value === "string" ? value : "";
}

import { member, numberOf, parseJson, textOf } from "../../shared/json.ts";
import { signInOf, type TokenSignIn } from "../phone/sign-in-token.ts";

/** What gateway and page say to each other at `endpoint/...`: the page's side of src/endpoint/contract.ts. */

/** Name of the page's key behind `#`. */
export const PAGE_KEY = "endpoint";

/** Of a microphone or a speaker; what is not named stays. */
export interface SoundChange {
  readonly muted?: boolean;
  /** 0 to 100. */
  readonly volume?: number;
}

export const CALL_ACTS = ["make", "answer", "hang-up", "hold", "retrieve", "dtmf"] as const;
export type CallAct = (typeof CALL_ACTS)[number];

/** Names of getUserMedia's constraints; what is not named stays. */
export const OPTIONS = ["noiseSuppression", "autoGainControl", "echoCancellation"] as const;

/** What the page is to do. */
export type Work =
  | { readonly order: "sign-in"; readonly credentials: TokenSignIn }
  | { readonly order: "sign-out" }
  | { readonly order: "sound"; readonly microphone?: SoundChange; readonly speaker?: SoundChange }
  | { readonly order: "call"; readonly act: CallAct; readonly number: string; readonly digits: string }
  | { readonly order: "options"; readonly wanted: { readonly [Name in (typeof OPTIONS)[number]]?: boolean } };

export const ORDERS = ["sign-in", "sign-out", "sound", "call", "options"] as const satisfies Work["order"][];

/** An order as it came; `work` is undefined where this page does not know how to do it. */
export interface Order {
  readonly id: number;
  readonly work: Work | undefined;
}

/** What became of an order. */
export interface Result {
  readonly id: number;
  readonly ok: boolean;
  /** Why not, in words. */
  readonly reason?: string;
}

export interface SoundState {
  readonly muted: boolean;
  /** 0 to 100. */
  readonly volume: number;
}

export interface PageCall {
  readonly state: "dialling" | "ringing" | "established" | "held";
  readonly number: string;
  readonly direction: "incoming" | "outgoing";
  /** ISO 8601. */
  readonly since: string;
}

/** What the gateway is told after connecting and at every change. */
export interface PageState {
  readonly signed_in: boolean;
  readonly microphone: SoundState;
  readonly speaker: SoundState;
  readonly call: PageCall | null;
}

/** Reads the data of an event `order`; undefined for what could not even be answered. */
export function readOrder(data: unknown): Order | undefined {
  const told = typeof data === "string" ? parseJson(data) : undefined;
  const id = numberOf(told, "id");
  return id === undefined ? undefined : { id, work: workOf(told) };
}

function workOf(told: unknown): Work | undefined {
  const order = ORDERS.find((one) => one === member(told, "order"));
  switch (order) {
    case "sign-in": {
      const credentials = signInOf(member(told, "credentials"));
      return credentials && { order, credentials };
    }
    case "sound":
      return {
        order,
        microphone: soundChange(member(told, "microphone")),
        speaker: soundChange(member(told, "speaker")),
      };
    case "call": {
      const act = CALL_ACTS.find((one) => one === member(told, "act"));
      return act && { order, act, number: textOf(told, "number"), digits: textOf(told, "digits") };
    }
    case "options": {
      const said = OPTIONS.flatMap((name) => {
        const value = member(told, name);
        return typeof value === "boolean" ? [[name, value] as const] : [];
      });
      return { order, wanted: Object.fromEntries(said) };
    }
    case "sign-out":
      return { order };
    case undefined:
  }
  return undefined;
}

function soundChange(told: unknown): SoundChange {
  const muted = member(told, "muted");
  const volume = numberOf(told, "volume");
  return {
    ...(typeof muted === "boolean" ? { muted } : {}),
    ...(volume === undefined ? {} : { volume: Math.min(100, Math.max(0, volume)) }),
  };
}

import { list, member } from "../../shared/json.ts";
import { text, words } from "./json.ts";

/** One line of data that goes with a call. */
export interface GwsDatum {
  readonly label: string;
  readonly value: string;
}

/** A call as GWS has it. `id` is its CallUUID, which is `X-Genesys-CallUUID` in SIP. */
export interface GwsCall {
  readonly id: string;
  /** Ringing, Dialing, Established, Held, Released. */
  readonly state: string;
  readonly participants: readonly string[];
  readonly dnis: string;
  /** Inbound, Internal, Outbound, Consult ... */
  readonly callType: string;
  /** The operations that are legal now. */
  readonly capabilities: readonly string[];
  readonly userData: readonly GwsDatum[];
}

/** A device of the agent's: the DN and the agent's state at it. */
export interface GwsDevice {
  readonly id: string;
  readonly phoneNumber: string;
  /** Someone has a contact centre session at it. */
  readonly active: boolean;
  /** Ready, NotReady ...; empty where nobody is signed in. */
  readonly state: string;
  /** As people call that state. */
  readonly stateName: string;
}

export type GwsEvent =
  | { readonly kind: "call"; readonly call: GwsCall }
  | { readonly kind: "devices"; readonly devices: readonly GwsDevice[] }
  | { readonly kind: "error"; readonly text: string };

const MOST_ROWS = 60;
const MOST_PARTICIPANTS = 20;
const MOST_CALLS = 20;
const MOST_DEVICES = 20;

/** Undefined for what names no call. */
export function readCall(value: unknown): GwsCall | undefined {
  const id = text(value, "id") || text(value, "callUuid");
  if (id === "") return undefined;
  return {
    id,
    state: text(value, "state"),
    participants: list(member(value, "participants")).slice(0, MOST_PARTICIPANTS).flatMap(participant),
    dnis: text(value, "dnis"),
    callType: text(value, "callType"),
    capabilities: words(member(value, "capabilities")),
    userData: readUserData(member(value, "userData")),
  };
}

/** GWS writes numbers as objects, older releases as plain text. */
function participant(value: unknown): readonly string[] {
  if (typeof value === "string") return value === "" ? [] : [value.slice(0, 60)];
  const number = text(value, "formattedPhoneNumber") || text(value, "phoneNumber") || text(value, "digits");
  return number === "" ? [] : [number.slice(0, 60)];
}

/** Values that hold lists of their own are shown as JSON. */
function readUserData(value: unknown): readonly GwsDatum[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value)
    .slice(0, MOST_ROWS)
    .map(([label, entry]: [string, unknown]) => ({
      label: label.slice(0, 80),
      value: (typeof entry === "string" ? entry : (JSON.stringify(entry) ?? "")).slice(0, 300),
    }));
}

function readDevice(value: unknown): GwsDevice | undefined {
  const id = text(value, "id");
  if (id === "") return undefined;
  const userState = member(value, "userState");
  const state = text(userState, "state");
  return {
    id,
    phoneNumber: text(value, "phoneNumber"),
    active: text(value, "deviceState") === "Active",
    state,
    stateName: text(userState, "displayName") || state,
  };
}

function readDevices(value: unknown): readonly GwsDevice[] {
  return list(value)
    .slice(0, MOST_DEVICES)
    .flatMap((one) => readDevice(one) ?? []);
}

function readCalls(value: unknown): readonly GwsCall[] {
  return list(value)
    .slice(0, MOST_CALLS)
    .flatMap((one) => readCall(one) ?? []);
}

/** What an answer to `GET me?subresources=...` says: the lists stand in it, or in a `user` within. */
export interface GwsMe {
  readonly userName: string;
  readonly devices: readonly GwsDevice[];
  readonly calls: readonly GwsCall[];
}

export function readMe(value: unknown): GwsMe {
  const user = member(value, "user") ?? value;
  return {
    userName: text(user, "userName"),
    devices: readDevices(member(user, "devices") ?? member(value, "devices")),
    calls: readCalls(member(user, "calls") ?? member(value, "calls")),
  };
}

/** An event's `data`; undefined for what the page has no use for. */
export function readEvent(data: unknown): GwsEvent | undefined {
  switch (text(data, "messageType")) {
    case "CallStateChangeMessage": {
      const call = readCall(member(data, "call"));
      return call && { kind: "call", call };
    }
    case "DeviceStateChangeMessage":
      return { kind: "devices", devices: readDevices(member(data, "devices")) };
    case "ErrorMessage":
      return { kind: "error", text: errorText(data) };
    default:
      return undefined;
  }
}

/** The field is documented nowhere: the ones GWS uses elsewhere are tried. */
function errorText(data: unknown): string {
  const found = ["errorMessage", "statusMessage", "message", "error"].map((name) => text(data, name));
  const code = text(data, "errorCode") || text(data, "statusCode");
  return `${found.find((one) => one !== "") ?? "no reason given"}${code === "" ? "" : ` (${code})`}`;
}

import type { Command, CommandName, Refusal, RefusalCode } from "../../../sdk/protocol.ts";

const MOST_OPTIONS = 200;

/** Says what is wrong with a value, undefined when nothing is. */
type Check = (value: unknown) => string | undefined;

function text(form: RegExp, what: string): Check {
  return (value) => (typeof value === "string" && form.test(value) ? undefined : what);
}

const FLAG: Check = (value) => (typeof value === "boolean" ? undefined : "true or false");
const VOLUME: Check = (value) =>
  typeof value === "number" && value >= 0 && value <= 1 ? undefined : "a number from 0 to 1";
/** Workspace gives its endpoint more options than count here; those are passed over. */
const OPTIONS: Check = (value) =>
  isRecord(value) && Object.keys(value).length <= MOST_OPTIONS
    ? undefined
    : `an object of at most ${MOST_OPTIONS} options by their names in Workspace`;
const CALL_ID = text(/^[\x21-\x7e]{1,256}$/, "the id of a call, as events and get_status give it");
const NUMBER = text(
  /^\+?(?=.*[0-9A-Za-z*#])[0-9A-Za-z*#.()/_ -]{1,64}$/,
  "a number of at most 64 digits or letters, with or without + before and separators between",
);

interface Fields {
  readonly required?: Readonly<Record<string, Check>>;
  readonly optional?: Readonly<Record<string, Check>>;
}

const WHICH_CALL: Fields = { optional: { call_id: CALL_ID } };
const NONE: Fields = {};

/** What the data of each command may hold: one of these sets of fields. */
const COMMANDS: Readonly<Record<CommandName, readonly Fields[]>> = {
  sign_in: [
    {
      required: {
        dn: text(/^[^\p{C}\s@]{1,64}$/u, "a number (DN) of at most 64 characters"),
        password: text(/^[^\p{Cc}]{1,256}$/u, "a text of at most 256 characters"),
      },
    },
    { required: { token: text(/^[\x21-\x7e]{1,8192}$/, "a sign-in token of at most 8192 characters") } },
  ],
  sign_out: [NONE],
  make_call: [{ required: { number: NUMBER } }],
  answer_call: [WHICH_CALL],
  hangup: [WHICH_CALL],
  hold: [WHICH_CALL],
  retrieve: [WHICH_CALL],
  mute: [WHICH_CALL],
  unmute: [WHICH_CALL],
  send_dtmf: [{ ...WHICH_CALL, required: { digits: text(/^[0-9*#]{1,32}$/, "1 to 32 of 0 to 9, * and #") } }],
  transfer: [
    { ...WHICH_CALL, required: { number: NUMBER } },
    { ...WHICH_CALL, required: { to_call_id: CALL_ID } },
  ],
  get_status: [NONE],
  configure: [
    {
      optional: {
        mode: text(/^(?:phone|audio)$/, '"phone" or "audio"'),
        echo_cancellation: FLAG,
        noise_suppression: FLAG,
        auto_gain_control: FLAG,
        speaker_volume: VOLUME,
        ring_volume: VOLUME,
        notifications: FLAG,
        workspace_options: OPTIONS,
      },
    },
  ],
};

/** What was read: a command, or why it is none. `id` is null where it cannot be read. */
export type ReadCommand =
  | { readonly id: string; readonly command: Command }
  | { readonly id: string | null; readonly refusal: Refusal };

/** Whether a message is meant for us at all: others talk by `postMessage` too. */
export function isOurs(message: unknown): message is Readonly<Record<string, unknown>> {
  return isRecord(message) && Object.hasOwn(message, "jackfield");
}

/** Its id, null when there is none that could be answered. */
export function idOf(message: Readonly<Record<string, unknown>>): string | null {
  const id = message["id"];
  return typeof id === "string" && id.length >= 1 && id.length <= 64 ? id : null;
}

/** Reads a message of ours strictly. Never throws; what it says of a value never holds the value. */
export function readCommand(message: Readonly<Record<string, unknown>>): ReadCommand {
  const id = idOf(message);
  const refuse = (code: RefusalCode, words: string): ReadCommand => ({ id, refusal: { code, text: words } });
  if (message["jackfield"] !== 1)
    return refuse("unsupported_version", "This softphone speaks version 1: jackfield must be 1.");
  if (id === null) return refuse("bad_message", "id must be a text of 1 to 64 characters.");
  const stranger = Object.keys(message).find((key) => !["jackfield", "id", "command", "data"].includes(key));
  if (stranger !== undefined)
    return refuse("bad_message", "A command has jackfield, id, command and data, and nothing else.");
  const name = message["command"];
  if (!isCommandName(name)) return refuse("unknown_command", "There is no such command.");
  const data = message["data"] ?? {};
  if (!isRecord(data)) return refuse("bad_field", "data must be an object.");
  const wrong = whatIsWrong(COMMANDS[name], data);
  // The table has checked that the data are those of this command.
  return wrong === undefined
    ? { id, command: { name, data } as Command }
    : refuse("bad_field", `${name}: ${wrong}`);
}

/** Undefined when the data fit one of the sets. The one that shares a field with them says what is wrong. */
function whatIsWrong(sets: readonly Fields[], data: Readonly<Record<string, unknown>>): string | undefined {
  const meant = sets.find(({ required = {} }) => Object.keys(required).some((key) => key in data));
  const { required = {}, optional = {} } = meant ?? sets[0] ?? NONE;
  const allowed = new Map(Object.entries({ ...required, ...optional }));
  if (Object.keys(data).some((key) => !allowed.has(key)))
    return allowed.size === 0 ? "takes no fields." : `takes ${[...allowed.keys()].join(", ")} only.`;
  for (const [key, check] of allowed) {
    const wrong = key in required || Object.hasOwn(data, key) ? check(data[key]) : undefined;
    if (wrong !== undefined) return `${key} must be ${wrong}.`;
  }
  return undefined;
}

function isCommandName(name: unknown): name is CommandName {
  return typeof name === "string" && Object.hasOwn(COMMANDS, name);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

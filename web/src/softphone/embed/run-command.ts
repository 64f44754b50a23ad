import type {
  Command,
  CommandData,
  CommandResult,
  Configuration,
  Mode,
  Status,
} from "../../../sdk/protocol.ts";
import type { CallControl, Refusal } from "../phone/call-control.ts";
import { SIGN_IN_BESIDE_CALL } from "../phone/words.ts";
import { CommandRefused } from "./session.ts";

/** What commands act on. */
export interface Commanded {
  readonly control: CallControl;
  status(): Status;
  signIn(by: CommandData["sign_in"]): Promise<Refusal>;
  signOut(): void;
  mute(on: boolean, callId: string): void;
  setMode(mode: Mode): Refusal;
  setSound(sound: Omit<Configuration, "mode" | "workspace_options">): void;
  setWorkspaceOptions(options: NonNullable<Configuration["workspace_options"]>): void;
}

type CallCommand = Exclude<
  Command["name"],
  "sign_in" | "sign_out" | "make_call" | "get_status" | "configure"
>;

/** Carries one command out. @returns its result. Throws `CommandRefused`. */
export async function runCommand(
  phone: Commanded,
  command: Command,
): Promise<CommandResult[Command["name"]]> {
  switch (command.name) {
    case "get_status":
      return phone.status();
    case "configure": {
      const { mode, workspace_options: options, ...sound } = command.data;
      if (mode !== undefined) refuse(phone.setMode(mode));
      if (options !== undefined) phone.setWorkspaceOptions(options);
      phone.setSound(sound);
      return { mode: phone.status().mode };
    }
    case "sign_in":
      // Before a token is spent on it.
      if (phone.status().calls.length > 0) refuse(SIGN_IN_BESIDE_CALL);
      refuse(await phone.signIn(command.data));
      return {};
    case "sign_out":
      phone.signOut();
      return {};
    case "make_call":
      checkControl(phone);
      return await makeCall(phone, command.data.number);
    case "answer_call":
    case "hangup":
    case "hold":
    case "retrieve":
    case "mute":
    case "unmute":
    case "send_dtmf":
    case "transfer":
      break;
  }
  checkControl(phone);
  await onCall(phone, command);
  return {};
}

/** Whether calls may be controlled from here. */
function checkControl(phone: Commanded): void {
  const { mode, dn } = phone.status();
  if (mode === "audio")
    throw new CommandRefused(
      "audio_only",
      "This page has the sound only. Calls are controlled in the desktop.",
    );
  if (dn === undefined) throw new CommandRefused("not_signed_in", "Nobody is signed in.");
}

async function makeCall(phone: Commanded, number: string): Promise<CommandResult["make_call"]> {
  const { registration, calls: before } = phone.status();
  if (registration !== "registered")
    throw new CommandRefused("not_signed_in", "Not signed in at the gateway at the moment.");
  refuse(await phone.control.dial(number));
  const made = phone
    .status()
    .calls.find(
      ({ call_id, direction }) => direction === "out" && !before.some((one) => one.call_id === call_id),
    );
  return made === undefined ? {} : { call_id: made.call_id };
}

async function onCall(phone: Commanded, command: Extract<Command, { name: CallCommand }>): Promise<void> {
  const { calls } = phone.status();
  const wanted = command.data.call_id;
  const call = wanted === undefined ? calls[0] : calls.find(({ call_id }) => call_id === wanted);
  if (call === undefined) throw new CommandRefused("no_such_call", "There is no such call.");
  const { control } = phone;
  const id = call.call_id;
  switch (command.name) {
    case "answer_call":
      return refuse(await control.answer(id));
    case "hangup":
      return refuse(call.state === "ringing" ? await control.reject(id) : await control.hangUp(id));
    case "hold":
      return refuse(await control.hold(id));
    case "retrieve":
      return refuse(await control.retrieve(id));
    case "mute":
    case "unmute":
      if (call.state !== "talking") refuse("The call is not answered yet.");
      return phone.mute(command.name === "mute", id);
    case "send_dtmf":
      return refuse(await control.sendDigits(command.data.digits, id));
    case "transfer":
      return await transfer(phone, command.data, id);
  }
}

async function transfer(phone: Commanded, data: CommandData["transfer"], id: string): Promise<void> {
  if ("number" in data) return refuse(await phone.control.transfer(data.number, id));
  const other = phone.status().calls.find(({ call_id }) => call_id === data.to_call_id);
  if (other === undefined || other.call_id === id)
    throw new CommandRefused("no_such_call", "There is no such other call.");
  refuse(await phone.control.completeTransfer(id, other.call_id));
}

function refuse(refusal: Refusal): void {
  if (refusal !== undefined) throw new CommandRefused("refused", refusal);
}

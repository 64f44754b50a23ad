import { byId, setText } from "./dom.ts";
import type { PhoneSnapshot } from "../phone/phone.ts";
import { messagesText } from "../phone/words.ts";

type Tone = "good" | "wait" | "bad" | "none";
type Shown = readonly [tone: Tone, text: string];

const SOCKET: Readonly<Record<PhoneSnapshot["socket"], Shown>> = {
  idle: ["none", "none"],
  connecting: ["wait", "connecting…"],
  connected: ["good", "connected"],
  lost: ["bad", "lost, trying again…"],
};

const HERE: Readonly<Record<PhoneSnapshot["registration"], Shown>> = {
  none: ["none", "no"],
  registering: ["wait", "signing in…"],
  registered: ["good", "yes"],
  failed: ["bad", "refused, trying again…"],
};

const TRUNK: Readonly<Record<PhoneSnapshot["trunk"]["state"], Shown>> = {
  unknown: ["none", "not known"],
  idle: ["none", "not registered"],
  registering: ["wait", "registering…"],
  "in-service": ["good", "in service"],
  "backing-off": ["wait", "trying again later"],
  rejected: ["bad", "refused"],
};

function lamp(id: string, state: string, [tone, text]: Shown): void {
  const item = byId(id, HTMLLIElement);
  item.dataset["state"] = state;
  item.dataset["tone"] = tone;
  const span = item.querySelector("span");
  if (span !== null) setText(span, text);
}

/** The lamps: socket, registration at the gateway, registration at SIP Server, messages where any were told of. */
export function renderStatus({ socket, registration, trunk, messages }: PhoneSnapshot): void {
  lamp("lamp-socket", socket, SOCKET[socket]);
  lamp("lamp-here", registration, HERE[registration]);
  const [tone, text] = TRUNK[trunk.state];
  lamp("lamp-trunk", trunk.state, [tone, trunk.reason === "" ? text : `${text}: ${trunk.reason}`]);
  byId("lamp-messages", HTMLLIElement).hidden = messages === undefined;
  if (messages === undefined) return;
  const state = messages.waiting ? "waiting" : "none";
  lamp("lamp-messages", state, [messages.waiting ? "wait" : "none", messagesText(messages)]);
}

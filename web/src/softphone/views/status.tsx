import type { JSX } from "preact";
import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
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
  failed: ["bad", "refused"],
};

const AGAIN: Shown = ["bad", "refused, trying again…"];

const TRUNK: Readonly<Record<PhoneSnapshot["trunk"]["state"], Shown>> = {
  unknown: ["none", "not known"],
  idle: ["none", "not registered"],
  registering: ["wait", "registering…"],
  "in-service": ["good", "in service"],
  "backing-off": ["wait", "trying again later"],
  rejected: ["bad", "refused"],
};

interface LampProps {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  readonly shown: Shown;
}

function Lamp({ id, name, state, shown: [tone, text] }: LampProps): JSX.Element {
  return (
    <li id={id} data-testid={id} data-state={state} data-tone={tone}>
      <b>{name}</b> <span>{text}</span>
    </li>
  );
}

/** The lamps: socket, registration at the gateway, registration at SIP Server, messages where any were told of. */
export function Status({ socket, registration, retryAt, trunk, messages }: PhoneSnapshot): JSX.Element {
  const [tone, text] = TRUNK[trunk.state];
  const atSipServer: Shown = [tone, trunk.reason === "" ? text : `${text}: ${trunk.reason}`];
  const here = registration === "failed" && retryAt !== undefined ? AGAIN : HERE[registration];
  return (
    <ul class="lamps" aria-label="Status">
      <Lamp id="lamp-socket" name="Connection" state={socket} shown={SOCKET[socket]} />
      <Lamp id="lamp-here" name="Signed in" state={registration} shown={here} />
      <Lamp id="lamp-trunk" name="SIP Server" state={trunk.state} shown={atSipServer} />
      {messages !== undefined && (
        <Lamp
          id="lamp-messages"
          name="Messages"
          state={messages.waiting ? "waiting" : "none"}
          shown={[messages.waiting ? "wait" : "none", messagesText(messages)]}
        />
      )}
    </ul>
  );
}

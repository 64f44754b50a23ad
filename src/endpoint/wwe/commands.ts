import type { PageWork } from "../contract.ts";
import type { EndpointSession } from "../session.ts";
import { answers } from "./answers.ts";
import { callCommands, callWork } from "./call-names.ts";
import { lifeMsOf } from "./life.ts";
import { constraintsOf } from "./options.ts";
import { registerDnFault, type SipServerName } from "./register-dn.ts";
import { soundCommands, soundQuestions, soundWork } from "./sound-names.ts";

/** A request of WWE's, let in. */
export interface WweRequest {
  readonly session: EndpointSession;
  /** What the JSON of a POST says; undefined where there is none. */
  readonly body: unknown;
  readonly servers: () => readonly SipServerName[];
  /** Something was refused inside an answer of the protocol's own form: why, in words. */
  readonly refused: (reason: string) => void;
}

/** The answer's body. */
type Command = (request: WweRequest) => string | Promise<string>;

/** Names in lower case. */
export type Commands = ReadonlyMap<string, Command>;

function orderCommand(name: string, workOf: (body: unknown) => PageWork | undefined): [string, Command] {
  return [
    name.toLowerCase(),
    async ({ session, body, refused }) => {
      const work = workOf(body);
      if (!work) refused(`${name}: the body does not say what to do`);
      const { ok, reason } = work ? await session.order(work) : { ok: false, reason: "" };
      if (work && !ok) refused(`${name}: ${reason}`);
      return answers.done(name, ok);
    },
  ];
}

/** What WWE asks (wwe-endpoint-and-gws-api.md A2, A5). */
export const wweGets: Commands = new Map<string, Command>([
  ["getdnsip", ({ session }) => answers.dn(session.active ? session.dn : "")],
  ["getisendpointactive", ({ session }) => answers.active(session.active)],
  ["getsipendpointparameters", ({ session }) => answers.parameters(session.active)],
  ["ping", () => answers.ping],
  ...soundQuestions.map(({ name, answer }): [string, Command] => [
    `get${name}`.toLowerCase(),
    ({ session: { page } }) => answers.value(name, page.state ? answer(page.state) : null),
  ]),
  // Of our own, as the commands for calls are.
  ["getcallstatus", ({ session: { page } }) => answers.value("CallStatus", page.state?.call ?? null)],
]);

/** What WWE asks only once it has sent RegisterDn (A2, steps 6 to 9). */
export const followRegisterDn: ReadonlySet<string> = new Set([
  "getisendpointactive",
  "getsipendpointparameters",
  "setpingperiod",
  "ping",
]);

/** What WWE orders (A2, A5), and our own commands for calls (A6). */
export const wwePosts: Commands = new Map<string, Command>([
  ["setoptions", setOptions],
  ["setsipendpointparameters", () => answers.nothing],
  ["registerdn", registerDn],
  ["setpingperiod", setPingPeriod],
  ["unregisterdn", unregisterDn],
  ...soundCommands.map((command) => orderCommand(command.name, (body) => soundWork(command, body))),
  ...callCommands.map((command) => orderCommand(command.name, (body) => callWork(command, body))),
]);

function setOptions({ session, body }: WweRequest): string {
  const constraints = constraintsOf(body);
  if (constraints) session.setOptions({ order: "options", ...constraints });
  return answers.nothing;
}

function registerDn({ session, body, servers, refused }: WweRequest): string {
  const fault = registerDnFault(body, session.dn, servers());
  if (fault === undefined) session.register();
  else {
    session.refuse();
    refused(`RegisterDn: ${fault}`);
  }
  return answers.registered(fault === undefined);
}

function setPingPeriod({ session, body, refused }: WweRequest): string {
  const lifeMs = lifeMsOf(body);
  if (lifeMs === undefined) refused("SetPingPeriod: value is no number of ms");
  else session.lifeMs = lifeMs;
  return answers.nothing;
}

function unregisterDn({ session }: WweRequest): string {
  session.unregister();
  return answers.unregistered;
}

import type { TrunkState } from "../phone/gateway-events.ts";

/** State of the path that carries a call's sound. `none`: no call has one. */
export type PathState = "none" | "checking" | "connected" | "disconnected" | "failed";
export type ConnectionTone = "good" | "wait" | "bad" | "none";

/** One part of the connection: its name, how it is, and what the page does about it. */
export interface ConnectionPart {
  readonly name: string;
  readonly tone: ConnectionTone;
  readonly text: string;
}

/** How the phone is connected: in one sentence, and part by part. */
export interface ConnectionWords {
  readonly tone: ConnectionTone;
  readonly sentence: string;
  readonly parts: readonly ConnectionPart[];
}

/** As the phone has it. */
export interface ConnectionFacts {
  readonly dn: string | undefined;
  readonly socket: "idle" | "connecting" | "connected" | "lost";
  readonly registration: "none" | "registering" | "registered" | "failed";
  readonly trunk: { readonly state: TrunkState | "unknown"; readonly reason: string };
  readonly path: PathState;
  /** See `routeOf`. */
  readonly route: string | undefined;
  /** A call runs. */
  readonly inCall: boolean;
  /** Seconds until the page signs in again by itself; undefined when nothing waits for that. */
  readonly retryS: number | undefined;
}

/** Longest pause between two attempts to connect, seconds: `connection_recovery_max_interval` of the line. */
const LONGEST_PAUSE_S = 8;

/** The path as the browser calls it. */
export function pathState(iceState: string | undefined): PathState {
  if (iceState === "completed" || iceState === "connected") return "connected";
  if (iceState === "disconnected" || iceState === "failed") return iceState;
  return iceState === "new" || iceState === "checking" ? "checking" : "none";
}

/** What is wrong first, and what is done about it. */
export function connectionWords(facts: ConnectionFacts): ConnectionWords {
  const parts = [socketPart(facts), herePart(facts), trunkPart(facts), pathPart(facts)];
  const [tone, sentence] = summary(facts, parts);
  return { tone, sentence, parts };
}

function summary(facts: ConnectionFacts, parts: readonly ConnectionPart[]): [ConnectionTone, string] {
  const { dn, socket, registration, trunk, path, inCall } = facts;
  if (dn === undefined) return ["none", "Not signed in."];
  const [socketWords, hereWords, trunkWords, pathWords] = parts;
  const goesOn = inCall && path !== "failed" && path !== "disconnected" ? " Your call goes on." : "";
  if (socket === "lost") return ["bad", `No connection to the gateway: ${socketWords?.text ?? ""}.${goesOn}`];
  if (inCall && (path === "failed" || path === "disconnected"))
    return ["bad", `The sound of your call is interrupted: ${pathWords?.text ?? ""}.`];
  if (socket !== "connected") return ["wait", "Connecting to the gateway…"];
  if (registration === "failed") return ["bad", `Not signed in: ${hereWords?.text ?? ""}.${goesOn}`];
  if (registration !== "registered") return ["wait", `Signing in…${goesOn}`];
  if (trunk.state === "rejected" || trunk.state === "backing-off")
    return ["bad", `You cannot be called: SIP Server ${trunkWords?.text ?? ""}.`];
  if (trunk.state === "idle" && trunk.reason !== "")
    return ["wait", `You cannot be called: ${trunk.reason}.${goesOn}`];
  if (trunk.state !== "in-service" && trunk.state !== "unknown")
    return ["wait", "Signed in here; SIP Server is being told…"];
  if (inCall && path === "connected") return ["good", "In a call, sound connected."];
  if (inCall) return ["wait", "In a call; its sound is being connected…"];
  return ["good", "Ready for calls."];
}

function socketPart({ socket }: ConnectionFacts): ConnectionPart {
  const name = "Connection to the gateway";
  if (socket === "connected") return { name, tone: "good", text: "connected" };
  if (socket === "connecting") return { name, tone: "wait", text: "connecting" };
  if (socket === "idle") return { name, tone: "none", text: "none, since nobody is signed in" };
  return { name, tone: "bad", text: `lost, trying again within ${LONGEST_PAUSE_S} s` };
}

function herePart({ registration, socket, retryS }: ConnectionFacts): ConnectionPart {
  const name = "Signed in at the gateway";
  if (registration === "registered") return { name, tone: "good", text: "yes" };
  if (registration === "registering") return { name, tone: "wait", text: "signing in" };
  if (registration === "none")
    return { name, tone: "none", text: socket === "lost" ? "as soon as the connection is back" : "no" };
  const then = retryS === undefined ? "sign in again after the call" : `trying again in ${retryS} s`;
  return { name, tone: "bad", text: `the gateway refused it, ${then}` };
}

function trunkPart({ trunk }: ConnectionFacts): ConnectionPart {
  const name = "Number at SIP Server";
  const why = trunk.reason === "" ? "" : ` (${trunk.reason})`;
  if (trunk.state === "in-service") return { name, tone: "good", text: "in service" };
  if (trunk.state === "registering") return { name, tone: "wait", text: `being registered${why}` };
  if (trunk.state === "rejected")
    return { name, tone: "bad", text: `refuses your number${why}; tell support` };
  if (trunk.state === "backing-off")
    return {
      name,
      tone: "bad",
      text: `does not take your number now${why}; the gateway tries again by itself`,
    };
  return { name, tone: "none", text: trunk.state === "idle" ? "not registered" : "not known" };
}

function pathPart({ path, route }: ConnectionFacts): ConnectionPart {
  const name = "Sound of the call";
  if (path === "none") return { name, tone: "none", text: "no call" };
  if (path === "connected")
    return { name, tone: "good", text: route === undefined ? "connected" : `connected, ${route}` };
  if (path === "checking") return { name, tone: "wait", text: "looking for a way to the gateway" };
  if (path === "disconnected")
    return { name, tone: "bad", text: "the way to the gateway broke, a new one is being looked for" };
  return {
    name,
    tone: "bad",
    text: "no way to the gateway, trying again every 3 s; a firewall may block UDP",
  };
}

/** Everything around the gateway in `bench:wrtc`, a process of its own: parked sessions, agents who talk, SIP Server. */
import { BrowserDouble, type DoubleCall } from "../../test/support/browser-double.ts";
import { testPassword } from "../../test/support/test-gateway.ts";
import { TimeHistogram, type Percentiles } from "./figures.ts";
import { ParkedSession } from "./parked-session.ts";
import { between, read, type CpuUse } from "./readings.ts";
import { serve } from "./rpc.ts";
import { SipServerDouble } from "./sip-server-double.ts";
import { Talk, talkInAll } from "./talk.ts";
import { makeVoice } from "./voices.ts";

// The gateway shows a certificate of its own making.
process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
process.removeAllListeners("warning");

const firstParked = 5001;
/** Behind all that are parked. */
const firstTalking = 6901;
const signInsAtOnce = 10;
const restBetweenCallsMs = 50;

export interface RingFigures {
  readonly calls: number;
  readonly failures: Readonly<Record<string, number>>;
  /** From SIP Server's INVITE to the offer read by the client that was parked, ms. */
  readonly offerMs: Percentiles;
  /** From the client's BYE posted to SIP Server's final response, ms. */
  readonly byeMs: Percentiles;
}

export interface WatchFigures extends CpuUse {
  /** Answered within the time, all sessions. */
  readonly polls: number;
  readonly faults: number;
  readonly calls: number;
  readonly framesSent: number;
  readonly framesLost: number;
  readonly rings: RingFigures;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

let server: SipServerDouble | undefined;
const parked: ParkedSession[] = [];
const agents: BrowserDouble[] = [];
const held: DoubleCall[] = [];
/** Who waits for the next offer of a DN. */
const offered = new Map<string, () => void>();

function sipServer(): SipServerDouble {
  if (!server) throw new Error("openServer comes first");
  return server;
}

async function openServer(): Promise<{ readonly port: number }> {
  server = await SipServerDouble.open();
  return { port: server.port };
}

/** Resolves with sign-ins per second, when SIP Server knows all their DNs. */
async function park(wanted: {
  readonly base: string;
  readonly count: number;
  readonly protocol: 1 | 2;
}): Promise<number> {
  const { base, count, protocol } = wanted;
  const start = performance.now();
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const dn = String(firstParked + next++);
      const onMessage = (body: string): void => {
        if (body.startsWith("SDP ") && body.includes("OFFER")) offered.get(dn)?.();
      };
      parked.push(await ParkedSession.signIn({ base, protocol, dn, password: testPassword(dn), onMessage }));
    }
  };
  await Promise.all(Array.from({ length: signInsAtOnce }, worker));
  return count / ((performance.now() - start) / 1000);
}

/** Agents of the SIP softphone in a call each, whose sound is echoed by SIP Server. */
async function bringUp({ url, calls }: { readonly url: string; readonly calls: number }): Promise<number> {
  for (let index = 0; index < calls; index++) {
    const agent = await BrowserDouble.signIn({ url, dn: String(firstTalking + index), codec: "pcmu" });
    agents.push(agent);
  }
  while (!agents.every(({ dn }) => sipServer().registered.has(dn))) await pause(5);
  // SIP Server's last 200 is still on its way to the gateway.
  await pause(300);
  for (const agent of agents) {
    const call = await agent.dial("9000");
    await Promise.race([
      call.when("answered"),
      call.when("failed").then((reason) => Promise.reject(new Error(reason))),
    ]);
    await call.connected;
    held.push(call);
  }
  return held.length;
}

/** One call to a parked session, which hangs it up. Resolves with words where it came to nothing. */
async function ring(session: ParkedSession, offers: TimeHistogram, byes: TimeHistogram): Promise<string> {
  const began = performance.now();
  let posted = 0;
  offered.set(session.dn, () => {
    offered.delete(session.dn);
    offers.add(performance.now() - began);
    posted = performance.now();
    void session.post("1003", "BYE");
  });
  const outcome = await sipServer().call(session.dn);
  offered.delete(session.dn);
  if (posted === 0) return typeof outcome === "string" ? outcome : "answered by nobody";
  byes.add(performance.now() - posted);
  return "";
}

/** Rings one parked session after the other until `until`. */
async function ringInTurn(until: number): Promise<RingFigures> {
  const offers = new TimeHistogram();
  const byes = new TimeHistogram();
  const failures: Record<string, number> = {};
  for (let count = 0; performance.now() < until; count++) {
    const session = parked[count % parked.length];
    if (!session) break;
    const words = await ring(session, offers, byes);
    if (words !== "") failures[words] = (failures[words] ?? 0) + 1;
    await pause(restBetweenCallsMs);
  }
  return { calls: offers.size, failures, offerMs: offers.percentiles, byeMs: byes.percentiles };
}

/** Looks at the gateway for a time; `busy`: calls talk and parked sessions are rung meanwhile. */
async function watch(order: {
  readonly seconds: number;
  readonly gatewayPid: number;
  readonly busy: boolean;
}): Promise<WatchFigures> {
  const { seconds, gatewayPid, busy } = order;
  const frames = busy ? (await makeVoice("pcmu", "narrow")).frames : [];
  const talks = busy ? held.map((call) => new Talk(call)) : [];
  const count = (of: "polls" | "faults"): number => parked.reduce((sum, session) => sum + session[of], 0);
  const [polls, faults] = [count("polls"), count("faults")];
  const before = read(gatewayPid);
  const end = performance.now() + seconds * 1000;
  const [rings] = await Promise.all([
    ringInTurn(busy ? end : 0),
    talks.length > 0 ? talkInAll(talks, frames, seconds) : pause(seconds * 1000),
  ]);
  const use = between(before, read(gatewayPid));
  await pause(200);
  const judged = talks.map((talk) => talk.judge(new TimeHistogram()));
  return {
    ...use,
    polls: count("polls") - polls,
    faults: count("faults") - faults,
    calls: talks.length,
    framesSent: judged.reduce((sum, { sent }) => sum + sent, 0),
    framesLost: judged.reduce((sum, { lost }) => sum + lost, 0),
    rings,
  };
}

async function release(): Promise<void> {
  for (const call of held.splice(0)) {
    call.hangUp();
    await call.close();
  }
  await Promise.all(agents.splice(0).map((agent) => agent.signOut()));
  await Promise.all(parked.splice(0).map((session) => session.signOut()));
}

const handlers = { openServer, park, bringUp, watch, release };
export type WrtcHandlers = typeof handlers;
serve(handlers);

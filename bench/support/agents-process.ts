/** Everything around the gateway in `bench:calls` and `bench:agents`, a process of its own: the agents and SIP Server. */
import { BrowserDouble, type DoubleCall } from "../../test/support/browser-double.ts";
import type { DoubleCodec } from "../../test/support/browser-media.ts";
import { browserSdp } from "../../test/support/descriptions.ts";
import type { TestCall } from "../../test/support/test-agent.ts";
import type { CallOutTimes } from "./call-out.ts";
import { TimeHistogram, type Percentiles } from "./figures.ts";
import { between, read, type CpuUse } from "./readings.ts";
import { serve } from "./rpc.ts";
import { SipServerDouble } from "./sip-server-double.ts";
import { Talk, talkInAll } from "./talk.ts";
import { makeVoice, type BenchCodec } from "./voices.ts";

// The gateway of bench:agents shows a certificate of its own making.
process.env["NODE_TLS_REJECT_UNAUTHORIZED"] = "0";
process.removeAllListeners("warning");

const firstDn = 5001;
const number = "9000";
const signInsAtOnce = 10;
const connectsAtOnce = 6;
/** An agent begins no more often than this: the gateway closes connections that send over 50 messages a second. */
const restMs = 100;
/** An answer that takes longer is a failed set-up. */
const patienceMs = 5000;

/** Who calls: the agent, or SIP Server with NOTIFY talk. */
export type CallWay = "from agent" | "to agent";

export interface SetUpSettings {
  readonly way: CallWay;
  readonly seconds: number;
  readonly gatewayPid: number;
  /** So many agents call again and again; undefined: `rate` calls a second begin, whatever becomes of them. */
  readonly concurrency?: number;
  readonly rate?: number;
}

export interface SetUpFigures {
  readonly calls: number;
  readonly failed: number;
  /** Failures in words and how many of each. */
  readonly failures: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly setUpsPerSecond: number;
  /** From INVITE sent to 180 got, at the side that calls, ms. */
  readonly ringMs: Percentiles;
  /** From INVITE sent to 200 got, at the side that calls, ms; to the agent: NOTIFY talk on the 180 included. */
  readonly setUpMs: Percentiles;
  readonly gatewayCpuMsPerCall: number;
  readonly gatewayMainCpuMsPerCall: number;
  readonly gatewayMainCpuPercent: number;
  readonly generatorCpuPercent: number;
  /** Share of the time in which the gateway's busiest thread stood in line for a core that others had, percent. */
  readonly gatewayWaitPercent: number;
  /** CPU that neither gateway nor load used, percent of one core; biased low. */
  readonly othersCpuPercent: number;
  /** Calls that could not begin on time because all agents were busy or resting: more agents are needed. */
  readonly missed: number;
}

let server: SipServerDouble | undefined;
const agents: BrowserDouble[] = [];
const held: { readonly agent: BrowserDouble; readonly call: DoubleCall }[] = [];
let frames: readonly Buffer[] = [];

function sipServer(): SipServerDouble {
  if (!server) throw new Error("openServer comes first");
  return server;
}

async function openServer({ codec }: { readonly codec: BenchCodec }): Promise<{ readonly port: number }> {
  server = await SipServerDouble.open();
  ({ frames } = await makeVoice(codec, "narrow"));
  return { port: server.port };
}

/** Signs agents in until there are `count` and SIP Server knows all their DNs. Resolves with the sign-ins per second. */
async function signIn(wanted: {
  readonly url: string;
  readonly count: number;
  readonly codec: DoubleCodec;
}): Promise<number> {
  const start = performance.now();
  const before = agents.length;
  let next = before;
  const worker = async (): Promise<void> => {
    while (next < wanted.count) {
      const dn = String(firstDn + next++);
      const agent = await BrowserDouble.signIn({ url: wanted.url, dn, codec: wanted.codec });
      answerOnTalk(agent);
      agents.push(agent);
    }
  };
  await Promise.all(Array.from({ length: signInsAtOnce }, worker));
  const seconds = (performance.now() - start) / 1000;
  await until(() => sipServer().registered.size >= agents.length, "REGISTER of every DN");
  // SIP Server's last 200 is still on its way to the gateway.
  await pause(300);
  return (agents.length - before) / seconds;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function until(done: () => boolean, what: string, patience = 20_000): Promise<void> {
  const end = performance.now() + patience;
  while (!done()) {
    if (performance.now() > end) throw new Error(`it did not come about: ${what}`);
    await pause(5);
  }
}

/** Calls that come in are answered on NOTIFY talk, as the page does, with an SDP that leads nowhere. */
function answerOnTalk({ agent }: BrowserDouble): void {
  const ringing = new Map<string, TestCall>();
  agent.onCall = (call) => void ringing.set(call.incoming?.request.callId ?? "", call);
  agent.onEvent = (request) => {
    if (request.headers.get("Event") !== "talk") return;
    const callId = request.headers.get("X-Jackfield-Call-ID") ?? "";
    ringing.get(callId)?.answer(browserSdp({ setup: "active" }));
    ringing.delete(callId);
    // Kept by the test agent for tests to look at.
    agent.events.length = 0;
  };
}

/** One call of one agent: INVITE, 180, 200, ACK, BYE. Resolves with the times, or with words. */
async function callOnce(agent: BrowserDouble): Promise<CallOutTimes | string> {
  const start = performance.now();
  let ringMs = 0;
  const call = agent.agent.call(number, browserSdp());
  void call.when("ringing").then(() => (ringMs = performance.now() - start));
  let patience: NodeJS.Timeout | undefined;
  const outcome = await Promise.race([
    call.when("answered").then(() => ({ ringMs, answerMs: performance.now() - start })),
    call.when("failed"),
    new Promise<string>((resolve) => {
      patience = setTimeout(() => resolve("no answer"), patienceMs);
    }),
  ]);
  clearTimeout(patience);
  if (typeof outcome !== "string") call.hangUp();
  return outcome;
}

/** Sets calls up and hangs them up at once, as told; resolves when SIP Server has the last BYE. */
async function setUps(settings: SetUpSettings): Promise<SetUpFigures> {
  const { way, seconds, gatewayPid, concurrency, rate } = settings;
  const ringing = new TimeHistogram();
  const histogram = new TimeHistogram();
  const failures: Record<string, number> = {};
  let failed = 0;
  let missed = 0;
  const idle = agents.map((agent) => ({ agent, rested: 0 }));
  const attempt = async ({ agent }: { readonly agent: BrowserDouble }): Promise<void> => {
    const began = performance.now();
    const outcome = way === "to agent" ? await sipServer().call(agent.dn) : await callOnce(agent);
    idle.push({ agent, rested: began + restMs });
    if (typeof outcome !== "string") {
      ringing.add(outcome.ringMs);
      return histogram.add(outcome.answerMs);
    }
    failed++;
    failures[outcome] = (failures[outcome] ?? 0) + 1;
  };
  const byes = (): number => sipServer().requests["BYE"] ?? 0;
  const byesBefore = byes();
  const before = read(gatewayPid);
  const start = performance.now();
  const end = start + seconds * 1000;
  if (concurrency !== undefined) {
    const loop = async (): Promise<void> => {
      while (performance.now() < end) {
        const next = idle.shift();
        if (!next) throw new RangeError("there must be more agents than such that call at a time");
        const wait = next.rested - performance.now();
        if (wait > 0) {
          missed++;
          await pause(wait);
        }
        await attempt(next);
      }
    };
    await Promise.all(Array.from({ length: concurrency }, loop));
  } else if (rate !== undefined) {
    const running: Promise<void>[] = [];
    for (let count = 0; count < seconds * rate; count++) {
      const wait = start + (count * 1000) / rate - performance.now();
      if (wait > 0) await pause(wait);
      const next = idle[0] && idle[0].rested <= performance.now() ? idle.shift() : undefined;
      if (next) running.push(attempt(next));
      else missed++;
    }
    await Promise.all(running);
  }
  if (way === "from agent") await until(() => byes() - byesBefore >= histogram.size, "BYE of every call");
  const use = between(before, read(gatewayPid));
  const calls = Math.max(1, histogram.size);
  return {
    calls: histogram.size,
    failed,
    failures,
    seconds: use.seconds,
    setUpsPerSecond: histogram.size / use.seconds,
    ringMs: ringing.percentiles,
    setUpMs: histogram.percentiles,
    gatewayCpuMsPerCall: use.cpuMs / calls,
    gatewayMainCpuMsPerCall: (use.threadsMs["main"] ?? 0) / calls,
    gatewayMainCpuPercent: use.mainPercent,
    generatorCpuPercent: use.generatorCpuPercent,
    gatewayWaitPercent: use.waitPercent,
    othersCpuPercent: use.othersCpuPercent,
    missed,
  };
}

/** What bringing calls up took, and how many SIP Server's side or the gateway refused, in words. */
export interface BroughtUp {
  /** From INVITE sent to 200 got, and to SRTP running (ICE, DTLS), ms. */
  readonly answerMs: Percentiles;
  readonly connectedMs: Percentiles;
  readonly failures: Readonly<Record<string, number>>;
}

/** Brings calls with ICE, DTLS and SRTP up until `calls` have been tried, agent after agent, a few at a time. */
async function bringUp({
  calls,
  atOnce,
}: {
  readonly calls: number;
  readonly atOnce: number;
}): Promise<BroughtUp> {
  const answers = new TimeHistogram();
  const connects = new TimeHistogram();
  const failures: Record<string, number> = {};
  let next = held.length;
  const one = async (agent: BrowserDouble): Promise<void> => {
    const call = await agent.dial(number);
    const began = performance.now();
    const failure = call.when("failed").then((reason) => Promise.reject(new Error(reason)));
    await Promise.race([call.when("answered"), failure]);
    answers.add(performance.now() - began);
    await call.connected;
    connects.add(performance.now() - began);
    held.push({ agent, call });
  };
  const worker = async (): Promise<void> => {
    while (next < calls) {
      const agent = agents[next++ % agents.length];
      if (!agent) throw new Error("nobody is signed in");
      await one(agent).catch((error: unknown) => {
        const words = error instanceof Error ? error.message : String(error);
        failures[words] = (failures[words] ?? 0) + 1;
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return { answerMs: answers.percentiles, connectedMs: connects.percentiles, failures };
}

/** Holds whole calls until there are `calls`; the new ones speak for `speakSeconds` and are echoed. */
async function hold({
  calls,
  speakSeconds,
}: {
  readonly calls: number;
  readonly speakSeconds: number;
}): Promise<number> {
  const from = held.length;
  const { failures } = await bringUp({ calls, atOnce: connectsAtOnce });
  const [failure] = Object.keys(failures);
  if (failure !== undefined) throw new Error(failure);
  const before = echoed();
  for (let frame = 0; frame < speakSeconds * 50; frame++) {
    const payload = frames[frame % frames.length] ?? Buffer.alloc(0);
    for (const { call } of held.slice(from)) call.media.sendFrame(payload);
    await pause(20);
  }
  await pause(200);
  return echoed() - before;
}

export interface TalkFigures extends CpuUse {
  readonly calls: number;
  readonly framesSent: number;
  readonly framesLost: number;
  /** From a browser, through the gateway twice, back to it, ms. */
  readonly delayMs: Percentiles;
  /** What the gateway moves on each side, both directions together, IP headers counted. */
  readonly browserBytes: number;
  readonly trunkBytes: number;
  readonly trunkPackets: number;
}

/** All held calls talk; with none, the gateway is only looked at. */
async function talk({
  seconds,
  gatewayPid,
}: {
  readonly seconds: number;
  readonly gatewayPid: number;
}): Promise<TalkFigures> {
  const talks = held.map(({ call }) => new Talk(call));
  const trunk = { ...sipServer().sound };
  const before = read(gatewayPid);
  if (talks.length > 0) await talkInAll(talks, frames, seconds);
  else await pause(seconds * 1000);
  const use = between(before, read(gatewayPid));
  const { packets, bytes } = sipServer().sound;
  await pause(200);
  const delays = new TimeHistogram();
  const judged = talks.map((one) => one.judge(delays));
  return {
    ...use,
    calls: talks.length,
    framesSent: judged.reduce((sum, { sent }) => sum + sent, 0),
    framesLost: judged.reduce((sum, { lost }) => sum + lost, 0),
    delayMs: delays.percentiles,
    browserBytes: talks.reduce((sum, { bytesSent, bytesReceived }) => sum + bytesSent + bytesReceived, 0),
    trunkBytes: bytes - trunk.bytes,
    trunkPackets: packets - trunk.packets,
  };
}

/** Sound packets that came back to all held calls. */
function echoed(): number {
  return held.reduce((sum, { call }) => sum + call.media.received.length, 0);
}

async function release(): Promise<void> {
  for (const { agent, call } of held.splice(0)) {
    call.hangUp();
    await agent.drop(call);
  }
  await pause(500);
}

async function signOut(): Promise<void> {
  await Promise.all(agents.splice(0).map((agent) => agent.signOut()));
}

const handlers = { openServer, signIn, setUps, hold, bringUp, talk, release, signOut };
export type AgentsHandlers = typeof handlers;
serve(handlers);

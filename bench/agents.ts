/**
 * `npm run bench:agents`: what agents weigh who are signed in and talk: SIP over WSS, DTLS-SRTP, a registration each at
 * SIP Server. For the sizing table in docs/migration.md. See docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import type { AgentsHandlers, BroughtUp, TalkFigures } from "./support/agents-process.ts";
import { median, round, table } from "./support/figures.ts";
import type { GatewayHandlers, GatewayMemory } from "./support/gateway-process.ts";
import { describeMachine, loadAverage, machineWords, residentKb, type Machine } from "./support/machine.ts";
import { Child } from "./support/rpc.ts";
import type { BenchCodec } from "./support/voices.ts";
import { positive, runProgram, saveReport } from "./support/program.ts";
import { isUndisturbed } from "./support/validity.ts";

const usage = `npm run bench:agents -- [options]
  --agents N[,N...]        agents signed in, one level after the other (default 10,50,100,300)
  --codec opus|pcmu|both   what the browsers speak; SIP Server speaks PCMU (default both)
  --calls P                percent of the agents in a call (default 100)
  --seconds S              length of a round (default 5)
  --rounds R               rounds (default 3)
  --workers N              media workers of the gateway (default 1)
  --json FILE              write all figures there
  --quick                  4 agents, one round of one second: does the bench work?`;

/** Two agents dial at a time: the load's own handshakes are slow, and would be all that more of them showed. */
const setUpsAtOnce = 2;

const framesPerSecond = 50;

interface Options {
  readonly agents: readonly number[];
  readonly codecs: readonly BenchCodec[];
  readonly callsPercent: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly workers: number;
  readonly json: string | undefined;
}

/** One number of agents with one codec; medians over the valid rounds. */
interface Level {
  readonly codec: BenchCodec;
  readonly agents: number;
  /** In a call; fewer than asked for where the gateway refused some. */
  readonly calls: number;
  readonly valid: boolean;
  /** Registrations at SIP Server that came. */
  readonly registered: number;
  readonly signInsPerSecond: number;
  readonly setUp: BroughtUp;
  /** Signed in, nobody in a call, percent of one core. */
  readonly idleCpuPercent: number;
  readonly cpuPercent: number;
  readonly mainCpuPercent: number;
  readonly cpuMsPerCallSecond: number;
  readonly idleMemory: GatewayMemory;
  /** While all talk. */
  readonly residentKb: number;
  readonly mainHeapKb: number;
  readonly lossPercent: number;
  readonly delayMs: { readonly p50: number; readonly p99: number };
  /** On each side of the gateway, both directions together, headers counted. */
  readonly browserKbitPerCall: number;
  readonly trunkKbitPerCall: number;
  readonly packetsPerSecond: number;
  readonly generatorCpuPercent: number;
  readonly waitPercent: number;
  readonly othersCpuPercent: number;
  readonly details: readonly TalkFigures[];
}

interface AgentsReport {
  readonly bench: "agents";
  readonly at: string;
  readonly machine: Machine;
  readonly options: object;
  readonly valid: boolean;
  readonly levels: readonly Level[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      agents: { type: "string" },
      codec: { type: "string" },
      calls: { type: "string", default: "100" },
      seconds: { type: "string" },
      rounds: { type: "string" },
      workers: { type: "string", default: "1" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const codec = values.codec ?? (quick ? "pcmu" : "both");
  if (codec !== "opus" && codec !== "pcmu" && codec !== "both")
    throw new TypeError(`--codec ${codec}: opus, pcmu or both`);
  return {
    agents: (values.agents ?? (quick ? "4" : "10,50,100,300")).split(",").map(positive),
    codecs: codec === "both" ? ["opus", "pcmu"] : [codec],
    callsPercent: Math.min(100, positive(values.calls)),
    seconds: positive(values.seconds ?? (quick ? "1" : "5")),
    rounds: positive(values.rounds ?? (quick ? "1" : "3")),
    workers: positive(values.workers),
    json: values.json,
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** A gateway and its agents of their own, so that no level inherits what the one before left. */
async function measureLevel(codec: BenchCodec, count: number, options: Options): Promise<Level> {
  const gateway = new Child<GatewayHandlers>("./gateway-process.ts", { nodeOptions: ["--expose-gc"] });
  const agents = new Child<AgentsHandlers>("./agents-process.ts");
  try {
    const { port } = await agents.call("openServer", { codec });
    const { workers, seconds } = options;
    const { httpPort } = await gateway.call("open", {
      sipServerPort: port,
      rtpPorts: [26_400, 32_700],
      workers,
      tls: true,
    });
    const url = `wss://127.0.0.1:${httpPort}/ws`;
    const signInsPerSecond = await agents.call("signIn", { url, codec, count });
    const idleMemory = await gateway.call("memory");
    const watch = { seconds, gatewayPid: gateway.pid };
    const idle = await agents.call("talk", watch);
    const calls = Math.max(1, Math.round((count * options.callsPercent) / 100));
    const setUp = await agents.call("bringUp", { calls, atOnce: setUpsAtOnce });
    // What is compiled and filled while the first words are spoken counts for no round.
    await agents.call("talk", { ...watch, seconds: Math.min(1, seconds) });
    const rounds: TalkFigures[] = [];
    for (let number = 0; number < options.rounds; number++) rounds.push(await agents.call("talk", watch));
    const resident = residentKb(gateway.pid);
    const { mainHeapKb } = await gateway.call("memory");
    await agents.call("release");
    await agents.call("signOut");
    const level = {
      codec,
      agents: count,
      registered: count,
      signInsPerSecond: round(signInsPerSecond, 1),
      setUp,
      idleMemory,
    };
    return {
      ...level,
      idleCpuPercent: round((idle.cpuMs / idle.seconds / 1000) * 100, 1),
      residentKb: resident,
      mainHeapKb,
      ...summary(rounds),
    };
  } finally {
    await gateway.call("close").catch(() => {});
    await Promise.all([gateway.stop(), agents.stop()]);
  }
}

function summary(rounds: readonly TalkFigures[]) {
  const sound = rounds.filter(isUndisturbed);
  const used = sound.length > 0 ? sound : rounds;
  const middle = (of: (one: TalkFigures) => number): number => round(median(used.map(of)));
  const kbit = (bytes: (one: TalkFigures) => number): number =>
    middle((one) => (bytes(one) * 8 * framesPerSecond) / 1000 / Math.max(1, one.framesSent));
  return {
    calls: rounds[0]?.calls ?? 0,
    valid: sound.length > 0,
    cpuPercent: middle((one) => one.cpuMs / one.seconds / 10),
    mainCpuPercent: middle((one) => one.mainPercent),
    // By what was said, not by the clock: a load that got no core sends late, but all.
    cpuMsPerCallSecond: middle((one) => (one.cpuMs * framesPerSecond) / Math.max(1, one.framesSent)),
    lossPercent: middle((one) => (one.framesLost / Math.max(1, one.framesSent)) * 100),
    delayMs: { p50: middle((one) => one.delayMs.p50), p99: middle((one) => one.delayMs.p99) },
    browserKbitPerCall: kbit((one) => one.browserBytes),
    trunkKbitPerCall: kbit((one) => one.trunkBytes),
    // The browsers' side carries what SIP Server's does.
    packetsPerSecond: middle((one) => (2 * one.trunkPackets) / one.seconds),
    generatorCpuPercent: middle((one) => one.generatorCpuPercent),
    waitPercent: middle((one) => one.waitPercent),
    othersCpuPercent: middle((one) => one.othersCpuPercent),
    details: rounds,
  };
}

function tableOf({ machine, levels, valid }: AgentsReport): string {
  const head = [
    "browsers",
    "agents",
    "in calls",
    "CPU %",
    "of it main",
    "ms/call-s",
    "idle CPU %",
    "RSS MB",
    "idle RSS MB",
    "heap MB",
    "packets/s",
    "kbit/s a call, browser",
    "SIP Server",
    "200 p50 ms",
    "p99 ms",
    "sound p50 ms",
    "p99 ms",
    "loss %",
    "there and back p50 ms",
    "p99 ms",
    "load %",
    "waited %",
    "others %",
    "",
  ];
  const mb = (kb: number): string => (kb / 1024).toFixed(0);
  const rows = levels.map((one) => [
    one.codec,
    one.agents,
    one.calls,
    one.cpuPercent.toFixed(0),
    one.mainCpuPercent.toFixed(0),
    one.cpuMsPerCallSecond.toFixed(1),
    one.idleCpuPercent.toFixed(1),
    mb(one.residentKb),
    mb(one.idleMemory.residentKb),
    mb(one.mainHeapKb),
    one.packetsPerSecond.toFixed(0),
    one.browserKbitPerCall.toFixed(0),
    one.trunkKbitPerCall.toFixed(0),
    one.setUp.answerMs.p50.toFixed(0),
    one.setUp.answerMs.p99.toFixed(0),
    one.setUp.connectedMs.p50.toFixed(0),
    one.setUp.connectedMs.p99.toFixed(0),
    one.lossPercent.toFixed(2),
    one.delayMs.p50.toFixed(1),
    one.delayMs.p99.toFixed(1),
    one.generatorCpuPercent.toFixed(0),
    one.waitPercent.toFixed(0),
    one.othersCpuPercent.toFixed(0),
    one.valid ? "" : "INVALID",
  ]);
  const refused = levels.flatMap(({ codec, agents, setUp }) =>
    Object.entries(setUp.failures).map(
      ([words, count]) => `${codec}, ${agents} agents: ${count} calls not up: ${words}`,
    ),
  );
  return [
    table([head, ...rows]),
    "",
    ...refused,
    machineWords(machine, "not pinned"),
    ...(valid
      ? []
      : ["INVALID: in every round of a level the load, or the neighbours on the machine, were the limit."]),
  ].join("\n");
}

async function run(options: Options): Promise<number> {
  const machine = describeMachine(false);
  const levels: Level[] = [];
  for (const count of options.agents)
    for (const codec of options.codecs) {
      levels.push(await measureLevel(codec, count, options));
      say(
        `${codec}, ${count} agents: ${levels.at(-1)?.calls} in calls, ${levels.at(-1)?.cpuPercent.toFixed(0)} % CPU`,
      );
    }
  machine.loadAverageAfter = loadAverage();
  const { json, ...settings } = options;
  const valid = levels.every((level) => level.valid);
  const report: AgentsReport = {
    bench: "agents",
    at: new Date().toISOString(),
    machine,
    options: settings,
    valid,
    levels,
  };
  console.log(tableOf(report));
  saveReport(json, report);
  const deaf = levels.some(({ calls, lossPercent }) => calls === 0 || lossPercent >= 100);
  if (deaf) console.error("WRONG: no call, or no sound came back to the calls");
  return deaf ? 1 : 0;
}

await runProgram(async () => await run(readOptions()), usage);

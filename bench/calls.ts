/**
 * `npm run bench:calls`: how many calls a second the gateway sets up, how long each takes, and what agents and held
 * calls weigh. The whole gateway is one process; agents and SIP Server are another. See docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import type { AgentsHandlers, CallWay, SetUpFigures } from "./support/agents-process.ts";
import { median, round, table } from "./support/figures.ts";
import type { GatewayHandlers, GatewayMemory } from "./support/gateway-process.ts";
import { describeMachine, loadAverage, machineWords, type Machine } from "./support/machine.ts";
import { canPin, Child } from "./support/rpc.ts";
import type { BenchCodec } from "./support/voices.ts";
import { runProgram, saveReport } from "./support/program.ts";

const usage = `npm run bench:calls -- [options]
  --agents N             agents signed in (default 100)
  --seconds S            length of a round (default 5)
  --rounds R             rounds (default 3)
  --concurrency N        agents that call without pause in the first kind of round (default 16)
  --rates N[,N...]       calls a second in the other kinds of round, each way (default 20,50,100)
  --held N[,N...]        held calls whose memory is read (default 50,100)
  --codec opus|pcmu      what the browsers speak (default opus)
  --json FILE            write all figures there
  --pin                  hold gateway and load to a core each (the gateway's threads then share one)
  --quick                8 agents, one round of one second: does the bench work?`;

/** A round says nothing of the gateway when the load used its core up, or others had the gateway's for so long. */
const limits = { generatorCpuPercent: 90, gatewayWaitPercent: 10 };

interface Options {
  readonly agents: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly concurrency: number;
  readonly rates: readonly number[];
  readonly held: readonly number[];
  readonly speakSeconds: number;
  /** How long old transactions are waited for at the end. */
  readonly forgetSeconds: number;
  readonly codec: BenchCodec;
  readonly json: string | undefined;
  readonly pin: boolean;
}

/** One kind of round: medians over the valid ones. */
interface SetUpSummary {
  readonly way: CallWay;
  /** Calls a second asked for; undefined: as many as go. */
  readonly rate: number | undefined;
  readonly valid: boolean;
  readonly setUpsPerSecond: number;
  readonly ringMs: { readonly p50: number; readonly p99: number };
  readonly setUpMs: { readonly p50: number; readonly p99: number };
  readonly failed: number;
  readonly missed: number;
  readonly gatewayCpuMsPerCall: number;
  readonly gatewayMainCpuMsPerCall: number;
  readonly gatewayMainCpuPercent: number;
  readonly generatorCpuPercent: number;
  readonly gatewayWaitPercent: number;
  readonly othersCpuPercent: number;
  readonly details: readonly SetUpFigures[];
}

interface HeldMemory {
  readonly calls: number;
  readonly residentKbPerCall: number;
  readonly mainHeapKbPerCall: number;
  /** Sound packets that came back: the calls are alive. */
  readonly echoedPackets: number;
  readonly memory: GatewayMemory;
}

interface CallsReport {
  readonly bench: "calls";
  readonly at: string;
  readonly machine: Machine;
  readonly options: object;
  readonly valid: boolean;
  readonly setUpsPerSecond: number;
  /** Agents that dial without pause. */
  readonly full: SetUpSummary;
  /** Each rate, each way. */
  readonly steady: readonly SetUpSummary[];
  readonly signInsPerSecond: number;
  readonly memory: {
    readonly empty: GatewayMemory;
    readonly residentKbPerAgent: number;
    readonly mainHeapKbPerAgent: number;
    readonly held: readonly HeldMemory[];
    /** After everybody is gone. */
    readonly after: GatewayMemory;
  };
  /** What was left when all calls were over and all agents gone; all zero. */
  readonly left: Readonly<Record<string, number>>;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      agents: { type: "string" },
      seconds: { type: "string" },
      rounds: { type: "string" },
      concurrency: { type: "string" },
      rates: { type: "string" },
      held: { type: "string" },
      codec: { type: "string", default: "opus" },
      json: { type: "string" },
      pin: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick, codec } = values;
  const number = (text: string | undefined, usual: number, inQuick: number): number => {
    const value = text === undefined ? (quick ? inQuick : usual) : Number(text);
    if (!(value > 0)) throw new TypeError(`${text}: not a positive number`);
    return value;
  };
  const list = (text: string): number[] => text.split(",").map((one) => number(one, 0, 0));
  if (codec !== "opus" && codec !== "pcmu") throw new TypeError(`--codec ${codec}: opus or pcmu`);
  return {
    agents: number(values.agents, 100, 8),
    seconds: number(values.seconds, 5, 1),
    rounds: number(values.rounds, 3, 1),
    concurrency: number(values.concurrency, 16, 2),
    rates: list(values.rates ?? (quick ? "10" : "20,50,100")),
    held: list(values.held ?? (quick ? "4" : "50,100")),
    speakSeconds: quick ? 0.4 : 1.5,
    forgetSeconds: quick ? 0 : 45,
    codec,
    json: values.json,
    pin: values.pin && canPin(),
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

function summary(way: CallWay, rate: number | undefined, rounds: readonly SetUpFigures[]): SetUpSummary {
  const sound = rounds.filter(
    (one) =>
      one.generatorCpuPercent <= limits.generatorCpuPercent &&
      one.gatewayWaitPercent <= limits.gatewayWaitPercent,
  );
  const used = sound.length > 0 ? sound : rounds;
  const middle = (of: (one: SetUpFigures) => number): number => round(median(used.map(of)));
  return {
    way,
    rate,
    valid: sound.length > 0,
    setUpsPerSecond: middle((one) => one.setUpsPerSecond),
    ringMs: { p50: middle((one) => one.ringMs.p50), p99: middle((one) => one.ringMs.p99) },
    setUpMs: { p50: middle((one) => one.setUpMs.p50), p99: middle((one) => one.setUpMs.p99) },
    failed: rounds.reduce((sum, { failed }) => sum + failed, 0),
    missed: rounds.reduce((sum, { missed }) => sum + missed, 0),
    gatewayCpuMsPerCall: middle((one) => one.gatewayCpuMsPerCall),
    gatewayMainCpuMsPerCall: middle((one) => one.gatewayMainCpuMsPerCall),
    gatewayMainCpuPercent: middle((one) => one.gatewayMainCpuPercent),
    generatorCpuPercent: middle((one) => one.generatorCpuPercent),
    gatewayWaitPercent: middle((one) => one.gatewayWaitPercent),
    othersCpuPercent: middle((one) => one.othersCpuPercent),
    details: rounds,
  };
}

interface Bench {
  readonly gateway: Child<GatewayHandlers>;
  readonly agents: Child<AgentsHandlers>;
}

async function measureSetUps({ gateway, agents }: Bench, options: Options) {
  const { seconds, concurrency, rates } = options;
  const gatewayPid = gateway.pid;
  const dial = { way: "from agent", gatewayPid, concurrency } as const;
  await agents.call("setUps", { ...dial, seconds: Math.min(2, seconds) });
  const ways: readonly CallWay[] = ["from agent", "to agent"];
  const kinds = rates.flatMap((rate) => ways.map((way) => ({ way, rate, rounds: [] as SetUpFigures[] })));
  const full: SetUpFigures[] = [];
  for (let number = 1; number <= options.rounds; number++) {
    full.push(await agents.call("setUps", { ...dial, seconds }));
    for (const { way, rate, rounds } of kinds)
      rounds.push(await agents.call("setUps", { way, seconds, gatewayPid, rate }));
    say(`round ${number}: ${full.at(-1)?.setUpsPerSecond.toFixed(1)} set-ups per second`);
  }
  return {
    full: summary("from agent", undefined, full),
    steady: kinds.map(({ way, rate, rounds }) => summary(way, rate, rounds)),
  };
}

async function measureHeld({ gateway, agents }: Bench, options: Options): Promise<HeldMemory[]> {
  const before = await gateway.call("memory");
  const levels: HeldMemory[] = [];
  for (const calls of options.held) {
    const echoedPackets = await agents.call("hold", { calls, speakSeconds: options.speakSeconds });
    const memory = await gateway.call("memory");
    say(`${calls} calls held`);
    levels.push({
      calls,
      residentKbPerCall: Math.round((memory.residentKb - before.residentKb) / calls),
      mainHeapKbPerCall: round((memory.mainHeapKb - before.mainHeapKb) / calls, 1),
      echoedPackets,
      memory,
    });
  }
  await agents.call("release");
  return levels;
}

/** What lives when all is over; transactions go by themselves, 32 s after the last call (RFC 6026 7.1, timer M). */
async function leftBehind(
  gateway: Child<GatewayHandlers>,
  patienceSeconds: number,
): Promise<Awaited<ReturnType<GatewayHandlers["counts"]>>> {
  for (let second = 0; ; second++) {
    await new Promise((resolve) => setTimeout(resolve, second === 0 ? 300 : 1000));
    const counts = await gateway.call("counts");
    if (second >= patienceSeconds || Object.values(counts).every((count) => count === 0)) return counts;
  }
}

async function measure(bench: Bench, options: Options, machine: Machine): Promise<CallsReport> {
  const { gateway, agents } = bench;
  const { port } = await agents.call("openServer", { codec: options.codec });
  const settings = { sipServerPort: port, rtpPorts: [26_400, 32_700], workers: 1 } as const;
  // Held calls are silent while the next ones are set up: none is to be refused for what it might cost.
  const { httpPort } = await gateway.call("open", { ...settings, maxWorkerLoad: 0 });
  const url = `ws://127.0.0.1:${httpPort}/ws`;
  const { codec } = options;
  // One agent first, so that what is made once for all counts for none of them.
  await agents.call("signIn", { url, codec, count: 1 });
  const empty = await gateway.call("memory");
  const signInsPerSecond = await agents.call("signIn", { url, codec, count: options.agents });
  const signedIn = await gateway.call("memory");
  say(`${options.agents} agents signed in`);
  // Memory first: what thousands of calls leave in the heap's free space would hide what a held one takes.
  const held = await measureHeld(bench, options);
  const { full, steady } = await measureSetUps(bench, options);
  await agents.call("signOut");
  const left = await leftBehind(gateway, options.forgetSeconds);
  const after = await gateway.call("memory");
  machine.loadAverageAfter = loadAverage();
  const { json: _, ...settingsUsed } = options;
  const others = Math.max(1, options.agents - 1);
  return {
    bench: "calls",
    at: new Date().toISOString(),
    machine,
    options: settingsUsed,
    valid: full.valid && steady.every(({ valid }) => valid),
    setUpsPerSecond: full.setUpsPerSecond,
    full,
    steady,
    signInsPerSecond: round(signInsPerSecond, 1),
    memory: {
      empty,
      residentKbPerAgent: Math.round((signedIn.residentKb - empty.residentKb) / others),
      mainHeapKbPerAgent: round((signedIn.mainHeapKb - empty.mainHeapKb) / others, 1),
      held,
      after,
    },
    left: { ...left },
  };
}

function tableOf(report: CallsReport, options: Options): string {
  const { machine, memory } = report;
  const row = (name: string, one: SetUpSummary): (string | number)[] => [
    name,
    one.setUpsPerSecond.toFixed(1),
    one.ringMs.p50.toFixed(1),
    one.ringMs.p99.toFixed(1),
    one.setUpMs.p50.toFixed(1),
    one.setUpMs.p99.toFixed(1),
    one.failed,
    one.missed,
    one.gatewayMainCpuMsPerCall.toFixed(2),
    one.gatewayCpuMsPerCall.toFixed(2),
    one.gatewayMainCpuPercent.toFixed(0),
    one.generatorCpuPercent.toFixed(0),
    one.gatewayWaitPercent.toFixed(0),
    one.othersCpuPercent.toFixed(0),
    one.valid ? "" : "INVALID",
  ];
  const head = [
    "set-ups (INVITE 180 200 ACK BYE)",
    "per s",
    "180 p50 ms",
    "p99 ms",
    "200 p50 ms",
    "p99 ms",
    "failed",
    "missed",
    "main CPU-ms/call",
    "all CPU-ms/call",
    "main %",
    "load %",
    "waited %",
    "others %",
    "",
  ];
  const weights = memory.held.map(({ calls, residentKbPerCall, mainHeapKbPerCall, memory: at }) => [
    `${calls} calls held`,
    residentKbPerCall,
    mainHeapKbPerCall,
    at.residentKb,
  ]);
  return [
    table([
      head,
      row(`${options.concurrency} agents without pause`, report.full),
      ...report.steady.map((one) => row(`${one.rate} a second ${one.way}`, one)),
    ]),
    "",
    table([
      ["memory", "resident kB each", "main heap kB each", "process kB"],
      ["gateway, one agent", "", "", memory.empty.residentKb],
      [`${options.agents} agents`, memory.residentKbPerAgent, memory.mainHeapKbPerAgent, ""],
      ...weights,
      [
        "all calls over, everybody gone",
        "",
        `(${memory.after.mainHeapKb - memory.empty.mainHeapKb} more in all)`,
        memory.after.residentKb,
      ],
    ]),
    "",
    `Sign-ins per second: ${report.signInsPerSecond}. Left behind: ${JSON.stringify(report.left)}`,
    machineWords(machine, machine.pinned ? "gateway and load held to a core each" : "not pinned"),
    ...(report.valid
      ? []
      : ["INVALID: in every round of a kind the load, or the neighbours on the machine, were the limit."]),
  ].join("\n");
}

async function run(options: Options): Promise<number> {
  const machine = describeMachine(options.pin);
  const gateway = new Child<GatewayHandlers>("./gateway-process.ts", {
    cpus: options.pin ? "0" : undefined,
    nodeOptions: ["--expose-gc"],
  });
  const agents = new Child<AgentsHandlers>("./agents-process.ts", { cpus: options.pin ? "1" : undefined });
  try {
    const report = await measure({ gateway, agents }, options, machine);
    console.log(tableOf(report, options));
    saveReport(options.json, report);
    const deaf = report.memory.held.some(({ echoedPackets }) => echoedPackets === 0);
    if (deaf) console.error("WRONG: no sound came back to the held calls");
    const failed = [report.full, ...report.steady].reduce((sum, one) => sum + one.failed, 0);
    const { transactions: _, ...left } = report.left;
    const leftovers = Object.values(left).some((count) => count > 0);
    if (leftovers) console.error(`LEFT BEHIND: ${JSON.stringify(report.left)}`);
    return deaf || leftovers || failed > 0 ? 1 : 0;
  } finally {
    // One that died already is told by the call that met it.
    await gateway.call("close").catch(() => {});
    await Promise.all([gateway.stop(), agents.stop()]);
  }
}

await runProgram(async () => await run(readOptions()), usage);

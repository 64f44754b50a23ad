/**
 * `npm run bench:wrtc`: what clients of the WRTC HTTP protocol weigh that are signed in and let a poll hang, over HTTP/2
 * and HTTP/1.1, and how soon a message reaches them while calls go on. See docs/benchmarks.md.
 */
import { parseArgs } from "node:util";
import { round, table } from "./support/figures.ts";
import type { GatewayHandlers, GatewayMemory } from "./support/gateway-process.ts";
import { describeMachine, loadAverage, machineWords, type Machine } from "./support/machine.ts";
import { positive, runProgram, saveReport } from "./support/program.ts";
import { Child } from "./support/rpc.ts";
import { isUndisturbed } from "./support/validity.ts";
import type { WatchFigures, WrtcHandlers } from "./support/wrtc-process.ts";

const usage = `npm run bench:wrtc -- [options]
  --sessions N      clients signed in, each with a poll that hangs (default 500)
  --http 1|2|both   what they poll by (default both)
  --calls N         agents of the softphone that talk meanwhile (default 20)
  --seconds S       how long is looked on, without calls and with them (default 26: each poll ends once)
  --json FILE       write all figures there
  --quick           4 sessions, 1 call, 1 second: does the bench work?`;

interface Options {
  readonly sessions: number;
  readonly protocols: readonly (1 | 2)[];
  readonly calls: number;
  readonly seconds: number;
  readonly json: string | undefined;
}

/** One protocol. */
interface Level {
  readonly http: "1.1" | "2";
  readonly sessions: number;
  readonly valid: boolean;
  readonly signInsPerSecond: number;
  /** Of one session, its share of TLS and HTTP included, kB. */
  readonly residentKbPerSession: number;
  readonly heapKbPerSession: number;
  /** CPU time of the gateway, ms in a second of one session, nothing but polls going on; less that without sessions. */
  readonly idleCpuMsPerSessionSecond: number;
  readonly idleCpuPercent: number;
  readonly pollsPerSecond: number;
  readonly calls: number;
  readonly lossPercent: number;
  readonly busyCpuPercent: number;
  readonly busyMainCpuPercent: number;
  readonly memory: { readonly before: GatewayMemory; readonly parked: GatewayMemory };
  readonly idle: WatchFigures;
  readonly busy: WatchFigures;
}

interface WrtcReport {
  readonly bench: "wrtc";
  readonly at: string;
  readonly machine: Machine;
  readonly options: object;
  readonly valid: boolean;
  readonly levels: readonly Level[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      sessions: { type: "string" },
      http: { type: "string", default: "both" },
      calls: { type: "string" },
      seconds: { type: "string" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick, http } = values;
  if (http !== "1" && http !== "2" && http !== "both") throw new TypeError(`--http ${http}: 1, 2 or both`);
  return {
    sessions: positive(values.sessions ?? (quick ? "4" : "500")),
    protocols: http === "both" ? [2, 1] : [http === "1" ? 1 : 2],
    calls: positive(values.calls ?? (quick ? "1" : "20")),
    seconds: positive(values.seconds ?? (quick ? "1" : "26")),
    json: values.json,
  };
}

/** A gateway and its clients of their own, so that neither protocol inherits what the other left. */
async function measureLevel(protocol: 1 | 2, options: Options): Promise<Level> {
  const gateway = new Child<GatewayHandlers>("./gateway-process.ts", { nodeOptions: ["--expose-gc"] });
  const clients = new Child<WrtcHandlers>("./wrtc-process.ts");
  try {
    const { sessions, seconds, calls } = options;
    const { port } = await clients.call("openServer");
    const { httpPort } = await gateway.call("open", {
      sipServerPort: port,
      rtpPorts: [26_400, 32_700],
      workers: 1,
      tls: true,
      wrtc: { enabled: true, paths: [""] },
    });
    const look = { gatewayPid: gateway.pid, busy: false };
    const nobody = await clients.call("watch", { ...look, seconds: Math.min(5, seconds) });
    const before = await gateway.call("memory");
    const base = `https://127.0.0.1:${httpPort}`;
    const signInsPerSecond = await clients.call("park", { base, count: sessions, protocol });
    const parked = await gateway.call("memory");
    const idle = await clients.call("watch", { ...look, seconds });
    await clients.call("bringUp", { url: `wss://127.0.0.1:${httpPort}/ws`, calls });
    const busy = await clients.call("watch", { ...look, seconds, busy: true });
    await clients.call("release");
    const share = (of: (use: WatchFigures) => number): number =>
      of(idle) / idle.seconds - of(nobody) / nobody.seconds;
    return {
      http: protocol === 2 ? "2" : "1.1",
      sessions,
      valid: [idle, busy].every(isUndisturbed),
      signInsPerSecond: round(signInsPerSecond, 1),
      residentKbPerSession: round((parked.residentKb - before.residentKb) / sessions, 1),
      heapKbPerSession: round((parked.mainHeapKb - before.mainHeapKb) / sessions, 1),
      idleCpuMsPerSessionSecond: round(share(({ cpuMs }) => cpuMs) / sessions, 4),
      idleCpuPercent: round(share(({ cpuMs }) => cpuMs) / 10, 2),
      pollsPerSecond: round(idle.polls / idle.seconds, 1),
      calls: busy.calls,
      lossPercent: round((busy.framesLost / Math.max(1, busy.framesSent)) * 100),
      busyCpuPercent: round(busy.cpuMs / busy.seconds / 10, 1),
      busyMainCpuPercent: round(busy.mainPercent, 1),
      memory: { before, parked },
      idle,
      busy,
    };
  } finally {
    await gateway.call("close").catch(() => {});
    await Promise.all([gateway.stop(), clients.stop()]);
  }
}

function tableOf({ machine, levels, valid }: WrtcReport): string {
  const head = [
    "HTTP",
    "parked",
    "sign-ins/s",
    "RSS kB each",
    "heap kB each",
    "idle CPU %",
    "ms/session-s",
    "polls/s",
    "calls",
    "CPU %",
    "of it main",
    "loss %",
    "rung",
    "offer p50 ms",
    "p99 ms",
    "BYE p50 ms",
    "p99 ms",
    "waited %",
    "others %",
    "",
  ];
  const rows = levels.map((one) => [
    one.http,
    one.sessions,
    one.signInsPerSecond.toFixed(0),
    one.residentKbPerSession.toFixed(0),
    one.heapKbPerSession.toFixed(0),
    one.idleCpuPercent.toFixed(1),
    one.idleCpuMsPerSessionSecond.toFixed(3),
    one.pollsPerSecond.toFixed(0),
    one.calls,
    one.busyCpuPercent.toFixed(0),
    one.busyMainCpuPercent.toFixed(0),
    one.lossPercent.toFixed(2),
    one.busy.rings.calls,
    one.busy.rings.offerMs.p50.toFixed(1),
    one.busy.rings.offerMs.p99.toFixed(1),
    one.busy.rings.byeMs.p50.toFixed(1),
    one.busy.rings.byeMs.p99.toFixed(1),
    one.busy.waitPercent.toFixed(0),
    one.busy.othersCpuPercent.toFixed(0),
    one.valid ? "" : "INVALID",
  ]);
  const failed = levels.flatMap(({ http, idle, busy }) => [
    ...Object.entries(busy.rings.failures).map(
      ([words, count]) => `HTTP/${http}: ${count} calls not rung: ${words}`,
    ),
    ...(idle.faults + busy.faults > 0 ? [`HTTP/${http}: ${idle.faults + busy.faults} polls failed`] : []),
  ]);
  return [
    table([head, ...rows]),
    "",
    ...failed,
    machineWords(machine, "not pinned"),
    ...(valid ? [] : ["INVALID: the load, or the neighbours on the machine, were the limit."]),
  ].join("\n");
}

async function run(options: Options): Promise<number> {
  const machine = describeMachine(false);
  const levels: Level[] = [];
  for (const protocol of options.protocols) {
    levels.push(await measureLevel(protocol, options));
    process.stderr.write(`HTTP/${protocol}: done\n`);
  }
  machine.loadAverageAfter = loadAverage();
  const { json, ...settings } = options;
  const valid = levels.every((level) => level.valid);
  const at = new Date().toISOString();
  const report: WrtcReport = { bench: "wrtc", at, machine, options: settings, valid, levels };
  console.log(tableOf(report));
  saveReport(json, report);
  const deaf = levels.some(({ busy }) => busy.rings.calls === 0 || busy.calls === 0);
  if (deaf) console.error("WRONG: no call ran, or no message came to a parked client");
  return deaf ? 1 : 0;
}

await runProgram(async () => await run(readOptions()), usage);

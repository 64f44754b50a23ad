/**
 * `npm run bench:endpoint`: what WWE of many agents costs the gateway that serves its SIP endpoint API to all: a ping each
 * two seconds over a TLS connection of each agent's own. See docs/benchmarks.md.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { BareHandlers, Floor } from "./support/bare-process.ts";
import type { EndpointHandlers, EndpointProtocol, PingFigures } from "./support/endpoint-process.ts";
import { median, round, table } from "./support/figures.ts";
import type { GatewayHandlers } from "./support/gateway-process.ts";
import { describeMachine, loadAverage, residentKb } from "./support/machine.ts";
import { runProgram } from "./support/program.ts";
import { canPin, Child } from "./support/rpc.ts";

const usage = `npm run bench:endpoint -- [options]
  --agents N               agents (default 1000)
  --period MS              between two pings of one (default 2000)
  --protocol http1|http2|both   (default both; browsers speak HTTP/2, the bridge HTTP/1.1)
  --seconds S              length of a round (default 10)
  --rounds R               rounds (default 3)
  --json FILE              write all figures there
  --quick                  20 agents, one round of one second, the gateway alone: does the bench work?`;

/** The goal: of one core, all threads of the gateway together. */
const goalPercent = 5;

interface Options {
  readonly agents: number;
  readonly periodMs: number;
  readonly protocols: readonly EndpointProtocol[];
  readonly servers: readonly Served[];
  /** Pings at once: one by one each wakes its server; ten share a wake-up, as they do with all else of a server with calls. */
  readonly togethers: readonly number[];
  readonly seconds: number;
  readonly rounds: number;
  readonly json: string | undefined;
}

/** The gateway, or what of it is not ours. */
type Served = "gateway" | Floor;

interface Level {
  readonly served: Served;
  readonly protocol: EndpointProtocol;
  readonly agents: number;
  readonly together: number;
  readonly pingsPerSecond: number;
  readonly wrong: number;
  /** Percent of one core; `idle` before any agent was there. */
  readonly cpuPercent: number;
  readonly idleCpuPercent: number;
  readonly usPerPing: number;
  /** To the bare server, median of the rounds, each with the round of the bare server beside it. */
  readonly ratio: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number };
  readonly residentKb: number;
  readonly rounds: readonly PingFigures[];
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      agents: { type: "string" },
      period: { type: "string", default: "2000" },
      protocol: { type: "string", default: "both" },
      seconds: { type: "string" },
      rounds: { type: "string" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick, protocol } = values;
  const number = (text: string): number => {
    if (!(Number(text) > 0)) throw new TypeError(`${text}: not a positive number`);
    return Number(text);
  };
  if (protocol !== "http1" && protocol !== "http2" && protocol !== "both")
    throw new TypeError(`--protocol ${protocol}: http1, http2 or both`);
  return {
    agents: number(values.agents ?? (quick ? "20" : "1000")),
    periodMs: quick ? 200 : number(values.period),
    protocols: protocol === "both" ? ["http1", "http2"] : [protocol],
    servers: quick ? ["gateway"] : ["gateway", "bare", "tls"],
    togethers: quick ? [1] : [1, 10],
    seconds: number(values.seconds ?? (quick ? "1" : "10")),
    rounds: number(values.rounds ?? (quick ? "1" : "3")),
    json: values.json,
  };
}

interface Server {
  readonly pid: number;
  readonly port: number;
  end(): Promise<void>;
}

const adminToken = "bench-token-0123456789abcdef0123";

async function open(served: Served): Promise<Server> {
  const cpus = { cpus: canPin() ? "0" : undefined };
  if (served !== "gateway") {
    const bare = new Child<BareHandlers>("./bare-process.ts", cpus);
    const { httpPort: port } = await bare.call("open", served);
    return { pid: bare.pid, port, end: () => bare.stop() };
  }
  const gateway = new Child<GatewayHandlers>("./gateway-process.ts", cpus);
  // Nobody signs in: no SIP Server is needed.
  const { httpPort: port } = await gateway.call("open", {
    sipServerPort: 9,
    rtpPorts: [26_400, 26_499],
    workers: 1,
    tls: true,
    adminToken,
  });
  const end = async (): Promise<void> => {
    await gateway.call("close").catch(() => {});
    await gateway.stop();
  };
  return { pid: gateway.pid, port, end };
}

/** A server and its agents of their own, each held to a core of its own where there are two. */
interface Stand {
  readonly served: Served;
  readonly server: Server;
  readonly idleCpuPercent: number;
  ping(together: number): Promise<PingFigures>;
  close(): Promise<void>;
}

async function stand(served: Served, protocol: EndpointProtocol, options: Options): Promise<Stand> {
  const { agents, seconds, periodMs } = options;
  const load = new Child<EndpointHandlers>("./endpoint-process.ts", { cpus: canPin() ? "1" : undefined });
  const server = await open(served);
  const watch = { seconds, gatewayPid: server.pid, periodMs };
  const restSeconds = Math.min(3, seconds);
  // What is left of its start counts for neither.
  await load.call("rest", { ...watch, seconds: restSeconds / 2 });
  const idleMs = await load.call("rest", { ...watch, seconds: restSeconds });
  await load.call("open", { port: server.port, adminToken, agents, protocol });
  return {
    served,
    server,
    idleCpuPercent: idleMs / restSeconds / 10,
    ping: (together) => load.call("ping", { ...watch, together }),
    close: async () => {
      await load.call("close").catch(() => {});
      await Promise.all([server.end(), load.stop()]);
    },
  };
}

/** All servers of a protocol take turns: what else the machine does weighs on all. */
async function measure(protocol: EndpointProtocol, options: Options): Promise<Level[]> {
  const stands: Stand[] = [];
  try {
    for (const served of options.servers) {
      if (served === "tls" && protocol === "http2") continue;
      process.stderr.write(`${options.agents} agents, ${protocol}, ${served}\n`);
      stands.push(await stand(served, protocol, options));
    }
    const all = stands.flatMap((one) =>
      options.togethers.map((together) => ({ one, together, rounds: [] as PingFigures[] })),
    );
    // What is compiled meanwhile counts for no round.
    for (const { one, together } of all) await one.ping(together);
    for (let number = 0; number < options.rounds; number++)
      for (const { one, together, rounds } of all) rounds.push(await one.ping(together));
    return all.map(({ one, together, rounds }) => {
      const bare = all.find((other) => other.one.served === "bare" && other.together === together);
      const floor = bare?.rounds.map((figures) => usPerPing(figures, bare.one.idleCpuPercent));
      return {
        served: one.served,
        protocol,
        agents: options.agents,
        together,
        ...summary(rounds, one.idleCpuPercent, floor),
        residentKb: residentKb(one.server.pid),
      };
    });
  } finally {
    await Promise.all(stands.map((one) => one.close()));
  }
}

function usPerPing({ cpuMs, seconds, pings }: PingFigures, idleCpuPercent: number): number {
  return ((cpuMs - idleCpuPercent * 10 * seconds) / pings) * 1000;
}

/** `floor`: what a ping of each round took of the bare server, us; undefined where none ran. */
function summary(
  rounds: readonly PingFigures[],
  idleCpuPercent: number,
  floor: readonly number[] | undefined,
) {
  const of = (figure: (one: PingFigures) => number, digits = 1): number =>
    round(median(rounds.map(figure)), digits);
  const us = rounds.map((one) => usPerPing(one, idleCpuPercent));
  return {
    pingsPerSecond: of(({ pings, seconds }) => pings / seconds),
    wrong: rounds.reduce((sum, { wrong }) => sum + wrong, 0),
    cpuPercent: of(({ cpuMs, seconds }) => cpuMs / seconds / 10, 2),
    idleCpuPercent: round(idleCpuPercent, 2),
    usPerPing: round(median(us), 0),
    ratio: floor ? round(median(us.map((one, index) => one / (floor[index] ?? NaN))), 2) : 0,
    latencyMs: { p50: of(({ latencyMs }) => latencyMs.p50, 2), p99: of(({ latencyMs }) => latencyMs.p99, 2) },
    rounds,
  };
}

async function run(): Promise<number> {
  const options = readOptions();
  const machine = describeMachine(canPin());
  const levels: Level[] = [];
  for (const protocol of options.protocols) levels.push(...(await measure(protocol, options)));
  machine.loadAverageAfter = loadAverage();
  const head = [
    "",
    "server",
    "agents",
    "at once",
    "pings/s",
    "wrong",
    "CPU %",
    "idle %",
    "us/ping",
    "x bare",
    "p50 ms",
    "p99 ms",
    "MB",
  ];
  const rows = levels.map((level) => [
    level.protocol,
    level.served,
    level.agents,
    level.together,
    level.pingsPerSecond,
    level.wrong,
    level.cpuPercent,
    level.idleCpuPercent,
    level.usPerPing,
    level.ratio,
    level.latencyMs.p50,
    level.latencyMs.p99,
    Math.round(level.residentKb / 1024),
  ]);
  console.log(table([head, ...rows]));
  console.log(`CPU: of one core, all threads; goal: below ${goalPercent} % with 1,000 agents at 2 s.`);
  const { json, ...shown } = options;
  if (json !== undefined) {
    const report = { bench: "endpoint", at: new Date().toISOString(), machine, options: shown, levels };
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  }
  return levels.some(({ wrong }) => wrong > 0) ? 1 : 0;
}

await runProgram(run, usage);

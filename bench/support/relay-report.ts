import { calibrationLine, type Calibration } from "./calibration.ts";
import { median, round, table } from "./figures.ts";
import type { WaySound } from "./load-way.ts";
import { machineWords, type Machine } from "./machine.ts";
import type { Round } from "./relay-rig.ts";
import type { RelayServer } from "./relay-server.ts";
import type { BenchCodec } from "./voices.ts";

/** What a load must keep to count as carried. */
const holdLimits = { lossPercent: 0.1, addedLatencyP99Ms: 60 } as const;

/** All rounds of one number of calls of one codec. */
export interface Level {
  /** Codec, and what else tells the variant from others of the run. */
  readonly name: string;
  readonly relay: RelayServer["name"];
  readonly workers: number;
  readonly codec: BenchCodec;
  readonly calls: number;
  readonly rounds: readonly Round[];
  readonly memoryKbPerCall: number;
}

interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** A level's figures: medians over its valid rounds (over all of them where none is valid, and `valid` false). */
export interface LevelFigures {
  readonly name: string;
  readonly relay: RelayServer["name"];
  readonly workers: number;
  readonly codec: BenchCodec;
  readonly calls: number;
  readonly valid: boolean;
  readonly validRounds: number;
  readonly rounds: number;
  readonly holds: boolean;
  readonly cpuMsPerCallSecond: number;
  readonly cpuMsPerCallSecondSpread: readonly [number, number];
  readonly cpuPercentOfCore: number;
  readonly lossPercent: number;
  readonly addedLatencyMs: Latency & { readonly toTrunk: Latency; readonly toBrowser: Latency };
  readonly soundDelayMs: { readonly toTrunk: number; readonly toBrowser: number };
  readonly soundSnrDb: { readonly toTrunk: number; readonly toBrowser: number };
  readonly soundOk: boolean;
  /** False when so much was lost in every round that sound says nothing more. */
  readonly soundJudged: boolean;
  readonly memoryKbPerCall: number;
  /** Frames the relay made up, and those left out on purpose in whose place nothing came (percent of the latter). */
  readonly framesRecovered: number;
  readonly framesConcealed: number;
  readonly uncoveredPercent: number;
  readonly setUps:
    { readonly perSecond: number; readonly failed: number; readonly handshakeP50Ms: number } | undefined;
  readonly generator: {
    readonly cpuPercent: number;
    readonly usPerPacket: number;
    readonly latenessP99Ms: number;
    readonly othersCpuPercent: number;
  };
  /** Share of the time in which others had the server's core. */
  readonly serverWaitPercent: number;
  readonly details: readonly Round[];
}

/** What calls on hold cost. */
export interface IdleFigures {
  readonly calls: number;
  readonly codec: BenchCodec;
  readonly emptyPercentOfCore: number;
  readonly heldPercentOfCore: number;
  readonly cpuMsPerCallSecond: number;
  readonly memoryKbPerCall: number;
}

/** Two variants under the same load in the same run. */
export interface Comparison {
  readonly codec: BenchCodec;
  readonly calls: number;
  readonly one: string;
  readonly other: string;
  readonly cpuMsPerCallSecond: readonly [number, number];
  /** CPU of the other over CPU of the one. */
  readonly ratio: number;
}

export interface RelayReport {
  readonly bench: "relay";
  readonly at: string;
  readonly machine: Machine;
  readonly calibration: Calibration;
  readonly idle: IdleFigures | undefined;
  readonly comparisons: readonly Comparison[];
  readonly options: object;
  /** The first variant's highest level: what a check of one number looks at. */
  readonly calls: number;
  readonly cpuMsPerCallSecond: number;
  readonly lossPercent: number;
  readonly addedLatencyMs: Latency;
  readonly valid: boolean;
  readonly soundOk: boolean;
  /** By variant (of one worker of ours: by codec), the most calls that held among those tried. */
  readonly callsHeld: Readonly<Record<string, number>>;
  /** CPU of Opus over CPU of PCMU at the same calls in the same run. */
  readonly opusToPcmuCpu: number | undefined;
  readonly levels: readonly LevelFigures[];
}

export function levelFigures({
  name,
  relay,
  workers,
  codec,
  calls,
  rounds,
  memoryKbPerCall,
}: Level): LevelFigures {
  const sound = rounds.filter(({ invalid }) => invalid.length === 0);
  const used = sound.length > 0 ? sound : rounds;
  const middle = (of: (one: Round) => number): number => round(median(used.map(of)));
  const cpu = used.map(({ cpuMsPerCallSecond }) => cpuMsPerCallSecond);
  const latency = (of: (one: Round) => Latency): Latency => ({
    p50: middle((one) => of(one).p50),
    p99: middle((one) => of(one).p99),
  });
  const sounds = (way: WaySound["way"], of: (one: WaySound) => number): number =>
    round(median(used.flatMap((one) => one.sound.filter((heard) => heard.way === way).map(of))), 1);
  const soundOk = rounds.every((one) => one.sound.every(({ ok }) => ok));
  const judged = rounds.some((one) => one.sound.length > 0);
  const lossPercent = round(median(used.map((one) => one.lossPercent)), 4);
  const addedLatencyMs = {
    ...latency((one) => one.latencyMs),
    toTrunk: latency((one) => one.toTrunk.latencyMs),
    toBrowser: latency((one) => one.toBrowser.latencyMs),
  };
  const valid = sound.length > 0;
  const setUps = used.flatMap((one) => (one.setUps ? [one.setUps] : []));
  return {
    name,
    relay,
    workers,
    codec,
    calls,
    valid,
    validRounds: sound.length,
    rounds: rounds.length,
    holds:
      valid &&
      soundOk &&
      judged &&
      lossPercent < holdLimits.lossPercent &&
      addedLatencyMs.p99 < holdLimits.addedLatencyP99Ms,
    cpuMsPerCallSecond: middle((one) => one.cpuMsPerCallSecond),
    cpuMsPerCallSecondSpread: [round(Math.min(...cpu)), round(Math.max(...cpu))],
    cpuPercentOfCore: middle((one) => (one.serverCpuMs / (one.windowSeconds * 1000)) * 100),
    lossPercent,
    addedLatencyMs,
    soundDelayMs: {
      toTrunk: sounds("toTrunk", ({ delayMs }) => delayMs),
      toBrowser: sounds("toBrowser", ({ delayMs }) => delayMs),
    },
    soundSnrDb: {
      toTrunk: sounds("toTrunk", ({ snrDb }) => snrDb),
      toBrowser: sounds("toBrowser", ({ snrDb }) => snrDb),
    },
    soundOk,
    soundJudged: judged,
    memoryKbPerCall: Math.round(memoryKbPerCall),
    framesRecovered: middle((one) => one.framesRecovered),
    framesConcealed: middle((one) => one.framesConcealed),
    uncoveredPercent: middle((one) => one.uncoveredPercent),
    setUps:
      setUps.length === 0
        ? undefined
        : {
            perSecond: round(median(setUps.map(({ perSecond }) => perSecond)), 1),
            failed: setUps.reduce((sum, { failed }) => sum + failed, 0),
            handshakeP50Ms: round(median(setUps.map(({ handshakeMs }) => handshakeMs.p50)), 1),
          },
    generator: {
      usPerPacket: middle((one) => one.generatorUsPerPacket),
      cpuPercent: middle((one) => one.generatorCpuPercent),
      latenessP99Ms: middle((one) => one.latenessMs.p99),
      othersCpuPercent: middle((one) => one.othersCpuPercent),
    },
    serverWaitPercent: middle((one) => one.serverWaitPercent),
    details: rounds,
  };
}

export interface RelayRun {
  readonly machine: Machine;
  readonly options: object;
  readonly calibration: Calibration;
  readonly idle: IdleFigures | undefined;
  readonly levels: readonly Level[];
}

export function relayReport({ machine, options, calibration, idle, levels }: RelayRun): RelayReport {
  const figures = levels.map(levelFigures);
  const ours = figures.filter(({ relay }) => relay === "jackfield");
  const names = [...new Set(figures.map(({ name }) => name))];
  const top = figures.findLast(({ name }) => name === names[0]);
  const held = names.map((name) => {
    const calls = figures.filter((one) => one.name === name && one.holds).map((one) => one.calls);
    return [name, Math.max(0, ...calls)] as const;
  });
  const both = ours.findLast((one) => one.codec === "opus" && ours.some((other) => isPair(one, other)));
  const pcmu = ours.find((other) => both && isPair(both, other));
  return {
    bench: "relay",
    at: new Date().toISOString(),
    machine,
    calibration,
    idle,
    comparisons: comparisonsOf(figures),
    options,
    calls: top?.calls ?? 0,
    cpuMsPerCallSecond: top?.cpuMsPerCallSecond ?? NaN,
    lossPercent: top?.lossPercent ?? NaN,
    addedLatencyMs: top?.addedLatencyMs ?? { p50: NaN, p99: NaN },
    valid: figures.every(({ valid }) => valid),
    // Somebody else's sound is told of, but is not ours to answer for.
    soundOk: ours.every(({ soundOk }) => soundOk) && ours.some(({ soundJudged }) => soundJudged),
    callsHeld: Object.fromEntries(held),
    opusToPcmuCpu: both && pcmu && round(both.cpuMsPerCallSecond / pcmu.cpuMsPerCallSecond),
    levels: figures,
  };
}

/** Each variant with the first one of its codec, at the same calls. */
function comparisonsOf(figures: readonly LevelFigures[]): Comparison[] {
  return figures.flatMap((other): Comparison[] => {
    const one = figures.find(({ codec, calls }) => codec === other.codec && calls === other.calls);
    if (!one || one.name === other.name) return [];
    const cpu = [one.cpuMsPerCallSecond, other.cpuMsPerCallSecond] as const;
    const { codec, calls } = other;
    const ratio = round(cpu[1] / cpu[0]);
    return [{ codec, calls, one: one.name, other: other.name, cpuMsPerCallSecond: cpu, ratio }];
  });
}

function isPair(one: LevelFigures, other: LevelFigures): boolean {
  return (
    one.codec === "opus" &&
    other.codec === "pcmu" &&
    one.calls === other.calls &&
    one.workers === other.workers
  );
}

/** CPU against what Opus alone costs on this machine, for levels that transcode. */
function timesFloor({ codec, cpuMsPerCallSecond }: LevelFigures, { opusFloorMs }: Calibration): string {
  return codec === "opus" ? (cpuMsPerCallSecond / opusFloorMs).toFixed(2) : "-";
}

export function relayTable(report: RelayReport): string {
  const { machine } = report;
  const head = [
    "codec",
    "calls",
    "CPU-ms/call-s",
    "spread",
    "x floor",
    "% of core",
    "loss %",
    "p50 ms",
    "p99 ms",
    "sound delay ms (trunk/browser)",
    "SNR dB (trunk/browser)",
    "kB/call",
    "load CPU %",
    "load us/packet",
    "late p99 ms",
    "waited %",
    "others %",
    "holds",
  ];
  const rows = report.levels.map((level) => [
    level.name,
    level.calls,
    level.cpuMsPerCallSecond.toFixed(2),
    level.cpuMsPerCallSecondSpread.map((value) => value.toFixed(2)).join("-"),
    timesFloor(level, report.calibration),
    level.cpuPercentOfCore.toFixed(0),
    level.lossPercent.toFixed(3),
    level.addedLatencyMs.p50.toFixed(2),
    level.addedLatencyMs.p99.toFixed(2),
    level.soundJudged ? `${level.soundDelayMs.toTrunk}/${level.soundDelayMs.toBrowser}` : "-",
    level.soundJudged ? `${level.soundSnrDb.toTrunk}/${level.soundSnrDb.toBrowser}` : "-",
    level.memoryKbPerCall,
    level.generator.cpuPercent.toFixed(0),
    level.generator.usPerPacket.toFixed(1),
    level.generator.latenessP99Ms.toFixed(1),
    level.serverWaitPercent.toFixed(0),
    level.generator.othersCpuPercent.toFixed(0),
    level.valid ? (level.holds ? "yes" : "no") : "INVALID",
  ]);
  const lines = [
    table([head, ...rows]),
    "",
    machineWords(machine, machine.pinned ? "server and load held to a core each" : "not pinned"),
    `Medians over valid rounds. CPU: all threads of the server process. Holds: loss < ${holdLimits.lossPercent} % and p99 < ${holdLimits.addedLatencyP99Ms} ms, sound right, load generator not the limit.`,
  ];
  lines.push(calibrationLine(report.calibration), ...extras(report));
  if (report.opusToPcmuCpu !== undefined) lines.push(`CPU of Opus : PCMU = ${report.opusToPcmuCpu}.`);
  if (!report.valid)
    lines.push(
      "INVALID: in every round of a level the load generator, or the neighbours on the machine, were the limit.",
    );
  lines.push(...garbled(report));
  return lines.join("\n");
}

function extras({ idle, levels, comparisons }: RelayReport): string[] {
  const lines: string[] = [];
  if (idle)
    lines.push(
      `${idle.calls} ${idle.codec} calls on hold: ${idle.heldPercentOfCore} % of a core, ${idle.emptyPercentOfCore} % without any: ${idle.cpuMsPerCallSecond} CPU-ms per call-second; ${idle.memoryKbPerCall} kB each.`,
    );
  for (const level of levels) {
    if (level.setUps)
      lines.push(
        `${level.name}, ${level.calls} calls: ${level.setUps.perSecond} more set up a second meanwhile, ${level.setUps.handshakeP50Ms} ms each, ${level.setUps.failed} failed.`,
      );
    if (!Number.isNaN(level.uncoveredPercent))
      lines.push(
        `${level.name}, ${level.calls} calls: of the frames left out ${level.uncoveredPercent} % were not covered; ${level.framesRecovered} recovered by FEC, ${level.framesConcealed} concealed in a round.`,
      );
  }
  for (const { calls, one, other, ratio, cpuMsPerCallSecond } of comparisons)
    lines.push(
      `${calls} calls, CPU of ${other} : ${one} = ${ratio} (${cpuMsPerCallSecond[1]} : ${cpuMsPerCallSecond[0]}).`,
    );
  return lines;
}

function garbled(report: RelayReport): string[] {
  if (report.soundOk) return ["Sound of the sampled calls is right."];
  const bad = report.levels.flatMap((level) =>
    level.details.flatMap((one) =>
      one.sound
        .filter(({ ok }) => !ok)
        .map(
          ({ call, way, snrDb, exact }) =>
            `  ${level.name}, call ${call}, ${way}: ${snrDb.toFixed(1)} dB${exact === undefined ? "" : `, ${(exact * 100).toFixed(1)} % of frames exact`}`,
        ),
    ),
  );
  if (bad.length === 0) return ["SOUND NOT JUDGED: too much was lost in every round."];
  return ["SOUND IS WRONG:", ...bad.slice(0, 12)];
}

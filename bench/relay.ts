/**
 * `npm run bench:relay`: what the media relay costs and how much it adds. A server process (the media pool, one worker)
 * is loaded by another process with browsers and trunks; rounds of the variants alternate. See docs/benchmarks.md.
 */
import { Calibrator } from "./support/calibration.ts";
import { median, round as rounded } from "./support/figures.ts";
import { describeMachine, loadAverage } from "./support/machine.ts";
import { saveReport } from "./support/program.ts";
import {
  coresFor,
  readRelayOptions,
  relayUsage,
  UsageError,
  type RelayOptions,
} from "./support/relay-options.ts";
import {
  levelFigures,
  relayReport,
  relayTable,
  type IdleFigures,
  type Level,
} from "./support/relay-report.ts";
import { RelayRig, type RigOptions, type Round } from "./support/relay-rig.ts";

const portsEach = 3180;
/** Where Linux's ephemeral ports begin, less some. */
const portsEnd = 32_760;
const firstControlPort = 19_800;

/** Ports of a variant's calls: below the ephemeral ones, slices side by side. */
function portsOf(index: number): [number, number] {
  const first = portsEnd - (index + 1) * portsEach;
  return [first, first + portsEach - 1];
}

/** The variants that take turns. */
function variants(options: RelayOptions): RigOptions[] {
  const { codecs, workers, profile, band, lossPercent, even, garble, compareWorkers, cpuProf } = options;
  const common = { profile, band, lossPercent, even, garble, sampled: 4, cpuProf };
  const kinds = codecs.flatMap((codec) => [
    ...(compareWorkers ? [1, 2] : [workers]).map((count) => ({
      codec,
      workers: count,
      relay: "jackfield" as const,
    })),
    ...(options.rtpengine ? [{ codec, workers, relay: "rtpengine" as const }] : []),
  ]);
  // All on the same cores, or they could not be compared.
  const cores = coresFor(options, Math.max(...kinds.map((kind) => kind.workers)));
  return kinds.map((kind, index) => ({
    ...common,
    ...kind,
    rtpPorts: portsOf(index),
    controlPort: firstControlPort + index,
    serverCpus: cores.server,
    loadCpus: cores.load,
  }));
}

/** One level: rounds of all variants in turn, after one that is not counted. */
async function measure(
  options: RelayOptions,
  rigs: readonly RelayRig[],
  calls: number,
  calibrator: Calibrator,
): Promise<Level[]> {
  const { seconds, settleSeconds } = options;
  for (const rig of rigs) {
    say(`${rig.name}: setting up ${calls} calls`);
    await rig.setCalls(calls);
    await rig.round({ seconds: options.warmUpSeconds, settleSeconds: 0 });
  }
  const rounds = rigs.map((): Round[] => []);
  // Rounds that say nothing are made up for, once.
  const enough = (made: readonly Round[]): boolean =>
    made.filter(({ invalid }) => invalid.length === 0).length >= options.rounds;
  for (let number = 1; number <= options.rounds * 2; number++) {
    if (number > options.rounds && (options.rounds === 1 || rounds.every(enough))) break;
    calibrator.take();
    for (const [index, rig] of rigs.entries()) {
      const ours = rig.options.relay === "jackfield";
      const setUpsPerSecond = ours ? options.setUpsPerSecond : 0;
      const round = await rig.round({ seconds, settleSeconds, setUpsPerSecond });
      rounds[index]?.push(round);
      say(`${rig.name}, ${calls} calls, round ${number}: ${inShort(round)}`);
    }
  }
  return rigs.map((rig, index) => ({
    name: rig.name,
    relay: rig.options.relay,
    workers: rig.options.workers,
    codec: rig.options.codec,
    calls,
    rounds: rounds[index] ?? [],
    memoryKbPerCall: rig.memoryKbPerCall,
  }));
}

function inShort(round: Round): string {
  const told = [
    `${round.cpuMsPerCallSecond.toFixed(2)} CPU-ms per call-second`,
    `loss ${round.lossPercent.toFixed(2)} %`,
    `p99 ${round.latencyMs.p99.toFixed(1)} ms`,
  ];
  if (round.setUps)
    told.push(
      `${round.setUps.perSecond.toFixed(1)} set-ups a second, p50 ${round.setUps.handshakeMs.p50.toFixed(0)} ms, ${round.setUps.failed} failed`,
    );
  if (round.invalid.length > 0) told.push(`INVALID: ${round.invalid.join("; ")}`);
  return told.join(", ");
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What calls on hold cost: CPU of the server with them, less that of the server without any. */
async function measureIdle(options: RelayOptions, rig: RelayRig): Promise<IdleFigures> {
  const { idleCalls: calls, seconds, rounds } = options;
  const read = async (): Promise<number[]> => {
    const percents: number[] = [];
    for (let number = 0; number < rounds; number++) percents.push((await rig.idle(seconds)) / (seconds * 10));
    return percents;
  };
  await rig.idle(1);
  const empty = await read();
  say(`${rig.name}: setting up ${calls} calls to be held`);
  await rig.setCalls(calls);
  // Codecs come into being with the first sound.
  await rig.round({ seconds: 1, settleSeconds: 0 });
  await rig.idle(1);
  const held = await read();
  const figures = {
    calls,
    codec: rig.options.codec,
    emptyPercentOfCore: rounded(median(empty)),
    heldPercentOfCore: rounded(median(held)),
    cpuMsPerCallSecond: rounded(((median(held) - median(empty)) * 10) / calls, 4),
    memoryKbPerCall: Math.round(rig.memoryKbPerCall),
  };
  await rig.setCalls(0);
  return figures;
}

/** The most calls that hold: up by half until they do not, then between the two, to a twentieth. */
async function search(
  options: RelayOptions,
  rigs: readonly RelayRig[],
  levels: Level[],
  calibrator: Calibrator,
): Promise<void> {
  const { mostCalls } = options;
  // The others' calls go: one variant at a time has the machine.
  for (const rig of rigs) await rig.setCalls(0);
  for (const rig of rigs) {
    const own = levels.filter(({ name }) => name === rig.name).map(levelFigures);
    let held = Math.max(0, ...own.filter(({ holds }) => holds).map(({ calls }) => calls));
    let failed = Math.min(
      Infinity,
      ...own.filter(({ holds, calls }) => !holds && calls > held).map((one) => one.calls),
    );
    while (failed - held > Math.max(4, held / 20) && held < mostCalls) {
      const next = Math.min(
        mostCalls,
        failed === Infinity ? Math.ceil(held * 1.5) : Math.round((held + failed) / 2),
      );
      const [level] = await measure(options, [rig], next, calibrator);
      if (!level) break;
      levels.push(level);
      if (levelFigures(level).holds) held = next;
      else failed = next;
      say(`${rig.name}: ${held} calls hold${failed === Infinity ? "" : `, ${failed} do not`}`);
    }
    await rig.setCalls(0);
  }
}

/** All or none. */
async function openAll(wanted: readonly RigOptions[]): Promise<RelayRig[]> {
  const outcomes = await Promise.allSettled(wanted.map((one) => RelayRig.open(one)));
  const rigs = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (!failed) return rigs;
  await Promise.all(rigs.map((rig) => rig.close()));
  throw failed.reason;
}

async function run(options: RelayOptions): Promise<number> {
  const wanted = variants(options);
  const machine = describeMachine(wanted[0]?.serverCpus !== undefined);
  // Nothing is measured yet: all get ready at once.
  const [calibrator, rigs] = await Promise.all([Calibrator.create(options.band), openAll(wanted)]);
  const levels: Level[] = [];
  let idle: IdleFigures | undefined;
  try {
    const [first] = rigs;
    if (first && options.idleCalls > 0) idle = await measureIdle(options, first);
    for (const calls of options.levels) levels.push(...(await measure(options, rigs, calls, calibrator)));
    if (options.search) await search(options, rigs, levels, calibrator);
  } finally {
    await Promise.all(rigs.map((rig) => rig.close()));
  }
  machine.loadAverageAfter = loadAverage();
  const { json, ...settings } = options;
  const report = relayReport({ machine, options: settings, calibration: calibrator.result, idle, levels });
  calibrator.free();
  console.log(relayTable(report));
  saveReport(json, report);
  return report.soundOk ? 0 : 1;
}

try {
  process.exitCode = await run(readRelayOptions());
} catch (error) {
  const known = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  console.error(known ? `${error.message}\n\n${relayUsage}` : error);
  process.exitCode = known ? 2 : 1;
}

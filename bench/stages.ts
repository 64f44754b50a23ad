/** `npm run bench:stages`: what each step of a packet's way through the relay costs alone. See docs/benchmarks.md. */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { calibrationLine, Calibrator, type Calibration } from "./support/calibration.ts";
import { median, round, table } from "./support/figures.ts";
import { describeMachine, loadAverage, type Machine } from "./support/machine.ts";
import { codecStages } from "./support/stages/codecs.ts";
import { packetStages } from "./support/stages/packets.ts";
import { relayStages } from "./support/stages/relay.ts";
import { socketStages } from "./support/stages/sockets.ts";
import { stagesNamed, type Stage, type StageSize } from "./support/stages/stage.ts";
import { runProgram } from "./support/program.ts";

const usage = `npm run bench:stages -- [options]
  --rounds R    rounds over all stages in turn (default 9)
  --only TEXT   stages whose name contains it; of the relay's, all with the one that drives them
  --json FILE   write all figures there
  --quick       two short rounds: does the bench work?`;

const groups = [packetStages, codecStages, socketStages, relayStages] as const;
/** Rounds before the first that counts: the code is compiled meanwhile. */
const warmUps = 3;

interface StageFigures {
  readonly name: string;
  readonly medianUs: number;
  readonly minUs: number;
  readonly maxUs: number;
  readonly roundsUs: readonly number[];
}

interface StagesReport {
  readonly bench: "stages";
  readonly at: string;
  readonly machine: Machine;
  readonly calibration: Calibration;
  readonly stages: readonly StageFigures[];
}

interface Options {
  readonly rounds: number;
  /** In lower case. */
  readonly only: string;
  readonly json: string | undefined;
  readonly size: StageSize;
  readonly warmUps: number;
}

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string" },
      only: { type: "string", default: "" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick, only, json } = values;
  const rounds = Number(values.rounds ?? (quick ? "2" : "9"));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds ${values.rounds}: not a whole number`);
  return {
    rounds,
    only: only.toLowerCase(),
    json,
    size: quick ? { cheap: 2000, dear: 100 } : { cheap: 200_000, dear: 1000 },
    warmUps: quick ? 1 : warmUps,
  };
}

async function run(): Promise<void> {
  const options = readOptions();
  const machine = describeMachine(false);
  const calibrator = await Calibrator.create("narrow");
  const made: Stage[] = [];
  let figures: StageFigures[];
  try {
    for (const group of groups) made.push(...(await group(options.size)));
    figures = await measure(options, made, calibrator);
  } finally {
    for (const stage of made) await stage.close?.();
  }
  machine.loadAverageAfter = loadAverage();
  const report: StagesReport = {
    bench: "stages",
    at: new Date().toISOString(),
    machine,
    calibration: calibrator.result,
    stages: figures,
  };
  calibrator.free();
  console.log(textOf(report));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report, undefined, 2)}\n`);
}

async function measure(
  options: Options,
  made: readonly Stage[],
  calibrator: Calibrator,
): Promise<StageFigures[]> {
  const stages = stagesNamed(options.only, made);
  const readings = stages.map((): number[] => []);
  for (let number = -options.warmUps; number < options.rounds; number++) {
    calibrator.take();
    for (const [index, stage] of stages.entries()) {
      const us = await stage.measure();
      if (number >= 0) readings[index]?.push(us);
    }
    if (number >= 0) process.stderr.write(`round ${number + 1} of ${options.rounds}\n`);
  }
  return stages.map(({ name }, index) => figuresOf(name, readings[index] ?? []));
}

function figuresOf(name: string, us: readonly number[]): StageFigures {
  return {
    name,
    medianUs: round(median(us), 3),
    minUs: round(Math.min(...us), 3),
    maxUs: round(Math.max(...us), 3),
    roundsUs: us.map((one) => round(one, 3)),
  };
}

function textOf({ machine, calibration, stages }: StagesReport): string {
  const digits = (us: number): string => us.toFixed(us < 1 ? 3 : us < 10 ? 2 : 1);
  return [
    table([
      ["stage", "median us", "min us", "max us"],
      ...stages.map((one) => [one.name, digits(one.medianUs), digits(one.minUs), digits(one.maxUs)]),
    ]),
    "",
    calibrationLine(calibration),
    `Machine: ${machine.cpu}, ${machine.cores} cores, Node ${machine.node}; load average ${machine.loadAverageBefore[0]} before, ${machine.loadAverageAfter[0]} after.`,
    "CPU of the process per packet, user and system, all threads; stages interleaved, so that the machine's moods meet all of them.",
  ].join("\n");
}

await runProgram(async () => {
  await run();
  return 0;
}, usage);

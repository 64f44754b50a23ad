/**
 * `npm run bench:relay`: what the media relay costs and how much it adds. A server process (the media pool, one worker)
 * is loaded by another process with browsers and trunks; rounds of the variants alternate. See docs/benchmarks.md.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { describeMachine, loadAverage } from "./support/machine.ts";
import { relayReport, relayTable, type Level } from "./support/relay-report.ts";
import { RelayRig, type Round } from "./support/relay-rig.ts";
import { canPin } from "./support/rpc.ts";
import type { Profile } from "./support/browser-end.ts";
import type { Band, BenchCodec } from "./support/voices.ts";

const usage = `npm run bench:relay -- [options]
  --calls N[,N...]       calls at one time, one level after the other (default 100)
  --codec opus|pcmu|both what the browsers speak (default both)
  --seconds S            length of a round (default 5)
  --rounds R             rounds of each level and codec (default 3)
  --workers N            media workers (default 1)
  --profile cm|gcm       SRTP profile (default cm)
  --band narrow|full     the browsers' Opus (default narrow, as our SDP asks for)
  --search               raise the calls by a fifth until they do not hold
  --json FILE            write all figures there
  --no-pin               do not hold server and load to a core each
  --quick                4 calls, one round of one second: does the bench work?
  --garble               mix the sound up on purpose: the check must fail`;

interface Options {
  readonly levels: readonly number[];
  readonly codecs: readonly BenchCodec[];
  readonly seconds: number;
  readonly settleSeconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly workers: number;
  readonly profile: Profile;
  readonly band: Band;
  readonly search: boolean;
  readonly json: string | undefined;
  readonly pin: boolean;
  readonly garble: boolean;
}

class UsageError extends Error {}

function choice<T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new UsageError(`--${name} ${value}: ${allowed.join(", ")}`);
  return found;
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (!(number > 0)) throw new UsageError(`--${name} ${value}: not a positive number`);
  return number;
}

function whole(name: string, value: string): number {
  const number = positive(name, value);
  if (!Number.isInteger(number)) throw new UsageError(`--${name} ${value}: not a whole number`);
  return number;
}

function readOptions(): Options {
  const text = (value: string) => ({ type: "string", default: value }) as const;
  const { values } = parseArgs({
    options: {
      calls: { type: "string" },
      codec: text("both"),
      seconds: { type: "string" },
      rounds: { type: "string" },
      workers: text("1"),
      profile: text("cm"),
      band: text("narrow"),
      search: { type: "boolean", default: false },
      json: { type: "string" },
      "no-pin": { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      garble: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const codec = choice("codec", values.codec, ["opus", "pcmu", "both"]);
  const levels = (values.calls ?? (quick ? "4" : "100")).split(",").map((value) => whole("calls", value));
  return {
    levels: levels.sort((one, other) => one - other),
    codecs: codec === "both" ? ["opus", "pcmu"] : [codec],
    seconds: positive("seconds", values.seconds ?? (quick ? "1" : "5")),
    settleSeconds: quick ? 0.1 : 0.5,
    warmUpSeconds: quick ? 0.5 : 3,
    rounds: whole("rounds", values.rounds ?? (quick ? "1" : "3")),
    workers: whole("workers", values.workers),
    profile: choice("profile", values.profile, ["cm", "gcm"]),
    band: choice("band", values.band, ["narrow", "full"]),
    search: values.search,
    json: values.json,
    pin: !values["no-pin"] && !quick && canPin(),
    garble: values.garble,
  };
}

/** Ports of a variant's calls: below the ephemeral ones, two slices side by side. */
function portsOf(index: number): [number, number] {
  const [first, each] = [26_400, 3180];
  return [first + index * each, first + (index + 1) * each - 1];
}

/** One level: rounds of all variants in turn, after one that is not counted. */
async function measure(options: Options, rigs: readonly RelayRig[], calls: number): Promise<Level[]> {
  const { seconds, settleSeconds } = options;
  for (const rig of rigs) {
    say(`${rig.options.codec}: setting up ${calls} calls`);
    await rig.growTo(calls);
    await rig.round({ seconds: options.warmUpSeconds, settleSeconds: 0 });
  }
  const rounds = rigs.map((): Round[] => []);
  // Rounds that say nothing are made up for, once.
  const enough = (made: readonly Round[]): boolean =>
    made.filter(({ invalid }) => invalid.length === 0).length >= options.rounds;
  for (let number = 1; number <= options.rounds * 2; number++) {
    if (number > options.rounds && (options.rounds === 1 || rounds.every(enough))) break;
    for (const [index, rig] of rigs.entries()) {
      const round = await rig.round({ seconds, settleSeconds });
      rounds[index]?.push(round);
      say(`${rig.options.codec}, ${calls} calls, round ${number}: ${inShort(round)}`);
    }
  }
  return rigs.map((rig, index) => ({
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
  if (round.invalid.length > 0) told.push(`INVALID: ${round.invalid.join("; ")}`);
  return told.join(", ");
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

async function run(options: Options): Promise<number> {
  const machine = describeMachine(options.pin);
  const rigs: RelayRig[] = [];
  const levels: Level[] = [];
  try {
    for (const [index, codec] of options.codecs.entries()) {
      const { workers, profile, band, garble, pin } = options;
      const rig = { codec, workers, profile, band, garble, pin, sampled: 4, rtpPorts: portsOf(index) };
      rigs.push(await RelayRig.open(rig));
    }
    for (const calls of options.levels) levels.push(...(await measure(options, rigs, calls)));
    if (options.search) await search(options, rigs, levels);
  } finally {
    await Promise.all(rigs.map((rig) => rig.close()));
  }
  machine.loadAverageAfter = loadAverage();
  const { json, ...settings } = options;
  const report = relayReport(machine, settings, levels);
  console.log(relayTable(report));
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`);
  return report.soundOk ? 0 : 1;
}

/** Raises each variant's calls by a fifth until a level does not hold; the others rest meanwhile. */
async function search(options: Options, rigs: readonly RelayRig[], levels: Level[]): Promise<void> {
  for (const rig of rigs) {
    for (;;) {
      const last = levels.findLast(({ codec }) => codec === rig.options.codec);
      if (!last || !relayReport(describeMachine(options.pin), {}, [last]).levels[0]?.holds) break;
      const next = Math.ceil((last.calls * 6) / 5);
      levels.push(...(await measure(options, [rig], next)));
    }
  }
}

try {
  process.exitCode = await run(readOptions());
} catch (error) {
  const known = error instanceof UsageError || (error instanceof TypeError && "code" in error);
  console.error(known ? `${error.message}\n\n${usage}` : error);
  process.exitCode = known ? 2 : 1;
}

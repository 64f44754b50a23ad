import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { Profile } from "./browser-end.ts";
import { canPin } from "./rpc.ts";
import { hasRtpengine } from "./rtpengine.ts";
import type { Band, BenchCodec } from "./voices.ts";

export const relayUsage = `npm run bench:relay -- [options]
  --calls N[,N...]       calls at one time, one level after the other (default 100)
  --codec opus|pcmu|both what the browsers speak (default both)
  --seconds S            length of a round (default 5)
  --rounds R             rounds of each level and codec (default 3)
  --workers N            media workers (default 1)
  --profile cm|gcm       SRTP profile (default cm)
  --band narrow|full     the browsers' Opus (default narrow, as our SDP asks for)
  --loss P               leaves P percent of the packets out at random, both ways (default 0)
  --even                 packets one by one, evenly spread, instead of in bursts 1 ms apart; takes the load's whole core
  --search               finds the most calls that hold: half as many more until they do not, then halving
  --setups R             sets R more calls a second up and ends them while the others run
  --idle N               before all else: what N calls on hold cost
  --compare-workers      the same load on one worker and on two
  --rtpengine            the same load through rtpengine, where it is installed
  --json FILE            write all figures there
  --no-pin               do not hold server and load to a core each
  --cpu-prof FOLDER      V8 CPU profiles of server and load go there
  --quick                4 calls, one round of one second: does the bench work?
  --garble               mix the sound up on purpose: the check must fail`;

export interface RelayOptions {
  readonly levels: readonly number[];
  readonly codecs: readonly BenchCodec[];
  readonly seconds: number;
  readonly settleSeconds: number;
  readonly warmUpSeconds: number;
  readonly rounds: number;
  readonly workers: number;
  readonly profile: Profile;
  readonly band: Band;
  readonly lossPercent: number;
  /** Packets are sent one by one, by a load that never sleeps. */
  readonly even: boolean;
  readonly search: boolean;
  /** Where a search ends, whether more would hold or not. */
  readonly mostCalls: number;
  readonly setUpsPerSecond: number;
  readonly idleCalls: number;
  readonly compareWorkers: boolean;
  readonly rtpengine: boolean;
  readonly json: string | undefined;
  readonly pin: boolean;
  readonly cpuProf: string | undefined;
  readonly garble: boolean;
}

/** A slice's port pairs, less those that rest after a call. */
const mostCalls = 1400;
const quickCalls = 6;

export class UsageError extends Error {}

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

function percent(name: string, value: string): number {
  const number = Number(value);
  if (!(number >= 0 && number <= 50)) throw new UsageError(`--${name} ${value}: not 0 to 50 percent`);
  return number;
}

const text = (value: string) => ({ type: "string", default: value }) as const;
const flag = { type: "boolean", default: false } as const;

/** Throws UsageError, or parseArgs' TypeError, for what means nothing. */
export function readRelayOptions(args: readonly string[] = process.argv.slice(2)): RelayOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      calls: { type: "string" },
      codec: text("both"),
      seconds: { type: "string" },
      rounds: { type: "string" },
      workers: text("1"),
      profile: text("cm"),
      band: text("narrow"),
      loss: text("0"),
      even: flag,
      search: flag,
      setups: { type: "string" },
      idle: { type: "string" },
      "compare-workers": flag,
      rtpengine: flag,
      json: { type: "string" },
      "no-pin": flag,
      "cpu-prof": { type: "string" },
      quick: flag,
      garble: flag,
    },
  });
  const { quick, rtpengine } = values;
  const codec = choice("codec", values.codec, ["opus", "pcmu", "both"]);
  const levels = (values.calls ?? (quick ? "4" : "100")).split(",").map((value) => whole("calls", value));
  if (rtpengine && !hasRtpengine())
    throw new UsageError("--rtpengine: it is not installed (rtpengine-daemon)");
  if (rtpengine && values.setups !== undefined)
    throw new UsageError("--setups and --rtpengine: one at a time");
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
    lossPercent: percent("loss", values.loss),
    even: values.even,
    search: values.search,
    mostCalls: quick ? quickCalls : mostCalls,
    setUpsPerSecond: values.setups === undefined ? 0 : positive("setups", values.setups),
    idleCalls: values.idle === undefined ? 0 : whole("idle", values.idle),
    compareWorkers: values["compare-workers"],
    rtpengine,
    json: values.json,
    pin: !values["no-pin"] && !quick && canPin(),
    cpuProf: values["cpu-prof"],
    garble: values.garble,
  };
}

export interface Cores {
  readonly server: string | undefined;
  readonly load: string | undefined;
}

/**
 * The first cores for the server, one to a worker, the next for the load. Undefined, which is to say all cores, where
 * there are too few: two workers held to one core would show nothing.
 */
export function coresFor({ pin }: RelayOptions, workers: number): Cores {
  if (!pin || availableParallelism() < workers + 1) return { server: undefined, load: undefined };
  return { server: workers === 1 ? "0" : `0-${workers - 1}`, load: String(workers) };
}

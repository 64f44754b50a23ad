import { seeded, type Pick } from "../../support/seeded.ts";

/** Inputs over all targets: a million. `FUZZ_INPUTS` sets another number, `FUZZ_SEED` other inputs. */
const allInputs = Number(process.env["FUZZ_INPUTS"] ?? 1_000_000);
const seed = Number(process.env["FUZZ_SEED"] ?? 20_261_121);

/** An input must be dealt with in so many ms. */
const longestMs = 5;
/**
 * What took longer by the clock is fed again, three times, and only counts when it took longer each time by the
 * processor's time of this very thread: a neighbour on the machine takes none of that, and the collector of garbage not
 * thrice in a row, while a packet that stalls a parser stalls it always. The kernel counts in ticks of some ms, so each
 * time is the mean of several feeds.
 */
const tries = 3;
const feedsPerTry = 8;

/** Time this thread has run, ms. */
export function processorMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

export interface Target {
  readonly name: string;
  /** Share of all inputs, 0-1. */
  readonly share: number;
  /** Makes one input. */
  readonly make: (pick: Pick, index: number) => Buffer;
  /** Feeds it; may throw to say that something is wrong. Gets memory of its own. */
  readonly feed: (input: Buffer, index: number) => void;
  /** Looks at the state after every `everyInputs`. */
  readonly check?: (index: number) => void | Promise<void>;
  readonly everyInputs?: number;
}

export interface Report {
  readonly inputs: number;
  /** Hex of the inputs that stalled, with the times. */
  readonly stalls: readonly string[];
}

/** Feeds a target its share. A throw is told with the input that made it. */
export async function fuzz({ name, share, make, feed, check, everyInputs = 1000 }: Target): Promise<Report> {
  const pick = seeded(seed + hashOf(name));
  const inputs = Math.max(500, Math.round(allInputs * share));
  const stalls: string[] = [];
  let slowestMs = 0;
  let repeated = 0;
  const timed = (input: Buffer, index: number): number => {
    const copy = Buffer.from(input);
    const start = performance.now();
    try {
      feed(copy, index);
    } catch (error) {
      throw new Error(
        `${name}: input ${index} (seed ${seed}) threw: ${input.toString("hex").slice(0, 3000)}`,
        {
          cause: error,
        },
      );
    }
    return performance.now() - start;
  };
  for (let index = 0; index < inputs; index++) {
    const input = make(pick, index);
    const ms = timed(input, index);
    if (ms > longestMs) {
      repeated++;
      const times = Array.from({ length: tries }, () => {
        const start = processorMs();
        for (let feeds = 0; feeds < feedsPerTry; feeds++) timed(input, index);
        return (processorMs() - start) / feedsPerTry;
      });
      if (Math.min(...times) > longestMs)
        stalls.push(`${times.map((time) => time.toFixed(1)).join(", ")} ms: ${input.toString("hex")}`);
    } else slowestMs = Math.max(slowestMs, ms);
    if (check && (index + 1) % everyInputs === 0) await check(index);
  }
  console.log(
    `fuzz ${name}: ${inputs} inputs, seed ${seed}, slowest ${slowestMs.toFixed(2)} ms, ${repeated} fed again`,
  );
  return { inputs, stalls };
}

function hashOf(name: string): number {
  return Array.from(name).reduce((sum, letter) => (Math.imul(sum, 31) + (letter.codePointAt(0) ?? 0)) | 0, 7);
}

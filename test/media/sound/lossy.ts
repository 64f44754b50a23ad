import { coveredSnr, measure, undone, type Measured } from "./measure.ts";
import { inTime, type Arrival } from "./network.ts";
import { carry, sourceOf, type CarryOptions, type Heard } from "./path.ts";
import type { Results } from "./results.ts";
import { leastHarm, type PathName } from "./thresholds.ts";

/** A scenario's sound beside the clean path's and beside that of doing nothing. */
export interface Outcome {
  readonly heard: Heard;
  readonly clean: Measured;
  readonly relay: Measured;
  readonly nothing: Measured;
  /** SNR of the lost frames alone, dB. */
  readonly covered: number;
  /** Share of the harm to STOI undone; tells something only where there is some. */
  readonly stoiUndone: number;
}

const cleanOnes = new Map<string, Promise<Measured>>();

/** What the path makes of the same packets when none is lost. */
function cleanOf(path: PathName, lossPercent: number): Promise<Measured> {
  const make = async (): Promise<Measured> => {
    const source = await sourceOf(path, lossPercent);
    return measure(source.sound, (await carry(source, inTime(source.packets.length))).sound);
  };
  const key = `${path} ${path === "opus from browser" ? lossPercent : 0}`;
  const made = cleanOnes.get(key) ?? make();
  cleanOnes.set(key, made);
  return made;
}

export interface Scenario extends CarryOptions {
  readonly path: PathName;
  readonly name: string;
  /** What the browser was told of loss, percent. */
  readonly lossPercent?: number;
  readonly network: (count: number) => Arrival[];
}

/** Runs a scenario and enters it in the table. */
export async function run(results: Results, scenario: Scenario): Promise<Outcome> {
  const { path, name, lossPercent = 0, network } = scenario;
  const source = await sourceOf(path, lossPercent);
  const heard = await carry(source, network(source.packets.length), scenario);
  const clean = await cleanOf(path, lossPercent);
  const relay = measure(source.sound, heard.sound);
  const nothing = measure(source.sound, heard.nothingDone);
  const covered = coveredSnr(source.sound, heard.sound, heard.missing, relay.lag);
  const stoiUndone = undone(clean.stoi, relay.stoi, nothing.stoi);
  const { framesConcealed, framesRecovered } = heard.statistics;
  results.add({
    path,
    scenario: name,
    ...relay,
    snrNothing: nothing.snr,
    stoiNothing: nothing.stoi,
    ...(heard.missing.length > 0 && { covered }),
    note:
      `${heard.missing.length} missing, ${framesRecovered} recovered, ${framesConcealed} concealed` +
      (clean.stoi - nothing.stoi > leastHarm ? `, ${Math.round(stoiUndone * 100)} % of the harm undone` : ""),
  });
  return { heard, clean, relay, nothing, covered, stoiUndone };
}

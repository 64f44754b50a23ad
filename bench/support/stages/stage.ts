import { cpuUs } from "../calibration.ts";

/** One step of a packet's way, measured alone. */
export interface Stage {
  readonly name: string;
  /** CPU per packet of one measurement, us. What it needs is prepared outside of what it counts. */
  measure(): number | Promise<number>;
  close?(): void | Promise<void>;
}

/** Packets of one measurement: some tens of ms for the dear stages, so that the clock's grain does not show. */
export interface StageSize {
  readonly cheap: number;
  readonly dear: number;
}

/** CPU of `count` runs of `work`, us each. */
export function perPacket(count: number, work: (index: number) => void): number {
  const before = cpuUs();
  for (let index = 0; index < count; index++) work(index);
  return (cpuUs() - before) / count;
}

/**
 * The stages whose name contains `only` (lower case). Throws TypeError when there are none. The relay's share a run, which
 * the first of each kind makes: with one of them come all.
 */
export function stagesNamed(only: string, all: readonly Stage[]): Stage[] {
  const found = all.filter(({ name }) => name.toLowerCase().includes(only));
  if (found.length === 0) throw new TypeError(`--only ${only}: no such stage`);
  const relay = found.some(({ name }) => name.startsWith("relay"));
  return all.filter((stage) => found.includes(stage) || (relay && stage.name.startsWith("relay")));
}

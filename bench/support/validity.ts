import { limits } from "./relay-rig.ts";

/** Not every kernel tells how long a thread waited for its core; neighbours that take this much of one are told by this. */
const mostOthersPercent = 50;

/** What tells whether a round measured the gateway, and not its load or the neighbours on the machine. */
export interface Disturbances {
  readonly generatorCpuPercent: number;
  readonly waitPercent: number;
  readonly othersCpuPercent: number;
}

export function isUndisturbed({ generatorCpuPercent, waitPercent, othersCpuPercent }: Disturbances): boolean {
  return (
    generatorCpuPercent <= limits.generatorCpuPercent &&
    waitPercent <= limits.serverWaitPercent &&
    othersCpuPercent <= mostOthersPercent
  );
}

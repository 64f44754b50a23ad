import { busyCpuMs, processCpuMs, threadCpuMs, waitedMs } from "./machine.ts";

/** What a process and the machine have used since they started, ms. */
export interface Readings {
  readonly at: number;
  readonly process: number;
  readonly threads: Readonly<Record<string, number>>;
  readonly waited: number;
  readonly own: number;
  readonly busy: number;
}

/** What was used between two readings. */
export interface CpuUse {
  readonly seconds: number;
  /** Of the process, all threads. */
  readonly cpuMs: number;
  readonly threadsMs: Readonly<Record<string, number>>;
  readonly mainPercent: number;
  readonly generatorCpuPercent: number;
  /** Share of the time in which its busiest thread stood in line for a core that others had, percent. */
  readonly waitPercent: number;
  /** CPU that neither it nor this process used, percent of one core; biased low. */
  readonly othersCpuPercent: number;
}

/** Reads another process' CPU beside our own. */
export function read(pid: number): Readings {
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    process: processCpuMs(pid),
    threads: threadCpuMs(pid),
    waited: waitedMs(pid),
    own: (user + system) / 1000,
    busy: busyCpuMs(),
  };
}

export function between(before: Readings, after: Readings): CpuUse {
  const passed = Math.max(1, after.at - before.at);
  const cpuMs = after.process - before.process;
  const own = after.own - before.own;
  const threads = Object.entries(after.threads).map(
    ([name, ms]) => [name, ms - (before.threads[name] ?? 0)] as const,
  );
  const threadsMs = Object.fromEntries(threads.filter(([, ms]) => ms > 0));
  return {
    seconds: passed / 1000,
    cpuMs,
    threadsMs,
    mainPercent: ((threadsMs["main"] ?? 0) / passed) * 100,
    generatorCpuPercent: (own / passed) * 100,
    waitPercent: ((after.waited - before.waited) / passed) * 100,
    othersCpuPercent: (Math.max(0, after.busy - before.busy - own - cpuMs) / passed) * 100,
  };
}

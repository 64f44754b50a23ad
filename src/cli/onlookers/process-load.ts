import { monitorEventLoopDelay } from "node:perf_hooks";

/** How often the event loop is looked at, ms; as late as that is not late. */
const resolutionMs = 20;

/** What this thread costs and how it keeps up. `close` ends the measurement. */
export function measureProcess() {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  return {
    cpuMs(): number {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1000;
    },
    lateMs(): number {
      const late = delay.count === 0 ? 0 : delay.percentile(99) / 1e6 - resolutionMs;
      delay.reset();
      return Math.max(0, late);
    },
    close(): void {
      delay.disable();
    },
  };
}

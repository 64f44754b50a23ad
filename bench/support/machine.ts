import { readdirSync, readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

/** What the figures were measured on, for the record. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly node: string;
  readonly pinned: boolean;
  readonly loadAverageBefore: readonly number[];
  loadAverageAfter: readonly number[];
}

export function describeMachine(pinned: boolean): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    pinned,
    loadAverageBefore: loadAverage(),
    loadAverageAfter: [],
  };
}

/** As a table's last line; `pinning`: in words, empty: nothing is to be said of it. */
export function machineWords(machine: Machine, pinning = ""): string {
  const { cpu, cores, node, loadAverageBefore: before, loadAverageAfter: after } = machine;
  const held = pinning === "" ? "" : `, ${pinning}`;
  return `Machine: ${cpu}, ${cores} cores, Node ${node}${held}; load average ${before[0]} before, ${after[0]} after.`;
}

/** Of one, five and fifteen minutes. */
export function loadAverage(): number[] {
  return loadavg().map((value) => Math.round(value * 100) / 100);
}

/** Linux counts CPU time in hundredths of a second for /proc (USER_HZ), whatever the kernel's own tick. */
const msPerTick = 10;

function statFields(path: string): { readonly name: string; readonly fields: readonly string[] } {
  const text = readFileSync(path, "utf8");
  // The name stands in parentheses and may hold anything.
  const end = text.lastIndexOf(")");
  return { name: text.slice(text.indexOf("(") + 1, end), fields: text.slice(end + 2).split(" ") };
}

/** CPU time of a process since its start, all threads, user and system, ms (proc(5): utime, stime). */
export function processCpuMs(pid: number): number {
  const { fields } = statFields(`/proc/${pid}/stat`);
  return (Number(fields[11]) + Number(fields[12])) * msPerTick;
}

/** CPU time by thread name, ms; threads of one name are added up. */
export function threadCpuMs(pid: number): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const { name, fields } = statFields(`/proc/${pid}/task/${thread}/stat`);
      const label = Number(thread) === pid ? "main" : name;
      sums[label] = (sums[label] ?? 0) + (Number(fields[11]) + Number(fields[12])) * msPerTick;
    } catch {
      // It ended meanwhile.
    }
  }
  return sums;
}

/**
 * Longest time that a thread of the process stood in line for a core since its start, ms, of the threads that do its
 * work: main, and those whose name begins with one of `workThreads` (not V8's helpers). It grows when others take the
 * cores. 0 where the kernel does not tell.
 */
export function waitedMs(pid: number, workThreads: readonly string[] = ["media"]): number {
  let longest = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      const { name } = statFields(`/proc/${pid}/task/${thread}/stat`);
      const own = Number(thread) === pid || workThreads.some((start) => name.startsWith(start));
      const [, waited] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
      if (own) longest = Math.max(longest, Number(waited) / 1e6);
    } catch {
      // It ended meanwhile.
    }
  }
  return longest;
}

/** CPU time that anybody used on the whole machine since it started, ms. */
export function busyCpuMs(): number {
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (
    readFileSync("/proc/stat", "utf8").split("\n")[0] ?? ""
  )
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) * msPerTick;
}

/** Resident memory of a process, kB. */
export function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
}

/** Datagrams the kernel threw away since the sockets were opened, because these ports' receive buffers were full. */
export function droppedDatagrams(ports: ReadonlySet<number>): number {
  let dropped = 0;
  for (const line of readFileSync("/proc/net/udp", "utf8").split("\n").slice(1)) {
    const columns = line.trim().split(/\s+/);
    if (ports.has(Number.parseInt(columns[1]?.split(":")[1] ?? "", 16))) dropped += Number(columns.at(-1));
  }
  return dropped;
}

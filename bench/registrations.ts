/**
 * `npm run bench:registrations`: what it takes to keep every DN registered at SIP Server, from a start over a server
 * that is killed to its return. See docs/benchmarks.md.
 */
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { round, table } from "./support/figures.ts";
import { describeMachine, loadAverage, machineWords, type Machine } from "./support/machine.ts";
import type { PacketFigures } from "./support/registrar-double.ts";
import type { RegistrarsHandlers } from "./support/registrars-process.ts";
import type { RegistrationsHandlers, RegistrationSettings } from "./support/registrations-process.ts";
import { Child } from "./support/rpc.ts";
import { positive, runProgram, saveReport } from "./support/program.ts";

const usage = `npm run bench:registrations -- [options]
  --dns N[,N...]         DNs (default 999,5000)
  --per-second N[,N...]  REGISTERs a second at most, for each of them (default 25,50)
  --expires S            seconds asked for (default 300)
  --seconds S            length of the steady phase (default 225: each DN is refreshed once)
  --fail-back S          seconds the killed server must be up again (default 60)
  --json FILE            write all figures there
  --quick                60 DNs, fractions of a second: does the bench work?`;

interface Options {
  readonly sizes: readonly { readonly dns: number; readonly perSecond: number }[];
  readonly expires: number;
  readonly seconds: number;
  readonly failBack: number;
  /** How long an answer is waited for, ms. */
  readonly timeoutMs: number;
  /** How long the last transactions are waited for at the end, ms; 0: not, and they do not count. */
  readonly forgetMs: number;
  readonly json: string | undefined;
}

interface Phase {
  readonly phase: "start" | "steady" | "server killed" | "server back";
  /** From the beginning of the phase until SIP Server had every DN; undefined: they stayed. */
  readonly allInServiceSeconds: number | undefined;
  /** Of it, until the first REGISTER: how long the outage took to be found out, or the way back to begin. */
  readonly foundSeconds: number | undefined;
  readonly packets: PacketFigures;
  readonly cpuMs: number;
  readonly residentKb: number;
  readonly heapKb: number;
}

interface SizeReport {
  readonly dns: number;
  readonly perSecond: number;
  readonly phases: readonly Phase[];
  readonly heapKbPerDn: number;
  readonly residentKbPerDn: number;
  /** REGISTERs never came faster than the pace allows. */
  readonly paceHeld: boolean;
  /** What was left when all was closed; all zero. */
  readonly left: Readonly<Record<string, number>>;
}

/** REGISTERs that may start at once after a pause, and one for the edges of the second counted. */
const burstAllowed = 6;

function readOptions(): Options {
  const { values } = parseArgs({
    options: {
      dns: { type: "string" },
      "per-second": { type: "string" },
      expires: { type: "string" },
      seconds: { type: "string" },
      "fail-back": { type: "string" },
      json: { type: "string" },
      quick: { type: "boolean", default: false },
    },
  });
  const { quick } = values;
  const numbers = (text: string | undefined, usual: string, inQuick: string): number[] =>
    (text ?? (quick ? inQuick : usual)).split(",").map(positive);
  const one = (...args: Parameters<typeof numbers>): number => numbers(...args)[0] ?? 0;
  const paces = numbers(values["per-second"], "25,50", "100");
  return {
    sizes: numbers(values.dns, "999,5000", "60").map((dns, index) => ({
      dns,
      perSecond: paces[Math.min(index, paces.length - 1)] ?? 25,
    })),
    expires: one(values.expires, "300", "300"),
    seconds: one(values.seconds, "225", "0.2"),
    failBack: one(values["fail-back"], "60", "0.5"),
    timeoutMs: quick ? 600 : 4000,
    forgetMs: quick ? 0 : 6000,
    json: values.json,
  };
}

function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

interface Bench {
  readonly ours: Child<RegistrationsHandlers>;
  readonly far: Child<RegistrarsHandlers>;
}

/** Runs `act` as a phase of its own and reads what it cost. */
async function phase(
  { ours, far }: Bench,
  name: Phase["phase"],
  change: Parameters<RegistrarsHandlers["begin"]>[0],
  act: () => Promise<{ readonly firstAfterMs: number; readonly packets: PacketFigures } | undefined>,
): Promise<Phase> {
  const before = await ours.call("cpuMs");
  await far.call("begin", change);
  const done = await act();
  const packets = done?.packets ?? (await far.call("figures"));
  const after = await ours.call("cpuMs");
  const memory = await ours.call("memory");
  const result: Phase = {
    phase: name,
    allInServiceSeconds: done && round(packets.seconds),
    foundSeconds: done && round(done.firstAfterMs / 1000),
    packets,
    cpuMs: round(after - before, 0),
    ...memory,
  };
  say(`  ${name}: ${packets.seconds.toFixed(1)} s, ${packets.received + packets.sent} packets`);
  return result;
}

async function measure(size: Options["sizes"][number], options: Options): Promise<SizeReport> {
  const { dns, perSecond } = size;
  say(`${dns} DNs at ${perSecond} a second`);
  // The longest phase: all DNs at their pace, three times over for a busy machine, after the longest wait.
  const patienceMs = ((3 * dns) / perSecond + options.failBack + options.seconds + 30) * 1000;
  const nodeOptions = ["--expose-gc"];
  const bench: Bench = {
    ours: new Child("./registrations-process.ts", { nodeOptions, patienceMs }),
    far: new Child("./registrars-process.ts", { patienceMs }),
  };
  const { ours, far } = bench;
  try {
    const ports = await far.call("open");
    const settings: RegistrationSettings = {
      ports,
      dns,
      options: {
        perSecond,
        expiresSeconds: options.expires,
        failBackSeconds: options.failBack,
        timeoutMs: options.timeoutMs,
        probeTimeoutMs: options.timeoutMs,
        ...(options.timeoutMs < 1000 ? { optionsSeconds: 0.2 } : {}),
      },
    };
    const empty = await ours.call("memory");
    const all = (server: number) => far.call("until", { server, count: dns });
    const phases = [
      await phase(bench, "start", {}, async () => {
        const bound = all(0);
        await ours.call("open", settings);
        return await bound;
      }),
      await phase(bench, "steady", {}, async () => {
        await pause(options.seconds * 1000);
        return undefined;
      }),
      await phase(bench, "server killed", { kill: 0 }, () => all(1)),
      await phase(bench, "server back", { revive: 0 }, () => all(0)),
    ];
    const standing = await ours.call("inService");
    if (standing !== dns) throw new Error(`only ${standing} of ${dns} DNs are in service at the end`);
    const full = phases.at(1) ?? empty;
    const timeoutMs = (dns / perSecond) * 1000 + 10_000;
    const left = await ours.call("close", { timeoutMs, forgetMs: options.forgetMs });
    const [bound = 0] = await far.call("bound");
    return {
      dns,
      perSecond,
      phases,
      heapKbPerDn: round((full.heapKb - empty.heapKb) / dns),
      residentKbPerDn: round((full.residentKb - empty.residentKb) / dns),
      paceHeld: phases.every(({ packets }) => packets.peakRegisters <= perSecond + burstAllowed),
      left: { ...left, boundAtServer: bound },
    };
  } finally {
    await Promise.all([ours.stop(), far.stop()]);
  }
}

function tableOf(sizes: readonly SizeReport[], machine: Machine): string {
  const head = [
    "DNs, phase",
    "length s",
    "found s",
    "all in service s",
    "REGISTERs",
    "packets/s mean",
    "packets/s peak",
    "CPU-ms",
    "CPU-ms/s",
    "resident kB",
    "heap kB",
  ];
  const rows = sizes.flatMap(({ dns, phases }) =>
    phases.map(({ phase: name, allInServiceSeconds, foundSeconds, packets, cpuMs, residentKb, heapKb }) => [
      `${dns} ${name}`,
      packets.seconds.toFixed(1),
      foundSeconds?.toFixed(1) ?? "",
      allInServiceSeconds?.toFixed(1) ?? "",
      packets.registers,
      packets.mean.toFixed(1),
      packets.peak,
      cpuMs,
      (cpuMs / packets.seconds).toFixed(1),
      residentKb,
      heapKb,
    ]),
  );
  return [
    table([head, ...rows]),
    "",
    ...sizes.map(
      ({ dns, perSecond, heapKbPerDn, paceHeld, left }) =>
        `${dns} DNs: ${heapKbPerDn} kB of heap each; pace of ${perSecond} a second ${paceHeld ? "held" : "NOT HELD"}; left behind: ${JSON.stringify(left)}`,
    ),
    machineWords(machine),
  ].join("\n");
}

async function run(options: Options): Promise<number> {
  const machine = describeMachine(false);
  const sizes: SizeReport[] = [];
  for (const size of options.sizes) sizes.push(await measure(size, options));
  machine.loadAverageAfter = loadAverage();
  console.log(tableOf(sizes, machine));
  const { json, ...used } = options;
  const report = { bench: "registrations", at: new Date().toISOString(), machine, options: used, sizes };
  saveReport(json, report);
  const clean = sizes.every(({ left: { transactions = 0, ...left } }) =>
    Object.values({ ...left, late: options.forgetMs && transactions }).every((count) => count === 0),
  );
  return clean && sizes.every(({ paceHeld }) => paceHeld) ? 0 : 1;
}

await runProgram(async () => await run(readOptions()), usage);

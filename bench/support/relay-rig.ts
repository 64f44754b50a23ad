import { processCpuMs, residentKb } from "./machine.ts";
import type { LoadHandlers, LoadSettings, RoundFigures } from "./load-process.ts";
import type { WaySound } from "./load-way.ts";
import type { ServerCounts } from "./media-process.ts";
import { JackfieldServer, type RelayServer } from "./relay-server.ts";
import { Child, type ChildOptions } from "./rpc.ts";
import { Rtpengine } from "./rtpengine.ts";
import { SetUps, type SetUpFigures } from "./set-ups.ts";

/** A generator busier or later than this has measured itself; a server that waited longer, its neighbours. */
export const limits = { generatorCpuPercent: 90, latenessP99Ms: 10, serverWaitPercent: 10 } as const;

/** With more loss than this sound tells of the loss alone; such a load does not hold anyway. Percent. */
const judgedLossPercent = 1;
/** Where frames were lost and made up, so many must still be exact of straight PCMU. */
const exactDespiteLoss = 0.95;

export interface RigOptions extends LoadSettings {
  readonly relay: RelayServer["name"];
  readonly workers: number;
  readonly rtpPorts: readonly [number, number];
  /** rtpengine's control port. */
  readonly controlPort: number;
  readonly serverCpus: string | undefined;
  readonly loadCpus: string | undefined;
  /** Folder for V8's CPU profiles of server and load. */
  readonly cpuProf: string | undefined;
}

export interface RoundOptions {
  readonly seconds: number;
  readonly settleSeconds: number;
  /** Calls set up and ended meanwhile, per second. Default 0. */
  readonly setUpsPerSecond?: number;
}

/** One round: what the load saw, what the server counted, and whether it may be believed. */
export interface Round extends RoundFigures {
  readonly calls: number;
  readonly cpuMsPerCallSecond: number;
  /**
   * Frames that did not come out, and those the relay made up in their stead, of all sent, percent. What the load left
   * out on purpose is not in it.
   */
  readonly lossPercent: number;
  /** Frames the relay made up: recovered by in-band FEC, or concealed. */
  readonly framesRecovered: number;
  readonly framesConcealed: number;
  /** Of the frames left out on purpose, those in whose place nothing came, percent. NaN where none was left out. */
  readonly uncoveredPercent: number;
  /** Packets the relay threw away, by cause. */
  readonly serverDropped: Readonly<Record<string, number>>;
  readonly loadStates: readonly string[];
  readonly setUps: SetUpFigures | undefined;
  /** Why the round says nothing of the relay; empty when it does. */
  readonly invalid: readonly string[];
  /** Empty when too much was lost to judge. */
  readonly sound: readonly WaySound[];
}

function childOptions(cpus: string | undefined, cpuProf: string | undefined): ChildOptions {
  return cpuProf === undefined
    ? { cpus }
    : { cpus, nodeOptions: ["--cpu-prof", `--cpu-prof-dir=${cpuProf}`] };
}

function openServer(options: RigOptions): Promise<RelayServer> {
  const { relay, codec, workers, rtpPorts, controlPort, serverCpus, cpuProf } = options;
  if (relay === "jackfield")
    return JackfieldServer.open({ codec, workers, rtpPorts }, childOptions(serverCpus, cpuProf));
  return Rtpengine.open({ codec, rtpPorts, controlPort, cpus: serverCpus, threads: workers });
}

/** A relay and its load, a process each, with any number of calls up and on hold between rounds. */
export class RelayRig {
  readonly options: RigOptions;
  readonly #server: RelayServer;
  readonly #load: Child<LoadHandlers>;
  #setUps: SetUps | undefined;
  #calls = 0;
  #emptyKb = 0;

  private constructor(options: RigOptions, server: RelayServer, load: Child<LoadHandlers>) {
    this.options = options;
    this.#server = server;
    this.#load = load;
  }

  static async open(options: RigOptions): Promise<RelayRig> {
    const load = new Child<LoadHandlers>(
      "./load-process.ts",
      childOptions(options.loadCpus, options.cpuProf),
    );
    const opening = openServer(options);
    try {
      const [server] = await Promise.all([opening, load.call("configure", options)]);
      const rig = new RelayRig(options, server, load);
      rig.#emptyKb = residentKb(server.pid);
      return rig;
    } catch (error) {
      const server = await opening.catch(() => undefined);
      await Promise.all([server?.close(), load.stop()]);
      throw error;
    }
  }

  /** Codec, and what else tells this rig from others of a run. */
  get name(): string {
    const { relay, codec, workers } = this.options;
    return [
      codec,
      ...(relay === "jackfield" ? [] : [relay]),
      ...(workers === 1 ? [] : [`${workers} workers`]),
    ].join(", ");
  }

  /** Memory of the server over what it had before the first call, kB per call. */
  get memoryKbPerCall(): number {
    return (residentKb(this.#server.pid) - this.#emptyKb) / Math.max(1, this.#calls);
  }

  /** Opens or ends calls until there are `calls`, all with ICE, DTLS and SRTP up. */
  async setCalls(calls: number): Promise<void> {
    const batch = 25;
    if (calls < this.#calls) {
      const count = this.#calls - calls;
      await this.#server.closeCalls(count);
      await this.#load.call("drop", { count });
      this.#calls = calls;
    }
    while (this.#calls < calls) {
      const count = Math.min(batch, calls - this.#calls);
      const ends = await this.#load.call("reserve", { count });
      await this.#load.call("attach", await this.#server.openCalls(ends));
      await this.#load.call("connect");
      this.#calls += count;
    }
    await this.#server.whenConnected();
  }

  /** CPU of the server in `seconds` without any media, ms. */
  async idle(seconds: number): Promise<number> {
    const before = processCpuMs(this.#server.pid);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    return processCpuMs(this.#server.pid) - before;
  }

  async round({ seconds, settleSeconds, setUpsPerSecond = 0 }: RoundOptions): Promise<Round> {
    await this.#load.call("prepare", { seconds });
    const before = await this.#server.counts();
    await this.#server.setActive(true);
    const { pid: serverPid, workThreads } = this.#server;
    const running = this.#load.call("run", { seconds, settleSeconds, serverPid, workThreads });
    const setUps = setUpsPerSecond > 0 ? await this.#callers().during(setUpsPerSecond, running) : undefined;
    const figures = await running;
    const { loadStates } = await this.#server.counts();
    await this.#server.setActive(false);
    const after = await this.#server.counts();
    const sum = (of: (counts: RoundFigures["toTrunk"]) => number): number =>
      of(figures.toTrunk) + of(figures.toBrowser);
    const [sent, leftOut] = [sum((way) => way.sent), sum((way) => way.leftOut)];
    const framesRecovered = after.framesRecovered - before.framesRecovered;
    const framesConcealed = after.framesConcealed - before.framesConcealed;
    const hidden = Math.max(0, framesRecovered + framesConcealed - leftOut);
    const lossPercent = (100 * (sent - sum((way) => way.received) + hidden)) / Math.max(1, sent);
    const sound = await this.#load.call("judge");
    return {
      ...figures,
      calls: this.#calls,
      cpuMsPerCallSecond: figures.serverCpuMs / (this.#calls * figures.windowSeconds),
      lossPercent,
      framesRecovered,
      framesConcealed,
      uncoveredPercent: (100 * (leftOut - sum((way) => way.covered))) / leftOut,
      serverDropped: difference(before, after),
      loadStates,
      setUps,
      invalid: faultsOf(figures, before, after, this.options.even),
      sound: lossPercent > judgedLossPercent ? [] : sound.map((one) => lenient(one, lossPercent)),
    };
  }

  #callers(): SetUps {
    const { profile, loadCpus } = this.options;
    if (!(this.#server instanceof JackfieldServer)) throw new Error("set-ups are made at our own relay only");
    this.#setUps ??= new SetUps(this.#server, profile, loadCpus);
    return this.#setUps;
  }

  async close(): Promise<void> {
    await this.#setUps?.close();
    await Promise.all([this.#server.close(), this.#load.stop()]);
  }
}

/** A straight frame that was lost is made up and cannot be exact; all else is judged as it is. */
function lenient(sound: WaySound, lossPercent: number): WaySound {
  const { exact } = sound;
  return lossPercent === 0 || exact === undefined ? sound : { ...sound, ok: exact >= exactDespiteLoss };
}

function difference(before: ServerCounts, after: ServerCounts): Record<string, number> {
  const all = { ...after.dropped, ...after.refused };
  const earlier = { ...before.dropped, ...before.refused };
  const changed = Object.entries(all).map(
    ([cause, count]) => [cause, count - (earlier[cause] ?? 0)] as const,
  );
  return Object.fromEntries(changed.filter(([, count]) => count > 0));
}

function faultsOf(figures: RoundFigures, before: ServerCounts, after: ServerCounts, even: boolean): string[] {
  const faults: string[] = [];
  // Without naps it is always busy; then only its lateness tells whether it kept up.
  if (!even && figures.generatorCpuPercent > limits.generatorCpuPercent)
    faults.push(`generator used ${figures.generatorCpuPercent.toFixed(0)} % of its core`);
  if (figures.latenessMs.p99 > limits.latenessP99Ms)
    faults.push(`generator sent late: p99 ${figures.latenessMs.p99.toFixed(1)} ms`);
  if (figures.dropped.atGenerator > 0)
    faults.push(`generator's sockets overflowed: ${figures.dropped.atGenerator} packets`);
  if (figures.serverWaitPercent > limits.serverWaitPercent)
    faults.push(`others had the server's core for ${figures.serverWaitPercent.toFixed(0)} % of the time`);
  if (after.restarts > before.restarts) faults.push("a media worker was started anew");
  return faults;
}

import { residentKb } from "./machine.ts";
import type { LoadHandlers, LoadSettings, RoundFigures } from "./load-process.ts";
import type { WaySound } from "./load-way.ts";
import type { MediaHandlers, ServerCounts } from "./media-process.ts";
import { Child } from "./rpc.ts";

/** A generator busier or later than this has measured itself; a server that waited longer, its neighbours. */
export const limits = { generatorCpuPercent: 90, latenessP99Ms: 10, serverWaitPercent: 10 } as const;

/** With more loss than this sound tells of the loss alone; such a load does not hold anyway. Percent. */
const judgedLossPercent = 1;
/** Where frames were lost and made up, so many must still be exact of straight PCMU. */
const exactDespiteLoss = 0.95;

export interface RigOptions extends LoadSettings {
  readonly workers: number;
  readonly rtpPorts: readonly [number, number];
  readonly pin: boolean;
}

export interface RoundOptions {
  readonly seconds: number;
  readonly settleSeconds: number;
}

/** One round: what the load saw, what the server counted, and whether it may be believed. */
export interface Round extends RoundFigures {
  readonly calls: number;
  readonly cpuMsPerCallSecond: number;
  /** Frames that did not come out, and those the relay made up in their stead, of all sent, percent. */
  readonly lossPercent: number;
  readonly framesMadeUp: number;
  /** Packets the relay threw away, by cause. */
  readonly serverDropped: Readonly<Record<string, number>>;
  /** Why the round says nothing of the relay; empty when it does. */
  readonly invalid: readonly string[];
  /** Empty when too much was lost to judge. */
  readonly sound: readonly WaySound[];
}

/** A relay and its load, a process each, with any number of calls up and on hold between rounds. */
export class RelayRig {
  readonly options: RigOptions;
  readonly #server: Child<MediaHandlers>;
  readonly #load: Child<LoadHandlers>;
  #calls = 0;
  #emptyKb = 0;

  private constructor(options: RigOptions) {
    this.options = options;
    this.#server = new Child("./media-process.ts", { cpu: options.pin ? 0 : undefined });
    this.#load = new Child("./load-process.ts", { cpu: options.pin ? 1 : undefined });
  }

  static async open(options: RigOptions): Promise<RelayRig> {
    const rig = new RelayRig(options);
    try {
      await rig.#server.call("configure", options);
      await rig.#load.call("configure", options);
      rig.#emptyKb = residentKb(rig.#server.pid);
      return rig;
    } catch (error) {
      await rig.close();
      throw error;
    }
  }

  /** Memory of the server over what it had before the first call, kB per call. */
  get memoryKbPerCall(): number {
    return (residentKb(this.#server.pid) - this.#emptyKb) / Math.max(1, this.#calls);
  }

  /** Opens calls until there are `calls`, all with ICE, DTLS and SRTP up. */
  async growTo(calls: number): Promise<void> {
    const batch = 25;
    while (this.#calls < calls) {
      const more = Math.min(batch, calls - this.#calls);
      const opened = await this.#server.call("openCalls", { calls: more });
      await this.#server.call("describe", await this.#load.call("add", opened));
      await this.#load.call("connect");
      this.#calls += more;
    }
    await this.#server.call("whenConnected");
  }

  async round({ seconds, settleSeconds }: RoundOptions): Promise<Round> {
    await this.#load.call("prepare", { seconds });
    const before = await this.#counts();
    await this.#server.call("setActive", { active: true });
    const figures = await this.#load.call("run", { seconds, settleSeconds, serverPid: this.#server.pid });
    await this.#server.call("setActive", { active: false });
    const after = await this.#counts();
    const sent = figures.toTrunk.sent + figures.toBrowser.sent;
    const received = figures.toTrunk.received + figures.toBrowser.received;
    const framesMadeUp = after.framesMadeUp - before.framesMadeUp;
    const lossPercent = (100 * (sent - received + framesMadeUp)) / Math.max(1, sent);
    const sound = await this.#load.call("judge");
    return {
      ...figures,
      calls: this.#calls,
      cpuMsPerCallSecond: figures.serverCpuMs / (this.#calls * figures.windowSeconds),
      lossPercent,
      framesMadeUp,
      serverDropped: difference(before, after),
      invalid: faultsOf(figures, before, after),
      sound: lossPercent > judgedLossPercent ? [] : sound.map((one) => lenient(one, lossPercent)),
    };
  }

  #counts(): Promise<ServerCounts> {
    return this.#server.call("counts");
  }

  async close(): Promise<void> {
    // One that died already is told by the call that met it.
    await this.#server.call("close").catch(() => {});
    await Promise.all([this.#server.stop(), this.#load.stop()]);
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

function faultsOf(figures: RoundFigures, before: ServerCounts, after: ServerCounts): string[] {
  const faults: string[] = [];
  if (figures.generatorCpuPercent > limits.generatorCpuPercent)
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

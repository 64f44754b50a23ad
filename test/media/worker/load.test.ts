import { afterEach, describe, expect, it, vi } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import type { OpenTransport, RelayTransport } from "../../../src/media/relay/transport.ts";
import { writeReport } from "../../../src/media/rtcp/write.ts";
import { warmUpOpus } from "../../../src/media/codec/opus.ts";
import { OpusSink } from "../../../src/media/codec/opus-sink.ts";
import { RelaySession } from "../../../src/media/relay/session.ts";
import { LoadWatch } from "../../../src/media/worker/load-watch.ts";
import { MediaWorker } from "../../../src/media/worker/media-worker.ts";
import type { WorkerLoad, WorkerMessage, WorkerSettings } from "../../../src/media/worker/messages.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { opus, pcmu, trunkAddress } from "../relay/relay-double.ts";
import { rtpRange } from "../pool/pool-double.ts";

const local = { iceUfrag: "u", icePwd: "p", fingerprint: { algorithm: "sha-256", value: "AB" } };
/** What the session of the last transport opened takes from its browser. */
let handlers: Parameters<OpenTransport>[0] | undefined;
const transport: RelayTransport = {
  local,
  connected: false,
  lastConsentAt: undefined,
  dropped: {},
  setRemote: () => {},
  upkeep: () => {},
  sendRtp: () => true,
  sendRtcp: () => true,
  restartIce: () => local,
  close: () => {},
};

/** A worker on a fake clock whose thread is as busy as told. */
class BusyWorker {
  readonly posted: WorkerMessage[] = [];
  readonly clock = new FakeClock();
  readonly lines: string[] = [];
  readonly worker: MediaWorker;
  drops: number | undefined;
  /** Whether both sides of all sessions send sound. */
  talking = false;
  #packets = 0;
  #cpuMs = 0;
  #request = 0;

  constructor(settings: Partial<WorkerSettings> = {}) {
    const packets = (): number => this.#packets;
    vi.spyOn(RelaySession.prototype, "packetsReceived", "get").mockImplementation(() => ({
      browser: packets(),
      trunk: packets(),
    }));
    this.worker = new MediaWorker({
      settings: {
        index: 0,
        host: "127.0.0.1",
        trunkHost: "127.0.0.1",
        browserPort: 0,
        rtpPorts: rtpRange(12),
        portRestMs: 0,
        trunkSource: "address",
        jitterBuffer: "off",
        idleMs: 0,
        qualityMs: 5000,
        rtcpXr: false,
        warmUpFrames: 0,
        maxCalls: 0,
        maxLoadPercent: 95,
        ...settings,
      },
      browserPort: {
        port: 1,
        receiveBufferBytes: 1,
        refused: {},
        open: (given) => {
          handlers = given;
          return transport;
        },
        close: () => Promise.resolve(),
      },
      readings: { cpuMs: () => this.#cpuMs, kernelDrops: () => Promise.resolve(this.drops) },
      clock: this.clock,
      random: new CountingRandom(),
      log: { ...silentLogger, info: (_details, message) => this.lines.push(message) },
      post: (message) => this.posted.push(message),
    });
  }

  async open(...sessions: string[]): Promise<void> {
    for (const session of sessions) await this.worker.handle({ type: "open", session });
  }

  async connect(...sessions: string[]): Promise<void> {
    for (const session of sessions) await this.worker.handle({ type: "connect", session });
  }

  close(session: string): Promise<void> {
    return this.worker.handle({ type: "close", session, reason: "over" });
  }

  /** A session whose encoder toward the browser is in place. */
  async call(session: string): Promise<void> {
    // With the module loaded, encoders are made in a few turns of the event loop.
    await warmUpOpus(2);
    await this.open(session);
    const far = { direction: "sendrecv" } as const;
    const browser = { ...far, iceUfrag: "far", fingerprints: [], payload: opus };
    await this.worker.handle({ type: "browserRemote", session, remote: browser });
    const trunk = { ...far, ...trunkAddress, payload: pcmu };
    await this.worker.handle({ type: "trunkRemote", session, remote: trunk });
    await this.connect(session);
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  }

  /** The browser of the last session reports that it lost a tenth of what we sent. */
  reportLoss(): void {
    const opened = this.posted.findLast((message) => message.type === "opened");
    const report = Buffer.alloc(200);
    const figures = { cumulativeLost: 5, extendedHighestSequence: 1, jitter: 0, lastReport: 0 };
    const reception = { ssrc: opened?.ssrc ?? 0, fractionLost: 26, delaySinceLastReport: 0, ...figures };
    handlers?.onRtcp(report, writeReport(report, { ssrc: 1, cname: "", reception }));
  }

  run(percent: number, seconds: number): void {
    for (let tick = 0; tick < seconds * 50; tick++) {
      this.#cpuMs += (percent / 100) * 20;
      if (this.talking) this.#packets++;
      this.clock.advance(20);
    }
  }

  async statistics() {
    const request = ++this.#request;
    await this.worker.handle({ type: "workerStatistics", request });
    const last = this.posted.at(-1);
    if (last?.type !== "reply" || last.reply.type !== "workerStatistics") throw new Error("no figures");
    return last.reply.statistics;
  }

  get answers(): string[] {
    return this.posted.flatMap((message) => {
      if (message.type === "refused") return [`refused ${message.session}: ${message.cause}`];
      return message.type === "opened" ? [`opened ${message.session}`] : [];
    });
  }

  get loads() {
    return this.posted.flatMap((message) => (message.type === "load" ? [message.load] : []));
  }
}

let busy: BusyWorker | undefined;
afterEach(async () => {
  await busy?.worker.handle({ type: "stop" });
  busy = undefined;
  vi.restoreAllMocks();
});

/** A worker at its limit with three calls. */
async function fullWorker(settings: Partial<WorkerSettings> = {}): Promise<BusyWorker> {
  busy = new BusyWorker(settings);
  await busy.open("a", "b", "c");
  await busy.connect("a", "b", "c");
  busy.run(98, 4);
  return busy;
}

function names(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${index}`);
}

function sessionsOpened({ answers }: BusyWorker): number {
  return answers.filter((answer) => answer.startsWith("opened")).length;
}

/** A worker of at most 50 % whose calls all talk and take so much of a core together. */
async function talkingWorker(calls: number, percent: number, seconds = 3): Promise<BusyWorker> {
  busy = new BusyWorker({ maxLoadPercent: 50, rtpPorts: rtpRange(480) });
  await busy.open(...names("call", calls));
  await busy.connect(...names("call", calls));
  busy.talking = true;
  busy.run(percent, seconds);
  return busy;
}

describe("a loaded media worker", () => {
  it("tells in its figures what it measures and what it did about it", async () => {
    busy = new BusyWorker();
    expect(await busy.statistics()).toMatchObject({
      cpuPercent: 0,
      tickLateMs: 0,
      loadState: "normal",
      complexity: 1,
      stepsDown: 0,
      stepsUp: 0,
      kernelDrops: undefined,
      admissionRefusals: 0,
    });
    busy.drops = 12;
    await busy.open("a");
    await busy.connect("a");
    busy.run(98, 4);
    await busy.open("b");
    const { cpuPercent, ...rest } = await busy.statistics();
    expect(cpuPercent).toBeCloseTo(98, 0);
    expect(rest).toMatchObject({
      loadState: "full",
      complexity: 0,
      stepsDown: 2,
      kernelDrops: 12,
      admissionRefusals: 1,
    });
    expect(busy.lines).toHaveLength(2);
  });

  it("has all its encoders step down, and those of sessions opened later start there", async () => {
    const told: number[] = [];
    const { setComplexity } = RelaySession.prototype;
    RelaySession.prototype.setComplexity = (complexity) => void told.push(complexity);
    try {
      busy = new BusyWorker();
      await busy.open("a", "b");
      expect(told).toEqual([1, 1]);
      await busy.connect("a", "b");
      busy.run(88, 2);
      expect(told).toEqual([1, 1, 0, 0]);
      await busy.open("c");
      expect(told.slice(4)).toEqual([0]);
      busy.run(50, 10);
      expect(told.slice(5)).toEqual([1, 1, 1]);
    } finally {
      RelaySession.prototype.setComplexity = setComplexity;
    }
  });

  it("lets no further encoder begin with FEC, and does when it is itself again", async () => {
    busy = new BusyWorker();
    await busy.call("a");
    const losses = vi.spyOn(OpusSink.prototype, "setLoss");
    busy.run(88, 2);
    busy.reportLoss();
    expect(losses).not.toHaveBeenCalled();
    expect((await busy.statistics()).fecRefusals).toBe(1);
    busy.run(50, 10);
    busy.reportLoss();
    expect(losses).toHaveBeenCalledTimes(1);
    // What has it keeps it and needs no further leave.
    busy.run(88, 2);
    busy.reportLoss();
    expect(losses).toHaveBeenCalledTimes(2);
    expect((await busy.statistics()).fecRefusals).toBe(1);
    losses.mockRestore();
  });

  it("refuses a new session at its limit, binds nothing for it, and goes on with the others", async () => {
    const full = await fullWorker({ rtpPorts: rtpRange(8) });
    await full.open("d");
    expect(full.answers).toEqual(["opened a", "opened b", "opened c", "refused d: load"]);
    expect((await full.statistics()).sessions).toBe(3);
    full.run(60, 6);
    // The fourth and last pair of ports is still there.
    await full.open("e");
    expect(full.answers.at(-1)).toBe("opened e");
    expect(full.posted.some(({ type }) => type === "closed")).toBe(false);
  });

  it("takes the last call it may have, counting those being opened, and no more", async () => {
    const few = (busy = new BusyWorker({ maxCalls: 2 }));
    await Promise.all(["a", "b", "c"].map((session) => few.open(session)));
    expect(busy.answers.toSorted()).toEqual(["opened a", "opened b", "refused c: calls"]);
    await busy.close("a");
    await busy.open("d");
    expect(busy.answers.at(-1)).toBe("opened d");
  });

  it("stops a burst of calls that say nothing where it could not carry them all, and tells that it is full", async () => {
    const burst = (busy = new BusyWorker({ maxLoadPercent: 50, rtpPorts: rtpRange(240) }));
    // At one percent each until there is a measure; some ring, some were answered.
    await busy.open(...names("a", 30));
    await busy.connect(...names("a", 30));
    busy.run(1.5, 3);
    await Promise.all(names("b", 30).map((session) => burst.open(session)));
    // Beside the 1.5 % that the thread takes now.
    expect(sessionsOpened(busy)).toBe(49);
    busy.run(1.5, 1);
    expect(busy.loads.at(-1)?.full).toBe(true);
    expect(await busy.statistics()).toMatchObject({ full: true, loadState: "normal" });
    expect((await busy.statistics()).expectedPercent).toBeCloseTo(50.5, 1);
    // One that ends leaves its room at once.
    await busy.close("a0");
    await busy.open("next", "last");
    expect(busy.answers.slice(-2)).toEqual(["opened next", "refused last: load"]);
  });

  it("takes as many as their true cost leaves room for once ten of them sound", async () => {
    const cheap = await talkingWorker(10, 5);
    expect(cheap.loads.at(-1)).toEqual({ percent: 5, callPercent: 0.5, full: false });
    await cheap.open(...names("more", 100));
    // 5 % and half a percent each.
    expect(sessionsOpened(cheap)).toBe(10 + 90);
  });

  it("keeps room for calls that are held or fall silent, at the price they had", async () => {
    const held = await talkingWorker(20, 40, 60);
    held.talking = false;
    held.run(1, 5);
    const { percent, callPercent } = held.loads.at(-1) ?? { percent: 0, callPercent: 0 };
    expect(callPercent).toBeCloseTo(2, 1);
    expect(percent).toBeCloseTo(41, 0);
    await held.open(...names("more", 10));
    expect(sessionsOpened(held)).toBe(20 + 5);
  });

  it("has the room of calls that are over at once, and not what others take", async () => {
    const loaded = await talkingWorker(25, 50, 60);
    await loaded.open("one");
    expect(loaded.answers.at(-1)).toBe("refused one: load");
    await Promise.all(names("call", 3).map((session) => loaded.close(session)));
    await loaded.open(...names("more", 5));
    expect(sessionsOpened(loaded)).toBe(25 + 3);
  });

  it("takes more while calls are answered one upon the other, though their handshakes load the thread", async () => {
    busy = new BusyWorker({ rtpPorts: rtpRange(80) });
    const answered = Array.from({ length: 30 }, (_, index) => `s${index}`);
    await busy.open("a", ...answered);
    await busy.connect("a");
    busy.run(1, 1.1);
    await busy.connect(...answered);
    busy.run(60, 1);
    await busy.open("next");
    expect(busy.answers.at(-1)).toBe("opened next");
  });

  it("says that it is full when its last pair of ports is taken, and not when one is free again", async () => {
    busy = new BusyWorker({ rtpPorts: rtpRange(4) });
    await busy.open("a");
    busy.run(1, 1);
    await busy.open("b");
    busy.run(1, 1);
    await busy.close("b");
    busy.run(1, 1);
    expect(busy.loads.map(({ full }) => full)).toEqual([false, true, false]);
    await busy.open("b");
    busy.run(1, 1);
    await Promise.all([busy.close("a"), busy.close("b")]);
    expect(busy.loads.at(-1)?.full).toBe(false);
  });

  it("is not full when the last of its calls is gone while others are being opened", () => {
    const loads: WorkerLoad[] = [];
    const watch = new LoadWatch({
      now: 0,
      readings: { cpuMs: () => 0, kernelDrops: () => Promise.resolve(undefined) },
      limits: { maxCalls: 1, maxLoadPercent: 95 },
      log: silentLogger,
      // The one being opened finds no port, so nothing more will be told of it.
      listen: () => {},
      count: () => ({ sessions: 1, sounding: 0, setUps: 0 }),
      onLoad: (load) => loads.push(load),
      onComplexity: () => {},
    });
    watch.start(0);
    watch.tick(1000, 0);
    expect(loads.at(-1)?.full).toBe(true);
    watch.rest();
    expect(loads.at(-1)).toEqual({ percent: 0, callPercent: 1, full: false });
  });

  it("tells the main thread once a second, and once more when it is empty", async () => {
    const full = await fullWorker();
    expect(full.loads).toHaveLength(4);
    expect(full.loads.map((load) => load.full)).toEqual([true, true, true, true]);
    for (const session of ["a", "b", "c"]) await full.close(session);
    expect(full.loads).toHaveLength(5);
    expect(full.loads.at(-1)).toEqual({ percent: 0, callPercent: 1, full: false });
    expect(await full.statistics()).toMatchObject({ loadState: "normal", cpuPercent: 0, stepsUp: 1 });
    expect(full.clock.pendingTimers).toBe(0);
  });
});

describe("leave for FEC", () => {
  const watchAt = (cpuPercent: number): LoadWatch => {
    let cpuMs = 0;
    const watch = new LoadWatch({
      now: 0,
      readings: { cpuMs: () => cpuMs, kernelDrops: () => Promise.resolve(undefined) },
      limits: { maxCalls: 0, maxLoadPercent: 95 },
      log: silentLogger,
      listen: () => {},
      count: () => ({ sessions: 100, sounding: 100, setUps: 0 }),
      onLoad: () => {},
      onComplexity: () => {},
    });
    watch.start(0);
    cpuMs = cpuPercent * 10;
    watch.tick(1000, 0);
    return watch;
  };
  const granted = (watch: LoadWatch, now: number): number =>
    Array.from({ length: 100 }, () => watch.grantFec(now)).filter(Boolean).length;

  it("is given to all at once while there is room for it", () => {
    const watch = watchAt(40);
    expect(granted(watch, 1000)).toBe(100);
    expect(watch.statistics.fecRefusals).toBe(0);
  });

  it("is given to a few a second above that, so that loss of a whole site's overruns nobody", () => {
    const watch = watchAt(60);
    expect([granted(watch, 1000), granted(watch, 1400), granted(watch, 9000)]).toEqual([5, 2, 5]);
    expect(watch.statistics.fecRefusals).toBe(288);
  });
});

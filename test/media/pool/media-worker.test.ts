import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import type { RelayTransport } from "../../../src/media/relay/transport.ts";
import { MediaWorker } from "../../../src/media/worker/media-worker.ts";
import type { WorkerMessage, WorkerSettings } from "../../../src/media/worker/messages.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { pcmu } from "../relay/relay-double.ts";
import { rtpRange } from "./pool-double.ts";

const fail = (): never => {
  throw new Error("a bug");
};

/** A worker whose browsers' transports fail as told. */
class WorkerDouble {
  readonly posted: WorkerMessage[] = [];
  readonly clock = new FakeClock();
  readonly worker: MediaWorker;

  warnings = 0;

  constructor(faults: Partial<RelayTransport>, settings: Partial<WorkerSettings> = {}) {
    const local = { iceUfrag: "u", icePwd: "p", fingerprint: { algorithm: "sha-256", value: "AB" } };
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
      ...faults,
    };
    this.worker = new MediaWorker({
      settings: {
        index: 0,
        host: "127.0.0.1",
        trunkHost: settings.host ?? "127.0.0.1",
        browserPort: 0,
        rtpPorts: rtpRange(4),
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
        open: () => transport,
        close: () => Promise.resolve(),
      },
      readings: { cpuMs: () => 0, kernelDrops: () => Promise.resolve(undefined) },
      clock: this.clock,
      random: new CountingRandom(),
      log: { ...silentLogger, warn: () => this.warnings++ },
      post: (message) => this.posted.push(message),
    });
  }

  get told(): string[] {
    return this.posted.map((message) =>
      message.type === "closed" ? `closed ${message.session}: ${message.reason}` : message.type,
    );
  }
}

let double: WorkerDouble | undefined;
afterEach(() => double?.worker.handle({ type: "stop" }));

const remote = { iceUfrag: "far", fingerprints: [], payload: pcmu, direction: "sendrecv" } as const;

describe("a media worker", () => {
  it("ends the session whose command meets a fault, and only that", async () => {
    double = new WorkerDouble({ setRemote: fail });
    const { worker } = double;
    await worker.handle({ type: "open", session: "a" });
    await worker.handle({ type: "open", session: "b" });
    await worker.handle({ type: "browserRemote", session: "a", remote });
    await worker.handle({ type: "statistics", session: "b", request: 1 });
    await expect.poll(() => double?.told).toContain("closed a: media session failed: internal error");
    expect(double.told).not.toContain("closed b: media session failed: internal error");
    expect(double.posted).toContainEqual(expect.objectContaining({ type: "reply" }));
  });

  it("answers a question that meets a fault", async () => {
    double = new WorkerDouble({ restartIce: fail });
    await double.worker.handle({ type: "open", session: "a" });
    await double.worker.handle({ type: "restartIce", session: "a", request: 7 });
    expect(double.posted).toContainEqual({ type: "reply", reply: { type: "gone", request: 7 } });
  });

  it("tells `closed` and gives the ports back though closing meets a fault", async () => {
    double = new WorkerDouble({ close: fail });
    const { worker } = double;
    for (const session of ["a", "b", "c"]) {
      await worker.handle({ type: "open", session });
      await worker.handle({ type: "close", session, reason: "over" });
    }
    expect(double.told).toEqual(["a", "b", "c"].flatMap((id) => ["opened", `closed ${id}: over`]));
  });

  it("does not try one port after the other when it is not the ports that are the trouble", async () => {
    // An address that is not ours; out of file descriptors is the same.
    double = new WorkerDouble({}, { host: "203.0.113.1", rtpPorts: [20_000, 29_999] });
    await double.worker.handle({ type: "open", session: "a" });
    expect(double.posted).toMatchObject([
      { type: "refused", cause: undefined, reason: expect.stringContaining("EADDRNOTAVAIL") },
    ]);
    expect(double.warnings).toBe(1);
  });

  it.each([
    ["off", undefined],
    ["adaptive", 20],
  ] as const)("with the jitter buffer %s has one toward SIP Server only: %s ms", async (jitterBuffer, ms) => {
    double = new WorkerDouble({}, { jitterBuffer });
    await double.worker.handle({ type: "open", session: "a" });
    await double.worker.handle({ type: "statistics", session: "a", request: 1 });
    const message = double.posted.find(({ type }) => type === "reply");
    const reply = message?.type === "reply" ? message.reply : undefined;
    const statistics = reply?.type === "statistics" ? reply.statistics : undefined;
    expect(statistics?.browser.jitterBufferMs).toBe(ms);
    expect(statistics?.trunk.jitterBufferMs).toBeUndefined();
  });

  it("takes commands of sessions that are gone for nothing", async () => {
    double = new WorkerDouble({});
    const { worker } = double;
    await worker.handle({ type: "open", session: "a" });
    await Promise.all([
      worker.handle({ type: "close", session: "a", reason: "over" }),
      worker.handle({ type: "connect", session: "a" }),
      worker.handle({ type: "browserRemote", session: "a", remote }),
      worker.handle({ type: "close", session: "a", reason: "twice" }),
      worker.handle({ type: "restartIce", session: "a", request: 3 }),
    ]);
    expect(double.told).toEqual(["opened", "reply", "closed a: over"]);
    expect(double.clock.pendingTimers).toBe(0);
  });
});

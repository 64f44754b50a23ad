import { once } from "node:events";
import { AuditLog, FailureLog, StatusBoard, type GatewayStatus } from "../../../src/admin/index.ts";
import type { CallSummary } from "../../../src/b2bua/index.ts";
import { silentLogger } from "../../../src/core/index.ts";
import type { WorkerStatistics } from "../../../src/media/index.ts";
import type { AgentSummary, RegistrationServer, TrunkStatus } from "../../../src/registrar/index.ts";
import type { Flow } from "../../../src/sip/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { readEvents, type ServerEvent } from "../../support/event-reader.ts";

export const serverFlow: Flow = {
  id: "udp-1",
  protocol: "UDP",
  side: "trunk",
  reliable: false,
  remoteAddress: "192.0.2.10",
  remotePort: 5060,
  sentBy: "192.0.2.20:5070",
  open: true,
  send() {},
};

export function agent(dn: string, more: Partial<AgentSummary> = {}): AgentSummary {
  return {
    kind: "sip",
    dn,
    instance: `urn:uuid:${dn}`,
    userAgent: "Firefox 151",
    address: "10.1.2.3:50000",
    since: Date.UTC(2026, 0, 1),
    reachable: true,
    ...more,
  };
}

export function call(id: string, dn: string, more: Partial<CallSummary> = {}): CallSummary {
  return {
    id,
    dn,
    instance: `urn:uuid:${dn}`,
    direction: "to-agent",
    farNumber: "71000",
    callUuid: undefined,
    since: "2026-01-01T00:00:00.000Z",
    answeredAt: undefined,
    state: "ringing",
    held: false,
    codecs: { browser: undefined, trunk: undefined },
    server: serverFlow,
    quality: {},
    captureFile: undefined,
    ...more,
  };
}

const way = { lossPercent: 0.5, burstLossPercent: 0, jitterMs: 3.24, roundTripMs: 41.52 };
export const quality = {
  fromBrowser: { ...way, mos: 4.123 },
  toTrunk: { ...way, mos: 3.987, roundTripMs: undefined },
};

export const workerFigures: WorkerStatistics = {
  index: 0,
  sessions: 7,
  browserPort: 20_000,
  receiveBufferBytes: 1,
  restarts: 0,
  refused: {},
  cpuMs: 1500,
  cpuPercent: 12.34,
  expectedPercent: 15.5,
  full: false,
  tickLateMs: 1.26,
  loadState: "normal",
  complexity: 5,
  stepsDown: 0,
  stepsUp: 0,
  kernelDrops: 0,
  admissionRefusals: 0,
  fecRefusals: 0,
};

/** A board over figures that a test sets. */
export class StatusBench {
  readonly clock = new FakeClock();
  readonly failures = new FailureLog(this.clock);
  readonly audits = new AuditLog(this.clock, silentLogger);
  agents: AgentSummary[] = [];
  calls: CallSummary[] = [];
  trunk: TrunkStatus = { state: "in-service", reason: "" };
  servers: RegistrationServer[] = [
    {
      flow: serverFlow,
      name: "sip.example",
      up: true,
      proven: true,
      inUse: true,
      roundTripMs: 1.234,
      registers: 0,
      registered: 2,
    },
  ];
  gateway: GatewayStatus = {
    version: "1",
    since: "2026-01-01T00:00:00.000Z",
    draining: false,
    drain: null,
    log_level: "info",
    log_levels: [{ level: "info", room: null, until: null }],
    certificate: null,
    traces: true,
    captures: false,
  };
  workers: readonly WorkerStatistics[] = [workerFigures];
  setUps = 0;
  cpuMs = 0;
  lateMs = 0;
  /** How often the agents were asked for. */
  asked = 0;
  readonly board: StatusBoard;

  constructor() {
    const setUps = (): number => this.setUps;
    this.board = new StatusBoard({
      clock: this.clock,
      failures: this.failures,
      audits: this.audits.recent,
      sources: {
        gateway: () => this.gateway,
        registrar: {
          list: () => {
            this.asked++;
            return this.agents;
          },
        },
        trunk: {
          status: () => this.trunk,
          serverOf: () => (this.trunk.state === "in-service" ? serverFlow : undefined),
          servers: () => this.servers,
        },
        calls: {
          calls: () => this.calls,
          get setUps() {
            return setUps();
          },
        },
        media: { workers: () => Promise.resolve(this.workers) },
        workers: 2,
        callLimit: 100,
        load: { cpuMs: () => this.cpuMs, lateMs: () => this.lateMs },
      },
    });
  }

  /** Lets so many seconds pass. */
  async pass(seconds = 1): Promise<void> {
    await this.clock.advanceAsync(seconds * 1000, 500);
  }

  /** One who listens: what was told since he was asked last. */
  listen(allowed: () => boolean = () => true) {
    const stream = this.board.listen(allowed);
    if (!stream) throw new Error("no room for another listener");
    return {
      async leave(): Promise<void> {
        stream.destroy();
        await once(stream, "close");
      },
      async told(): Promise<ServerEvent[]> {
        const pieces: string[] = [];
        for (let piece: unknown = stream.read(); piece !== null; piece = stream.read())
          if (Buffer.isBuffer(piece)) pieces.push(piece.toString());
        const events: ServerEvent[] = [];
        for await (const event of readEvents(asAsync(pieces))) events.push(event);
        return events;
      },
    };
  }
}

async function* asAsync(pieces: readonly string[]): AsyncGenerator<string> {
  yield* pieces;
}

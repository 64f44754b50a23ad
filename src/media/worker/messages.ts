import type { LogLevel } from "../../core/index.ts";
import type { CaptureOrder, CaptureResult } from "../capture/contract.ts";
import type { CaptureStart } from "../capture/worker-captures.ts";
import type {
  BrowserRemote,
  Direction,
  ExhaustedCause,
  Fingerprint,
  GainDb,
  MediaStatistics,
  MediaStep,
  Side,
  TrunkRemote,
  WorkerStatistics,
} from "../contract.ts";

/** What a worker is started with. */
export interface WorkerSettings {
  readonly index: number;
  /** Local address toward browsers. */
  readonly host: string;
  /** Local address toward SIP Server's side. */
  readonly trunkHost: string;
  /** 0 = any free port. */
  readonly browserPort: number;
  /** First and last port of this worker's slice: even, odd. */
  readonly rtpPorts: readonly [first: number, last: number];
  /** How long a pair of ports rests after use, ms, so that late packets of one call reach no other. */
  readonly portRestMs: number;
  readonly trunkSource: "address" | "strict";
  readonly jitterBuffer: "off" | "adaptive";
  readonly idleMs: number;
  readonly qualityMs: number;
  readonly rtcpXr: boolean;
  /** Tell `step`. Default: no. */
  readonly tellSteps?: boolean;
  /** Default: none. */
  readonly gainDb?: GainDb | undefined;
  /** Opus frames run before the worker says it is ready, so that the first calls find hot code; 0 in tests. */
  readonly warmUpFrames: number;
  /** Sessions taken at most; 0 = no such limit. */
  readonly maxCalls: number;
  /** CPU time of the thread, percent of one core, from which no session is taken; 0 = no such limit. */
  readonly maxLoadPercent: number;
}

/** What a worker tells of its load once a second while it has sessions, and when it has none any more. */
export interface WorkerLoad {
  /** CPU time of the thread once all sessions open now sound, percent of one core. */
  readonly percent: number;
  /** What one more session is taken to cost, percent of one core. */
  readonly callPercent: number;
  /** It would refuse a session now. */
  readonly full: boolean;
}

/** ICE credentials and certificate as our SDP must say them. */
export interface IceLocal {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: Fingerprint;
}

/** Main thread to worker. `session` is the session's id, `request` names the answer wanted. */
export type WorkerCommand =
  | { readonly type: "open"; readonly session: string }
  | { readonly type: "browserRemote"; readonly session: string; readonly remote: BrowserRemote }
  | { readonly type: "trunkRemote"; readonly session: string; readonly remote: TrunkRemote }
  | {
      readonly type: "direction";
      readonly session: string;
      readonly side: Side;
      readonly direction: Direction;
    }
  | { readonly type: "connect"; readonly session: string }
  | {
      readonly type: "dtmf";
      readonly session: string;
      readonly side: Side;
      readonly digits: string;
      readonly durationMs: number | undefined;
    }
  | { readonly type: "restartIce" | "renewBrowser"; readonly session: string; readonly request: number }
  | { readonly type: "statistics"; readonly session: string; readonly request: number }
  | {
      readonly type: "startCapture";
      readonly session: string;
      readonly request: number;
      readonly order: CaptureOrder;
    }
  /** Answered when the session's capture has ended. */
  | { readonly type: "captureResult"; readonly session: string; readonly request: number }
  | { readonly type: "stopCapture"; readonly session: string }
  | { readonly type: "close"; readonly session: string; readonly reason: string }
  | { readonly type: "workerStatistics"; readonly request: number }
  | { readonly type: "stop" };

/** Answers to commands with a `request`; `gone` when the session is not there any more. */
export type WorkerReply =
  | { readonly type: "statistics"; readonly request: number; readonly statistics: MediaStatistics }
  | { readonly type: "iceRestarted"; readonly request: number; readonly ice: IceLocal }
  | {
      readonly type: "workerStatistics";
      readonly request: number;
      readonly statistics: Omit<WorkerStatistics, "restarts">;
    }
  | { readonly type: "captureStarted"; readonly request: number; readonly start: CaptureStart }
  | { readonly type: "captureEnded"; readonly request: number; readonly result: CaptureResult }
  | { readonly type: "gone"; readonly request: number };

export type SessionNotice =
  | {
      readonly type: "opened";
      readonly session: string;
      readonly ice: IceLocal;
      readonly ssrc: number;
      readonly trunkPort: number;
    }
  | {
      readonly type: "refused";
      readonly session: string;
      /** Undefined: a fault, not a want. */
      readonly cause: ExhaustedCause | undefined;
      readonly reason: string;
    }
  | { readonly type: "connected"; readonly session: string }
  | { readonly type: "dtmf"; readonly session: string; readonly side: Side; readonly digit: string }
  | { readonly type: "step"; readonly session: string; readonly step: MediaStep }
  | { readonly type: "quality"; readonly session: string; readonly statistics: MediaStatistics }
  | { readonly type: "idle"; readonly session: string; readonly side: Side; readonly silentMs: number }
  | {
      readonly type: "closed";
      readonly session: string;
      readonly reason: string;
      readonly statistics: MediaStatistics;
    };

/** Worker to main thread. */
export type WorkerMessage =
  | { readonly type: "ready"; readonly browserPort: number }
  | SessionNotice
  | { readonly type: "load"; readonly load: WorkerLoad }
  | { readonly type: "reply"; readonly reply: WorkerReply }
  | {
      readonly type: "log";
      readonly level: Exclude<LogLevel, "fatal" | "trace" | "silent">;
      readonly details: object;
      readonly message: string;
    };

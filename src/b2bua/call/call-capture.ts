import { CaptureRefusedError, type CaptureOptions, type RunningCapture } from "../../media/index.ts";
import type { CallRecord } from "./call-record.ts";
import type { CallState } from "./call-state.ts";
import type { Call } from "./call.ts";

/** A running call in a few words. */
export interface CallSummary {
  readonly id: string;
  readonly dn: string;
  readonly direction: CallRecord["direction"];
  readonly farNumber: string;
  /** X-Genesys-CallUUID as last seen. */
  readonly callUuid: string | undefined;
  /** ISO 8601 UTC. */
  readonly since: string;
  readonly state: CallState;
  /** Name of the file its media is being captured to. */
  readonly captureFile: string | undefined;
}

/** As the media room's; the file is named after the call. */
export type CallCaptureOptions = Omit<CaptureOptions, "label">;

export function summaryOf(call: Call): CallSummary {
  return {
    id: call.id,
    dn: call.presence.dn,
    direction: call.direction,
    farNumber: call.party,
    callUuid: call.callUuid,
    since: call.startedAt,
    state: call.state,
    captureFile: call.mediaSession?.capture?.file,
  };
}

/** Rejects with CaptureRefusedError, also while the call has no media yet, and with RangeError. */
export async function startCapture(call: Call, options: CallCaptureOptions): Promise<RunningCapture> {
  const session = call.mediaSession;
  if (!session) throw new CaptureRefusedError("no-media", "the call has no media yet");
  return session.startCapture({ ...options, label: call.id });
}

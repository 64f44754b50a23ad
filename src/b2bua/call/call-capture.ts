import {
  CaptureRefusedError,
  type CaptureOptions,
  type CodecName,
  type RunningCapture,
} from "../../media/index.ts";
import type { Flow } from "../../sip/index.ts";
import type { CallQualityNow } from "../media/call-quality.ts";
import type { CallRecord } from "./call-record.ts";
import type { CallState } from "./call-state.ts";
import type { Call } from "./call.ts";

/** A running call in a few words. */
export interface CallSummary {
  readonly id: string;
  readonly dn: string;
  /** The client it belongs to, see `AgentPresence.instance`. */
  readonly instance: string;
  readonly direction: CallRecord["direction"];
  readonly farNumber: string;
  /** X-Genesys-CallUUID as last seen. */
  readonly callUuid: string | undefined;
  /** ISO 8601 UTC. */
  readonly since: string;
  /** When it was established, ISO 8601 UTC. */
  readonly answeredAt: string | undefined;
  readonly state: CallState;
  readonly held: boolean;
  readonly codecs: { readonly browser: CodecName | undefined; readonly trunk: CodecName | undefined };
  /** The SIP Server that it goes by; undefined before one was asked. */
  readonly server: Flow | undefined;
  readonly quality: CallQualityNow;
  /** Name of the file its media is being captured to. */
  readonly captureFile: string | undefined;
}

/** As the media room's; the file is named after the call. */
export type CallCaptureOptions = Omit<CaptureOptions, "label">;

export function summaryOf(call: Call): CallSummary {
  return {
    id: call.id,
    dn: call.presence.dn,
    instance: call.presence.instance,
    direction: call.direction,
    farNumber: call.party,
    callUuid: call.callUuid,
    since: call.startedAt,
    answeredAt: call.answeredAt,
    state: call.state,
    held: call.held,
    codecs: call.codecs,
    server: call.server,
    quality: call.quality,
    captureFile: call.mediaSession?.capture?.file,
  };
}

/** Rejects with CaptureRefusedError, also while the call has no media yet, and with RangeError. */
export async function startCapture(call: Call, options: CallCaptureOptions): Promise<RunningCapture> {
  const session = call.mediaSession;
  if (!session) throw new CaptureRefusedError("no-media", "the call has no media yet");
  return session.startCapture({ ...options, label: call.id });
}

import type { CallInfo, Mode, QualityInfo, Status } from "../../../sdk/protocol.ts";
import type { CallSnapshot } from "../phone/call-snapshot.ts";
import type { Quality } from "../phone/gateway-events.ts";
import type { PhoneEvent } from "../phone/phone-event.ts";
import type { PhoneSnapshot } from "../phone/phone-snapshot.ts";
import type { Told } from "./session.ts";

export function statusOf(phone: PhoneSnapshot, mode: Mode): Status {
  const calls = phone.call === undefined ? [] : [phone.call, ...phone.otherCalls];
  return {
    ...(phone.dn === undefined ? {} : { dn: phone.dn }),
    connection: phone.socket,
    registration: phone.registration,
    sip_server: { state: phone.trunk.state, reason: phone.trunk.reason },
    mode,
    calls: calls.map(callInfo),
  };
}

/** What an embedding page is told of it; undefined when nothing. */
export function toldOf(event: PhoneEvent): Told | undefined {
  switch (event.kind) {
    case "registered":
    case "unregistered":
      return [event.kind, { dn: event.dn }];
    case "registration-failed": {
      const { dn, status, reason: text, final } = event;
      return ["registration_failed", { dn, status, text, final }];
    }
    case "incoming":
      return ["incoming_call", callInfo(event.call)];
    case "accepted":
      return ["call_accepted", callInfo(event.call)];
    case "calling":
    case "progress":
    case "resumed":
    case "held":
    case "retrieved":
    case "transfer":
    case "changed":
      return ["call_progress", callInfo(event.call)];
    case "muted":
    case "unmuted":
      return [event.kind, { call_id: event.call.callId }];
    case "quality": {
      const { callId, quality } = event.call;
      return quality && ["quality", { call_id: callId, ...qualityInfo(quality) }];
    }
    case "ended": {
      const text = event.reason === undefined ? {} : { text: event.reason };
      return ["call_ended", { ...callInfo(event.call), ...text }];
    }
    case "failed":
      return ["call_failed", { ...callInfo(event.call), status: event.status, text: event.reason }];
    case "sound":
    case "beep":
    case "notice":
      break;
  }
  return undefined;
}

function callInfo(call: CallSnapshot): CallInfo {
  return {
    call_id: call.callId,
    direction: call.direction,
    state: call.phase,
    peer: call.peer,
    muted: call.muted,
    held: call.heldHere,
    held_by_peer: call.heldThere,
    ...(call.since === undefined ? {} : { since: call.since }),
    data: call.data,
    ...(call.transfer === undefined ? {} : { transfer: call.transfer }),
    ...(call.quality === undefined ? {} : { quality: qualityInfo(call.quality) }),
  };
}

function qualityInfo({ mos, roundTripMs, lossPercent }: Quality): QualityInfo {
  return {
    mos,
    ...(roundTripMs === undefined ? {} : { round_trip_ms: roundTripMs }),
    ...(lossPercent === undefined ? {} : { loss_percent: lossPercent }),
  };
}

import type { Clock, Logger, Random, TypedEvents } from "../core/index.ts";
import type { Law } from "./media/g711.ts";
import type { RecordedPacket } from "./media/recorder.ts";
import type { Direction } from "./media/sdp.ts";
import type { Sound } from "./media/sound.ts";
import type { NumberBehaviour, SandboxNumber } from "./numbers.ts";
import type { DigestOptions } from "./wire/digest.ts";
import type { Faults } from "./wire/faults.ts";
import type { BindingView } from "./wire/registrar.ts";
import type { WireEntry } from "./wire/wire.ts";

/** What the sandbox binds and how it behaves. */
export interface SandboxOptions {
  /** IPv4 address of the SIP socket and of all RTP sockets; written into headers and SDP. */
  readonly host: string;
  /** SIP port; 0 = any free one. */
  readonly port: number;
  /** DNs configured: single (`5001`) or ranges (`5001-5999`). Others get 404. */
  readonly dns: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Default `sandboxNumbers`. */
  readonly numbers?: readonly SandboxNumber[];
  /** Challenges requests; default none, as the lab's SIP Server. */
  readonly digest?: DigestOptions;
  /** Messages kept for `trace()`. Default 2000; 0 = none. */
  readonly traceLimit?: number;
  /** Wait between answer and renegotiation, ms. Default 10 (site-environment 3.1). */
  readonly renegotiateAfterMs?: number;
  /** How long a DN rings before CANCEL, ms. Default 30 000. */
  readonly noAnswerMs?: number;
  /** Session-Expires offered, seconds. Default 1800. */
  readonly sessionExpires?: number;
}

/** How a call from outside goes. */
export interface RingOptions {
  /** What the outside caller sounds like. Default echo. */
  readonly sound?: Sound;
  /** False leaves out the offerless re-INVITE after the answer. Default true. */
  readonly renegotiate?: boolean;
  /** INVITE without SDP: the DN offers. Default false. */
  readonly offerless?: boolean;
  readonly noAnswerMs?: number;
  /** NOTIFY talk this long after the 180, as if the agent pressed Answer in WWE; default never. */
  readonly talkAfterMs?: number;
  /** The caller speaks this law alone. Default both, PCMU first. */
  readonly law?: Law;
  /** More headers of the INVITE, e.g. P-Asserted-Identity. */
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** How the media of a running call moves. */
export interface RetargetOptions {
  /** DN whose leg is re-INVITEd; default the call's first. */
  readonly dn?: string;
  /** Re-INVITE without SDP; the answer goes in the ACK. Default false. */
  readonly offerless?: boolean;
  /** New RTP port of the far number. Default true. */
  readonly move?: boolean;
  /** New RTP address of the far number, e.g. 127.0.0.2. */
  readonly host?: string;
  readonly law?: Law;
  /** Another o= session id instead of a higher version. */
  readonly newSessionId?: boolean;
  /** Another X-Genesys-CallUUID, as after a transfer. */
  readonly newCallUuid?: boolean;
}

/** How SIP Server holds. */
export interface HoldOptions {
  /** DN whose leg is re-INVITEd; default the call's first. */
  readonly dn?: string;
  /** RTP address of the media server that plays the music, e.g. 127.0.0.3; default the sandbox's own. */
  readonly musicHost?: string;
  /** The one law of the music. Default both, PCMU first. */
  readonly musicLaw?: Law;
}

/** How a call is referred. */
export interface ReferOptions {
  /** DN whose leg gets the REFER, default the call's first. */
  readonly dn?: string;
  /** UUID of the call whose leg of the same DN is to be replaced. */
  readonly replaces?: string;
}

/** One side of a call as `calls()` tells it. */
export interface PartyView {
  readonly kind: "agent" | "number";
  /** DN or number. */
  readonly name: string;
  readonly holding: boolean;
  /** Agents: the dialog. */
  readonly dialog?: {
    readonly state: string;
    readonly callId: string;
    readonly localTag: string;
    readonly remoteTag: string | undefined;
    /** Last SDP sent to and got from the endpoint. */
    readonly sent: string | undefined;
    readonly received: string | undefined;
  };
  /** Numbers: the RTP stream. */
  readonly media?: {
    readonly local: { readonly address: string; readonly port: number };
    readonly remote: { readonly address: string; readonly port: number } | undefined;
    readonly law: Law | undefined;
    readonly direction: Direction | undefined;
    readonly packetsSent: number;
    readonly packetsReceived: number;
    /** RFC 4733 digits got, each once. */
    readonly digits: string;
  };
}

/** A call as `calls()` and the events tell it. */
export interface CallView {
  /** X-Genesys-CallUUID. */
  readonly uuid: string;
  readonly state: "setup" | "connected" | "ended";
  /** Calling side first. */
  readonly parties: readonly PartyView[];
}

/** What the sandbox tells. */
export type SandboxEvents = {
  registered: [binding: BindingView];
  unregistered: [dn: string, reason: "asked" | "expired"];
  /** A call has begun; its parties may not be there yet. */
  call: [uuid: string];
  connected: [call: CallView];
  /** Told once per call; `call` as it was at its end. */
  ended: [call: CallView, reason: string];
};

/**
 * A Genesys-like SIP Server. Methods that name a call reject with an Error when there is none of that UUID, or
 * no agent's leg in it. Those that send a request resolve when it is done.
 */
export interface Sandbox {
  readonly host: string;
  /** The SIP port bound. */
  readonly port: number;
  readonly numbers: readonly SandboxNumber[];
  readonly faults: Faults;
  readonly events: TypedEvents<SandboxEvents>;
  /** Datagrams dropped because they are no SIP message; keep-alives do not count. */
  readonly malformed: number;

  /**
   * 3pcc TMakeCall: offerless INVITE to `dn`, NOTIFY talk on its 180, ACK when `number` has answered. Resolves
   * with the call's UUID once the INVITE is sent. Rejects when `dn` is not registered.
   */
  makeCall(dn: string, number: string): Promise<string>;
  /** A call from an outside number to `dn`; resolves with the UUID once the INVITE is sent. */
  ring(dn: string, from: string, options?: RingOptions): Promise<string>;
  /** Two seconds from now the outside number 1003 calls `dn`, if it is registered then. */
  ringBack(dn: string): void;
  /** NOTIFY talk on the ringing leg. Resolves with the status of its answer (408: none came). */
  answer(uuid: string, dn?: string): Promise<number>;
  /** NOTIFY hold. */
  hold(uuid: string, dn?: string): Promise<number>;
  /** NOTIFY talk on the confirmed leg. */
  retrieve(uuid: string, dn?: string): Promise<number>;
  /** NOTIFY dtmf with `Signal=<digits>`. */
  dtmf(uuid: string, digits: string, dn?: string): Promise<number>;
  /** NOTIFY with any event. */
  notify(
    uuid: string,
    event: string,
    body?: { readonly type: string; readonly text: string },
    dn?: string,
  ): Promise<number>;
  /** INFO with any body, as SIP Server hands user data on. */
  info(uuid: string, body: { readonly type: string; readonly text: string }, dn?: string): Promise<number>;
  /** SIP Server holds by itself: re-INVITE `sendonly` (with music), `inactive` or `c=0.0.0.0`. */
  holdByReinvite(
    uuid: string,
    form: "sendonly" | "inactive" | "zero",
    options?: HoldOptions,
  ): Promise<boolean>;
  /** Moves the media by re-INVITE; also ends a hold by re-INVITE. False when an endpoint refused. */
  retarget(uuid: string, options?: RetargetOptions): Promise<boolean>;
  /**
   * REFER in the DN's dialog to `number`, with a Replaces that names the DN's leg of another call. Resolves with the
   * final status its NOTIFYs tell, after which SIP Server hangs the leg up if that is 200, or with the REFER's refusal.
   */
  refer(uuid: string, number: string, options?: ReferOptions): Promise<number>;
  /**
   * 3pcc TSingleStepTransfer: `number` is called and takes the place of the DN's leg, which gets BYE. Resolves with the
   * final status of the number.
   */
  transfer(uuid: string, number: string, dn?: string): Promise<number>;
  /** 3pcc TCompleteTransfer: the far parties of both calls are connected, the DN's legs get BYE. False: they cannot be. */
  completeTransfer(uuid: string, consultUuid: string, dn?: string): Promise<boolean>;
  /** INVITE with Replaces to `dn`: a call from `from` that takes the place of call `uuid`; resolves as `ring`. */
  replace(uuid: string, from: string, options?: RingOptions): Promise<string>;
  /** BYE or CANCEL to all; `reasonHeader` is the value of a Reason header, e.g. `SIP;cause=503`. */
  hangUp(uuid: string, reasonHeader?: string): void;
  /**
   * OPTIONS to a DN's contact in the form of the trace; resolves with the status, 408 when none came. `user`:
   * user part of the URIs where it is not the DN, as the trunk's name is in the monitoring of trunks.
   */
  options(dn: string, user?: string): Promise<number>;

  calls(): readonly CallView[];
  bindings(): readonly BindingView[];
  /** Begins to record what the far number gets; forgets what was recorded before. */
  record(uuid: string): void;
  /** What was recorded, in order of arrival; also for a short while after the call's end. */
  recording(uuid: string): readonly RecordedPacket[];
  /** The last SIP messages, oldest first. */
  trace(): readonly WireEntry[];
  /** Ends all calls with BYE and leaves no timer and no socket. Idempotent. */
  close(): Promise<void>;
}

export type {
  BindingView,
  Direction,
  DigestOptions,
  Law,
  NumberBehaviour,
  RecordedPacket,
  SandboxNumber,
  Sound,
  WireEntry,
};

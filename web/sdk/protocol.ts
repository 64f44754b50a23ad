/**
 * What the softphone page and the page that shows it in a frame say to each other by `postMessage`. Types alone, used by
 * both ends, so that the SDK stays one file. Every message is an object with `jackfield: 1`, the version of this protocol.
 * docs/embedding.md is the reference.
 */

/** From the embedding page: do something. Each gets one answer with its id. */
export interface CommandMessage<N extends CommandName = CommandName> {
  readonly jackfield: 1;
  /** Chosen by the sender, 1 to 64 characters. */
  readonly id: string;
  readonly command: N;
  /** May be left out where the command needs none. */
  readonly data?: CommandData[N];
}

/** From the softphone: what became of a command. `answer` is its id, null when it had none that could be read. */
export type AnswerMessage =
  | { readonly jackfield: 1; readonly answer: string; readonly ok: true; readonly result: unknown }
  | { readonly jackfield: 1; readonly answer: string | null; readonly ok: false; readonly error: Refusal };

/** From the softphone: something happened. */
export interface EventMessage<N extends EventName = EventName> {
  readonly jackfield: 1;
  readonly event: N;
  readonly data: EventData[N];
}

export interface Refusal {
  readonly code: RefusalCode;
  /** What is wrong and what to do, for a person. */
  readonly text: string;
}

export type RefusalCode =
  /** Not of the form of a command. */
  | "bad_message"
  /** `jackfield` is another number than 1. */
  | "unsupported_version"
  | "unknown_command"
  /** A field of `data` is missing, unknown, or not of its type, form or length. */
  | "bad_field"
  /** More than 20 commands within a second, or 16 that are not answered yet. */
  | "too_many"
  /** Nobody is signed in, or the gateway cannot be reached at the moment. */
  | "not_signed_in"
  /** There is no such call. */
  | "no_such_call"
  /** The page is in audio-only mode: calls are controlled elsewhere. */
  | "audio_only"
  /** Not possible now: nothing rings, all lines are in use, the microphone is blocked, the token is not valid. */
  | "refused"
  /** Anything else that went wrong. */
  | "failed";

/** `audio`: sound only, all call control elsewhere (Workspace). */
export type Mode = "phone" | "audio";

/** The call a command is for; the one that is shown large when left out. */
export interface WhichCall {
  readonly call_id?: string;
}

export interface CommandData {
  /** With number and password, or with a token of `POST /api/tokens`, or a JWT. */
  readonly sign_in: { readonly dn: string; readonly password: string } | { readonly token: string };
  readonly sign_out: Nothing;
  readonly make_call: { readonly number: string };
  readonly answer_call: WhichCall;
  /** Ends a call, gives up one that is not answered, or rejects one that rings. */
  readonly hangup: WhichCall;
  readonly hold: WhichCall;
  readonly retrieve: WhichCall;
  readonly mute: WhichCall;
  readonly unmute: WhichCall;
  /** Up to 32 of `0` to `9`, `*` and `#`. */
  readonly send_dtmf: WhichCall & { readonly digits: string };
  /** To a number at once (blind), or to the other end of another call of this phone (attended). */
  readonly transfer: WhichCall & ({ readonly number: string } | { readonly to_call_id: string });
  readonly get_status: Nothing;
  /** What is left out stays as it is. What a person chose at this page about sound goes before. */
  readonly configure: Configuration;
}

export interface Configuration {
  readonly mode?: Mode;
  readonly echo_cancellation?: boolean;
  readonly noise_suppression?: boolean;
  readonly auto_gain_control?: boolean;
  /** 0 to 1. */
  readonly speaker_volume?: number;
  /** 0 to 1. */
  readonly ring_volume?: number;
  /** The browser's notifications of calls. */
  readonly notifications?: boolean;
  /**
   * Options by the names that Workspace gives its SIP endpoint, e.g. `{"policy.session.agc_mode": "1"}`; those that are not
   * known say nothing. docs/softphone-sound.md has the list.
   */
  readonly workspace_options?: Readonly<Record<string, unknown>>;
}

export interface CommandResult {
  /** The sign-in is under way; `registered` or `registration_failed` tell what comes of it. */
  readonly sign_in: Nothing;
  readonly sign_out: Nothing;
  /** No id where a desktop's server makes the call: it comes by an event. */
  readonly make_call: { readonly call_id?: string };
  readonly answer_call: Nothing;
  readonly hangup: Nothing;
  readonly hold: Nothing;
  readonly retrieve: Nothing;
  readonly mute: Nothing;
  readonly unmute: Nothing;
  readonly send_dtmf: Nothing;
  /** The transfer is under way; `call_ended` follows when it is done. */
  readonly transfer: Nothing;
  readonly get_status: Status;
  readonly configure: { readonly mode: Mode };
}

export interface EventData {
  /** The softphone hears commands from now on; again after each reload of its page. */
  readonly ready: Status;
  readonly registered: { readonly dn: string };
  /** No more registered: signed out, or the connection is lost (it comes back by itself). */
  readonly unregistered: { readonly dn: string };
  readonly registration_failed: Failure & {
    readonly dn: string;
    /** Nobody is signed in any more; else it is tried again. */
    readonly final: boolean;
  };
  readonly incoming_call: CallInfo;
  /** A call goes out, rings there, is held, retrieved or transferred, comes back after a reload, has another party or other data. */
  readonly call_progress: CallInfo;
  readonly call_accepted: CallInfo;
  /** Over. `text` says what cut it short, where something did. */
  readonly call_ended: CallInfo & { readonly text?: string };
  /** Never answered, for a reason. */
  readonly call_failed: CallInfo & Failure;
  readonly muted: { readonly call_id: string };
  readonly unmuted: { readonly call_id: string };
  /** Every five seconds of a call, as far as it is known. */
  readonly quality: { readonly call_id: string } & QualityInfo;
  /** A microphone, speaker or ring device in use went, came back or changed. */
  readonly device: DeviceInfo;
}

export interface DeviceInfo {
  readonly use: "microphone" | "speaker" | "ring";
  /** `gone`: pulled out; `back`: there again; `changed`: the system has another default; `missing`: the chosen one is not there. */
  readonly change: "gone" | "back" | "changed" | "missing";
  /** Name of the device that is gone, missing or back; empty where the browser does not tell. */
  readonly label: string;
  /** Name of the device that is used now; empty: unknown or none. */
  readonly now: string;
  /** There is no other one. */
  readonly none: boolean;
}

export interface Failure {
  /** SIP status, 0 where there was no answer. */
  readonly status: number;
  /** What is wrong, for a person. */
  readonly text: string;
}

export interface Status {
  /** Undefined while nobody is signed in. */
  readonly dn?: string;
  /** The connection to the gateway. */
  readonly connection: "idle" | "connecting" | "connected" | "lost";
  readonly registration: "none" | "registering" | "registered" | "failed";
  /** The DN's registration at SIP Server. */
  readonly sip_server: { readonly state: string; readonly reason: string };
  readonly mode: Mode;
  /** The one that is shown large first. */
  readonly calls: readonly CallInfo[];
}

export interface CallInfo {
  readonly call_id: string;
  readonly direction: "in" | "out";
  readonly state: "ringing" | "calling" | "alerting" | "answering" | "resuming" | "talking" | "ended";
  /** Who is at the other end: `Ann Lee (1003)` or `1003`. */
  readonly peer: string;
  readonly muted: boolean;
  readonly held: boolean;
  readonly held_by_peer: boolean;
  /** When it was answered, ms since the epoch. */
  readonly since?: number;
  /** What the network tells of it; text of strangers, never markup. */
  readonly data: readonly { readonly label: string; readonly value: string }[];
  readonly quality?: QualityInfo;
  /** How its last transfer goes. */
  readonly transfer?: {
    /** Number, or who is at the other end of the other call. */
    readonly to: string;
    readonly state: "offered" | "trying" | "done" | "refused";
    /** Why it was refused; else empty. */
    readonly reason: string;
  };
}

export interface QualityInfo {
  /** Mean opinion score of the worse way, 1 to 4.5. */
  readonly mos: number;
  readonly round_trip_ms?: number;
  readonly loss_percent?: number;
}

export type Nothing = Readonly<Record<string, never>>;
export type CommandName = keyof CommandData;
export type EventName = keyof EventData;
/** A command as it is carried out. */
export type Command = {
  [N in CommandName]: { readonly name: N; readonly data: CommandData[N] };
}[CommandName];

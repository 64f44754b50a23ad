/** What a test page offers, whichever SIP client it runs. Everything that crosses to the test is plain JSON. */

/**
 * The two libraries, SIP.js' ready-made softphone, our client of the WRTC protocol, and a page for the real grtc.js, whose
 * file a test adds.
 */
export type ClientName = "jssip" | "sip.js" | "simple-user" | "wrtc" | "grtc";

export interface Account {
  /** SIP over WebSocket address. */
  readonly server: string;
  readonly dn: string;
  readonly password: string;
  /** Host part of the SIP address; default `jackfield.test`. */
  readonly domain?: string;
  /** `+sip.instance`, a UUID; default a new one. */
  readonly instanceId?: string;
  /** Seconds asked for; default 300. */
  readonly expires?: number;
  /** Event packages the page says it takes; default talk, hold and the registration's state. None: the header is left out. */
  readonly allowEvents?: string;
  /** User-Agent; default the library's own. */
  readonly userAgent?: string;
  /** The page answers by itself a call whose Call-Info says `answer-after=0`, as softphones do that know the header. */
  readonly autoAnswer?: boolean;
  /** Record encoded frames of all calls (`encodedFrames`): set before the first call. */
  readonly encoded?: boolean;
}

/** What the page sends as its microphone; made by WebAudio, without the browser's voice processing. */
export type Microphone =
  | { readonly kind: "silence" }
  | { readonly kind: "tone"; readonly frequency: number; readonly gain?: number }
  /** Chromium's fake capture device: beeps, or the file given to `launchBrowser`. */
  | { readonly kind: "device" };

export interface IncomingCall {
  readonly callId: string;
  /** User part of From. */
  readonly from: string;
  readonly displayName: string;
}

export interface CallEnd {
  readonly by: "local" | "remote";
  /** The client's own word for why. */
  readonly cause: string;
  /** Status code of the response that ended it, 0 when it was a BYE, CANCEL or none. */
  readonly status: number;
}

export interface Notification {
  /** Event header, whole. */
  readonly event: string;
  readonly body: string;
  readonly callId: string;
}

/** Sound as 32-bit floats, little-endian, base64. */
export interface Sound {
  readonly sampleRate: number;
  readonly base64: string;
}

/** One frame as it is on the wire inside RTP: for G.711 one byte per sample. */
export interface EncodedFrame {
  readonly side: "sent" | "received";
  readonly rtpTimestamp: number;
  readonly payloadType: number;
  readonly base64: string;
}

/** The SIP half, one implementation per client. */
export interface SipClient {
  /** Connects and registers. Rejects with an Error whose message begins with the status code when refused. */
  register(account: Account): Promise<void>;
  /** Resolves when registered (again), e.g. after `cutSocket`. */
  registered(): Promise<void>;
  unregister(): Promise<void>;
  /** Closes the WebSocket under the client, as a lost network does; the client comes back by itself. */
  cutSocket(): void;
  /** Calls and resolves when answered. Rejects with the status code first when refused. */
  call(number: string, extraHeaders?: readonly string[]): Promise<void>;
  /** The next incoming call: the one that rings, or the next to come. */
  nextCall(): Promise<IncomingCall>;
  /** Answers the ringing call; resolves when its ACK has come. */
  answer(): Promise<void>;
  reject(status: number): void;
  /** Ends the call whatever its state: CANCEL, reject or BYE. */
  hangUp(): void;
  /** Resolves when the current (or last) call is over. */
  ended(): Promise<CallEnd>;
  hold(on: boolean): Promise<void>;
  /**
   * REFER: the current call to `number`; without one, the call before the current to the current one's party, with
   * Replaces. Resolves with the final status its NOTIFYs tell, or with the REFER's refusal.
   */
  transfer(number?: string): Promise<number>;
  /** Digits as RFC 4733 events, or as INFO with `application/dtmf-relay`, each client in its own way. */
  sendDigits(digits: string, by?: "rfc4733" | "info"): void;
  /** NOTIFY outside dialogs so far. */
  notifications(): readonly Notification[];
  /** PeerConnection of the current or last call. */
  connection(): RTCPeerConnection | undefined;
}

/** What clients need from the page around them. */
export interface ClientContext {
  /** The microphone's stream, a new copy for each call. */
  microphone(): Promise<MediaStream>;
  /** To be told of each call's connection as soon as it exists. */
  watch(connection: RTCPeerConnection): void;
}

/** Sound half and SIP half together: `window.testPhone`. */
export interface TestPhone {
  readonly sip: SipClient;
  setMicrophone(microphone: Microphone): Promise<void>;
  /** Sends samples as the microphone, from now on and once; resolves when the last was sent. */
  play(sound: Sound): Promise<void>;
  /** Starts to record what the far end sends, from scratch. */
  record(): void;
  /** What was recorded since `record`. */
  recorded(): Sound;
  encodedFrames(): readonly EncodedFrame[];
  clearEncodedFrames(): void;
  /** All of the current call's `getStats`. */
  stats(): Promise<readonly Record<string, unknown>[]>;
}

declare global {
  interface Window {
    testPhone: TestPhone;
  }
}

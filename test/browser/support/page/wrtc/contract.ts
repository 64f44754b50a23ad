import type { ClientEvent } from "../../../../support/wrtc-client/index.ts";

/** Configuration of one client; what is left out stays at the library's own value. */
export interface WrtcConfig {
  /** `webrtc_gateway`. */
  readonly gateway: string;
  readonly password?: string;
  readonly noAnswerMs?: number;
  readonly pollingTimeoutMs?: number;
  /** Our own client only: 3 s unless told. */
  readonly repeatMs?: number;
  /** TURN server, `host:port[?transport=tcp]`. */
  readonly turn?: { readonly server: string; readonly username: string; readonly password: string };
  /** Leaves host candidates out of what is sent. */
  readonly relayOnly?: boolean;
}

export interface ClientView {
  readonly ssid: string | undefined;
  readonly state: string;
  readonly busy: boolean;
  readonly peer: string | null | undefined;
}

/**
 * grtc.js as a test drives it, by that library's own names: our client (`wrtc-client.ts`) and the real library
 * (`grtc-client.ts`) behind one interface.
 */
export interface Grtc {
  configure(config: WrtcConfig): void;
  register(dn: string): void;
  connect(): void;
  disconnect(): void;
  makeOffer(to: string | undefined, audio: boolean, video: boolean): void;
  acceptCall(): void;
  rejectCall(): void;
  terminateCall(): void;
  holdCall(): void;
  resumeCall(): void;
  sendDTMF(tones: string, durationMs: number, gapMs: number): void;
  sendInfo(data: Readonly<Record<string, string>>, mapped: boolean): void;
  getServerStats(): void;
  setData(data: readonly { readonly key: string; readonly value: unknown }[]): void;
  getData(): unknown;
  setRenewSessionOnNeed(on: boolean): void;
  /** Undefined where the client does not tell. */
  view(): ClientView | undefined;
  connection(): RTCPeerConnection | undefined;
}

/** `window.wrtc`: the client, and what it has called back, oldest first. */
export interface WrtcFace {
  readonly grtc: Grtc;
  readonly events: readonly ClientEvent[];
}

declare global {
  interface Window {
    wrtc: WrtcFace;
  }
}

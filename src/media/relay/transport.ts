import type { PacketTap } from "../capture/tap.ts";
import type { Fingerprint, MediaStep } from "../contract.ts";

/** What the relay needs of a browser's secured connection; `browser-transport` provides it, tests fake it. */
export interface RelayTransport {
  readonly local: { readonly iceUfrag: string; readonly icePwd: string; readonly fingerprint: Fingerprint };
  readonly connected: boolean;
  readonly lastConsentAt: number | undefined;
  readonly dropped: Readonly<Record<string, number>>;
  /** Sees all plain packets of this side while a capture runs. */
  tap?: PacketTap | undefined;
  setRemote(remote: {
    readonly iceUfrag: string;
    readonly icePwd?: string | undefined;
    readonly fingerprints: readonly Fingerprint[];
  }): void;
  /** Now and then: asks a browser that has fallen silent for a check. */
  upkeep(now: number): void;
  sendRtp(packet: Buffer, length: number): boolean;
  sendRtcp(packet: Buffer, length: number): boolean;
  restartIce(): { readonly iceUfrag: string; readonly icePwd: string; readonly fingerprint: Fingerprint };
  close(): void;
}

/** What a transport tells the relay. */
export interface RelayTransportHandlers {
  onRtp(packet: Buffer, length: number): void;
  onRtcp(packet: Buffer, length: number): void;
  /** What the browser's ICE and DTLS come to, for traces. */
  onStep?(step: MediaStep): void;
  onConnected(): void;
  onFailed(reason: string): void;
}

export type OpenTransport = (handlers: RelayTransportHandlers) => RelayTransport;

import type { Sandbox, SandboxOptions } from "./contract.ts";
import { GenesysSandbox } from "./sandbox.ts";

export type {
  BindingView,
  CallView,
  DigestOptions,
  PartyView,
  RecordedPacket,
  HoldOptions,
  ReferOptions,
  RetargetOptions,
  RingOptions,
  Sandbox,
  SandboxEvents,
  SandboxOptions,
  WireEntry,
} from "./contract.ts";
export { sandboxNumbers, type NumberBehaviour, type SandboxNumber } from "./numbers.ts";
export { compress, expand, type Law } from "./media/g711.ts";
export { assemble } from "./media/recorder.ts";
export { soundBytes, type Sound } from "./media/sound.ts";
export type { Faults, RegisterFault } from "./wire/faults.ts";

/**
 * Starts a Genesys-like SIP Server on one UDP port (RTP from the system's free ports). Rejects with the
 * system's error when the address cannot be bound.
 */
export function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  return GenesysSandbox.open(options);
}

import type { SipMessage } from "../message/types.ts";
import type { Flow } from "../transport/flow.ts";

/** Sees what goes through the transaction layer, for traces. Must not throw; keeps `bytes` only as a copy. */
export interface MessageObserver {
  /** A message as it came, repetitions too. */
  received(message: SipMessage, bytes: Buffer, flow: Flow): void;
  /** A message that is handed to the network, repetitions too. */
  sent(callId: string, bytes: Buffer, flow: Flow): void;
  /** A request of ours is given up: `reason` in words. */
  givenUp(callId: string, method: string, reason: string): void;
}

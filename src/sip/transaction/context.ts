import type { Clock, Logger } from "../../core/index.ts";
import type { TransactionCounters } from "./counters.ts";
import { MessageTally } from "./message-tally.ts";
import type { MessageObserver } from "./observer.ts";

/** What every transaction shares with its layer. */
export interface TransactionContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: TransactionCounters;
  readonly messages: MessageTally;
  readonly observer: MessageObserver | undefined;
  /** Runs a callback of the user; what it throws is logged and counted and goes no further. Returns whether
   * it came back without throwing. */
  callUser(callback: () => void): boolean;
}

export function createContext(
  clock: Clock,
  log: Logger,
  counters: TransactionCounters,
  observer?: MessageObserver,
): TransactionContext {
  return {
    clock,
    log,
    counters,
    messages: new MessageTally(),
    observer,
    callUser(callback) {
      try {
        callback();
        return true;
      } catch (error) {
        counters.handlerErrors++;
        log.error({ err: error }, "transaction user threw");
        return false;
      }
    },
  };
}

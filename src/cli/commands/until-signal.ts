import type { Clock, Logger, Timer } from "../../core/index.ts";
import type { DrainOrder, GatewayDrain } from "../gateway/drain.ts";

/** What a stop by signal closes. */
export interface Stoppable {
  close(reason?: string): Promise<void>;
}

export interface UntilSignalOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Closed in this order. */
  readonly parts: readonly Stoppable[];
  /** With it SIGTERM drains before it closes. */
  readonly drain?: {
    readonly of: Pick<GatewayDrain, "exits" | "begin" | "progress">;
    readonly seconds: () => number;
  };
  /** The first part has closed by itself. */
  readonly closed?: Promise<void>;
}

/** Who asks twice gets an end at once: BYEs and un-REGISTERs are sent and waited for no longer than this, ms. */
const hurriedMs = 3000;
/** Exit code of an end that something was cut by. */
const cutShort = 130;

/**
 * Waits for a signal or for the end of a drain that was ordered otherwise. The first SIGTERM drains (one that was ordered
 * otherwise goes on, for `seconds` at most: so long who sent it waits), a second ends the calls by BYE and the process within
 * 3 s, a third at once; SIGINT does what a second SIGTERM does. Resolves with the exit code: 0, or 1 when not everything
 * could be closed; an end at once is 130.
 */
export function untilSignal({ log, clock, parts, drain, closed }: UntilSignalOptions): Promise<number> {
  return new Promise((resolve) => {
    let closing = false;
    /** A SIGTERM began the drain that runs, or took it over. */
    let drained = false;
    /** All is closed; what is left is the end of the process. */
    let done: number | undefined;
    let hurried: Timer | undefined;
    const close = (): void => {
      closing = true;
      void closeAll(parts)
        .then(() => 0)
        .catch((error: unknown) => {
          log.error({ err: error }, "not everything could be closed");
          return 1;
        })
        .then((code) => {
          hurried?.clear();
          done = code;
          resolve(code);
        });
    };
    const stop = (signal: NodeJS.Signals): void => {
      if (closing) return process.exit(done ?? cutShort);
      if (!drain?.of.exits) drained = false;
      if (drain && signal === "SIGTERM" && !drained && drain.of.begin(orderOf(drain))) {
        drained = true;
        return log.info({ signal }, "draining; a second signal ends the calls");
      }
      log.info({ signal }, "stopping; a further signal ends at once");
      if (drain?.of.exits) hurried = clock.setTimer(hurriedMs, () => process.exit(cutShort));
      close();
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
    void closed?.catch(() => {}).then(() => closing || close());
  });
}

function orderOf({ of, seconds }: NonNullable<UntilSignalOptions["drain"]>): DrainOrder {
  return { exit: { seconds: Math.min(seconds(), of.progress.secondsLeft ?? Infinity) } };
}

async function closeAll(parts: readonly Stoppable[]): Promise<void> {
  for (const part of parts) await part.close("gateway is shutting down");
}

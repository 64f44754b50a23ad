import type { BrowserInterval } from "./browser-stats.ts";
import type { GatewayWays } from "../phone/gateway-events.ts";

/** Raised after some values in a row at or above `raise`, cleared after more of them below `clear`. */
interface Limits {
  readonly raise: number;
  readonly clear: number;
}

/** Values in a row, one every two seconds. */
const RAISE_AFTER = 2;
const CLEAR_AFTER = 4;

/** A switch that does not flicker. */
export class Alarm {
  readonly #limits: Limits;
  #on = false;
  #row = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @param value undefined: not known, which changes nothing */
  take(value: number | undefined): boolean {
    if (value === undefined) return this.#on;
    const against = this.#on ? value < this.#limits.clear : value >= this.#limits.raise;
    this.#row = against ? this.#row + 1 : 0;
    if (this.#row < (this.#on ? CLEAR_AFTER : RAISE_AFTER)) return this.#on;
    this.#row = 0;
    this.#on = !this.#on;
    return this.#on;
  }
}

/** What one look at a call shows. */
export interface Look {
  /** Undefined: the browser tells nothing. */
  readonly browser: BrowserInterval | undefined;
  /** Undefined: the gateway tells nothing. */
  readonly gateway: GatewayWays | undefined;
  /** Sound should run: answered, not held by either side. */
  readonly talking: boolean;
}

const LOSS: Limits = { raise: 3, clear: 1 };
const NONE: Limits = { raise: 1, clear: 1 };
const CURE = "Use a cable in place of Wi-Fi, or close what else uses the network.";

interface Watched {
  readonly limits: Limits;
  readonly value: (look: Look) => number | undefined;
  readonly text: (value: number) => string;
}

const WATCHED: readonly Watched[] = [
  {
    limits: LOSS,
    value: ({ browser, gateway }) => worse(browser?.farLossPercent, gateway?.fromBrowser?.lossPercent),
    text: (loss) => `Your network loses sound on its way to the caller (${Math.round(loss)} %). ${CURE}`,
  },
  {
    limits: LOSS,
    value: ({ browser, gateway }) => worse(browser?.lossPercent, gateway?.toBrowser?.lossPercent),
    text: (loss) => `Your network loses sound on its way to you (${Math.round(loss)} %). ${CURE}`,
  },
  {
    limits: { raise: 400, clear: 300 },
    value: ({ browser, gateway }) => worse(browser?.roundTripMs, gateway?.fromBrowser?.roundTripMs),
    text: (ms) =>
      `Your network is slow (${Math.round(ms)} ms there and back): you may talk at the same time. ${CURE}`,
  },
  {
    limits: { raise: 60, clear: 40 },
    value: ({ browser, gateway }) => worse(browser?.jitterMs, gateway?.fromBrowser?.jitterMs),
    text: (ms) => `Your network is uneven (jitter ${Math.round(ms)} ms): words may be cut. ${CURE}`,
  },
  {
    limits: LOSS,
    value: ({ gateway }) => worse(gateway?.fromTrunk?.lossPercent, gateway?.toTrunk?.lossPercent),
    text: (loss) =>
      `The line behind the gateway loses sound (${Math.round(loss)} %). Nothing here helps; tell support if it stays.`,
  },
  {
    limits: NONE,
    value: ({ browser, talking }) => none(talking && browser?.connected === true, browser?.received),
    text: () => "No sound arrives from the caller. If it stays, hang up and call back.",
  },
  {
    limits: NONE,
    value: ({ browser, talking }) => none(talking && browser?.connected === true, browser?.sent),
    text: () => "Your microphone sends nothing: the caller does not hear you. Check it in the settings.",
  },
];

/** Plain warnings of a call, with what to do; they come and go slowly. */
export class Warnings {
  readonly #alarms = WATCHED.map((watched) => ({ ...watched, alarm: new Alarm(watched.limits), last: 0 }));

  /** One look, every two seconds. @returns what is wrong at present */
  take(look: Look): string[] {
    return this.#alarms.flatMap((one) => {
      const value = one.value(look);
      const on = one.alarm.take(value);
      one.last = value ?? one.last;
      return on ? [one.text(one.last)] : [];
    });
  }
}

function worse(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

/** 1 when there should be packets and are none. */
function none(expected: boolean, packets: number | undefined): number | undefined {
  return packets === undefined ? undefined : expected && packets === 0 ? 1 : 0;
}

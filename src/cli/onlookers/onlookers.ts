import { watchAccounts } from "./accounts-watch.ts";
import { openDashboard } from "./dashboard.ts";
import { openLogLevels } from "./log-levels.ts";
import { openMetrics } from "./metrics.ts";
import { openSpans } from "./telemetry.ts";
import { openRecords } from "./records.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";
import { openSignIn } from "./sign-in.ts";
import { openWrtc } from "./wrtc.ts";

/** What opens one; it rejects when what it must bind cannot be bound, and the gateway does not start then. */
type Opener = (rooms: GatewayRooms) => Onlooker | undefined | Promise<Onlooker | undefined>;

/** Opened in this order before the HTTP server listens, closed after the last call has ended. Undefined: is switched off. */
export const onlookers: readonly Opener[] = [
  openDashboard,
  openMetrics,
  openSpans,
  openSignIn,
  openWrtc,
  watchAccounts,
  openLogLevels,
  openRecords,
];

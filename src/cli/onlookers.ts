import { watchAccounts } from "./accounts-watch.ts";
import { openDashboard } from "./dashboard.ts";
import type { GatewayRooms, Onlooker } from "./rooms.ts";
import { openSignIn } from "./sign-in.ts";

/** Opened in this order before the HTTP server listens, closed after the last call has ended. Undefined: is switched off. */
export const onlookers: readonly ((rooms: GatewayRooms) => Onlooker | undefined)[] = [
  openDashboard,
  openSignIn,
  watchAccounts,
];

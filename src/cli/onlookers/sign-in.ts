import { registerBanRoutes, registerSignInRoute } from "../../admin/index.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";

/** `POST /api/sign-in` for pages with a token, and, for the dashboard, who is shut out. Before `listen`. */
export function openSignIn(rooms: GatewayRooms): Onlooker | undefined {
  const { admin, http, signIn, guard, surroundings } = rooms;
  const log = surroundings.log.child({ room: "admin" });
  if (admin || signIn) registerSignInRoute(http.app, { desk: signIn, secure: http.secure, log });
  if (admin) registerBanRoutes(http.app, { bans: guard, access: admin.login, audits: admin.audits });
  return undefined;
}

import { AuditLog, Login, registerLoginRoutes } from "../../admin/index.ts";
import { adminIsOn, type Config } from "../../config/index.ts";
import type { HttpServer } from "../../ws/index.ts";
import type { GatewayRooms } from "./rooms.ts";
import type { GatewaySurroundings } from "./surroundings.ts";

/** Who may ask for more than health, and how he signs in. */
export function openAdminLogin(
  config: Config,
  { clock, random, log: gatewayLog }: GatewaySurroundings,
  { app, secure }: HttpServer,
): GatewayRooms["admin"] {
  if (!adminIsOn(config)) return undefined;
  const { admin } = config;
  const log = gatewayLog.child({ room: "admin" });
  const login = new Login({ admin, secure, clock, random, log });
  registerLoginRoutes(app, { login, clock, random, log });
  return { login, audits: new AuditLog(clock, log) };
}

import { Login } from "../../src/admin/index.ts";
import type { Config } from "../../src/config/index.ts";
import { silentLogger, type Clock, type Logger } from "../../src/core/index.ts";
import { CountingRandom } from "../support/counting-random.ts";

export const adminToken = "0123456789abcdef0123456789abcdef";

/** The `admin` section as configured with nothing but a token. */
export function adminConfig(admin: Partial<Config["admin"]> = {}): Config["admin"] {
  return { token: adminToken, users: [], sessions: { idleMinutes: 60, hours: 12 }, ...admin };
}

/** A login that knows the token, and the users given. */
export function openLogin(
  clock: Clock,
  {
    log = silentLogger,
    secure = false,
    ...admin
  }: Partial<Config["admin"]> & { log?: Logger; secure?: boolean } = {},
): Login {
  return new Login({ admin: adminConfig(admin), secure, clock, random: new CountingRandom(), log });
}

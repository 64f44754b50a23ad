import type { AdminRole } from "../config/index.ts";

/** Who asks, as the audit log names him. */
export interface Identity {
  /** Name of a configured user; `token` for who sent the admin token. */
  readonly who: string;
  readonly role: AdminRole;
}

import type { Login } from "./login.ts";

/** What the routes ask of the login. */
export type Access = Pick<Login, "check" | "operate" | "identity" | "holds" | "events">;

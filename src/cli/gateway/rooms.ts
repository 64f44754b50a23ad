import type { AuditLog, HealthSources, Login, MetricsDoor } from "../../admin/index.ts";
import type { HttpServer, WebSocketEndpoint } from "../../ws/index.ts";
import type { GatewayDrain } from "./drain.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import type { Reloader } from "./reload.ts";
import type { Signalling } from "./signalling.ts";

/** All rooms of a gateway that is being opened; the HTTP server does not listen yet. */
export interface GatewayRooms extends Omit<GatewayParts, "signalling">, Signalling {
  readonly http: HttpServer;
  /** Undefined while the gateway opens. */
  readonly webSocket: () => WebSocketEndpoint | undefined;
  /** Where figures for `/metrics` are handed in, see there. */
  readonly metrics: MetricsDoor;
  readonly health: HealthSources;
  readonly drain: GatewayDrain;
  readonly reloader: Reloader;
  /** Undefined: nobody can sign in at the dashboard (`adminIsOn`). */
  readonly admin: { readonly login: Login; readonly audits: AuditLog } | undefined;
}

/** What watches the rooms and tells others of them; calls go on as well without it. */
export interface Onlooker {
  /** Idempotent. What was not handed on yet is written or sent within a few seconds, or kept on disk. */
  close(): void | Promise<void>;
}

import type { AuditLog, HealthSources, Login, MetricsDoor } from "../../admin/index.ts";
import type { B2bua } from "../../b2bua/index.ts";
import type { MediaPool } from "../../media/index.ts";
import type {
  AgentRegistrar,
  AgentTokens,
  LoginGuard,
  PacedTrunkRegistrations,
  SignInDesk,
} from "../../registrar/index.ts";
import type { DigestServer } from "../../sip/index.ts";
import type { TraceStore } from "../../trace/index.ts";
import type { HttpServer, WebSocketEndpoint } from "../../ws/index.ts";
import type { Accounts } from "./accounts.ts";
import type { HepCopy } from "./hep.ts";
import type { GatewayDrain } from "./drain.ts";
import type { LiveConfig } from "./live-config.ts";
import type { Reloader } from "./reload.ts";
import type { SipSocket } from "./sip-socket.ts";
import type { GatewaySurroundings } from "./surroundings.ts";

/** All rooms of a gateway that is being opened; the HTTP server does not listen yet. */
export interface GatewayRooms {
  readonly live: LiveConfig;
  readonly surroundings: GatewaySurroundings;
  readonly sip: SipSocket;
  readonly registrar: AgentRegistrar;
  readonly trunkRegistrations: PacedTrunkRegistrations;
  readonly b2bua: B2bua;
  readonly media: MediaPool;
  readonly http: HttpServer;
  /** Undefined while the gateway opens. */
  readonly webSocket: () => WebSocketEndpoint | undefined;
  /** Where figures for `/metrics` are handed in, see there. */
  readonly metrics: MetricsDoor;
  readonly health: HealthSources;
  readonly drain: GatewayDrain;
  readonly reloader: Reloader;
  /** Undefined: traces are off. */
  readonly traces: TraceStore | undefined;
  /** Of the browsers' REGISTERs. */
  readonly digest: DigestServer;
  /** SIP copied to Homer; undefined: off. */
  readonly hep: HepCopy | undefined;
  /** Undefined: nobody could issue tokens, or there is no key. */
  readonly tokens: AgentTokens | undefined;
  readonly accounts: Accounts;
  readonly guard: LoginGuard;
  /** What tokens are exchanged at; undefined: none are taken. */
  readonly signIn: SignInDesk | undefined;
  /** Undefined: nobody can sign in at the dashboard (`adminIsOn`). */
  readonly admin: { readonly login: Login; readonly audits: AuditLog } | undefined;
}

/** What watches the rooms and tells others of them; calls go on as well without it. */
export interface Onlooker {
  /** Idempotent. What was not handed on yet is written or sent within a few seconds, or kept on disk. */
  close(): void | Promise<void>;
}

import {
  FailureLog,
  registerActRoutes,
  registerCaptureFileRoute,
  registerStatusRoutes,
  registerTokenRoutes,
  showCertificate,
  StatusBoard,
  watchFailures,
  type Access,
  type ActsDoor,
  type AuditLog,
  type GatewayStatus,
} from "../admin/index.ts";
import { dismissedReason, type B2bua } from "../b2bua/index.ts";
import type { Config } from "../config/index.ts";
import type { MediaPool } from "../media/index.ts";
import type { AgentRegistrar, AgentTokens, PacedTrunkRegistrations } from "../registrar/index.ts";
import type { HttpServer, WebSocketEndpoint } from "../ws/index.ts";
import { measureProcess } from "./process-load.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import { version } from "./version.ts";

/** The rooms that the dashboard reads and acts on. */
export interface DashboardRooms {
  readonly config: Config;
  readonly surroundings: GatewaySurroundings;
  readonly registrar: AgentRegistrar;
  readonly trunkRegistrations: PacedTrunkRegistrations;
  readonly b2bua: B2bua;
  readonly media: MediaPool;
  readonly http: HttpServer;
  /** Asked when an agent is signed out. */
  readonly webSocket: () => WebSocketEndpoint | undefined;
  readonly traces: boolean;
  readonly tokens: AgentTokens | undefined;
}

/** Adds what is behind the dashboard to the HTTP server: live status, history, acts, captures. Before `listen`. */
export function openDashboard(rooms: DashboardRooms, access: Access, audits: AuditLog): { close(): void } {
  const { config, surroundings, b2bua, media, registrar, trunkRegistrations: trunk, http } = rooms;
  const { clock } = surroundings;
  const log = surroundings.log.child({ room: "admin" });
  const failures = new FailureLog(clock);
  const stopWatching = watchFailures(
    { calls: b2bua, trunk, registrar, media, http, login: access },
    failures,
  );
  const load = measureProcess();
  const { workers, maxCallsPerWorker: callLimit, captureDirectory } = config.media;
  const gateway = gatewayStatus(rooms);
  const sources = { gateway, registrar, trunk, calls: b2bua, media, workers, callLimit, load };
  const board = new StatusBoard({ sources, failures, audits: audits.recent, clock });
  registerStatusRoutes(http.app, { board, access });
  registerActRoutes(http.app, { acts: actsOf(rooms), access, audits, wallClock: () => clock.wallClock() });
  registerTokenRoutes(http.app, { tokens: rooms.tokens, access, audits, secure: http.secure, clock, log });
  registerCaptureFileRoute(http.app, { directory: captureDirectory, access, audits });
  return {
    close() {
      stopWatching();
      failures.close();
      board.close();
      load.close();
    },
  };
}

function gatewayStatus({ config, surroundings, b2bua, http, traces }: DashboardRooms): () => GatewayStatus {
  const { clock, log } = surroundings;
  const since = new Date(clock.wallClock()).toISOString();
  return () => ({
    version,
    since,
    draining: b2bua.draining,
    log_level: "level" in log ? log.level : config.log.level,
    certificate: http.certificate ? showCertificate(http.certificate, clock.wallClock()) : null,
    traces,
    captures: config.media.captureDirectory !== undefined,
  });
}

function actsOf({
  surroundings,
  b2bua,
  registrar,
  trunkRegistrations,
  http,
  webSocket,
}: DashboardRooms): ActsDoor {
  const { log } = surroundings;
  return {
    hangUp: (call) => b2bua.hangUp(call),
    signOut(dn) {
      const clients = registrar.signOut(dn, dismissedReason);
      for (const { flow } of clients)
        if (flow && !b2bua.hasCallOn(flow)) webSocket()?.dismiss(flow, dismissedReason);
      return clients.length;
    },
    get draining() {
      return b2bua.draining;
    },
    set draining(draining) {
      b2bua.draining = draining;
      registrar.draining = draining;
      trunkRegistrations.drain(draining);
    },
    get calls() {
      return b2bua.calls().length;
    },
    log: "level" in log ? log : undefined,
    reloadCertificate() {
      let fault = "this gateway runs without TLS";
      const stop = http.events.on("certificate-fault", (reason) => (fault = reason));
      const taken = http.reloadCertificate();
      stop();
      return taken && http.certificate ? { info: http.certificate } : { fault };
    },
  };
}

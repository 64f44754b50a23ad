import {
  FailureLog,
  registerActRoutes,
  registerAgentRoute,
  registerCallRoutes,
  registerCaptureFileRoute,
  registerStatusRoutes,
  registerTokenRoutes,
  showCertificate,
  showLevels,
  StatusBoard,
  watchFailures,
  type ActsDoor,
  type DrainStatus,
  type ReloadAnswer,
  type GatewayStatus,
} from "../../admin/index.ts";
import { dismissedReason } from "../../b2bua/index.ts";
import type { GatewayDrain } from "../gateway/drain.ts";
import { measureProcess } from "./process-load.ts";
import type { ReloadResult } from "../gateway/reload.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";
import { version } from "../version.ts";

/** Adds what is behind the dashboard to the HTTP server: live status, history, acts, captures. Before `listen`. */
export function openDashboard(rooms: GatewayRooms): Onlooker | undefined {
  if (!rooms.admin) return undefined;
  const { login: access, audits } = rooms.admin;
  const { surroundings, b2bua, media, registrar, trunkRegistrations: trunk, http, traces } = rooms;
  const config = rooms.live.current;
  const { clock } = surroundings;
  const log = surroundings.log.child({ room: "admin" });
  registerCallRoutes(http.app, { calls: b2bua, traces, login: access, audits, clock, log });
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
  registerAgentRoute(http.app, { sources, access });
  registerActRoutes(http.app, { acts: actsOf(rooms), access, audits, wallClock: () => clock.wallClock() });
  const prepare = rooms.accounts.prepare.bind(rooms.accounts);
  registerTokenRoutes(http.app, { tokens: rooms.tokens, prepare, access, audits });
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

function gatewayStatus({
  live,
  surroundings,
  b2bua,
  drain,
  http,
  traces,
}: GatewayRooms): () => GatewayStatus {
  const { clock, log } = surroundings;
  const since = new Date(clock.wallClock()).toISOString();
  return () => ({
    version,
    since,
    draining: b2bua.draining,
    drain: drain.state === "serving" ? null : showDrain(drain),
    log_level: "levels" in log ? log.levels.general.level : live.current.log.level,
    log_levels: "levels" in log ? showLevels(log.levels) : [],
    certificate: http.certificate ? showCertificate(http.certificate, clock.wallClock()) : null,
    traces: traces !== undefined,
    captures: live.current.media.captureDirectory !== undefined,
  });
}

function showReload(result: ReloadResult): ReloadAnswer {
  if (result.outcome === "applied")
    return { changes: result.changes.map(({ key, what }) => ({ key, change: what })) };
  if (result.outcome === "restart")
    return {
      refused: "changes of these keys need a restart; nothing was changed",
      faults: result.changes.map(({ key, what }) => ({ key, reason: what })),
    };
  if (result.outcome === "faulty")
    return {
      refused: "the configuration is faulty; nothing was changed",
      faults: result.faults.map(({ key, reason, remedy }) => ({ key, reason: `${reason}: ${remedy}` })),
    };
  return { refused: `${result.reason}; nothing was changed`, faults: [] };
}

function showDrain({ progress }: GatewayDrain): DrainStatus {
  const { secondsLeft, ...others } = progress;
  return { ...others, seconds_left: secondsLeft ?? null };
}

function actsOf(rooms: GatewayRooms): ActsDoor {
  const { surroundings, b2bua, registrar, drain, reloader, live, http, webSocket } = rooms;
  const { log } = surroundings;
  return {
    hangUp: (call) => b2bua.hangUp(call),
    signOut(dn) {
      const clients = registrar.signOut(dn, dismissedReason);
      for (const { flow } of clients)
        if (flow && !b2bua.hasCallOn(flow)) webSocket()?.dismiss(flow, dismissedReason);
      return clients.length;
    },
    drain: {
      get status() {
        return showDrain(drain);
      },
      get usualSeconds() {
        return live.current.shutdown.drainSeconds;
      },
      begin: (order) => drain.begin(order),
      cancel: () => drain.cancel(),
    },
    reload: (by) => showReload(reloader.reload(by)),
    logLevels: "levels" in log ? log.levels : undefined,
    reloadCertificate() {
      let fault = "this gateway runs without TLS";
      const stop = http.events.on("certificate-fault", (reason) => (fault = reason));
      const taken = http.reloadCertificate();
      stop();
      return taken && http.certificate ? { info: http.certificate } : { fault };
    },
  };
}

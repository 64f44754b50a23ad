import {
  agentCollector,
  banCollector,
  callCollector,
  directoryCollector,
  gatewayCollector,
  Login,
  mediaCollector,
  readyTrouble,
  registerAdminRoutes,
  registerMetricsRoute,
  Scrapes,
  sipCollector,
  socketCollector,
  telemetryCollector,
  trunkCollector,
  workerCollector,
  type GatewaySources,
  type MetricsAccess,
} from "../../admin/index.ts";
import { listenerAsksForToken, metricsAreOn } from "../../config/index.ts";
import { openHttpServer, type HttpServer } from "../../ws/index.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";
import { version } from "../version.ts";

/** Serves `/metrics`, on the HTTP port where there is a token, and on the listener of its own. */
export async function openMetrics(rooms: GatewayRooms): Promise<Onlooker | undefined> {
  const { live, surroundings, http, metrics } = rooms;
  const { listen } = live.current.metrics;
  const onMainPort = metricsAreOn(live.current);
  if (!onMainPort && !listen) return undefined;
  const { clock, random } = surroundings;
  const log = surroundings.log.child({ room: "admin" });
  const remedy = "send metrics.token: Authorization: Bearer ...";
  const { admin } = live.current;
  const login = rooms.admin?.login ?? new Login({ admin, secure: http.secure, remedy, clock, random, log });
  const access: MetricsAccess = { token: () => live.current.metrics.token, login };
  const scrapes = new Scrapes(metrics, clock, log);
  const stops = addCollectors(rooms, login);
  if (onMainPort) registerMetricsRoute(http.app, { scrapes, access });
  let listener: HttpServer | undefined;
  if (listen) {
    listener = openHttpServer({ host: listen.host, port: listen.port, log, clock });
    registerMetricsRoute(listener.app, {
      scrapes,
      access: listenerAsksForToken(live.current.metrics) ? access : undefined,
    });
    registerAdminRoutes(listener.app, rooms.health);
    await listener.listen();
    log.info({ host: listen.host, port: listener.port }, "metrics are served");
  }
  return {
    async close() {
      for (const stop of stops) stop();
      await listener?.close();
    },
  };
}

function addCollectors(rooms: GatewayRooms, login: Login): (() => void)[] {
  const { live, metrics, b2bua, registrar, trunkRegistrations, digest, signIn, media, sip } = rooms;
  const { hep, accounts } = rooms;
  const { udp, stream } = sip.transports;
  const sound = { media, quality: b2bua.quality, workers: live.current.media.workers };
  const { collect, stop } = callCollector(b2bua);
  const bans = banCollector(rooms.guard);
  const gateway = gatewaySources(rooms);
  const { transactions, dispatcher: dialogs } = sip;
  const collectors = [
    gatewayCollector(gateway),
    socketCollector(gateway),
    agentCollector({ registrar, digest, signIn, login }),
    trunkCollector(trunkRegistrations),
    collect,
    mediaCollector(sound),
    workerCollector(sound),
    sipCollector({ transactions, dialogs, udp, stream, host: live.current.sip.host }),
    bans.collect,
    ...(hep ? [telemetryCollector("hep", () => hep.counters)] : []),
    ...(accounts.directory ? [directoryCollector(accounts.directory)] : []),
  ];
  return [stop, bans.stop, ...collectors.map((collector) => metrics.add(collector))];
}

function gatewaySources({
  surroundings,
  b2bua,
  http,
  webSocket,
  traces,
  sip,
  health,
  drain,
}: GatewayRooms): GatewaySources {
  return {
    version,
    ready: () => readyTrouble(health) === undefined,
    draining: () => b2bua.draining,
    drainSecondsLeft: () => drain.progress.secondsLeft,
    logLinesLost: () => surroundings.logLinesLost?.(),
    http,
    sipCertificate: () => sip.transports.certificateValidTo,
    sipConnections: () => sip.transports.stream?.connections,
    webSocket,
    traces,
    wallClock: () => surroundings.clock.wallClock(),
  };
}

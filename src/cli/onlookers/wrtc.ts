import { ssidSecret, type Config } from "../../config/index.ts";
import { randomId } from "../../core/index.ts";
import { wrtcCollector } from "../../admin/index.ts";
import { createClientCalls, SimpleVariant, Wrtc, WrtcLegs, type WrtcTerms } from "../../wrtc/index.ts";
import { PasswordLogin } from "../gateway/dn-login.ts";
import type { GatewayRooms, Onlooker } from "../gateway/rooms.ts";

/** Serves clients of the Genesys WebRTC Gateway (grtc.js). Before `listen`. */
export function openWrtc(rooms: GatewayRooms): Onlooker | undefined {
  const { live, surroundings, registrar, trunkRegistrations: trunk, accounts, guard, drain, b2bua } = rooms;
  const { wrtc: config, agents } = live.current;
  if (!config.enabled) return undefined;
  const { clock, random, log: gatewayLog } = surroundings;
  const log = gatewayLog.child({ room: "wrtc" });
  const ownSecret = randomId(random, 32);
  const legs = new WrtcLegs();
  b2bua.useWrtcLegs(legs);
  const reachPatienceMs = agents.newCallGraceSeconds * 1000;
  const services = { b2bua, legs, clock, random, log, reachPatienceMs };
  const wrtc = new Wrtc({
    registrar,
    trunk,
    login: new PasswordLogin({ accounts, guard, tokens: rooms.signIn, realm: agents.realm, registrar, log }),
    makeCalls: (line) => createClientCalls(services, line),
    terms: () => wrtcTermsOf(live.current),
    accepting: () => drain.state === "serving",
    secret: () => ssidSecret(live.current) ?? ownSecret,
    node: config.node,
    clock,
    random,
    log,
  });
  const stop = rooms.metrics.add(wrtcCollector(() => wrtc.figures));
  const passwordInQuery = (): boolean => live.current.wrtc.simple.passwordInQuery;
  const simple = new SimpleVariant({ desk: wrtc.signIn, passwordInQuery, clock, log });
  wrtc.serve(rooms.http.app, { paths: config.paths, secure: rooms.http.secure, variants: [simple] });
  return {
    close() {
      stop();
      wrtc.close("gateway is shutting down");
    },
  };
}

/** What a reload may change. */
export function wrtcTermsOf({ wrtc }: Pick<Config, "wrtc">): WrtcTerms {
  const { origins, allowAnonymous, sessionsPerDn: perDn, maxSessions: inAll } = wrtc;
  return {
    origins,
    allowAnonymous,
    perDn,
    inAll,
    waitMs: wrtc.waitSeconds * 1000,
    waitHttp1Ms: wrtc.waitSecondsHttp1 * 1000,
    expiryMs: wrtc.expirySeconds * 1000,
    rebuildMs: wrtc.sessionHours * 3_600_000,
  };
}

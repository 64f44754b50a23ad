import { configuredDns, gwsOrigins, pageSettings, type Config } from "../../config/index.ts";
import type { CallTerms } from "../../b2bua/index.ts";
import type { TrunkOptions } from "../../registrar/index.ts";
import type { PageOptions, WebSocketTerms } from "../../ws/index.ts";

/** What the configuration says to each room of what a reload may change. */

export function callTermsOf({ media, agents, clients, calls, sipServer }: Config): CallTerms {
  return {
    codecs: { browser: media.browserCodecs, trunk: media.trunkCodecs, trunkSrtp: media.trunkSrtp },
    whenFull: media.whenFull,
    pageRingback: agents.pageRingback,
    clients,
    preanswerPatienceMs: calls.preanswerSeconds * 1000,
    headersToPage: calls.headersToPage,
    outbound: { ...calls.outbound, shutdownStatus: sipServer.shutdownStatus },
  };
}

export function webSocketTermsOf({ websocket }: Config): WebSocketTerms {
  const { origins, allowMissingOrigin, pingSeconds } = websocket;
  const { maxMessageBytes, maxConnections, maxConnectionsPerAddress } = websocket;
  const limits = { maxMessageBytes, maxConnections, maxConnectionsPerAddress };
  return { origins, allowMissingOrigin, pingSeconds, limits };
}

export function pageOptionsOf(config: Config): PageOptions {
  return {
    settings: pageSettings(config),
    frameAncestors: config.page.embedding.origins,
    connectOrigins: gwsOrigins(config),
  };
}

/** How DNs are registered at SIP Server. */
export function registrationOf(config: Config): TrunkOptions {
  const { registration, optionsSeconds, failBackSeconds } = config.sipServer;
  return {
    mode: registration.mode,
    expiresSeconds: registration.expires,
    perSecond: registration.perSecond,
    optionsSeconds,
    failBackSeconds,
    ...(registration.mode === "all" ? { allDns: configuredDns(config) } : {}),
  };
}

/** How long calls and sign-ins outlive a lost connection. */
export function gracesOf({ agents }: Config) {
  return {
    newCallGraceMs: agents.newCallGraceSeconds * 1000,
    callGraceMs: agents.callGraceSeconds * 1000,
  };
}

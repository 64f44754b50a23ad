import { parseServerAddress } from "./keys.ts";
import { goesInTheClear, isLoopback } from "./loopback.ts";
import { mediaAddresses } from "./media-sides.ts";
import type { ParsedConfig } from "./schema.ts";
import type { Path } from "./walk.ts";

/** Where a rule says what it found. */
export interface Say {
  fault(path: Path, reason: string, remedy: string): void;
  warn(path: Path, reason: string, remedy: string): void;
}

type Section = keyof ParsedConfig;

/** A check across keys. It runs when the sections it needs are sound by themselves. */
interface Rule {
  readonly needs: readonly Section[];
  readonly check: (config: ParsedConfig, say: Say, workers: number) => void;
}

const httpRule: Rule = {
  needs: ["http"],
  check({ http }, say) {
    if (http.tls === undefined && !http.allowInsecure && !isLoopback(http.host))
      say.fault(
        ["http", "tls"],
        `is missing, and http.host ${http.host} is not loopback`,
        "write http.tls with cert and key, or http.host: 127.0.0.1, or http.allowInsecure: true behind a TLS proxy",
      );
  },
};

const originsRule: Rule = {
  needs: ["websocket"],
  check({ websocket }, say) {
    if (websocket.origins.length === 0)
      say.warn(
        ["websocket", "origins"],
        "is empty: no page may connect",
        'write the pages\' origins, e.g. ["https://wwe.example.com"]',
      );
  },
};

/** What stands in Via, Contact and SDP must be an address that others can send to. */
const advertisedRule: Rule = {
  needs: ["sip"],
  check({ sip }, say) {
    const { host, advertisedAddress } = sip;
    sayAdvertised(["sip", "advertisedAddress"], host, [advertisedAddress ?? host], advertisedAddress, say);
  },
};

const mediaAdvertisedRule: Rule = {
  needs: ["media"],
  check({ media }, say) {
    const sides = mediaAddresses(media);
    for (const name of ["browserSide", "sipServerSide"] as const) {
      const { host, advertisedAddresses } = sides[name];
      const own = media[name].advertisedAddress;
      // Where neither side says anything of its own, the fault is that of the key both live by.
      const path = ["media", ...(own === undefined ? [] : [name]), "advertisedAddress"];
      const before =
        name === "sipServerSide" &&
        own === undefined &&
        isAnyAddress(sides.browserSide.advertisedAddresses[0]);
      if (!before) sayAdvertised(path, host, advertisedAddresses, own ?? media.advertisedAddress, say);
      if (new Set(advertisedAddresses).size !== advertisedAddresses.length)
        say.fault(path, "names an address twice", "name each once");
    }
  },
};

function sayAdvertised(
  path: Path,
  host: string,
  addresses: readonly string[],
  given: unknown,
  say: Say,
): void {
  if (!addresses.some(isAnyAddress)) return;
  const remedy = "write the IPv4 address by which others reach this host";
  if (given === undefined) say.fault(path, `is missing, and ${path[0]}.host ${host} is no address`, remedy);
  else say.fault(path, "is no address others can reach", remedy);
}

const reachableRule: Rule = {
  needs: ["sip", "sipServer"],
  check({ sip, sipServer }, say) {
    const advertised = sip.advertisedAddress ?? sip.host;
    const far = sipServer.addresses.find(
      (address) => !isLoopback(address) && !address.startsWith("localhost"),
    );
    if (isLoopback(advertised) && far !== undefined)
      say.warn(
        ["sip", "advertisedAddress"],
        `is loopback, SIP Server ${far} cannot reach it`,
        "write this host's address as SIP Server sees it",
      );
  },
};

/** Linux gives ports from here on to outgoing connections (net.ipv4.ip_local_port_range). */
const ephemeralFirst = 32_768;
const ephemeralLast = 60_999;

const mediaPortsRule: Rule = {
  needs: ["media"],
  check({ media }, say, workers) {
    const path = ["media", "rtpPorts"];
    const [first, last] = evenToOdd(media.rtpPorts);
    if (last - first + 1 < workers * 2)
      say.fault(
        path,
        `has no pair of ports for each of ${workers} workers`,
        "write the lower port first, and more ports",
      );
    else if (first <= ephemeralLast && last >= ephemeralFirst)
      say.warn(path, "reaches into Linux's range of outgoing ports (32768-60999)", "stay below 32768");
    if (media.browserPort !== 0 && media.browserPort + workers - 1 > 65_535)
      say.fault(
        ["media", "browserPort"],
        `leaves no port for each of ${workers} workers`,
        "write a lower port",
      );
    for (const name of ["browserCodecs", "trunkCodecs"] as const)
      if (new Set<string>(media[name]).size !== media[name].length)
        say.fault(["media", name], "names a codec twice", "name each once");
  },
};

interface PortUse {
  readonly path: Path;
  readonly host: string;
  readonly protocols: readonly ("udp" | "tcp")[];
  readonly first: number;
  readonly last: number;
}

const overlapRule: Rule = {
  needs: ["http", "sip", "media"],
  check({ http, sip, media }, say, workers) {
    const [first, last] = evenToOdd(media.rtpPorts);
    const browserLast = media.browserPort + workers - 1;
    const { browserSide, sipServerSide } = mediaAddresses(media);
    const uses: PortUse[] = [
      { path: ["http", "port"], host: http.host, protocols: ["tcp"], first: http.port, last: http.port },
      // SIP over TCP has the same number as SIP over UDP.
      { path: ["sip", "port"], host: sip.host, protocols: ["udp", "tcp"], first: sip.port, last: sip.port },
      {
        path: ["media", "browserPort"],
        host: browserSide.host,
        protocols: ["udp"],
        first: media.browserPort,
        last: browserLast,
      },
      { path: ["media", "rtpPorts"], host: sipServerSide.host, protocols: ["udp"], first, last },
    ];
    for (const [index, use] of uses.entries())
      for (const other of uses.slice(0, index))
        if (collide(use, other))
          say.fault(
            use.path,
            `overlaps ${other.path.join(".")} (${portsText(other)})`,
            `write ports outside ${portsText(other)}`,
          );
  },
};

function collide(one: PortUse, other: PortUse): boolean {
  // Port 0 is any free port, so it meets none.
  if (one.first === 0 || other.first === 0) return false;
  const sameHost = one.host === other.host || isAnyAddress(one.host) || isAnyAddress(other.host);
  const sameProtocol = one.protocols.some((protocol) => other.protocols.includes(protocol));
  return sameHost && sameProtocol && one.first <= other.last && other.first <= one.last;
}

function portsText({ first, last }: PortUse): string {
  return first === last ? String(first) : `${first}-${last}`;
}

const sipServerRule: Rule = {
  needs: ["sipServer"],
  check({ sipServer }, say) {
    for (const [index, address] of sipServer.addresses.entries())
      if (sipServer.addresses.indexOf(address) !== index)
        say.fault(["sipServer", "addresses", index], "stands there twice", "name each address once");
    if (sipServer.scheme === "business-continuity" && sipServer.addresses.length < 2)
      say.fault(
        ["sipServer", "scheme"],
        "needs an address for each of the peers",
        "write both peers' addresses, or scheme: active-backup",
      );
    if (sipServer.registration.mode === "all")
      say.warn(
        ["sipServer", "registration", "mode"],
        "makes absent agents look in service: SIP Server sends calls to DNs with nobody behind them",
        "write on-sign-in, unless SIP Server must see every DN in service",
      );
    for (const [index, net] of sipServer.allow.entries())
      if (net.endsWith("/0"))
        say.warn(["sipServer", "allow", index], "lets anybody send SIP", "name SIP Server's net");
  },
};

const transportRule: Rule = {
  needs: ["sipServer"],
  check({ sipServer }, say) {
    const { addresses, transport, tls } = sipServer;
    const used = new Set(addresses.map((text) => parseServerAddress(text, transport)?.transport));
    const path = ["sipServer", "transport"];
    if (used.has("tcp") && used.has("tls"))
      say.fault(
        path,
        "and the addresses ask for TCP and TLS, which cannot share sip.port",
        "take one of the two",
      );
    if (used.has("tls") && !tls)
      say.fault(
        ["sipServer", "tls"],
        "is missing, but an address asks for TLS",
        "write it with cert and key",
      );
    if (tls && !used.has("tls"))
      say.warn(
        ["sipServer", "tls"],
        "is of no use: no address asks for TLS",
        "write sipServer.transport: tls",
      );
    if (tls?.allowUnverified)
      say.warn(
        ["sipServer", "tls", "allowUnverified"],
        "lets anybody in between pass for SIP Server",
        "write sipServer.tls.ca with the authority of SIP Server's certificate",
      );
  },
};

const srtpKeysRule: Rule = {
  needs: ["sipServer", "media"],
  check({ sipServer, media }, say) {
    if (media.trunkSrtp === "off") return;
    const inClear = sipServer.addresses.filter(
      (text) => parseServerAddress(text, sipServer.transport)?.transport !== "tls",
    );
    if (inClear.length === 0) return;
    const reason = `sends its keys by SIP in the clear to ${inClear.join(", ")}`;
    if (media.allowKeysInClear)
      say.warn(["media", "allowKeysInClear"], reason, "write sipServer.transport: tls");
    else
      say.fault(
        ["media", "trunkSrtp"],
        reason,
        "write sipServer.transport: tls, or media.allowKeysInClear: true, or off",
      );
  },
};

function isOff({ token, tokenFile, users }: ParsedConfig["admin"]): boolean {
  return token === undefined && tokenFile === undefined && users.length === 0;
}

const captureRule: Rule = {
  needs: ["media", "admin"],
  check({ media, admin }, say) {
    if (media.captureDirectory !== undefined && isOff(admin))
      say.warn(
        ["media", "captureDirectory"],
        "is of no use: captures are asked for by the admin API, which has neither token nor user",
        "write admin.token or admin.users, or take this key out",
      );
  },
};

const gwsRule: Rule = {
  needs: ["http", "gws"],
  check({ http, gws }, say) {
    if (gws.url === undefined) return;
    if (!goesInTheClear(gws.url)) return;
    if (http.tls !== undefined)
      say.fault(
        ["gws", "url"],
        "is plain HTTP, which browsers refuse to a page that came by HTTPS",
        "write the https:// address of GWS",
      );
    else if (gws.allowInsecure)
      say.warn(["gws", "allowInsecure"], "sends agents' GWS passwords in the clear", "use https://");
    else
      say.fault(
        ["gws", "url"],
        "is plain HTTP: agents' GWS passwords would travel in the clear",
        "write the https:// address of GWS, or gws.allowInsecure: true",
      );
  },
};

const spansRule: Rule = {
  needs: ["openTelemetry", "trace"],
  check({ openTelemetry, trace }, say) {
    const { endpoint, headers, headersFile } = openTelemetry;
    if (endpoint === undefined) return;
    if (trace.calls === 0)
      say.fault(
        ["openTelemetry", "endpoint"],
        "needs the traces of calls, and trace.calls is 0",
        "write trace.calls: 500, more where more calls run at a time",
      );
    const withKey = Object.keys(headers).length > 0 || headersFile !== undefined;
    if (withKey && goesInTheClear(endpoint))
      say.warn(
        ["openTelemetry", "endpoint"],
        "is plain HTTP: the headers travel in the clear",
        "use https://",
      );
  },
};

const wrtcRule: Rule = {
  needs: ["wrtc", "agents", "admin"],
  check({ wrtc, agents, admin }, say) {
    if (!wrtc.enabled) return;
    const { token, tokenFile } = admin;
    if (wrtc.allowAnonymous)
      say.warn(
        ["wrtc", "allowAnonymous"],
        "lets any page of wrtc.origins take any DN without a password",
        "take it out, and write sip_password into the pages",
      );
    if (agents.tokens.keyFile === undefined && token === undefined && tokenFile === undefined)
      say.warn(
        ["wrtc", "enabled"],
        "has no secret to make sessions from: a restart signs its clients out",
        "write agents.tokens.keyFile (openssl rand -hex 32)",
      );
  },
};

const tokensRule: Rule = {
  needs: ["agents", "admin", "wrtc"],
  check({ agents, admin, wrtc }, say) {
    const { jwt, tokens } = agents;
    if (tokens.keyFile !== undefined && isOff(admin) && !jwt && !wrtc.enabled)
      say.warn(
        ["agents", "tokens", "keyFile"],
        "is of no use: tokens are issued by the admin API, which has neither token nor user",
        "write admin.token or admin.users, or take this key out",
      );
    if (jwt && tokens.keyFile === undefined && admin.token === undefined && admin.tokenFile === undefined)
      say.fault(
        ["agents", "jwt"],
        "needs a secret to make sessions from",
        "write agents.tokens.keyFile (openssl rand -hex 32)",
      );
  },
};

const rules: readonly Rule[] = [
  httpRule,
  originsRule,
  advertisedRule,
  mediaAdvertisedRule,
  reachableRule,
  mediaPortsRule,
  overlapRule,
  sipServerRule,
  transportRule,
  srtpKeysRule,
  captureRule,
  tokensRule,
  wrtcRule,
  spansRule,
  gwsRule,
];

/** Runs every rule whose sections are there. */
export function applyRules(sections: Partial<ParsedConfig>, workers: number, say: Say): void {
  for (const { needs, check } of rules)
    // The rule reads no section but those it needs, and these are there.
    if (needs.every((name) => sections[name] !== undefined)) check(sections as ParsedConfig, say, workers);
}

/** RTP takes an even port, RTCP the next (RFC 3550 11): a lone port at either end is left out. */
export function evenToOdd([first, last]: readonly [number, number]): [number, number] {
  return [first + (first % 2), last - (1 - (last % 2))];
}

function isAnyAddress(host: string): boolean {
  return host === "0.0.0.0";
}

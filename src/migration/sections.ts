import type { PjsipObjects } from "./objects.ts";
import { isYes } from "./objects.ts";
import type { Section } from "./config-file.ts";
import type { Findings } from "./report.ts";
import type { Roles } from "./roles.ts";
import { bindParts, isReachable } from "./sip-uri.ts";
import { isLocal, type TrunkPlan } from "./trunk.ts";

/** Not known from Asterisk's files: stands in for an address until a person writes it. */
export const unknownAddress = "127.0.0.1";

/** Sections `http` and `websocket`. `files`: those named there, which must be readable or the gateway does not start. */
export interface HttpPlan {
  readonly http: Record<string, unknown>;
  readonly websocket: Record<string, unknown>;
}

export interface HttpSources {
  readonly objects: PjsipObjects;
  /** [general] of http.conf, where it was named. */
  readonly general: Section | undefined;
  /** Address that pages are reached by, if known. */
  readonly publicAddress: string | undefined;
  readonly isReadable: (file: string) => boolean;
}

/** Where browsers connect: Asterisk's built-in HTTP server (http.conf), else the transport of type wss. */
export function planHttp(
  { objects, general, publicAddress, isReadable }: HttpSources,
  findings: Findings,
): HttpPlan {
  const value = (key: string): string | undefined =>
    general?.settings.findLast((one) => one.key === key)?.value || undefined;
  const wss = objects.of("transport").find((one) => one.value("protocol")?.toLowerCase() === "wss");
  const isTls = isYes(value("tlsenable"));
  const bind = bindParts(value("tlsbindaddr"));
  const fromTransport = bindParts(wss?.value("bind"));
  const port = (isTls ? (bind.port ?? 8089) : undefined) ?? fromTransport.port ?? 8089;
  const cert = (isTls ? value("tlscertfile") : undefined) ?? wss?.value("cert_file");
  const key = (isTls ? value("tlsprivatekey") : undefined) ?? wss?.value("priv_key_file") ?? cert;
  const at = general?.at ?? wss?.at;
  findings.add(
    "mapped",
    "WebSocket of the browsers",
    `http.port: ${port}, websocket.path: the same as Asterisk's, so that clients keep their address wss://HOST:${port}/ws`,
    at,
  );
  const path = `${(value("prefix") ?? "").replace(/^\/?/, "/").replace(/\/$/, "")}/ws`;
  const websocket = {
    path: /^\/[\w./-]{0,200}$/.test(path) ? path : "/ws",
    origins: publicAddress === undefined ? [] : [originOf(publicAddress, port)],
  };
  findings.add(
    "decide",
    "websocket.origins",
    "Asterisk asks no page where it comes from, Jackfield does: write the origin of every page with a softphone in it, the gateway's own page among them (by the name in the certificate)",
  );
  if (cert !== undefined && key !== undefined && isReadable(cert) && isReadable(key)) {
    findings.add(
      "mapped",
      "certificate of the WebSocket",
      `http.tls: ${cert}${key === cert ? " (with the key in it)" : ""}; read again when it changes. The gateway's user must be able to read it`,
      at,
    );
    return {
      http: { host: bind.host ?? fromTransport.host ?? "0.0.0.0", port, tls: { cert, key } },
      websocket,
    };
  }
  findings.add(
    "decide",
    "http.tls",
    `write the certificate and its key and set http.host: 0.0.0.0; until then the gateway listens on loopback only. ${cert === undefined ? "None is named in these files" : `${cert} cannot be read here`}`,
    at,
  );
  return { http: { host: "127.0.0.1", port }, websocket };
}

function originOf(address: string, port: number): string {
  return new URL(`https://${address}:${port}`).origin;
}

export interface AddressPlan {
  readonly sip: Record<string, unknown>;
  /** Addresses of section `media`. */
  readonly media: Record<string, unknown>;
  /** Address that browsers may reach the host by; undefined: not known. */
  readonly publicAddress: string | undefined;
}

/** Addresses and port toward SIP Server, by the transport that DNs were registered over, else the trunk's. */
export function planAddresses(
  trunk: TrunkPlan,
  roles: Roles,
  objects: PjsipObjects,
  findings: Findings,
): AddressPlan {
  const sipTransports = objects
    .of("transport")
    .filter((one) => !/^wss?$/i.test(one.value("protocol") ?? "udp"));
  const transport = trunk.registrationTransport ?? trunk.trunkTransport ?? sipTransports[0];
  const bind = bindParts(transport?.value("bind"));
  const server = trunk.addresses[0]?.split(/[:;]/)[0] ?? "";
  const outside = transport?.value("external_signaling_address");
  const seenByServer =
    isReachable(bind.host) && (isLocal(server, transport) || !isReachable(outside)) ? bind.host : outside;
  const advertised = isReachable(seenByServer) ? seenByServer : undefined;
  const media = [transport, ...objects.of("transport")]
    .map((one) => one?.value("external_media_address"))
    .find((address) => isReachable(address));
  if (advertised === undefined)
    findings.add(
      "decide",
      "sip.advertisedAddress",
      "not to be found in these files: write the address by which SIP Server reaches this host",
      transport?.at,
    );
  else
    findings.add(
      "mapped",
      "address toward SIP Server",
      `sip.advertisedAddress: ${advertised}, of the host in these files; on another host write that one's, in sip.host and media.advertisedAddress too`,
      transport?.at,
    );
  if (media === undefined && advertised === undefined)
    findings.add(
      "decide",
      "media.advertisedAddress",
      "not to be found in these files: write the address by which browsers reach this host for sound",
    );
  const twoSides = media !== undefined && advertised !== undefined && media !== advertised;
  const keepsInside = twoSides && isLocal(server, transport);
  if (keepsInside)
    findings.add(
      "mapped",
      `external_media_address = ${media}`,
      `media.browserSide.advertisedAddress: [${advertised}, ${media}]; browsers try both. SIP Server, its phones and media servers (local_net) get ${advertised} alone`,
      transport?.at,
    );
  else if (twoSides)
    findings.add(
      "decide",
      "media.advertisedAddress",
      `${media} (external_media_address) stands in SDP toward browsers and SIP Server alike: its phones and media servers must reach it, else write media.sipServerSide.advertisedAddress: ${advertised}`,
      transport?.at,
    );
  return {
    sip: {
      ...(isReachable(bind.host) ? { host: bind.host } : {}),
      port: planPort(trunk, bind.port, roles, findings),
      advertisedAddress: advertised ?? unknownAddress,
    },
    media: keepsInside
      ? { advertisedAddress: advertised, browserSide: { advertisedAddress: [advertised, media] } }
      : { advertisedAddress: media ?? advertised ?? unknownAddress },
    publicAddress: media ?? advertised,
  };
}

const ownPort = 5070;

function planPort(trunk: TrunkPlan, port: number | undefined, roles: Roles, findings: Findings): number {
  const trunkPort = bindParts(trunk.trunkTransport?.value("bind")).port ?? 5060;
  const isShared = roles.trunks.length > 0 && (port === undefined || port === trunkPort);
  if (roles.trunks.length > 0)
    findings.add(
      "decide",
      "Trunk DN at SIP Server",
      `its contact, this host at port ${trunkPort}, is answered by nobody once Asterisk is gone, and SIP Server takes it out of service. That is right: agents' calls go by their DNs. Does a routing strategy still send calls to it?`,
      roles.trunks[0]?.at,
    );
  if (!isShared) {
    findings.add("mapped", "SIP port", `sip.port: ${port ?? 5060}`, trunk.registrationTransport?.at);
    return port ?? 5060;
  }
  findings.add(
    "decide",
    "SIP port",
    `sip.port: ${ownPort}, not Asterisk's ${trunkPort}: that one stands in the contact of the Trunk DN for this host, and SIP Server tells DNs and trunks apart by address and port. Open it in the firewall`,
    trunk.trunkTransport?.at ?? roles.trunks[0]?.at,
  );
  return ownPort;
}

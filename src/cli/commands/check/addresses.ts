import type { Config, ServerAddress } from "../../../config/index.ts";
import { lookUpServer, type Endpoint } from "../../../registrar/index.ts";
import { errorCode, type CheckIo, type Report } from "./finding.ts";

/** A SIP Server address as configured, with the endpoints it stands for. */
export interface ResolvedServer {
  readonly configured: ServerAddress;
  readonly endpoints: readonly Endpoint[];
}

/** Resolves SIP Server's names, and says whether the advertised addresses are this machine's. */
export async function checkAddresses(config: Config, io: CheckIo, report: Report): Promise<ResolvedServer[]> {
  const local = io.localAddresses();
  for (const [key, address] of advertisedOf(config)) {
    if (local.includes(address) || address.startsWith("127."))
      report({ level: "ok", key, what: `${address} is this machine's` });
    else
      report({
        level: "warn",
        key,
        what: `${address} is none of this machine's addresses (${local.join(", ") || "none"})`,
        mend: "correct it, unless a NAT forwards that address with its ports to this machine",
      });
  }
  const servers: ResolvedServer[] = [];
  for (const [index, configured] of config.sipServer.addresses.entries())
    servers.push({
      configured,
      endpoints: await resolve(configured, `sipServer.addresses[${index}]`, io, report),
    });
  return servers;
}

/** Each key with each of its addresses; sides of the media that are reached alike are told once. */
function advertisedOf({ sip, media }: Config): [key: string, address: string][] {
  const browsers = media.browserSide.advertisedAddresses;
  const [sipServer] = media.sipServerSide.advertisedAddresses;
  const alike = browsers.length === 1 && browsers[0] === sipServer;
  return [
    ["sip.advertisedAddress", sip.advertisedAddress],
    ...(alike
      ? [["media.advertisedAddress", sipServer] as [string, string]]
      : [
          ...browsers.map((address): [string, string] => ["media.browserSide.advertisedAddress", address]),
          ["media.sipServerSide.advertisedAddress", sipServer] as [string, string],
        ]),
  ];
}

async function resolve(
  server: ServerAddress,
  key: string,
  io: CheckIo,
  report: Report,
): Promise<readonly Endpoint[]> {
  const { host } = server;
  const mend = "correct the name, or write its IPv4 address";
  try {
    const { by, endpoints } = await lookUpServer(server, server.transport, io.resolver);
    const found = endpoints.map(({ address, port }) => (by === "SRV" ? `${address}:${port}` : address));
    const how = by === "SRV" ? " by SRV records" : "";
    if (by !== "address") report({ level: "ok", key, what: `${host} is ${found.join(", ")}${how}` });
    return endpoints;
  } catch (error) {
    report({ level: "fail", key, what: `${host} cannot be resolved (${errorCode(error)})`, mend });
    return [];
  }
}

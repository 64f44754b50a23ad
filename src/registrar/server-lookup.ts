import { isIPv4 } from "node:net";

/** A SIP Server as configured: an IPv4 address or a name, with a port where one stands. */
export interface ServerName {
  readonly host: string;
  readonly port?: number | undefined;
}

/** One SRV record (RFC 2782). */
export interface ServiceRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** Asks the DNS, or whatever knows names; both reject with the system's error (`ENOTFOUND`, `ENODATA` ...). */
export interface NameResolver {
  /** IPv4 addresses of a name. */
  addresses(name: string): Promise<readonly string[]>;
  /** SRV records of `_sip._udp.example.com`. */
  services(name: string): Promise<readonly ServiceRecord[]>;
}

/** How a name's service is called in SRV records (RFC 3263 4.1). */
export const services = { udp: "_sip._udp", tcp: "_sip._tcp", tls: "_sips._tcp" } as const;
export type ServiceTransport = keyof typeof services;

/** Where a SIP Server may be reached. */
export interface Endpoint {
  /** IPv4 address. */
  readonly address: string;
  readonly port: number;
  /** Name whose A record it is; the address itself where it was configured so. */
  readonly host: string;
  /** Of its SRV record: lower goes first, and among equals by chance in proportion to the weight (RFC 2782). */
  readonly priority: number;
  readonly weight: number;
}

/** What a lookup found. */
export interface Found {
  /** Never empty. */
  readonly endpoints: readonly Endpoint[];
  readonly by: "address" | "SRV" | "A";
}

/** More addresses than any pool of SIP Servers has; each is probed and, over TCP, connected to. */
const maximumEndpoints = 32;

const defaultPorts = { udp: 5060, tcp: 5060, tls: 5061 } as const;

/**
 * Addresses of a SIP Server (RFC 3263 4.2): an address stands for itself; a name with a port has A records; a name
 * without one has SRV records, and where there are none A records. Rejects with an Error when nothing was found; where
 * it was found by SRV `before`, also when the DNS does not answer that question this time.
 */
export async function lookUpServer(
  { host, port }: ServerName,
  transport: ServiceTransport,
  resolver: NameResolver,
  before?: Found["by"],
): Promise<Found> {
  const literal = literalEndpoint({ host, port }, transport);
  if (literal) return { by: "address", endpoints: [literal] };
  // Both at once: a DNS that never answers SRV questions must not keep a name of /etc/hosts waiting twice.
  const plain = resolver.addresses(host);
  // Awaited below or, where SRV says all, not at all: its failure then matters to nobody.
  plain.catch(() => {});
  const records =
    port === undefined ? await servicesOf(`${services[transport]}.${host}`, resolver, before === "SRV") : [];
  if (records.length > 0) return { by: "SRV", endpoints: usable(await targetsOf(records, resolver)) };
  const addresses = await plain;
  return {
    by: "A",
    endpoints: usable(addresses.map((address) => plainEndpoint(address, { host, port }, transport))),
  };
}

/** Those that may be a server's. DNS filters answer 0.0.0.0 for what they block, which would be this machine itself. */
function usable(found: readonly Endpoint[]): Endpoint[] {
  const endpoints = found.filter(({ address, port }) => isUnicast(address) && port > 0);
  if (endpoints.length === 0)
    throw new Error(found.length === 0 ? "no IPv4 address" : "no IPv4 address that a server can have");
  if (endpoints.length <= maximumEndpoints) return endpoints;
  return endpoints.sort((one, other) => one.priority - other.priority).slice(0, maximumEndpoints);
}

/** Neither "this network" (RFC 1122 3.2.1.3) nor multicast, reserved or broadcast. */
function isUnicast(address: string): boolean {
  const first = Number(address.split(".", 1)[0]);
  return isIPv4(address) && first > 0 && first < 224;
}

/** Of a server that is configured by its address: nothing to look up. */
export function literalEndpoint(server: ServerName, transport: ServiceTransport): Endpoint | undefined {
  return isIPv4(server.host) ? plainEndpoint(server.host, server, transport) : undefined;
}

function plainEndpoint(address: string, { host, port }: ServerName, transport: ServiceTransport): Endpoint {
  return { address, port: port ?? defaultPorts[transport], host, priority: 0, weight: 0 };
}

/** No answer counts as no records, unless there were some `before`: the A records then decide. */
async function servicesOf(
  name: string,
  resolver: NameResolver,
  before: boolean,
): Promise<readonly ServiceRecord[]> {
  try {
    return await resolver.services(name);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (before && code !== "ENOTFOUND" && code !== "ENODATA") throw error;
    return [];
  }
}

/** A target without an address is left out as long as another has one; `.` says that there is no service. */
async function targetsOf(records: readonly ServiceRecord[], resolver: NameResolver): Promise<Endpoint[]> {
  const found = await Promise.allSettled(
    records.map(async ({ name, port, priority, weight }) => {
      const addresses = isIPv4(name) ? [name] : await resolver.addresses(name);
      return addresses.map((address) => ({ address, port, host: name, priority, weight }));
    }),
  );
  const endpoints = found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
  if (endpoints.length > 0) return endpoints;
  const failure = found.find((one) => one.status === "rejected");
  throw failure?.reason instanceof Error ? failure.reason : new Error("no SRV target has an IPv4 address");
}

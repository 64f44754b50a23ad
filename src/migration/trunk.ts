import type { ImportedAgent } from "./agents.ts";
import { contracted } from "./accounts.ts";
import type { PjsipObject, PjsipObjects } from "./objects.ts";
import type { Findings } from "./report.ts";
import { inNet, isIpv4, uriParts, type UriParts } from "./sip-uri.ts";

export interface TrunkPlan {
  /** host:port[;transport=], preferred first; empty: none was found. */
  readonly addresses: readonly string[];
  readonly allow: readonly string[];
  readonly expires: number | undefined;
  readonly auth: { readonly username: string; readonly password: string } | undefined;
  /** Of DNs whose password is not `auth.password`. */
  readonly passwords: ReadonlyMap<string, string>;
  /** Transports that the registrations are sent by, and those that the trunk endpoints use. */
  readonly registrationTransport: PjsipObject | undefined;
  readonly trunkTransport: PjsipObject | undefined;
  readonly hasRegistrations: boolean;
}

/** What registrations and trunk endpoints say of SIP Server. */
export function planTrunk(
  agents: readonly ImportedAgent[],
  trunks: readonly PjsipObject[],
  objects: PjsipObjects,
  findings: Findings,
): TrunkPlan {
  const registrations = objects.of("registration");
  const addresses = addressesOf(registrations, trunks, objects, findings);
  tellStrayRegistrations(agents, registrations, findings);
  const { auth, passwords } = trunkAuth(registrations, objects, findings);
  return {
    addresses,
    allow: allowOf(trunks, objects, addresses, findings),
    expires: mostCommon(registrations.flatMap((one) => one.number("expiration") ?? [])),
    auth,
    passwords,
    registrationTransport: objects.named("transport", registrations[0]?.value("transport")),
    trunkTransport: objects.named("transport", trunks[0]?.value("transport")),
    hasRegistrations: registrations.length > 0,
  };
}

/** Where the registrations go; without any, where the trunk endpoints' calls go. */
function addressesOf(
  registrations: readonly PjsipObject[],
  trunks: readonly PjsipObject[],
  objects: PjsipObjects,
  findings: Findings,
): string[] {
  const servers = registrations.flatMap((one) => uriParts(one.value("server_uri") ?? "") ?? []);
  const contacts: UriParts[] = [];
  for (const aor of trunks.flatMap((trunk) => objects.namedBy(trunk, "aors", "aor")))
    for (const contact of aor.list("contact").flatMap((uri) => uriParts(uri) ?? [])) {
      contacts.push(contact);
      if (servers.length > 0 && !servers.some(({ host }) => host === contact.host))
        findings.add(
          "decide",
          `trunk to ${contact.host}`,
          "no DN was registered there, so it is not among sipServer.addresses. A backup or a peer of SIP Server belongs there; what only sends calls, into sipServer.allow",
          aor.at,
        );
    }
  return [...new Set((servers.length > 0 ? servers : contacts).map(addressText))];
}

function addressText({ host, port, transport }: UriParts): string {
  const usual = isIpv4(host) ? (transport === "tls" ? 5061 : 5060) : undefined;
  const number = port ?? usual;
  return `${host}${number === undefined ? "" : `:${number}`}${transport === "udp" ? "" : `;transport=${transport}`}`;
}

/** Addresses SIP may come from besides SIP Server's own. */
function allowOf(
  trunks: readonly PjsipObject[],
  objects: PjsipObjects,
  addresses: readonly string[],
  findings: Findings,
): string[] {
  const hosts = addresses.map((address) => address.split(/[:;]/)[0] ?? "");
  const allow = new Set<string>();
  const names = new Set(trunks.map(({ name }) => name));
  for (const identify of objects.of("identify")) {
    if (!names.has(identify.value("endpoint") ?? "")) continue;
    for (const match of identify.list("match")) {
      const net = netText(match);
      if (net === undefined)
        findings.add(
          "decide",
          `match = ${match}`,
          "sipServer.allow takes IPv4 addresses and nets: write those of this name, unless it is among sipServer.addresses",
          identify.at,
        );
      else if (!hosts.includes(net)) allow.add(net);
    }
  }
  return [...allow];
}

/** `a.b.c.d` or `a.b.c.d/bits`, also of a net with a mask; undefined for names. */
export function netText(match: string): string | undefined {
  const [address = "", mask] = match.replace(/:\d+$/, "").split("/");
  if (!isIpv4(address)) return undefined;
  if (mask === undefined || mask === "32" || mask === "255.255.255.255") return address;
  for (let bits = 0; bits <= 32; bits++)
    if (mask === String(bits) || mask === maskOf(bits)) return `${address}/${bits}`;
  return undefined;
}

function maskOf(bits: number): string {
  const mask = bits === 0 ? 0 : (-1 << (32 - bits)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join(".");
}

function mostCommon(values: readonly number[]): number | undefined {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([, one], [, other]) => other - one)[0]?.[0];
}

/** The DN that a registration is for. */
function dnOfRegistration(registration: PjsipObject): string | undefined {
  return uriParts(registration.value("client_uri") ?? "")?.user ?? registration.value("contact_user");
}

function tellStrayRegistrations(
  agents: readonly ImportedAgent[],
  registrations: readonly PjsipObject[],
  findings: Findings,
): void {
  const known = new Set(agents.map(({ dn }) => dn));
  const registered = new Map(
    registrations.flatMap((one) => {
      const dn = dnOfRegistration(one);
      return dn === undefined ? [] : [[dn, one] as const];
    }),
  );
  const strays = [...registered.keys()].filter((dn) => !known.has(dn));
  const strayText = `not taken over (${contracted(strays)}): Jackfield registers DNs of agents. Leave them where they are, or give them an account`;
  for (const dn of strays)
    findings.add(
      "decide",
      "registrations of DNs that no browser signs in with",
      strayText,
      registered.get(dn)?.at,
    );
  const silent = registered.size === 0 ? [] : agents.filter(({ dn }) => !registered.has(dn));
  const silentText = `${contracted(silent.map(({ dn }) => dn))}: Jackfield registers them too, when they sign in. Are they configured at SIP Server? A DN that is not gets 404`;
  for (const { endpoint } of silent)
    findings.add("decide", "agents whose DN had no registration", silentText, endpoint.at);
}

interface Credentials {
  readonly dn: string;
  readonly username: string;
  readonly password: string;
  readonly at: PjsipObject;
}

/** One user name and password (or pattern) for all where most agree; others by DN. */
function trunkAuth(
  registrations: readonly PjsipObject[],
  objects: PjsipObjects,
  findings: Findings,
): Pick<TrunkPlan, "auth" | "passwords"> {
  const all = registrations.flatMap((registration): Credentials[] => {
    const auth = objects.named("auth", registration.list("outbound_auth")[0]);
    const dn = dnOfRegistration(registration);
    const [username, password] = [auth?.value("username"), auth?.value("password")];
    if (!auth || dn === undefined) return [];
    if (
      username !== undefined &&
      password !== undefined &&
      password.length <= 256 &&
      username.length <= 64 &&
      !/["\\]/.test(username)
    )
      return [
        {
          dn,
          username: username.replaceAll(dn, "{dn}"),
          password: password.replaceAll(dn, "{dn}"),
          at: auth,
        },
      ];
    findings.add(
      "decide",
      "auth toward SIP Server without user name and password",
      "write sipServer.auth, or trunkPassword of the DN: a hash cannot be used on this side",
      auth.at,
    );
    return [];
  });
  const [first] = all;
  if (!first) return { auth: undefined, passwords: new Map() };
  const username = first.username;
  for (const { at } of all.filter((one) => one.username !== username))
    findings.add(
      "decide",
      "user names toward SIP Server that follow no one pattern",
      `sipServer.auth.username is one for all (${username} here; {dn} stands for the DN): ask for DNs' own numbers as user names`,
      at.at,
    );
  const password = all.every((one) => one.password === first.password) ? first.password : "";
  const own = password === "" ? all.map((one) => [one.dn, one.password] as const) : [];
  return { auth: { username, password }, passwords: new Map(own) };
}

/** Whether SIP Server lies in one of a transport's local nets. */
export function isLocal(address: string, transport: PjsipObject | undefined): boolean {
  return transport?.list("local_net").some((net) => inNet(address, net)) ?? false;
}

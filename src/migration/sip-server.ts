import type { PjsipObjects } from "./objects.ts";
import type { Findings } from "./report.ts";
import type { Roles } from "./roles.ts";
import { unknownAddress } from "./sections.ts";
import { isIpv4 } from "./sip-uri.ts";
import type { TrunkPlan } from "./trunk.ts";

interface Surroundings {
  readonly isReadable: (file: string) => boolean;
  readonly findings: Findings;
}

/** Section `sipServer`. */
export function sipServerSection(
  trunk: TrunkPlan,
  roles: Roles,
  objects: PjsipObjects,
  around: Surroundings,
): { readonly addresses: readonly string[] } & Readonly<Record<string, unknown>> {
  const { findings } = around;
  const addresses = usableAddresses(trunk, around, objects);
  if (addresses.length > 1)
    findings.add(
      "decide",
      "sipServer.scheme",
      `${addresses.length} addresses: active-backup is taken (the next stands in for the one before). Two active peers (Business Continuity) want scheme: business-continuity`,
    );
  if (addresses.length === 0)
    findings.add(
      "decide",
      "sipServer.addresses",
      "SIP Server is named neither by a registration nor by the contact of a trunk: write its address",
    );
  const first = roles.trunks[0];
  const offered = first?.number("timers_sess_expires");
  const least = first?.number("timers_min_se");
  const qualify = first && objects.namedBy(first, "aors", "aor")[0]?.number("qualify_frequency");
  const sessionTimer = {
    ...(/^(?:no|never)$/i.test(first?.value("timers") ?? "") ? { mode: "ignore" } : {}),
    ...(offered === undefined ? {} : { offerSeconds: within(offered, 90, 86_400) }),
    ...(least === undefined ? {} : { minSeconds: within(least, 90, 86_400) }),
  };
  tellRegistrations(trunk, findings);
  return {
    addresses: addresses.length > 0 ? addresses : [`${unknownAddress}:5060`],
    ...(trunk.allow.length > 0 ? { allow: trunk.allow } : {}),
    ...(qualify === undefined ? {} : { optionsSeconds: within(qualify, 0, 3600) }),
    ...(Object.keys(sessionTimer).length > 0 ? { sessionTimer } : {}),
    ...(first?.value("100rel")?.toLowerCase() === "peer_supported" ? { reliableRinging: "supported" } : {}),
    registration: {
      mode: "on-sign-in",
      ...(trunk.expires === undefined ? {} : { expires: within(trunk.expires, 60, 86_400) }),
    },
    ...(trunk.auth ? { auth: trunk.auth } : {}),
    ...tlsOf(addresses, objects, around),
  };
}

function within(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value));
}

/** TLS takes a certificate of ours; where its files are not here, SIP goes by UDP until a person has decided. */
function usableAddresses({ addresses }: TrunkPlan, around: Surroundings, objects: PjsipObjects): string[] {
  const isTls = (address: string): boolean => address.endsWith(";transport=tls");
  const isTcp = (address: string): boolean => address.endsWith(";transport=tcp");
  const bare = (address: string): string => address.replace(/;.*$/, "");
  // TCP and TLS cannot share a port; five digits may name none.
  const valid = addresses.filter(
    (address) =>
      !/:(\d+)/.test(bare(address)) ||
      within(Number(bare(address).split(":")[1]), 1, 65_535) === Number(bare(address).split(":")[1]),
  );
  const sound = valid.filter(
    (address) => !/^[\d.]+(?::|$)/.test(bare(address)) || isIpv4(bare(address).split(":")[0]),
  );
  if (!sound.some(isTls)) return sound;
  if (tlsFiles(objects, around.isReadable) && !sound.some(isTcp)) return sound;
  around.findings.add(
    "decide",
    "SIP over TLS",
    "sipServer.addresses: UDP stands there until sipServer.tls (cert, key, ca) is written; then add ;transport=tls and the port, usually 5061. Until then nothing may be in service",
  );
  return [...new Set(sound.map((address) => (isTls(address) ? bare(address) : address)))];
}

interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

function tlsFiles(objects: PjsipObjects, isReadable: (file: string) => boolean): TlsFiles | undefined {
  const transport = objects.of("transport").find((one) => one.value("protocol")?.toLowerCase() === "tls");
  const cert = transport?.value("cert_file");
  const key = transport?.value("priv_key_file") ?? cert;
  const ca = transport?.value("ca_list_file");
  if (cert === undefined || key === undefined || !isReadable(cert) || !isReadable(key)) return undefined;
  return { cert, key, ...(ca !== undefined && isReadable(ca) ? { ca } : {}) };
}

function tlsOf(
  addresses: readonly string[],
  objects: PjsipObjects,
  { isReadable }: Surroundings,
): { readonly tls?: TlsFiles } {
  const files = addresses.some((address) => address.endsWith(";transport=tls"))
    ? tlsFiles(objects, isReadable)
    : undefined;
  return files ? { tls: files } : {};
}

function tellRegistrations(trunk: TrunkPlan, findings: Findings): void {
  const text =
    "sipServer.registration.mode: on-sign-in. A DN is in service while its agent is signed in; Asterisk had all in service at any time, with nobody behind some of them";
  if (trunk.hasRegistrations) {
    findings.add("mapped", "registration of the DNs", text);
    findings.add(
      "decide",
      "registrations in Asterisk",
      "SIP Server has one contact a DN, and the last REGISTER (or un-REGISTER, from anybody) wins: take the registrations of the DNs you move out of Asterisk first, with monitors and proxies that register them too, or the two take the DNs from each other",
    );
  } else
    findings.add(
      "decide",
      "registration of the DNs",
      `no registration stands in these files. ${text}. SIP Server must have contact = * at the DNs, no fixed contact to this host`,
    );
}

import { dnPattern } from "../core/index.ts";
import type { PjsipObject, PjsipObjects } from "./objects.ts";
import type { Findings } from "./report.ts";
import { dnOf } from "./roles.ts";

export type Secret =
  | { readonly kind: "password"; readonly password: string }
  /** Good for `realm` only (RFC 7616 3.4.2). */
  | { readonly kind: "ha1"; readonly realm: string; readonly md5?: string; readonly sha256?: string };

export interface ImportedAgent {
  readonly dn: string;
  readonly endpoint: PjsipObject;
  readonly secret: Secret;
  readonly displayName?: string;
}

/** Realm of Asterisk where nothing else is said. */
const usualRealm = "asterisk";

/** Agents with what they sign in with; who cannot be taken over is told of. */
export function readAgents(
  endpoints: readonly PjsipObject[],
  objects: PjsipObjects,
  findings: Findings,
): ImportedAgent[] {
  const taken = new Set<string>();
  const agents: ImportedAgent[] = [];
  for (const endpoint of endpoints) {
    const dn = dnOf(endpoint, objects);
    const what = `endpoint ${endpoint.name}`;
    if (!dnPattern.test(dn)) {
      findings.add(
        "decide",
        what,
        "left out: its name is no DN. Give it an entry in agents.accounts with its DN at SIP Server",
        endpoint.at,
      );
      continue;
    }
    if (taken.has(dn)) {
      findings.add("decide", what, `left out: DN ${dn} has another endpoint before it`, endpoint.at);
      continue;
    }
    const secret = secretOf(endpoint, dn, objects, findings);
    if (!secret) continue;
    taken.add(dn);
    if (dn !== endpoint.name)
      findings.add("mapped", what, `signs in as DN ${dn}: user name and DN are one here`, endpoint.at);
    const displayName = displayNameOf(endpoint, dn);
    agents.push({ dn, endpoint, secret, ...(displayName === undefined ? {} : { displayName }) });
  }
  return agents;
}

function secretOf(
  endpoint: PjsipObject,
  dn: string,
  objects: PjsipObjects,
  findings: Findings,
): Secret | undefined {
  const auth = objects.namedBy(endpoint, "auth", "auth")[0];
  if (!auth) {
    findings.add(
      "decide",
      `endpoint ${dn}`,
      "left out: anybody could sign in without a password, which there is no key for. Give the DN a password in agents",
      endpoint.at,
    );
    return undefined;
  }
  const user = auth.value("username");
  const secret = secretIn(auth, objects);
  const reason =
    typeof secret === "string"
      ? secret
      : secret.kind === "ha1" && user !== dn
        ? `its hash is made with user name ${user ?? "(none)"}, and agents sign in with the DN`
        : undefined;
  if (reason !== undefined) {
    findings.add(
      "decide",
      `auth of DN ${dn}`,
      `left out: ${reason}. Give the DN a new password in agents`,
      auth.at,
    );
    return undefined;
  }
  if (user !== undefined && user !== dn)
    findings.add(
      "decide",
      "auth username other than the DN",
      "agents sign in with the DN as user name and their password as before: tell them",
      auth.at,
    );
  return typeof secret === "string" ? undefined : secret;
}

const md5Digits = /^[0-9a-f]{32}$/i;
const sha256Digits = /^[0-9a-f]{64}$/i;

/** The secret of an auth, or why there is none. */
function secretIn(auth: PjsipObject, objects: PjsipObjects): Secret | string {
  const realm = auth.value("realm") ?? objects.of("global")[0]?.value("default_realm") ?? usualRealm;
  const password = auth.value("password");
  const isHash = auth.value("auth_type")?.toLowerCase() === "md5";
  const digests = auth.settings.filter(({ key }) => key === "password_digest").map(({ value }) => value);
  if (!isHash && digests.length === 0) return plainSecret(password);
  const named = (algorithm: RegExp): string | undefined =>
    digests.find((digest) => algorithm.test(digest))?.replace(/^[^:]*:\s*/, "");
  const md5 = named(/^md5:/i) ?? auth.value("md5_cred");
  const sha256 = named(/^sha-?256:/i);
  if ((md5 === undefined && sha256 === undefined) || (md5 !== undefined && !md5Digits.test(md5)))
    return "its hash is not 32 hexadecimal digits (md5_cred)";
  if (sha256 !== undefined && !sha256Digits.test(sha256)) return "its hash is not 64 hexadecimal digits";
  if (!/^[^"\\\p{Cc}]{1,64}$/u.test(realm)) return "its realm cannot stand in agents.realm";
  return {
    kind: "ha1",
    realm,
    ...(md5 === undefined ? {} : { md5 }),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

function plainSecret(password: string | undefined): Secret | string {
  if (password === undefined) return "it has no password";
  // {dn} would be read as a pattern.
  if (password.length > 256 || password.includes("{dn}")) return "its password cannot be written in agents";
  return { kind: "password", password };
}

/** Who it says it is in `callerid = Name <number>`; undefined where that is only made of the DN. */
function displayNameOf(endpoint: PjsipObject, dn: string): string | undefined {
  const callerid = endpoint.value("callerid")?.trim() ?? "";
  if (callerid.length > 256) return undefined;
  const name = /^\s*"?([^"<]*?)"?\s*(?:<[^>]*>)?\s*$/.exec(callerid)?.[1]?.trim() ?? "";
  if (name === "" || name.includes(dn) || !/^[^"\\\p{Cc}]{1,64}$/u.test(name)) return undefined;
  return /^[+\d\s]+$/.test(name) ? undefined : name;
}

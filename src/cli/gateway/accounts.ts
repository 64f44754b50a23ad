import { findAccount, trunkCredentials } from "../../config/index.ts";
import { AgentDirectory, type AgentTokens, type Readiness } from "../../registrar/index.ts";
import type { DigestSecret } from "../../sip/index.ts";
import type { LiveConfig } from "./live-config.ts";
import type { GatewaySurroundings } from "./surroundings.ts";

/** All agents, those of the configuration before those of the directory. */
export class Accounts {
  readonly #live: LiveConfig;
  /** Undefined: `agents.lookup` is not configured. */
  readonly directory: AgentDirectory | undefined;

  constructor(live: LiveConfig, { clock, log }: GatewaySurroundings) {
    this.#live = live;
    const { lookup } = live.current.agents;
    this.directory =
      lookup && new AgentDirectory({ ...lookup, clock, log: log.child({ room: "registrar" }) });
  }

  has(dn: string): boolean {
    return this.#own(dn) !== undefined || this.directory?.find(dn) !== undefined;
  }

  displayName(dn: string): string | undefined {
    const own = this.#own(dn);
    return own ? own.displayName : this.directory?.find(dn)?.displayName;
  }

  trunkCredentials(dn: string): ReturnType<typeof trunkCredentials> {
    const own = this.#own(dn) ? undefined : this.directory?.find(dn)?.trunkPassword;
    return trunkCredentials(this.#live.current, dn, own);
  }

  /** What a user of the digest must know: of a session's user name, or of an agent's. */
  secretOf(user: string, tokens: AgentTokens | undefined): DigestSecret | undefined {
    const session = tokens?.secretOf(user);
    if (session !== undefined) return { password: session };
    const credentials = this.#own(user)?.credentials;
    if (credentials?.kind === "password") return { password: credentials.password };
    if (credentials)
      return credentials.kind === "none" ? undefined : hashesOf(credentials.md5, credentials.sha256);
    const found = this.directory?.find(user);
    return found && hashesOf(found.ha1, found.ha1Sha256);
  }

  /** Makes the answers about a DN right for a sign-in from `address`; undefined: they are. */
  prepare(dn: string, address: string): Promise<Readiness> | undefined {
    return this.#own(dn) ? undefined : this.directory?.prepare(dn, address);
  }

  #own(dn: string): ReturnType<typeof findAccount> {
    return findAccount(this.#live.current, dn);
  }
}

function hashesOf(md5: string | undefined, sha256: string | undefined): DigestSecret {
  return {
    ha1: {
      ...(md5 === undefined ? {} : { MD5: md5 }),
      ...(sha256 === undefined ? {} : { "SHA-256": sha256 }),
    },
  };
}

import type { AdminRole } from "./admin-section.ts";
import type { JwtAlgorithm } from "./account-sources.ts";
import type { ServerAddress } from "./keys.ts";
import type { ParsedConfig } from "./schema.ts";

type DeepReadonly<Value> = Value extends readonly (infer Entry)[]
  ? readonly DeepReadonly<Entry>[]
  : Value extends object
    ? { readonly [Key in keyof Value]: DeepReadonly<Value[Key]> }
    : Value;

type Parsed = DeepReadonly<ParsedConfig>;

/**
 * An account with its secrets read from their files. One of password and the HA1s is there, or neither where
 * tokens alone sign in (`agents.jwt`).
 */
export interface AccountConfig {
  readonly dn: string;
  readonly displayName?: string;
  /** May contain `{dn}`; `findAccount` puts the DN in. */
  readonly password?: string;
  /** Lower case. */
  readonly ha1?: string;
  readonly ha1Sha256?: string;
  readonly trunkPassword?: string;
  /** In place of `agents.autoAnswer`. */
  readonly autoAnswer?: Parsed["agents"]["autoAnswer"];
}

export interface RangeConfig {
  readonly from: string;
  readonly to: string;
  /** Of all DNs; may contain `{dn}`. */
  readonly password?: string;
  /** By DN, from a file with lines `dn:password`. */
  readonly passwords?: Readonly<Record<string, string>>;
  readonly trunkPassword?: string;
  /** In place of `agents.autoAnswer`. */
  readonly autoAnswer?: Parsed["agents"]["autoAnswer"];
}

/** `agents.jwt` with its key read: exactly one of secret, publicKey and jwksUrl, and only algorithms that go with it. */
export type JwtConfig = Omit<
  NonNullable<Parsed["agents"]["jwt"]>,
  "secretFile" | "publicKeyFile" | "algorithms"
> & {
  readonly algorithms: readonly JwtAlgorithm[];
  /** PEM, SPKI. */
  readonly publicKey?: string;
};

export type LookupConfig = Omit<NonNullable<Parsed["agents"]["lookup"]>, "secretFile">;

/** Who signs in at the dashboard, the secret read from its file. Exactly one of password and passwordHash is there. */
export interface AdminUserConfig {
  readonly name: string;
  readonly role: AdminRole;
  readonly password?: string;
  /** See `scryptText`. */
  readonly passwordHash?: string;
}

/** How one side reaches the media ports. */
export interface MediaSideConfig {
  readonly host: string;
  /** The preferred one first. */
  readonly advertisedAddresses: readonly [string, ...string[]];
}

/**
 * The configuration as the rooms get it: checked, secrets read, defaults worked out, frozen to the bottom. Keys are
 * named and explained in `schema.ts` and docs/configuration.md; only what differs from the file is told here.
 */
export interface Config {
  /** `tls.cert` and `tls.key` are absolute paths. */
  readonly http: Parsed["http"];
  readonly websocket: Parsed["websocket"];
  readonly sip: Parsed["sip"] & { readonly advertisedAddress: string };
  /** `captureDirectory` is an absolute path. */
  readonly media: Omit<
    Parsed["media"],
    "workers" | "rtpPorts" | "advertisedAddress" | "browserSide" | "sipServerSide"
  > & {
    /** Of the browsers' side, the first. */
    readonly advertisedAddress: string;
    readonly browserSide: MediaSideConfig;
    /** One address. */
    readonly sipServerSide: MediaSideConfig;
    readonly workers: number;
    /** First port even, last odd. */
    readonly rtpPorts: readonly [first: number, last: number];
  };
  /** No `urls`: off; else there is a `secret`. */
  readonly turn: Omit<Parsed["turn"], "secret" | "secretFile"> & { readonly secret?: string };
  readonly agents: Omit<
    Parsed["agents"],
    "accounts" | "accountsFile" | "ranges" | "tokens" | "jwt" | "lookup"
  > & {
    /** Absolute path. */
    readonly accountsFile?: string;
    /** What stands in that file. */
    readonly fileAccounts: readonly AccountConfig[];
    readonly jwt?: JwtConfig;
    readonly lookup?: LookupConfig;
    readonly tokens: { readonly key?: string; readonly sessionHours: number };
    readonly accounts: readonly AccountConfig[];
    readonly ranges: readonly RangeConfig[];
  };
  readonly clients: Parsed["clients"];
  readonly calls: Parsed["calls"];
  readonly sipServer: Omit<Parsed["sipServer"], "addresses" | "auth"> & {
    readonly addresses: readonly ServerAddress[];
    /** Both may contain `{dn}`; `trunkCredentials` puts the DN in. `tls`: absolute paths. */
    readonly auth: { readonly username: string; readonly password: string };
  };
  readonly page: Parsed["page"];
  /** No `url`: off. */
  readonly gws: Parsed["gws"];
  readonly wrtc: Parsed["wrtc"];
  /** Neither token nor user: no dashboard and no API (`adminIsOn`). */
  readonly admin: {
    readonly token?: string;
    readonly users: readonly AdminUserConfig[];
    readonly sessions: Parsed["admin"]["sessions"];
  };
  readonly metrics: { readonly token?: string; readonly listen?: NonNullable<Parsed["metrics"]["listen"]> };
  readonly trace: Parsed["trace"];
  readonly shutdown: Parsed["shutdown"];
  /** No `receiver`: off. */
  readonly hep: Pick<Parsed["hep"], "transport" | "captureId"> & {
    readonly receiver?: { readonly host: string; readonly port: number };
    readonly password?: string;
  };
  /** No `endpoint`: off. `headers` has those of the file too. */
  readonly openTelemetry: Omit<Parsed["openTelemetry"], "headersFile">;
  /** Paths absolute; `ca` is the file's text. */
  readonly records: {
    readonly hideNumbers: boolean;
    readonly file?: NonNullable<Parsed["records"]["file"]>;
    readonly webhook?: Omit<NonNullable<Parsed["records"]["webhook"]>, "secret" | "secretFile" | "ca"> & {
      readonly secret?: string;
      readonly ca?: string;
    };
  };
  readonly log: Parsed["log"];
}

import type { Logger } from "../core/index.ts";

/** Certificate and key of `https://127.0.0.1:8000`, PEM. */
export interface LocalCertificate {
  readonly cert: string;
  readonly key: string;
}

/** Whether one store, which browsers of this user read, has the authority of the certificate. */
export interface StoreTrust {
  /** In words, or the store's folder. */
  readonly store: string;
  /** Undefined: no program can tell. */
  readonly trusted: boolean | undefined;
}

/** What is known of the certificate of `https://127.0.0.1:8000`. */
export interface CertificateView {
  /** ISO 8601. */
  readonly expiresAt: string;
  /** Whole days; below 0 once it has expired. */
  readonly daysLeft: number;
  /** None where no store is known for this platform. */
  readonly stores: readonly StoreTrust[];
  /** What to do, in words; undefined where nothing is wrong or can be told. */
  readonly remedy: string | undefined;
}

/**
 * Where one secret text is kept between two starts (the operating system's store, or a file of mode 0600). What is kept is an
 * `Enrolment` as JSON; the store does not look into it.
 */
export interface CredentialStore {
  /** What is kept; undefined when nothing is. Rejects when the store cannot be asked or what it keeps cannot be read. */
  read(): Promise<string | undefined>;
  /** Rejects when it cannot be kept. */
  write(secret: string): Promise<void>;
  /** Idempotent. */
  clear(): Promise<void>;
}

/** What a one-time code was exchanged for. The token is good at this gateway alone and is sent to no other. */
export interface Enrolment {
  /** `https://gateway.example.com:8443`, no slash at the end. */
  readonly gateway: string;
  /** The agent's token: SECRET, never in logs, addresses shown or the browser. */
  readonly token: string;
  readonly dn?: string;
}

/** When the bridge opens the window with the sound: at its start, at WWE's RegisterDn, not by itself. */
export type WindowRule = "always" | "on-register" | "never";

/** What the file and the policy say, checked; defaults filled in (`settings/keys.ts`). */
export interface BridgeSettings {
  readonly gateway: {
    /** Origin of the gateway; undefined: the one that the enrolment names. */
    readonly url: string | undefined;
    /** File with further authorities (PEM), beside the system's. */
    readonly ca: string | undefined;
  };
  readonly port: number;
  /** Pages that may ask; undefined: those that the gateway tells. */
  readonly origins: readonly string[] | undefined;
  readonly window: WindowRule;
  readonly browser: {
    /** Program; undefined: the Chrome or Edge that is found. */
    readonly path: string | undefined;
    /** Width and height of the window, pixels. */
    readonly size: readonly [number, number];
    /** Further arguments, behind ours. */
    readonly arguments: readonly string[];
  };
  /** Folder of the bridge's own: certificate, log, the browser's profile. */
  readonly folder: string;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error"; readonly megabytes: number };
}

/** Something wrong with a setting, in words for who has to mend it. */
export interface SettingFault {
  /** Where it stands: the file, or the registry key of the policy. */
  readonly source: string;
  /** `gateway.url` */
  readonly key: string;
  /** As it stands there, cut. */
  readonly value: string;
  readonly reason: string;
  readonly remedy: string;
}

/** A program of the bridge's own that runs. */
export interface StartedProgram {
  /** Resolves once it is over; never rejects. `failed`: it could not be started at all. */
  readonly exited: Promise<{ readonly code: number | null; readonly failed?: string }>;
  /** Asks it to end, for good after a while. */
  kill(): void;
}

/** What the bridge asks of the machine; tests pass others. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  isFile(path: string): boolean;
  /** Starts a program that stays. */
  start(program: string, args: readonly string[], log: Logger): StartedProgram;
  /** Runs a program to its end, 60 s at most; what it wrote, undefined when it failed or is not there. */
  run(program: string, args: readonly string[]): Promise<string | undefined>;
}

/**
 * `GET /endpoint/{agent token}/status` at the gateway, asked by the bridge for its dashboard and its window. It is no sign of
 * life of WWE's: the DN's time does not begin anew by it. A gateway without it answers 404, and both are not known.
 */
export interface AgentStatusAnswer {
  /** SIP Server has the DN, as `GetIsEndpointActive` tells. */
  readonly in_service: boolean;
  /** A page of the agent's holds `GET /endpoint/{session}/events`. */
  readonly page_connected: boolean;
  /** WWE has the DN registered. */
  readonly wanted: boolean;
  /** A client of the DN has a call. */
  readonly in_call: boolean;
}

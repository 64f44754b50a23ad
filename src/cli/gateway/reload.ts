import type { Login } from "../../admin/index.ts";
import type { B2bua } from "../../b2bua/index.ts";
import {
  adminIsOn,
  configChanges,
  rereadFiles,
  tokenSecret,
  type Config,
  type ConfigChange,
  type ConfigFault,
} from "../../config/index.ts";
import { FileWatch, type Logger } from "../../core/index.ts";
import type { GatewayDrain } from "./drain.ts";
import type { ConfigSource, LiveConfig } from "./live-config.ts";
import type { GatewaySurroundings } from "./surroundings.ts";
import type { AgentTokens } from "../../registrar/index.ts";
import type { HttpServer, WebSocketEndpoint } from "../../ws/index.ts";
import { callTermsOf, webSocketTermsOf } from "./terms.ts";

/** What came of a reload. Only with `applied` anything has changed. */
export type ReloadResult =
  | { readonly outcome: "applied"; readonly changes: readonly ConfigChange[] }
  | { readonly outcome: "faulty"; readonly faults: readonly ConfigFault[] }
  /** These keys differ and need a restart; nothing was applied, the others neither. */
  | { readonly outcome: "restart"; readonly changes: readonly ConfigChange[] }
  | { readonly outcome: "impossible"; readonly reason: string };

/** The rooms that take a change. */
export interface ReloadedRooms {
  readonly live: LiveConfig;
  readonly surroundings: GatewaySurroundings;
  readonly drain: Pick<GatewayDrain, "state">;
  readonly http: Pick<HttpServer, "useCertificate">;
  readonly webSocket: () => Pick<WebSocketEndpoint, "configure"> | undefined;
  readonly b2bua: Pick<B2bua, "configure">;
  readonly admin: { readonly login: Pick<Login, "configure"> } | undefined;
  readonly tokens: AgentTokens | undefined;
}

/**
 * Puts a changed configuration in force without a restart: whole, or not at all. Files with passwords and keys
 * are watched, and a change of them is a reload of what they hold alone.
 */
export class Reloader {
  readonly #rooms: ReloadedRooms;
  readonly #source: ConfigSource | undefined;
  readonly #log: Logger;
  #watch: FileWatch | undefined;
  #watched: readonly string[] = [];

  constructor(rooms: ReloadedRooms) {
    this.#rooms = rooms;
    this.#source = rooms.surroundings.configuration;
    this.#log = rooms.surroundings.log.child({ room: "cli" });
    if (this.#source) this.#watchFiles(this.#source.watchedFiles);
  }

  /** Reads the configuration again, and the certificate. `by`: who asked, for the log. */
  reload(by: string): ReloadResult {
    return this.#reload(by, (loaded) => loaded);
  }

  /** Idempotent. */
  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  #reloadFiles(): void {
    const { live } = this.#rooms;
    this.#reload("file watch", (loaded) => rereadFiles(live.current, loaded));
  }

  #reload(by: string, choose: (loaded: Config) => Config): ReloadResult {
    const result = this.#try(choose);
    this.#tell(by, result);
    return result;
  }

  #try(choose: (loaded: Config) => Config): ReloadResult {
    const { live, drain, http } = this.#rooms;
    if (drain.state === "closing" || drain.state === "closed")
      return { outcome: "impossible", reason: "the gateway is closing" };
    if (!this.#source) return { outcome: "impossible", reason: "this gateway was started without a file" };
    const loaded = this.#source.load();
    if (!loaded.ok) return { outcome: "faulty", faults: loaded.faults };
    const next = choose(loaded.config);
    // As for the file's watch: it is being written, or somebody has lost it.
    if (next.agents.fileAccounts.length === 0 && live.current.agents.fileAccounts.length > 0)
      return { outcome: "faulty", faults: [noFileAccount] };
    const changes = configChanges(live.current, next).map((change) =>
      withSwitches(change, live.current, next),
    );
    const fixed = changes.filter(({ reload }) => !reload);
    if (fixed.length > 0) return { outcome: "restart", changes: fixed };
    const { tls } = next.http;
    const unusable = tls && http.useCertificate({ certFile: tls.cert, keyFile: tls.key });
    if (unusable !== undefined) return { outcome: "impossible", reason: unusable };
    this.#watchFiles(loaded.watchedFiles);
    if (changes.length > 0) this.#apply(next);
    for (const { key, reason, remedy } of loaded.warnings)
      this.#log.warn({ key, reason, remedy }, "configuration");
    return { outcome: "applied", changes };
  }

  /** What asks `live` for itself needs nothing here. */
  #apply(next: Config): void {
    const { live, webSocket, b2bua, admin, tokens } = this.#rooms;
    webSocket()?.configure(webSocketTermsOf(next));
    b2bua.configure(callTermsOf(next));
    admin?.login.configure(next.admin);
    const secret = tokenSecret(next);
    if (tokens && secret !== undefined) tokens.secret = secret;
    live.replace(next);
  }

  #watchFiles(files: readonly string[]): void {
    if (files.join("\n") === this.#watched.join("\n")) return;
    this.#watched = files;
    this.#watch?.close();
    const { clock } = this.#rooms.surroundings;
    const onChange = (): void => this.#reloadFiles();
    this.#watch = files.length === 0 ? undefined : new FileWatch({ files, clock, log: this.#log, onChange });
  }

  #tell(by: string, result: ReloadResult): void {
    const log = this.#log;
    switch (result.outcome) {
      case "applied":
        for (const { key, what } of result.changes) log.info({ by, key, what }, "configuration changed");
        return log.info({ by, changes: result.changes.length }, "configuration reloaded");
      case "restart":
        for (const { key, what } of result.changes)
          log.error({ by, key, what }, "a change of this key needs a restart");
        return log.error({ by }, "reload refused: nothing was changed");
      case "faulty":
        for (const { key, reason, remedy, where } of result.faults)
          log.error({ by, key, reason, remedy, where }, "configuration is faulty");
        return log.error({ by }, "reload refused: nothing was changed");
      case "impossible":
        return log.error({ by, reason: result.reason }, "reload refused: nothing was changed");
    }
  }
}

const noFileAccount: ConfigFault = {
  key: "agents.accountsFile",
  value: "",
  reason: "holds no account",
  remedy: "write a line dn:password for each agent into it; for no agent at all restart",
};

/** Routes and sockets are made at start, or not: what is off then cannot be switched on, nor the other way. */
function withSwitches(change: ConfigChange, before: Config, after: Config): ConfigChange {
  const tls =
    change.key.startsWith("http.tls") && (before.http.tls === undefined) !== (after.http.tls === undefined);
  const admin = change.key.startsWith("admin.") && adminIsOn(before) !== adminIsOn(after);
  const tokens =
    change.key === "admin.token" &&
    (tokenSecret(before) === undefined) !== (tokenSecret(after) === undefined);
  return tls || admin || tokens ? { ...change, reload: false } : change;
}

import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import { resolveAdmin } from "./admin.ts";
import { resolveAgents } from "./agents.ts";
import { applyEnvironment, environmentPrefix } from "./environment.ts";
import { resolveEndpoint } from "./endpoint.ts";
import { faultAt, schemaFaults, unknownKey, type ConfigFault, type Locate } from "./faults.ts";
import { parseServerAddress } from "./keys.ts";
import { resolveMetrics } from "./metrics.ts";
import { mediaAddresses } from "./media-sides.ts";
import { resolveRecords } from "./records.ts";
import { applyRules, evenToOdd, type Say } from "./rules/index.ts";
import { configSchema, type ParsedConfig } from "./schema.ts";
import { eitherSecret } from "./secret-files.ts";
import { folderFault, readNamedFile } from "./secrets.ts";
import { resolveTurn } from "./turn.ts";
import { resolveHep, resolveOpenTelemetry } from "./telemetry.ts";
import type { Config } from "./types.ts";
import { pathText } from "./walk.ts";
import { watchedFilesOf } from "./watched-files.ts";
import { fileFault, parseYamlText } from "./yaml-file.ts";

export interface LoadOptions {
  /** Path of the YAML file; else `JACKFIELD_CONFIG`, else the environment alone. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Cores that `media.workers: auto` counts; the machine's unless told. */
  readonly cores?: number;
}

/** A risk that does not keep the gateway from starting; shaped as a fault. */
export type ConfigWarning = ConfigFault;

export type ConfigResult =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly warnings: readonly ConfigWarning[];
      /** Absolute paths of the files that `rereadFiles` takes something from. */
      readonly watchedFiles: readonly string[];
    }
  | {
      readonly ok: false;
      readonly faults: readonly ConfigFault[];
      readonly warnings: readonly ConfigWarning[];
      /** The file read, where there was one. */
      readonly file?: string;
    };

const whatToWrite = `write a file and name it with --config FILE or JACKFIELD_CONFIG, at least:
         http:      { tls: { cert: cert.pem, key: key.pem } }
         websocket: { origins: ["https://gateway.example.com:8443", "https://wwe.example.com"] }
         sip:       { advertisedAddress: 192.0.2.20 }
         media:     { advertisedAddress: 203.0.113.10 }
         agents:    { accounts: [ { dn: "5001", password: "..." } ] }
         sipServer: { addresses: ["192.0.2.10:5060"] }
       (see docs/configuration.md, docs/jackfield.example.yaml)`;

/**
 * Reads the configuration: the file, environment variables over it, secrets from their files; checks it against the
 * schema and the rules across keys. Never throws; tells every fault at once.
 */
export function loadConfig({ file, env, cores }: LoadOptions): ConfigResult {
  const name = file ?? env["JACKFIELD_CONFIG"];
  const fromEnvironment = Object.keys(env).some((key) => key.toUpperCase().startsWith(environmentPrefix));
  if (name === undefined || name === "") {
    if (fromEnvironment) return checkTree({}, () => undefined, process.cwd(), env, cores);
    return failed([fileFault("is not named: there is no configuration", whatToWrite)]);
  }
  const read = readNamedFile(process.cwd(), name);
  if ("reason" in read) return failed([fileFault(`${name} ${read.reason}`, whatToWrite)], name);
  const parsed = parseYamlText(read.text);
  if ("faults" in parsed) return failed(parsed.faults, name);
  const result = checkTree(parsed.tree, parsed.locate, dirname(resolve(name)), env, cores);
  return result.ok ? result : { ...result, file: name };
}

/** Checks a tree of plain values as a file would give it; for embedded configurations. `directory`: of named files. */
export function checkTree(
  fileTree: unknown,
  locateInFile: Locate,
  directory: string,
  env: LoadOptions["env"],
  cores: number = availableParallelism(),
): ConfigResult {
  const { tree, faults, origins } = applyEnvironment(configSchema, fileTree, env);
  const warnings: ConfigWarning[] = [];
  const locate: Locate = (path) => {
    for (let length = path.length; length > 0; length--) {
      const origin = origins.get(pathText(path.slice(0, length)));
      if (origin !== undefined) return origin;
    }
    return locateInFile(path);
  };
  const say: Say = {
    fault: (path, reason, remedy) =>
      faults.push(faultAt(configSchema, tree, locate, path, { reason, remedy })),
    warn: (path, reason, remedy) =>
      warnings.push(faultAt(configSchema, tree, locate, path, { reason, remedy })),
  };
  if (typeof tree !== "object" || tree === null || Array.isArray(tree))
    return failed([fileFault("is not a map of sections", "write keys such as http: and sip:")]);
  const sections = parseSections(tree, locate, faults);
  const workers = workersOf(sections, cores);
  applyRules(sections, workers, say);
  const config = resolveSections(sections, directory, workers, say);
  if (faults.length > 0 || !config) return { ok: false, faults: inOrder(faults), warnings };
  const watchedFiles = watchedFilesOf(sections, directory);
  return { ok: true, config: deepFreeze(config), warnings, watchedFiles };
}

/** Each section by itself, so that one broken key does not keep the rules from looking at the other sections. */
function parseSections(tree: object, locate: Locate, faults: ConfigFault[]): Partial<ParsedConfig> {
  const sections: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(configSchema.shape)) {
    const given = Object.hasOwn(tree, name) ? (tree as Record<string, unknown>)[name] : undefined;
    // `http:` with nothing behind it is null in YAML and means what an absent section means.
    const result = schema.safeParse(given ?? undefined);
    if (result.success) sections[name] = result.data;
    else faults.push(...schemaFaults(configSchema, tree, locate, result.error.issues, [name]));
  }
  for (const name of Object.keys(tree))
    if (!Object.hasOwn(configSchema.shape, name)) faults.push(unknownKey(configSchema, locate, [], name));
  // Every value came out of the section's own schema.
  return sections;
}

function workersOf({ media }: Partial<ParsedConfig>, cores: number): number {
  const configured = media?.workers ?? "auto";
  return configured === "auto" ? Math.max(1, Math.floor(cores) - 1) : configured;
}

/** The rooms' view; undefined when a section is not sound. Reads secret files, so it also finds faults. */
function resolveSections(
  sections: Partial<ParsedConfig>,
  directory: string,
  workers: number,
  say: Say,
): Config | undefined {
  const agents = sections.agents && resolveAgents(sections.agents, directory, say);
  const sipServer = sections.sipServer && resolveSipServer(sections.sipServer, directory, say);
  const http = sections.http && resolveHttp(sections.http, directory, say);
  const media = sections.media && resolveMedia(sections.media, directory, workers, say);
  const turn = sections.turn && resolveTurn(sections.turn, directory, say);
  const admin = sections.admin && resolveAdmin(sections.admin, directory, say);
  const metrics = sections.metrics && resolveMetrics(sections.metrics, admin, directory, say);
  const hep = sections.hep && resolveHep(sections.hep, directory, say);
  const openTelemetry =
    sections.openTelemetry && resolveOpenTelemetry(sections.openTelemetry, directory, say);
  const records = sections.records && resolveRecords(sections.records, directory, say);
  const others = agents && admin && http && { agents, admin, http };
  const endpoint = sections.endpoint && resolveEndpoint(sections.endpoint, others, say);
  const { websocket, sip, clients, calls, page, gws, wrtc, trace, shutdown, log } = sections;
  if (!agents || !sipServer || !http || !websocket || !sip || !media) return undefined;
  if (!clients || !calls || !page || !gws || !wrtc || !admin || !trace || !shutdown || !log) return undefined;
  if (!metrics || !turn || !hep || !openTelemetry || !records || !endpoint) return undefined;
  return {
    http,
    websocket,
    sip: { ...sip, advertisedAddress: sip.advertisedAddress ?? sip.host },
    media,
    turn,
    agents,
    clients,
    calls,
    sipServer,
    page,
    gws,
    endpoint,
    wrtc,
    admin,
    metrics,
    trace,
    hep,
    openTelemetry,
    records,
    shutdown,
    log,
  };
}

function resolveHttp(http: ParsedConfig["http"], directory: string, say: Say): Config["http"] {
  if (!http.tls) return http;
  for (const name of ["cert", "key"] as const) {
    const read = readNamedFile(directory, http.tls[name]);
    if ("reason" in read)
      say.fault(
        ["http", "tls", name],
        read.reason,
        "name a readable PEM file; relative names count from the file",
      );
  }
  return { ...http, tls: { cert: resolve(directory, http.tls.cert), key: resolve(directory, http.tls.key) } };
}

function resolveMedia(
  { captureDirectory, ...media }: ParsedConfig["media"],
  directory: string,
  workers: number,
  say: Say,
): Config["media"] {
  const folder = captureDirectory === undefined ? undefined : resolve(directory, captureDirectory);
  const fault = folder === undefined ? undefined : folderFault(folder);
  if (fault !== undefined)
    say.fault(["media", "captureDirectory"], fault, "make the folder and let the gateway write to it");
  return {
    ...media,
    ...(folder === undefined ? {} : { captureDirectory: folder }),
    ...mediaAddresses(media),
    workers,
    rtpPorts: evenToOdd(media.rtpPorts),
  };
}

function resolveSipServer(
  sipServer: ParsedConfig["sipServer"],
  directory: string,
  say: Say,
): Config["sipServer"] {
  const { username, password, passwordFile: file } = sipServer.auth;
  const keys = { section: ["sipServer", "auth"], name: "password", value: password || undefined, file };
  const { transport, tls } = sipServer;
  const addresses = sipServer.addresses.flatMap((text) => parseServerAddress(text, transport) ?? []);
  return {
    ...sipServer,
    ...(tls ? { tls: resolveServerTls(tls, directory, say) } : {}),
    addresses,
    auth: { username, password: eitherSecret(keys, directory, say) ?? "" },
  };
}

function resolveServerTls(
  tls: NonNullable<ParsedConfig["sipServer"]["tls"]>,
  directory: string,
  say: Say,
): NonNullable<Config["sipServer"]["tls"]> {
  const files = { cert: tls.cert, key: tls.key, ca: tls.ca };
  for (const [name, file] of Object.entries(files)) {
    const read = file === undefined ? undefined : readNamedFile(directory, file);
    if (read && "reason" in read)
      say.fault(["sipServer", "tls", name], read.reason, "name a readable PEM file");
  }
  return {
    ...tls,
    cert: resolve(directory, tls.cert),
    key: resolve(directory, tls.key),
    ...(tls.ca === undefined ? {} : { ca: resolve(directory, tls.ca) }),
  };
}

function failed(faults: readonly ConfigFault[], file?: string): ConfigResult {
  return { ok: false, faults, warnings: [], ...(file === undefined ? {} : { file }) };
}

/** In the order of the file, those without a line last. */
function inOrder(faults: readonly ConfigFault[]): ConfigFault[] {
  const line = ({ where }: ConfigFault): number => Number(/^line (\d+)$/.exec(where ?? "")?.[1] ?? Infinity);
  return faults.toSorted((one, other) => line(one) - line(other) || 0);
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

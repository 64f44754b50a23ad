import { target, type Import } from "./imports.ts";

/** Who may import whose door (DESIGN 1). `*` = every room. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[] | "*">> = {
  main: "*",
  cli: "*",
  config: ["core"],
  core: [],
  sip: ["core"],
  ws: ["sip", "core"],
  registrar: ["sip", "core"],
  trace: ["sip", "core"],
  b2bua: ["sip", "registrar", "media", "trace", "core"],
  media: ["core"],
  wrtc: ["b2bua", "registrar", "core"],
  endpoint: ["b2bua", "registrar", "core"],
  admin: ["config", "trace", "sip", "ws", "registrar", "b2bua", "media", "wrtc", "endpoint", "core"],
  sandbox: ["core"],
  records: ["b2bua", "core"],
  telemetry: ["sip", "trace", "b2bua", "core"],
  migration: ["config", "core"],
  bridge: ["core"],
};

/**
 * Which folders of `web` may import which, besides themselves. The softphone's own folder puts its parts together; each part
 * but `phone` hooks itself in (`hook.ts`), so it knows the page, and the page knows of it nothing but the hook and what is
 * named here. The SDK is one file that others take away: it imports nothing.
 */
export const WEB_MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  sdk: [],
  shared: [],
  "embed-example": ["sdk"],
  dashboard: ["shared"],
  softphone: [
    "sdk",
    "shared",
    "softphone/phone",
    "softphone/sound",
    "softphone/quality",
    "softphone/embed",
    "softphone/endpoint",
    "softphone/gws",
    "softphone/views",
  ],
  "softphone/phone": ["shared", "softphone/sound"],
  "softphone/sound": ["shared", "softphone", "softphone/phone"],
  "softphone/quality": ["shared", "softphone", "softphone/phone"],
  "softphone/gws": ["shared", "softphone", "softphone/phone"],
  "softphone/endpoint": ["shared", "softphone", "softphone/phone", "softphone/sound"],
  "softphone/embed": ["sdk", "shared", "softphone", "softphone/phone", "softphone/sound"],
  "softphone/views": ["shared", "softphone", "softphone/phone", "softphone/embed"],
};

/** Packages that only the places named may import, because the place wraps what they lack (DESIGN 4, 6). */
export const PACKAGE_PLACES: Readonly<Record<string, readonly string[]>> = {
  werift: ["src/media/dtls/"],
  "sip.js": ["src/sip/message/"],
  "libopus-wasm": ["src/media/codec/"],
  "@peculiar/x509": ["src/bridge/certificate/"],
  ws: ["src/ws/"],
  zod: ["src/config/"],
  yaml: ["src/config/", "src/migration/"],
  pino: ["src/core/"],
  jose: ["src/registrar/jwt/"],
  "prom-client": ["src/admin/metrics/"],
  "@opentelemetry/api": ["src/telemetry/spans/"],
  "@opentelemetry/exporter-trace-otlp-http": ["src/telemetry/spans/"],
  "@opentelemetry/resources": ["src/telemetry/spans/"],
  "@opentelemetry/sdk-trace": ["src/telemetry/spans/"],
  "pino-pretty": ["src/cli/"],
  jssip: ["web/src/softphone/phone/"],
  cometd: ["web/src/softphone/gws/"],
  uplot: ["web/src/dashboard/"],
  "@tanstack/virtual-core": ["web/src/dashboard/parts/"],
};

/** Room of a file: the folder under `src`, or the name of a file right in it (`main`). Undefined outside `src`. */
export function roomOf(file: string): string | undefined {
  return /^src\/([^/]+?)(?:\.ts|\/.*)$/.exec(file)?.[1];
}

/** What is wrong with one import of one file of `src`, in words; undefined when nothing is. */
export function fault(file: string, { specifier, kind }: Import): string | undefined {
  const to = target(file, specifier);
  const room = roomOf(file);
  if (to === undefined || room === undefined) return undefined;
  const other = roomOf(to);
  const said = `${file} imports ${specifier}`;
  if (other === undefined) return kind === "url" ? undefined : `${said}: leaves src`;
  // main.ts is the command line's own (DESIGN 1), and takes of it what it runs and no more.
  if (other === room || (room === "main" && other === "cli")) return undefined;
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return `${said}: room ${room} is not in the table`;
  if (allowed !== "*" && !allowed.includes(other)) return `${said}: ${room} may not import ${other}`;
  if (other === "sandbox" && kind !== "dynamic")
    return `${said}: the sandbox is only ever loaded by import()`;
  if (to !== `src/${other}/index.ts`) return `${said}: past the door src/${other}/index.ts`;
  return undefined;
}

/** Folder of a file of `web` as the table names it: `dashboard`, `softphone/gws`; undefined for other files. */
export function webFolderOf(file: string): string | undefined {
  return (
    /^web\/src\/(softphone\/[^/]+)\//.exec(file)?.[1] ?? /^web\/(?:src\/)?(sdk|[^/]+(?=\/))/.exec(file)?.[1]
  );
}

/** What is wrong with one import of one file of a page, in words; undefined when nothing is. */
export function webFault(file: string, { specifier, kind }: Import): string | undefined {
  const to = target(file, specifier);
  const folder = webFolderOf(file);
  if (to === undefined || folder === undefined || kind === "url") return undefined;
  const other = webFolderOf(to);
  const said = `${file} imports ${specifier}`;
  if (other === undefined) return `${said}: leaves the pages`;
  if (other === folder) return undefined;
  const allowed = WEB_MAY_IMPORT[folder];
  if (allowed === undefined) return `${said}: ${folder} is not in the table`;
  return allowed.includes(other) ? undefined : `${said}: ${folder} may not import ${other}`;
}

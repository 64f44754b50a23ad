import { target, type Import } from "./imports.ts";

/** Who may import whose door (DESIGN 1). `*` = every room. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[] | "*">> = {
  main: "*",
  cli: "*",
  config: [],
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
};

/** Packages that only the places named may import, because the place wraps what they lack (DESIGN 4, 6). */
export const PACKAGE_PLACES: Readonly<Record<string, readonly string[]>> = {
  werift: ["src/media/dtls/"],
  "sip.js": ["src/sip/message/"],
  "libopus-wasm": ["src/media/codec/"],
  ws: ["src/ws/"],
  zod: ["src/config/"],
  yaml: ["src/config/"],
  pino: ["src/core/"],
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
  if (other === room) return undefined;
  const allowed = MAY_IMPORT[room];
  if (allowed === undefined) return `${said}: room ${room} is not in the table`;
  if (allowed !== "*" && !allowed.includes(other)) return `${said}: ${room} may not import ${other}`;
  if (other === "sandbox" && kind !== "dynamic")
    return `${said}: the sandbox is only ever loaded by import()`;
  if (to !== `src/${other}/index.ts`) return `${said}: past the door src/${other}/index.ts`;
  return undefined;
}

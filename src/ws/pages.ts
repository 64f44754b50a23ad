import { existsSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";

/** What the softphone page may do with other origins, and what it is told. */
export interface PageOptions {
  /** Told to everybody as `/settings.json`. */
  readonly settings?: object;
  /** Origins besides our own that may show the softphone in a frame, e.g. the one of WWE. */
  readonly frameAncestors?: readonly string[];
  /** Origins besides our own that the softphone may connect to, e.g. `https://gws.example.com`. */
  readonly connectOrigins?: readonly string[];
}

/** Every page loads what comes from us and nothing else, and runs no script or style written into the HTML. */
const everyPage = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "media-src 'self' blob:",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
];

function policy(...own: readonly string[]): string {
  return [...everyPage, ...own].join("; ");
}

/** Content-Security-Policy of the softphone. */
export function contentSecurityPolicy(options: PageOptions = {}): string {
  const connect = ["'self'", ...(options.connectOrigins ?? [])].join(" ");
  const ancestors = ["'self'", ...(options.frameAncestors ?? [])].join(" ");
  return policy(`connect-src ${connect}`, `frame-ancestors ${ancestors}`);
}

/** Nobody else's page may show the dashboard, nor lay anything over it. */
export const adminContentSecurityPolicy = policy("connect-src 'self'", "frame-ancestors 'none'");
const examplePolicy = policy("connect-src 'self'", "frame-src 'self'", "frame-ancestors 'none'");

/** What each page may ask the browser for; in a frame the embedding page must allow it too, by `<iframe allow>`. */
const nothing = "camera=(), geolocation=(), display-capture=(), payment=(), usb=()";
const softphoneFeatures = `microphone=(self), speaker-selection=(self), autoplay=(self), ${nothing}`;
const adminFeatures = `microphone=(), ${nothing}`;

interface Headers {
  readonly policy: string;
  readonly features: string;
}

/**
 * Serves the built pages in `directory` (as Vite writes them): the softphone at `/`, the dashboard at `/admin/`, what
 * embedding pages load at `/sdk/`, and `/settings.json`. Without a build there, the pages answer 503 and say how to
 * make one. Add before `listen`.
 */
export async function servePages(
  app: FastifyInstance,
  directory: string,
  options: PageOptions | (() => PageOptions) = {},
): Promise<void> {
  // Asked anew for each request: a reload of the configuration may change it.
  const current = typeof options === "function" ? options : () => options;
  if (current().settings !== undefined) app.get("/settings.json", () => current().settings);
  // Relative, so that it holds below a proxy's path too.
  app.get("/admin", (_request, reply) => reply.redirect("admin/"));
  const root = resolve(directory);
  if (!existsSync(join(root, "index.html"))) return serveNothing(app, root);
  const headersOf = pageHeaders(current);
  await app.register(fastifyStatic, {
    root,
    cacheControl: false,
    // The build writes scripts and style sheets compressed, too.
    preCompressed: true,
    setHeaders: (reply, path) => setHeaders(reply, relative(root, path).split(sep).join("/"), headersOf),
  });
}

function serveNothing(app: FastifyInstance, root: string): void {
  const missing = async (_request: unknown, reply: FastifyReply): Promise<string> => {
    reply.status(503).type("text/plain; charset=utf-8");
    return `The pages are not built: ${root} has no index.html.\nRun "npm run build:web" and start again.\n`;
  };
  for (const path of ["/", "/index.html", "/admin/"]) app.get(path, missing);
}

function pageHeaders(current: () => PageOptions): (file: string) => Headers {
  const example = { policy: examplePolicy, features: softphoneFeatures };
  const admin = { policy: adminContentSecurityPolicy, features: adminFeatures };
  return (file) => {
    if (file.startsWith("admin/")) return admin;
    if (file === "embed-example.html") return example;
    return { policy: contentSecurityPolicy(current()), features: softphoneFeatures };
  };
}

function setHeaders(reply: FastifyReply, file: string, headersOf: (file: string) => Headers): void {
  // Vite puts a hash of the content into the names under assets/, so those never change.
  const forever = file.startsWith("assets/");
  reply.header("vary", "accept-encoding");
  reply.header("cache-control", forever ? "public, max-age=31536000, immutable" : "no-store");
  const { policy: contentSecurity, features } = headersOf(file);
  reply.header("content-security-policy", contentSecurity);
  reply.header("permissions-policy", features);
  // Whoever opened the dashboard gets no handle on its window.
  if (file.startsWith("admin/")) reply.header("cross-origin-opener-policy", "same-origin");
  if (!file.startsWith("sdk/")) return;
  // The embedding page's own script: it is public and knows nothing, and pages of any origin load it.
  reply.header("cross-origin-resource-policy", "cross-origin");
  reply.header("access-control-allow-origin", "*");
}

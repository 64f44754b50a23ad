import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyInstance, FastifyReply } from "fastify";

/** What the page may do with other origins. */
export interface PageOptions {
  /** Origins besides our own that may show the page in a frame, e.g. the one of WWE. */
  readonly frameAncestors?: readonly string[];
  /** Origins besides our own that the page may connect to, e.g. `https://gws.example.com`. */
  readonly connectOrigins?: readonly string[];
}

/** The page may load what comes from us and nothing else, and runs no script written into the HTML. */
export function contentSecurityPolicy(options: PageOptions = {}): string {
  const connect = ["'self'", ...(options.connectOrigins ?? [])].join(" ");
  const ancestors = ["'self'", ...(options.frameAncestors ?? [])].join(" ");
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "media-src 'self' blob:",
    "worker-src 'self'",
    "manifest-src 'self'",
    `connect-src ${connect}`,
    `frame-ancestors ${ancestors}`,
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
}

/**
 * Serves the built pages in `directory` (as Vite writes it) at `/`. Without a build there, `/` answers 503 and
 * says how to make one. Add before `listen`.
 */
export async function servePage(
  app: FastifyInstance,
  directory: string,
  options: PageOptions = {},
): Promise<void> {
  const root = resolve(directory);
  if (!existsSync(join(root, "index.html"))) {
    const missing = async (_request: unknown, reply: FastifyReply): Promise<string> => {
      reply.status(503).type("text/plain; charset=utf-8");
      return `The pages are not built: ${root} has no index.html.\nRun "npm run build:web" and start again.\n`;
    };
    app.get("/", missing);
    app.get("/index.html", missing);
    return;
  }
  const policy = contentSecurityPolicy(options);
  await app.register(fastifyStatic, {
    root,
    cacheControl: false,
    setHeaders(reply, path) {
      // Vite puts a hash of the content into the names under assets/, so those never change.
      const forever = path.includes("/assets/");
      reply.header("cache-control", forever ? "public, max-age=31536000, immutable" : "no-store");
      reply.header("content-security-policy", policy);
      reply.header("permissions-policy", "microphone=(self), camera=(), geolocation=()");
    },
  });
}

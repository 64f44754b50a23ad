import { createReadStream, statSync } from "node:fs";
import { createServer, type RequestListener, type Server } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { ClientName } from "./page/contract.ts";

const here = dirname(fileURLToPath(import.meta.url));

const ENTRIES: Readonly<Record<ClientName, string>> = {
  jssip: join(here, "page", "jssip-client.ts"),
  "sip.js": join(here, "page", "sip-js-client.ts"),
  "simple-user": join(here, "page", "simple-user-client.ts"),
  wrtc: join(here, "page", "wrtc-client.ts"),
  grtc: join(here, "page", "grtc-client.ts"),
};

/** The SIP client as published plus our test page around it, as one script that sets `window.testPhone`. */
export async function bundleClient(client: ClientName): Promise<string> {
  return await bundle(ENTRIES[client]);
}

/** One script of an entry file and what it imports, to run in a page. */
export async function bundle(entry: string): Promise<string> {
  const result = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    format: "iife",
    platform: "browser",
    target: "es2024",
    define: { global: "globalThis" },
    logLevel: "silent",
  });
  const script = result.outputFiles[0];
  if (script === undefined) throw new Error(`esbuild made nothing of ${entry}`);
  return script.text;
}

export interface PageServer {
  /** `http://127.0.0.1:PORT`: the pages' origin. */
  readonly origin: string;
  readonly server: Server;
  close(): Promise<void>;
}

async function listen(answer: RequestListener): Promise<PageServer> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address after listen");
  return {
    server,
    origin: `http://127.0.0.1:${address.port}`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Serves the test pages: `/jssip`, `/sip.js` and whatever else is named (name to entry file). */
export async function serveTestPages(more: Readonly<Record<string, string>> = {}): Promise<PageServer> {
  const entries = new Map(
    Object.entries({ ...ENTRIES, ...more }).map(([name, entry]) => [`/${name}`, entry]),
  );
  const scripts = new Map<string, Promise<string>>();
  return await listen((request, response) => {
    const path = request.url ?? "/";
    const page = path.replace(/\/client\.js$/, "");
    const entry = entries.get(page);
    if (entry === undefined) response.writeHead(404).end();
    else if (page !== path) {
      // Made when the first page asks for it: a file has use for one or two of them.
      const script = scripts.get(page) ?? bundle(entry);
      scripts.set(page, script);
      void script.then(
        (text) => response.writeHead(200, { "content-type": "text/javascript" }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    } else {
      const html = `<!doctype html><title>${path}</title><link rel="icon" href="data:,"><script src="${path}/client.js"></script>`;
      response.writeHead(200, { "content-type": "text/html" }).end(html);
    }
  });
}

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
};

/** What a gateway tells its page where nothing is configured. */
const SETTINGS = {
  mode: "phone",
  web_socket_path: "/ws",
  embedding: { origins: [] },
  sign_in: { password_in_url: false },
};

/**
 * Serves a built page's folder under the policy the gateway serves it with, without a gateway behind it.
 * @param more answers what it takes, and says so
 */
export async function serveFolder(
  folder: string,
  headers: Readonly<Record<string, string>> = {},
  settings: object = SETTINGS,
  more: (...asked: Parameters<RequestListener>) => boolean = () => false,
): Promise<PageServer> {
  return await listen((request, response) => {
    if (more(request, response)) return;
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    if (path === "/settings.json") {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(settings));
      return;
    }
    const file = join(folder, path === "/" ? "index.html" : path);
    if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[extname(file)] ?? "application/octet-stream",
      ...headers,
    });
    createReadStream(file).pipe(response);
  });
}

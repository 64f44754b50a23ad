/**
 * The floors of `bench:endpoint`, with nothing of ours: Node's own HTTP server, which answers every request with a ping's answer,
 * and a TLS socket that answers whatever it reads with the same bytes.
 */
import { createSecureServer } from "node:http2";
import { createServer, type Server } from "node:tls";
import { createCertificate } from "../../src/media/dtls/index.ts";
import { benchOrigin } from "./origin.ts";
import { serve } from "./rpc.ts";

const answer = '{"PingResult":[]}';
/** As the gateway answers. */
const headers = {
  "access-control-allow-origin": benchOrigin,
  vary: "Origin",
  "content-type": "application/json; charset=utf-8",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cache-control": "no-store",
  "content-length": String(answer.length),
};
const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
const bytes = Buffer.from(`HTTP/1.1 200 OK\r\n${head.join("")}\r\n${answer}`);

/** As the gateway has it, ms: connections outlast the other servers' turns. */
const keepAliveTimeout = 75_000;

export type Floor = "bare" | "tls";
interface Pair {
  readonly cert: string;
  readonly key: string;
}
let server: Server | undefined;

function httpServer({ cert, key }: Pair): Server {
  const options = {
    cert,
    key,
    allowHTTP1: true,
    minVersion: "TLSv1.2",
    http1Options: { keepAliveTimeout },
  } as const;
  return createSecureServer(options, (_request, reply) => {
    reply.writeHead(200, headers);
    reply.end(answer);
  });
}

function tlsServer({ cert, key }: Pair): Server {
  return createServer({ cert, key, minVersion: "TLSv1.2" }, (socket) => {
    socket.on("data", () => socket.write(bytes));
    socket.on("error", () => socket.destroy());
  });
}

async function open(floor: Floor): Promise<{ readonly httpPort: number }> {
  const { certPem: cert, keyPem: key } = await createCertificate();
  const opened = floor === "tls" ? tlsServer({ cert, key }) : httpServer({ cert, key });
  server = opened;
  await new Promise<void>((resolve) => opened.listen(0, "127.0.0.1", resolve));
  const address = opened.address();
  return { httpPort: typeof address === "object" && address !== null ? address.port : 0 };
}

async function close(): Promise<void> {
  server?.close();
}

const handlers = { open, close };
export type BareHandlers = typeof handlers;
serve(handlers);

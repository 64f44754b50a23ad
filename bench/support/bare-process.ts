/** The floor of `bench:endpoint`: Node's own server, which answers every request with a ping's answer, and nothing else of ours. */
import { createSecureServer, type Http2SecureServer } from "node:http2";
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
let server: Http2SecureServer | undefined;

async function open(): Promise<{ readonly httpPort: number }> {
  const { certPem: cert, keyPem: key } = await createCertificate();
  const opened = createSecureServer(
    { cert, key, allowHTTP1: true, minVersion: "TLSv1.2" },
    (_request, reply) => {
      reply.writeHead(200, headers);
      reply.end(answer);
    },
  );
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

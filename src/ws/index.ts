export {
  loadCertificate,
  type CertificateFiles,
  type CertificateInfo,
  type LoadedCertificate,
} from "./certificate.ts";
export {
  openHttpServer,
  type HttpCounters,
  type HttpServer,
  type HttpServerEvents,
  type HttpServerOptions,
} from "./http-server.ts";
export { adminContentSecurityPolicy, contentSecurityPolicy, servePages, type PageOptions } from "./pages.ts";
export {
  attachWebSocket,
  type WebSocketEndpoint,
  type WebSocketOptions,
  type WebSocketTerms,
} from "./web-socket.ts";
export type { WebSocketCounters, WebSocketLimits } from "./web-socket-limits.ts";

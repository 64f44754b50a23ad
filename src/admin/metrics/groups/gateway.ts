import type { TraceStore } from "../../../trace/index.ts";
import type { HttpServer, WebSocketEndpoint } from "../../../ws/index.ts";
import { counter, gauge, putEach, type Collect } from "../definition.ts";

export const gatewayMetrics = {
  build: gauge("build_info", "Always 1; the labels tell what runs.", ["version", "node"]),
  ready: gauge("ready", "1: /health/ready would answer 200."),
  draining: gauge("draining", "1: new calls are refused on purpose."),
  drainLeft: gauge(
    "drain_left_seconds",
    "Until a drain ends the calls that still run; absent where none will.",
  ),
  logLost: counter("log_lines_lost", "Log lines lost: nobody read them, or the disk was full."),
  expiry: gauge(
    "certificate_expiry_timestamp_seconds",
    "When the certificate runs out, seconds since 1970: http (http.tls) or sip_server (sipServer.tls).",
    ["certificate"],
  ),
  daysLeft: gauge("certificate_days_left", "Days until then, negative when it has run out.", ["certificate"]),
  traces: gauge("trace_ladders", "Ladders of calls that are kept."),
  traceBytes: gauge("trace_memory_bytes", "Memory they are taken to use."),
};

export const socketMetrics = {
  connections: gauge(
    "connections",
    "Connections open: websocket, http (all of that port, WebSockets too), sip (TCP or TLS to and from SIP Server).",
    ["kind"],
  ),
  webSocketRefused: counter(
    "websocket_refused",
    "WebSockets refused at the handshake: origin, protocol, limit.",
    ["cause"],
  ),
  webSocketClosed: counter(
    "websocket_closed",
    "WebSockets the gateway closed: rate, silence, no_sign_in, backpressure.",
    ["cause"],
  ),
  webSocketMessages: counter("websocket_messages", "SIP messages over WebSocket: received or sent.", [
    "direction",
  ]),
  webSocketEvents: counter(
    "websocket_events",
    "What else befell WebSockets: accepted, closed, keep_alives, pongs, protocol_errors, send_errors, receiver_errors.",
    ["event"],
  ),
  httpRequests: counter("http_requests", "HTTP requests."),
  httpErrors: counter(
    "http_errors",
    "client_errors, http2_timeouts, tls_errors, certificate_reload_failures.",
    ["cause"],
  ),
  certificateReloads: counter("certificate_reloads", "New certificates taken into use."),
};

export interface GatewaySources {
  readonly version: string;
  readonly ready: () => boolean;
  readonly draining: () => boolean;
  /** Undefined: no drain has a deadline. */
  readonly drainSecondsLeft: () => number | undefined;
  /** Undefined: not known. */
  readonly logLinesLost: () => number | undefined;
  readonly http: Pick<HttpServer, "certificate" | "connections" | "counters">;
  /** End of validity of the certificate of `sipServer.tls`, ms since 1970. */
  readonly sipCertificate: () => number | undefined;
  readonly sipConnections: () => number | undefined;
  readonly webSocket: () => Pick<WebSocketEndpoint, "connections" | "counters"> | undefined;
  readonly traces: Pick<TraceStore, "usage"> | undefined;
  readonly wallClock: () => number;
}

const dayMs = 86_400_000;

export function gatewayCollector(sources: GatewaySources): Collect {
  const { version, ready, draining, drainSecondsLeft, logLinesLost } = sources;
  const { http, sipCertificate, traces, wallClock } = sources;
  return (put) => {
    put(gatewayMetrics.build, 1, { version, node: process.versions.node });
    put(gatewayMetrics.ready, Number(ready()));
    put(gatewayMetrics.draining, Number(draining()));
    put(gatewayMetrics.drainLeft, drainSecondsLeft());
    put(gatewayMetrics.logLost, logLinesLost());
    for (const [certificate, validTo] of [
      ["http", http.certificate?.validTo],
      ["sip_server", sipCertificate()],
    ] as const) {
      if (validTo === undefined) continue;
      put(gatewayMetrics.expiry, validTo / 1000, { certificate });
      put(gatewayMetrics.daysLeft, (validTo - wallClock()) / dayMs, { certificate });
    }
    put(gatewayMetrics.traces, traces?.usage.ladders);
    put(gatewayMetrics.traceBytes, traces?.usage.bytes);
  };
}

export function socketCollector({ http, webSocket, sipConnections }: GatewaySources): Collect {
  return (put) => {
    put(socketMetrics.connections, http.connections, { kind: "http" });
    put(socketMetrics.connections, sipConnections(), { kind: "sip" });
    const { requests, certificateReloads, ...errors } = http.counters;
    put(socketMetrics.httpRequests, requests);
    put(socketMetrics.certificateReloads, certificateReloads);
    putEach(put, socketMetrics.httpErrors, errors, "cause");
    const sockets = webSocket();
    if (!sockets) return;
    put(socketMetrics.connections, sockets.connections, { kind: "websocket" });
    const {
      refusedOrigin,
      refusedProtocol,
      refusedLimit,
      messagesReceived,
      messagesSent,
      closedForRate,
      closedForSilence,
      closedForNoSignIn,
      closedForBackpressure,
      ...events
    } = sockets.counters;
    const refused = { origin: refusedOrigin, protocol: refusedProtocol, limit: refusedLimit };
    putEach(put, socketMetrics.webSocketRefused, refused, "cause");
    const closed = {
      rate: closedForRate,
      silence: closedForSilence,
      no_sign_in: closedForNoSignIn,
      backpressure: closedForBackpressure,
    };
    putEach(put, socketMetrics.webSocketClosed, closed, "cause");
    put(socketMetrics.webSocketMessages, messagesReceived, { direction: "received" });
    put(socketMetrics.webSocketMessages, messagesSent, { direction: "sent" });
    putEach(put, socketMetrics.webSocketEvents, events, "event");
  };
}

/** What clients may take of the server. */
export interface WebSocketLimits {
  /** Largest SIP message, bytes; a larger one closes with 1009. Default 65,536. */
  readonly maxMessageBytes?: number;
  /** Connections at one time, all addresses. Default 4,000. */
  readonly maxConnections?: number;
  /** Connections at one time from one address. Default 1,200: a reverse proxy or NAT may bring a whole site. */
  readonly maxConnectionsPerAddress?: number;
  /** Bytes waiting to be read by a slow client before it is cut. Default 1 MiB. */
  readonly maxBufferedBytes?: number;
  /** Messages a second and connection, on average. Default 50. */
  readonly messagesPerSecond?: number;
  /** Messages at once before the average counts. Default 200. */
  readonly messageBurst?: number;
}

/** Counted since start. */
export interface WebSocketCounters {
  accepted: number;
  closed: number;
  refusedOrigin: number;
  refusedProtocol: number;
  refusedLimit: number;
  messagesReceived: number;
  messagesSent: number;
  keepAlives: number;
  /** Answers to our pings. */
  pongs: number;
  sendErrors: number;
  /** Frames against RFC 6455 or over a size limit, and broken connections. */
  protocolErrors: number;
  closedForRate: number;
  closedForSilence: number;
  closedForNoSignIn: number;
  closedForBackpressure: number;
  /** Exceptions out of the layer above: always a fault of ours. */
  receiverErrors: number;
}

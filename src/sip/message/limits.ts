/**
 * What one message may hold, checked before anything is taken apart (DESIGN 4). Beyond it the message is refused
 * with 414 (request URI), 413 (body) or 513 (all else).
 */
export const messageLimits = {
  /** Start line and header lines, in bytes; above what any UDP request of a trunk carries, below one datagram. */
  headerBytes: 32 * 1024,
  /** Lines after the start line, continuation lines counted. */
  headerLines: 256,
  /** One header value after unfolding, in characters; Identity (RFC 8224) is the longest in use, about 4,000. */
  valueLength: 8192,
  /** Request URI, in characters. */
  uriLength: 4096,
  /** Body, in bytes. */
  bodyBytes: 64 * 1024,
} as const;

/** Where a datagram goes to or came from. */
export interface Peer {
  readonly host: string;
  readonly port: number;
}

/** URI of a From, To or Contact value: between the angle brackets, or up to the first header parameter. */
export function uriOf(value: string): string {
  const bracketed = /<([^>]*)>/.exec(value);
  return bracketed?.[1] ?? value.split(";", 1)[0]?.trim() ?? "";
}

/** Header parameter (after the `>` where there is one) without quotes; `""` for one without a value. */
export function paramOf(value: string, name: string): string | undefined {
  const close = value.indexOf(">");
  for (const piece of value
    .slice(close + 1)
    .split(";")
    .slice(close < 0 ? 1 : 0)) {
    const [key = "", ...rest] = piece.split("=");
    if (key.trim().toLowerCase() === name) return rest.join("=").trim().replace(/^"|"$/g, "");
  }
  return undefined;
}

/** User part of a SIP URI; empty when it has none (`sip:192.0.2.20:5061`). */
export function userOf(uri: string): string {
  return /^sips?:([^@;?]*)@/i.exec(uri)?.[1]?.split(":", 1)[0] ?? "";
}

/** Host and port (5060 when not given) of a SIP URI; undefined when it is no SIP URI. */
export function peerOf(uri: string): Peer | undefined {
  const match = /^sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;?>\s]+)(?::(\d{1,5}))?/i.exec(uri);
  return match?.[1] ? { host: match[1], port: match[2] ? Number(match[2]) : 5060 } : undefined;
}

/** Port of a Via's sent-by (5060 when not given); undefined when it cannot be read. */
export function sentByPort(via: string): number | undefined {
  const match = /^SIP\s*\/\s*2\.0\s*\/\s*\w+\s+([^;\s,:]+)(?:\s*:\s*(\d{1,5}))?/i.exec(via);
  return match ? Number(match[2] ?? 5060) : undefined;
}

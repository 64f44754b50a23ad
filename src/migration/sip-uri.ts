/** What of a SIP URI of a configuration counts here. */
export interface UriParts {
  readonly user: string | undefined;
  readonly host: string;
  readonly port: number | undefined;
  readonly transport: "udp" | "tcp" | "tls";
}

/** `sip:user@host:port;transport=tcp`, in angle brackets or not, the scheme too; undefined for anything else. */
export function uriParts(text: string): UriParts | undefined {
  const bare = text.slice(0, 1000).trim().replace(/^<|>$/g, "");
  const found = /^(?:(sips?):)?(?:([^@:;]+)(?::[^@]*)?@)?([A-Za-z0-9.-]+)(?::(\d{1,5}))?((?:;.*)?)$/i.exec(
    bare,
  );
  const [, scheme = "", user, host = "", port, parameters = ""] = found ?? [];
  if (host === "") return undefined;
  const named = /;transport=(\w+)/i.exec(parameters)?.[1]?.toLowerCase();
  const transport =
    named === "tcp" || named === "tls" ? named : scheme.toLowerCase() === "sips" ? "tls" : "udp";
  return { user, host, port: port === undefined ? undefined : Number(port), transport };
}

/** Host and port of `bind = 0.0.0.0:5060`; undefined parts where they are not said or no IPv4. */
export function bindParts(text: string | undefined): {
  readonly host: string | undefined;
  readonly port: number | undefined;
} {
  const [, host, port] = /^(\d+\.\d+\.\d+\.\d+)?(?::(\d{1,5}))?$/.exec(text?.trim() ?? "") ?? [];
  const number = port === undefined ? undefined : Number(port);
  return {
    host: isIpv4(host) ? host : undefined,
    port: number !== undefined && number < 65_536 ? number : undefined,
  };
}

export function isIpv4(text: string | undefined): text is string {
  const parts = text?.split(".") ?? [];
  return (
    parts.length === 4 &&
    parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) < 256 && String(Number(part)) === part)
  );
}

/** An address that others can reach: not 0.0.0.0. */
export function isReachable(text: string | undefined): text is string {
  return isIpv4(text) && text !== "0.0.0.0";
}

/** Whether an address lies in a net `a.b.c.d/bits` or `a.b.c.d/m.m.m.m`. */
export function inNet(address: string, net: string): boolean {
  const [base = "", mask = "32"] = net.split("/");
  if (!isIpv4(address) || !isIpv4(base)) return false;
  const bits = isIpv4(mask)
    ? numberOf(mask)
    : Number(mask) === 0
      ? 0
      : (-1 << (32 - Math.min(32, Number(mask)))) >>> 0;
  return (numberOf(address) & bits) === (numberOf(base) & bits);
}

function numberOf(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

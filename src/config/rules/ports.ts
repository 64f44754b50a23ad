import { mediaAddresses } from "../media-sides.ts";
import type { Path } from "../walk.ts";
import { isAnyAddress, type Rule } from "./rule.ts";

/** Linux gives ports from here on to outgoing connections (net.ipv4.ip_local_port_range). */
const ephemeralFirst = 32_768;
const ephemeralLast = 60_999;

export const mediaPortsRule: Rule = {
  needs: ["media"],
  check({ media }, say, workers) {
    const path = ["media", "rtpPorts"];
    const [first, last] = evenToOdd(media.rtpPorts);
    if (last - first + 1 < workers * 2)
      say.fault(
        path,
        `has no pair of ports for each of ${workers} workers`,
        "write the lower port first, and more ports",
      );
    else if (first <= ephemeralLast && last >= ephemeralFirst)
      say.warn(path, "reaches into Linux's range of outgoing ports (32768-60999)", "stay below 32768");
    if (media.browserPort !== 0 && media.browserPort + workers - 1 > 65_535)
      say.fault(
        ["media", "browserPort"],
        `leaves no port for each of ${workers} workers`,
        "write a lower port",
      );
    for (const name of ["browserCodecs", "trunkCodecs"] as const)
      if (new Set<string>(media[name]).size !== media[name].length)
        say.fault(["media", name], "names a codec twice", "name each once");
  },
};

interface PortUse {
  readonly path: Path;
  readonly host: string;
  readonly protocols: readonly ("udp" | "tcp")[];
  readonly first: number;
  readonly last: number;
}

export const overlapRule: Rule = {
  needs: ["http", "sip", "media"],
  check({ http, sip, media }, say, workers) {
    const [first, last] = evenToOdd(media.rtpPorts);
    const browserLast = media.browserPort + workers - 1;
    const { browserSide, sipServerSide } = mediaAddresses(media);
    const uses: PortUse[] = [
      { path: ["http", "port"], host: http.host, protocols: ["tcp"], first: http.port, last: http.port },
      // SIP over TCP has the same number as SIP over UDP.
      { path: ["sip", "port"], host: sip.host, protocols: ["udp", "tcp"], first: sip.port, last: sip.port },
      {
        path: ["media", "browserPort"],
        host: browserSide.host,
        protocols: ["udp"],
        first: media.browserPort,
        last: browserLast,
      },
      { path: ["media", "rtpPorts"], host: sipServerSide.host, protocols: ["udp"], first, last },
    ];
    for (const [index, use] of uses.entries())
      for (const other of uses.slice(0, index))
        if (collide(use, other))
          say.fault(
            use.path,
            `overlaps ${other.path.join(".")} (${portsText(other)})`,
            `write ports outside ${portsText(other)}`,
          );
  },
};

function collide(one: PortUse, other: PortUse): boolean {
  // Port 0 is any free port, so it meets none.
  if (one.first === 0 || other.first === 0) return false;
  const sameHost = one.host === other.host || isAnyAddress(one.host) || isAnyAddress(other.host);
  const sameProtocol = one.protocols.some((protocol) => other.protocols.includes(protocol));
  return sameHost && sameProtocol && one.first <= other.last && other.first <= one.last;
}

function portsText({ first, last }: PortUse): string {
  return first === last ? String(first) : `${first}-${last}`;
}

/** RTP takes an even port, RTCP the next (RFC 3550 11): a lone port at either end is left out. */
export function evenToOdd([first, last]: readonly [number, number]): [number, number] {
  return [first + (first % 2), last - (1 - (last % 2))];
}

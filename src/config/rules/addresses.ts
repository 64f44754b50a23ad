import { isLoopback } from "../loopback.ts";
import { mediaAddresses } from "../media-sides.ts";
import type { Path } from "../walk.ts";
import { isAnyAddress, type Rule, type Say } from "./rule.ts";

export const httpRule: Rule = {
  needs: ["http"],
  check({ http }, say) {
    if (http.tls === undefined && !http.allowInsecure && !isLoopback(http.host))
      say.fault(
        ["http", "tls"],
        `is missing, and http.host ${http.host} is not loopback`,
        "write http.tls with cert and key, or http.host: 127.0.0.1, or http.allowInsecure: true behind a TLS proxy",
      );
  },
};

export const originsRule: Rule = {
  needs: ["websocket"],
  check({ websocket }, say) {
    if (websocket.origins.length === 0)
      say.warn(
        ["websocket", "origins"],
        "is empty: no page may connect",
        'write the pages\' origins, e.g. ["https://wwe.example.com"]',
      );
  },
};

/** What stands in Via, Contact and SDP must be an address that others can send to. */
export const advertisedRule: Rule = {
  needs: ["sip"],
  check({ sip }, say) {
    const { host, advertisedAddress } = sip;
    sayAdvertised(["sip", "advertisedAddress"], host, [advertisedAddress ?? host], advertisedAddress, say);
  },
};

export const mediaAdvertisedRule: Rule = {
  needs: ["media"],
  check({ media }, say) {
    const sides = mediaAddresses(media);
    for (const name of ["browserSide", "sipServerSide"] as const) {
      const { host, advertisedAddresses } = sides[name];
      const own = media[name].advertisedAddress;
      // Where neither side says anything of its own, the fault is that of the key both live by.
      const path = ["media", ...(own === undefined ? [] : [name]), "advertisedAddress"];
      const before =
        name === "sipServerSide" &&
        own === undefined &&
        isAnyAddress(sides.browserSide.advertisedAddresses[0]);
      if (!before) sayAdvertised(path, host, advertisedAddresses, own ?? media.advertisedAddress, say);
      if (new Set(advertisedAddresses).size !== advertisedAddresses.length)
        say.fault(path, "names an address twice", "name each once");
    }
  },
};

export const reachableRule: Rule = {
  needs: ["sip", "sipServer"],
  check({ sip, sipServer }, say) {
    const advertised = sip.advertisedAddress ?? sip.host;
    const far = sipServer.addresses.find(
      (address) => !isLoopback(address) && !address.startsWith("localhost"),
    );
    if (isLoopback(advertised) && far !== undefined)
      say.warn(
        ["sip", "advertisedAddress"],
        `is loopback, SIP Server ${far} cannot reach it`,
        "write this host's address as SIP Server sees it",
      );
  },
};

function sayAdvertised(
  path: Path,
  host: string,
  addresses: readonly string[],
  given: unknown,
  say: Say,
): void {
  if (!addresses.some(isAnyAddress)) return;
  const remedy = "write the IPv4 address by which others reach this host";
  if (given === undefined) say.fault(path, `is missing, and ${path[0]}.host ${host} is no address`, remedy);
  else say.fault(path, "is no address others can reach", remedy);
}

import { lookup, Resolver } from "node:dns/promises";
import type { NameResolver } from "../../registrar/index.ts";

/** A DNS server that is silent must not hold up start and refresh for long. */
const dns = new Resolver({ timeout: 1500, tries: 2 });

/** The machine's own: A records as all programs see them (/etc/hosts too), SRV records from its DNS servers. */
export const systemResolver: NameResolver = {
  async addresses(name) {
    const found = await lookup(name, { all: true, family: 4 });
    return found.map(({ address }) => address);
  },
  services: (name) => dns.resolveSrv(name),
};

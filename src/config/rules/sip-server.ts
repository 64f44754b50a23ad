import { parseServerAddress } from "../keys.ts";
import type { Rule } from "./rule.ts";

export const sipServerRule: Rule = {
  needs: ["sipServer"],
  check({ sipServer }, say) {
    for (const [index, address] of sipServer.addresses.entries())
      if (sipServer.addresses.indexOf(address) !== index)
        say.fault(["sipServer", "addresses", index], "stands there twice", "name each address once");
    if (sipServer.scheme === "business-continuity" && sipServer.addresses.length < 2)
      say.fault(
        ["sipServer", "scheme"],
        "needs an address for each of the peers",
        "write both peers' addresses, or scheme: active-backup",
      );
    if (sipServer.registration.mode === "all")
      say.warn(
        ["sipServer", "registration", "mode"],
        "makes absent agents look in service: SIP Server sends calls to DNs with nobody behind them",
        "write on-sign-in, unless SIP Server must see every DN in service",
      );
    for (const [index, net] of sipServer.allow.entries())
      if (net.endsWith("/0"))
        say.warn(["sipServer", "allow", index], "lets anybody send SIP", "name SIP Server's net");
  },
};

export const transportRule: Rule = {
  needs: ["sipServer"],
  check({ sipServer }, say) {
    const { addresses, transport, tls } = sipServer;
    const used = new Set(addresses.map((text) => parseServerAddress(text, transport)?.transport));
    const path = ["sipServer", "transport"];
    if (used.has("tcp") && used.has("tls"))
      say.fault(
        path,
        "and the addresses ask for TCP and TLS, which cannot share sip.port",
        "take one of the two",
      );
    if (used.has("tls") && !tls)
      say.fault(
        ["sipServer", "tls"],
        "is missing, but an address asks for TLS",
        "write it with cert and key",
      );
    if (tls && !used.has("tls"))
      say.warn(
        ["sipServer", "tls"],
        "is of no use: no address asks for TLS",
        "write sipServer.transport: tls",
      );
    if (tls?.allowUnverified)
      say.warn(
        ["sipServer", "tls", "allowUnverified"],
        "lets anybody in between pass for SIP Server",
        "write sipServer.tls.ca with the authority of SIP Server's certificate",
      );
  },
};

export const srtpKeysRule: Rule = {
  needs: ["sipServer", "media"],
  check({ sipServer, media }, say) {
    if (media.trunkSrtp === "off") return;
    const inClear = sipServer.addresses.filter(
      (text) => parseServerAddress(text, sipServer.transport)?.transport !== "tls",
    );
    if (inClear.length === 0) return;
    const reason = `sends its keys by SIP in the clear to ${inClear.join(", ")}`;
    if (media.allowKeysInClear)
      say.warn(["media", "allowKeysInClear"], reason, "write sipServer.transport: tls");
    else
      say.fault(
        ["media", "trunkSrtp"],
        reason,
        "write sipServer.transport: tls, or media.allowKeysInClear: true, or off",
      );
  },
};

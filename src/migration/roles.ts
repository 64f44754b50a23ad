import type { PjsipObject, PjsipObjects } from "./objects.ts";

/** agent: a browser. trunk: SIP Server, or another peer with an address. phone: a SIP phone that is no browser. */
export type Role = "agent" | "trunk" | "phone";

export interface Roles {
  readonly agents: readonly PjsipObject[];
  readonly trunks: readonly PjsipObject[];
  readonly phones: readonly PjsipObject[];
}

/** Whether an endpoint is set up for browsers, by what only browsers need. */
function isForBrowsers(endpoint: PjsipObject, objects: PjsipObjects): boolean {
  const transport = objects.named("transport", endpoint.value("transport"))?.value("protocol")?.toLowerCase();
  return (
    endpoint.isOn("webrtc") ||
    endpoint.value("media_encryption")?.toLowerCase() === "dtls" ||
    endpoint.isOn("use_avpf") ||
    transport === "ws" ||
    transport === "wss"
  );
}

export function rolesOf(objects: PjsipObjects): Roles {
  const knownByAddress = new Set(objects.of("identify").map((identify) => identify.value("endpoint")));
  const of: Record<Role, PjsipObject[]> = { agent: [], trunk: [], phone: [] };
  for (const endpoint of objects.of("endpoint")) {
    const isReached = objects.namedBy(endpoint, "aors", "aor").some((aor) => aor.list("contact").length > 0);
    const isPeer = isReached || knownByAddress.has(endpoint.name);
    of[isForBrowsers(endpoint, objects) ? "agent" : isPeer ? "trunk" : "phone"].push(endpoint);
  }
  return { agents: of.agent, trunks: of.trunk, phones: of.phone };
}

/** The DN of an endpoint: its name, or the user name it signs in with where only that is digits. */
export function dnOf(endpoint: PjsipObject, objects: PjsipObjects): string {
  if (/^\d+$/.test(endpoint.name)) return endpoint.name;
  const user = objects.namedBy(endpoint, "auth", "auth")[0]?.value("username");
  return user !== undefined && /^\d+$/.test(user) ? user : endpoint.name;
}

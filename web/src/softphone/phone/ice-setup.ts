import { list, member, parseJson, record, textOf } from "../../shared/json.ts";

/** How PeerConnections find their way to the gateway: the parts of `RTCConfiguration` that the gateway tells. */
export interface IceSetup {
  readonly iceServers: readonly IceServer[];
  readonly iceTransportPolicy: "all" | "relay";
}

interface IceServer {
  readonly urls: readonly string[];
  readonly username: string;
  readonly credential: string;
}

/** Without TURN servers: the gateway is reached directly, so no STUN server is needed either. */
export const DIRECT: IceSetup = { iceServers: [], iceTransportPolicy: "all" };

/** One address that a PeerConnection refuses makes it fail as a whole. */
const TURN_URL = /^turns?:[\w.-]+(:\d{1,5})?(\?transport=(udp|tcp))?$/;

/**
 * What an `x-jackfield-turn` event says:
 * `{"iceServers":[{"urls":["turn:..."],"username":"...","credential":"..."}],"iceTransportPolicy":"all"}`. Undefined for what
 * is malformed.
 */
export function iceSetup(body: string): IceSetup | undefined {
  const told = parseJson(body);
  const servers = member(told, "iceServers");
  if (!Array.isArray(servers)) return undefined;
  const iceServers = servers.flatMap((server): IceServer[] => {
    const urls = list(record(server)["urls"]).filter(
      (url): url is string => typeof url === "string" && TURN_URL.test(url),
    );
    const [username, credential] = [textOf(server, "username"), textOf(server, "credential")];
    return urls.length === 0 || username === "" || credential === "" ? [] : [{ urls, username, credential }];
  });
  // None says that there is none any more.
  if (iceServers.length === 0 && servers.length > 0) return undefined;
  return { iceServers, iceTransportPolicy: textOf(told, "iceTransportPolicy") === "relay" ? "relay" : "all" };
}

/** The same as a PeerConnection takes it. */
export function rtcConfiguration({ iceServers, iceTransportPolicy }: IceSetup): RTCConfiguration {
  return {
    iceServers: iceServers.map((server) => ({ ...server, urls: [...server.urls] })),
    iceTransportPolicy,
  };
}

import type { TrunkState, TrunkStatus } from "./contract.ts";

/** The DN's standing at one of the peers. */
export interface PeerStatus {
  /** The peer as configured. */
  readonly name: string;
  readonly status: TrunkStatus;
}

/** Best first: what the DN has at the better peer counts. */
const order: readonly TrunkState[] = ["in-service", "registering", "backing-off", "rejected", "idle"];

/**
 * The standing of a DN at all peers together: in service when at least one has it, and the reason then names who has
 * it and why the others have not. Of a single peer it is that one's own.
 */
export function joinedStatus(peers: readonly PeerStatus[]): TrunkStatus {
  const [first, ...rest] = peers;
  if (!first) return { state: "idle", reason: "" };
  if (rest.length === 0) return first.status;
  const state = order.find((one) => peers.some(({ status }) => status.state === one)) ?? "idle";
  if (state === "idle") return { state, reason: first.status.reason };
  const having = peers.filter(({ status }) => status.state === "in-service").map(({ name }) => name);
  const missing = peers
    .filter(({ status }) => status.reason !== "")
    .map(({ name, status }) => `${name}: ${status.reason}`);
  const at = having.length === 0 ? [] : [`at ${having.join(" and ")}`];
  return { state, reason: [...at, ...missing].join("; ") };
}

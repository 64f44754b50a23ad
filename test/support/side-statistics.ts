import type { QualityOfWay, SideStatistics } from "../../src/media/index.ts";

const unknown: QualityOfWay = { last: undefined, call: undefined };
/** Counters of a side that has carried nothing yet. */
export const sideStatistics: SideStatistics = {
  codec: "pcmu",
  packetsReceived: 0,
  packetsSent: 0,
  bytesReceived: 0,
  bytesSent: 0,
  packetsLost: 0,
  packetsReordered: 0,
  jitterBufferMs: undefined,
  driftPpm: undefined,
  driftCorrections: 0,
  jitterMs: 0,
  remote: undefined,
  received: unknown,
  sent: unknown,
  farEnd: undefined,
  framesConcealed: 0,
  framesRecovered: 0,
  dropped: {},
};

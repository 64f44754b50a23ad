import type { MediaStatistics } from "../../b2bua/index.ts";

/**
 * What `getServerStats` shows of the sound between browser and gateway (2.3): rx is what the gateway got. Times in ms,
 * 0 as long as unknown.
 */
export function serverStatistics({ browser }: MediaStatistics, timestamp: number, duration: number): object {
  const { remote, sent } = browser;
  const rtt = remote?.roundTripMs ?? 0;
  return {
    timestamp,
    duration,
    audio: {
      rtt,
      rtt_max: sent.call?.roundTripMsWorst ?? rtt,
      rtt_average: sent.call?.roundTripMsMean ?? rtt,
      rx: {
        packets: browser.packetsReceived,
        bytes: browser.bytesReceived,
        lost: browser.packetsLost,
        jitter: browser.jitterMs,
      },
      tx: { packets: browser.packetsSent, bytes: browser.bytesSent },
    },
  };
}

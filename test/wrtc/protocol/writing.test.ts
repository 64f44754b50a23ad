import { describe, expect, it } from "vitest";
import type { GatewayMessage } from "../../../src/wrtc/contract.ts";
import { writeGatewayMessage } from "../../../src/wrtc/protocol/gateway-message.ts";
import { readAddressing } from "../../../src/wrtc/protocol/query.ts";
import { sideStatistics } from "../../support/side-statistics.ts";

const write = (message: GatewayMessage, peer = "5002") => writeGatewayMessage(message, peer, 1_000_000);
const ids = { offererSessionId: 102, answererSessionId: 7, seq: 1 };

/** What the client takes a poll's body for, by the tests it makes in their order (wrtc-http-protocol.md 1.4). */
function takenFor(body: string): string {
  for (const word of ["BYE", "INVITE", "EVENT-TALK", "EVENT-HOLD", "INFO-PEER ", "PUT-STATS"])
    if (body.startsWith(word)) return word.trim();
  if (["ERROR", "errorType", "{"].every((part) => body.indexOf(part) > 0)) return "ERROR";
  if (!body.includes("OFFER")) return "ROAP";
  return body.startsWith("SDP") ? "OFFER" : "nothing";
}

const jsonOf = (body: string): unknown => JSON.parse(body.slice(body.indexOf("{")));

describe("a message is taken for what it is", () => {
  const evil = 'OFFER ERROR errorType { "OFFER" \\OFFER \\u004fFFER';

  it("an answer, whatever words its SDP and data say, and says them all the same", () => {
    const attached = [{ key: "OFFER errorType", value: { ERROR: [evil] } }];
    const { body } = write({ kind: "answer", sdp: `v=0\r\ns=${evil}\r\n`, ids, attached });
    expect(body.startsWith('SDP {"messageType":"ANSWER",')).toBe(true);
    expect(takenFor(body)).toBe("ROAP");
    expect(jsonOf(body)).toEqual({
      messageType: "ANSWER",
      ...ids,
      sdp: `v=0\r\ns=${evil}\r\n`,
      attacheddata: attached,
    });
  });

  it("an offer, though its data speak of errors", () => {
    const { body } = write({
      kind: "offer",
      sdp: "v=0\r\n",
      ids,
      attached: [{ key: "errorType", value: "ERROR {" }],
    });
    expect(takenFor(body)).toBe("OFFER");
    expect(jsonOf(body)).toMatchObject({ attacheddata: [{ key: "errorType", value: "ERROR {" }] });
  });

  it("an error, and words", () => {
    const error = write({ kind: "error", errorType: "REFUSED", reason: "486 Busy Here" }).body;
    expect(takenFor(error)).toBe("ERROR");
    expect(jsonOf(error)).toEqual({ messageType: "ERROR", errorType: "REFUSED" });
    expect(write({ kind: "bye", reason: "OFFER" }).body).toBe("BYE");
    expect(write({ kind: "talk" }).body).toBe("EVENT-TALK");
    expect(write({ kind: "hold" }).body).toBe("EVENT-HOLD");
    expect(write({ kind: "info", body: "a=OFFER" }).body).toBe("INFO-PEER a=OFFER");
  });

  it("ids that nobody gave are left out", () => {
    expect(write({ kind: "offer", sdp: "v=0", ids: {} }).body).toBe(
      'SDP {"messageType":"OFFER","sdp":"v=0"}',
    );
  });
});

it("statistics are what the gateway got of the browser, and sent to it", () => {
  const browser = {
    ...sideStatistics,
    packetsReceived: 500,
    bytesReceived: 80_000,
    packetsLost: 3,
    jitterMs: 4,
    packetsSent: 490,
    bytesSent: 78_000,
    remote: { fractionLost: 0, jitterMs: 2, roundTripMs: 31 },
  };
  const statistics = { browser, trunk: sideStatistics };
  expect(jsonOf(write({ kind: "stats", statistics, sinceMs: 10_000 }).body)).toEqual({
    timestamp: 1_000_000,
    duration: 10_000,
    audio: {
      rtt: 31,
      rtt_max: 31,
      rtt_average: 31,
      rx: { packets: 500, bytes: 80_000, lost: 3, jitter: 4 },
      tx: { packets: 490, bytes: 78_000 },
    },
  });
});

describe("the peer", () => {
  it.each([
    "5002",
    "+15551234",
    "sip:a@h;x=y",
    "*72",
    "Jürgen Müller",
    "a&b#c d%25",
    '"x" <y>\r\nSet-Cookie: z',
    "\ud800",
  ])("%j fits a header and a raw URL, and comes back as it was", (peer) => {
    const letter = write({ kind: "talk" }, peer);
    expect(letter.peer).toMatch(/^[\w.!~*'()%+:@;=$,/?-]+$/);
    expect(readAddressing(`from=S&to=${letter.peer}`).to).toBe(peer.toWellFormed());
  });

  it("is never empty and never endless", () => {
    expect(write({ kind: "talk" }, "").peer).toBe("anonymous");
    expect(write({ kind: "talk" }, "x".repeat(5000)).peer).toHaveLength(256);
  });
});

import { describe, expect, it } from "vitest";
import { TraceStore, traceJson, traceText } from "../../src/trace/index.ts";
import type { Flow } from "../../src/sip/index.ts";
import { FakeClock } from "../support/fake-clock.ts";

const flow: Flow = {
  id: "udp",
  protocol: "UDP",
  side: "trunk",
  reliable: false,
  remoteAddress: "192.0.2.10",
  remotePort: 5060,
  sentBy: "192.0.2.20:5070",
  open: true,
  send() {},
};

function sdp(
  change: Partial<Record<"direction" | "port" | "payloads" | "ufrag" | "fingerprint", string>> = {},
) {
  const {
    direction = "sendrecv",
    port = "8000",
    payloads = "0 8",
    ufrag = "one",
    fingerprint = "AB:CD",
  } = change;
  return [
    "v=0",
    "c=IN IP4 192.0.2.30",
    `m=audio ${port} RTP/AVP ${payloads}`,
    `a=ice-ufrag:${ufrag}`,
    `a=fingerprint:sha-256 ${fingerprint}`,
    `a=${direction}`,
    "",
  ].join("\r\n");
}

/** What each of the messages with these SDPs is said to change. */
function changes(...descriptions: readonly (string | undefined)[]) {
  const store = new TraceStore(new FakeClock(), { calls: 10, bytes: 1_000_000, showDigits: false });
  const facts = {
    dn: "5001",
    direction: "to-agent",
    farNumber: "1",
    callUuid: undefined,
    state: "x",
  } as const;
  store.begin("c", () => facts).dialog("sip-server", "one");
  descriptions.forEach((body, index) =>
    store.sent(
      "one",
      Buffer.from(`INVITE sip:x SIP/2.0\r\nCSeq: ${index} INVITE\r\n\r\n${body ?? ""}`),
      flow,
    ),
  );
  const trace = store.find("c");
  if (!trace) throw new Error("no trace");
  const words = traceJson(trace).entries.map((entry) =>
    "sdp_change" in entry ? entry.sdp_change : undefined,
  );
  return { words, text: traceText(trace) };
}

describe("what an SDP changed", () => {
  it.each([
    [{ direction: "sendonly" }, "hold: sendrecv -> sendonly"],
    [{ direction: "inactive", port: "8002" }, "hold: sendrecv -> inactive, moved to 192.0.2.30:8002"],
    [{ payloads: "8" }, "codecs: pcmu pcma -> pcma"],
    [{ ufrag: "two" }, "ICE restart"],
    [{ ufrag: "two", fingerprint: "EF:01" }, "ICE restart, another DTLS certificate"],
    [{}, null],
  ])("%o is said in words: %s", (change, words) => {
    expect(changes(sdp(), sdp(change)).words).toEqual([null, words]);
  });

  it("is compared with the last SDP of the same way, messages without one between them, and stands in the text", () => {
    const { words, text } = changes(sdp({ direction: "sendonly" }), undefined, sdp());
    expect(words).toEqual([null, null, "retrieve: sendonly -> sendrecv"]);
    expect(text).toContain("* SDP of [3]: retrieve: sendonly -> sendrecv");
  });
});

it("looks at no more payload types than anybody offers in earnest", () => {
  const payloads = Array.from({ length: 3000 }, (_none, index) => index).join(" ");
  expect(changes(sdp(), sdp({ payloads })).words.join("").length).toBeLessThan(400);
});

import { describe, expect, it } from "vitest";
import type { Logger } from "../../src/core/index.ts";
import { createDigestClient } from "../../src/sip/index.ts";
import { traceJson, traceText, type Trace } from "../../src/trace/index.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

type Options = NonNullable<ConstructorParameters<typeof B2buaBench>[0]>;
const open = (options: Options = {}) => new B2buaBench({ trace: {}, ...options });

function traceOf(bench: B2buaBench, index = 0): Trace {
  const id = bench.traces?.list({})[index]?.id ?? "";
  const trace = bench.traces?.find(id);
  if (!trace) throw new Error("no trace");
  return trace;
}

/** The ladder as `side way words`, without messages' text. */
const ladder = (trace: Trace): string[] =>
  traceJson(trace).entries.map(({ side, text, ...entry }) =>
    "direction" in entry
      ? `${side} ${entry.direction} ${text}${entry.repeats > 0 ? ` +${entry.repeats}` : ""}`
      : `${side ?? "call"}: ${text}`,
  );
const messages = (trace: Trace): string[] => ladder(trace).filter((line) => / (in|out) /.test(line));

describe("the trace of a call to the agent", () => {
  it("is the ladder of both legs with states and media, from the INVITE to what follows the end", async () => {
    const bench = open({ allowEvents: ["talk"] });
    await bench.callAgent(genesysSdp(), [["X-Genesys-CallUUID", "U1"]]);
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
    await bench.pass();
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass();
    const { events } = bench.media.last;
    events.emit("step", { step: "ice", address: "192.0.2.77", port: 54310 });
    events.emit("step", { step: "dtls", profile: "SRTP_AEAD_AES_128_GCM" });
    events.emit("step", { step: "first-packet", side: "trunk", way: "from" });
    events.emit("dtmf", "browser", "5");
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    const trace = traceOf(bench);
    expect(messages(trace)).toEqual([
      "sip_server in INVITE sip:5001@192.0.2.20:5070",
      "browser out INVITE sip:abc@xyz.invalid",
      "sip_server out 180 Ringing (INVITE)",
      "sip_server in NOTIFY talk",
      "sip_server out 200 OK (NOTIFY)",
      "browser out NOTIFY talk",
      "browser in 200 OK (NOTIFY)",
      "browser in 200 OK (INVITE)",
      "browser out ACK",
      "sip_server out 200 OK (INVITE)",
      "sip_server in ACK",
      "sip_server in BYE",
      "sip_server out 200 OK (BYE)",
      "browser out BYE",
      "browser in 200 OK (BYE)",
    ]);
    // In this order, among whatever else is worth a line.
    const notes = [
      "call: opened, RTP port 192.0.2.20:10000 toward SIP Server",
      "call: call setting-up -> ringing (ring)",
      "browser: session inviting -> established (answered)",
      "call: call ringing -> answering (answer)",
      "browser: opus (111) sendrecv",
      "sip_server: pcmu (0) sendrecv to 192.0.2.30:8000",
      "sip_server: session invited -> accepted (accept)",
      "call: call answering -> established (establish)",
      "call: sound may run",
      "sip_server: session accepted -> established (acknowledged)",
      "browser: ICE: address 192.0.2.77:54310 chosen",
      "browser: DTLS handshake done, SRTP_AEAD_AES_128_GCM",
      "sip_server: first packet from this side",
      "browser: DTMF heard: •",
      "sip_server: session established -> terminated (end)",
      "call: call established -> ended (end)",
      "call: call ended (by: sip-server, reason: SIP Server: BYE, status: 200)",
      "browser: session established -> terminated (end)",
      "call: closed: SIP Server: BYE",
    ];
    expect(ladder(trace).filter((line) => notes.includes(line))).toEqual(notes);
    expect(traceJson(trace)).toMatchObject({ dn: "5001", call_uuid: "U1", state: "ended", status: 200 });
    expect(traceJson(trace).entries[0]?.at_ms).toBe(0);
    expect(bench.traces?.list({ callUuid: "U1" })).toHaveLength(1);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("has columns a person can read, with SDP in words and messages by number", async () => {
    const bench = open();
    await bench.callAgent();
    const text = traceText(traceOf(bench));
    expect(text).toMatch(/ms {2}browser +Jackfield +SIP Server/);
    expect(text).toMatch(/ 0\.0 {2}\| +\| <-+ \[1\] INVITE sip:5001@192\.0\.2\.20:5070 \|/);
    expect(text).toContain("SDP sendrecv 192.0.2.30:8000 pcmu pcma dtmf");
    expect(text).toMatch(/\[1\] 0\.0 ms, from SIP Server\nINVITE sip:5001@/);
    expect(text).toMatch(/\| \[3\] 180 Ringing \(INVITE\) -+> \|/);
  });

  it("counts what came or went again", async () => {
    const bench = open();
    bench.network.drop = (from, text) => from === "192.0.2.20:5070" && /^SIP\/2.0 (180|100)/.test(text);
    await bench.callAgent();
    await bench.pass(1600);
    expect(messages(traceOf(bench))).toContain("sip_server in INVITE sip:5001@192.0.2.20:5070 +2");
    expect(messages(traceOf(bench))).toContain("sip_server out 180 Ringing (INVITE) +2");
  });

  it.each([
    ["480 Agent Not Signed In", (bench: B2buaBench) => void (bench.signedIn = false), genesysSdp()],
    ["488 Not Acceptable Here", () => {}, genesysSdp({ payloads: "18" })],
    ["503 Service Unavailable", (bench: B2buaBench) => void (bench.media.exhausted = true), genesysSdp()],
  ])("is there for one refused at once with %s", async (answer, prepare, sdp) => {
    const bench = open();
    prepare(bench);
    await bench.callAgent(sdp);
    const trace = traceOf(bench);
    expect(messages(trace).slice(0, 2)).toEqual([
      "sip_server in INVITE sip:5001@192.0.2.20:5070",
      `sip_server out ${answer} (INVITE)`,
    ]);
    expect(messages(trace)[2]).toBe("sip_server in ACK");
    expect(trace.facts).toMatchObject({ dn: "5001", farNumber: "1003", status: Number(answer.slice(0, 3)) });
  });

  it("is there for a call beyond the DN's lines, apart from those that run", async () => {
    const bench = open();
    for (let line = 0; line < 4; line++) await bench.callAgent();
    expect(bench.traces?.list({}).map(({ facts }) => facts.state)).toContain("refused");
    expect(bench.traces?.list({})).toHaveLength(4);
  });

  it("tells of a call that ended by silence which request nobody answered", async () => {
    const bench = open();
    await bench.established();
    bench.network.drop = (from) => from === "192.0.2.10:5060";
    bench.browser.incoming?.session.bye();
    await bench.pass(33_000);
    expect(ladder(traceOf(bench))).toContain("sip_server: BYE given up: no final response in time");
  });
});

describe("the trace of an agent's own call", () => {
  it("has every attempt, and none of the secrets on the way, in JSON and in text", async () => {
    const bench = open();
    bench.authentication = {
      client: createDigestClient({ random: new CountingRandom("client") }),
      credentials: { username: "5001", password: "secret" },
    };
    const peer = bench.addPeer();
    const headers = [["X-Jackfield-Resume-Former", "resume-secret"]] as const;
    bench.browser.call("sip:1003@jackfield", "<sip:5001@jackfield>", browserSdp(), headers);
    await bench.pass();
    const challenge = 'Digest realm="genesys", nonce="nonce-secret", opaque="opaque-secret", algorithm=MD5';
    bench.trunk.received.reject(407, undefined, [["Proxy-Authenticate", challenge]]);
    await bench.pass();
    const answer = bench.trunk.received.request.headers.get("Proxy-Authorization") ?? "";
    const response = /response="(\w+)"/.exec(answer)?.[1] ?? "none";
    bench.trunk.received.reject(503);
    await bench.pass();
    peer.received.accept(genesysSdp());
    await bench.pass();
    const { session } = bench.browser.outgoing ?? {};
    session?.request("INFO", [["Content-Type", "application/dtmf-relay"]], "Signal=7\r\nDuration=111\r\n");
    session?.request("MESSAGE", [["Content-Type", "text/plain"]], "message-secret");
    await bench.pass();
    const trace = traceOf(bench);
    expect(messages(trace).filter((line) => line.includes("INVITE sip:"))).toEqual([
      "browser in INVITE sip:1003@jackfield",
      "sip_server out INVITE sip:1003@192.0.2.10:5060",
      "sip_server out INVITE sip:1003@192.0.2.10:5060",
      "sip_server out INVITE sip:1003@192.0.2.11:5060",
    ]);
    expect(ladder(trace)).toContain("sip_server: DTMF to send: •");
    const raw = trace.entries.map(({ text }) => text).join("\n");
    const icePassword = bench.media.last.browser.icePwd;
    const secrets = [
      "nonce-secret",
      "opaque-secret",
      response,
      "resume-secret",
      "message-secret",
      icePassword,
    ];
    for (const secret of [...secrets, "RBdOig6FzsO4TPoBIVzqMukF", "Signal=7", "Duration=111"]) {
      expect(raw).toContain(secret);
      expect(JSON.stringify(traceJson(trace))).not.toContain(secret);
      expect(traceText(trace)).not.toContain(secret);
    }
  });

  it("is there when SIP Server refuses the number", async () => {
    const bench = open();
    await bench.dial("1003");
    bench.trunk.received.reject(404);
    await bench.pass();
    const trace = traceOf(bench);
    expect(messages(trace)).toEqual([
      "browser in INVITE sip:1003@jackfield",
      "sip_server out INVITE sip:1003@192.0.2.10:5060",
      "sip_server in 404 Not Found (INVITE)",
      "sip_server out ACK",
      "browser out 404 Not Found (INVITE)",
      "browser in ACK",
    ]);
    expect(trace.facts).toMatchObject({ state: "ended", status: 404, reason: "SIP Server: 404 Not Found" });
  });
});

describe("log lines", () => {
  it("tell each change of state with call, DN, leg and CallUUID", async () => {
    const lines: Record<string, unknown>[] = [];
    const recorder = (bindings: object): Logger => {
      const at = (level: string) => (details: object, message: string) =>
        void lines.push({ level, message, ...bindings, ...details });
      return {
        debug: at("debug"),
        info: at("info"),
        warn: at("warn"),
        error: at("error"),
        child: (more) => recorder({ ...bindings, ...more }),
      };
    };
    const bench = new B2buaBench({ log: recorder({}) });
    await bench.callAgent(genesysSdp(), [["X-Genesys-CallUUID", "U1"]]);
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass();
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    const { id } = bench.records[0] ?? {};
    const moves = lines.filter(({ message }) => message === "state");
    const ofCall = moves.filter((line) => line["level"] === "info");
    expect(ofCall.map(({ to }) => to)).toEqual(["ringing", "answering", "established", "ended"]);
    for (const line of ofCall) expect(line).toMatchObject({ call: id, dn: "5001", callUuid: "U1" });
    for (const leg of ["browser", "sip-server"]) {
      const ofLeg = moves.filter((line) => line["leg"] === leg);
      expect(ofLeg.map(({ to }) => to).slice(-2)).toEqual(["established", "terminated"]);
      for (const line of ofLeg) expect(line).toMatchObject({ call: id, dn: "5001", callUuid: "U1" });
    }
    const ofTransactions = moves.filter((line) => line["branch"] !== undefined);
    expect(ofTransactions.length).toBeGreaterThan(4);
    for (const line of ofTransactions) expect(line).toHaveProperty("callId", expect.any(String));
  });
});

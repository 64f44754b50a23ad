import { describe, expect, it } from "vitest";
import { TraceStore, traceText, type CallFacts, type TraceLimits } from "../../src/trace/index.ts";
import { parseMessage, type Flow, type SipMessage } from "../../src/sip/index.ts";
import { FakeClock } from "../support/fake-clock.ts";

const flow = (protocol: Flow["protocol"]): Flow => ({
  id: protocol,
  protocol,
  side: protocol.startsWith("WS") ? "browser" : "trunk",
  reliable: protocol !== "UDP",
  remoteAddress: "192.0.2.10",
  remotePort: 5060,
  sentBy: "192.0.2.20:5070",
  open: true,
  send() {},
});
const udp = flow("UDP");
const wss = flow("WSS");

const facts =
  (more: Partial<CallFacts> = {}) =>
  (): CallFacts => ({
    dn: "5001",
    direction: "to-agent",
    farNumber: "1003",
    callUuid: undefined,
    state: "ringing",
    ...more,
  });

function parsed(text: string): [SipMessage, Buffer] {
  const bytes = Buffer.from(text);
  const outcome = parseMessage(bytes, "datagram");
  if (outcome.outcome !== "message") throw new Error(outcome.outcome);
  return [outcome.message, bytes];
}

function request(method: string, callId: string, more: { to?: string; extra?: string } = {}): string {
  const { to = "", extra = "" } = more;
  return `${method} sip:5001@192.0.2.20 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK1\r\nFrom: <sip:1003@x>;tag=a\r\nTo: <sip:5001@x>${to}\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\n${extra}Content-Length: 0\r\n\r\n`;
}

function open(limits: Partial<TraceLimits> = {}) {
  const clock = new FakeClock();
  const store = new TraceStore(clock, { calls: 10, bytes: 10_000_000, showDigits: false, ...limits });
  const receive = (text: string, by = udp): void => store.received(...parsed(text), by);
  const lines = (id: string): string[] =>
    (store.find(id)?.entries ?? []).map((entry) =>
      entry.kind === "sip" ? (entry.text.split(" ")[0] ?? "") : entry.text,
    );
  return { clock, store, receive, lines };
}

describe("the traces", () => {
  it("hold the INVITE that came before its call, and all that comes with the Call-IDs of both sides", () => {
    const { store, receive, lines } = open();
    receive(request("INVITE", "one"));
    const trace = store.begin("c1", facts());
    trace.note("state", "begun");
    trace.dialog("sip-server", "one");
    trace.dialog("browser", "two");
    trace.dialog("sip-server", "three");
    store.sent("two", Buffer.from("INVITE x"), wss);
    receive(request("BYE", "one", { to: ";tag=b" }));
    receive(request("BYE", "three", { to: ";tag=b" }));
    receive(request("BYE", "two", { to: ";tag=b" }), wss);
    // Of another side or another call.
    receive(request("BYE", "two", { to: ";tag=b" }), udp);
    receive(request("BYE", "four", { to: ";tag=b" }));
    store.sent("four", Buffer.from("SIP/2.0 481"), udp);
    store.givenUp("two", "BYE", "no final response in time");
    expect(lines("c1")).toEqual([
      "INVITE",
      "begun",
      "INVITE",
      "BYE",
      "BYE",
      "BYE",
      "BYE given up: no final response in time",
    ]);
    expect(store.list({})).toHaveLength(1);
    expect(store.list({})[0]?.callIds).toEqual({ browser: ["two"], "sip-server": ["one", "three"] });
  });

  it("count repetitions in place of writing them down again", () => {
    const { clock, store, receive } = open();
    const trace = store.begin("c1", facts());
    trace.dialog("sip-server", "one");
    for (let turn = 0; turn < 5; turn++) {
      receive(request("INVITE", "one"));
      store.sent("one", Buffer.from("SIP/2.0 180 Ringing\r\n\r\n"), udp);
      clock.advance(500);
    }
    const entries = store.find("c1")?.entries ?? [];
    expect(entries).toMatchObject([
      { kind: "sip", direction: "in", repeats: 4, at: 0, lastAt: 2000 },
      { kind: "sip", direction: "out", repeats: 4, at: 0, lastAt: 2000 },
    ]);
  });

  it("keep an INVITE that never became a call, with what was answered, and few of them", () => {
    const { store, receive } = open();
    for (let turn = 0; turn < 300; turn++) {
      receive(request("INVITE", `i${turn}`));
      store.sent(`i${turn}`, Buffer.from("SIP/2.0 480 Agent Not Signed In\r\n\r\n"), udp);
    }
    const listed = store.list({ callId: "i299" });
    expect(listed).toMatchObject([
      {
        facts: {
          dn: "5001",
          farNumber: "1003",
          state: "refused",
          status: 480,
          reason: "Agent Not Signed In",
        },
      },
    ]);
    expect(store.usage).toMatchObject({ ladders: 10, callIds: 10 });
  });

  it("know nothing of requests that open no call", () => {
    const { store, receive } = open();
    receive(request("OPTIONS", "o"));
    receive(request("REGISTER", "r"), wss);
    receive(request("INVITE", "in-dialog", { to: ";tag=b" }));
    store.sent("o", Buffer.from("SIP/2.0 200 OK"), udp);
    expect(store.usage).toEqual({ ladders: 0, callIds: 0, bytes: 0 });
  });

  it("are of the last calls: those that ended first go first, running ones last", () => {
    const { store, receive } = open({ calls: 3 });
    receive(request("INVITE", "refused"));
    const traces = ["a", "b", "c"].map((id) => {
      const trace = store.begin(id, facts());
      trace.dialog("browser", `${id}1`);
      return trace;
    });
    traces[1]?.ended();
    traces[1]?.ended();
    store.begin("d", facts());
    expect(store.find("b")).toBeUndefined();
    expect(store.usage.callIds).toBe(3);
    store.begin("e", facts());
    expect(["a", "c", "d", "e"].filter((id) => store.find(id))).toEqual(["c", "d", "e"]);
    // One that was thrown away goes on writing without effect.
    traces[0]?.note("event", "late");
    traces[0]?.dialog("browser", "late");
    traces[0]?.ended();
    expect(store.list({ callId: "refused" })).toHaveLength(1);
    expect(store.usage).toMatchObject({ ladders: 4, callIds: 2 });
  });

  it("let go of the call when it is over, and keep what it was", () => {
    const { store } = open();
    let asked = 0;
    const trace = store.begin("c1", () => {
      asked++;
      return facts({ state: "ended", status: 486 })();
    });
    trace.ended();
    store.list({});
    expect(store.find("c1")?.facts).toMatchObject({ state: "ended", status: 486 });
    expect(asked).toBe(1);
  });

  it("stay within their memory, in all and of one call, and say what was left out", () => {
    const { store, receive } = open({ calls: 1000, bytes: 1_000_000 });
    const extra = `X-Filler: ${"x".repeat(900)}\r\n`;
    for (let call = 0; call < 20; call++) {
      const trace = store.begin(`c${call}`, facts());
      trace.dialog("sip-server", `i${call}`);
      for (let turn = 0; turn < 400; turn++)
        receive(request("BYE", `i${call}`, { to: `;tag=${turn}`, extra }));
      expect(store.usage.bytes).toBeLessThanOrEqual(1_000_000);
      trace.ended();
    }
    const last = store.find("c19");
    expect(last?.leftOut).toBeGreaterThan(100);
    const texts = (last?.entries ?? []).map((entry) => entry.text);
    expect([texts[0]?.includes(";tag=0"), texts.at(-1)?.includes(";tag=399")]).toEqual([true, true]);
    expect(last && traceText(last)).toContain("were left out for want of room");
    const ladder = 262_144 + 2_000;
    expect(texts.reduce((sum, text) => sum + text.length, 0)).toBeLessThan(ladder);
    expect(store.usage.ladders).toBeLessThan(5);
  });

  it("cut an endless message and note, and take a bounded number of Call-IDs", () => {
    const { store } = open();
    const trace = store.begin("c1", facts());
    for (let turn = 0; turn < 100; turn++) trace.dialog("browser", `id${turn}`);
    expect(store.usage.callIds).toBe(32);
    // The leg's own, and the last ones.
    const { browser = [] } = store.list({})[0]?.callIds ?? {};
    expect([browser[0], browser[1], browser.at(-1)]).toEqual(["id0", "id69", "id99"]);
    store.sent("id0", Buffer.alloc(60_000, "x"), wss);
    trace.note("event", "y".repeat(60_000));
    const entries = store.find("c1")?.entries ?? [];
    expect(entries.map(({ text }) => text.length)).toEqual([16_384, 1024]);
    expect(traceText(store.find("c1") ?? fail())).toContain("43616 further bytes left out");
  });

  it("give INVITEs of anybody little room: they push no call out", () => {
    const { store, receive } = open({ calls: 500, bytes: 8_000_000 });
    store.begin("c1", facts()).ended();
    const extra = `X-Filler: ${"x".repeat(8000)}\r\n`;
    for (let call = 0; call < 120; call++)
      for (let turn = 0; turn < 10; turn++)
        receive(request("INVITE", `i${call}`, { extra: `X-Turn: ${turn}\r\n${extra}${extra}` }), wss);
    expect(store.find("c1")).toBeDefined();
    expect(store.usage.bytes).toBeLessThan(100 * (32_768 + 17_000));
  });

  it("count long Call-IDs as the memory they are", () => {
    const { store } = open({ calls: 500, bytes: 1_000_000 });
    for (let call = 0; call < 100; call++) {
      const trace = store.begin(`c${call}`, facts());
      for (let turn = 0; turn < 50; turn++) trace.dialog("browser", `${call}-${turn}`.padEnd(8000, "x"));
      trace.ended();
    }
    const kept = store.list({}).flatMap(({ callIds }) => callIds.browser);
    expect(kept.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1_000_000);
    expect(store.usage.bytes).toBeLessThanOrEqual(1_000_000);
    expect(store.usage.callIds).toBe(kept.length);
  });

  it("show nothing in text that a terminal would act on", () => {
    const { store } = open();
    store.begin("c1", facts()).dialog("browser", "b1");
    const body = "v=0\r\ns=\u001b]0;owned\u0007\u009b2J\tÄ\r\n";
    store.sent("b1", Buffer.from(`SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\n\r\n${body}`), wss);
    expect(traceText(store.find("c1") ?? fail())).toContain("s=\ufffd]0;owned\ufffd\ufffd2J\tÄ\n");
  });

  it("are found by DN, part of the number, Call-ID and CallUUID", () => {
    const { store } = open();
    store.begin("c1", facts()).dialog("browser", "b1");
    store
      .begin("c2", facts({ dn: "5002", farNumber: "+4989123", callUuid: "U2" }))
      .dialog("sip-server", "s2");
    const ids = (filter: Parameters<typeof store.list>[0]) => store.list(filter).map(({ id }) => id);
    expect(ids({})).toHaveLength(2);
    expect(ids({ dn: "5002" })).toEqual(["c2"]);
    expect(ids({ dn: "500" })).toEqual([]);
    expect(ids({ number: "9891" })).toEqual(["c2"]);
    expect(ids({ callId: "b1" })).toEqual(["c1"]);
    expect(ids({ callId: "s2", dn: "5001" })).toEqual([]);
    expect(ids({ callUuid: "U2" })).toEqual(["c2"]);
  });

  it("show keys pressed as dots unless the configuration says otherwise", () => {
    expect(open().store.begin("c", facts()).digits("12#")).toBe("•••");
    expect(open({ showDigits: true }).store.begin("c", facts()).digits("12#")).toBe("12#");
  });
});

function fail(): never {
  throw new Error("no trace");
}

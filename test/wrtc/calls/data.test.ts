import { describe, expect, it } from "vitest";
import { createResponse } from "../../../src/sip/index.ts";
import { genesysSdp } from "../../support/descriptions.ts";
import { sideStatistics } from "../../support/side-statistics.ts";
import { WrtcCallsBench } from "../../support/wrtc-calls-bench.ts";

const infosAt = (bench: WrtcCallsBench): string[] => {
  const infos: string[] = [];
  bench.trunk.user.onRequestReceived = (request, transaction) => {
    if (request.method === "INFO") infos.push(`${request.contentType} ${request.body.toString()}`);
    transaction.respond(createResponse(request, 200));
  };
  return infos;
};

async function sendInfo(bench: WrtcCallsBench, contentType: string, body: string): Promise<number> {
  let status = 0;
  bench.trunk.outgoing?.session.request("INFO", [["Content-Type", contentType]], body, {
    onResponse: (response) => (status = response.status),
  });
  await bench.pass();
  return status;
}

describe("what a WRTC client sends within its call", () => {
  it("is an INFO: user data form-encoded for SIP Server, the rest passed through to the peer", async () => {
    const bench = new WrtcCallsBench();
    const infos = infosAt(bench);
    await bench.answered();
    bench.client.info("to-server", "a=1&b=two+words");
    bench.client.info("to-peer", "c=3");
    await bench.pass();
    expect(infos).toEqual([
      "application/x-www-form-urlencoded a=1&b=two+words",
      "application/octet-stream c=3",
    ]);
  });

  it("before its call is established waits for that, in its order, and no more than a few", async () => {
    const bench = new WrtcCallsBench();
    const infos = infosAt(bench);
    await bench.dialFrom();
    for (let index = 0; index < 20; index++) bench.client.info("to-server", `k=${index}`);
    await bench.pass();
    expect(infos).toEqual([]);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass(200);
    expect(infos).toHaveLength(16);
    expect(infos[0]).toBe("application/x-www-form-urlencoded k=0");
    expect(infos[15]).toBe("application/x-www-form-urlencoded k=15");
  });

  it("ends no call where SIP Server does not answer it: data that is too large for a way there", async () => {
    const bench = new WrtcCallsBench();
    await bench.answered();
    bench.trunk.user.onRequestReceived = () => {};
    bench.client.info("to-server", "a=1");
    await bench.pass(40_000);
    expect([bench.client.told, bench.trunk.user.told]).toEqual([[], ["request INFO"]]);
    expect(bench.b2bua.size).toBe(1);
  });

  it("waits too while it is rung", async () => {
    const bench = new WrtcCallsBench();
    const infos = infosAt(bench);
    await bench.callAgent();
    bench.client.info("to-peer", "c=3");
    await bench.pass();
    expect(infos).toEqual([]);
    bench.client.answer();
    await bench.pass(200);
    expect(infos).toEqual(["application/octet-stream c=3"]);
  });

  it("without a call goes nowhere", async () => {
    const bench = new WrtcCallsBench();
    bench.client.info("to-server", "a=1");
    bench.client.calls.receive({ kind: "get-stats" }, "1003");
    bench.client.calls.receive({ kind: "ok" }, "1003");
    bench.client.bye();
    bench.client.calls.receive({ kind: "answer", sdp: "", ids: {}, attached: [] }, "1003");
    await bench.pass();
    expect(bench.client.told).toEqual([]);
  });
});

describe("INFO of SIP Server's", () => {
  it("reaches a WRTC client as INFO-PEER where it is text, and is refused with 415 where it is not", async () => {
    const bench = new WrtcCallsBench();
    await bench.answered();
    expect(await sendInfo(bench, "application/octet-stream", "a=OFFER")).toBe(200);
    expect(await sendInfo(bench, "application/x-www-form-urlencoded", "b=2")).toBe(200);
    expect(await sendInfo(bench, "text/plain", "hello")).toBe(200);
    expect(await sendInfo(bench, "application/media_control+xml", "<x/>")).toBe(415);
    expect(bench.client.told).toEqual(["info", "info", "info"]);
    expect(bench.client.messages.filter(({ message }) => message.kind === "info")[0]?.message).toEqual({
      kind: "info",
      body: "a=OFFER",
    });
  });
});

describe("data attached to a call", () => {
  it("is X-Genesys headers of the INVITE, and what a header cannot carry follows by INFO", async () => {
    const bench = new WrtcCallsBench();
    const infos = infosAt(bench);
    await bench.dialFrom("1003", undefined, [
      { key: "Account", value: "4711" },
      { key: "List", value: [1, { a: "b" }] },
      { key: "two words", value: "x" },
      { key: "Name", value: "Żółć" },
      { key: "Token", value: "t".repeat(3000) },
      { key: "CallUUID", value: "forged" },
      { key: "GVP-Session-ID", value: "forged" },
      { key: "gsw-session-dbid", value: "forged" },
      { key: "Split", value: "a\r\nX-Evil: 1" },
    ]);
    const { headers } = bench.trunk.received.request;
    expect(headers.get("X-Genesys-Account")).toBe("4711");
    expect(headers.get("X-Genesys-List")).toBe('[1,{"a":"b"}]');
    expect(headers.has("X-Genesys-CallUUID")).toBe(false);
    expect(headers.has("X-Genesys-GVP-Session-ID")).toBe(false);
    expect(headers.has("X-Genesys-gsw-session-dbid")).toBe(false);
    expect(headers.has("X-Evil")).toBe(false);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    const rest = new URLSearchParams(infos[0]?.split(" ")[1] ?? "");
    expect([...rest.keys()]).toEqual([
      "two words",
      "Name",
      "Token",
      "CallUUID",
      "GVP-Session-ID",
      "gsw-session-dbid",
      "Split",
    ]);
    expect(rest.get("Name")).toBe("Żółć");
    expect(infos).toHaveLength(1);
  });

  it("is told once, and again when it has changed", async () => {
    const bench = new WrtcCallsBench();
    const infos = infosAt(bench);
    await bench.dialFrom("1003", undefined, [{ key: "Account", value: "4711" }]);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    bench.client.offer("1003", undefined, [{ key: "Account", value: "4711" }]);
    await bench.pass();
    expect(infos).toEqual([]);
    bench.client.offer("1003", undefined, [
      { key: "Account", value: "4711" },
      { key: "Result", value: "sold" },
    ]);
    await bench.pass();
    expect(infos).toEqual(["application/x-www-form-urlencoded Result=sold"]);
  });

  it("by SIP Server is the client's to read: its headers, the caller's name and the call's UUID", async () => {
    const bench = new WrtcCallsBench();
    bench.trunk.call("sip:5001@192.0.2.20:5070", '"Ann OFFER" <sip:1003@192.0.2.10>', genesysSdp(), [
      ["X-Genesys-CallUUID", "U1"],
      ["X-Genesys-Account", "4711"],
      ["User-to-User", "abc"],
      ["X-Other", "not shown"],
    ]);
    await bench.pass();
    expect(bench.client.last("offer").attached).toEqual([
      { key: "CallerName", value: "Ann OFFER" },
      { key: "CallUUID", value: "U1" },
      { key: "Account", value: "4711" },
      { key: "User-to-User", value: "abc" },
    ]);
  });

  it("by SIP Server's 200 comes with the ANSWER", async () => {
    const bench = new WrtcCallsBench();
    bench.trunk.headers = [["X-Genesys-CallUUID", "U2"]];
    await bench.dialFrom();
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.client.last("answer").attached).toEqual([{ key: "CallUUID", value: "U2" }]);
  });
});

describe("a WRTC client that asks for counters", () => {
  it("is told those of its call's media and how long it lasts, in a call alone", async () => {
    const bench = new WrtcCallsBench();
    const ask = async (): Promise<void> => {
      bench.client.calls.receive({ kind: "get-stats" }, "1003");
      await bench.pass();
    };
    await bench.callAgent();
    const statistics = { browser: { ...sideStatistics, packetsReceived: 7 }, trunk: sideStatistics };
    bench.media.last.statistics = () => Promise.resolve(statistics);
    await ask();
    expect(bench.client.told).toEqual(["offer"]);
    bench.client.answer();
    await bench.pass();
    await bench.pass(1980);
    await ask();
    const stats = bench.client.last("stats");
    expect(stats.statistics).toBe(statistics);
    expect(stats.sinceMs).toBeGreaterThanOrEqual(1980);
    expect(stats.sinceMs).toBeLessThan(2100);
    bench.media.last.statistics = () => Promise.reject(new Error("media is gone"));
    await ask();
    expect(bench.client.told.filter((kind) => kind === "stats")).toHaveLength(1);
    bench.media.last.statistics = () => Promise.resolve(statistics);
    await ask();
    expect(bench.client.told.filter((kind) => kind === "stats")).toHaveLength(2);
  });
});

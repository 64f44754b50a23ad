import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { MockGateway, says } from "./mock-gateway.ts";
import { Wire, type WireOptions } from "./wire.ts";

let gateway: MockGateway;
let wire: Wire;
const told: string[] = [];

function make(options: Partial<WireOptions> = {}): Wire {
  return new Wire(
    { gateway: gateway.url, repeatMs: 5, ...options },
    {
      onMessage: (body, peer) => told.push(peer === "" ? body : `${peer}: ${body}`),
      onConnectionError: () => told.push("error"),
      onThrownOut: () => told.push("thrown out"),
    },
  );
}

beforeEach(async () => {
  gateway = await MockGateway.open();
  told.length = 0;
  wire = make();
});
afterEach(async () => {
  wire.signOut();
  await gateway.close();
});

function paths(start: string): readonly string[] {
  return gateway.requests.map(({ path }) => path).filter((path) => path.startsWith(start));
}

describe("our grtc.js signs in", () => {
  it.each([
    ["1020", "/sign_in?1020"],
    ["+15551234", "/sign_in?+15551234"],
    ["a b", "/sign_in?a%20b"],
    ["*72#1", "/sign_in?*72"],
    ["%2B1", "/sign_in?%2B1"],
  ])("as %s by GET %s", async (id, path) => {
    expect(await wire.signIn(id)).toEqual({ registered: true, failed: false });
    expect(gateway.requests[0]).toMatchObject({ method: "GET", path });
    await gateway.polls(1);
    expect(paths("/wait")).toEqual(["/wait?id=one"]);
  });

  it("with a password by POST, as it is", async () => {
    await wire.signIn("1020", "p:w&d+ %41é");
    const [request] = gateway.requests;
    expect(request).toMatchObject({ method: "POST", path: "/sign_in", body: "1020:p:w&d+ %41é" });
    expect(request?.headers["content-type"]).toBe("application/x-www-form-urlencoded; charset=UTF-8");
  });

  it("with the slashes its base has", async () => {
    wire = make({ gateway: `${gateway.url}/api/webrtc/` });
    await wire.signIn("1020");
    expect(gateway.requests[0]?.path).toBe("/api/webrtc//sign_in?1020");
  });

  it.each([
    ["id=abc-_9\nmore=x", "abc-_9"],
    ["any=abc=def", "abc"],
    ["nothing", "undefined"],
  ])("and reads from %j the SSID %s", async (body, ssid) => {
    gateway.signIn = () => says(body);
    expect(await wire.signIn("1020")).toMatchObject({ registered: true });
    expect(wire.ssid).toBe(ssid);
  });

  it("and fails on a refusal, without a poll", async () => {
    gateway.signIn = () => says("no", { status: 403 });
    expect(await wire.signIn("1020")).toEqual({ registered: false, failed: true });
    expect(paths("/wait")).toEqual([]);
  });

  it("and does both on JSON, without a poll", async () => {
    gateway.signIn = () => ({ json: { id: "one" } });
    expect(await wire.signIn("1020")).toEqual({ registered: true, failed: true });
    expect(paths("/wait")).toEqual([]);
  });

  it("anew: the old SSID is signed out, and its poll's reply means nothing any more", async () => {
    let count = 0;
    gateway.signIn = () => says(`id=${++count}\n`);
    await wire.signIn("1020");
    await gateway.polls(1);
    await wire.signIn("1021");
    await gateway.polls(2);
    await gateway.until(() => paths("/sign_out").length === 1);
    expect(paths("/sign_out")).toEqual(["/sign_out?id=1"]);
    gateway.push("late");
    gateway.push("BYE");
    await gateway.polls(3);
    expect(told).toEqual(["BYE"]);
  });
});

describe("our grtc.js polls", () => {
  it("again at once, message after message in their order", async () => {
    for (const message of ["1", "2", "", "3"]) gateway.push(message, "1003");
    await wire.signIn("1020");
    await gateway.polls(5);
    expect(told).toEqual(["1003: 1", "1003: 2", "1003: ", "1003: 3"]);
  });

  it("no more after a 204: it signs out", async () => {
    gateway.push(says("", { status: 204 }));
    await wire.signIn("1020");
    await gateway.until(() => paths("/sign_out").length === 1);
    expect(told).toEqual(["thrown out"]);
    expect(wire.ssid).toBeUndefined();
    expect(paths("/wait")).toHaveLength(1);
  });

  it.each([
    ["an error's reply", says("", { status: 500 })],
    ["JSON that is none", says("BYE", { headers: { "content-type": "application/json" } })],
  ])("with the same SSID after %s, which it tells", async (_what, reply) => {
    gateway.push(reply);
    gateway.push("INVITE");
    await wire.signIn("1020");
    await gateway.polls(3);
    expect(told).toEqual(["error", "INVITE"]);
  });

  it("anew when its own time is over, and tells nobody", async () => {
    wire = make({ pollingTimeoutMs: 20 });
    await wire.signIn("1020");
    await gateway.polls(3);
    expect(told).toEqual([]);
  });
});

describe("our grtc.js posts", () => {
  it("what failed again and the same, while it is wanted", async () => {
    let count = 0;
    gateway.message = () => (++count < 3 ? says("", { status: 503 }) : says());
    await wire.signIn("1020");
    await wire.post("sip:1@h;x=y", "RSMP {}", () => true);
    expect(gateway.posted).toEqual(["RSMP {}", "RSMP {}", "RSMP {}"]);
    expect(paths("/message")[0]).toBe("/message?from=one&to=sip:1@h;x=y");
  });

  it("once what is not to be repeated", async () => {
    gateway.message = () => says("", { status: 503 });
    await wire.signIn("1020");
    await wire.post("1003", "BYE");
    expect(gateway.posted).toEqual(["BYE"]);
  });

  it("again where the reply is called JSON and is empty", async () => {
    let count = 0;
    gateway.message = () => (++count < 2 ? { text: "" } : says());
    await wire.signIn("1020");
    await wire.post("1003", "RSMP {}", () => true);
    expect(gateway.posted).toHaveLength(2);
  });
});

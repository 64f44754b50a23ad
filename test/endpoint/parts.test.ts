import { describe, expect, it } from "vitest";
import { constraintsOf } from "../../src/endpoint/wwe/options.ts";
import { lifeMsOf } from "../../src/endpoint/wwe/life.ts";
import { pathOf } from "../../src/endpoint/wwe/path.ts";
import { registerDnFault } from "../../src/endpoint/wwe/register-dn.ts";
import { hostIsExpected, originOf } from "../../src/endpoint/http/origins.ts";
import { readResult, readState } from "../../src/endpoint/http/page-state.ts";

describe("RegisterDn", () => {
  const servers = [
    { host: "192.0.2.10", port: 5060 },
    { host: "SIPS.example.com", port: 5070 },
    { host: "pool.example.com" },
  ];
  const fault = (addresses: unknown, users: unknown): string | undefined =>
    registerDnFault({ addresses, users }, "5001", servers);

  it.each([
    [["192.0.2.10:5060"], ["5001"]],
    [["192.0.2.10"], ["5001"]],
    [["sips.example.com:5070"], ["5001"]],
    [["pool.example.com:5099"], ["5001"]],
    [["192.0.2.10:5060"], [5001]],
    [
      ["192.0.2.10:5060", "sips.EXAMPLE.com:5070"],
      ["5001", "5001"],
    ],
  ])(
    "takes the SIP Servers of the configuration, the peer of Business Continuity too: %j %j",
    (addresses, users) => {
      expect(fault(addresses, users)).toBeUndefined();
    },
  );

  it.each([
    [["192.0.2.11:5060"], ["5001"], /192\.0\.2\.11/],
    [["192.0.2.10:5061"], ["5001"], /5061/],
    [["sips.example.com"], ["5001"], /sips/],
    [["192.0.2.10:5060"], ["5002"], /not the token's DN/],
    [["192.0.2.10:5060", "192.0.2.10:5060"], ["5001", "5002"], /5002/],
    [["192.0.2.10:5060"], ["5001", "5001"], /same length/],
    [[], [], /lists/],
    [undefined, undefined, /lists/],
    ["192.0.2.10:5060", "5001", /lists/],
    [[{}], [null], /lists/],
    [Array.from({ length: 9 }, () => "192.0.2.10"), Array.from({ length: 9 }, () => "5001"), /lists/],
    [["x".repeat(5000)], ["5001"], /^.{0,200}$/],
  ])("refuses %j %j", (addresses, users, reason) => {
    expect(fault(addresses, users)).toMatch(reason);
  });

  it("takes no body that is no object", () => {
    for (const body of [undefined, null, 7, "text", []])
      expect(registerDnFault(body, "5001", servers)).toBeDefined();
  });
});

describe("paths", () => {
  it.each([
    ["/endpoint/T/GetDnSIP", "getdnsip"],
    ["/endpoint/T/RegisterDn/", "registerdn"],
    ["/endpoint/T//PING//", "ping"],
    ["/endpoint//T/ping?_=17", "ping"],
    ["/endpoint/T", ""],
  ])("takes %s", (url, name) => {
    expect(pathOf(url)).toEqual({ secret: "T", name });
  });

  it.each(["/endpoint", "/endpoint/", "/endpoint/T/a/b"])("does not take %s", (url) => {
    expect(pathOf(url)).toBeUndefined();
  });
});

describe("origins and hosts", () => {
  it.each([
    [undefined, "none"],
    ["http://wwe.example.com:8090", "allowed"],
    ["https://gw.example.com:8443", "ours"],
    ["http://gw.example.com:8443", "foreign"],
    ["https://gw.example.com", "foreign"],
    ["https://evil.example", "foreign"],
    ["null", "foreign"],
    ["", "foreign"],
    ["HTTP://wwe.example.com:8090", "foreign"],
    ["file://gw.example.com:8443", "foreign"],
  ])("%s is %s", (origin, expected) => {
    expect(originOf(origin, "gw.example.com:8443", true, ["http://wwe.example.com:8090"])).toBe(expected);
  });

  it.each([
    ["gw.example.com:8443", true],
    ["GW.example.com", true],
    ["gw.example.com.", true],
    ["a.pool.example.com", true],
    ["a.b.pool.example.com", false],
    ["pool.example.com", false],
    ["192.0.2.7:8443", true],
    ["evil.example:8443", false],
    ["evil.example/gw.example.com", false],
    ["gw.example.com@evil.example", false],
    ["", false],
    [undefined, false],
  ])("host %s: %s", (host, expected) => {
    expect(hostIsExpected(host, ["gw.example.com", "*.pool.example.com", "192.0.2.7"])).toBe(expected);
  });
});

it("maps options of WWE's to constraints of the microphone, whatever type their values have", () => {
  expect(
    constraintsOf({
      value: { noise_suppression: "1", "policy.session.agc_mode": 0, uri: "https://x", odd: [] },
    }),
  ).toEqual({ noiseSuppression: true, autoGainControl: false });
  expect(constraintsOf({ value: { "policy.session.noise_suppression": false } })).toEqual({
    noiseSuppression: false,
  });
  for (const body of [undefined, null, {}, { value: null }, { value: { noise_suppression: "loud" } }])
    expect(constraintsOf(body)).toBeUndefined();
});

it("lets WWE be silent for 30 ping periods, 120 s at least and an hour at most", () => {
  expect(lifeMsOf({ value: 2000 })).toBe(120_000);
  expect(lifeMsOf({ value: "10000" })).toBe(300_000);
  expect(lifeMsOf({ value: 1e12 })).toBe(3_600_000);
  for (const value of [undefined, null, 0, -5, "soon", {}]) expect(lifeMsOf({ value })).toBeUndefined();
});

it("takes of a page's state what the contract says and nothing else", () => {
  const sound = { muted: false, volume: 50 };
  const call = { state: "held", number: "7000", direction: "incoming", since: "2026-01-01T00:00:00Z" };
  const good = { signed_in: true, microphone: sound, speaker: sound, call };
  expect(readState({ ...good, more: 1 })).toEqual({
    ...good,
    call: { ...call, since: "2026-01-01T00:00:00.000Z" },
  });
  for (const bad of [
    { signed_in: "yes" },
    { microphone: { muted: false, volume: 101 } },
    { speaker: undefined },
    { call: undefined },
    { call: { ...call, state: "gone" } },
    { call: { ...call, number: "7".repeat(65) } },
    { call: { ...call, since: "now" } },
  ])
    expect(readState({ ...good, ...bad })).toBeUndefined();
});

it("keeps a result's reason short", () => {
  expect(readResult({ id: 3, ok: false, reason: "x".repeat(1000) })?.reason).toHaveLength(200);
  expect(readResult({ id: "3", ok: true })).toBeUndefined();
});

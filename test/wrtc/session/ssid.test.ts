import { beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/core/index.ts";
import { sessionName, SsidMint } from "../../../src/wrtc/session/ssid.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const origin = "https://agents.example.com";
let clock: FakeClock;
let mint: SsidMint;

function open(secret = "secret", node = "gw1"): SsidMint {
  return new SsidMint({ secret: () => secret, node, clock, random: systemRandom });
}

beforeEach(() => {
  clock = new FakeClock();
  mint = open();
});

describe("an SSID", () => {
  it.each(["5001", "+15551234", "Jürgen", "x".repeat(64), "a=b&c"])("tells what it is for: %s", (name) => {
    clock.advance(1234);
    const ssid = mint.issue(name, false, origin);
    expect(mint.read(ssid, origin)).toEqual({
      node: "gw1",
      name,
      anonymous: false,
      issuedAt: clock.wallClock(),
    });
    expect(ssid).toMatch(/^gw1_[\w-]+$/);
    expect(ssid.length).toBeLessThan(200);
    expect(mint.read(mint.issue(name, true, origin), origin)).toMatchObject({ anonymous: true });
  });

  it("is another one each time, by 128 random bits at least", () => {
    const ssids = Array.from({ length: 100 }, () => mint.issue("5001", false, origin));
    expect(new Set(ssids).size).toBe(100);
    expect(new Set(ssids.map(sessionName)).size).toBe(100);
  });

  it("is good at the origin that it was given to alone", () => {
    const ssid = mint.issue("5001", false, origin);
    for (const other of ["", "https://evil.example.com", `${origin}:444`])
      expect(mint.read(ssid, other)).toBeUndefined();
  });

  it("is taken by every gateway with the same secret, and by no other", () => {
    const ssid = mint.issue("5001", false, origin);
    expect(open("secret", "gw2").read(ssid, origin)).toMatchObject({ name: "5001", node: "gw1" });
    expect(open("other").read(ssid, origin)).toBeUndefined();
  });

  it("is void with any sign changed, added or left out", () => {
    const ssid = mint.issue("5001", false, origin);
    for (let index = 0; index < ssid.length; index++) {
      const changed = ssid[index] === "A" ? "B" : "A";
      expect(mint.read(ssid.slice(0, index) + changed + ssid.slice(index + 1), origin)).toBeUndefined();
      expect(mint.read(ssid.slice(0, index) + ssid.slice(index + 1), origin)).toBeUndefined();
    }
    for (const other of [
      `${ssid}A`,
      `A${ssid}`,
      `${ssid}=`,
      ` ${ssid}`,
      "",
      "_",
      "x_y",
      "é",
      "_".repeat(10_000),
    ])
      expect(mint.read(other, origin)).toBeUndefined();
  });
});

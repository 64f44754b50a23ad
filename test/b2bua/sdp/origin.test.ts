import { expect, it } from "vitest";
import { SdpOrigin, offerTrunk } from "../../../src/b2bua/sdp/index.ts";
import type { Direction } from "../../../src/media/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { trunkLocal } from "./fixtures.ts";

function stamped(origin: SdpOrigin, direction: Direction, address = trunkLocal.address): string {
  const local = { ...trunkLocal, address };
  const { sdp } = offerTrunk({ local, codecs: ["pcmu"], direction, origin });
  return /o=.*/.exec(origin.stamp(sdp))?.[0] ?? "";
}

it("keeps the session id and raises the version by one only when the text changed", () => {
  const origin = new SdpOrigin(new CountingRandom());
  const line = (version: number): string => `o=jackfield ${origin.sessionId} ${version} IN IP4 192.0.2.20`;
  expect(stamped(origin, "sendrecv")).toBe(line(1));
  expect(stamped(origin, "sendrecv")).toBe(line(1));
  expect(stamped(origin, "sendonly")).toBe(line(2));
  expect(stamped(origin, "sendonly")).toBe(line(2));
  expect(stamped(origin, "sendrecv")).toBe(line(3));
  expect(origin.version).toBe(3);
});

it("takes a changed address in the o= line for a change", () => {
  const origin = new SdpOrigin(new CountingRandom());
  stamped(origin, "sendrecv");
  expect(stamped(origin, "sendrecv", "192.0.2.21")).toContain(" 2 IN IP4 192.0.2.21");
});

it("leaves all other lines as they were", () => {
  const origin = new SdpOrigin(new CountingRandom());
  const { sdp } = offerTrunk({ local: trunkLocal, codecs: ["pcmu", "pcma"], direction: "sendrecv", origin });
  expect(origin.stamp(sdp)).toBe(sdp);
  const held = sdp.replace("sendrecv", "sendonly");
  expect(origin.stamp(held).split("\r\n").slice(2)).toEqual(held.split("\r\n").slice(2));
});

it("gives each dialog an id of its own that fits 63 bits", () => {
  const random = new CountingRandom();
  const ids = Array.from({ length: 50 }, () => new SdpOrigin(random).sessionId);
  expect(new Set(ids).size).toBe(50);
  for (const id of ids) expect(BigInt(id) < 2n ** 63n && /^\d+$/.test(id)).toBe(true);
});

it("refuses text that has no o= line", () => {
  expect(() => new SdpOrigin(new CountingRandom()).stamp("v=0\r\n")).toThrow("o= line");
});

import { expect, it } from "vitest";
import { callActs, orderNames, pageKey } from "../../../src/endpoint/index.ts";
import { CALL_ACTS, ORDERS, PAGE_KEY, readOrder } from "../../../web/src/softphone/endpoint/wire.ts";

const read = (order: object): unknown => readOrder(JSON.stringify({ id: 7, ...order }))?.work;

it("has the names of the gateway", () => {
  expect([PAGE_KEY, CALL_ACTS, ORDERS]).toEqual([pageKey, callActs, orderNames]);
});

it("reads each order", () => {
  const credentials = { dn: "5001", user: "u", realm: "r", ha1: "h", expires_at: "2026-11-22T00:00:00Z" };
  const ha1 = { user: "u", realm: "r", value: "h" };
  expect(read({ order: "sign-in", credentials })).toEqual({
    order: "sign-in",
    credentials: { dn: "5001", ha1 },
  });
  expect(read({ order: "sign-out" })).toEqual({ order: "sign-out" });
  expect(read({ order: "sound", microphone: { muted: true, volume: 150 } })).toEqual({
    order: "sound",
    microphone: { muted: true, volume: 100 },
    speaker: {},
  });
  expect(read({ order: "call", act: "make", number: "9196" })).toEqual({
    order: "call",
    act: "make",
    number: "9196",
    digits: "",
  });
  expect(read({ order: "options", noiseSuppression: false, autoGainControl: "1" })).toEqual({
    order: "options",
    wanted: { noiseSuppression: false },
  });
});

it("answers what it does not know, and leaves what has no number alone", () => {
  for (const order of [
    { order: "fly" },
    { order: "call", act: "transfer" },
    { order: "sign-in", credentials: { dn: "5001" } },
    {},
  ])
    expect(readOrder(JSON.stringify({ id: 7, ...order }))).toEqual({ id: 7, work: undefined });
  for (const data of ["", "{", "null", "[]", '{"id":"7","order":"sign-out"}', undefined])
    expect(readOrder(data)).toBeUndefined();
});

import { expect, it } from "vitest";
import { callCollector } from "../../../src/admin/index.ts";
import { B2buaBench } from "../../support/b2bua-bench.ts";

it("calls that never began are told by why, those that began are not among them", async () => {
  const bench = new B2buaBench();
  const { collect, stop } = callCollector(bench.b2bua);
  const refused = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    await collect(({ name }, value, { reason } = {}) => {
      if (!name.startsWith("jackfield_calls_refused") || reason === undefined || typeof value !== "number")
        return;
      counts[reason] = (counts[reason] ?? 0) + value;
    });
    return counts;
  };
  await bench.established();
  const none = { not_signed_in: 0, too_many_calls: 0, draining: 0, faulty: 0 };
  expect(await refused()).toEqual(none);
  bench.trunk.call("sip:5999@192.0.2.20:5070", "<sip:1004@192.0.2.10:5060>", undefined);
  await bench.pass();
  bench.b2bua.draining = true;
  await bench.dial("1005");
  expect(await refused()).toEqual({ ...none, not_signed_in: 1, draining: 1 });
  stop();
});

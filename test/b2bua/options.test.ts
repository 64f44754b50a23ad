import { expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";

it("answers SIP Server's OPTIONS to 999 DNs in one go, signed in or not, and keeps nothing of them", async () => {
  const bench = new B2buaBench();
  const answers = Array.from({ length: 999 }, (_none, index) =>
    bench.trunk.send("OPTIONS", `sip:${5001 + index}@192.0.2.20:5070`),
  );
  await bench.pass(100);
  expect(answers.flat()).toEqual(Array(999).fill(200));
  expect(await bench.remains()).toEqual(nothingLeft);
});

it("answers 480 at once for a DN that is registered though nobody is signed in with it", async () => {
  const bench = new B2buaBench();
  bench.signedIn = false;
  await bench.callAgent();
  expect(bench.trunk.user.told).toEqual(["failed 480"]);
  expect(await bench.remains()).toEqual(nothingLeft);
});

import { expect, it } from "vitest";
import type { MediaStatistics, SideStatistics } from "../../../src/media/index.ts";
import { Totals } from "../../../src/media/pool/totals.ts";
import { sideStatistics } from "../../support/side-statistics.ts";

const of = (browser: Partial<SideStatistics>): MediaStatistics => ({
  browser: { ...sideStatistics, ...browser },
  trunk: sideStatistics,
});

it("the totals of all sessions grow by what each has told since it told last", () => {
  const totals = new Totals();
  const one = totals.begin();
  const other = totals.begin();
  totals.add(one, of({ packetsReceived: 100, bytesReceived: 16_000, dropped: { replay: 1 } }));
  totals.add(other, of({ packetsReceived: 50 }));
  totals.add(one, of({ packetsReceived: 250, bytesReceived: 40_000, dropped: { replay: 1, stranger: 2 } }));
  expect(totals.all.browser).toMatchObject({
    packetsReceived: 300,
    bytesReceived: 40_000,
    dropped: { replay: 1, stranger: 2 },
  });
  expect(totals.all.trunk.packetsReceived).toBe(0);
});

it("loss that is taken back by a late packet makes no total go down, and is not counted twice", () => {
  const totals = new Totals();
  const told = totals.begin();
  for (const packetsLost of [3, 1, 3, 4]) totals.add(told, of({ packetsLost }));
  expect(totals.all.browser.packetsLost).toBe(4);
});

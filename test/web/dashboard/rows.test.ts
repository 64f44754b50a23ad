import { describe, expect, it } from "vitest";
import { matching, pressed, sorted } from "../../../web/src/dashboard/store/rows.ts";
import { mosSeries, seriesOf } from "../../../web/src/dashboard/store/series.ts";
import { callHash, viewOf } from "../../../web/src/dashboard/store/view.ts";
import type { Sample } from "../../../web/src/dashboard/api/contract.ts";

interface Row {
  readonly dn: string;
  readonly mos: number | null;
}

const rows: readonly Row[] = [
  { dn: "5010", mos: 4.1 },
  { dn: "598", mos: null },
  { dn: "5002", mos: 3.2 },
];
const columns = [
  { key: "dn", value: ({ dn }: Row) => dn },
  { key: "mos", value: ({ mos }: Row) => mos },
];
const dns = (list: readonly Row[]): string[] => list.map(({ dn }) => dn);

describe("rows of a list", () => {
  it("sort numbers in text as numbers, and what is not known last either way", () => {
    expect(dns(sorted(rows, columns, { key: "dn", descending: false }))).toEqual(["598", "5002", "5010"]);
    expect(dns(sorted(rows, columns, { key: "mos", descending: false }))).toEqual(["5002", "5010", "598"]);
    expect(dns(sorted(rows, columns, { key: "mos", descending: true }))).toEqual(["5010", "5002", "598"]);
    expect(dns(rows)).toEqual(["5010", "598", "5002"]);
  });

  it("are found by a part of any of their texts, in any case", () => {
    const texts = ({ dn }: Row): (string | null)[] => [null, dn, "UUID-ABC"];
    expect(dns(matching(rows, " 500", texts))).toEqual(["5002"]);
    expect(matching(rows, "uuid-a", texts)).toHaveLength(3);
    expect(matching(rows, "  ", texts)).toHaveLength(3);
    expect(matching(rows, "7", texts)).toHaveLength(0);
  });

  it("turn round when the same column is pressed again", () => {
    const once = pressed({ key: "dn", descending: true }, "mos");
    expect(once).toEqual({ key: "mos", descending: false });
    expect(pressed(once, "mos")).toEqual({ key: "mos", descending: true });
  });
});

describe("lines of a chart", () => {
  const sample = (seconds: number): Sample =>
    ({ at: new Date(seconds * 1000).toISOString(), calls: seconds }) as Sample;

  it("begin where they are asked to, and break where samples are missing", () => {
    const list = [sample(10), sample(20), sample(30), sample(90)];
    expect(seriesOf(list, 20_000, [({ calls }) => calls])).toEqual([
      [20, 30, 40, 90],
      [20, 30, null, 90],
    ]);
  });

  it("have a MOS only for the ways that were told", () => {
    const quality = [
      { at_ms: 5000, from_browser: { mos: 4.2 } },
      { at_ms: 10_000, to_browser: {} },
    ];
    expect(mosSeries(quality, ["from_browser", "to_browser"])).toEqual([
      [5, 10],
      [4.2, null],
      [null, null],
    ]);
  });
});

describe("the address", () => {
  it("names the view, or a call by an id with any characters, and falls back to now", () => {
    expect(viewOf("#calls")).toEqual({ kind: "calls" });
    expect(viewOf(callHash("a/b %&"))).toEqual({ kind: "call", id: "a/b %&" });
    expect(viewOf("#call=%E0%A4%A")).toEqual({ kind: "call", id: "%E0%A4%A" });
    for (const hash of ["", "#", "#call=", "#nonsense", "#constructor"])
      expect(viewOf(hash).kind).toBe("now");
  });
});

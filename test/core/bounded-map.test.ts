import { describe, expect, test } from "vitest";
import { BoundedMap } from "../../src/core/index.ts";

describe("a bounded map", () => {
  test("forgets what was set longest ago, not what was set again since", () => {
    const map = new BoundedMap<number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.set("a", 3);
    map.set("c", 4);
    expect(["a", "b", "c"].map((key) => map.get(key))).toEqual([3, undefined, 4]);
  });
});

import { describe, expect, it } from "vitest";
import { showWorker } from "../../../src/admin/status/show.ts";
import { workerFigures } from "./status-bench.ts";

describe("a media worker", () => {
  it("is full when it says that it takes no further call, whatever the want", () => {
    const worker = (full: boolean, callLimit: number) => showWorker(0, { ...workerFigures, full }, callLimit);
    expect(worker(true, 2)).toMatchObject({ calls: 7, call_limit: 2, full: true });
    expect(worker(false, 0)).toMatchObject({ calls: 7, call_limit: null, full: false });
    expect(showWorker(0, undefined, 0)).toMatchObject({ up: false, calls: 0, full: false });
  });
});

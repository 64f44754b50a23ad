import { describe, expect, it } from "vitest";
import { showWorker } from "../../../src/admin/status/show.ts";
import { workerFigures } from "./status-bench.ts";

describe("a media worker", () => {
  it("is full at its limit of calls, and where its load says so, and by no number where there is no limit", () => {
    const worker = (sessions: number, callLimit: number, loadState: "normal" | "full" = "normal") =>
      showWorker(0, { ...workerFigures, sessions, loadState }, callLimit);
    expect(worker(2, 2)).toMatchObject({ calls: 2, call_limit: 2, full: true });
    expect(worker(1, 2).full).toBe(false);
    expect(worker(1, 2, "full").full).toBe(true);
    expect(worker(500, 0)).toMatchObject({ call_limit: null, full: false });
    expect(showWorker(0, undefined, 0)).toMatchObject({ up: false, calls: 0, full: false });
  });
});

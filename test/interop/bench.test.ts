import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { isRecord, root } from "../house/support/files.ts";

// No figure is compared with a goal here: this machine may be busy. The benches themselves are what is tested.

const folder = mkdtempSync(join(tmpdir(), "jackfield-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly json: Record<string, unknown>;
}

function bench(name: "relay" | "calls", ...args: string[]): Outcome {
  const file = join(folder, `${name}.json`);
  rmSync(file, { force: true });
  const ended = spawnSync(process.execPath, [join(root, "bench", `${name}.ts`), ...args, "--json", file], {
    cwd: root,
    encoding: "utf8",
    timeout: 55_000,
  });
  const output = `${ended.stdout}${ended.stderr}`;
  let json: unknown = {};
  try {
    json = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    // Refused before it measured; `output` says why.
  }
  return { code: ended.status, output, json: isRecord(json) ? json : {} };
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new Error(`not a record: ${String(value)}`);
  return value;
}

function list(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw new Error(`not a list: ${String(value)}`);
  return value.map(record);
}

describe("bench:relay", () => {
  // Again where others took the machine for so long that sound was lost: the bench then rightly ends non-zero.
  it("measures both codecs and writes calls, CPU, loss and added latency", { retry: 2 }, () => {
    const { code, output, json } = bench("relay", "--quick");
    expect(code, output).toBe(0);
    const { p50, p99 } = record(json["addedLatencyMs"]);
    expect(json["calls"]).toBe(4);
    expect(json["cpuMsPerCallSecond"]).toBeGreaterThan(0);
    expect(json["lossPercent"]).toBeTypeOf("number");
    expect(p50).toBeGreaterThan(0);
    expect(Number(p99)).toBeGreaterThanOrEqual(Number(p50));
    expect(record(json["machine"])["loadAverageBefore"]).toHaveLength(3);
    const levels = list(json["levels"]);
    expect(levels.map(({ codec }) => codec)).toEqual(["opus", "pcmu"]);
    expect(json["opusToPcmuCpu"]).toBeGreaterThan(0);
    for (const level of levels) {
      expect(level["soundOk"], output).toBe(true);
      const [round] = list(level["details"]);
      // 4 calls of 1 s each way: what was sent was counted, and what came out was heard.
      expect(record(round?.["toTrunk"])["sent"]).toBe(200);
      expect(record(round?.["toBrowser"])["sent"]).toBe(200);
      expect(list(round?.["sound"]).map(({ way }) => way)).toContain("toBrowser");
    }
    expect(output).toContain("CPU-ms/call-s");
  });

  it.each(["opus", "pcmu"])(
    "ends non-zero when %s sound is garbled, however fast it came",
    { retry: 2 },
    (codec) => {
      const { code, output, json } = bench("relay", "--quick", "--codec", codec, "--garble");
      expect(code, output).toBe(1);
      expect(json["soundOk"]).toBe(false);
      expect(output).toContain("SOUND IS WRONG");
      // Both ways are found out, not one of them by luck.
      const sounds = list(list(list(json["levels"])[0]?.["details"])[0]?.["sound"]);
      const bad = sounds.filter(({ ok }) => ok === false).map(({ way }) => way);
      expect(new Set(bad)).toEqual(new Set(["toTrunk", "toBrowser"]));
    },
  );

  it("refuses options that mean nothing, with how to use it", () => {
    for (const wrong of [["--codec", "mp3"], ["--calls", "some"], ["--seconds", "-1"], ["--what"]]) {
      const { code, output } = bench("relay", ...wrong);
      expect(code, output).toBe(2);
      expect(output).toContain("npm run bench:relay");
    }
  });
});

describe("bench:calls", () => {
  it("measures set-ups and memory of held calls that carry sound, and finds nothing left behind", () => {
    const { code, output, json } = bench("calls", "--quick");
    expect(code, output).toBe(0);
    expect(json["setUpsPerSecond"]).toBeGreaterThan(0);
    expect(record(json["setUpMs"])["p50"]).toBeGreaterThan(0);
    for (const kind of ["full", "steady"]) {
      const figures = record(json[kind]);
      expect(figures["failed"], output).toBe(0);
      expect(figures["gatewayMainCpuMsPerCall"]).toBeGreaterThanOrEqual(0);
      expect(list(figures["details"])[0]?.["calls"]).toBeGreaterThan(0);
    }
    const [held] = list(record(json["memory"])["held"]);
    expect(held?.["calls"]).toBe(4);
    expect(held?.["echoedPackets"]).toBeGreaterThan(0);
    expect(held?.["residentKbPerCall"]).toBeTypeOf("number");
    // Transactions outlive their calls by 32 s (RFC 6026); all else is gone at once.
    const { transactions, ...left } = record(json["left"]);
    expect(transactions).toBeTypeOf("number");
    expect(new Set(Object.values(left))).toEqual(new Set([0]));
  });

  it("refuses options that mean nothing, with how to use it", () => {
    const { code, output } = bench("calls", "--agents", "none");
    expect(code, output).toBe(2);
    expect(output).toContain("npm run bench:calls");
  });
});

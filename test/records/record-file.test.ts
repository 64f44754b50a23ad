import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CallRecords, type CallRecordsOptions } from "../../src/records/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { callRecord, idOf, keptLog } from "./support/record-data.ts";
import { folder, until } from "./support/record-lab.ts";

function open(path: string, options: Partial<NonNullable<CallRecordsOptions["file"]>> = {}) {
  const clock = new FakeClock();
  const { log, told } = keptLog();
  const records = new CallRecords({
    hideNumbers: false,
    file: { path, maxBytes: 1e6, keep: 3, daily: false, compress: false, ...options },
    clock,
    random: new CountingRandom(),
    log,
  });
  const add = (from: number, to = from): void => {
    for (let number = from; number <= to; number++) records.add(callRecord(number));
  };
  /** All that was added is in the file. */
  const written = (): Promise<void> => until(() => records.counters.file.queued === 0, clock);
  return { records, clock, told, add, written };
}

const idsOf = (text: string): unknown[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { id: unknown }).id);
const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => idOf(from + index));

describe("the file of call records", () => {
  it("gets each record as it comes, behind those of the process before", async () => {
    const path = join(folder(), "calls.jsonl");
    const first = open(path);
    first.add(1, 3);
    await first.records.close();
    const second = open(path);
    second.add(4);
    await second.written();
    expect(idsOf(readFileSync(path, "utf8"))).toEqual(range(1, 4));
    expect(second.records.counters.file).toMatchObject({ written: 1, failed: 0, dropped: 0, queued: 0 });
    await second.records.close();
    expect(second.clock.pendingTimers).toBe(0);
  });

  it("is begun anew when it is full; as many former ones stay as told, compressed", async () => {
    const directory = folder();
    const path = join(directory, "calls.jsonl");
    const { records, clock, add, written } = open(path, { maxBytes: 5000, keep: 2, compress: true });
    // Of others, with a name that is nearly one of ours.
    writeFileSync(join(directory, "calls-other.jsonl"), "not ours");
    for (let number = 1; number <= 40; number++) {
      add(number);
      await written();
      clock.advance(1000);
    }
    await records.close();
    const former = readdirSync(directory).filter((name) => name.endsWith(".gz"));
    expect(readdirSync(directory).toSorted()).toEqual(
      ["calls-other.jsonl", ...former, "calls.jsonl"].toSorted(),
    );
    expect(former).toHaveLength(2);
    const texts = former.toSorted().map((name) => gunzipSync(readFileSync(join(directory, name))).toString());
    const ids = [...texts, readFileSync(path, "utf8")].flatMap(idsOf);
    expect(ids).toEqual(range(40 - ids.length + 1, 40));
    for (const part of texts) expect(part.length).toBeLessThanOrEqual(5000);
  });

  it("leaves each former one whole though several are full at once, and the last is compressed at the end", async () => {
    for (const compress of [true, false]) {
      const directory = folder();
      const path = join(directory, "calls.jsonl");
      const { records, add } = open(path, { maxBytes: 100, keep: 10, compress });
      // What a crash left half compressed.
      writeFileSync(join(directory, "calls-20251231T000000000Z.jsonl.gz.part"), "half");
      for (const number of [1, 2, 3, 4]) {
        add(number);
        // No time passes: all would have the same name.
        await until(() => records.counters.file.queued === 0);
      }
      await records.close();
      const former = readdirSync(directory)
        .filter((name) => name.startsWith("calls-"))
        .map((name) => [name, readFileSync(join(directory, name))] as const);
      const texts = former.map(([, bytes]) => (compress ? gunzipSync(bytes) : bytes).toString());
      expect(new Set(texts.flatMap(idsOf))).toEqual(new Set(range(1, 3)));
      for (const [name] of former) {
        expect(name.endsWith(compress ? ".gz" : ".jsonl")).toBe(true);
        expect(statSync(join(directory, name)).mode & 0o007).toBe(0);
      }
    }
  });

  it("is begun anew each day where told so", async () => {
    const directory = folder();
    const path = join(directory, "calls.jsonl");
    const { records, clock, add } = open(path, { daily: true });
    writeFileSync(path, '{"id":"yesterday"}\n');
    utimesSync(path, clock.wallClock() / 1000 - 86_400, clock.wallClock() / 1000 - 86_400);
    add(1);
    await records.close();
    expect(readdirSync(directory)).toHaveLength(2);
    expect(idsOf(readFileSync(path, "utf8"))).toEqual(range(1, 1));
  });

  it("loses half a line that a crash left, and no whole one", async () => {
    for (const half of ['{"id":"wh', "x".repeat(200_000)]) {
      const path = join(folder(), "calls.jsonl");
      writeFileSync(path, `{"id":"whole"}\n${half}`);
      const { records, add } = open(path);
      add(1);
      await records.close();
      expect(idsOf(readFileSync(path, "utf8"))).toEqual(["whole", idOf(1)]);
    }
    const path = join(folder(), "calls.jsonl");
    writeFileSync(path, "no line at all");
    const { records, add } = open(path);
    add(1);
    await records.close();
    expect(idsOf(readFileSync(path, "utf8"))).toEqual(range(1, 1));
  });

  it("may be renamed, cut or deleted by others: the next record begins it anew", async () => {
    const path = join(folder(), "calls.jsonl");
    const { records, add, written } = open(path);
    add(1);
    await written();
    renameSync(path, `${path}.1`);
    add(2);
    await written();
    expect([idsOf(readFileSync(`${path}.1`, "utf8")), idsOf(readFileSync(path, "utf8"))]).toEqual([
      range(1, 1),
      range(2, 2),
    ]);
    truncateSync(path);
    add(3);
    await written();
    expect(idsOf(readFileSync(path, "utf8"))).toEqual(range(3, 3));
    rmSync(path);
    add(4);
    await records.close();
    expect(idsOf(readFileSync(path, "utf8"))).toEqual(range(4, 4));
  });

  it("that cannot be written makes one line in the log; records wait and are written when it can be", async () => {
    const directory = join(folder(), "gone");
    const path = join(directory, "calls.jsonl");
    const { records, clock, told, add, written } = open(path);
    add(1, 50);
    await until(() => records.counters.file.failed >= 4, clock);
    expect(told()).toEqual(["file of call records: cannot be written; records wait in memory"]);
    expect(records.counters.file).toMatchObject({ written: 0, queued: 50, dropped: 0 });
    mkdirSync(directory);
    await written();
    expect(idsOf(readFileSync(path, "utf8"))).toEqual(range(1, 50));
    expect(told().slice(1)).toEqual(["file of call records: written again"]);
    await records.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("that can be written again only at the end gets what waits all the same", async () => {
    const directory = join(folder(), "gone");
    const path = join(directory, "calls.jsonl");
    const { records, add } = open(path);
    add(1, 3);
    await until(() => records.counters.file.failed > 0);
    mkdirSync(directory);
    await records.close();
    expect(idsOf(readFileSync(path, "utf8"))).toEqual(range(1, 3));
  });

  it("that can never be written takes no more than 8 MB of memory: the oldest records are dropped and counted", async () => {
    const { records, clock, told, add } = open(join(folder(), "gone", "calls.jsonl"));
    add(1, 20_000);
    await until(() => records.counters.file.failed >= 2, clock);
    const { queued, dropped } = records.counters.file;
    expect(queued + dropped).toBe(20_000);
    expect(dropped).toBeGreaterThan(1000);
    await records.close();
    expect(told().at(-1)).toBe("file of call records: records are lost at the end");
    expect(clock.pendingTimers).toBe(0);
  });

  it("is not readable for everybody", async () => {
    const path = join(folder(), "calls.jsonl");
    const { records, add } = open(path);
    add(1);
    await records.close();
    expect(statSync(path).mode & 0o007).toBe(0);
  });
});

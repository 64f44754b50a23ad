import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FileWatch, silentLogger } from "../../src/core/index.ts";
import { FakeClock } from "../support/fake-clock.ts";

const settleMs = 500;
let clock: FakeClock;
let folder: string;
let watching: FileWatch | undefined;
let changes: number;

beforeEach(() => {
  clock = new FakeClock();
  folder = mkdtempSync(join(tmpdir(), "jackfield-watch-"));
  changes = 0;
});

afterEach(() => {
  watching?.close();
  rmSync(folder, { recursive: true, force: true });
});

function watchFile(name: string, lookMs = 30_000): void {
  const files = [join(folder, name)];
  const onChange = (): void => void changes++;
  watching = new FileWatch({ files, clock, log: silentLogger, settleMs, lookMs, onChange });
}

/** Until the system has told of a change: the settling time runs then. */
async function untilTold(): Promise<void> {
  while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
}

async function settled(): Promise<void> {
  await untilTold();
  clock.advance(settleMs);
}

test("a file that is written in place is told once, when it has been at rest for the settling time", async () => {
  writeFileSync(join(folder, "one"), "first");
  watchFile("one");
  writeFileSync(join(folder, "one"), "second");
  await untilTold();
  clock.advance(settleMs - 1);
  expect(changes).toBe(0);
  clock.advance(1);
  expect(changes).toBe(1);
});

test("a file that is written for a while is told once, at rest since its last change", async () => {
  writeFileSync(join(folder, "one"), "first");
  watchFile("one");
  const heard = vi.spyOn(clock, "setTimer");
  writeFileSync(join(folder, "one"), "half");
  await untilTold();
  clock.advance(settleMs - 1);
  const before = heard.mock.calls.length;
  writeFileSync(join(folder, "one"), "the whole of it");
  while (heard.mock.calls.length === before) await new Promise((resolve) => setImmediate(resolve));
  clock.advance(settleMs - 1);
  expect(changes).toBe(0);
  clock.advance(1);
  expect(changes).toBe(1);
  expect(clock.pendingTimers).toBe(0);
});

test("a file that another is renamed over is told, every time", async () => {
  writeFileSync(join(folder, "one"), "0");
  watchFile("one");
  for (const time of [1, 2, 3]) {
    writeFileSync(join(folder, "new"), "0");
    renameSync(join(folder, "new"), join(folder, "one"));
    await settled();
    expect(changes).toBe(time);
  }
});

test("a secret mounted by Kubernetes is told when its ..data link is turned, every time", async () => {
  const mount = (version: string): void => {
    mkdirSync(join(folder, version));
    writeFileSync(join(folder, version, "agents"), version);
    symlinkSync(version, join(folder, "..data_tmp"));
    renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  };
  mount("..2026_1");
  symlinkSync("..data/agents", join(folder, "agents"));
  watchFile("agents");
  for (const time of [1, 2, 3]) {
    mount(`..2026_${time + 1}`);
    rmSync(join(folder, `..2026_${time}`), { recursive: true });
    await settled();
    expect(changes).toBe(time);
  }
});

test("a file behind a link is told when it is written where it really is", async () => {
  mkdirSync(join(folder, "archive"));
  writeFileSync(join(folder, "archive", "cert1.pem"), "first");
  symlinkSync("archive/cert1.pem", join(folder, "cert.pem"));
  watchFile("cert.pem");
  writeFileSync(join(folder, "archive", "cert1.pem"), "second");
  await settled();
  expect(changes).toBe(1);
});

test("a file that comes, and one that goes, are told", async () => {
  watchFile("one");
  writeFileSync(join(folder, "one"), "first");
  await settled();
  expect(changes).toBe(1);
  rmSync(join(folder, "one"));
  await settled();
  expect(changes).toBe(2);
});

test("what leaves the file as it was is not told", async () => {
  writeFileSync(join(folder, "one"), "first");
  watchFile("one");
  mkdirSync(join(folder, "..data"));
  await settled();
  expect(changes).toBe(0);
});

test("a change in a folder that was put in another's place is found by looking now and then", async () => {
  const inner = join(folder, "inner");
  mkdirSync(inner);
  writeFileSync(join(inner, "one"), "first");
  watchFile("inner/one", 20);
  renameSync(inner, join(folder, "former"));
  mkdirSync(inner);
  // Again and again: what it is compared with is taken in the background.
  for (let time = 0; clock.pendingTimers === 0; time++) {
    writeFileSync(join(inner, "one"), String(time));
    await new Promise((resolve) => setImmediate(resolve));
  }
  clock.advance(settleMs);
  expect(changes).toBe(1);
});

test("after its end nothing is told and no timer is left", async () => {
  writeFileSync(join(folder, "one"), "first");
  watchFile("one");
  writeFileSync(join(folder, "one"), "second");
  await untilTold();
  watching?.close();
  clock.advance(60_000);
  expect(changes).toBe(0);
  expect(clock.pendingTimers).toBe(0);
});

import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LogFile } from "../../src/bridge/index.ts";
import { createLogger } from "../../src/core/index.ts";
import { newFolder } from "./support/pc.ts";

describe("the bridge's log", () => {
  it("is written line by line, for its owner alone, with secrets cut", async () => {
    const file = join(newFolder(), "deep", "bridge.log");
    const log = new LogFile(file, 10_000);
    createLogger("info", log).info({ token: "seen-by-nobody" }, "a line");
    await log.close();
    const text = readFileSync(file, "utf8");
    expect(text).toContain('"msg":"a line"');
    expect(text).not.toContain("seen-by-nobody");
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("never takes more than twice its size, whatever comes", async () => {
    const file = join(newFolder(), "bridge.log");
    writeFileSync(file, "of an earlier run\n");
    const log = new LogFile(file, 1000);
    for (let line = 0; line < 200; line++) {
      log.write(`${line} ${"x".repeat(40)}\n`);
      if (line % 10 === 0) await log.close();
    }
    await log.close();
    expect(statSync(file).size).toBeLessThanOrEqual(1000);
    expect(statSync(`${file}.1`).size).toBeLessThanOrEqual(1000);
    expect(readFileSync(file, "utf8")).toContain("199 xxx");
    expect(log.tail).toHaveLength(200);
    expect(log.tail.at(-1)).toBe(`199 ${"x".repeat(40)}`);
  });

  it("loses what the disk does not take, and goes on", async () => {
    const folder = newFolder();
    const log = new LogFile(join(folder, "logs", "bridge.log"), 1000);
    rmSync(join(folder, "logs"), { recursive: true });
    log.write("lost\n");
    await log.close();
    expect(log.lost).toBe(1);
    for (let line = 0; line < 3000; line++) log.write("many\n");
    expect(log.lost).toBeGreaterThan(900);
    await log.close();
    expect(log.tail).toHaveLength(200);
  });
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemMachine } from "../../src/bridge/index.ts";
import { silentLogger, systemClock } from "../../src/core/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { until } from "./support/open-bridge.ts";
import { newFolder } from "./support/pc.ts";

const start = (script: string, clock = systemClock) =>
  systemMachine(clock).start(process.execPath, ["-e", script], silentLogger);

describe("a program of the bridge's own", () => {
  it("is seen to end, by itself, by a signal, and when it cannot be started", async () => {
    expect(await start("process.exit(3)").exited).toEqual({ code: 3 });
    const waiting = start("setInterval(() => {}, 1000)");
    waiting.kill();
    expect(await waiting.exited).toEqual({ code: null });
    const missing = systemMachine(systemClock).start("/nowhere/browser", [], silentLogger);
    expect(await missing.exited).toMatchObject({
      code: null,
      failed: expect.stringContaining("ENOENT") as string,
    });
  });

  it("that does not end when asked is ended after three seconds", async () => {
    const clock = new FakeClock();
    const ready = join(newFolder(), "ready");
    const stubborn = start(
      `process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); fs.writeFileSync("${ready}", "")`,
      clock,
    );
    await until(() => existsSync(ready));
    let over = false;
    void stubborn.exited.then(() => (over = true));
    stubborn.kill();
    clock.advance(2900);
    expect(over).toBe(false);
    clock.advance(200);
    expect(await stubborn.exited).toEqual({ code: null });
    expect(clock.pendingTimers).toBe(0);
  });

  it("runs to its end for what it prints", async () => {
    const machine = systemMachine(systemClock);
    expect(await machine.run(process.execPath, ["-e", "console.log('said')"])).toBe("said\n");
    expect(await machine.run(process.execPath, ["-e", "process.exit(1)"])).toBeUndefined();
    expect(machine.isFile(process.execPath)).toBe(true);
    expect(machine.isFile("/nowhere")).toBe(false);
  });
});

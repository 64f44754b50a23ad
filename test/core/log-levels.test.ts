import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { configSchema } from "../../src/config/schema.ts";
import { LogLevels, logRooms } from "../../src/core/index.ts";
import { logRooms as roomsOfDashboard } from "../../web/src/dashboard/store/acts.ts";
import { FakeClock } from "../support/fake-clock.ts";

const source = join(import.meta.dirname, "../../src");

describe("levels of the log", () => {
  it("are known of every room that logs, to the configuration and to the dashboard", () => {
    // The bridge is a program of its own, with a log of its own.
    const files = readdirSync(source, { recursive: true, encoding: "utf8" }).filter(
      (name) => name.endsWith(".ts") && !name.includes("bridge"),
    );
    const named = files.flatMap((file) =>
      Array.from(
        readFileSync(join(source, file), "utf8").matchAll(/child\(\{ room: "(\w+)"/g),
        ([, room]) => room,
      ),
    );
    expect(named).toContain("sip");
    expect(logRooms).toEqual(expect.arrayContaining(named));
    const { log } = configSchema.parse({ agents: {}, sipServer: { addresses: ["192.0.2.1"] } });
    expect(log).toEqual({ level: "info", rooms: {}, format: "auto" });
    for (const room of logRooms)
      expect(configSchema.shape.log.parse({ rooms: { [room]: "debug" } }).rooms).toEqual({ [room]: "debug" });
    expect(configSchema.shape.log.safeParse({ rooms: { kitchen: "debug" } }).success).toBe(false);
    expect(roomsOfDashboard).toEqual(logRooms);
  });

  it("set for a time outlive a reload, which sets those that stand", () => {
    const clock = new FakeClock();
    const levels = new LogLevels("info", clock);
    levels.configure("info", { sip: "debug", media: "warn" });
    levels.set("trace", { room: "sip", forMs: 1000 });
    levels.set("error", { room: "ws" });
    levels.configure("warn", { media: "error" });
    const shown = (): unknown => [
      levels.general.level,
      ...Array.from(levels.rooms, ([room, { level }]) => [room, level]),
    ];
    expect(shown()).toEqual(["warn", ["media", "error"], ["sip", "trace"]]);
    clock.advance(1000);
    expect(shown()).toEqual(["warn", ["media", "error"]]);
    expect([levels.allows(30, "sip"), levels.allows(40, "sip"), levels.allows(40, "media")]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("set for a time in general, too, outlive a reload; what a room has of its own can be taken away", () => {
    const clock = new FakeClock();
    const levels = new LogLevels("info", clock);
    levels.set("debug", { forMs: 1000 });
    levels.configure("warn", {});
    expect(levels.general).toEqual({ level: "debug", until: clock.wallClock() + 1000 });
    levels.set("trace", { room: "sip" });
    levels.set("error", { room: "ws", forMs: 1000 });
    levels.reset("sip");
    levels.reset("ws");
    expect([levels.rooms.size, levels.allows(20, "ws"), levels.allows(10, "sip")]).toEqual([0, true, false]);
    clock.advance(1000);
    expect(levels.general).toEqual({ level: "warn", until: undefined });
  });

  it("set anew without a time stand, also in the middle of one", () => {
    const clock = new FakeClock();
    const levels = new LogLevels("info", clock);
    levels.set("debug", { forMs: 1000 });
    levels.set("warn");
    expect(levels.general).toEqual({ level: "warn", until: undefined });
    clock.advance(5000);
    expect(levels.general.level).toBe("warn");
    levels.set("silent");
    expect(levels.allows(60, "sip")).toBe(false);
  });
});

import { afterEach, describe, expect, it } from "vitest";
import { findBrowser } from "../../src/bridge/index.ts";
import { AppWindow, type WindowView } from "../../src/bridge/window/app-window.ts";
import { silentLogger } from "../../src/core/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeMachine } from "./support/fake-machine.ts";

const page = "https://gw.example.com/#endpoint=once";

class Scene {
  readonly clock = new FakeClock();
  readonly machine = new FakeMachine();
  readonly views: WindowView[] = [];
  address: string | undefined = page;
  connected: boolean | undefined = false;
  readonly window: AppWindow;

  constructor() {
    this.machine.files.add("/usr/bin/chromium");
    this.window = new AppWindow({
      machine: this.machine,
      path: "/usr/bin/chromium",
      size: [400, 600],
      arguments: ["--further"],
      profile: "/profile",
      address: () => Promise.resolve(this.address),
      pageConnected: () => Promise.resolve(this.connected),
      clock: this.clock,
      log: silentLogger,
      onChange: (view) => this.views.push(view),
    });
  }

  get state(): string {
    return this.window.view.state;
  }

  get last() {
    const program = this.machine.started.at(-1);
    if (!program) throw new Error("nothing was started");
    return program;
  }

  async settle(ms = 0): Promise<void> {
    await this.clock.advanceAsync(Math.max(1, ms), 500);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  }
}

describe("the window with the sound", () => {
  let scene: Scene;
  const open = async (): Promise<Scene> => {
    scene = new Scene();
    scene.window.want(true);
    await scene.settle();
    return scene;
  };
  afterEach(async () => {
    await scene.window.close();
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("is the browser in app mode with a profile of its own, sound allowed", async () => {
    const { machine, state } = await open();
    expect(state).toBe("open");
    expect(machine.started).toHaveLength(1);
    expect(machine.started[0]?.path).toBe("/usr/bin/chromium");
    expect(machine.started[0]?.args).toEqual(
      expect.arrayContaining([
        `--app=${page}`,
        "--user-data-dir=/profile",
        "--autoplay-policy=no-user-gesture-required",
        "--window-size=400,600",
        "--further",
      ]),
    );
  });

  it("is seen to be closed, and opened again while it is wanted, later each time", async () => {
    await open();
    for (const delay of [2000, 5000, 15_000, 60_000, 60_000]) {
      await scene.settle(6000);
      const { length } = scene.machine.started;
      scene.last.end({ code: 0 });
      await scene.settle();
      expect(scene.window.view).toEqual({ state: "waiting", problem: "the window was closed" });
      await scene.settle(delay - 1000);
      expect(scene.machine.started).toHaveLength(length);
      await scene.settle(2000);
      expect(scene.machine.started).toHaveLength(length + 1);
    }
  });

  it("begins with short waits again after it stood a minute", async () => {
    await open();
    for (let time = 0; time < 4; time++) {
      scene.last.end({ code: 1 });
      await scene.settle(61_000);
    }
    const { length } = scene.machine.started;
    await scene.settle(61_000);
    scene.last.end({ code: null });
    await scene.settle();
    expect(scene.window.view.problem).toContain("closed (exit code none: a signal)");
    await scene.settle(2500);
    expect(scene.machine.started).toHaveLength(length + 1);
  });

  it("stays closed once nobody wants it", async () => {
    await open();
    scene.last.end({ code: 0 });
    await scene.settle();
    scene.window.want(false);
    await scene.settle(120_000);
    expect(scene.state).toBe("closed");
    expect(scene.machine.started).toHaveLength(1);
  });

  it("is not opened while a page is connected elsewhere", async () => {
    scene = new Scene();
    scene.connected = true;
    scene.window.want(true);
    await scene.settle(200_000);
    expect(scene.machine.started).toHaveLength(0);
    scene.connected = false;
    await scene.settle(61_000);
    expect(scene.state).toBe("open");
  });

  it("is not opened over and over in a browser left from an earlier run", async () => {
    await open();
    scene.last.end({ code: 0 });
    await scene.settle();
    expect(scene.window.view.problem).toContain("earlier run");
    scene.connected = undefined;
    await scene.settle(600_000);
    expect(scene.machine.started).toHaveLength(1);
    scene.connected = false;
    await scene.settle(61_000);
    expect(scene.machine.started).toHaveLength(2);
  });

  it("waits for a gateway that gives no page token", async () => {
    scene = new Scene();
    scene.address = undefined;
    scene.window.want(true);
    await scene.settle(30_000);
    expect(scene.machine.started).toHaveLength(0);
    expect(scene.window.view.problem).toBe("the gateway gives no page token");
    scene.address = page;
    await scene.settle(61_000);
    expect(scene.state).toBe("open");
  });

  it("says that no browser is there, and that one cannot be started", async () => {
    scene = new Scene();
    scene.machine.files.clear();
    scene.window.want(true);
    await scene.settle();
    expect(scene.window.view.problem).toContain("no Chrome or Edge is found");
    scene.machine.files.add("/usr/bin/chromium");
    await scene.settle(3000);
    scene.last.end({ code: null, failed: "spawn EACCES" });
    await scene.settle();
    expect(scene.window.view).toEqual({ state: "waiting", problem: "spawn EACCES" });
  });

  it("is opened anew by a person, whatever is connected", async () => {
    await open();
    scene.connected = true;
    const first = scene.last;
    await scene.window.show();
    await scene.settle();
    expect(first.killed).toBe(1);
    expect(scene.machine.started).toHaveLength(2);
    expect(scene.state).toBe("open");
  });

  it("is opened anew with another token when its page stays unconnected, later each time, never in a call", async () => {
    await open();
    const lost = { pageConnected: false, inCall: false };
    const lookFor = async (ms: number, status: object): Promise<number> => {
      for (let passed = 0; passed < ms; passed += 5000) {
        scene.window.look(status);
        await scene.settle(5000);
      }
      return scene.machine.started.length;
    };
    expect(await lookFor(300_000, { pageConnected: false, inCall: true })).toBe(1);
    expect(await lookFor(300_000, { pageConnected: false })).toBe(1);
    expect(await lookFor(55_000, lost)).toBe(1);
    expect(await lookFor(20_000, lost)).toBe(2);
    expect(scene.machine.started[0]?.killed).toBe(1);
    expect(scene.state).toBe("open");
    expect(await lookFor(90_000, lost)).toBe(2);
    expect(await lookFor(60_000, lost)).toBe(3);
    scene.window.look({ pageConnected: true, inCall: false });
    expect(await lookFor(80_000, lost)).toBe(4);
    scene.window.want(false);
    expect(await lookFor(300_000, lost)).toBe(4);
  });

  it("ends with the bridge, its own program alone", async () => {
    await open();
    const { last } = scene;
    await scene.window.close();
    expect(last.killed).toBe(1);
    expect(scene.state).toBe("ended");
    await scene.settle(120_000);
    expect(scene.machine.started).toHaveLength(1);
  });
});

describe("the browser", () => {
  it("is found by PATH on Linux, Chrome before Chromium", async () => {
    const machine = new FakeMachine();
    machine.env["PATH"] = "bin:/usr/local/bin:/usr/bin";
    expect(await findBrowser(machine)).toBeUndefined();
    machine.files.add("/usr/bin/chromium").add("bin/google-chrome");
    expect(await findBrowser(machine)).toBe("/usr/bin/chromium");
    machine.files.add("/usr/bin/google-chrome");
    expect(await findBrowser(machine)).toBe("/usr/bin/google-chrome");
  });

  it("is found among the applications on macOS, the person's own too", async () => {
    const machine = new FakeMachine("darwin");
    const edge = "/there/anna/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge";
    machine.files.add(edge);
    expect(await findBrowser(machine)).toBe(edge);
  });

  it("is found in its usual folder on Windows, else by the registry", async () => {
    const machine = new FakeMachine("win32", "C:\\Users\\anna");
    machine.env["ProgramFiles(x86)"] = "C:\\Program Files (x86)";
    const key = "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\App Paths\\msedge.exe";
    const there = "D:\\Edge\\msedge.exe";
    machine.outputs.set(
      `C:\\Windows\\System32\\reg.exe query ${key} /ve`,
      `\r\n${key}\r\n    (Standard)    REG_SZ    "${there}"\r\n\r\n`,
    );
    expect(await findBrowser(machine)).toBeUndefined();
    machine.files.add(there);
    expect(await findBrowser(machine)).toBe(there);
    const usual = "C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe";
    machine.files.add(usual);
    expect(await findBrowser(machine)).toBe(usual);
  });
});

import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { hasRtpengine } from "../../bench/support/rtpengine.ts";
import { isRecord, root } from "../house/support/files.ts";

// No figure is compared with a goal here: this machine may be busy. The benches themselves are what is tested.

/** How long one bench may take; the new ones make several processes and share the machine with other tests. */
const patienceMs = 55_000;

const folder = mkdtempSync(join(tmpdir(), "jackfield-bench-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Outcome {
  readonly code: number | null;
  readonly output: string;
  readonly json: Record<string, unknown>;
}

async function bench(
  name: "endpoint" | "relay" | "calls" | "stages" | "registrations" | "agents",
  ...args: string[]
): Promise<Outcome> {
  const file = join(folder, `${name}-${randomUUID()}.json`);
  const command = [join(root, "bench", `${name}.ts`), ...args, "--json", file];
  const options = { cwd: root, timeout: patienceMs, maxBuffer: 16_000_000 };
  const ended = await new Promise<Omit<Outcome, "json">>((resolve) => {
    const child = execFile(process.execPath, command, options, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode, output: `${stdout}${stderr}` }),
    );
  });
  return { ...ended, json: written(file) };
}

/** Nothing where the bench refused before it measured; its output says why. */
function written(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {};
  const json: unknown = JSON.parse(readFileSync(file, "utf8"));
  return isRecord(json) ? json : {};
}

function record(value: unknown): Record<string, unknown> {
  if (!isRecord(value)) throw new Error(`not a record: ${String(value)}`);
  return value;
}

function list(value: unknown): Record<string, unknown>[] {
  if (!Array.isArray(value)) throw new Error(`not a list: ${String(value)}`);
  return value.map(record);
}

// Two or three at a time: what each needs of the machine is little once it runs. What stands between keeps them apart.
describe.concurrent("bench:relay", () => {
  // Again where others took the machine for so long that sound was lost: the bench then rightly ends non-zero.
  it("measures both codecs and writes calls, CPU, loss and added latency", { retry: 2 }, async () => {
    const { code, output, json } = await bench("relay", "--quick");
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

  it("ends non-zero when sound is garbled, however fast it came", { retry: 2 }, async () => {
    const { code, output, json } = await bench("relay", "--quick", "--garble");
    expect(code, output).toBe(1);
    expect(json["soundOk"]).toBe(false);
    expect(output).toContain("SOUND IS WRONG");
    // With either codec, and both ways: found out, not by luck.
    const levels = list(json["levels"]);
    expect(levels.map(({ codec }) => codec)).toEqual(["opus", "pcmu"]);
    for (const level of levels) {
      const sounds = list(list(level["details"])[0]?.["sound"]);
      const bad = sounds.filter(({ ok }) => ok === false).map(({ way }) => way);
      expect(new Set(bad)).toEqual(new Set(["toTrunk", "toBrowser"]));
    }
  });

  it.runIf(hasRtpengine())(
    "puts the same load through rtpengine, where that is installed, and prints the ratio",
    { retry: 2 },
    async () => {
      const { code, output, json } = await bench("relay", "--quick", "--codec", "pcmu", "--rtpengine");
      expect(code, output).toBe(0);
      const theirs = list(json["levels"]).filter(({ relay }) => relay === "rtpengine");
      expect(theirs.map(({ codec }) => codec)).toEqual(["pcmu"]);
      for (const level of theirs) {
        const [round] = list(level["details"]);
        // Its sound came through both ways: a peer that is not heard would be cheap.
        expect(Number(record(round?.["toTrunk"])["received"]), output).toBeGreaterThan(180);
        expect(Number(record(round?.["toBrowser"])["received"]), output).toBeGreaterThan(180);
        expect(level["cpuMsPerCallSecond"]).toBeGreaterThan(0);
      }
      expect(list(json["comparisons"]).map(({ other }) => other)).toEqual(["pcmu, rtpengine"]);
      expect(output).toContain("CPU of pcmu, rtpengine : pcmu");
    },
  );
});

describe("bench:endpoint", () => {
  it("pings over HTTP/2 and writes what it cost", async () => {
    const { code, output, json } = await bench("endpoint", "--quick", "--protocol", "http2");
    expect(code, output).toBe(0);
    const [level] = list(json["levels"]);
    expect(level).toMatchObject({ protocol: "http2", agents: 20, wrong: 0 });
    expect(level?.["cpuPercent"]).toBeGreaterThan(0);
    // 20 agents, five pings a second each, for a second.
    expect(list(level?.["rounds"])[0]?.["pings"]).toBeGreaterThan(20);
    expect(output).toContain("us/ping");
  });
});

describe.concurrent("bench:relay", () => {
  // One run for both: the packets left out are those of the measured calls, whatever else is set up or held meanwhile.
  it(
    "leaves packets out on purpose without calling it the relay's loss, and sets calls up while others run or are held",
    { retry: 2 },
    async () => {
      const { code, output, json } = await bench(
        "relay",
        "--quick",
        "--codec",
        "opus",
        "--loss",
        "20",
        "--seconds",
        "2",
        "--idle",
        "6",
        "--setups",
        "4",
      );
      expect(code, output).toBe(0);
      const [level] = list(json["levels"]);
      const [round] = list(level?.["details"]);
      const leftOut = ["toTrunk", "toBrowser"].map((way) => Number(record(round?.[way])["leftOut"]));
      // 4 calls of 2 s each way: 400 packets, a fifth of them not sent.
      for (const count of leftOut) expect(count).toBeGreaterThan(40);
      expect(record(round?.["toTrunk"])["sent"]).toBe(400 - (leftOut[0] ?? 0));
      expect(level?.["framesRecovered"], output).toBeGreaterThan(0);
      expect(level?.["framesConcealed"], output).toBeGreaterThan(0);
      expect(Number(level?.["lossPercent"]), output).toBeLessThan(5);
      expect(level?.["soundOk"], output).toBe(true);
      expect(record(json["idle"])["calls"]).toBe(6);
      expect(record(json["idle"])["heldPercentOfCore"]).toBeGreaterThanOrEqual(0);
      const setUps = record(level?.["setUps"]);
      expect(setUps["perSecond"]).toBeGreaterThan(0);
      expect(setUps["failed"]).toBe(0);
      expect(output).toContain("calls on hold");
    },
  );

  it(
    "compares one worker with two at the same load, and searches for the most calls",
    { retry: 2 },
    async () => {
      const { code, output, json } = await bench(
        "relay",
        "--quick",
        "--codec",
        "pcmu",
        "--compare-workers",
        "--search",
      );
      expect(code, output).toBe(0);
      const [comparison] = list(json["comparisons"]);
      expect(comparison).toMatchObject({ codec: "pcmu", calls: 4, one: "pcmu", other: "pcmu, 2 workers" });
      expect(comparison?.["ratio"]).toBeGreaterThan(0);
      // A busy machine may not hold the first level, and then no more is tried.
      expect(Object.keys(record(json["callsHeld"]))).toEqual(["pcmu", "pcmu, 2 workers"]);
      const threads = list(json["levels"]).flatMap((level) =>
        list(level["details"]).flatMap((round) => Object.keys(record(round["serverThreadsMs"]))),
      );
      expect(threads).toContain("media-1");
    },
  );
});

describe("bench:relay", () => {
  it("refuses options that mean nothing, with how to use it", async () => {
    // Which ones: test/bench.
    const { code, output } = await bench("relay", "--what");
    expect(code, output).toBe(2);
    expect(output).toContain("npm run bench:relay");
  });
});

// None of these judges sound: they may share the machine.
describe.concurrent("bench:stages", () => {
  it("measures every stage of the packet path, and the machine", async () => {
    const { code, output, json } = await bench("stages", "--quick");
    expect(code, output).toBe(0);
    const stages = list(json["stages"]);
    const names = stages.map(({ name }) => String(name));
    for (const part of [
      "RTP parse",
      "replay check",
      "AES-CM + HMAC protect",
      "AES-CM + HMAC unprotect",
      "AES-GCM protect",
      "AES-GCM unprotect",
      "Opus decode",
      "Opus encode",
      "G.711",
      "UDP send",
      "UDP receive",
      "relay without sockets, from browser",
      "relay without sockets, from trunk",
    ])
      expect(
        names.filter((name) => name.startsWith(part)),
        part,
      ).not.toHaveLength(0);
    expect(new Set(names).size).toBe(names.length);
    for (const { name, medianUs } of stages) expect(Number(medianUs), String(name)).toBeGreaterThanOrEqual(0);
    const calibration = record(json["calibration"]);
    expect(calibration["loopMs"]).toBeGreaterThan(0);
    expect(calibration["opusFloorMs"]).toBeGreaterThan(0);
  });
});

describe.concurrent("bench:calls", () => {
  it("measures set-ups and memory of held calls that carry sound, and finds nothing left behind", async () => {
    const { code, output, json } = await bench("calls", "--quick", "--seconds", "0.4");
    expect(code, output).toBe(0);
    expect(json["setUpsPerSecond"]).toBeGreaterThan(0);
    const steady = list(json["steady"]);
    expect(steady.map(({ way, rate }) => `${String(rate)} ${String(way)}`)).toEqual([
      "10 from agent",
      "10 to agent",
    ]);
    for (const figures of [record(json["full"]), ...steady]) {
      expect(figures["failed"], output).toBe(0);
      expect(record(figures["ringMs"])["p50"]).toBeGreaterThan(0);
      expect(record(figures["setUpMs"])["p50"]).toBeGreaterThanOrEqual(
        Number(record(figures["ringMs"])["p50"]),
      );
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

  it("refuses options that mean nothing, with how to use it", async () => {
    const { code, output } = await bench("calls", "--agents", "none");
    expect(code, output).toBe(2);
    expect(output).toContain("npm run bench:calls");
  });
});

describe.concurrent("bench:agents", () => {
  it("brings agents over WSS into calls, and tells what they weigh and what they heard", async () => {
    const { code, output, json } = await bench("agents", "--quick", "--seconds", "0.5");
    expect(code, output).toBe(0);
    const [level] = list(json["levels"]);
    expect(level).toMatchObject({ codec: "pcmu", agents: 4, calls: 4 });
    expect(level?.["setUp"]).toMatchObject({ failures: {} });
    const [round] = list(level?.["details"]);
    // 4 calls of 0.5 s, 50 frames a second: sent, heard back, and moved on SIP Server's side both ways.
    expect(round?.["framesSent"]).toBe(100);
    expect(Number(round?.["framesLost"]), output).toBeLessThan(50);
    expect(Number(round?.["trunkPackets"]), output).toBeGreaterThan(100);
    for (const key of ["cpuMsPerCallSecond", "residentKb", "browserKbitPerCall", "packetsPerSecond"])
      expect(Number(level?.[key]), key).toBeGreaterThan(0);
    expect(output).toContain("load average");
  });

  it("refuses options that mean nothing, with how to use it", async () => {
    const { code, output } = await bench("agents", "--agents", "some");
    expect(code, output).toBe(2);
    expect(output).toContain("npm run bench:agents");
  });
});

describe.concurrent("bench:registrations", () => {
  it("registers every DN through start, a server's kill and its return, and finds nothing left behind", async () => {
    const { code, output, json } = await bench("registrations", "--quick");
    expect(code, output).toBe(0);
    const [size] = list(json["sizes"]);
    expect(size?.["paceHeld"], output).toBe(true);
    const phases = list(size?.["phases"]);
    expect(phases.map(({ phase }) => phase)).toEqual(["start", "steady", "server killed", "server back"]);
    for (const { phase, allInServiceSeconds, packets } of phases) {
      if (phase === "steady") continue;
      expect(allInServiceSeconds, output).toBeGreaterThan(0.5);
      expect(record(packets)["registers"]).toBeGreaterThanOrEqual(60);
    }
    expect(record(size?.["left"])).toMatchObject({
      dns: 0,
      queued: 0,
      outstanding: 0,
      timers: 0,
      boundAtServer: 0,
    });
  });
});

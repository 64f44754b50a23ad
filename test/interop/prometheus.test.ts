import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { allMetrics } from "../../src/admin/metrics/groups.ts";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BrowserDouble, type DoubleCall } from "../support/browser-double.ts";
import { encodeOpus } from "../support/browser-media.ts";
import { voice } from "../support/sound.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { dashboardSchema, queriesOf, readDashboard } from "./support/grafana.ts";
import { dockerFolder, eventually, Prometheus } from "./support/prometheus.ts";
import { paced } from "./support/rtp-phone.ts";

const token = "metrics-token-of-the-tests";
const seconds = 6;

let sandbox: Sandbox;
let gateway: Gateway;
let browser: BrowserDouble;
let prometheus: Prometheus;
let frames: readonly Buffer[];
let call: DoubleCall;
let talk: Promise<void>;
let folder: string;
/** Nobody is there: what goes to the webhook waits, spans are lost. */
const closedPort = "http://127.0.0.1:9";

async function dial(number: string): Promise<DoubleCall> {
  const dialled = await browser.dial(number);
  await dialled.when("answered");
  await dialled.connected;
  return dialled;
}

/** Resolves when the call is over and its last counters are in. */
async function hangUp(one: DoubleCall): Promise<void> {
  const over = new Promise((resolve) => gateway.onCallRecord(resolve));
  one.hangUp();
  await over;
}

const target = (): string => `127.0.0.1:${gateway.httpPort}`;

beforeAll(async () => {
  sandbox = await openTestSandbox();
  const sipServer = `127.0.0.1:${sandbox.port}`;
  folder = mkdtempSync(join(tmpdir(), "jackfield-prometheus-records-"));
  mkdirSync(join(folder, "queue"));
  gateway = await openTestGateway({
    sipServer,
    config: {
      metrics: { token },
      records: {
        file: { path: join(folder, "calls.jsonl") },
        webhook: { url: closedPort, queueDirectory: join(folder, "queue") },
      },
      hep: { address: "127.0.0.1:9" },
      openTelemetry: { endpoint: `${closedPort}/v1/traces` },
    },
  });
  const url = `ws://${target()}/ws`;
  browser = await BrowserDouble.signIn({ url, dn: "5001", allowEvents: "x-jackfield-trunk" });
  await browser.trunkState("in-service");
  prometheus = await Prometheus.open(target(), token);
  const brief = await dial("9196");
  await hangUp(brief);
  frames = await encodeOpus(voice(seconds));
  call = await dial("9196");
  talk = paced(frames.length, (index) => call.media.sendFrame(frames[index] ?? Buffer.alloc(0)));
});
afterAll(async () => {
  await prometheus.close();
  await browser.close();
  await gateway.close();
  await sandbox.close();
  rmSync(folder, { recursive: true });
});

/** Metrics that a gateway without what they tell of has no value for. */
const mayBeAbsent = /certificate_days|trace_|sip_stream_events|packets_dropped|packets_refused|kernel_drops/;

describe("Debian's Prometheus, with a call on the gateway", () => {
  it("scrapes it, by the token alone", async () => {
    await eventually("a scrape", async () => (await prometheus.targets())[0]?.health === "up");
    const [{ health, lastError } = { health: "", lastError: "" }] = await prometheus.targets();
    expect([health, lastError]).toEqual(["up", ""]);
    expect((await fetch(`http://${target()}/metrics`)).status).toBe(401);
  });

  it("answers every query of the dashboard, with a value where there must be one", async () => {
    const known = async (query: string): Promise<boolean> => (await prometheus.query(query)).length > 0;
    await eventually("the first score", () => known('jackfield_media_mos_count{way="from_browser"} > 0'));
    await eventually("a call's end seen twice", () =>
      known("count_over_time(jackfield_calls_ended_total[1m]) > 2"),
    );
    const queries = queriesOf(readDashboard());
    expect(queries.length).toBeGreaterThan(50);
    for (const { panel, query } of queries) {
      const result = await prometheus
        .query(query)
        .catch((error: unknown) => `${panel}: ${query}: ${String(error)}`);
      expect(result, `${panel}: ${query}`).toBeInstanceOf(Array);
      if (!mayBeAbsent.test(query)) expect(result, `${panel}: ${query}`).not.toEqual([]);
    }
  });

  it.each([
    ['jackfield_agents{state="reachable"}', 1],
    ['jackfield_trunk_registrations{state="in_service"}', 1],
    ['sum(jackfield_calls{state="established", direction="from_agent"})', 1],
    ['jackfield_calls_ended_total{direction="from_agent", ended_by="agent", reason="hung_up"}', 1],
    ['jackfield_call_setup_seconds_count{direction="from_agent"}', 2],
    ["jackfield_sip_server_up", 1],
    ['jackfield_sip_messages_total{side="browser", direction="received", kind="INVITE"}', 2],
    ['jackfield_sip_messages_total{side="trunk", direction="sent", kind="INVITE"}', 2],
    ['jackfield_connections{kind="websocket"}', 1],
    ['jackfield_records_written_total{sink="file"}', 1],
    ['jackfield_records_queued{sink="webhook"}', 1],
    ['sum(jackfield_records_dropped_total{sink=~"file|webhook"})', 0],
    ['jackfield_telemetry_sent_total{exporter="hep"} > bool 4', 1],
    ['jackfield_telemetry_sent_total{exporter="otel"}', 0],
    ["sum(jackfield_banned)", 0],
    ["jackfield_ready", 1],
    ["jackfield_scrape_failures_total", 0],
  ])("sees %s", async (query, value) => {
    expect((await prometheus.query(query)).map(({ value: [, text] }) => Number(text))).toEqual([value]);
  });

  it("evaluates every alert rule, and none fires while all is well", async () => {
    const rules = await prometheus.rules();
    const named = parse(readFileSync(join(dockerFolder, "prometheus/alerts.yml"), "utf8")).groups[0].rules;
    expect(rules).toHaveLength(named.length);
    await eventually("an evaluation of each", async () =>
      (await prometheus.rules()).every(({ health }) => health !== "unknown"),
    );
    for (const { name, query, health, lastError } of await prometheus.rules()) {
      expect([name, health, lastError ?? ""]).toEqual([name, "ok", ""]);
      // The gateway shares its thread with the tests here: what that rule does stands in alerts.test.yml.
      if (name !== "JackfieldEventLoopLate") expect(await prometheus.query(query), name).toEqual([]);
    }
  });

  it("has counted each packet of the call once it is over", async () => {
    await talk;
    await hangUp(call);
    const { browser: side, trunk } = gateway.media.totals;
    expect(side.packetsReceived).toBe(frames.length);
    expect(side.packetsLost).toBe(0);
    expect(trunk.packetsSent).toBeGreaterThan(frames.length - 10);
    expect(side.bytesReceived).toBeGreaterThan(0);
  });
});

/** Runs promtool; resolves with what it says, rejects with that when it is not content. */
function promtool(args: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("promtool", args, (error, stdout, stderr) =>
      error ? reject(new Error(`${stdout}\n${stderr}`)) : resolve(stdout + stderr),
    );
    child.stdin?.end(input);
  });
}

describe("promtool", () => {
  it("finds nothing wrong with the metrics of the real gateway", async () => {
    const headers = { authorization: `Bearer ${token}` };
    const text = await (await fetch(`http://${target()}/metrics`, { headers })).text();
    expect(await promtool(["check", "metrics"], text)).toBe("");
    const told = new Set(Array.from(text.matchAll(/^# TYPE (jackfield_\S+) /gm), ([, name]) => name));
    expect(told).toEqual(new Set(allMetrics.map(({ name }) => name)));
  });

  it("takes the configuration and the rules, and the rules do what their tests say", async () => {
    const place = join(dockerFolder, "prometheus");
    expect(await promtool(["check", "rules", join(place, "alerts.yml")])).toContain("SUCCESS");
    expect(await promtool(["check", "config", "--syntax-only", join(place, "prometheus.yml")])).toContain(
      "SUCCESS",
    );
    expect(await promtool(["test", "rules", join(place, "alerts.test.yml")])).toContain("SUCCESS");
  });

  it("each alert says what it means and how urgent it is, and has a test in which it fires", () => {
    const { rules } = parse(readFileSync(join(dockerFolder, "prometheus/alerts.yml"), "utf8")).groups[0];
    const tests = readFileSync(join(dockerFolder, "prometheus/alerts.test.yml"), "utf8");
    for (const { alert } of rules) expect(tests).toContain(`labels: 'ALERTS{alertname="${alert}"`);
    for (const { alert, labels, annotations } of rules) {
      expect(["critical", "warning"], alert).toContain(labels.severity);
      expect(annotations.summary, alert).toContain("{{ $labels.instance }}");
      expect(annotations.description.length, alert).toBeGreaterThan(80);
    }
  });
});

describe("the dashboard for Grafana", () => {
  const dashboard = readDashboard();

  it("has the form that Grafana takes", () => {
    const validate = new Ajv({ allErrors: true, strict: false }).compile(dashboardSchema);
    validate(dashboard);
    expect(validate.errors).toBeNull();
    const ids = dashboard.panels.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { title, targets = [] } of dashboard.panels)
      expect(new Set(targets.map(({ refId }) => refId)).size, title).toBe(targets.length);
  });

  it("has no panel over another or beyond the edge", () => {
    const taken = new Map<string, string>();
    for (const { title, gridPos } of dashboard.panels) {
      const { x, y, w, h } = gridPos;
      expect(x + w, title).toBeLessThanOrEqual(24);
      for (let column = x; column < x + w; column++)
        for (let line = y; line < y + h; line++) {
          const cell = `${column} ${line}`;
          expect(taken.get(cell), `${title} at ${cell}`).toBeUndefined();
          taken.set(cell, title);
        }
    }
  });

  it("and the rules name no metric that does not exist", () => {
    const names = new Set(
      allMetrics.flatMap(({ name, type }) =>
        type === "histogram" ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    const text =
      JSON.stringify(dashboard) + readFileSync(join(dockerFolder, "prometheus/alerts.yml"), "utf8");
    for (const [name] of text.matchAll(/\bjackfield_[a-z0-9_]+/g)) expect(names, name).toContain(name);
  });

  it("is provisioned with the data source that it takes first", () => {
    const read = (file: string) =>
      parse(readFileSync(join(dockerFolder, "grafana/provisioning", file), "utf8"));
    const [source] = read("datasources/jackfield.yml").datasources;
    expect(JSON.stringify(dashboard)).toContain(`"value":"${source.uid}"`);
    expect(read("dashboards/jackfield.yml").providers[0].type).toBe("file");
  });
});

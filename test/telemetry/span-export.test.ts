import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, describe, expect, it } from "vitest";
import { silentLogger, type Logger } from "../../src/core/index.ts";
import { callSpan, SpanExport, type SpanExportOptions } from "../../src/telemetry/index.ts";
import { B2buaBench } from "../support/b2bua-bench.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";

/** As OTLP/JSON writes it (opentelemetry-proto, trace.proto), the fields looked at. */
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number; readonly message?: string };
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[];
}
interface WireBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly { readonly key: string; readonly value: object }[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
});

/** A collector that answers `status`, or nothing at all (undefined). */
async function openCollector(status: number | undefined = 200) {
  const bodies: WireBody[] = [];
  const headers: Record<string, unknown>[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      headers.push({ path: request.url, ...request.headers });
      bodies.push(JSON.parse(Buffer.concat(chunks).toString()) as WireBody);
      if (status !== undefined) response.writeHead(status, { "content-type": "application/json" }).end("{}");
    });
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  const spans = () =>
    bodies.flatMap((body) => body.resourceSpans.flatMap((of) => of.scopeSpans.flatMap((one) => one.spans)));
  return { endpoint: `http://127.0.0.1:${port}/v1/traces`, bodies, headers, spans };
}

async function openExport(options: Partial<SpanExportOptions> = {}) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log: Logger = {
    ...silentLogger,
    warn: (details, text) => void lines.push(`${text} ${JSON.stringify(details)}`),
  };
  const spans = new SpanExport({
    endpoint: "http://127.0.0.1:9/v1/traces",
    headers: {},
    serviceName: "jackfield",
    sampleRatio: 1,
    version: "1.2.3",
    clock,
    random: new CountingRandom("spans"),
    log,
    ...options,
  });
  await spans.ready();
  return { clock, lines, spans };
}

async function callOf(run: (bench: B2buaBench) => Promise<void>) {
  const bench = new B2buaBench({ trace: {} });
  await run(bench);
  const [record] = bench.records;
  if (!record) throw new Error("no record");
  const offset = bench.clock.wallClock() - bench.clock.now();
  const options = { wall: (at: number) => at + offset, showNumbers: false };
  return { record, span: callSpan(record, bench.traces?.find(record.id), options) };
}

const calls = {
  answered: () =>
    callOf(async (bench) => {
      await bench.established();
      await bench.pass(2000);
      bench.trunk.outgoing?.session.bye();
      await bench.pass();
    }),
  refused: () =>
    callOf(async (bench) => {
      await bench.callAgent();
      bench.browser.received.reject(486);
      await bench.pass();
    }),
  held: () =>
    callOf(async (bench) => {
      await bench.established();
      bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
      await bench.pass(5000);
      bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
      await bench.pass(1000);
      bench.trunk.outgoing?.session.bye();
      await bench.pass();
    }),
};

const milliseconds = (nanoseconds: string): number => Number(BigInt(nanoseconds) / 1000n) / 1000;
const parentOf = (spans: readonly WireSpan[], { parentSpanId }: WireSpan) =>
  spans.find(({ spanId }) => spanId === parentSpanId)?.name;

describe("spans at a receiver of OTLP over HTTP", () => {
  it("arrive with their parents, times, statuses and resource, of an answered, a refused and a held call", async () => {
    const collector = await openCollector();
    const { spans: exporter } = await openExport({ endpoint: collector.endpoint, headers: { "x-key": "k" } });
    const made = [await calls.answered(), await calls.refused(), await calls.held()];
    for (const { span } of made) exporter.add(span);
    await exporter.close();
    expect(collector.headers[0]).toMatchObject({
      path: "/v1/traces",
      "x-key": "k",
      "content-type": "application/json",
    });
    expect(collector.bodies[0]?.resourceSpans[0]?.resource.attributes).toContainEqual({
      key: "service.name",
      value: { stringValue: "jackfield" },
    });
    const spans = collector.spans();
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined || parentSpanId === "");
    expect(roots.map(({ name }) => name)).toEqual(["call to agent", "call to agent", "call to agent"]);
    expect(roots.map(({ status }) => status.code)).toEqual([0, 2, 0]);
    expect(roots[1]?.status.message).toMatch(/\S/);
    expect(new Set(roots.map(({ traceId }) => traceId)).size).toBe(3);
    const [answered, refused, held] = roots.map((root) =>
      spans.filter(({ traceId }) => traceId === root.traceId),
    );
    expect(answered?.map(({ name }) => name)).toEqual([
      "call to agent",
      "SIP Server leg set-up",
      "browser leg set-up",
      "media set-up",
      "ICE",
    ]);
    for (const one of [answered, refused, held]) {
      if (!one) throw new Error("a call is missing");
      for (const span of one.slice(1))
        expect(parentOf(one, span)).toBe(span.name === "ICE" ? "media set-up" : "call to agent");
    }
    expect(refused?.find(({ name }) => name === "browser leg set-up")?.status).toEqual({
      code: 2,
      message: "486 Busy Here",
    });
    const hold = held?.find(({ name }) => name === "hold");
    expect(milliseconds(hold?.endTimeUnixNano ?? "0") - milliseconds(hold?.startTimeUnixNano ?? "0")).toBe(
      5000,
    );
    const third = made[2];
    expect(milliseconds(roots[2]?.endTimeUnixNano ?? "0")).toBe(
      third ? Date.parse(third.record.endedAt) : undefined,
    );
    expect(milliseconds(roots[2]?.startTimeUnixNano ?? "0")).toBe(
      third ? Date.parse(third.record.startedAt) : undefined,
    );
    expect(exporter.counters).toMatchObject({ sentSpans: spans.length, droppedSpans: 0 });
  });

  it("go out every 5 s", async () => {
    const collector = await openCollector();
    const { clock, spans } = await openExport({ endpoint: collector.endpoint });
    const { span } = await calls.refused();
    spans.add(span);
    clock.advance(4999);
    expect(clock.pendingTimers).toBe(1);
    clock.advance(1);
    while (spans.counters.sentSpans === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(collector.spans().map(({ name }) => name)).toContain("call to agent");
    await spans.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("that nobody takes are dropped and counted, with one line that names no secret; close does not wait for it", async () => {
    const collector = await openCollector(400);
    const { clock, lines, spans } = await openExport({
      endpoint: `${collector.endpoint}?key=hidden`,
      headers: { "x-key": "hidden" },
    });
    const { span } = await calls.answered();
    for (let turn = 0; turn < 3; turn++) {
      const { droppedSpans } = spans.counters;
      spans.add(span);
      clock.advance(5000);
      while (spans.counters.droppedSpans === droppedSpans)
        await new Promise((resolve) => setImmediate(resolve));
    }
    expect(spans.counters.sentSpans).toBe(0);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain("takes no spans");
    expect(lines[0]).not.toContain("hidden");
    await spans.close();
  });

  it("wait bounded for a receiver that says nothing, and no longer than 2 s when it is closed", async () => {
    const collector = await openCollector(undefined);
    const { clock, spans } = await openExport({ endpoint: collector.endpoint });
    const { span } = await calls.answered();
    for (let index = 0; index < 2000; index++) spans.add(span);
    while (collector.bodies.length === 0) await new Promise((resolve) => setImmediate(resolve));
    // One batch is out, 4096 wait at most.
    expect(spans.counters.droppedSpans).toBeGreaterThan(2000 * 5 - 4096 - 512 - 10);
    const closed = spans.close();
    while (clock.pendingTimers === 0) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(2000);
    await closed;
    await spans.close();
    expect(clock.pendingTimers).toBe(0);
  });

  it("are of as many calls as the sample ratio says", async () => {
    const { spans } = await openExport({ sampleRatio: 0 });
    expect([spans.sample(), spans.sample()]).toEqual([false, false]);
    expect(spans.counters.unsampledCalls).toBe(2);
    await spans.close();
    const all = await openExport({ sampleRatio: 1 });
    expect(all.spans.sample()).toBe(true);
    await all.spans.close();
  });
});

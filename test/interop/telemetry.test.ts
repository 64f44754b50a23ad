import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { readHep, type ReadHep } from "../support/hep-reader.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { until } from "./support/rtp-phone.ts";
import { Tshark } from "./support/tshark.ts";
import { freeUdpPort } from "../support/free-port.ts";

const directory = mkdtempSync(join(tmpdir(), "jackfield-hep-"));
const password = "hep-secret-of-the-test";
const closers: (() => Promise<unknown>)[] = [];
afterAll(async () => {
  for (const close of closers.toReversed()) await close();
  rmSync(directory, { recursive: true });
});

/** sngrep as Homer's double: a HEP3 receiver of other people's, which writes what was inside as a capture file. */
async function openSngrep(file: string) {
  const port = await freeUdpPort();
  const program = spawn("sngrep", ["-F", "-N", "-q", "-L", `udp:127.0.0.1:${port}`, "-O", file], {
    stdio: "ignore",
    env: { ...process.env, TERM: "dumb" },
  });
  const ended = once(program, "exit");
  const stop = async (): Promise<void> => {
    program.kill("SIGINT");
    await ended;
  };
  closers.push(stop);
  return { port, stop };
}

/** Takes what the gateway sends and hands each packet on to sngrep, so that both see the same bytes. */
async function openReceiver(onward: number): Promise<{ port: number; packets: ReadHep[] }> {
  const socket = createSocket("udp4");
  const packets: ReadHep[] = [];
  socket.on("message", (bytes) => {
    packets.push(readHep(bytes));
    socket.send(bytes, onward, "127.0.0.1");
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  closers.push(() => new Promise<void>((done) => void socket.close(done)));
  return { port: socket.address().port, packets };
}

async function callAndHangUp(gateway: Gateway): Promise<void> {
  const url = `ws://127.0.0.1:${gateway.httpPort}/ws`;
  const browser = await BrowserDouble.signIn({
    url,
    dn: "5001",
    codec: "pcmu",
    allowEvents: "x-jackfield-trunk",
  });
  closers.push(() => browser.close());
  await browser.trunkState("in-service");
  const call = await browser.dial("9196");
  await call.when("answered");
  await call.connected;
  call.hangUp();
  await until("the call's end", () => gateway.b2bua.size === 0);
}

/** A collector of OTLP over HTTP; names of the spans by the name of what they are below. */
async function openCollector(): Promise<{ endpoint: string; spans: () => Map<string, string[]> }> {
  interface Span {
    readonly name: string;
    readonly spanId: string;
    readonly parentSpanId?: string;
  }
  const spans: Span[] = [];
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      const body = JSON.parse(text) as { resourceSpans: { scopeSpans: { spans: Span[] }[] }[] };
      spans.push(...body.resourceSpans.flatMap((of) => of.scopeSpans.flatMap((one) => one.spans)));
      response.end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closers.push(() => new Promise((done) => server.close(done)));
  const { port } = server.address() as { port: number };
  const nameOf = (id: string | undefined) => spans.find(({ spanId }) => spanId === id)?.name ?? "";
  return {
    endpoint: `http://127.0.0.1:${port}/v1/traces`,
    spans: () => {
      const below = new Map<string, string[]>();
      for (const { name, parentSpanId } of spans) {
        const parent = nameOf(parentSpanId);
        below.set(parent, [...(below.get(parent) ?? []), name]);
      }
      return below;
    },
  };
}

describe("SIP copied to Homer by HEP3", () => {
  it("is read by sngrep as it was on the wire: both sides, ends, times, texts; secrets are cut", async () => {
    const file = join(directory, "hep.pcap");
    const sngrep = await openSngrep(file);
    const receiver = await openReceiver(sngrep.port);
    const sandbox = await openTestSandbox();
    closers.push(() => sandbox.close());
    const begun = Date.now();
    const gateway = await openTestGateway({
      sipServer: `127.0.0.1:${sandbox.port}`,
      config: { hep: { address: `127.0.0.1:${receiver.port}`, captureId: 77, password } },
    });
    closers.push(() => gateway.close());
    await callAndHangUp(gateway);
    await until(
      "BYE's answers",
      () => receiver.packets.filter(({ text }) => / BYE\r\n/.test(text)).length >= 4,
    );
    await sngrep.stop();
    const { packets } = receiver;

    // By our own reader: what a capture file has no room for.
    for (const packet of packets) {
      expect(packet).toMatchObject({ captureId: 77, password, protocol: 1, family: 2 });
      expect(packet.microseconds).toBeGreaterThan((begun - 50) * 1000);
      expect(packet.microseconds).toBeLessThan((Date.now() + 50) * 1000);
    }
    const ofCall = packets.filter(({ text }) => /\r\nCSeq: \d+ (?:INVITE|ACK|BYE)\r\n/.test(text));
    const callIds = new Set(ofCall.map(({ text }) => /\r\nCall-ID: (\S+)/.exec(text)?.[1]));
    expect(callIds.size).toBe(2);
    const [first] = callIds;
    expect(new Set(ofCall.map(({ correlationId }) => correlationId))).toEqual(new Set([first]));
    const browserSide = ofCall.filter(({ transport }) => transport === 6);
    const serverSide = ofCall.filter(({ transport }) => transport === 17);
    for (const packet of browserSide)
      expect([packet.from, packet.to]).toContain(`127.0.0.1:${gateway.httpPort}`);
    for (const packet of serverSide)
      expect([packet.from, packet.to].sort()).toEqual(
        [`127.0.0.1:${gateway.sipPort}`, `127.0.0.1:${sandbox.port}`].sort(),
      );
    const wire = packets.map(({ text }) => text).join("\n");
    expect(wire).toMatch(/^a=ice-pwd:\[cut\]\r?$/m);
    expect(wire).not.toMatch(/response="[0-9a-f]{32}"/);

    // By sngrep, and Wireshark on what it wrote.
    const tshark = new Tshark(file, [], []);
    const rows = await tshark.rows("sip", "frame.time_epoch", "ip.src", "ip.dst", "sip.Call-ID", "sip.CSeq");
    const seen = rows.map(([time, from, to, callId, cseq]) => ({
      time: Math.round(Number(time) * 1_000_000),
      from,
      to,
      callId,
      cseq,
    }));
    const sentOnes = packets.map(({ text, microseconds }) => ({
      time: microseconds,
      from: "127.0.0.1",
      to: "127.0.0.1",
      callId: /\r\nCall-ID: (\S+)/.exec(text)?.[1],
      cseq: /\r\nCSeq: ([^\r]+)/.exec(text)?.[1],
    }));
    expect(seen).toEqual(sentOnes);
  });
});

describe("spans of a call through a real gateway without a dashboard", () => {
  it("are at the receiver when the gateway is closed", async () => {
    const collector = await openCollector();
    const sandbox = await openTestSandbox();
    closers.push(() => sandbox.close());
    const gateway = await openTestGateway({
      sipServer: `127.0.0.1:${sandbox.port}`,
      config: { openTelemetry: { endpoint: collector.endpoint } },
    });
    closers.push(() => gateway.close());
    await callAndHangUp(gateway);
    await gateway.close();
    const spans = collector.spans();
    expect(spans.get("")).toEqual(["call from agent"]);
    expect(spans.get("call from agent")).toEqual([
      "browser leg set-up",
      "SIP Server leg set-up",
      "media set-up",
    ]);
    expect(spans.get("media set-up")).toEqual(["ICE", "DTLS"]);
  });
});

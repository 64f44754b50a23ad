import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BrowserDouble, type DoubleCall } from "../support/browser-double.ts";
import { encodeOpus, framesOf, type DoubleCodec } from "../support/browser-media.ts";
import { readPcap } from "../support/pcap-reader.ts";
import { toCodes, voice } from "../support/sound.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { after, paced, until } from "./support/rtp-phone.ts";
import { Tshark } from "./support/tshark.ts";

const token = "a-token-of-the-tests-0123456789";
const directory = mkdtempSync(join(tmpdir(), "jackfield-capture-"));
let sandbox: Sandbox;
let gateway: Gateway;
const browsers: BrowserDouble[] = [];
beforeAll(async () => {
  sandbox = await openTestSandbox();
  const config = { media: { captureDirectory: directory }, admin: { token } };
  gateway = await openTestGateway({ sipServer: `127.0.0.1:${sandbox.port}`, config });
});
afterAll(async () => {
  await Promise.all(browsers.map((browser) => browser.close()));
  await gateway.close();
  await sandbox.close();
  rmSync(directory, { recursive: true });
});

async function api(method: string, path: string, body?: object) {
  const response = await fetch(`http://127.0.0.1:${gateway.httpPort}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // JSON of unknown shape: each test looks at what it needs.
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** A call of this DN to the sandbox's echo, connected, and its id as the API tells it. */
async function callEcho(dn: string, codec: DoubleCodec): Promise<{ call: DoubleCall; id: string }> {
  const url = `ws://127.0.0.1:${gateway.httpPort}/ws`;
  const browser = await BrowserDouble.signIn({ url, dn, codec, allowEvents: "x-jackfield-trunk" });
  browsers.push(browser);
  await browser.trunkState("in-service");
  const call = await browser.dial("9196");
  await call.when("answered");
  await call.connected;
  const { calls } = (await api("GET", "/api/calls")).body as { calls: Record<string, unknown>[] };
  const mine = calls.find((one) => one["dn"] === dn);
  expect(mine).toMatchObject({ dn, direction: "from-agent", far_number: "9196", capture: null });
  return { call, id: String(mine?.["id"]) };
}

const sound = voice(6);
/** 4 s: the first RTCP report comes 1.25 to 3.75 s after the answer. */
const frames = 200;
const pcmuFrames = framesOf(toCodes(sound, "pcmu"));

async function speak(call: DoubleCall, codec: DoubleCodec, count = frames): Promise<void> {
  const encoded = codec === "opus" ? await encodeOpus(sound) : pcmuFrames;
  await paced(count, (index) => call.media.sendFrame(encoded[index] ?? Buffer.alloc(0)));
}

/** The result's line in the file's folder, when the capture is over by itself. */
async function fileOf(name: string): Promise<string> {
  const path = join(directory, name);
  await until(`${name} whole`, () => {
    try {
      return (
        gateway.b2bua.calls().every(({ captureFile }) => captureFile !== name) && statSync(path).size > 0
      );
    } catch {
      return false;
    }
  });
  return path;
}

describe("a capture asked for by the admin API, read by tshark", () => {
  it.concurrent.each([
    ["opus", false],
    ["pcmu", true],
  ] as const)(
    "shows the four streams of a call, whole and sound (%s, payload: %s)",
    async (codec, payload) => {
      const dn = payload ? "5002" : "5001";
      const { call, id } = await callEcho(dn, codec);
      const begun = Date.now();
      const asked = await api("POST", `/api/calls/${id}/capture`, { seconds: 30, payload });
      expect(asked).toMatchObject({ status: 202, body: { seconds: 30, bytes: 10_000_000, payload } });
      const file = String(asked.body["file"]);
      expect(file).toMatch(new RegExp(`^${id}-\\d{8}T\\d{6}\\.\\d{3}Z\\.pcap$`));
      expect((await api("POST", `/api/calls/${id}/capture`, {})).status).toBe(409);
      await speak(call, codec);
      await after(200);
      const stopped = await api("DELETE", `/api/calls/${id}/capture`);
      expect(stopped).toMatchObject({ status: 200, body: { file, left_out: 0, reason: "stopped" } });
      call.hangUp();
      const path = join(directory, file);
      expect(statSync(path).mode & 0o777).toBe(0o600);

      // By our own reader first: addresses, checksums, time.
      const packets = readPcap(readFileSync(path));
      expect(packets).toHaveLength(Number(stopped.body["packets"]));
      for (const { time } of packets) {
        expect(time / 1000).toBeGreaterThan(begun - 50);
        expect(time / 1000).toBeLessThan(Date.now() + 50);
      }
      const browserPort = call.media.peer.port;
      const [first, last] = gateway.config.media.rtpPorts;
      const ends = packets.flatMap(({ from, to }) => [from, to]).map((end) => Number(end.split(":")[1]));
      const trunkPort = ends.find((port) => port >= first && port <= last && port % 2 === 0) ?? 0;
      const tshark = new Tshark(path, [browserPort, trunkPort], [trunkPort + 1]);
      const wrong =
        "_ws.malformed || _ws.expert.severity == error || ip.checksum.status == 0 || udp.checksum.status == 0";
      expect(await tshark.rows(wrong, "frame.number")).toEqual([]);
      const protocols = await tshark.rows("rtp || rtcp", "rtp.ssrc", "rtp.p_type", "frame.cap_len");
      expect(protocols).toHaveLength(packets.length);
      expect(protocols.some(([ssrc]) => ssrc === "")).toBe(true);

      const streams = await tshark.streams();
      expect(streams).toHaveLength(4);
      for (const stream of streams) {
        expect(stream.packets).toBeGreaterThanOrEqual(frames - 3);
        expect(stream.lost).toBe(0);
        // The side that speaks Opus is the browser's.
        const browserSide = [stream.from, stream.to].some((end) => end.endsWith(`:${browserPort}`));
        const own = protocols.filter(([ssrc]) => ssrc === stream.ssrc);
        expect(own).toHaveLength(stream.packets);
        expect(new Set(own.map(([, type]) => type))).toEqual(
          new Set([browserSide && codec === "opus" ? "111" : "0"]),
        );
        // 40 bytes: IP, UDP and RTP header.
        if (!payload) expect(new Set(own.map(([, , bytes]) => bytes))).toEqual(new Set(["40"]));
      }
      const content = readFileSync(path);
      const loud = (pcmuFrames[100] ?? Buffer.alloc(0)).subarray(0, 16);
      expect(content.includes(loud)).toBe(payload);
    },
  );

  it("ends with the call, and at its time", async () => {
    const { call, id } = await callEcho("5003", "pcmu");
    const first = await api("POST", `/api/calls/${id}/capture`, { seconds: 1 });
    await speak(call, "pcmu", 70);
    const path = await fileOf(String(first.body["file"]));
    const times = readPcap(readFileSync(path)).map(({ time }) => time / 1000);
    const span = (times.at(-1) ?? 0) - (times[0] ?? 0);
    expect(span).toBeLessThanOrEqual(1010);
    expect(span).toBeGreaterThan(750);

    const second = await api("POST", `/api/calls/${id}/capture`, {});
    call.hangUp();
    await until("call gone", () => gateway.b2bua.size === 0);
    const file = join(directory, String(second.body["file"]));
    await until("BYE in the file", () => {
      const trunkBye = Buffer.from([0x81, 203]);
      return readFileSync(file).includes(trunkBye);
    });
    expect((await api("DELETE", `/api/calls/${id}/capture`)).status).toBe(404);
  });
});

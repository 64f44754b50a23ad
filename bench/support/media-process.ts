/** The server of `bench:relay`, a process of its own: the media pool behind its door and nothing else. */
import { silentLogger, systemClock, systemRandom } from "../../src/core/index.ts";
import { createMediaPool, type MediaPool, type MediaSession, type Payload } from "../../src/media/index.ts";
import type { CallDescription, EndDescription } from "./load-process.ts";
import { serve } from "./rpc.ts";
import type { BenchCodec } from "./voices.ts";

const host = "127.0.0.1";

const payloads: Readonly<Record<BenchCodec, Payload>> = {
  opus: {
    codec: "opus",
    payloadType: 111,
    telephoneEvent: { payloadType: 110, clockRate: 48_000 },
  },
  pcmu: { codec: "pcmu", payloadType: 0, telephoneEvent: { payloadType: 101, clockRate: 8000 } },
};

export interface PoolSettings {
  readonly codec: BenchCodec;
  readonly workers: number;
  readonly rtpPorts: readonly [number, number];
}

/** Sums over all calls since they were opened. */
export interface ServerCounts {
  /** Frames that a listener got although the packet never came: they hide loss. */
  readonly framesMadeUp: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly receiveBufferBytes: number;
  readonly restarts: number;
}

let settings: PoolSettings | undefined;
let pool: MediaPool | undefined;
const sessions: MediaSession[] = [];
const connections: Promise<void>[] = [];

function open(): { pool: MediaPool; settings: PoolSettings } {
  if (!pool || !settings) throw new Error("configure comes first");
  return { pool, settings };
}

async function configure(wanted: PoolSettings): Promise<void> {
  settings = wanted;
  const { workers, rtpPorts } = wanted;
  const options = { host, advertisedAddress: host, browserPort: 0, rtpPorts, workers };
  pool = await createMediaPool(options, { log: silentLogger, clock: systemClock, random: systemRandom });
}

async function openCalls({ calls }: { readonly calls: number }): Promise<CallDescription[]> {
  const opened: CallDescription[] = [];
  for (let index = 0; index < calls; index++) {
    const session = await open().pool.open();
    sessions.push(session);
    connections.push(
      new Promise((resolve, reject) => {
        session.events.on("connected", resolve);
        session.events.on("closed", (reason) => reject(new Error(`call closed: ${reason}`)));
      }),
    );
    // `whenConnected` hears of it, perhaps only later.
    connections.at(-1)?.catch(() => {});
    opened.push({ browser: session.browser, trunk: session.trunk });
  }
  return opened;
}

/** Tells the calls that were opened last who their far ends are. */
function describe(ends: readonly EndDescription[]): void {
  const first = sessions.length - ends.length;
  for (const [index, { iceUfrag, fingerprint, trunkPort, rtcpPort }] of ends.entries()) {
    const session = sessions[first + index];
    const payload = payloads[open().settings.codec];
    session?.setBrowserRemote({
      iceUfrag,
      fingerprints: [fingerprint],
      payload,
      direction: "inactive",
    });
    session?.setTrunkRemote({
      address: host,
      port: trunkPort,
      rtcp: { address: host, port: rtcpPort },
      payload: payloads.pcmu,
      direction: "inactive",
    });
    session?.connect();
  }
}

async function whenConnected(): Promise<void> {
  await Promise.all(connections);
}

/** Between rounds calls are on hold, so that nothing is filled; resolves when the workers have done it. */
async function setActive({ active }: { readonly active: boolean }): Promise<void> {
  const direction = active ? "sendrecv" : "inactive";
  for (const session of sessions) {
    session.setDirection("browser", direction);
    session.setDirection("trunk", direction);
  }
  await open().pool.workers();
}

async function counts(): Promise<ServerCounts> {
  const dropped: Record<string, number> = {};
  const refused: Record<string, number> = {};
  const add = (into: Record<string, number>, from: Readonly<Record<string, number>>): void => {
    for (const [cause, count] of Object.entries(from)) into[cause] = (into[cause] ?? 0) + count;
  };
  let framesMadeUp = 0;
  let packetsReceived = 0;
  let packetsSent = 0;
  for (const session of sessions) {
    const statistics = await session.statistics();
    for (const side of [statistics.browser, statistics.trunk]) {
      framesMadeUp += side.framesConcealed + side.framesRecovered;
      packetsReceived += side.packetsReceived;
      packetsSent += side.packetsSent;
      add(dropped, side.dropped);
    }
  }
  const workers = await open().pool.workers();
  for (const worker of workers) add(refused, worker.refused);
  return {
    framesMadeUp,
    packetsReceived,
    packetsSent,
    dropped,
    refused,
    receiveBufferBytes: Math.min(...workers.map(({ receiveBufferBytes }) => receiveBufferBytes)),
    restarts: workers.reduce((sum, { restarts }) => sum + restarts, 0),
  };
}

async function close(): Promise<void> {
  await pool?.close();
}

const handlers = { configure, openCalls, describe, whenConnected, setActive, counts, close };
export type MediaHandlers = typeof handlers;
serve(handlers);

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
  /** Frames that a listener got although the packet never came: they hide loss. By in-band FEC, and by guess. */
  readonly framesRecovered: number;
  readonly framesConcealed: number;
  readonly packetsReceived: number;
  readonly packetsSent: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly refused: Readonly<Record<string, number>>;
  readonly receiveBufferBytes: number;
  readonly restarts: number;
  /** Of each worker: how it fares, and the complexity of its encoders with FEC. */
  readonly loadStates: readonly string[];
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
  // The bench finds out for itself how much is too much.
  const maxWorkerLoad = 0;
  const options = { host, advertisedAddress: host, browserPort: 0, rtpPorts, workers, maxWorkerLoad };
  pool = await createMediaPool(options, { log: silentLogger, clock: systemClock, random: systemRandom });
}

async function openCall(end: EndDescription): Promise<{ session: MediaSession; call: CallDescription }> {
  const { pool: media, settings: wanted } = open();
  const session = await media.open();
  session.setBrowserRemote({
    iceUfrag: end.iceUfrag,
    fingerprints: [end.fingerprint],
    payload: payloads[wanted.codec],
    direction: "inactive",
  });
  session.setTrunkRemote({
    address: host,
    port: end.trunkPort,
    rtcp: { address: host, port: end.rtcpPort },
    payload: payloads.pcmu,
    direction: "inactive",
  });
  const { address, port, iceUfrag, icePwd } = session.browser;
  const browser = { address, port, ice: { ufrag: iceUfrag, pwd: icePwd } };
  return { session, call: { browser, trunk: session.trunk } };
}

function upOf(session: MediaSession): Promise<void> {
  const up = new Promise<void>((resolve, reject) => {
    session.events.on("connected", resolve);
    session.events.on("closed", (reason) => reject(new Error(`call closed: ${reason}`)));
  });
  // Who waits for it hears of it, perhaps only later.
  up.catch(() => {});
  session.connect();
  return up;
}

async function openCalls(ends: readonly EndDescription[]): Promise<CallDescription[]> {
  const opened: CallDescription[] = [];
  for (const end of ends) {
    const { session, call } = await openCall(end);
    sessions.push(session);
    connections.push(upOf(session));
    opened.push(call);
  }
  return opened;
}

/** Ends the calls opened last. */
async function closeCalls({ count }: { readonly count: number }): Promise<void> {
  void connections.splice(sessions.length - count);
  const closed = sessions.splice(sessions.length - count).map(
    (session) =>
      new Promise<void>((resolve) => {
        session.events.on("closed", () => resolve());
        session.close("bench: fewer calls");
      }),
  );
  await Promise.all(closed);
}

/** Calls that come and go while the others run, by number. */
const guests = new Map<number, { session: MediaSession; up: Promise<void> }>();
let nextGuest = 1;

async function openGuest(end: EndDescription): Promise<{ guest: number; call: CallDescription }> {
  const { session, call } = await openCall(end);
  const guest = nextGuest++;
  guests.set(guest, { session, up: upOf(session) });
  return { guest, call };
}

/** Resolves when its DTLS is done. */
async function guestConnected({ guest }: { readonly guest: number }): Promise<void> {
  await guests.get(guest)?.up;
}

function closeGuest({ guest }: { readonly guest: number }): void {
  guests.get(guest)?.session.close("bench: set-up done");
  guests.delete(guest);
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
  let framesRecovered = 0;
  let framesConcealed = 0;
  let packetsReceived = 0;
  let packetsSent = 0;
  for (const session of sessions) {
    const statistics = await session.statistics();
    for (const side of [statistics.browser, statistics.trunk]) {
      framesRecovered += side.framesRecovered;
      framesConcealed += side.framesConcealed;
      packetsReceived += side.packetsReceived;
      packetsSent += side.packetsSent;
      add(dropped, side.dropped);
    }
  }
  const workers = await open().pool.workers();
  for (const worker of workers) add(refused, worker.refused);
  return {
    framesRecovered,
    framesConcealed,
    packetsReceived,
    packetsSent,
    dropped,
    refused,
    receiveBufferBytes: Math.min(...workers.map(({ receiveBufferBytes }) => receiveBufferBytes)),
    restarts: workers.reduce((sum, { restarts }) => sum + restarts, 0),
    loadStates: workers.map(({ loadState, complexity }) => `${loadState}, complexity ${complexity}`),
  };
}

async function close(): Promise<void> {
  await pool?.close();
}

const handlers = {
  configure,
  openCalls,
  closeCalls,
  openGuest,
  guestConnected,
  closeGuest,
  whenConnected,
  setActive,
  counts,
  close,
};
export type MediaHandlers = typeof handlers;
serve(handlers);

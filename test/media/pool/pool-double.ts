import { createSocket, type Socket } from "node:dgram";
import { Worker } from "node:worker_threads";
import { silentLogger, systemClock, systemRandom, type Clock } from "../../../src/core/index.ts";
import {
  createMediaPool,
  MediaExhaustedError,
  type MediaOptions,
  type MediaPool,
  type MediaSession,
  type Payload,
} from "../../../src/media/index.ts";
import type { SpawnWorker } from "../../../src/media/pool/worker-host.ts";
import { sharedCertificate, WebRtcPeer, type WebRtcPeerOptions } from "../../support/webrtc-peer.ts";

/** Every worker started in this process, so that tests can end one. */
export const started: Worker[] = [];

const spawn: SpawnWorker = (settings) => {
  const worker = new Worker(new URL("../../../src/media/worker/main.ts", import.meta.url), {
    workerData: settings,
  });
  started.push(worker);
  return worker;
};

// Test files run side by side: each process has RTP ports of its own.
let nextPort = 10_000 + (process.pid % 40) * 400;

/** An RTP port range nobody else in the tests uses. */
export function rtpRange(ports: number): [number, number] {
  const first = nextPort;
  nextPort += ports + (ports % 2);
  return [first, first + ports - 1];
}

/** A pool on loopback. `clock` is the main thread's; the workers keep their own. */
export function openPool(
  options: Partial<MediaOptions> = {},
  clock: Clock = systemClock,
): Promise<MediaPool> {
  return createMediaPool(
    {
      host: "127.0.0.1",
      advertisedAddress: "127.0.0.1",
      browserPort: 0,
      rtpPorts: rtpRange(40),
      workers: 1,
      ...options,
    },
    { log: silentLogger, clock, random: systemRandom, spawn, warmUpFrames: 0 },
  );
}

/** SIP Server's end: plain RTP and RTCP sockets, each on a port of its own. */
export class TrunkPeer {
  /** RTP packets, but for the silence the relay fills in. */
  readonly received: Buffer[] = [];
  silence = 0;
  readonly receivedRtcp: Buffer[] = [];
  onRtp: (packet: Buffer) => void = () => {};
  readonly #rtp: Socket;
  readonly #rtcp: Socket;

  private constructor(rtp: Socket, rtcp: Socket) {
    this.#rtp = rtp;
    this.#rtcp = rtcp;
    rtp.on("message", (packet) => {
      if (packet.subarray(12).every((code) => code === 0xff)) {
        this.silence++;
        return;
      }
      this.received.push(packet);
      this.onRtp(packet);
    });
    rtcp.on("message", (packet) => this.receivedRtcp.push(packet));
  }

  static async create(): Promise<TrunkPeer> {
    const [rtp, rtcp] = [createSocket("udp4"), createSocket("udp4")];
    for (const socket of [rtp, rtcp])
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new TrunkPeer(rtp, rtcp);
  }

  get port(): number {
    return this.#rtp.address().port;
  }

  get rtcpPort(): number {
    return this.#rtcp.address().port;
  }

  send(packet: Buffer, session: MediaSession): void {
    this.#rtp.send(packet, session.trunk.port, session.trunk.address);
  }

  sendRtcp(packet: Buffer, session: MediaSession): void {
    this.#rtcp.send(packet, session.trunk.port + 1, session.trunk.address);
  }

  close(): void {
    this.#rtp.close();
    this.#rtcp.close();
  }
}

export interface Call {
  readonly session: MediaSession;
  readonly browser: WebRtcPeer;
  readonly trunk: TrunkPeer;
  close(): Promise<void>;
}

/** A call with both sides described; `connect` also brings the browser up. */
export async function openCall(
  pool: MediaPool,
  browserPayload: Payload,
  trunkPayload: Payload,
  peerOptions: WebRtcPeerOptions = {},
): Promise<Call> {
  const session = await pool.open();
  const trunk = await TrunkPeer.create();
  const browser = await WebRtcPeer.create({ certificate: await sharedCertificate(), ...peerOptions });
  session.setBrowserRemote({
    iceUfrag: browser.iceUfrag,
    fingerprints: [browser.fingerprint],
    payload: browserPayload,
    direction: "sendrecv",
  });
  session.setTrunkRemote({
    address: "127.0.0.1",
    port: trunk.port,
    rtcp: { address: "127.0.0.1", port: trunk.rtcpPort },
    payload: trunkPayload,
    direction: "sendrecv",
  });
  session.connect();
  const connected = once(session, "connected");
  await browser.connect(session.browser);
  await connected;
  return {
    session,
    browser,
    trunk,
    async close() {
      trunk.close();
      await browser.close();
    },
  };
}

/** Resolves with the arguments of the next event of that name. */
export function once(
  session: MediaSession,
  name: "connected" | "closed" | "dtmf" | "quality" | "idle",
): Promise<unknown[]> {
  return new Promise((resolve) => {
    const off = session.events.on(name, (...args: unknown[]) => {
      off();
      resolve(args);
    });
  });
}

/**
 * Resolves after so many further quality reports. They come by the clock of the session's worker and in one row with
 * its other events: what the worker has not told before them it will not tell of that time any more.
 */
export async function qualityReports(session: MediaSession, count: number): Promise<void> {
  for (let told = 0; told < count; told++) await once(session, "quality");
}

/** A session as soon as there is room for one. */
export async function openWhenFree(pool: MediaPool): Promise<MediaSession> {
  const opened: MediaSession[] = [];
  await until(async () => {
    try {
      opened.push(await pool.open());
    } catch (error) {
      if (!(error instanceof MediaExhaustedError)) throw error;
    }
    return opened.length > 0;
  });
  const [session] = opened;
  if (!session) throw new Error("no session");
  return session;
}

/** Resolves when `done` holds, looking every few ms; rejects after `patienceMs`. */
export async function until(done: () => boolean | Promise<boolean>, patienceMs = 15_000): Promise<void> {
  const end = Date.now() + patienceMs;
  while (!(await done())) {
    if (Date.now() > end) throw new Error("it did not come about");
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

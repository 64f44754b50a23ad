/** The load of `bench:relay`, a process of its own: browsers on one side, SIP Server's media on the other. */
import { createSocket, type Socket } from "node:dgram";
import type { Fingerprint } from "../../src/media/index.ts";
import { sharedCertificate } from "../../test/support/webrtc-peer.ts";
import { BrowserEnd, type EndRemote, type Profile } from "./browser-end.ts";
import { TimeHistogram, type Percentiles } from "./figures.ts";
import { LoadWay, noCounts, type RoundPlan, type Seal, type WayCounts, type WaySound } from "./load-way.ts";
import { busyCpuMs, droppedDatagrams, processCpuMs, threadCpuMs, waitedMs } from "./machine.ts";
import { serve } from "./rpc.ts";
import { makeVoices, type Band, type BenchCodec, type Voice } from "./voices.ts";

const host = "127.0.0.1";
const frameMs = 20;
/** Calls that share one trunk socket: fewer wake-ups for the same packets. */
const callsPerTrunkSocket = 64;
const handshakesAtOnce = 6;
/** After the last packet of a round, so long is waited for stragglers. */
const drainMs = 400;
const consentEveryMs = 4000;
/** Where packets are left out, browsers tell of it by receiver reports so far apart, ms. */
const reportEveryMs = 1000;
/** What is due is sent in bursts so far apart, ms. */
const burstMs = 1;
/**
 * The load sleeps so long between its turns, ms. Asleep in earnest, not in the event loop's poll: there each packet
 * would wake it, which costs it, and across cores the server that sends, a good deal of CPU (a wake-up is some 50 us on a
 * virtual machine). No packet of a network card's wakes its sender. Latencies read up to this much too high; with many
 * calls the longer nap saves a tenth of a core.
 */
const napMs = { fewCalls: 0.5, manyCalls: 1 } as const;
const manyCalls = 150;
const sleeper = new Int32Array(new SharedArrayBuffer(4));

export interface LoadSettings {
  readonly codec: BenchCodec;
  readonly band: Band;
  readonly profile: Profile;
  readonly garble: boolean;
  /** Calls whose sound is checked. */
  readonly sampled: number;
  /** Packets go out one by one when each is due, by a load that never sleeps. */
  readonly even: boolean;
  /** Packets left out of each direction, percent. */
  readonly lossPercent: number;
}

/** Where the relay takes a call's packets. */
export interface CallDescription {
  readonly browser: EndRemote;
  readonly trunk: { readonly port: number };
}

/** The load's ends of a call. */
export interface EndDescription {
  readonly iceUfrag: string;
  readonly icePwd: string;
  readonly fingerprint: Fingerprint;
  readonly browserPort: number;
  readonly trunkPort: number;
  readonly rtcpPort: number;
}

export interface RoundSettings {
  readonly seconds: number;
  /** Left out of CPU and latency at the beginning, seconds. */
  readonly settleSeconds: number;
  readonly serverPid: number;
  /** How the names of the server's threads begin that do its work. */
  readonly workThreads: readonly string[];
}

export interface RoundFigures {
  readonly windowSeconds: number;
  readonly serverCpuMs: number;
  readonly serverThreadsMs: Readonly<Record<string, number>>;
  readonly generatorCpuPercent: number;
  /** What a packet costs the generator, sent or received, us. */
  readonly generatorUsPerPacket: number;
  /** Share of the time in which the server's busiest thread stood in line for a core that others had, percent. */
  readonly serverWaitPercent: number;
  /** CPU that neither server nor generator used, percent of one core; biased low. */
  readonly othersCpuPercent: number;
  /** How late packets left, against their schedule, ms. */
  readonly latenessMs: Percentiles;
  readonly toTrunk: WayCounts & { readonly latencyMs: Percentiles };
  readonly toBrowser: WayCounts & { readonly latencyMs: Percentiles };
  readonly latencyMs: Percentiles;
  /** Datagrams the kernel dropped for full receive buffers at each end. */
  readonly dropped: { readonly atServer: number; readonly atGenerator: number };
}

class LoadCall {
  readonly index: number;
  readonly browser: BrowserEnd;
  readonly trunkSocket: Socket;
  /** The relay's. */
  trunkPort = 0;
  readonly toTrunk: LoadWay;
  readonly toBrowser: LoadWay;
  /** Of what the relay sends to the browser; 0 before its first packet. */
  #relaySsrc = 0;

  constructor(
    index: number,
    browser: BrowserEnd,
    trunkSocket: Socket,
    voices: { browser: Voice; trunk: Voice },
    codec: BenchCodec,
  ) {
    this.index = index;
    this.browser = browser;
    this.trunkSocket = trunkSocket;
    this.toTrunk = new LoadWay({
      name: "toTrunk",
      voice: voices.browser,
      voiceStart: (index * 37) % 400,
      sentCodec: codec,
      heardCodec: "pcmu",
      ssrc: 0x10000 + index,
    });
    this.toBrowser = new LoadWay({
      name: "toBrowser",
      voice: voices.trunk,
      voiceStart: (index * 53 + 100) % 400,
      sentCodec: "pcmu",
      heardCodec: codec,
      ssrc: 0x20000 + index,
    });
    browser.onMedia = (datagram) => {
      const second = datagram[1] ?? 0;
      const isRtcp = second >= 192 && second <= 223;
      if (isRtcp) return;
      if (this.#relaySsrc === 0) this.#relaySsrc = datagram.readUInt32BE(8);
      this.toBrowser.arrive(datagram, performance.now(), latency.toBrowser, measureFrom);
    };
  }

  prepare(plan: RoundPlan): void {
    const { sender } = this.browser;
    if (!sender) throw new Error(`call ${this.index} is not connected`);
    this.toTrunk.prepare(plan, (packet, length, out) => sender.protect(packet, length, out));
    this.toBrowser.prepare(plan, copy);
  }

  /** A receiver report (RFC 3550 6.4.2) of so much loss on the way to the browser. */
  report(lossPercent: number): void {
    if (this.#relaySsrc === 0) return;
    const packet = Buffer.alloc(64);
    packet.writeUInt32BE(0x81c9_0007, 0);
    packet.writeUInt32BE(0x10000 + this.index, 4);
    packet.writeUInt32BE(this.#relaySsrc, 8);
    packet[12] = Math.round((lossPercent * 256) / 100);
    const length = this.browser.sender?.protectRtcp(packet, 32, packet) ?? -1;
    if (length > 0) this.browser.socket.send(packet, 0, length);
  }

  sendFromBrowser(frame: number, now: number): void {
    const { toTrunk } = this;
    if (!toTrunk.depart(frame, now)) return;
    const from = toTrunk.offset(frame);
    this.browser.socket.send(toTrunk.packets, from, toTrunk.offset(frame + 1) - from);
  }

  sendFromTrunk(frame: number, now: number): void {
    const { toBrowser } = this;
    if (!toBrowser.depart(frame, now)) return;
    const from = toBrowser.offset(frame);
    const length = toBrowser.offset(frame + 1) - from;
    this.trunkSocket.send(toBrowser.packets, from, length, this.trunkPort, host);
  }
}

const copy: Seal = (packet, length, out) => packet.copy(out, 0, 0, length);

let settings: LoadSettings = {
  codec: "opus",
  band: "narrow",
  profile: "cm",
  garble: false,
  sampled: 4,
  lossPercent: 0,
  even: false,
};
let browserVoices: readonly Voice[] = [];
let trunkVoices: readonly Voice[] = [];
const calls: LoadCall[] = [];
const byTrunkPort = new Map<number, LoadCall>();
const ownPorts = new Set<number>();
const serverPorts = new Set<number>();
let trunkSocket: Socket | undefined;
let rtcpPort = 0;
let connected = 0;
let measureFrom = 0;
const latency = { toTrunk: new TimeHistogram(), toBrowser: new TimeHistogram() };

async function bind(): Promise<Socket> {
  const socket = createSocket({
    type: "udp4",
    recvBufferSize: 4 << 20,
    // The address is one already: what the default looks up costs a turn of the event loop per packet.
    lookup: (name, _options, found) => found(null, name, 4),
  });
  await new Promise<void>((resolve) => socket.bind(0, host, resolve));
  socket.on("error", () => {});
  ownPorts.add(socket.address().port);
  return socket;
}

async function nextTrunkSocket(): Promise<Socket> {
  if (trunkSocket && calls.length % callsPerTrunkSocket !== 0) return trunkSocket;
  const socket = await bind();
  socket.on("message", (datagram, from) => {
    byTrunkPort.get(from.port)?.toTrunk.arrive(datagram, performance.now(), latency.toTrunk, measureFrom);
  });
  trunkSocket = socket;
  return socket;
}

async function configure(wanted: LoadSettings): Promise<void> {
  settings = wanted;
  browserVoices = await makeVoices(wanted.codec, wanted.band, wanted.lossPercent);
  trunkVoices = await makeVoices("pcmu", wanted.band);
  const rtcp = await bind();
  rtcp.on("message", () => {});
  rtcpPort = rtcp.address().port;
  const stepMs = 100;
  /** Each call's turn once in `everyMs`, spread evenly. */
  const inTurn = (everyMs: number, act: (call: LoadCall) => void): void => {
    let next = 0;
    setInterval(() => {
      const due = Math.ceil((connected * stepMs) / everyMs);
      for (let count = 0; count < due; count++) {
        const call = calls[next++ % connected];
        if (call) act(call);
      }
    }, stepMs).unref();
  };
  inTurn(consentEveryMs, (call) => call.browser.check());
  const { lossPercent } = wanted;
  if (lossPercent > 0) inTurn(reportEveryMs, (call) => call.report(lossPercent));
}

/** Makes the ends of new calls; `attach` follows. */
async function reserve({ count }: { readonly count: number }): Promise<EndDescription[]> {
  const certificate = await sharedCertificate();
  const added: EndDescription[] = [];
  for (let left = count; left > 0; left--) {
    const browser = await BrowserEnd.open(certificate);
    const socket = await nextTrunkSocket();
    const index = calls.length;
    const [spoken, played] = [browserVoices[index % 4], trunkVoices[(index + 2) % 4]];
    if (!spoken || !played) throw new Error("configure comes first");
    const voices = { browser: spoken, trunk: played };
    calls.push(new LoadCall(index, browser, socket, voices, settings.codec));
    const { iceUfrag, icePwd, fingerprint } = browser;
    const browserPort = browser.socket.address().port;
    ownPorts.add(browserPort);
    added.push({ iceUfrag, icePwd, fingerprint, browserPort, trunkPort: socket.address().port, rtcpPort });
  }
  return added;
}

/** Tells the calls reserved last where the relay takes their packets. */
async function attach(descriptions: readonly CallDescription[]): Promise<void> {
  const first = calls.length - descriptions.length;
  for (const [index, { browser, trunk }] of descriptions.entries()) {
    const call = calls[first + index];
    if (!call) throw new Error("reserve comes first");
    await call.browser.attach(browser);
    call.trunkPort = trunk.port;
    byTrunkPort.set(trunk.port, call);
    serverPorts.add(trunk.port).add(browser.port);
  }
}

/** Lets go of the calls made last. */
async function drop({ count }: { readonly count: number }): Promise<void> {
  for (const call of calls.splice(calls.length - count)) {
    byTrunkPort.delete(call.trunkPort);
    serverPorts.delete(call.trunkPort);
    ownPorts.delete(call.browser.socket.address().port);
    await call.browser.close();
  }
  connected = Math.min(connected, calls.length);
}

/** Brings up every call that is not up yet, a few at a time. */
async function connect(): Promise<void> {
  const waiting = calls.slice(connected);
  const worker = async (): Promise<void> => {
    for (let call = waiting.shift(); call; call = waiting.shift())
      await call.browser.connect(settings.profile);
  };
  await Promise.all(Array.from({ length: handshakesAtOnce }, worker));
  connected = calls.length;
}

/** Sound is checked of these: spread over all. */
function sampledCalls(): LoadCall[] {
  const step = Math.max(1, Math.floor(calls.length / Math.max(1, settings.sampled)));
  return calls.filter((_, index) => index % step === 0).slice(0, settings.sampled);
}

/** Encrypts what the next round sends. */
function prepare({ seconds }: { readonly seconds: number }): void {
  const sampled = new Set(sampledCalls());
  const frames = Math.ceil((seconds * 1000) / frameMs);
  const { garble, lossPercent } = settings;
  const random = seededRandom();
  for (const call of calls) call.prepare({ frames, keep: sampled.has(call), garble, lossPercent, random });
}

/** 0 to 1, in the same order in every round of every run. */
function seededRandom(): () => number {
  let state = 12_345;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Readings {
  readonly at: number;
  readonly server: number;
  readonly waited: number;
  readonly threads: Record<string, number>;
  readonly own: number;
  readonly busy: number;
  /** Packets sent and received by the generator. */
  readonly packets: number;
}

function read(serverPid: number, workThreads: readonly string[]): Readings {
  const { user, system } = process.cpuUsage();
  return {
    at: performance.now(),
    server: processCpuMs(serverPid),
    waited: waitedMs(serverPid, workThreads),
    threads: threadCpuMs(serverPid),
    own: (user + system) / 1000,
    busy: busyCpuMs(),
    packets: [sum("toTrunk"), sum("toBrowser")].reduce((all, { sent, received }) => all + sent + received, 0),
  };
}

/**
 * Sends what was prepared: every call one packet each way every 20 ms, all of them spread evenly over the 20 ms. Packet
 * number s of the round is due at s * 20 / (2 * calls) ms; those due are sent in bursts 1 ms apart.
 */
async function run({ seconds, settleSeconds, serverPid, workThreads }: RoundSettings): Promise<RoundFigures> {
  const frames = Math.ceil((seconds * 1000) / frameMs);
  const perFrame = calls.length * 2;
  const total = frames * perFrame;
  measureFrom = Math.round((settleSeconds * 1000) / frameMs);
  latency.toTrunk = new TimeHistogram();
  latency.toBrowser = new TimeHistogram();
  const lateness = new TimeHistogram();
  const droppedBefore = [droppedDatagrams(serverPorts), droppedDatagrams(ownPorts)] as const;
  let before: Readings | undefined;
  const start = performance.now() + 5;
  let next = 0;
  const turn = (): boolean => {
    let now = performance.now();
    while (next < total) {
      const due = start + (next * frameMs) / perFrame;
      if (due > now) break;
      const frame = Math.floor(next / perFrame);
      if (frame >= measureFrom && !before) before = read(serverPid, workThreads);
      const call = calls[(next % perFrame) >> 1];
      now = performance.now();
      if (frame >= measureFrom) lateness.add(now - due);
      if (next % 2 === 0) call?.sendFromBrowser(frame, now);
      else call?.sendFromTrunk(frame, now);
      next++;
    }
    return next < total;
  };
  const { even } = settings;
  const nap = even ? 0 : calls.length > manyCalls ? napMs.manyCalls : napMs.fewCalls;
  await new Promise<void>((resolve) => {
    let burstDue = 0;
    const step = (): void => {
      const began = performance.now();
      if (began >= burstDue) {
        // A little early rather than a nap late: sleep overshoots.
        burstDue = even ? 0 : began + burstMs - nap / 4;
        if (!turn()) return resolve();
      }
      const left = nap - (performance.now() - began);
      if (left > 0) Atomics.wait(sleeper, 0, 0, left);
      // Between this and the next step the event loop reads all that has come, without waiting for more.
      setImmediate(step);
    };
    setImmediate(step);
  });
  const after = read(serverPid, workThreads);
  await new Promise((resolve) => setTimeout(resolve, drainMs));
  const dropped = {
    atServer: droppedDatagrams(serverPorts) - droppedBefore[0],
    atGenerator: droppedDatagrams(ownPorts) - droppedBefore[1],
  };
  return figuresOf(before ?? after, after, lateness, dropped);
}

function figuresOf(
  before: Readings,
  after: Readings,
  lateness: TimeHistogram,
  dropped: RoundFigures["dropped"],
): RoundFigures {
  const windowMs = Math.max(1, after.at - before.at);
  const own = after.own - before.own;
  const server = after.server - before.server;
  const all = new TimeHistogram();
  all.merge(latency.toTrunk);
  all.merge(latency.toBrowser);
  const threads = Object.entries(after.threads).map(
    ([name, ms]) => [name, ms - (before.threads[name] ?? 0)] as const,
  );
  return {
    windowSeconds: windowMs / 1000,
    serverCpuMs: server,
    serverThreadsMs: Object.fromEntries(threads.filter(([, ms]) => ms > 0)),
    generatorCpuPercent: (own / windowMs) * 100,
    generatorUsPerPacket: (own * 1000) / Math.max(1, after.packets - before.packets),
    serverWaitPercent: ((after.waited - before.waited) / windowMs) * 100,
    othersCpuPercent: Math.max(0, ((after.busy - before.busy - own - server) / windowMs) * 100),
    latenessMs: lateness.percentiles,
    toTrunk: { ...sum("toTrunk"), latencyMs: latency.toTrunk.percentiles },
    toBrowser: { ...sum("toBrowser"), latencyMs: latency.toBrowser.percentiles },
    latencyMs: all.percentiles,
    dropped,
  };
}

function sum(way: "toTrunk" | "toBrowser"): WayCounts {
  const counts: WayCounts = { ...noCounts };
  for (const call of calls) {
    const one = call[way].counts;
    counts.sent += one.sent;
    counts.received += one.received;
    counts.strays += one.strays;
    counts.duplicates += one.duplicates;
    counts.leftOut += one.leftOut;
    counts.covered += one.covered;
  }
  return counts;
}

/** Listens to the sampled calls of the last round. */
async function judge(): Promise<WaySound[]> {
  const sounds: WaySound[] = [];
  for (const call of sampledCalls()) {
    const { receiver } = call.browser;
    sounds.push(await call.toTrunk.judge(call.index, (_packet, length) => length));
    sounds.push(
      await call.toBrowser.judge(
        call.index,
        (packet, length, out) => receiver?.unprotect(packet, length, out) ?? -1,
      ),
    );
  }
  return sounds;
}

const handlers = { configure, reserve, attach, drop, connect, prepare, run, judge };
export type LoadHandlers = typeof handlers;
serve(handlers);

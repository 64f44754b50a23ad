import { soundWays, type QualityTotals } from "../../../b2bua/index.ts";
import type { MediaPool, WorkerStatistics } from "../../../media/index.ts";
import { counter, divided, gauge, histogram, putEach, type Collect, type Put } from "../definition.ts";
import { sipMetrics } from "./sip.ts";

const sided = ["side", "direction"];

export const mediaMetrics = {
  sessions: gauge("media_sessions", "Media sessions open."),
  full: gauge("media_full", "1: no media worker takes a further call."),
  refusals: counter("media_admission_refusals", "Calls refused because no media worker had room."),
  packets: counter(
    "media_packets",
    "RTP packets by side (browser, trunk) and direction (received, sent).",
    sided,
  ),
  bytes: counter("media_bytes", "Bytes of those packets.", sided),
  lost: counter("media_packets_lost", "Packets missing in what a side sent (RFC 3550 A.3).", ["side"]),
  reordered: counter(
    "media_packets_reordered",
    "Packets that came out of order and were put in their place.",
    ["side"],
  ),
  concealed: counter("media_frames_concealed", "Frames made up in place of what a side's packets lost.", [
    "side",
  ]),
  recovered: counter("media_frames_recovered", "Frames recovered by in-band FEC.", ["side"]),
  drift: counter("media_drift_corrections", "Frames taken out or put in because clocks differ.", ["side"]),
  dropped: counter(
    "media_packets_dropped",
    "Packets dropped by cause: replay, authentication, stranger, payload_type, malformed, rate and so on; late ones too.",
    ["side", "cause"],
  ),
  mos: histogram(
    "media_mos",
    "Mean opinion score (ITU-T G.107) of each few seconds of each call: way from_browser, to_browser, from_trunk, to_trunk.",
    ["way"],
  ),
  jitter: histogram("media_jitter_seconds", "Interarrival jitter of the same seconds.", ["way"]),
  loss: histogram("media_loss_ratio", "Share of packets not played, of the same seconds.", ["way"]),
};

const one = ["worker"];

export const workerMetrics = {
  up: gauge("worker_up", "1: this media worker serves.", one),
  sessions: gauge("worker_sessions", "Media sessions of this worker.", one),
  restarts: counter("worker_restarts", "Times this worker failed and was started anew.", one),
  cpu: counter("worker_cpu_seconds", "CPU time of this worker's thread since it started.", one),
  load: gauge(
    "worker_load_ratio",
    "CPU time of this worker's thread in the last second, share of a core.",
    one,
  ),
  expectedLoad: gauge(
    "worker_expected_load_ratio",
    "That load once all its calls sound, share of a core: from media.maxWorkerLoad on new calls are refused.",
    one,
  ),
  late: gauge(
    "worker_tick_late_seconds",
    "How late the 20 ms tick of this worker's event loop came, 99th percentile of the last second.",
    one,
  ),
  state: gauge(
    "worker_load_state",
    "1 for the state it is in: normal, reduced (encoders spend the least), full (new calls are refused).",
    ["worker", "state"],
  ),
  complexity: gauge(
    "worker_encoder_complexity",
    "Complexity its Opus encoders with FEC run at, 0 to 10.",
    one,
  ),
  steps: counter("worker_load_steps", "Steps of that state: down (toward full) or up.", ["worker", "step"]),
  refusals: counter(
    "worker_admission_refusals",
    "Sessions this worker refused for load or number of calls.",
    one,
  ),
  fecRefusals: counter(
    "worker_fec_refusals",
    "Encoders kept from beginning with FEC for want of CPU time.",
    one,
  ),
  strangers: counter(
    "worker_packets_refused",
    "Packets on its shared port that belong to no session, or failed a check.",
    ["worker", "cause"],
  ),
};

export interface MediaSources {
  readonly media: Pick<MediaPool, "sessions" | "full" | "admissionRefusals" | "totals" | "workers">;
  readonly quality: QualityTotals;
  /** Media workers there should be. */
  readonly workers: number;
}

export function mediaCollector({ media, quality }: MediaSources): Collect {
  return (put) => {
    put(mediaMetrics.sessions, media.sessions);
    put(mediaMetrics.full, Number(media.full));
    put(mediaMetrics.refusals, media.admissionRefusals);
    for (const [side, totals] of Object.entries(media.totals)) {
      put(mediaMetrics.packets, totals.packetsReceived, { side, direction: "received" });
      put(mediaMetrics.packets, totals.packetsSent, { side, direction: "sent" });
      put(mediaMetrics.bytes, totals.bytesReceived, { side, direction: "received" });
      put(mediaMetrics.bytes, totals.bytesSent, { side, direction: "sent" });
      put(mediaMetrics.lost, totals.packetsLost, { side });
      put(mediaMetrics.reordered, totals.packetsReordered, { side });
      put(mediaMetrics.concealed, totals.framesConcealed, { side });
      put(mediaMetrics.recovered, totals.framesRecovered, { side });
      put(mediaMetrics.drift, totals.driftCorrections, { side });
      putEach(put, mediaMetrics.dropped, totals.dropped, "cause", { side });
    }
    for (const name of soundWays) {
      const way = { way: name.replace(/(?=[BT])/, "_").toLowerCase() };
      put(mediaMetrics.mos, quality.of(name, "mos"), way);
      put(mediaMetrics.jitter, divided(quality.of(name, "jitterMs"), 1000), way);
      put(mediaMetrics.loss, divided(quality.of(name, "lossPercent"), 100), way);
    }
  };
}

/** Apart from the others: a worker that hangs does not answer, and costs a scrape its own figures alone. */
export function workerCollector({ media, workers }: MediaSources): Collect {
  return async (put) => {
    const known = new Map((await media.workers()).map((worker) => [worker.index, worker]));
    for (let index = 0; index < workers; index++) {
      const statistics = known.get(index);
      put(workerMetrics.up, Number(statistics !== undefined), { worker: String(index) });
      if (statistics) putWorker(put, statistics);
    }
  };
}

function putWorker(put: Put, statistics: WorkerStatistics): void {
  const worker = String(statistics.index);
  put(workerMetrics.sessions, statistics.sessions, { worker });
  put(workerMetrics.restarts, statistics.restarts, { worker });
  put(workerMetrics.cpu, statistics.cpuMs / 1000, { worker });
  put(workerMetrics.load, statistics.cpuPercent / 100, { worker });
  put(workerMetrics.expectedLoad, statistics.expectedPercent / 100, { worker });
  put(workerMetrics.late, statistics.tickLateMs / 1000, { worker });
  for (const state of ["normal", "reduced", "full"])
    put(workerMetrics.state, Number(state === statistics.loadState), { worker, state });
  put(workerMetrics.complexity, statistics.complexity, { worker });
  put(workerMetrics.steps, statistics.stepsDown, { worker, step: "down" });
  put(workerMetrics.steps, statistics.stepsUp, { worker, step: "up" });
  put(workerMetrics.refusals, statistics.admissionRefusals, { worker });
  put(workerMetrics.fecRefusals, statistics.fecRefusals, { worker });
  putEach(put, workerMetrics.strangers, statistics.refused, "cause", { worker });
  put(sipMetrics.receiveBuffer, statistics.receiveBufferBytes, { socket: "browser", worker });
  put(sipMetrics.kernelDrops, statistics.kernelDrops, { socket: "browser", worker });
}

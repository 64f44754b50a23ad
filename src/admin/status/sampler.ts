import type { Clock } from "../../core/index.ts";
import type { RegistrationServer } from "../../registrar/index.ts";
import type { AgentStatus, CallStatus, Sample, WorkerStatus } from "./contract.ts";
import { isoTime, round } from "./show.ts";
import type { ProcessLoad } from "./sources.ts";

export const sampleSeconds = 10;
/** Six hours. */
const samplesKept = (6 * 3600) / sampleSeconds;

/** The state a sample is made of. Counters are those since the start. */
export interface SampleSources {
  readonly agents: readonly AgentStatus[];
  readonly calls: readonly CallStatus[];
  readonly workers: readonly WorkerStatus[];
  readonly servers: readonly RegistrationServer[];
  readonly setUps: number;
  readonly failures: number;
}

/** Makes a sample of counters and states each ten seconds, and keeps those of the last hours. */
export class Sampler {
  readonly #clock: Clock;
  readonly #load: ProcessLoad;
  readonly #samples: Sample[] = [];
  #at: number;
  #cpuMs: number;
  #setUps = 0;
  #failures = 0;
  /** REGISTERs by server, and how many a second of late. */
  #registers = new Map<string, number>();
  #rates = new Map<string, number>();

  constructor(clock: Clock, load: ProcessLoad) {
    this.#clock = clock;
    this.#load = load;
    this.#at = clock.now();
    this.#cpuMs = load.cpuMs();
  }

  /** Oldest first. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /** REGISTERs a second that the server answered between the last two samples. */
  rateOf(server: RegistrationServer): number {
    return this.#rates.get(keyOf(server)) ?? 0;
  }

  take({ agents, calls, workers, servers, setUps, failures }: SampleSources): Sample {
    const elapsedMs = Math.max(1, this.#clock.now() - this.#at);
    this.#at += elapsedMs;
    this.#measureRates(servers, elapsedMs);
    const cpuMs = this.#load.cpuMs();
    const scores = calls.flatMap(({ mos }) => (mos === null ? [] : [mos]));
    const inUse = servers.find((server) => server.inUse);
    const sample: Sample = {
      at: isoTime(this.#clock.wallClock()),
      agents: agents.length,
      in_service: agents.filter(({ trunk }) => trunk.state === "in-service").length,
      calls: calls.length,
      setups: setUps - this.#setUps,
      failures: failures - this.#failures,
      mos_mean: scores.length === 0 ? null : round(sum(scores) / scores.length, 100),
      mos_low: scores.length === 0 ? null : Math.min(...scores),
      main_cpu_percent: round(((cpuMs - this.#cpuMs) / elapsedMs) * 100, 10),
      worker_cpu_percent: Math.max(0, ...workers.map((worker) => worker.cpu_percent)),
      event_loop_late_ms: round(this.#load.lateMs(), 10),
      registers_per_second: round(sum(Array.from(this.#rates.values())), 10),
      round_trip_ms: inUse?.roundTripMs === undefined ? null : round(inUse.roundTripMs, 10),
    };
    this.#cpuMs = cpuMs;
    this.#setUps = setUps;
    this.#failures = failures;
    this.#samples.push(sample);
    if (this.#samples.length > samplesKept) this.#samples.shift();
    return sample;
  }

  /** Of servers that are there now, so that nothing is kept of those that are gone. */
  #measureRates(servers: readonly RegistrationServer[], elapsedMs: number): void {
    const former = this.#registers;
    this.#registers = new Map(servers.map((server) => [keyOf(server), server.registers]));
    this.#rates = new Map(
      servers.map((server) => {
        const fresh = server.registers - (former.get(keyOf(server)) ?? 0);
        return [keyOf(server), (fresh * 1000) / elapsedMs];
      }),
    );
  }
}

function keyOf({ name, flow }: RegistrationServer): string {
  return `${name} ${flow.id}`;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

import type { Readable } from "node:stream";
import type { Clock, Timer } from "../../core/index.ts";
import type { WorkerStatistics } from "../../media/index.ts";
import type { RegistrationServer } from "../../registrar/index.ts";
import { agentsNow } from "./agents.ts";
import type { AgentStatus, Audit, CallStatus, Sample, WorkerStatus } from "./contract.ts";
import { EventStreams } from "./event-streams.ts";
import type { FailureLog } from "./failure-log.ts";
import type { Recent } from "./recent.ts";
import { Sampler, sampleSeconds } from "./sampler.ts";
import { isoTime, showCall, showServer, showWorker } from "./show.ts";
import type { StatusSources } from "./sources.ts";
import { Cell, Table, type TableChange } from "./table.ts";

export interface StatusBoardOptions {
  readonly sources: StatusSources;
  readonly failures: Pick<FailureLog, "recent" | "setUps">;
  readonly audits: Pick<Recent<Audit>, "last" | "since" | "until">;
  readonly clock: Clock;
}

/** Seconds between the comments that keep connections open. */
const keepAliveSeconds = 15;

/** Everything there is now. */
interface Present {
  readonly agents: readonly AgentStatus[];
  readonly calls: readonly CallStatus[];
  readonly workers: readonly WorkerStatus[];
  readonly servers: readonly RegistrationServer[];
}

/**
 * What the dashboard shows: a snapshot for each who begins to listen, then once a second what has changed, made once
 * for all. While nobody listens, only a sample each ten seconds is taken.
 */
export class StatusBoard {
  readonly #options: StatusBoardOptions;
  readonly #streams: EventStreams;
  readonly #sampler: Sampler;
  readonly #gateway = new Cell();
  readonly #agents = new Table<AgentStatus>();
  readonly #calls = new Table<CallStatus>();
  readonly #servers = new Cell();
  readonly #workers = new Cell();
  /** As last answered, by index. */
  #workerFigures: ReadonlyMap<number, WorkerStatistics> = new Map();
  #asking = false;
  #toldFailure = 0;
  #toldAudit = 0;
  #seconds = 0;
  #timer: Timer | undefined;

  constructor(options: StatusBoardOptions) {
    this.#options = options;
    this.#streams = new EventStreams();
    this.#sampler = new Sampler(options.clock, options.sources.load);
    this.#askWorkers();
    this.#plan();
  }

  /** Who listens now. */
  get listeners(): number {
    return this.#streams.size;
  }

  /** The last six hours, oldest first. */
  get samples(): readonly Sample[] {
    return this.#sampler.samples;
  }

  /** Server-sent events for one more, as long as `allowed` holds; undefined when as many listen as may. */
  listen(allowed: () => boolean): Readable | undefined {
    // The first one finds texts as old as the last who listened.
    if (this.#streams.size === 0) this.#compare(this.#present());
    return this.#streams.open(this.#snapshot(), allowed);
  }

  /** Ends all streams. Idempotent. */
  close(): void {
    this.#timer?.clear();
    this.#streams.close();
  }

  #plan(): void {
    this.#timer = this.#options.clock.setTimer(1000, () => {
      this.#plan();
      this.#second();
    });
  }

  #second(): void {
    this.#seconds++;
    const sampling = this.#seconds % sampleSeconds === 0;
    const listening = this.#streams.size > 0;
    // For the next second, which may be a sample's.
    if (listening || (this.#seconds + 1) % sampleSeconds === 0) this.#askWorkers();
    if (!sampling && !listening) return;
    const present = this.#present();
    const sample = sampling ? this.#sample(present) : undefined;
    if (!listening) return;
    const change = this.#compare(present, sample);
    if (change !== undefined) this.#streams.send("change", change);
    if (this.#seconds % keepAliveSeconds === 0) this.#streams.keepAlive();
  }

  #sample(present: Present): Sample {
    const { sources, failures } = this.#options;
    return this.#sampler.take({ ...present, setUps: sources.calls.setUps, failures: failures.setUps });
  }

  /** The answer is there by the next second. */
  #askWorkers(): void {
    if (this.#asking) return;
    this.#asking = true;
    void this.#options.sources.media
      .workers()
      .catch(() => [])
      .then((figures) => {
        this.#asking = false;
        this.#workerFigures = new Map(figures.map((worker) => [worker.index, worker]));
      });
  }

  #present(): Present {
    const { sources } = this.#options;
    const { trunk, calls, workers, callLimit } = sources;
    const summaries = calls.calls();
    return {
      agents: agentsNow(sources, summaries),
      calls: summaries.map(showCall),
      servers: trunk.servers(),
      workers: Array.from({ length: workers }, (_, index) =>
        showWorker(index, this.#workerFigures.get(index), callLimit),
      ),
    };
  }

  /** Takes `present` in; returns the JSON of what differs from before, undefined when nothing does. */
  #compare(present: Present, sample?: Sample): string | undefined {
    const { sources, failures, audits } = this.#options;
    const servers = present.servers.map((server) => showServer(server, this.#sampler.rateOf(server)));
    const parts: (readonly [name: string, text: string | undefined])[] = [
      ["gateway", this.#gateway.update(sources.gateway())],
      ["agents", tableText(this.#agents.update(present.agents))],
      ["calls", tableText(this.#calls.update(present.calls))],
      ["servers", this.#servers.update(servers)],
      ["workers", this.#workers.update(present.workers)],
      ["failures", listText(failures.recent.since(this.#toldFailure))],
      ["audit", listText(audits.since(this.#toldAudit))],
      ["sample", sample && JSON.stringify(sample)],
    ];
    this.#toldFailure = failures.recent.last;
    this.#toldAudit = audits.last;
    const told = parts.flatMap(([name, text]) => (text === undefined ? [] : [`"${name}":${text}`]));
    return told.length === 0 ? undefined : this.#stamped(told);
  }

  /** As of the last comparison, so that the changes that follow fit; failures and acts since then come with them. */
  #snapshot(): string {
    const { failures, audits } = this.#options;
    return this.#stamped([
      `"gateway":${this.#gateway.text}`,
      `"agents":${this.#agents.text}`,
      `"calls":${this.#calls.text}`,
      `"servers":${this.#servers.text}`,
      `"workers":${this.#workers.text}`,
      `"failures":${JSON.stringify(failures.recent.until(this.#toldFailure))}`,
      `"audit":${JSON.stringify(audits.until(this.#toldAudit))}`,
    ]);
  }

  #stamped(parts: readonly string[]): string {
    const at = isoTime(this.#options.clock.wallClock());
    return `{"at":"${at}",${parts.join(",")}}`;
  }
}

function tableText({ changed, gone }: TableChange): string | undefined {
  if (changed.length === 0 && gone.length === 0) return undefined;
  return `{"changed":[${changed.join(",")}],"gone":${JSON.stringify(gone)}}`;
}

function listText(entries: readonly object[]): string | undefined {
  return entries.length === 0 ? undefined : JSON.stringify(entries);
}

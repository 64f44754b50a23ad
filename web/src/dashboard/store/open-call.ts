import type { AdminApi } from "../api/client.ts";
import type { Trace } from "../api/contract.ts";

/** The call that is looked at. */
export interface OpenCall {
  readonly id: string;
  readonly trace: Trace | undefined;
  readonly error: string | undefined;
  /** Capture that was started here last, also after its end. */
  readonly capture: string | undefined;
}

/** How often the trace of a running call is read, ms. */
const againMs = 2000;

/** Reads a call's trace, again and again while the call runs. */
export class OpenCallReader {
  readonly #api: AdminApi;
  readonly #isRunning: (id: string) => boolean;
  readonly #onChange: (call: OpenCall | undefined) => void;
  #now: OpenCall | undefined;
  #reading = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    api: AdminApi,
    isRunning: (id: string) => boolean,
    onChange: (call: OpenCall | undefined) => void,
  ) {
    this.#api = api;
    this.#isRunning = isRunning;
    this.#onChange = onChange;
  }

  open(id: string): void {
    if (this.#now?.id !== id) this.#set({ id, trace: undefined, error: undefined, capture: undefined });
    void this.#read(id);
  }

  /** The running calls are others: the one that is looked at may be among them now. */
  follow(): void {
    if (!this.#now || this.#timer !== undefined || this.#reading) return;
    const { id, error } = this.#now;
    if (error === undefined && this.#isRunning(id)) void this.#read(id);
  }

  close(): void {
    this.stop();
    this.#set(undefined);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  captured(id: string, file: string): void {
    if (this.#now?.id === id) this.#set({ ...this.#now, capture: file });
  }

  async #read(id: string): Promise<void> {
    this.stop();
    // Asked before, so that what happened up to its end is read once more.
    const running = this.#isRunning(id);
    this.#reading = true;
    const answer = await this.#api.trace(id);
    this.#reading = false;
    if (this.#now?.id !== id) return;
    if (answer.ok) this.#set({ ...this.#now, trace: answer.value, error: undefined });
    else this.#set({ ...this.#now, error: answer.error });
    const again = answer.ok ? running || this.#isRunning(id) : answer.status === 0;
    if (again) this.#timer = setTimeout(() => void this.#read(id), againMs);
  }

  #set(call: OpenCall | undefined): void {
    this.#now = call;
    this.#onChange(call);
  }
}

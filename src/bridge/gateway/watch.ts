import type { Clock, Timer } from "../../core/index.ts";
import type { BridgeState } from "../state.ts";
import type { AgentStatus, GatewayLink } from "./link.ts";

export interface WatchOptions {
  readonly link: Pick<GatewayLink, "status" | "view">;
  readonly state: BridgeState;
  readonly clock: Clock;
  /** Somebody looks. */
  readonly often: () => boolean;
  /** Told of each answer. */
  readonly onStatus: (status: AgentStatus) => void;
}

const lookMs = 5000;
/** While nobody looks, every so many looks only: a thousand bridges ask. */
const seldom = 12;

/** Asks the gateway now and then how the agent stands. */
export class Watch {
  readonly #options: WatchOptions;
  #timer: Timer | undefined;
  #looks = 0;
  #closed = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  begin(): void {
    if (this.#looks++ % seldom !== 0 && !this.#options.often()) return this.#next();
    void this.#look().finally(() => this.#next());
  }

  /** Asks now; what came of it, in words. */
  async test(): Promise<string> {
    const before = this.#options.clock.now();
    await this.#look();
    const { reachable, problem, enrolled, gateway } = this.#options.link.view;
    if (problem !== undefined || !reachable || !enrolled) return `Failed: ${problem ?? "not enrolled"}`;
    return `${gateway} answered within ${Math.ceil(this.#options.clock.now() - before)} ms.`;
  }

  close(): void {
    this.#closed = true;
    this.#timer?.clear();
  }

  #next(): void {
    if (!this.#closed) this.#timer = this.#options.clock.setTimer(lookMs, () => this.begin());
  }

  async #look(): Promise<void> {
    const { link, state } = this.#options;
    const status = await link.status();
    if (this.#closed) return;
    if (status) this.#options.onStatus(status);
    const { inService, pageConnected } = state.view;
    const now = {
      inService: status?.inService ?? (link.view.reachable ? inService : undefined),
      pageConnected: status?.pageConnected,
    };
    if (now.inService === inService && now.pageConnected === pageConnected) return;
    state.change(now);
    if (now.pageConnected !== pageConnected && now.pageConnected !== undefined)
      state.tell(now.pageConnected ? "the page is connected" : "the page is not connected");
  }
}

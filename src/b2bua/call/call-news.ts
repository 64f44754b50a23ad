import type { HeaderPair } from "../../sip/index.ts";
import type { AgentLeg } from "../legs/agent-leg.ts";
import type { CallNotice } from "../clients/call-notices.ts";

/** What was told of a running call beside its dialog, kept for a page that was away meanwhile or is loaded anew. */
export class CallNews {
  readonly #agent: () => AgentLeg | undefined;
  #told: CallNotice | undefined;

  constructor(agent: () => AgentLeg | undefined) {
    this.#agent = agent;
  }

  /** Before there is a leg nothing is news: what rings the client, or answers it, says it all. */
  tell(notice: CallNotice): void {
    const agent = this.#agent();
    if (!agent) return;
    const headers = latest(this.#told?.headers ?? [], notice.headers ?? []);
    this.#told = { ...this.#told, ...notice, ...(headers.length > 0 ? { headers } : {}) };
    agent.tellCall(notice);
  }

  repeat(): void {
    if (this.#told) this.#agent()?.tellCall(this.#told);
  }
}

/** Of each header what was said last. No more than a call's data, which is bounded (`CallData`). */
function latest(former: readonly HeaderPair[], now: readonly HeaderPair[]): HeaderPair[] {
  const said = new Set(now.map(([name]) => name.toLowerCase()));
  return [...former.filter(([name]) => !said.has(name.toLowerCase())), ...now];
}

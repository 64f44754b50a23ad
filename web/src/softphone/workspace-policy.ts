import { Listeners } from "../shared/listeners.ts";
import type { Phone } from "./phone/phone.ts";
import type { SoundSettings } from "./sound/choices.ts";
import { policyOf, type Policy } from "./sound/policy.ts";
import { isLossOf, type DeviceNews } from "./sound/problems.ts";

export interface PolicyParts {
  readonly phone: Pick<Phone, "answer" | "onEvent" | "snapshot">;
  readonly sound: {
    readonly settings: Pick<SoundSettings, "apply">;
    onDevice(listener: (news: DeviceNews) => void): () => void;
  };
  /** Says why a call could not be answered. */
  told(text: string, problem: boolean): void;
}

/** Does what Workspace's options for its SIP endpoint say, wherever they come from. */
export class WorkspacePolicy {
  readonly #parts: PolicyParts;
  readonly #lost = new Listeners<void>();
  #policy: Policy = { sound: {} };

  constructor(parts: PolicyParts) {
    this.#parts = parts;
    parts.sound.onDevice((news) => {
      if (this.#policy.headsetUnpluggedNotReady && news.use === "microphone" && isLossOf(news))
        this.#lost.tell();
    });
    parts.phone.onEvent((event) => {
      if (event.kind === "incoming") void this.#answer(event.call.callId);
    });
  }

  /** Options by Workspace's names. What they do not say stays as it is. */
  apply(options: Readonly<Record<string, unknown>>): void {
    const policy = policyOf(options);
    this.#policy = { ...this.#policy, ...policy };
    this.#parts.sound.settings.apply(policy.sound);
  }

  /** The microphone in use is gone, and the agent is to be made not ready for that. @returns forgets the listener */
  onHeadsetLost(listener: () => void): () => void {
    return this.#lost.add(listener);
  }

  /** Only while nothing else runs: it would put another call on hold behind the agent's back. */
  async #answer(callId: string): Promise<void> {
    const { phone, told } = this.#parts;
    if (this.#policy.autoAnswer !== true || phone.snapshot.otherCalls.length > 0) return;
    const refusal = await phone.answer(callId);
    if (refusal !== undefined) told(refusal, true);
  }
}

import type { Logger } from "../../core/index.ts";
import type { MediaStatistics, Side } from "../../media/index.ts";
import type { AgentPresence } from "../../registrar/index.ts";
import type { CallTrace } from "../../trace/index.ts";
import { canResume } from "../clients/resume-ticket.ts";
import { CallMedia } from "../media/call-media.ts";
import {
  CallQuality,
  type CallQualityNow,
  type CallQualityRecord,
  type QualityNotice,
} from "../media/call-quality.ts";
import { MediaWatch } from "../media/media-watch.ts";
import { TracedMedia } from "../media/traced-media.ts";
import type { CallServices } from "./call-services.ts";

/** A client of the WRTC HTTP protocol offers its new transport within so long after it gave up the old one, ms. */
const renewalPatienceMs = 10_000;

/** What a call's sound needs of its call, and tells it. */
export interface CallSoundHost {
  readonly services: CallServices;
  readonly presence: AgentPresence;
  readonly log: Logger;
  readonly trace: CallTrace | undefined;
  readonly ended: () => boolean;
  /** `CallMedia.active` has changed. */
  readonly onActive: (active: boolean) => void;
  readonly onQuality: (notice: QualityNotice) => void;
  /** The session is over, by itself too; undefined: its worker died. */
  readonly onClosed: (reason: string, statistics: MediaStatistics | undefined) => void;
}

/** A call's session at the relay: opens it, and follows whether sound flows there and how good it is. */
export class CallSound {
  readonly #host: CallSoundHost;
  readonly #quality: CallQuality;
  readonly #watch: MediaWatch;
  #media: CallMedia | undefined;

  constructor(host: CallSoundHost) {
    const { context, quality } = host.services;
    this.#host = host;
    this.#quality = new CallQuality(quality);
    this.#watch = new MediaWatch(context.clock, () => this.#media?.quiet === true);
  }

  /** Undefined before it is open. */
  get media(): CallMedia | undefined {
    return this.#media;
  }

  /** How it sounds now. */
  get quality(): CallQualityNow {
    return this.#quality.now;
  }

  /** How it sounded, by the last counters. */
  record(statistics: MediaStatistics | undefined): CallQualityRecord | undefined {
    return this.#quality.record(statistics);
  }

  /** See `MediaWatch`. */
  flows(side: Side): boolean {
    return this.#watch.flows(side);
  }

  get trunkSilent(): boolean {
    return this.#watch.trunkSilent;
  }

  /** Rejects as `MediaPool.open` does. Undefined: the call ended meanwhile. */
  async open(): Promise<CallMedia | undefined> {
    const { services, log, trace, ended, onActive, onClosed, onQuality } = this.#host;
    const opened = await services.media.open();
    const session = trace ? new TracedMedia(opened, trace) : opened;
    if (ended()) {
      session.close("call ended during set-up");
      return undefined;
    }
    session.events.on("closed", onClosed);
    session.events.on("quality", (statistics) => {
      this.#watch.note(statistics);
      const notice = this.#quality.note(statistics);
      if (notice) onQuality(notice);
    });
    session.events.on("idle", (side, silentMs) => log.warn({ side, silentMs }, "no media"));
    const { codecs, context } = services;
    const media = new CallMedia(session, codecs, context.random, onActive, log.child({ machine: "hold" }));
    media.farewellMs = this.#farewellMs();
    return (this.#media = media);
  }

  /** How long the session outlives its browser's goodbye; undefined: the relay's own. */
  #farewellMs(): number | undefined {
    const { presence, services } = this.#host;
    // A page that is loaded anew closes its media first.
    if (canResume(presence)) return services.callGraceMs;
    // The library of these renews its PeerConnection in a call: it closes the old one, then gathers candidates anew.
    return presence.kind === "wrtc" ? renewalPatienceMs : undefined;
  }

  /** Closes the session; false: there is none. */
  close(reason: string): boolean {
    this.#media?.session.close(reason);
    return this.#media !== undefined;
  }
}

import { CometD } from "cometd";
import type { GwsSettings } from "./settings.ts";

export interface EventOwner {
  /** What GWS tells; anybody may have written it. */
  event(data: unknown): void;
  /** Events come, anew or again: what happened meanwhile was missed. */
  up(): void;
  /** No events come; tried again by itself. */
  down(): void;
}

/** The events of GWS. */
export interface Events {
  /** Idempotent. */
  close(): void;
}

export type OpenEvents = (
  settings: GwsSettings,
  headers: Record<string, string>,
  owner: EventOwner,
) => Events;

const TOPICS = ["/v2/me/calls", "/v2/me/devices", "/v2/me", "/notifications/services"];
const RETRY_STEP_MS = 1000;
const LONGEST_RETRY_MS = 10_000;
const PATIENCE_MS = 10_000;

/**
 * CometD with the session cookie, over the first transport that both sides can do; comes back by itself.
 * @param headers of each request by long-polling: the CSRF token, read when it is sent
 */
export const openEvents: OpenEvents = (settings, headers, owner) => {
  const cometd = new CometD();
  for (const type of cometd.getTransportTypes())
    if (!settings.transports.includes(type)) cometd.unregisterTransport(type);
  cometd.configure({
    url: `${settings.url}${settings.cometd}`,
    // Its worker would be a script of no address, which our Content-Security-Policy does not let run.
    useWorkerScheduler: false,
    logLevel: "warn",
    backoffIncrement: RETRY_STEP_MS,
    maxBackoff: LONGEST_RETRY_MS,
    maxNetworkDelay: PATIENCE_MS,
    connectTimeout: PATIENCE_MS,
    requestHeaders: headers,
  });
  let up = false;
  let closed = false;
  const moved = (now: boolean): void => {
    if (closed || up === now) return;
    up = now;
    if (now) owner.up();
    else owner.down();
  };
  cometd.addListener("/meta/handshake", ({ successful }) => {
    if (successful !== true) return moved(false);
    cometd.batch(() => {
      for (const topic of TOPICS)
        cometd.subscribe(topic, ({ data }: { data?: unknown }) => {
          if (!closed) owner.event(data);
        });
    });
    // A session that GWS has forgotten is begun anew without a word in between.
    moved(false);
  });
  cometd.addListener("/meta/connect", ({ successful }) => moved(successful === true));
  cometd.handshake();
  return {
    close() {
      if (closed) return;
      closed = true;
      cometd.disconnect();
      cometd.clearListeners();
    },
  };
};

import type { Config } from "./types.ts";

/** What the softphone page must know to sign in at GWS. */
export interface GwsPageSettings {
  /** Origin of GWS. */
  readonly url: string;
  readonly api: string;
  readonly cometd: string;
  readonly channels: readonly string[];
  readonly transports: readonly string[];
  readonly call_control: "gws" | "sip";
  readonly states: readonly string[];
  readonly dtmf_field: string;
  readonly keep_alive_seconds: number;
}

/** Null: the page has nothing to do with GWS. */
export function gwsPageSettings({ gws }: Config): GwsPageSettings | null {
  if (gws.url === undefined) return null;
  return {
    url: gws.url,
    api: gws.apiPath,
    cometd: gws.cometdPath,
    channels: gws.channels,
    transports: gws.transports,
    call_control: gws.callControl,
    states: gws.states,
    dtmf_field: gws.dtmfField,
    keep_alive_seconds: gws.keepAliveSeconds,
  };
}

/** Origins of GWS that the page's Content-Security-Policy must let it connect to: HTTP and WebSocket. */
export function gwsOrigins({ gws }: Config): readonly string[] {
  return gws.url === undefined ? [] : [gws.url, gws.url.replace(/^http/, "ws")];
}

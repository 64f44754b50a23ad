import type { Config } from "./types.ts";

/** What the softphone page must know to sign in at GWS: `gws` of `GET /settings.json`. It holds no secret. */
export interface GwsPageSettings {
  /** Origin of GWS. */
  readonly url: string;
  readonly api: string;
  readonly cometd: string;
  readonly channels: readonly string[];
  readonly transports: readonly string[];
  readonly callControl: "gws" | "sip";
  readonly states: readonly string[];
  readonly dtmfField: string;
  readonly keepAliveSeconds: number;
}

/** Null: the page has nothing to do with GWS. */
export function gwsPageSettings({ gws }: Config): GwsPageSettings | null {
  const { url, apiPath, cometdPath, channels, transports, callControl, states, dtmfField, keepAliveSeconds } =
    gws;
  if (url === undefined) return null;
  return {
    url,
    api: apiPath,
    cometd: cometdPath,
    channels,
    transports,
    callControl,
    states,
    dtmfField,
    keepAliveSeconds,
  };
}

/** Origins of GWS that the page's Content-Security-Policy must let it connect to: HTTP and WebSocket. */
export function gwsOrigins({ gws }: Config): readonly string[] {
  return gws.url === undefined ? [] : [gws.url, gws.url.replace(/^http/, "ws")];
}

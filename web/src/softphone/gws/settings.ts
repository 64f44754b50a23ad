import { member } from "../../shared/json.ts";
import { text, words } from "./json.ts";

/** How GWS is reached and used: `gws` of the gateway's `settings.json`. */
export interface GwsSettings {
  /** Origin of GWS. */
  readonly url: string;
  readonly api: string;
  readonly cometd: string;
  readonly channels: readonly string[];
  readonly transports: readonly string[];
  readonly callControl: "gws" | "sip";
  /** Agent states on offer, as the operations are named. */
  readonly states: readonly string[];
  /** Field of SendDtmf that carries the digits. */
  readonly dtmfField: string;
  readonly keepAliveSeconds: number;
}

const USUAL = { api: "/api/v2", cometd: "/genesys/cometd", dtmfField: "digits", keepAliveSeconds: 600 };

/** `gws` of settings.json; undefined where the gateway has none configured. */
export function readGwsSettings(value: unknown): GwsSettings | undefined {
  const url = text(value, "url");
  if (!URL.canParse(url)) return undefined;
  const or = (found: readonly string[], usual: readonly string[]): readonly string[] =>
    found.length > 0 ? found : usual;
  const seconds = member(value, "keep_alive_seconds");
  return {
    url: new URL(url).origin,
    api: text(value, "api") || USUAL.api,
    cometd: text(value, "cometd") || USUAL.cometd,
    channels: or(words(member(value, "channels")), ["voice"]),
    transports: or(words(member(value, "transports")), ["websocket", "long-polling"]),
    callControl: text(value, "call_control") === "sip" ? "sip" : "gws",
    states: or(words(member(value, "states")), ["Ready", "NotReady"]),
    dtmfField: text(value, "dtmf_field") || USUAL.dtmfField,
    keepAliveSeconds: typeof seconds === "number" && seconds >= 30 ? seconds : USUAL.keepAliveSeconds,
  };
}

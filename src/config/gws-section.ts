import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

const operation = z.string().regex(/^[A-Za-z]{1,40}$/);
const field = z.string().regex(/^[A-Za-z]\w{0,40}$/);

/** The softphone page at Genesys Web Services. */
export const gws = section(
  "Genesys Web Services, which the softphone page signs in at beside SIP (docs/gws.md). Off unless an address is set.",
  {
    url: key(types.origin.optional(), {
      text: "Where GWS answers: scheme, host and port. Browsers must reach it.",
      expects: "an origin: scheme, host and port, no path",
      example: '"https://gws.example.com"',
    }),
    allowInsecure: key(z.boolean().default(false), {
      text: "RISK: GWS over plain HTTP on another host. The agent's GWS password travels in the clear.",
      expects: expects.boolean,
    }),
    apiPath: key(types.path.default("/api/v2"), {
      text: "Path of the API.",
      expects: "a path that begins with /",
    }),
    cometdPath: key(types.path.default("/genesys/cometd"), {
      text: "Path of the events (CometD).",
      expects: "a path that begins with /",
    }),
    channels: key(z.array(operation).min(1).default(["voice"]), {
      text: "Channels of StartContactCenterSession.",
      expects: "a list of channel names",
      example: "[voice]",
    }),
    transports: key(
      z
        .array(z.enum(["websocket", "long-polling"]))
        .min(1)
        .default(["websocket", "long-polling"]),
      {
        text: "How events come, the first that both sides can do. long-polling alone: where a proxy lets no WebSocket through.",
        expects: "a list of websocket, long-polling",
        example: "[long-polling]",
      },
    ),
    callControl: key(z.enum(["gws", "sip"]).default("gws"), {
      text: "gws: the page dials, answers, holds and transfers through GWS, and by SIP where GWS cannot. sip: GWS shows data and agent states, calls are controlled by SIP.",
      expects: "gws or sip",
    }),
    states: key(z.array(operation).min(1).max(20).default(["Ready", "NotReady"]), {
      text: "Agent states on offer, as GWS names the operations: Ready, NotReady, AfterCallWork, AuxWork, Offline.",
      expects: "a list of operation names",
      example: "[Ready, NotReady, AfterCallWork]",
    }),
    dtmfField: key(field.default("digits"), {
      text: "Field of SendDtmf that carries the digits. Not documented: see what your GWS takes.",
      expects: "a name of letters, digits and _",
    }),
    keepAliveSeconds: key(types.seconds(30, 3600).default(600), {
      text: "The page asks GWS for its devices and calls this often, so that the HTTP session (GWS: 1800 s) does not end; seconds.",
      expects: "seconds from 30 to 3600",
    }),
  },
  { reload: true },
);

import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

/** None, or one to four segments. */
const prefix = z.string().regex(/^(?:\/\w[\w.-]{0,63}){0,4}$/);

/** Clients of the Genesys WebRTC Gateway: grtc.js over HTTP. */
export const wrtc = section(
  "Pages written for the Genesys WebRTC Gateway (grtc.js, WRTC 8.5.2), which sign in and call over HTTP. Off unless enabled.",
  {
    enabled: key(z.boolean().default(false), {
      text: "Serve them on the HTTP(S) port. They sign in with their DN and its password, as softphones do.",
      expects: expects.boolean,
    }),
    paths: key(
      z
        .array(key(prefix, { text: "", expects: "a path such as /wrtc, or empty" }))
        .min(1)
        .max(8)
        .default(["/wrtc", "/api/webrtc"]),
      {
        text: "Paths below which they find sign_in, wait, message and sign_out: what stands behind the host in their webrtc_gateway. Empty: right behind it.",
        expects: "a list of 1 to 8 paths without a slash at the end, of up to four segments; or empty",
        example: '["", "/wrtc"]',
      },
    ),
    origins: key(
      z
        .array(key(types.origin, { text: "", expects: "an origin: scheme, host and port, no path" }))
        .default([]),
      {
        reload: true,
        text: "Pages of other origins that may use it, by origin (scheme, host, port). The gateway's own need not be named.",
        expects: "a list of origins",
        example: '["https://agents.example.com"]',
      },
    ),
    allowAnonymous: key(z.boolean().default(false), {
      reload: true,
      text: "RISK: sign-in without a password. Every page allowed takes any DN it names, and its calls; and who names none (connect()) calls out all the same. Without TLS here, pages of the gateway's own name are taken only by address, as localhost, or where wrtc.origins names them (DNS rebinding).",
      expects: expects.boolean,
    }),
    waitSeconds: key(types.seconds(0, 3600).default(25), {
      reload: true,
      text: "Seconds after which a poll that nothing came for is ended; below the client's polling_timeout (30 s unless its page says otherwise) and the idle limit of proxies. 0: never, for clients of version 1.0, whose polls have no limit.",
      expects: "seconds from 0 to 3600",
    }),
    waitSecondsHttp1: key(types.seconds(1, 3600).default(8), {
      reload: true,
      text: "The same for polls by HTTP/1.1, where each holds one of the six connections that a browser has for a host. A proxy in front that speaks HTTP/2 to browsers: set it as waitSeconds.",
      expects: "seconds from 1 to 3600",
    }),
    expirySeconds: key(types.seconds(15, 3600).default(150), {
      reload: true,
      text: "Seconds after its last poll when a client is taken for lost: its call ends, its DN is un-registered. Browsers let hidden tabs wait for up to a minute.",
      expects: "seconds from 15 to 3600",
    }),
    sessionHours: key(z.number().min(0.1).max(24).default(12), {
      reload: true,
      text: "Hours after its sign-in in which a client that polls is signed in again by itself, e.g. after a restart of the gateway; later it has to sign in anew. Needs agents.tokens.keyFile or admin.token.",
      expects: "hours from 0.1 to 24",
    }),
    sessionsPerDn: key(z.int().min(1).max(100).default(5), {
      reload: true,
      text: "Clients of one DN at one time. A page that is loaded anew may leave one behind until it expires.",
      expects: "a number from 1 to 100",
    }),
    maxSessions: key(z.int().min(1).max(100_000).default(4000), {
      reload: true,
      text: "Clients at one time, all DNs together.",
      expects: "a number from 1 to 100000",
    }),
    simple: section("The simple variant on the same paths: bare SDP, ids of the clients' own.", {
      passwordInQuery: key(z.boolean().default(false), {
        reload: true,
        text: "RISK: a password is taken in the query of sign_in (GET sign_in?id=...&dn=...&password=...). Addresses stay in histories and in logs of proxies.",
        expects: expects.boolean,
      }),
    }),
    node: key(
      z
        .string()
        .regex(/^[\dA-Za-z]{0,16}$/)
        .default(""),
      {
        text: "Name of this gateway at the beginning of its sessions' ids, up to the first _, for balancers that route by it.",
        expects: "at most 16 letters and digits",
        example: "gw1",
      },
    ),
  },
);

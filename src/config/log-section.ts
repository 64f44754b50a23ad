import { z } from "zod";
import { key, section } from "./keys.ts";

const level = z.enum(["fatal", "error", "warn", "info", "debug", "trace", "silent"]);
const levelText = "fatal, error, warn, info, debug, trace or silent";

const room = (text: string) =>
  key(level.optional(), { text, expects: levelText, defaultText: "as `log.level`", example: "debug" });

/** The log; a test keeps the rooms the same as in src/core. */
export const log = section(
  "Log lines on standard output. Levels can be changed at run time, for a time or for good, by the dashboard or the admin API.",
  {
    level: key(level.default("info"), {
      reload: true,
      text: "Least level that is written; acts of administrators (the audit log) are at any level.",
      expects: levelText,
    }),
    rooms: section(
      "Levels of parts of the gateway, in place of `log.level`; `room` in each line says whose it is.",
      {
        admin: room("Dashboard and admin API."),
        b2bua: room("Calls and their legs."),
        cli: room("Start, stop, reload."),
        media: room("ICE, DTLS, sound."),
        records: room("Call records to a file and a webhook."),
        registrar: room("Agents' sign-ins, registrations at SIP Server."),
        sip: room("Messages, transactions, connections to SIP Server."),
        telemetry: room("HEP and OpenTelemetry."),
        wrtc: room("Clients of the WRTC HTTP protocol."),
        ws: room("HTTPS, WebSocket connections, certificates."),
      },
      { reload: true },
    ),
    format: key(z.enum(["auto", "json", "pretty"]).default("auto"), {
      text: "json: one object a line. pretty: for people. auto: pretty where standard output is a terminal, else json.",
      expects: "auto, json or pretty",
    }),
  },
);

import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

const headerPattern = z.string().regex(/^[\w!%'*+.`~-]{1,64}$/);

const numberRule = key(
  z.strictObject({
    match: key(types.dialPattern, {
      text: "The number as dialled, without separators. X: a digit, Z: 1-9, N: 2-9; a last . stands for one or more characters, a last ! for any number of them; all else for itself.",
      expects: expects.dialPattern,
      example: '"0XXX."',
    }),
    action: key(z.enum(["allow", "deny"]).default("allow"), {
      text: "deny: the call gets 403, and the page says so.",
      expects: "allow or deny",
    }),
    strip: key(z.int().min(0).max(32).default(0), {
      text: "Characters taken off the front.",
      expects: "a number from 0 to 32",
    }),
    prefix: key(types.dialPrefix.default(""), {
      text: "Put in front after that.",
      expects: expects.dialPrefix,
    }),
  }),
  { text: "", expects: "a map with match", example: '{ match: "00.", strip: 2, prefix: "+" }' },
);

/** What holds for all calls. */
export const calls = section(
  "Calls.",
  {
    headersToPage: key(
      z
        .array(key(headerPattern, { text: "", expects: "the name of a header; * stands for anything" }))
        .max(64)
        .default([
          "P-Asserted-Identity",
          "Diversion",
          "History-Info",
          "User-to-User",
          "X-Genesys-*",
          "Call-Info",
          "Alert-Info",
        ]),
      {
        text: "Headers of SIP Server's that clients may read, as they came; * stands for anything. Those that SIP itself runs by never cross, and auto-answer orders are cut out of Call-Info and Alert-Info.",
        expects: "a list of header names",
        example: '["P-Asserted-Identity", "X-Genesys-*"]',
      },
    ),
    preanswerSeconds: key(types.seconds(1, 60).default(5), {
      text: "Seconds a client with preanswer has to answer by itself; then it is rung anew for its user.",
      expects: "seconds from 1 to 60",
    }),
    outbound: section(
      "Calls that agents dial in the page. They go to SIP Server whatever host was dialled.",
      {
        rules: key(z.array(numberRule).max(200).default([]), {
          text: "Rules for the numbers, in order: the first that matches decides; a number that none matches goes as dialled. There is no exception for emergency numbers: write none that denies them.",
          expects: "a list of rules",
          example: '[{ match: "0900.", action: deny }, { match: "00.", strip: 2, prefix: "+" }]',
        }),
        identity: key(z.enum(["none", "preferred", "asserted"]).default("none"), {
          text: "Names the DN in P-Preferred-Identity or P-Asserted-Identity (RFC 3325) too, besides From.",
          expects: "none, preferred or asserted",
        }),
        privacy: key(z.enum(["never", "on-request", "always"]).default("on-request"), {
          text: "Privacy: id (RFC 3325) to SIP Server. on-request: where the page's INVITE has Privacy: id, or the number begins with privacyPrefix. From names the DN in any case.",
          expects: "never, on-request or always",
        }),
        privacyPrefix: key(types.dialPrefix.default(""), {
          text: "Dialled before a number, asks for privacy and is taken off before the rules; empty: no such prefix.",
          expects: expects.dialPrefix,
          example: '"*31"',
        }),
      },
    ),
  },
  { reload: true },
);

export const trace = section(
  "Ladders of the last calls, kept in memory and told by the admin API (docs/trace.md). Off where admin has neither token nor users.",
  {
    calls: key(z.int().min(0).max(10_000).default(500), {
      text: "Calls kept, running ones included; 0: none.",
      expects: "a number from 0 to 10000",
    }),
    megabytes: key(z.number().min(1).max(1024).default(32), {
      text: "Memory all ladders may take, MB; beyond it the oldest go.",
      expects: "a number from 1 to 1024",
    }),
    showDigits: key(z.boolean().default(false), {
      text: "RISK: shows the keys pressed in calls (DTMF), among them PINs and card numbers. Otherwise each is a dot.",
      expects: expects.boolean,
    }),
  },
);

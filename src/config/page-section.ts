import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

/** What the softphone page is told before anybody has signed in; `pageSettings` makes `/settings.json` of it. */
export const page = section(
  "The softphone page and the pages it is embedded in.",
  {
    mode: key(z.enum(["phone", "audio"]).default("phone"), {
      text: "phone: the whole softphone. audio: sound only; calls are made, answered and ended in the desktop (WWE). The address with #mode=audio behind it is audio too.",
      expects: "phone or audio",
    }),
    embedding: section("Pages of other origins that show the softphone in a frame.", {
      origins: key(
        z
          .array(key(types.origin, { text: "", expects: "an origin: scheme, host and port, no path" }))
          .default([]),
        {
          text: "Pages that may show the softphone in a frame and exchange messages with it, by origin (scheme, host, port), e.g. WWE's. The gateway's own need not be named.",
          expects: "a list of origins",
          example: '["https://wwe.example.com"]',
        },
      ),
    }),
    workspaceOptions: key(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}), {
      text: "Options by the names that Workspace gives its SIP endpoint, for a page that nobody gives them to (docs/softphone-sound.md): defaults for sound, answering by itself, not ready without headset.",
      expects: "names and values of options",
      example: '{ "policy.session.agc_mode": "1" }',
    }),
    allowPasswordInUrl: key(z.boolean().default(false), {
      text: "RISK: lets the page take the password from its address (#dn=...&password=...). Addresses stay in histories, bookmarks and logs of others; a short-lived token (#token=...) is the safe way.",
      expects: expects.boolean,
    }),
  },
  { reload: true },
);

import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

export const metrics = section(
  "Figures for Prometheus at /metrics (docs/metrics.md). On the HTTP(S) port where there is a token: this one, or admin.token.",
  {
    token: key(types.adminToken.optional(), {
      text: "Who sends it as Authorization: Bearer may read /metrics, and nothing else. The admin token, and who is signed in at /admin/, may read it too. Make one with: openssl rand -hex 32",
      expects: expects.adminToken,
      secret: true,
    }),
    tokenFile: key(types.file.optional(), { text: "File with that token.", expects: expects.file }),
    listen: key(
      z
        .strictObject({
          host: key(types.ipv4.default("127.0.0.1"), {
            text: "Local address to bind. On loopback /metrics asks for no token there, elsewhere it does.",
            expects: expects.ipv4,
          }),
          port: key(types.port, {
            text: "Port to listen on, plain HTTP; it serves /metrics and /health.",
            expects: expects.port,
            example: "9464",
          }),
          allowWithoutToken: key(z.boolean().default(false), {
            text: "RISK: no token is asked for on an address other than loopback either. Whoever reaches it sees how many agents and calls there are.",
            expects: expects.boolean,
          }),
        })
        .optional(),
      {
        text: "A listener of its own for /metrics and /health, besides the HTTP(S) port.",
        expects: "a map with host and port",
        example: "{ host: 127.0.0.1, port: 9464 }",
      },
    ),
  },
);

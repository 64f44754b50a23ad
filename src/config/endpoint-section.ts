import { z } from "zod";
import { expects, key, parseServerAddress, section, types } from "./keys.ts";

/** WWE's SIP endpoint API. */
export const endpoint = section(
  "What Workspace Web Edition asks of its SIP endpoint, served at /endpoint/{token}/... (docs/endpoint.md).",
  {
    enabled: key(z.boolean().default(false), {
      text: "Serve it. Tokens are issued by the admin API and made from agents.tokens.keyFile, else admin.token: changing that ends them all.",
      expects: expects.boolean,
    }),
    origins: key(z.array(key(types.origin, { text: "", expects: "an origin" })).default([]), {
      reload: true,
      text: "Origins of WWE's pages, which may ask from another site. None is needed where agents have the bridge.",
      expects: "a list of origins",
      example: '["https://wwe.example.com"]',
    }),
    hosts: key(z.array(key(types.hostName, { text: "", expects: expects.hostName })).default([]), {
      reload: true,
      text: "Names and addresses by which browsers reach the gateway; a request to another one is refused (DNS rebinding). *. stands for one label.",
      expects: "a list of host names and IPv4 addresses",
      example: '["gateway.example.com"]',
      defaultText: "those of the certificate, and http.host",
    }),
    sipServerNames: key(
      z
        .array(
          key(
            z.string().refine((text) => !text.includes(";") && parseServerAddress(text) !== undefined),
            { text: "", expects: "host or host:port" },
          ),
        )
        .default([]),
      {
        reload: true,
        text: "Further names by which WWE may call SIP Server, besides those of sipServer.addresses and where they lead.",
        expects: "a list of host or host:port",
        example: '["sip-server.corp.example:5060"]',
      },
    ),
    revokedTokens: key(
      z
        .array(key(z.string().regex(/^[\da-f]{16}$/), { text: "", expects: "16 hexadecimal digits" }))
        .default([]),
      {
        reload: true,
        text: "Ids of agents' tokens that open nothing any more; the id came with the token.",
        expects: "a list of ids of 16 hexadecimal digits",
        example: '["0f3a9c5b7d2e4f60"]',
      },
    ),
  },
);

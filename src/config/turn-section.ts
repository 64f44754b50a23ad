import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

/** RFC 7065 3.1, IPv4 address or name; browsers speak TURN over UDP, TCP and TLS, none over DTLS. */
const turnUrl =
  /^(?:turn:[\w.-]{1,253}(?::\d{1,5})?(?:\?transport=(?:udp|tcp))?|turns:[\w.-]{1,253}(?::\d{1,5})?(?:\?transport=tcp)?)$/;

/** What coturn has as static-auth-secret; long enough not to be guessed from credentials made with it. */
export const turnSecret = /^[\x21-\x7e]{16,256}$/;
export const turnSecretWords = "a text of 16 to 256 letters, digits and signs, no spaces";

const url = key(z.string().regex(turnUrl), {
  text: "",
  expects: "turn:HOST[:PORT][?transport=udp|tcp] or turns:HOST[:PORT][?transport=tcp]",
});

/** TURN servers for browsers that cannot send UDP to the gateway. */
export const turn = section(
  "TURN servers for browsers that cannot send UDP to the gateway (docs/turn.md). Off unless an address is set.",
  {
    urls: key(z.array(url).max(8).default([]), {
      text: "Addresses of the same TURN server, or of several with one secret. Of what does not answer a browser takes no notice, so name UDP, TCP and TLS.",
      expects: "a list of at most 8 turn: and turns: addresses",
      example:
        '["turn:turn.example.com:3478?transport=udp", "turn:turn.example.com:3478?transport=tcp", "turns:turn.example.com:443?transport=tcp"]',
    }),
    secret: key(z.string().regex(turnSecret).optional(), {
      text: "Secret shared with the TURN server (coturn: use-auth-secret, static-auth-secret), from which the credentials of signed-in pages are made. Make one with: openssl rand -hex 32",
      expects: turnSecretWords,
      secret: true,
    }),
    secretFile: key(types.file.optional(), {
      text: "File with that secret.",
      expects: expects.file,
      example: "/run/secrets/turn",
    }),
    lifetimeSeconds: key(types.seconds(60, 86_400).default(7200), {
      text: "Seconds that credentials are good for; pages get new ones after half of it. What a TURN server relays already goes on.",
      expects: "seconds from 60 to 86400",
    }),
    policy: key(z.enum(["all", "relay"]).default("all"), {
      text: "all: a page sends straight to the gateway where it can. relay: by TURN alone (iceTransportPolicy), where nothing else may reach the gateway; without a TURN server there are no calls then.",
      expects: "all or relay",
    }),
  },
  { reload: true },
);

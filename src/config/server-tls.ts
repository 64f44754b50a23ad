import { z } from "zod";
import { expects, key, types } from "./keys.ts";

/** `sipServer.tls` of the schema. */
export const serverTls = key(
  z
    .strictObject({
      ca: key(types.file.optional(), {
        text: "PEM file with the authorities whose certificates are taken, SIP Server's own if it is self-signed. Left out: the public ones that Node knows.",
        expects: expects.file,
        example: "sip-server-ca.pem",
      }),
      cert: key(types.file, {
        text: "PEM file with the gateway's certificate and its chain: for SIP Server's connections to the gateway, and shown to SIP Server where it asks for one (mutual TLS).",
        expects: expects.file,
        example: "sip-cert.pem",
      }),
      key: key(types.file, {
        text: "PEM file with the private key of that certificate.",
        expects: expects.file,
        example: "sip-key.pem",
      }),
      requirePeerCertificate: key(z.boolean().default(true), {
        text: "Who connects to the gateway must show a certificate of those authorities. false: the address alone tells who it is, for a SIP Server that shows none.",
        expects: expects.boolean,
      }),
      allowUnverified: key(z.boolean().default(false), {
        text: "RISK: takes any certificate of SIP Server's, whoever made it and for whatever name: who can stand in between hears and changes everything.",
        expects: expects.boolean,
      }),
    })
    .optional(),
  {
    text: "TLS 1.2 or 1.3 with SIP Server; its certificate must be for the name or address in sipServer.addresses. Read at start.",
    expects: "a map with cert and key",
    example: "{ ca: sip-server-ca.pem, cert: sip-cert.pem, key: sip-key.pem }",
  },
);

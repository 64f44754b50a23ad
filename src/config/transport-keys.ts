import { z } from "zod";
import { expects, key, sipTransports, types } from "./keys.ts";

/** `sipServer.tls` of the schema. */
const serverTls = key(
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
    text: "TLS 1.2 or 1.3 with SIP Server; its certificate must be for the name or address in sipServer.addresses. The files are read again when they change, for new connections.",
    expects: "a map with cert and key",
    example: "{ ca: sip-server-ca.pem, cert: sip-cert.pem, key: sip-key.pem }",
  },
);

/** How SIP goes to SIP Server: keys of `sipServer`. */
export const transportKeys = {
  transport: key(z.enum(sipTransports).default("udp"), {
    text: "How SIP goes to SIP Server and comes from it: sockets are bound for what the addresses use and for nothing else. tcp, tls: one connection for each address is kept up, and SIP Server may connect to sip.port. tls takes sipServer.tls.",
    expects: "udp, tcp or tls",
  }),
  pingSeconds: key(types.seconds(0, 3600).default(30), {
    text: "Seconds between CRLF pings on connections to SIP Server (RFC 5626); 0: none. No answer ends a connection only where earlier ones were answered.",
    expects: "seconds from 0 to 3600",
  }),
  tls: serverTls,
};

/** SRTP toward SIP Server's side: keys of `media`. */
export const trunkSrtpKeys = {
  trunkSrtp: key(z.enum(["off", "accept", "offer", "require"]).default("off"), {
    reload: true,
    text: "SRTP toward SIP Server's side, its keys in SDP (RFC 4568, AES_CM_128_HMAC_SHA1_80 and _32). off: plain RTP only. accept: plain RTP is offered, what SIP Server offers is answered in kind. offer: SRTP is offered, answered in kind; a far side that refuses it with 488 is not asked again in plain. require: SRTP only. Needs sipServer.transport: tls.",
    expects: "off, accept, offer or require",
  }),
  allowKeysInClear: key(z.boolean().default(false), {
    reload: true,
    text: "RISK: trunkSrtp also where SIP goes by UDP or TCP: who sees the signalling has the keys and hears the calls.",
    expects: expects.boolean,
  }),
};

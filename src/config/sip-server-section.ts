import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";
import { transportKeys } from "./transport-keys.ts";

/** SIP Server: where it is, how its DNs are registered and its calls are treated. */
export const sipServer = key(
  z.strictObject({
    addresses: key(
      z
        .array(
          key(types.server, {
            text: "",
            expects: "host:port, an IPv4 address or a name",
            example: "192.0.2.10:5060",
          }),
        )
        .min(1),
      {
        text: "SIP Server's addresses as host:port, preferred first. A name stands for all its A records (SIP Proxy pools; 32 at most); one without a port for its SRV records, where it has some. An address without a port: 5060, for TLS 5061. ;transport=tcp behind one stands in place of sipServer.transport.",
        expects: "a list of one or more host:port",
        example: '["192.0.2.10:5060"]',
      },
    ),
    ...transportKeys,
    scheme: key(z.enum(["active-backup", "business-continuity"]).default("active-backup"), {
      text: "active-backup: every DN is registered at one address, the next ones stand in while it fails; also for a hot-standby pair behind one address. business-continuity: every address is an active peer, each DN is registered at all of them at a time, calls go out by the first.",
      expects: "active-backup or business-continuity",
    }),
    lookupSeconds: key(types.seconds(5, 86_400).default(60), {
      text: "Seconds between lookups of the names among the addresses. They are also looked up when no address answers.",
      expects: "seconds from 5 to 86400",
    }),
    failBackSeconds: key(types.seconds(0, 3600).default(90), {
      text: "Seconds a preferred address must answer again before the DNs go back to it; running calls stay.",
      expects: "seconds from 0 to 3600",
    }),
    allow: key(z.array(key(types.ipv4OrNet, { text: "", expects: "an IPv4 address or net" })).default([]), {
      text: "Addresses and nets that may send SIP to the gateway, besides the addresses above; all else is dropped.",
      expects: "a list of IPv4 addresses or nets",
      example: '["192.0.2.0/24"]',
    }),
    optionsSeconds: key(types.seconds(0, 3600).default(15), {
      text: "Seconds between OPTIONS to each address; 0: none.",
      expects: "seconds from 0 to 3600",
    }),
    sessionTimer: section("Session timers toward SIP Server (RFC 4028).", {
      mode: key(z.enum(["on", "ignore"]).default("on"), {
        text: "on: SIP Server's timers are agreed to, and it refreshes; a call ends by its timer only when neither a refresh nor sound came. ignore: as if there were none, the way of Genesys Softphone.",
        expects: "on or ignore",
      }),
      offerSeconds: key(z.union([z.literal(0), z.int().min(90).max(86_400)]).default(1800), {
        text: "Seconds offered for calls the agent dials; 0: none.",
        expects: "0, or seconds from 90 to 86400",
      }),
      minSeconds: key(z.int().min(90).max(86_400).default(90), {
        text: "Shortest interval taken; SIP Server is refused a shorter one with 422.",
        expects: "seconds from 90 to 86400",
      }),
    }),
    reliableRinging: key(z.enum(["required", "supported"]).default("required"), {
      text: "When 180 is sent reliably (RFC 3262). required: where SIP Server requires it. supported: already where it supports it.",
      expects: "required or supported",
    }),
    shutdownStatus: key(z.union([z.literal(0), z.int().min(400).max(699)]).default(603), {
      text: "Status by which SIP Server refuses new calls while it shuts down (its shutdown-sip-reject-code): the agent's call then goes to the next address, unless it has rung already. 0: it never does.",
      expects: "0, or a status from 400 to 699",
    }),
    registration: section("REGISTER of each DN at SIP Server.", {
      mode: key(z.enum(["on-sign-in", "all"]).default("on-sign-in"), {
        text: "on-sign-in: a DN is registered while its browser is signed in. all: every DN of agents, always; SIP Server then takes absent agents for present and sends them calls, which get 480.",
        expects: "on-sign-in or all",
      }),
      expires: key(z.int().min(60).max(86_400).default(300), {
        text: "Seconds asked for; refreshed at about three quarters.",
        expects: "seconds from 60 to 86400",
      }),
      perSecond: key(z.number().min(0.1).max(1000).default(25), {
        text: "REGISTER requests a second at most, all DNs together.",
        expects: "a number from 0.1 to 1000",
      }),
    }),
    auth: section(
      "Digest toward SIP Server, where it asks for it.",
      {
        username: key(types.word.default("{dn}"), {
          text: "User name; {dn} stands for the DN.",
          expects: "a text of 1 to 64 characters without quotes",
        }),
        password: key(z.string().max(256).default(""), {
          text: "Password; {dn} stands for the DN. Empty: none, a challenge then fails.",
          expects: "a text of at most 256 characters",
          secret: true,
        }),
        passwordFile: key(types.file.optional(), { text: "File with that password.", expects: expects.file }),
      },
      { reload: true },
    ),
  }),
  {
    text: "The Genesys SIP Server. Required.",
    expects: "a map with addresses",
    example: '{ addresses: ["192.0.2.10:5060"] }',
  },
);

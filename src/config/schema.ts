import { z } from "zod";
import { accountSourceKeys } from "./account-sources.ts";
import { admin } from "./admin-section.ts";
import { calls, trace } from "./call-sections.ts";
import { autoAnswer, clients, ownAutoAnswer } from "./client-sections.ts";
import { gws } from "./gws-section.ts";
import { expects, key, section, types } from "./keys.ts";
import { metrics } from "./metrics-section.ts";
import { log } from "./log-section.ts";
import { page } from "./page-section.ts";
import { records } from "./records-section.ts";
import { shutdown } from "./shutdown-section.ts";
import { sipServer } from "./sip-server-section.ts";
import { hep, openTelemetry } from "./telemetry-sections.ts";
import { trunkSrtpKeys } from "./transport-keys.ts";
import { turn } from "./turn-section.ts";
import { wrtc } from "./wrtc-section.ts";

const http = section("The one HTTP(S) socket: pages, API and, by upgrade, SIP over WebSocket.", {
  host: key(types.ipv4.default("0.0.0.0"), { text: "Local address to bind.", expects: expects.ipv4 }),
  port: key(types.port.default(8443), { text: "Port to listen on.", expects: expects.port }),
  tls: key(
    z
      .strictObject({
        cert: key(types.file, {
          text: "PEM file with the certificate and its chain; read again when it changes.",
          expects: expects.file,
          example: "cert.pem",
        }),
        key: key(types.file, {
          text: "PEM file with the private key of that certificate.",
          expects: expects.file,
          example: "key.pem",
        }),
      })
      .optional(),
    {
      reload: true,
      text: "Certificate to present. Left out: plain HTTP, which browsers give no microphone except on localhost.",
      expects: "a map with cert and key",
      example: "{ cert: cert.pem, key: key.pem }",
    },
  ),
  allowInsecure: key(z.boolean().default(false), {
    text: "RISK: plain HTTP on addresses other than loopback. Passwords' digests and the calls' keys travel in the clear; only behind a proxy that ends TLS.",
    expects: expects.boolean,
  }),
});

const websocket = section("SIP over WebSocket (RFC 7118).", {
  path: key(types.path.default("/ws"), {
    text: "Path of the endpoint.",
    expects: "a path that begins with /",
    example: "/ws",
  }),
  origins: key(
    z
      .array(key(types.origin, { text: "", expects: "an origin: scheme, host and port, no path" }))
      .default([]),
    {
      reload: true,
      text: "Pages that may connect, by origin (scheme, host, port). The gateway's own page must be named too.",
      expects: "a list of origins",
      example: '["https://wwe.example.com"]',
    },
  ),
  allowMissingOrigin: key(z.boolean().default(false), {
    reload: true,
    text: "RISK: lets clients in that send no Origin, i.e. programs that are no browsers.",
    expects: expects.boolean,
  }),
  pingSeconds: key(types.seconds(1, 3600).default(25), {
    reload: true,
    text: "Seconds between pings; below the idle limit of proxies on the way.",
    expects: "seconds from 1 to 3600",
  }),
  maxMessageBytes: key(z.int().min(4096).max(1_048_576).default(65_536), {
    reload: true,
    text: "Largest SIP message taken, in bytes; a larger one closes the connection.",
    expects: "bytes from 4096 to 1048576",
  }),
  maxConnections: key(z.int().min(1).max(100_000).default(4000), {
    reload: true,
    text: "Connections at one time, all addresses together.",
    expects: "a number from 1 to 100000",
  }),
  maxConnectionsPerAddress: key(z.int().min(1).max(100_000).default(1200), {
    reload: true,
    text: "Connections at one time from one address; a proxy or NAT may bring a whole site.",
    expects: "a number from 1 to 100000",
  }),
});

const advertised = {
  expects: "an IPv4 address others can reach, not 0.0.0.0",
  defaultText: "`host`, unless that is 0.0.0.0: then required",
};

const sip = section("The SIP socket toward SIP Server.", {
  host: key(types.ipv4.default("0.0.0.0"), { text: "Local address to bind.", expects: expects.ipv4 }),
  port: key(types.port.default(5060), {
    text: "Port to bind, for UDP and for connections, and to name in Contact. Take another than the one in the contact of a Trunk DN for this host: SIP Server tells them apart by address.",
    expects: expects.port,
  }),
  advertisedAddress: key(types.ipv4.optional(), {
    text: "Address that SIP Server reaches the gateway by; stands in Via and Contact.",
    example: "192.0.2.20",
    ...advertised,
  }),
});

const maximumAddresses = 4;
const sideHost = key(types.ipv4.optional(), {
  text: "Local address to bind toward this side.",
  expects: expects.ipv4,
  defaultText: "`media.host`",
});
const sideDefault = "`host` of this side, where it is an address; else `media.advertisedAddress`";

const media = section("Sound: one UDP port per worker toward browsers, port pairs toward SIP Server.", {
  host: key(types.ipv4.default("0.0.0.0"), { text: "Local address to bind.", expects: expects.ipv4 }),
  advertisedAddress: key(types.ipv4.optional(), {
    text: "Address that browsers, SIP Server's phones and media servers reach the gateway by; stands in SDP.",
    example: "203.0.113.10",
    ...advertised,
  }),
  browserSide: section("Toward browsers alone, for hosts in several networks (docs/networks.md).", {
    host: sideHost,
    advertisedAddress: key(
      z.union([types.ipv4, z.array(types.ipv4).min(1).max(maximumAddresses)]).optional(),
      {
        text: "Address in the SDP for browsers, or several that lead to the same port, e.g. an internal and a public one: the browser takes what works, the first one first.",
        expects: `an IPv4 address, or a list of 1 to ${maximumAddresses}`,
        example: "[10.1.0.5, 203.0.113.10]",
        defaultText: sideDefault,
      },
    ),
  }),
  sipServerSide: section("Toward SIP Server's phones and media servers alone.", {
    host: sideHost,
    advertisedAddress: key(types.ipv4.optional(), {
      text: "Address in the SDP for SIP Server.",
      expects: "an IPv4 address",
      example: "10.2.0.5",
      defaultText: sideDefault,
    }),
  }),
  browserPort: key(types.port.default(20_100), {
    text: "UDP port of the first worker toward browsers; worker i has browserPort + i.",
    expects: expects.port,
  }),
  rtpPorts: key(
    z.tuple([z.int().min(1024).max(65_535), z.int().min(1024).max(65_535)]).default([10_000, 20_000]),
    {
      text: "First and last UDP port toward SIP Server, shared out among the workers. A call takes an even port and the next; a lone port at either end is left out.",
      expects: "a list of two ports from 1024 to 65535",
      example: "[10000, 20000]",
    },
  ),
  workers: key(z.union([z.literal("auto"), z.int().min(1).max(64)]).default("auto"), {
    text: "Threads for sound. auto: one less than the cores, at least one.",
    expects: "auto, or a number from 1 to 64",
  }),
  maxCallsPerWorker: key(z.int().min(0).max(10_000).default(0), {
    text: "Calls one worker takes; 0: as many as it has ports and CPU time for.",
    expects: "a number from 0 to 10000",
  }),
  maxWorkerLoad: key(z.union([z.literal(0), z.int().min(50).max(100)]).default(95), {
    text: "CPU time of a worker's thread once all its calls sound, percent of a core, from which new calls are refused so that running ones keep their sound; calls that ring, are held or silent count at what one costs (1 % until measured). 0: never; then set maxCallsPerWorker.",
    expects: "0, or a number from 50 to 100",
  }),
  whenFull: key(z.union([z.literal(503), z.literal(486)]).default(503), {
    reload: true,
    text: "What a call gets when no worker has room. 503: with Retry-After; SIP Server may take the DN out of use for that time. 486: busy.",
    expects: "503 or 486",
  }),
  browserCodecs: key(
    z
      .array(z.enum(["opus", "pcmu", "pcma"]))
      .min(1)
      .default(["opus", "pcmu", "pcma"]),
    {
      reload: true,
      text: "Codecs toward browsers, best first. pcmu or pcma first: no transcoding.",
      expects: "a list of opus, pcmu, pcma",
      example: "[opus, pcmu, pcma]",
    },
  ),
  trunkCodecs: key(
    z
      .array(z.enum(["opus", "g722", "pcmu", "pcma"]))
      .min(1)
      .default(["pcmu", "pcma"]),
    {
      reload: true,
      text: "Codecs toward SIP Server, best first; the order holds for offers and answers. g722 (wide band) is used where the browser speaks Opus; Opus on both sides passes as it is.",
      expects: "a list of opus, g722, pcmu, pcma",
      example: "[g722, pcma, pcmu]",
    },
  ),
  ...trunkSrtpKeys,
  trunkSource: key(z.enum(["address", "strict"]).default("address"), {
    text: "Where RTP may come from. address: any port of the signalled address. strict: that port only.",
    expects: "address or strict",
  }),
  rtcpXr: key(z.boolean().default(false), {
    text: "Send RTCP-XR VoIP metrics (RFC 3611) to SIP Server's side and say so in SDP. What comes is always read.",
    expects: "true or false",
  }),
  gainDb: section("Louder (above 0) or quieter sound; Opus that passes as it is keeps its level.", {
    toAgent: key(z.number().min(-20).max(20).default(0), {
      text: "Gain of what the agent hears, dB.",
      expects: "decibels from -20 to 20",
    }),
    toSipServer: key(z.number().min(-20).max(20).default(0), {
      text: "Gain of what the agent's far side hears, dB.",
      expects: "decibels from -20 to 20",
    }),
  }),
  jitterBuffer: key(z.enum(["off", "adaptive"]).default("off"), {
    text: "adaptive: what browsers send is played toward SIP Server at an even pace, 20 to 120 ms later as the jitter demands, for phones that cannot cope. off: passed on as it comes.",
    expects: "off or adaptive",
  }),
  idleSeconds: key(types.seconds(0, 3600).default(30), {
    text: "Seconds without a packet on a side that is not held before it counts as idle; 0: never.",
    expects: "seconds from 0 to 3600",
  }),
  captureDirectory: key(types.file.optional(), {
    text: "Existing folder for captures of single calls, asked for by the admin API (docs/capture.md); relative to the configuration file. Left out: captures are off.",
    expects: "the path of a folder the gateway may write to",
    example: "/var/lib/jackfield/captures",
  }),
});

const password = key(types.secret.optional(), {
  text: "Password of the browser's sign-in. {dn} in it stands for the DN (pattern-{dn}); who knows the pattern knows all passwords, so check warns.",
  expects: expects.secret,
  secret: true,
});
const trunkPassword = key(types.secret.optional(), {
  text: "Password for SIP Server's digest, in place of sipServer.auth.password. {dn} stands for the DN.",
  expects: expects.secret,
  secret: true,
});
const trunkPasswordFile = key(types.file.optional(), {
  text: "File with that password.",
  expects: expects.file,
});
const ha1 = (algorithm: string, digits: number) =>
  key(
    z
      .string()
      .regex(new RegExp(`^[0-9a-fA-F]{${digits}}$`))
      .optional(),
    {
      text: `In place of the password: ${algorithm} of DN:realm:password in hexadecimal (RFC 7616 3.4.2).`,
      expects: `${digits} hexadecimal digits`,
      secret: true,
    },
  );

const account = key(
  z.strictObject({
    dn: key(types.dn, {
      text: "The DN; also the user name of the sign-in.",
      expects: expects.dn,
      example: '"5001"',
    }),
    displayName: key(types.word.optional(), {
      text: "Name shown to the far side and in lists.",
      expects: "a text of 1 to 64 characters without quotes",
    }),
    password,
    passwordFile: key(types.file.optional(), { text: "File with the password.", expects: expects.file }),
    ha1: ha1("MD5", 32),
    ha1Sha256: ha1("SHA-256", 64),
    trunkPassword,
    trunkPasswordFile,
    autoAnswer: ownAutoAnswer,
  }),
  { text: "", expects: "a map with dn and password", example: '{ dn: "5001", password: "..." }' },
);

const range = key(
  z.strictObject({
    from: key(types.rangeEnd, { text: "First DN.", expects: expects.rangeEnd, example: "5002" }),
    to: key(types.rangeEnd, { text: "Last DN.", expects: expects.rangeEnd, example: "5999" }),
    password,
    passwordFile: key(types.file.optional(), {
      text: "File with lines dn:password, or with one line only that is the password (or pattern) of all.",
      expects: expects.file,
      example: "/run/secrets/agents",
    }),
    trunkPassword,
    trunkPasswordFile,
    autoAnswer: ownAutoAnswer,
  }),
  { text: "", expects: "a map with from, to and password or passwordFile" },
);

const agents = section("Who may sign in, and how long a lost browser is waited for.", {
  realm: key(types.word.default("jackfield"), {
    text: "Realm of the digest; changing it makes every ha1 void.",
    expects: "a text of 1 to 64 characters without quotes",
  }),
  accounts: key(z.array(account).default([]), {
    reload: true,
    text: "Single DNs. One that also lies in a range has its own entry's password.",
    expects: "a list of accounts",
    example: '[{ dn: "5001", password: "..." }]',
  }),
  ranges: key(z.array(range).default([]), {
    reload: true,
    text: "DNs from ... to, of digits. Leading zeros count: 0500 to 0599 has DNs of four digits.",
    expects: "a list of ranges",
    example: "[{ from: 5002, to: 5999, passwordFile: /run/secrets/agents }]",
  }),
  ...accountSourceKeys,
  minExpires: key(z.int().min(10).max(86_400).default(30), {
    text: "Shortest registration of a browser, in seconds; a shorter one gets 423.",
    expects: "seconds from 10 to 86400",
  }),
  maxExpires: key(z.int().min(10).max(86_400).default(3600), {
    text: "Longest registration of a browser, in seconds; a longer one is cut to it.",
    expects: "seconds from 10 to 86400",
  }),
  newCallGraceSeconds: key(types.seconds(0, 60).default(5), {
    text: "Seconds a new call waits for a browser whose socket was lost, before 480.",
    expects: "seconds from 0 to 60",
  }),
  callGraceSeconds: key(types.seconds(0, 600).default(30), {
    text: "Seconds a running call, and the DN's registration, outlive a lost socket.",
    expects: "seconds from 0 to 600",
  }),
  pageRingback: key(z.boolean().default(true), {
    reload: true,
    text: "Tell the page while the far side of a call that SIP Server set up for the agent still rings, so that it plays a ringback tone. false: where SIP Server's media server plays one.",
    expects: expects.boolean,
  }),
  severalBrowsers: key(z.enum(["newest", "first"]).default("newest"), {
    text: "A second browser signs in for a DN. newest: it replaces the first. first: it gets 403 while the first can be reached.",
    expects: "newest or first",
  }),
  tokens: section("Sign-in by short-lived tokens that the admin API issues (docs/security.md).", {
    keyFile: key(types.file.optional(), {
      text: "File with a secret of 16 to 256 characters, from which the sessions behind tokens are made; changing it ends all. Left out: made from admin.token.",
      expects: expects.file,
      example: "/run/secrets/agent-sessions",
    }),
    sessionHours: key(z.number().min(0.1).max(24).default(12), {
      text: "Hours that an agent stays signed in by one token, over reloads and restarts of the gateway.",
      expects: "hours from 0.1 to 24",
    }),
  }),
  autoAnswer,
});

/** The whole configuration file. Unknown keys are faults. */
export const configSchema = z.strictObject({
  http,
  websocket,
  sip,
  media,
  turn,
  agents,
  clients,
  calls,
  sipServer,
  page,
  gws,
  wrtc,
  admin,
  metrics,
  trace,
  shutdown,
  hep,
  openTelemetry,
  records,
  log,
});

/** The file as checked against the schema, before secrets are read and defaults worked out. */
export type ParsedConfig = z.output<typeof configSchema>;

import { z } from "zod";
import { dnPattern } from "../core/index.ts";

/** What the reference page and the fault report say of a key. */
export interface KeyFacts {
  /** What the key is for, one or two sentences. */
  readonly text: string;
  /** What may stand there, to be read after "write" and "is not": `a port number from 0 to 65535`. */
  readonly expects: string;
  readonly example?: string;
  /** Its value never stands in a report or a log. */
  readonly secret?: boolean;
  /** It, and what stands below it, takes effect at a reload; else a change needs a restart. */
  readonly reload?: boolean;
  /** Shown in the reference where the default is worked out at start. */
  readonly defaultText?: string;
}

/** Facts of every key of the schema. */
export const keyFacts = z.registry<KeyFacts>();

/** Puts facts beside a key; give the schema whole, with its default. */
export function key<Schema extends z.ZodType>(schema: Schema, facts: KeyFacts): Schema {
  // A building block serves several keys: each gets an object of its own to hang its facts on.
  const own = z.clone(schema);
  keyFacts.add(own, facts);
  return own;
}

/** A section that may be left out: its keys then have their defaults. */
export function section<Shape extends z.ZodRawShape>(
  text: string,
  shape: Shape,
  more: Pick<KeyFacts, "reload"> = {},
) {
  return key(z.strictObject(shape).prefault({} as never), { text, expects: "a map of keys", ...more });
}

export const adminToken = /^[\x21-\x7e]{16,256}$/;
export const adminPassword = /^[^\p{Cc}]{8,256}$/u;

const host = /^(?!-)[A-Za-z0-9.-]{1,253}$/;

/** Facts-free building blocks; `expects` texts to go with them below. */
export const types = {
  port: z.int().min(0).max(65_535),
  ipv4: z.ipv4(),
  ipv4OrNet: z.union([z.ipv4(), z.cidrv4()]),
  path: z.string().regex(/^\/[\w./-]{0,200}$/),
  file: z.string().min(1).max(4096),
  /** Text without control characters or quotes, since it stands in SIP headers. */
  word: z.string().regex(/^[^"\\\p{Cc}]{1,64}$/u),
  dn: z.union([z.string().regex(dnPattern), z.int().min(0)]),
  /** See `NumberRule` in src/b2bua. */
  dialPattern: z
    .string()
    .regex(/^[XZN0-9a-z+*#_-]{0,32}[.!]?$/)
    .min(1),
  dialPrefix: z.string().regex(/^[0-9a-zA-Z+*#_-]{0,32}$/),
  /** Digits; both ends of a range. */
  rangeEnd: z.union([z.string().regex(/^\d{1,15}$/), z.int().min(0)]),
  secret: z.string().min(1).max(256),
  /** What an HTTP header can carry; long enough not to be guessed. */
  adminToken: z.string().regex(adminToken),
  adminPassword: z.string().regex(adminPassword),
  origin: z.string().refine(isOrigin),
  hostName: z.string().regex(/^(?:\*\.)?[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/),
  server: z.string().refine((value) => parseServerAddress(value) !== undefined),
  seconds: (minimum: number, maximum: number) => z.number().min(minimum).max(maximum),
};

export const expects = {
  port: "a port number from 0 to 65535 (0: any free one)",
  ipv4: "an IPv4 address",
  boolean: "true or false",
  hostName: "a host name or an IPv4 address, without port",
  file: "the path of a readable file, relative to the configuration file",
  dn: "a DN of 1 to 64 letters, digits and . _ + * # -",
  dialPattern: "a pattern of digits, X, Z, N, + * # and small letters, perhaps with . or ! at its end",
  dialPrefix: "at most 32 digits, letters and + * # _ -",
  rangeEnd: "a DN of digits",
  secret: "a text of 1 to 256 characters",
  adminToken: "a text of 16 to 256 letters, digits and signs, no spaces",
  adminPassword: "a text of 8 to 256 characters",
};

function isOrigin(value: string): boolean {
  // A host may hold `*` and `;` by the URL standard; in a Content-Security-Policy they mean something.
  if (!/^https?:\/\/(?:[\w.-]+|\[[\da-f:]+\])(?::\d+)?$/.test(value)) return false;
  return URL.canParse(value) && new URL(value).origin === value;
}

/** How SIP goes to SIP Server. */
export const sipTransports = ["udp", "tcp", "tls"] as const;
export type SipTransportName = (typeof sipTransports)[number];

/** Where a SIP Server listens. */
export interface ServerAddress {
  /** IPv4 address or name. */
  readonly host: string;
  /** Absent behind a name without one: SRV records then say it (RFC 3263 4.2). */
  readonly port?: number;
  /** What stands behind `;transport=`, else `sipServer.transport`. */
  readonly transport: SipTransportName;
}

/**
 * `host[:port][;transport=udp|tcp|tls]`; where no port stands behind an address 5060, or 5061 for TLS. Undefined for
 * anything else.
 */
export function parseServerAddress(
  text: string,
  transport: SipTransportName = "udp",
): ServerAddress | undefined {
  const [place = "", parameter, ...others] = text.split(";");
  if (parameter !== undefined) {
    const named = sipTransports.find((name) => parameter === `transport=${name}`);
    return named && others.length === 0 ? parseServerAddress(place, named) : undefined;
  }
  const [name = "", port, ...rest] = place.split(":");
  const usual = transport === "tls" ? 5061 : 5060;
  const number = port === undefined ? usual : /^\d{1,5}$/.test(port) ? Number(port) : 0;
  const digitsOnly = /^[\d.]+$/.test(name);
  if (rest.length > 0 || number < 1 || number > 65_535 || !host.test(name)) return undefined;
  if (digitsOnly)
    return z.ipv4().safeParse(name).success ? { host: name, port: number, transport } : undefined;
  return port === undefined ? { host: name, transport } : { host: name, port: number, transport };
}

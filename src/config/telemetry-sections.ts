import { z } from "zod";
import { expects, key, parseServerAddress, section, types } from "./keys.ts";

/** Homer's usual port for HEP. */
const hepPort = 9060;
const headerName = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;
const headerValue = /^[\x20-\x7e]{1,4096}$/;

/** `host[:port]`; undefined for anything else. */
export function parseHepAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const parsed = text.includes(";") ? undefined : parseServerAddress(text);
  return parsed && { host: parsed.host, port: /:\d+$/.test(text) && parsed.port ? parsed.port : hepPort };
}

/** Lines `name: value`; empty lines and `#` lines do not count. Numbers of lines that are neither stand in `badLines`. */
export function parseHeaderLines(text: string): {
  readonly headers: Readonly<Record<string, string>>;
  readonly badLines: readonly number[];
} {
  const headers: Record<string, string> = {};
  const badLines: number[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const [name, value] = [line.slice(0, Math.max(0, colon)).trim(), line.slice(colon + 1).trim()];
    if (headerName.test(name) && headerValue.test(value)) headers[name] = value;
    else badLines.push(index + 1);
  }
  return { headers, badLines };
}

/** Without credentials in it: a URL stands in log lines. */
function isHttpUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === "" && password === "";
}

/** SIP copied to Homer. */
export const hep = section(
  "Copies of all SIP messages of both sides for Homer, by HEP3, secrets cut (docs/telemetry.md). Off unless an address is set.",
  {
    address: key(
      z
        .string()
        .refine((value) => parseHepAddress(value) !== undefined)
        .optional(),
      {
        text: `Where Homer's capture server listens; port ${hepPort} unless told. HEP has no encryption: numbers and names travel in the clear.`,
        expects: "a host or IPv4 address, perhaps with :port",
        example: "homer.example.com:9060",
      },
    ),
    transport: key(z.enum(["udp", "tcp"]).default("udp"), {
      text: "udp: nothing waits, what is lost is lost. tcp: what comes while there is no connection is dropped and counted.",
      expects: "udp or tcp",
    }),
    captureId: key(z.int().min(0).max(4_294_967_295).default(2001), {
      text: "Number that names this gateway at Homer (capture agent ID).",
      expects: "a number from 0 to 4294967295",
    }),
    password: key(types.secret.optional(), {
      text: "Capture password, where Homer asks for one (authenticate key). Travels in the clear.",
      expects: expects.secret,
      secret: true,
    }),
    passwordFile: key(types.file.optional(), { text: "File with that password.", expects: expects.file }),
  },
);

/** Spans of calls. */
export const openTelemetry = section(
  "A trace of each call for OpenTelemetry, by OTLP over HTTP with JSON (docs/telemetry.md). Off unless an endpoint is set.",
  {
    endpoint: key(z.string().refine(isHttpUrl).optional(), {
      text: "URL that takes traces, path included.",
      expects: "an http:// or https:// URL without user and password",
      example: "http://collector.example.com:4318/v1/traces",
    }),
    headers: key(
      z
        .record(
          z.string().regex(headerName),
          key(z.string().regex(headerValue), {
            text: "",
            expects: "the value of an HTTP header",
            secret: true,
          }),
        )
        .default({}),
      {
        text: "HTTP headers to send along, e.g. a key of the receiver's.",
        expects: "a map of header names to values",
        secret: true,
      },
    ),
    headersFile: key(types.file.optional(), {
      text: "File with such headers, one a line as name: value.",
      expects: expects.file,
    }),
    serviceName: key(types.word.default("jackfield"), {
      text: "service.name of the spans.",
      expects: "a text of 1 to 64 characters without quotes",
    }),
    sampleRatio: key(z.number().min(0).max(1).default(1), {
      text: "Share of the calls that are told of, from 0 to 1.",
      expects: "a number from 0 to 1",
    }),
    showNumbers: key(z.boolean().default(false), {
      text: "Put DN and the far side's number into the spans; SIP Call-IDs and Genesys' call UUID are there in any case.",
      expects: expects.boolean,
    }),
  },
);

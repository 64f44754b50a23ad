import { z } from "zod";
import { expects, key, section, types } from "./keys.ts";

const webUrl = z
  .string()
  .max(2048)
  .refine((value) => {
    if (!/^https?:\/\//.test(value) || !URL.canParse(value)) return false;
    const { username, password, hash } = new URL(value);
    return username === "" && password === "" && hash === "";
  });

const file = z.strictObject({
  path: key(types.file, {
    text: "File of the records, one JSON object a line, in an existing folder; relative to the configuration file. Of this gateway alone.",
    expects: "the path of a file the gateway may write",
    example: "/var/lib/jackfield/calls.jsonl",
  }),
  maxMegabytes: key(z.number().min(0.01).max(10_000).default(100), {
    text: "Size from which a new file is begun; the former one gets the time into its name.",
    expects: "megabytes from 0.01 to 10000",
  }),
  keep: key(z.int().min(1).max(1000).default(10), {
    text: "Former files that stay; older ones are deleted.",
    expects: "a number from 1 to 1000",
  }),
  daily: key(z.boolean().default(false), {
    text: "Begin a new file with the first record of a day, too.",
    expects: expects.boolean,
  }),
  compress: key(z.boolean().default(true), { text: "Former files by gzip.", expects: expects.boolean }),
});

const webhook = z.strictObject({
  url: key(webUrl, {
    text: "Where records are posted, in order, until they are answered with 2xx. Redirects are not followed.",
    expects: "an address that begins with https://, without user, password and #",
    example: "https://billing.example.com/calls",
  }),
  allowInsecure: key(z.boolean().default(false), {
    text: "RISK: plain HTTP to another host. Who called whom travels in the clear.",
    expects: expects.boolean,
  }),
  secret: key(types.secret.optional(), {
    text: "Signs each request: X-Jackfield-Signature with HMAC-SHA256 of time and body.",
    expects: expects.secret,
    secret: true,
    reload: true,
  }),
  secretFile: key(types.file.optional(), {
    text: "File with that secret. Read again when it changes.",
    expects: expects.file,
    reload: true,
  }),
  ca: key(types.file.optional(), {
    text: "PEM file with certificates to trust beside the system's. Read again when it changes.",
    expects: expects.file,
    reload: true,
    example: "billing-ca.pem",
  }),
  queueDirectory: key(types.file, {
    text: "Existing folder of this gateway alone, where records wait until the receiver has them; relative to the configuration file. On a volume that outlives the container.",
    expects: "the path of a folder the gateway may write to",
    example: "/var/lib/jackfield/records",
  }),
  timeoutSeconds: key(types.seconds(1, 120).default(10), {
    text: "Seconds for a whole answer; then it is tried again.",
    expects: "seconds from 1 to 120",
  }),
  maxQueueMegabytes: key(z.number().min(1).max(10_000).default(100), {
    text: "What waits at most, about 500 records a megabyte; beyond that the oldest are dropped, logged and counted.",
    expects: "megabytes from 1 to 10000",
  }),
  batch: key(z.int().min(1).max(100).default(1), {
    text: "Records in one request at most, when several wait.",
    expects: "a number from 1 to 100",
  }),
});

export const records = section(
  "Call records, one when a call is over (docs/call-records.md). Off unless file or webhook is set.",
  {
    hideNumbers: key(z.boolean().default(false), {
      text: "Of the other party's number its last three digits alone: it is personal data. The log is not concerned.",
      expects: expects.boolean,
    }),
    file: key(file.optional(), {
      text: "To a file of JSON lines.",
      expects: "a map with path",
      example: "{ path: /var/lib/jackfield/calls.jsonl }",
    }),
    webhook: key(webhook.optional(), {
      text: "To a receiver over HTTPS, through a queue on disk.",
      expects: "a map with url and queueDirectory",
      example: "{ url: https://billing.example.com/calls, queueDirectory: /var/lib/jackfield/records }",
    }),
  },
);

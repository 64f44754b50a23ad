import { dirname, resolve } from "node:path";
import { goesInTheClear } from "./loopback.ts";
import type { Say } from "./rules/index.ts";
import type { ParsedConfig } from "./schema.ts";
import { eitherSecret } from "./secret-files.ts";
import { folderFault, readNamedFile } from "./secrets.ts";
import type { Config } from "./types.ts";

type ParsedRecords = ParsedConfig["records"];

/** Checks folders and the webhook's address and reads its secret and certificates. */
export function resolveRecords(records: ParsedRecords, directory: string, say: Say): Config["records"] {
  const { hideNumbers, file, webhook } = records;
  return {
    hideNumbers,
    ...(file ? { file: resolveFile(file, directory, say) } : {}),
    ...(webhook ? { webhook: resolveWebhook(webhook, directory, say) } : {}),
  };
}

function resolveFile(file: NonNullable<ParsedRecords["file"]>, directory: string, say: Say) {
  const path = resolve(directory, file.path);
  const fault = folderFault(dirname(path));
  if (fault !== undefined)
    say.fault(
      ["records", "file", "path"],
      `lies in a folder that ${fault}`,
      "make the folder and let the gateway write to it",
    );
  return { ...file, path };
}

function resolveWebhook(
  { secretFile, ...webhook }: NonNullable<ParsedRecords["webhook"]>,
  directory: string,
  say: Say,
): NonNullable<Config["records"]["webhook"]> {
  const path = ["records", "webhook"];
  if (goesInTheClear(webhook.url) && !webhook.allowInsecure)
    say.fault(
      [...path, "url"],
      "is plain HTTP",
      "write https://, or take the risk by records.webhook.allowInsecure: true",
    );
  const keys = { section: path, name: "secret", value: webhook.secret, file: secretFile };
  const secret = eitherSecret(keys, directory, say);
  const queueDirectory = resolve(directory, webhook.queueDirectory);
  const fault = folderFault(queueDirectory);
  if (fault !== undefined)
    say.fault([...path, "queueDirectory"], fault, "make the folder and let the gateway write to it");
  const read = webhook.ca === undefined ? undefined : readNamedFile(directory, webhook.ca);
  if (read && "reason" in read) say.fault([...path, "ca"], read.reason, "name a readable PEM file");
  const { ca: _file, secret: _secret, ...rest } = webhook;
  return {
    ...rest,
    queueDirectory,
    ...(secret === undefined ? {} : { secret }),
    ...(read && "text" in read ? { ca: read.text } : {}),
  };
}

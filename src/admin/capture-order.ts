import type { CallCaptureOptions } from "../b2bua/index.ts";
import { captureLimits } from "../media/index.ts";

/** What a capture is asked for with, or what is wrong, naming the key. */
export type CaptureAsked = { readonly options: CallCaptureOptions } | { readonly fault: string };

const known = ["seconds", "bytes", "payload"];

/** Reads `{ seconds, bytes, payload }`; what is left out has its standard value, payload is left out. */
export function readCaptureOrder(body: unknown): CaptureAsked {
  if (typeof body !== "object" || body === null || Array.isArray(body))
    return { fault: "write a JSON object, e.g. {}" };
  const given = new Map<string, unknown>(Object.entries(body));
  for (const key of given.keys())
    if (!known.includes(key))
      return { fault: `${key.slice(0, 40)} is no known key: write ${known.join(", ")}` };
  const { durationMs, bytes } = captureLimits;
  const seconds = given.get("seconds") ?? durationMs.standard / 1000;
  const size = given.get("bytes") ?? bytes.standard;
  const payload = given.get("payload") ?? false;
  if (!isWithin(seconds, durationMs.least / 1000, durationMs.most / 1000))
    return { fault: `seconds is not a number from ${durationMs.least / 1000} to ${durationMs.most / 1000}` };
  if (!isWithin(size, bytes.least, bytes.most) || !Number.isInteger(size))
    return { fault: `bytes is not a whole number from ${bytes.least} to ${bytes.most}` };
  if (typeof payload !== "boolean") return { fault: "payload is not true or false" };
  return { options: { durationMs: seconds * 1000, bytes: size, payload } };
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && value >= least && value <= most;
}

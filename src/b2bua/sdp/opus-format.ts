import type { CodecName } from "../../media/index.ts";

/**
 * What we ask of an Opus sender, by the codec its sound goes on as (RFC 7587 6.1): no more band than can be used, mono,
 * in-band FEC. `minptime=10` is what browsers expect to see.
 */
export const opusFormats: Readonly<Record<CodecName, string>> = {
  pcmu: format(8000, 24_000),
  pcma: format(8000, 24_000),
  g722: format(16_000, 32_000),
  opus: "minptime=10;useinbandfec=1;stereo=0",
};

function format(rate: number, bitrate: number): string {
  return `minptime=10;useinbandfec=1;maxplaybackrate=${rate};sprop-maxcapturerate=${rate};maxaveragebitrate=${bitrate};stereo=0`;
}

/** Parameters that a side says of itself and the other may be told as they are, where Opus passes (RFC 7587 6.1). */
const carried = [
  "minptime",
  "useinbandfec",
  "maxplaybackrate",
  "sprop-maxcapturerate",
  "maxaveragebitrate",
  "stereo",
  "sprop-stereo",
  "cbr",
  "usedtx",
];

/**
 * The Opus parameters of one side as the other is told them, when packets pass as they are: what one wants to receive
 * is what the other should send. Unknown names and values that are no number are left out; nothing left is `""`.
 */
export function carriedOpusFormat(fmtp: string): string {
  const values = new Map<string, string>();
  for (const part of fmtp.split(";")) {
    const match = /^ *([\w-]+) *= *(\d{1,7}) *$/.exec(part);
    if (match?.[1] && match[2]) values.set(match[1].toLowerCase(), match[2]);
  }
  return carried.flatMap((name) => (values.has(name) ? [`${name}=${values.get(name)}`] : [])).join(";");
}

import { readCodecs } from "./codecs.ts";
import { numberOf, type SdpSection, type SdpText } from "./text.ts";
import type { AudioDescription } from "./types.ts";

/** Longest packet time read, ms; what names more is no packet time. */
const longestPacketMs = 1000;

/** What browsers' and SIP Server's descriptions share. `muxed`: see `readCodecs`. */
export function readAudio(
  text: SdpText,
  section: SdpSection,
  audioIndex: number,
  muxed: boolean,
): AudioDescription {
  return {
    origin: text.origin,
    sections: text.sections.map(({ type, port, protocol, formats, mid }) => ({
      type,
      port,
      protocol,
      formats,
      mid,
    })),
    audioIndex,
    direction: section.attributes.direction ?? text.session.direction ?? "sendrecv",
    ...readCodecs(section, muxed),
    ptime: numberOf(section.attributes.ptime, longestPacketMs),
    maxptime: numberOf(section.attributes.maxptime, longestPacketMs),
  };
}

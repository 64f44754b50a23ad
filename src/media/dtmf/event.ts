import { readUint16, writeUint16 } from "../rtp/packet.ts";

/** Digits by RFC 4733 event code (table 3): 0-9, star, pound, A-D. */
const digits = "0123456789*#ABCD";

/** Length of one telephone-event payload, bytes. */
export const eventLength = 4;

/** Longest duration one segment of an event can tell, in its RTP clock units (RFC 4733 2.5.1.3). */
export const longestSegment = 0xffff;

/** One telephone-event payload (RFC 4733 2.3). */
export interface TelephoneEvent {
  code: number;
  end: boolean;
  /** Power of the tone, -dBm0, 0-63. */
  volume: number;
  /** In RTP clock units. */
  duration: number;
}

/** The digit of an event code; undefined for flash (16) and everything that is no DTMF. */
export function digitOf(code: number): string | undefined {
  return digits[code];
}

/** Event code of a digit; undefined for any other character. `a`-`d` count as `A`-`D`. */
export function codeOf(digit: string): number | undefined {
  const code = digits.indexOf(digit.toUpperCase());
  return code >= 0 && digit.length === 1 ? code : undefined;
}

/** Reads a payload into `event`; false when it is too short. Redundant further events are left unread. */
export function readEvent(
  packet: Uint8Array,
  offset: number,
  length: number,
  event: TelephoneEvent,
): boolean {
  if (length < eventLength) return false;
  event.code = packet[offset] ?? 0;
  const second = packet[offset + 1] ?? 0;
  event.end = second >= 0x80;
  event.volume = second & 0x3f;
  event.duration = readUint16(packet, offset + 2);
  return true;
}

export function writeEvent(packet: Uint8Array, offset: number, event: Readonly<TelephoneEvent>): void {
  packet[offset] = event.code;
  packet[offset + 1] = (event.end ? 0x80 : 0) | event.volume;
  writeUint16(packet, offset + 2, event.duration);
}

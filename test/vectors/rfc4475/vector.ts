/**
 * Messages of our own writing, one for each rule that RFC 4475 tests, under the RFC's name for the case. Texts,
 * names and addresses are ours; only the fault or oddity is the RFC's.
 */
export interface Vector {
  /** The RFC's short name of the case. */
  readonly name: string;
  readonly section: string;
  /** What is odd or wrong about it, in a sentence. */
  readonly rule: string;
  readonly bytes: Buffer;
}

/** What must become of a message that the RFC calls invalid. */
export interface RefusedVector extends Vector {
  readonly status: number;
  /** False where nothing may be answered: a response. */
  readonly answered: boolean;
}

/** Lines joined by CRLF, each ended by one, without an empty line unless one is given. */
export function lines(...text: string[]): Buffer {
  return Buffer.from(text.map((line) => `${line}\r\n`).join(""));
}

/** A small audio description; its length in octets is `sdpLength`. */
export const sdp = [
  "v=0",
  "o=gw 7001 1 IN IP4 192.0.2.20",
  "s=-",
  "c=IN IP4 192.0.2.20",
  "t=0 0",
  "m=audio 10000 RTP/AVP 0 101",
  "a=rtpmap:101 telephone-event/8000",
];
export const sdpLength = sdp.join("\r\n").length + 2;

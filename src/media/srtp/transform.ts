/**
 * A profile's arithmetic: no sequence numbers are kept here. `out` is either `packet` itself or memory that does not
 * overlap it, and has room (checked by the caller). All return the bytes written; `open*` returns
 * `srtpFailure.authentication` and leaves `out` as it was when the tag is wrong.
 */
export interface SrtpTransform {
  /** Bytes that SRTP adds. */
  readonly rtpOverhead: number;
  /** Bytes that SRTCP adds, index word included. */
  readonly rtcpOverhead: number;
  sealRtp(packet: Buffer, header: number, length: number, ssrc: number, roc: number, out: Buffer): number;
  openRtp(packet: Buffer, header: number, length: number, ssrc: number, roc: number, out: Buffer): number;
  sealRtcp(packet: Buffer, length: number, ssrc: number, index: number, out: Buffer): number;
  /** `index`: as it stood at `rtcpIndexOffset`, without the E bit. `encrypted`: the E bit. */
  openRtcp(
    packet: Buffer,
    length: number,
    ssrc: number,
    index: number,
    encrypted: boolean,
    out: Buffer,
  ): number;
  /** Offset of the word with the E bit and the SRTCP index in a packet of `length` bytes. */
  rtcpIndexOffset(length: number): number;
}

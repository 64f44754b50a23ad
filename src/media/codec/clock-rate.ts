import type { CodecName } from "../contract.ts";
import { opusClockRate } from "./opus.ts";

/** RTP clock rate of a codec, Hz: G.722's is 8000 although its sound has 16000 samples (RFC 3551 4.5.2). */
export function clockRateOf(codec: CodecName): number {
  return codec === "opus" ? opusClockRate : 8000;
}

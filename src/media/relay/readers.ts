import { isLaw } from "../codec/g711.ts";
import { OpusSource } from "../codec/opus.ts";
import type { CodecName } from "../contract.ts";
import { LawReader, OpusReader, PassReader, type SourceReader } from "./source-reader.ts";

/** The reader for audio of codec `from` that goes out as `to`. */
export async function createReader(from: CodecName, to: CodecName): Promise<SourceReader> {
  if (isLaw(from)) return new LawReader(from);
  return isLaw(to) ? new OpusReader(await OpusSource.create()) : new PassReader();
}

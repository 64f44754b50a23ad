import { soundRate } from "./sound.ts";

const headerBytes = 44;

/** 16-bit mono WAV. */
export function toWav(samples: Int16Array, rate = soundRate): Buffer {
  const wav = Buffer.alloc(headerBytes + samples.length * 2);
  wav.write("RIFF", 0, "latin1");
  wav.writeUInt32LE(wav.length - 8, 4);
  wav.write("WAVEfmt ", 8, "latin1");
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * 2, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write("data", 36, "latin1");
  wav.writeUInt32LE(samples.length * 2, 40);
  for (const [index, sample] of samples.entries()) wav.writeInt16LE(sample, headerBytes + index * 2);
  return wav;
}

/**
 * Samples of a 16-bit mono WAV. The sizes in the header are not looked at: a recorder that was ended has
 * not written them.
 */
export function fromWav(wav: Buffer, rate = soundRate): Int16Array {
  const data = wav.indexOf("data", 12, "latin1");
  if (data < 0 || wav.readUInt16LE(22) !== 1 || wav.readUInt32LE(24) !== rate)
    throw new Error(`no mono WAV at ${rate} Hz`);
  const start = data + 8;
  return Int16Array.from({ length: (wav.length - start) >> 1 }, (_, index) =>
    wav.readInt16LE(start + index * 2),
  );
}

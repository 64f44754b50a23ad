import { open, type FileHandle } from "node:fs/promises";

/** What is looked at at once when the last whole line is searched, bytes. */
const step = 65_536;

/**
 * Appends lines to a file, all or none: when the disk is full half way, what is there already is taken off again. Half
 * a line at the file's end, left by a crash, is taken off before. The file is opened each time, so that it may be
 * renamed, cut or taken away by others in between; `mode` is of a new one. Resolves with the file's size; rejects with the system's error.
 */
export async function appendLines(path: string, lines: readonly Buffer[], mode: number): Promise<number> {
  const file = await open(path, "a+", mode);
  try {
    const size = await mend(file);
    try {
      return size + (await writeWhole(file, Buffer.concat(lines)));
    } catch (error) {
      await file.truncate(size);
      throw error;
    }
  } finally {
    await file.close();
  }
}

async function writeWhole(file: FileHandle, bytes: Buffer): Promise<number> {
  let written = 0;
  // A full disk takes a part without an error; the next attempt has it.
  while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
  return written;
}

/** Takes half a line off the end; resolves with the size that is left. */
async function mend(file: FileHandle): Promise<number> {
  const { size } = await file.stat();
  const buffer = Buffer.alloc(step);
  let end = size;
  // The last byte tells it, but after a crash.
  for (let length = 1; end > 0; length = step) {
    const from = Math.max(0, end - length);
    const { bytesRead } = await file.read(buffer, 0, end - from, from);
    const newline = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
    end = newline < 0 ? from : from + newline + 1;
    if (newline >= 0) break;
  }
  if (end < size) await file.truncate(end);
  return end;
}

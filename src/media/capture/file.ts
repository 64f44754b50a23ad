import { open } from "node:fs/promises";

/** The file a capture writes; tests give a slow or failing one. */
export interface CaptureFile {
  /** Writes all of `bytes` behind what was written before; they are the writer's until it resolves. */
  write(bytes: Buffer): Promise<void>;
  /** Cuts the file to its first `bytes`. */
  truncate(bytes: number): Promise<void>;
  close(): Promise<void>;
}

export type OpenCaptureFile = (path: string) => Promise<CaptureFile>;

/** Makes a file that only its owner can read. Rejects with the system's error; a name that exists is one. */
export const openCaptureFile: OpenCaptureFile = async (path) => {
  // `wx` also refuses a symbolic link that somebody put there.
  const handle = await open(path, "wx", 0o600);
  let end = 0;
  return {
    async write(bytes) {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, end);
        done += bytesWritten;
        end += bytesWritten;
      }
    },
    truncate: (bytes) => handle.truncate(bytes),
    close: () => handle.close(),
  };
};

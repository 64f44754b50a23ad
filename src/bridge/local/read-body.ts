import type { IncomingMessage } from "node:http";

/** The whole body; what is too large is not read on. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | "too-large" | "cut"> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else {
        request.pause();
        resolve("too-large");
      }
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", () => resolve("cut"));
    request.on("close", () => resolve("cut"));
  });
}

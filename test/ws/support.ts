import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "../../src/core/index.ts";
import type { Flow, FlowReceiver } from "../../src/sip/index.ts";

/** A fresh folder; `remove` deletes it. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "jackfield-ws-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** Writes a self-signed pair made by openssl. */
export function writeCertificate(certFile: string, keyFile: string, name: string): void {
  execFileSync(
    "openssl",
    ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"].concat(
      ["-keyout", keyFile, "-out", certFile, "-days", "2", "-subj", `/CN=${name}`],
      ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
    ),
    { stdio: "ignore" },
  );
}

/** Keeps what a flow delivered. */
export class RecordingReceiver implements FlowReceiver {
  readonly messages: { flow: Flow; text: string; framing: string }[] = [];
  readonly closed: Flow[] = [];
  throwNext = false;

  receive(flow: Flow, bytes: Buffer, framing: "datagram" | "frame"): void {
    if (this.throwNext) {
      this.throwNext = false;
      throw new Error("receiver fault");
    }
    this.messages.push({ flow, text: bytes.toString("utf8"), framing });
  }

  flowClosed(flow: Flow): void {
    this.closed.push(flow);
  }
}

/** Resolves when `condition` holds, looking once per turn of the event loop; the test's own time limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A logger that keeps its lines. */
export function recordingLog(): Logger & { lines: string[] } {
  const lines: string[] = [];
  const write = (_details: object, message: string): void => void lines.push(message);
  const log = { lines, debug: write, info: write, warn: write, error: write, child: () => log };
  return log;
}

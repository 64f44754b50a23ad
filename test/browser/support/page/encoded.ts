import { toBase64 } from "./bytes.ts";
import type { EncodedFrame } from "./contract.ts";

/** Runs in the worker: hands every frame on unchanged and tells the page what was in it. */
const WORKER = `onrtctransform = ({ transformer }) => {
  const { side } = transformer.options;
  transformer.readable.pipeThrough(new TransformStream({
    transform(frame, controller) {
      const { rtpTimestamp, payloadType } = frame.getMetadata();
      postMessage({ side, rtpTimestamp, payloadType, data: new Uint8Array(frame.data.slice(0)) });
      controller.enqueue(frame);
    },
  })).pipeTo(transformer.writable);
};`;

interface Told {
  readonly side: "sent" | "received";
  readonly rtpTimestamp: number;
  readonly payloadType: number;
  readonly data: Uint8Array;
}

/** Keeps the encoded frames of calls: with G.711, byte by byte what went over the wire. */
export class EncodedRecorder {
  frames: EncodedFrame[] = [];
  readonly #worker: Worker;

  constructor() {
    this.#worker = new Worker(URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" })));
    this.#worker.addEventListener("message", ({ data: told }: MessageEvent<Told>) => {
      const { data, ...rest } = told;
      this.frames.push({ ...rest, base64: toBase64(data) });
    });
  }

  /** To be told before the connection has a track: Chromium takes a sender's transform only while it is fresh. */
  watch(connection: RTCPeerConnection): void {
    const attach = (): void => {
      for (const sender of connection.getSenders()) {
        if (sender.track !== null)
          sender.transform ??= new RTCRtpScriptTransform(this.#worker, { side: "sent" });
      }
      for (const receiver of connection.getReceivers()) {
        receiver.transform ??= new RTCRtpScriptTransform(this.#worker, { side: "received" });
      }
    };
    const addTrack = connection.addTrack.bind(connection);
    connection.addTrack = (...parts) => {
      const sender = addTrack(...parts);
      attach();
      return sender;
    };
    connection.addEventListener("track", attach);
  }
}

import {
  inlineCandidates,
  videoTweaks,
  withoutTls,
  type Candidate,
  type Connection,
  type Description,
  type Direction,
} from "../../../../support/wrtc-client/index.ts";

export interface ConnectionOptions {
  readonly configuration: RTCConfiguration;
  /** `ice_timeout`, ms: how long gathering may go on once there is a candidate. */
  readonly iceTimeoutMs: number;
  /** `filterIceCandidates`: what a page may do to the list before it is sent. */
  readonly filter: (candidates: readonly Candidate[]) => readonly Candidate[];
  /** Told of each connection before it has a track. */
  readonly watch: (connection: RTCPeerConnection) => void;
  /** What is sent at the moment. */
  readonly stream: () => Promise<MediaStream>;
}

/** A real peer connection, handled as grtc.js does: no trickle, candidates beside the description (2.1). */
export class PageConnection implements Connection {
  readonly #peer: RTCPeerConnection;
  readonly #options: ConnectionOptions;
  readonly #gathered: Candidate[] = [];
  #stream: MediaStream | undefined;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#peer = new RTCPeerConnection(options.configuration);
    options.watch(this.#peer);
    this.#peer.addEventListener("icecandidate", ({ candidate }) => {
      if (candidate !== null && candidate.candidate !== "")
        this.#gathered.push(candidate.toJSON() as Candidate);
    });
  }

  async offer(direction: Direction): Promise<Description> {
    await this.#takeStream();
    for (const transceiver of this.#peer.getTransceivers()) {
      if (direction === "inactive") transceiver.direction = "inactive";
      else if (transceiver.sender.track !== null) transceiver.direction = "sendrecv";
    }
    const { sdp = "" } = await this.#peer.createOffer();
    await this.#peer.setLocalDescription({ type: "offer", sdp });
    return await this.#described(videoTweaks(withoutTls(sdp)));
  }

  async answer(offer: Description): Promise<Description> {
    await this.#peer.setRemoteDescription({ type: "offer", sdp: offer.sdp });
    await this.#takeStream();
    await this.#add(offer.candidates);
    const { sdp = "" } = await this.#peer.createAnswer();
    await this.#peer.setLocalDescription({ type: "answer", sdp });
    return await this.#described(sdp);
  }

  async accept(answer: Description): Promise<void> {
    await this.#peer.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    await this.#add(answer.candidates);
  }

  sendDigits(tones: string, durationMs: number, gapMs: number): void {
    const sender = this.#peer.getSenders().find(({ track }) => track?.kind === "audio");
    sender?.dtmf?.insertDTMF(tones, durationMs, gapMs);
  }

  close(): void {
    this.#peer.close();
  }

  /** Another stream than before: what was sent is removed, and what is sent gets m-lines of its own. */
  async #takeStream(): Promise<void> {
    const stream = await this.#options.stream();
    if (stream === this.#stream) return;
    this.#stream = stream;
    for (const sender of this.#peer.getSenders()) if (sender.track !== null) this.#peer.removeTrack(sender);
    for (const track of stream.getTracks()) this.#peer.addTrack(track, stream);
  }

  async #add(candidates: readonly Candidate[]): Promise<void> {
    for (const { candidate, sdpMid, sdpMLineIndex } of candidates) {
      await this.#peer.addIceCandidate({
        candidate: candidate.replace(/^a=/, ""),
        ...(sdpMid === undefined ? {} : { sdpMid }),
        ...(sdpMLineIndex === undefined ? {} : { sdpMLineIndex }),
      });
    }
  }

  async #described(sdp: string): Promise<Description> {
    const inline = inlineCandidates(sdp);
    if (inline.length > 0) return { sdp, candidates: this.#options.filter(inline) };
    await this.#gathering();
    return { sdp, candidates: this.#options.filter(this.#gathered) };
  }

  /** Complete, or as much as there is after the time given, tried again while there is nothing. */
  async #gathering(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        if (this.#gathered.length > 0) done();
      }, this.#options.iceTimeoutMs);
      const look = (): void => {
        if (this.#peer.iceGatheringState === "complete") done();
      };
      const done = (): void => {
        clearInterval(timer);
        this.#peer.removeEventListener("icegatheringstatechange", look);
        resolve();
      };
      this.#peer.addEventListener("icegatheringstatechange", look);
      look();
    });
  }
}

import type { CallEnd, ClientContext, IncomingCall, Notification, SipClient } from "./contract.ts";
import { installPhone } from "./phone.ts";

/** No SIP at all: a call goes to a second PeerConnection in the same page that sends back what it gets (PCMU). */
class LoopbackClient implements SipClient {
  readonly #context: ClientContext;
  #connection: RTCPeerConnection | undefined;
  #echo: RTCPeerConnection | undefined;

  constructor(context: ClientContext) {
    this.#context = context;
  }

  async register(): Promise<void> {
    await Promise.resolve();
  }

  async registered(): Promise<void> {
    await Promise.resolve();
  }

  async unregister(): Promise<void> {
    await Promise.resolve();
  }

  cutSocket(): void {
    throw new Error("no socket");
  }

  async call(): Promise<void> {
    const near = new RTCPeerConnection();
    const far = new RTCPeerConnection();
    this.#connection = near;
    this.#echo = far;
    this.#context.watch(near);
    near.addEventListener("icecandidate", ({ candidate }) => void far.addIceCandidate(candidate));
    far.addEventListener("icecandidate", ({ candidate }) => void near.addIceCandidate(candidate));
    const stream = await this.#context.microphone();
    for (const track of stream.getTracks()) near.addTrack(track, stream);
    const pcmu = RTCRtpSender.getCapabilities("audio")?.codecs.filter(
      ({ mimeType }) => mimeType === "audio/PCMU",
    );
    near.getTransceivers()[0]?.setCodecPreferences(pcmu ?? []);
    far.addEventListener("track", ({ track, transceiver }) => {
      transceiver.direction = "sendrecv";
      void transceiver.sender.replaceTrack(track);
    });
    await near.setLocalDescription();
    await far.setRemoteDescription(near.localDescription ?? { type: "offer" });
    await far.setLocalDescription();
    await near.setRemoteDescription(far.localDescription ?? { type: "answer" });
    await new Promise<void>((resolve) => {
      near.addEventListener("connectionstatechange", () => {
        if (near.connectionState === "connected") resolve();
      });
    });
  }

  async nextCall(): Promise<IncomingCall> {
    return await Promise.reject(new Error("nobody calls"));
  }

  async answer(): Promise<void> {
    await Promise.reject(new Error("nobody calls"));
  }

  reject(): void {
    this.hangUp();
  }

  hangUp(): void {
    this.#connection?.close();
    this.#echo?.close();
  }

  async ended(): Promise<CallEnd> {
    return await Promise.resolve({ by: "local", cause: "BYE", status: 0 });
  }

  async hold(): Promise<void> {
    await Promise.reject(new Error("no hold"));
  }

  sendDigits(digits: string): void {
    this.#connection?.getSenders()[0]?.dtmf?.insertDTMF(digits);
  }

  async transfer(): Promise<number> {
    return await Promise.reject(new Error("nobody to transfer to"));
  }

  notifications(): readonly Notification[] {
    return [];
  }

  connection(): RTCPeerConnection | undefined {
    return this.#connection;
  }
}

installPhone((context) => new LoopbackClient(context));

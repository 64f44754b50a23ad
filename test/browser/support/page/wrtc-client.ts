import { WrtcClient, type Candidate, type ClientEvent } from "../../../support/wrtc-client/index.ts";
import type { ClientContext } from "./contract.ts";
import { PageConnection } from "./wrtc/connection.ts";
import type { ClientView, Grtc, WrtcConfig } from "./wrtc/contract.ts";
import { installWrtc } from "./wrtc/phone.ts";

/** Our own client in a page. */
class OwnGrtc implements Grtc {
  readonly #context: ClientContext;
  readonly #tell: (event: ClientEvent) => void;
  #password: string | undefined;
  #client: WrtcClient | undefined;
  #connection: RTCPeerConnection | undefined;
  #streams: { audio: boolean; video: boolean } = { audio: true, video: false };
  #stream: Promise<MediaStream> | undefined;

  constructor(context: ClientContext, tell: (event: ClientEvent) => void) {
    this.#context = context;
    this.#tell = tell;
  }

  configure(config: WrtcConfig): void {
    const { gateway, password, turn, relayOnly = false, noAnswerMs, pollingTimeoutMs, repeatMs } = config;
    const relayed = ({ candidate }: Candidate): boolean => candidate.includes(" typ relay ");
    const sameOrigin = new URL(gateway, location.href).origin === location.origin;
    this.#password = password;
    this.#client = new WrtcClient({
      gateway,
      ...(sameOrigin ? { headers: { "X-Requested-With": "XMLHttpRequest" } } : {}),
      ...(noAnswerMs === undefined ? {} : { noAnswerMs }),
      ...(pollingTimeoutMs === undefined ? {} : { pollingTimeoutMs }),
      ...(repeatMs === undefined ? {} : { repeatMs }),
      onEvent: this.#tell,
      connect: () =>
        new PageConnection({
          configuration: turn === undefined ? {} : { iceServers: [turnServer(turn)] },
          iceTimeoutMs: 1000,
          filter: (all) => (relayOnly ? all.filter(relayed) : all),
          watch: (connection) => {
            this.#connection = connection;
            this.#context.watch(connection);
          },
          stream: async () => await this.#currentStream(),
        }),
    });
  }

  register(dn: string): void {
    void this.#made.register(dn, this.#password);
  }

  connect(): void {
    void this.#made.connect();
  }

  disconnect(): void {
    this.#made.disconnect();
  }

  makeOffer(to: string | undefined, audio: boolean, video: boolean): void {
    if (audio !== this.#streams.audio || video !== this.#streams.video) {
      this.#streams = { audio, video };
      this.#stream = undefined;
    }
    this.#made.makeOffer(to);
  }

  acceptCall(): void {
    this.#made.acceptCall();
  }

  rejectCall(): void {
    this.#made.rejectCall();
  }

  terminateCall(): void {
    this.#made.terminateCall();
  }

  holdCall(): void {
    this.#made.holdCall();
  }

  resumeCall(): void {
    this.#made.resumeCall();
  }

  sendDTMF(tones: string, durationMs: number, gapMs: number): void {
    this.#made.sendDTMF(tones, durationMs, gapMs);
  }

  sendInfo(data: Readonly<Record<string, string>>, mapped: boolean): void {
    this.#made.sendInfo(data, mapped);
  }

  getServerStats(): void {
    this.#made.getServerStats();
  }

  setData(data: readonly { readonly key: string; readonly value: unknown }[]): void {
    this.#made.setData(data);
  }

  getData(): unknown {
    return this.#made.getData();
  }

  setRenewSessionOnNeed(on: boolean): void {
    this.#made.renewSession = on;
  }

  view(): ClientView | undefined {
    const client = this.#client;
    if (client === undefined) return undefined;
    return { ssid: client.ssid, state: client.state, busy: client.busy, peer: client.peer };
  }

  connection(): RTCPeerConnection | undefined {
    return this.#connection;
  }

  get #made(): WrtcClient {
    if (this.#client === undefined) throw new Error("configure first");
    return this.#client;
  }

  /** One stream for all calls, as `enableMediaSource` gives; another after what is wanted has changed. */
  async #currentStream(): Promise<MediaStream> {
    this.#stream ??= this.#newStream();
    return await this.#stream;
  }

  async #newStream(): Promise<MediaStream> {
    const stream = await this.#context.microphone();
    if (this.#streams.video) for (const track of picture().getTracks()) stream.addTrack(track);
    return stream;
  }
}

function turnServer({ server, username, password }: NonNullable<WrtcConfig["turn"]>): RTCIceServer {
  return { urls: `turn:${server}`, username, credential: password };
}

function picture(): MediaStream {
  const canvas = document.createElement("canvas");
  canvas.getContext("2d")?.fillRect(0, 0, 8, 8);
  return canvas.captureStream(5);
}

installWrtc((context, tell) => new OwnGrtc(context, tell));

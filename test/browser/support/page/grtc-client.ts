import type { Candidate, ClientEvent } from "../../../support/wrtc-client/index.ts";
import type { ClientContext } from "./contract.ts";
import type { ClientView, Grtc, WrtcConfig } from "./wrtc/contract.ts";
import { installWrtc } from "./wrtc/phone.ts";

/** What Genesys' library puts on the window; loaded by the test from the file that GRTC_JS names. */
interface Library {
  readonly Client: new (configuration: Readonly<Record<string, unknown>>) => LibraryObject;
  readonly MediaSession: new (client: LibraryObject) => LibraryObject;
}
type LibraryObject = Record<string, unknown>;

const clientCallbacks = [
  "onConnect",
  "onRegister",
  "onFailed",
  "onDisconnect",
  "onConnectionError",
  "onIncomingCall",
  "onCallEvent",
  "onNotifyEvent",
  "onPeerClosing",
  "onPeerNoanswer",
  "onGatewayError",
  "onInfoFromPeer",
  "onStatsFromServer",
] as const;

/** The real grtc.js by its documented interface (Web Real-Time Communications Developer's Guide 8.5.2). */
class RealGrtc implements Grtc {
  readonly #context: ClientContext;
  readonly #tell: (event: ClientEvent) => void;
  #client: LibraryObject | undefined;
  #session: LibraryObject | undefined;
  #connection: RTCPeerConnection | undefined;
  #peer: string | undefined;

  constructor(context: ClientContext, tell: (event: ClientEvent) => void) {
    this.#context = context;
    this.#tell = tell;
    this.#watchConnections();
    // The library asks for the microphone by itself: it gets the page's made one.
    navigator.mediaDevices.getUserMedia = async () => await context.microphone();
  }

  configure({ gateway, password, noAnswerMs, pollingTimeoutMs, turn, relayOnly }: WrtcConfig): void {
    const library = Reflect.get(window, "Grtc") as Library;
    const client = new library.Client({
      webrtc_gateway: gateway,
      ...(password === undefined ? {} : { sip_password: password }),
      ...(noAnswerMs === undefined ? {} : { noanswer_timeout: noAnswerMs }),
      ...(pollingTimeoutMs === undefined ? {} : { polling_timeout: pollingTimeoutMs }),
      ...(turn === undefined
        ? {}
        : { turn_server: turn.server, turn_username: turn.username, turn_password: turn.password }),
    });
    this.#client = client;
    for (const name of clientCallbacks) this.#listen(client, name);
    if (relayOnly === true)
      client["filterIceCandidates"] = (all: readonly Candidate[]) =>
        all.filter(({ candidate }) => candidate.includes(" typ relay "));
    this.#session = new library.MediaSession(client);
    this.#listen(this.#session, "onSessionHold");
  }

  register(dn: string): void {
    this.#withMedia(() => invoke(this.#client, "register", dn));
  }

  connect(): void {
    this.#withMedia(() => invoke(this.#client, "connect"));
  }

  disconnect(): void {
    invoke(this.#client, "disconnect");
  }

  makeOffer(to: string | undefined, audio: boolean, video: boolean): void {
    invoke(this.#session, "makeOffer", to ?? 0, audio, video);
  }

  acceptCall(): void {
    invoke(this.#session, "acceptCall", true, false, this.#peer);
  }

  rejectCall(): void {
    invoke(this.#session, "rejectCall");
  }

  terminateCall(): void {
    invoke(this.#session, "terminateCall");
  }

  holdCall(): void {
    invoke(this.#session, "holdCall");
  }

  resumeCall(): void {
    invoke(this.#session, "resumeCall");
  }

  sendDTMF(tones: string, durationMs: number, gapMs: number): void {
    invoke(this.#session, "sendDTMF", tones, { duration: durationMs, tonegap: gapMs });
  }

  sendInfo(data: Readonly<Record<string, string>>, mapped: boolean): void {
    invoke(this.#session, "sendInfo", data, mapped);
  }

  getServerStats(): void {
    invoke(this.#session, "getServerStats");
  }

  setData(data: readonly { readonly key: string; readonly value: unknown }[]): void {
    invoke(this.#session, "setData", data);
  }

  getData(): unknown {
    return invoke(this.#session, "getData");
  }

  setRenewSessionOnNeed(wanted: boolean): void {
    invoke(this.#client, "setRenewSessionOnNeed", wanted);
  }

  view(): ClientView | undefined {
    if (this.#client === undefined) return undefined;
    return { ssid: undefined, state: "", busy: false, peer: this.#peer };
  }

  connection(): RTCPeerConnection | undefined {
    return this.#connection;
  }

  /** The library offers only what `enableMediaSource` has given it. */
  #withMedia(then: () => void): void {
    on(this.#client, "onMediaSuccess", then);
    invoke(this.#client, "enableMediaSource", true, false);
  }

  #listen(object: LibraryObject, name: ClientEvent["name"]): void {
    on(object, name, (data) => {
      if (name === "onIncomingCall") this.#peer = String(Object(data)["peer"]);
      this.#tell(JSON.parse(JSON.stringify({ name, data })) as ClientEvent);
    });
  }

  #watchConnections(): void {
    window.RTCPeerConnection = new Proxy(RTCPeerConnection, {
      construct: (target, [configuration]: [RTCConfiguration?]) => {
        const connection = new target(configuration);
        this.#connection = connection;
        this.#context.watch(connection);
        return connection;
      },
    });
  }
}

function invoke(object: LibraryObject | undefined, method: string, ...parts: readonly unknown[]): unknown {
  const found = object?.[method];
  if (typeof found !== "function") throw new Error(`the library has no ${method}`);
  return Reflect.apply(found, object, parts) as unknown;
}

/** jQuery's callback lists; those a version has not are not listened to. */
function on(object: LibraryObject | undefined, name: string, callback: (data: unknown) => void): void {
  const list = Object(object?.[name]) as { add?: (callback: (data: unknown) => boolean) => void };
  list.add?.((data) => {
    callback(data);
    return false;
  });
}

installWrtc((context, tell) => new RealGrtc(context, tell));

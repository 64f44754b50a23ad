import type { Connection, Description, Direction } from "./connection.ts";
import { candidatesOf, form, hear, type Roap } from "./messages.ts";
import { isInactive } from "./sdp.ts";
import { Wire, type WireOptions } from "./wire.ts";

/** States of wrtc-http-protocol.md 2.2. */
export type SessionState =
  | "new"
  | "make-offer"
  | "preparing-offer"
  | "offer-sent"
  | "established"
  | "offer-received"
  | "offer-received-preparing-answer";

/** A callback of the library's, by its name there. */
export interface ClientEvent {
  readonly name:
    | "onConnect"
    | "onRegister"
    | "onFailed"
    | "onDisconnect"
    | "onConnectionError"
    | "onIncomingCall"
    | "onCallEvent"
    | "onNotifyEvent"
    | "onSessionHold"
    | "onPeerClosing"
    | "onPeerNoanswer"
    | "onGatewayError"
    | "onInfoFromPeer"
    | "onStatsFromServer";
  readonly data?: unknown;
}

export interface ClientOptions extends WireOptions {
  /** `noanswer_timeout`, ms. Default 60,000. */
  readonly noAnswerMs?: number;
  readonly connect: () => Connection;
  readonly onEvent: (event: ClientEvent) => void;
}

/** What rings: an offer, or an INVITE that wants ours. */
interface Pending {
  readonly peer: string;
  readonly offer?: Roap;
}

const firstNumber = 102;

/**
 * What grtc.js 8.5.210.31 does, toward the wire and toward its page, one client with one media session: written from
 * wrtc-http-protocol.md alone, and as faithful as that in what it does wrong.
 */
export class WrtcClient {
  state: SessionState = "new";
  onHold = false;
  peer: string | null | undefined;
  renewSession = false;
  readonly #options: ClientOptions;
  readonly #wire: Wire;
  #busy = false;
  #connection: Connection | undefined;
  #pending: Pending | undefined;
  /** The last parsed message: an answer copies its ids. */
  #last: Roap = {};
  #number = firstNumber;
  #seq = 0;
  #data: readonly object[] | undefined;
  #peerData: unknown;
  #noAnswer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#wire = new Wire(options, {
      onMessage: (body, peer) => this.#receive(body, peer),
      onConnectionError: () => this.#tell("onConnectionError", { status: "error" }),
      onThrownOut: () => this.#tell("onPeerClosing"),
    });
  }

  get ssid(): string | undefined {
    return this.#wire.ssid;
  }

  /** Call state not idle (2.2). */
  get busy(): boolean {
    return this.#busy;
  }

  async register(dn: string, password?: string): Promise<void> {
    await this.#signIn("onRegister", dn, password);
  }

  /** Anonymous: known to the gateway alone, and so can only call. */
  async connect(): Promise<void> {
    const hex = Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => (byte % 16).toString(16));
    hex[12] = "4";
    hex[16] = "8";
    await this.#signIn("onConnect", `anon${hex.join("")}`);
  }

  disconnect(): void {
    if (this.#busy || this.#pending !== undefined) this.terminateCall();
    this.#wire.signOut();
    this.#tell("onDisconnect");
  }

  /** Also a new offer in a call. Before the sign-in is through, nothing is sent, ever. */
  makeOffer(to?: string | null): void {
    if (this.ssid === undefined) return;
    this.state = "make-offer";
    if (to !== undefined) this.peer = to === "self" ? this.ssid : to;
    this.#busy = true;
    void this.#offer("sendrecv");
  }

  acceptCall(): void {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending?.offer === undefined) return this.makeOffer(pending?.peer ?? null);
    this.peer = pending.peer;
    void this.#answer(pending.offer);
  }

  rejectCall(): void {
    this.terminateCall();
  }

  terminateCall(): void {
    const to = this.#pending?.peer ?? this.peer;
    if (to !== undefined) void this.#wire.post(String(to), "BYE");
    this.#reset();
  }

  holdCall(): void {
    this.onHold = true;
    this.#reoffer("inactive");
  }

  resumeCall(): void {
    this.onHold = false;
    this.#reoffer("sendrecv");
  }

  sendDTMF(tones: string, durationMs = 100, gapMs = 70): void {
    this.#connection?.sendDigits(tones, durationMs, gapMs);
  }

  /** @param mapped for SIP Server, which makes user data of it; else for the other party */
  sendInfo(data: Readonly<Record<string, string>>, mapped = true): void {
    void this.#wire.post(String(this.peer), `${mapped ? "INFO-MAP" : "INFO-PEER"} ${form(data)}`);
  }

  getServerStats(): void {
    void this.#wire.post(String(this.peer), "GET-STATS");
  }

  setData(data: readonly { readonly key: string; readonly value: unknown }[]): void {
    this.#data = data;
  }

  /** What the other side attached. */
  getData(): unknown {
    return this.#peerData;
  }

  async #signIn(callback: "onRegister" | "onConnect", id: string, password?: string): Promise<void> {
    const { registered, failed } = await this.#wire.signIn(id, password);
    if (failed) this.#tell("onFailed");
    if (registered) this.#tell(callback);
  }

  #receive(body: string, peer: string): void {
    const heard = hear(body, peer, true);
    if ("roap" in heard) this.#last = heard.roap;
    if (heard.kind === "bye") this.#onBye();
    else if (heard.kind === "invite") this.#onInvite(peer);
    else if (heard.kind === "talk") this.#onTalk();
    else if (heard.kind === "hold") this.#onHoldEvent();
    else if (heard.kind === "info") this.#tell("onInfoFromPeer", heard.data);
    else if (heard.kind === "stats") this.#tell("onStatsFromServer", heard.statistics);
    else if (heard.kind === "error") this.#tell("onGatewayError", { error: heard.errorType });
    else if (heard.kind === "offer") this.#onOffer(heard.roap, peer);
    else if (heard.kind === "reply" && heard.roap.messageType === "ANSWER") this.#onAnswer(heard.roap);
  }

  #onBye(): void {
    this.#reset();
    this.#tell("onPeerClosing");
  }

  #onInvite(peer: string): void {
    if (this.#busy) return this.makeOffer();
    if (peer === "") return this.makeOffer(null);
    this.#pending = { peer };
    this.#tell("onIncomingCall", { peer, event: "invite" });
  }

  #onTalk(): void {
    const answers = !this.#busy;
    this.#tell("onNotifyEvent", { peer: answers ? null : this.peer, event: "talk" });
    if (answers) this.acceptCall();
    else this.resumeCall();
  }

  #onHoldEvent(): void {
    if (this.#busy && !this.onHold) this.holdCall();
    this.#tell("onNotifyEvent", { peer: this.peer ?? null, event: "hold" });
  }

  #onOffer(offer: Roap, peer: string): void {
    if (["make-offer", "preparing-offer", "offer-sent"].includes(this.state)) return;
    if (this.#busy) return void this.#answer(offer);
    this.#pending = { peer, offer };
    this.state = "offer-received";
    this.#peerData = offer.attacheddata;
    this.#tell("onIncomingCall", { peer, event: "offer" });
  }

  #onAnswer(answer: Roap): void {
    if (this.state !== "offer-sent") return;
    clearTimeout(this.#noAnswer);
    const { offererSessionId, seq, attacheddata } = answer;
    this.#send({ messageType: "OK", offererSessionId, answererSessionId: this.#number, seq });
    this.state = "established";
    if (attacheddata !== undefined) this.#peerData = attacheddata;
    const sdp = String(answer.sdp);
    this.#connection?.accept({ sdp, candidates: candidatesOf(answer) }).then(
      () => {
        this.#tell("onCallEvent", { peer: this.peer, event: "answer received" });
        if (isInactive(sdp)) this.#tell("onSessionHold", true);
      },
      (error: unknown) => this.#tell("onCallEvent", { peer: this.peer, event: `failed: ${String(error)}` }),
    );
  }

  async #offer(direction: Direction): Promise<void> {
    this.state = "preparing-offer";
    if (this.renewSession && this.#seq > 0) {
      this.#connection?.close();
      this.#connection = undefined;
      this.#seq = 0;
    }
    const connection = (this.#connection ??= this.#options.connect());
    const made = await connection.offer(direction).catch(() => undefined);
    if (made === undefined || connection !== this.#connection) return;
    this.#seq++;
    this.state = "offer-sent";
    this.#send({
      messageType: "OFFER",
      ...described(made),
      offererSessionId: this.#number,
      answererSessionId: null,
      seq: this.#seq,
      tiebreaker: 1 + Math.floor(Math.random() * 429_496_723),
      ...this.#attached(),
    });
  }

  #reoffer(direction: Direction): void {
    if (this.#busy && this.state === "established") void this.#offer(direction);
  }

  async #answer(offer: Roap): Promise<void> {
    this.#busy = true;
    this.state = "offer-received-preparing-answer";
    this.#last = offer;
    const connection = (this.#connection ??= this.#options.connect());
    const sdp = String(offer.sdp);
    const made = await connection.answer({ sdp, candidates: candidatesOf(offer) }).catch(() => undefined);
    if (connection !== this.#connection) return;
    if (made === undefined) return this.terminateCall();
    const { offererSessionId, seq } = this.#last;
    const ids = { offererSessionId, answererSessionId: this.#number, seq };
    this.#send({ messageType: "ANSWER", ...described(made), ...ids, ...this.#attached() });
    this.state = "established";
    if (isInactive(sdp)) this.#tell("onSessionHold", true);
    this.#tell("onCallEvent", { peer: this.peer, event: "answer sent" });
  }

  /** Repeated while the session has somebody to send to; so is the time an answer to it may take. */
  #send(message: Readonly<Record<string, unknown>>): void {
    const number = this.#number;
    const offers = message["messageType"] === "OFFER";
    if (offers) this.#waitForAnswer();
    void this.#wire.post(String(this.peer), `RSMP ${JSON.stringify(message)}`, () => {
      const again = this.#number === number && this.peer !== undefined;
      if (again && offers && this.state === "offer-sent") this.#waitForAnswer();
      return again;
    });
  }

  #waitForAnswer(): void {
    clearTimeout(this.#noAnswer);
    this.#noAnswer = setTimeout(() => {
      this.state = "new";
      this.#tell("onPeerNoanswer");
    }, this.#options.noAnswerMs ?? 60_000);
  }

  #attached(): { readonly attacheddata?: readonly object[] } {
    return this.#data === undefined ? {} : { attacheddata: this.#data };
  }

  #reset(): void {
    clearTimeout(this.#noAnswer);
    this.#connection?.close();
    this.#connection = undefined;
    this.#pending = undefined;
    this.#busy = false;
    this.#seq = 0;
    this.#number++;
    this.state = "new";
    this.onHold = false;
    this.peer = undefined;
  }

  #tell(name: ClientEvent["name"], data?: unknown): void {
    this.#options.onEvent(data === undefined ? { name } : { name, data });
  }
}

function described({ sdp, candidates }: Description): object {
  return { sdp, Candidates: candidates };
}

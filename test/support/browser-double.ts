import type { SipRequest } from "../../src/sip/index.ts";
import { BrowserMedia, type DoubleCodec } from "./browser-media.ts";
import { TestAgent, type TestAgentOptions, type TestCall } from "./test-agent.ts";
import type { WebRtcPeerOptions } from "./webrtc-peer.ts";

export interface BrowserDoubleOptions extends TestAgentOptions {
  /** Default opus. */
  readonly codec?: DoubleCodec;
  /** Answers calls when NOTIFY talk comes, as the page does, this long after it, ms; default never. */
  readonly answerOnTalkMs?: number;
  readonly peer?: WebRtcPeerOptions;
}

/** One call of a browser double: signalling and media together. */
export class DoubleCall {
  readonly signalling: TestCall;
  readonly media: BrowserMedia;
  /** Resolves when SRTP runs; rejects when ICE or DTLS fails. Awaiting it before there is an SDP waits for that too. */
  readonly connected: Promise<void>;
  readonly #offer: string;
  #connect: ((sdp: string) => void) | undefined;

  constructor(signalling: TestCall, media: BrowserMedia) {
    this.signalling = signalling;
    this.media = media;
    this.#offer = signalling.incoming?.offer ?? "";
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#connect = resolve;
    this.connected = promise.then((sdp) => media.connect(sdp));
    // Who does not await it must not be struck by it.
    this.connected.catch(() => {});
    signalling.answerOffer = (sdp) => media.answer(sdp);
    if (!signalling.outgoing) return;
    for (const milestone of ["ringing", "answered"] as const)
      void signalling.when(milestone).then((sdp) => this.#meet(sdp));
  }

  #meet(sdp: string): void {
    if (sdp !== "") this.#connect?.(sdp);
  }

  when(milestone: Parameters<TestCall["when"]>[0]): Promise<string> {
    return this.signalling.when(milestone);
  }

  /** Accepts the incoming call, and connects. */
  answer(): void {
    if (!this.signalling.incoming?.pending) return;
    this.signalling.answer(this.media.answer(this.#offer));
    this.#meet(this.#offer);
  }

  hangUp(): void {
    this.signalling.hangUp();
  }

  /** Closes the media; the signalling is not told. Idempotent. */
  close(): Promise<void> {
    return this.media.close();
  }
}

/**
 * A whole browser without a browser: SIP over WebSocket with digest, real offers and answers, ICE, DTLS, SRTP and
 * sound. Many fit into a process. For interop tests and benches.
 */
export class BrowserDouble {
  readonly agent: TestAgent;
  readonly #options: BrowserDoubleOptions;
  readonly #calls = new Set<DoubleCall>();
  readonly #ringing: Promise<DoubleCall>[] = [];
  #waiting: ((call: Promise<DoubleCall>) => void) | undefined;
  /** Call-IDs that NOTIFY talk named, in order. */
  readonly talks: string[] = [];
  /** Those of them whose time to answer has come. */
  readonly #due = new Set<string>();

  private constructor(agent: TestAgent, options: BrowserDoubleOptions) {
    this.agent = agent;
    this.#options = options;
    agent.onCall = (call) => this.#ring(call);
    agent.onEvent = (request) => this.#talk(request);
  }

  /** Connects and registers; throws with the status when refused. */
  static async signIn(options: BrowserDoubleOptions): Promise<BrowserDouble> {
    const agent = new TestAgent(options);
    const double = new BrowserDouble(agent, options);
    await agent.connect();
    const status = await agent.register();
    if (status !== 200) throw new Error(`REGISTER of ${options.dn}: ${status}`);
    return double;
  }

  get dn(): string {
    return this.agent.dn;
  }

  /** Resolves when the DN's registration at SIP Server is in this state (Allow-Events must ask for it). */
  async trunkState(state: string): Promise<string> {
    const known = this.agent.events.findLast(({ headers }) => headers.get("Event") === "x-jackfield-trunk");
    if (known?.body.toString().includes(`"${state}"`)) return known.body.toString();
    return await new Promise((resolve) => {
      this.agent.onEvent = (request) => {
        this.#talk(request);
        const body = request.body.toString();
        if (request.headers.get("Event") === "x-jackfield-trunk" && body.includes(`"${state}"`))
          resolve(body);
      };
    });
  }

  /** Dials; resolves once the INVITE is sent. */
  async dial(number: string): Promise<DoubleCall> {
    const media = await this.#openMedia();
    return this.#keep(new DoubleCall(this.agent.call(number, media.offer()), media));
  }

  /** The next call that comes in, or one that came and was not asked for yet. */
  nextCall(): Promise<DoubleCall> {
    const call = this.#ringing.shift();
    if (call) return call;
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  #openMedia(): Promise<BrowserMedia> {
    return BrowserMedia.create(this.#options.codec ?? "opus", this.#options.peer);
  }

  #ring(signalling: TestCall): void {
    const call = this.#openMedia().then((media) => this.#keep(new DoubleCall(signalling, media)));
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting(call);
    else this.#ringing.push(call);
  }

  #talk(request: SipRequest): void {
    if (request.headers.get("Event") !== "talk") return;
    const callId = request.headers.get("X-Jackfield-Call-ID") ?? "";
    this.talks.push(callId);
    const delay = this.#options.answerOnTalkMs;
    if (delay === undefined) return;
    setTimeout(() => {
      this.#due.add(callId);
      for (const call of this.#calls) this.#answerIfDue(call);
    }, delay);
  }

  /** On a busy machine talk may come before the call's media is open. */
  #answerIfDue(call: DoubleCall): void {
    if (this.#due.has(call.signalling.incoming?.request.callId ?? "")) call.answer();
  }

  #keep(call: DoubleCall): DoubleCall {
    this.#calls.add(call);
    this.#answerIfDue(call);
    return call;
  }

  /** Closes a call's media and forgets it. */
  async drop(call: DoubleCall): Promise<void> {
    this.#calls.delete(call);
    await call.close();
  }

  /** Un-registers, closes socket and media. Calls are not hung up. */
  async signOut(): Promise<void> {
    await this.agent.signOut();
    await this.close();
  }

  /** Closes socket and media without a word. */
  async close(): Promise<void> {
    this.agent.close();
    await Promise.all(Array.from(this.#calls, (call) => call.close()));
    this.#calls.clear();
  }
}

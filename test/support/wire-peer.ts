import { silentLogger } from "../../src/core/index.ts";
import {
  createResponse,
  createTransactionLayer,
  DialogDispatcher,
  IncomingInvite,
  OutgoingInvite,
  type Flow,
  type Session,
  type SessionParts,
  type SessionTerms,
} from "../../src/sip/index.ts";
import { CountingRandom } from "./counting-random.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryNetwork } from "./memory-network.ts";
import { RecordingUser } from "./session-pair.ts";

const ours = "192.0.2.1:5060";
const theirs = "192.0.2.2:5060";
const callId = "wire-1";
const peerTag = "peer";

/** A message of the session's, as it stands on the wire. */
export class WireMessage {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** `INVITE`, or `SIP/2.0` of a response. */
  get method(): string {
    return this.text.split(" ", 1)[0] ?? "";
  }

  /** 0 for a request. */
  get status(): number {
    return Number(/^SIP\/2\.0 (\d+)/.exec(this.text)?.[1] ?? 0);
  }

  header(name: string): string | undefined {
    return new RegExp(`^${name}: (.*)$`, "im").exec(this.text)?.[1]?.trim();
  }

  get cseq(): string {
    return this.header("CSeq") ?? "";
  }

  get tag(): { readonly from: string; readonly to: string } {
    const of = (name: string): string => /;tag=([^;\s]+)/.exec(this.header(name) ?? "")?.[1] ?? "";
    return { from: of("From"), to: of("To") };
  }

  get body(): string {
    return this.text.split("\r\n\r\n")[1] ?? "";
  }
}

type Lines = readonly string[];

/**
 * One session of ours against a far end that writes each of its messages by hand, so that any message can be sent at any
 * time; it answers nothing by itself.
 */
export class WirePeer {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly user = new RecordingUser();
  readonly dispatcher: DialogDispatcher;
  readonly layer: ReturnType<typeof createTransactionLayer>;
  /** What the session sent, in order. */
  readonly heard: WireMessage[] = [];
  /** Answers each request of the session's with this status, but ACK. */
  autoAnswer: number | undefined;
  incoming: IncomingInvite | undefined;
  outgoing: OutgoingInvite | undefined;
  readonly #flow: Flow;
  readonly #terms: SessionTerms | undefined;
  readonly #random = new CountingRandom("wire");
  #sequence = 0;
  #branch = 0;
  /** Start lines of requests outside dialogs that came through to their user. */
  readonly strays: string[] = [];

  constructor(terms?: SessionTerms, allow = "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK") {
    this.#terms = terms;
    this.allow = allow;
    this.dispatcher = new DialogDispatcher((request, transaction) => {
      if (request.method !== "INVITE" || this.incoming) {
        this.strays.push(request.method);
        transaction.respond(createResponse(request, 481));
      } else this.incoming = new IncomingInvite(this.#context, transaction, this.#parts);
    });
    this.layer = createTransactionLayer({
      clock: this.clock,
      random: this.#random,
      log: silentLogger,
      user: this.dispatcher,
    });
    const receiver = {
      receive: (_flow: Flow, bytes: Buffer) => this.#hear(new WireMessage(bytes.toString("utf8"))),
      flowClosed() {},
    };
    this.#flow = this.network.flow(
      ours,
      theirs,
      () => receiver,
      () => this.#flow,
    );
  }

  /** Allow of the peer's INVITE and 200. */
  allow: string;

  get #context() {
    const { clock, layer: transactions, dispatcher: dialogs } = this;
    return { transactions, dialogs, clock, random: this.#random, log: silentLogger };
  }

  get #parts(): SessionParts {
    return {
      route: { flow: () => this.#flow, waitForFlow: () => Promise.resolve(undefined), accepts: () => true },
      identity: { contact: `<sip:us@${ours}>`, headers: [["Allow", "INVITE, UPDATE, PRACK"]] },
      user: this.user,
      ...(this.#terms ? { terms: this.#terms } : {}),
    };
  }

  #hear(message: WireMessage): void {
    this.heard.push(message);
    if (this.autoAnswer !== undefined && message.status === 0 && message.method !== "ACK")
      this.answer(message, this.autoAnswer);
  }

  get session(): Session {
    const session = this.incoming?.session ?? this.outgoing?.session;
    if (!session) throw new Error("no session");
    return session;
  }

  /** Lets what was sent arrive. */
  settle(ms = 5): void {
    this.clock.advance(ms);
  }

  /** Puts bytes on the wire toward the session. */
  put(text: string): string {
    this.layer.receive(this.#flow, Buffer.from(text), "datagram");
    return text;
  }

  /** Our INVITE goes out. */
  call(sdp: string | undefined = "offer"): void {
    const target = {
      uri: `sip:peer@${theirs}`,
      from: "<sip:us@jackfield>",
      to: "<sip:peer@jackfield>",
      callId,
      ...(sdp === undefined ? {} : { sdp }),
    };
    this.user.onAnsweredReceived = ({ cseq }) => this.session.acknowledge(cseq.sequence);
    this.outgoing = new OutgoingInvite(this.#context, this.#flow, target, this.#parts);
    this.settle();
  }

  /** Sends a request: within the dialog when it has a To tag. Returns its text, to be put again. */
  send(
    method: string,
    options: {
      lines?: Lines;
      body?: string;
      cseq?: number;
      branch?: string;
      toTag?: string;
      fromTag?: string;
    } = {},
  ): string {
    const { lines = [], body = "", branch = `z9hG4bK-${++this.#branch}`, fromTag = peerTag } = options;
    const cseq = options.cseq ?? ++this.#sequence;
    const toTag = options.toTag ?? this.ourTag;
    return this.put(
      [
        `${method} sip:us@${ours} SIP/2.0`,
        `Via: SIP/2.0/UDP ${theirs};branch=${branch}`,
        "Max-Forwards: 70",
        `From: <sip:peer@jackfield>;tag=${fromTag}`,
        toTag === "" ? "To: <sip:us@jackfield>" : `To: <sip:us@jackfield>;tag=${toTag}`,
        `Call-ID: ${callId}`,
        `CSeq: ${cseq} ${method}`,
        `Contact: <sip:peer@${theirs}>`,
        ...lines,
        ...(body === "" ? [] : ["Content-Type: application/sdp"]),
        `Content-Length: ${body.length}`,
        "",
        body,
      ].join("\r\n"),
    );
  }

  /** Answers a request of the session's. Returns the text, to be put again. */
  answer(
    request: WireMessage,
    status: number,
    { lines = [], body = "", tag = peerTag }: { lines?: Lines; body?: string; tag?: string } = {},
  ): string {
    const to = request.header("To") ?? "";
    return this.put(
      [
        `SIP/2.0 ${status} Whatever`,
        `Via: ${request.header("Via") ?? ""}`,
        `From: ${request.header("From") ?? ""}`,
        `To: ${to.includes(";tag=") || status === 100 ? to : `${to};tag=${tag}`}`,
        `Call-ID: ${callId}`,
        `CSeq: ${request.cseq}`,
        `Contact: <sip:peer@${theirs}>`,
        ...lines,
        ...(body === "" ? [] : ["Content-Type: application/sdp"]),
        `Content-Length: ${body.length}`,
        "",
        body,
      ].join("\r\n"),
    );
  }

  /** The session's own tag, as it last told it. */
  get ourTag(): string {
    for (const message of this.heard.toReversed()) {
      const { from, to } = message.tag;
      const own = message.status === 0 ? from : to;
      if (own !== "" && own !== peerTag) return own;
    }
    return "";
  }

  /** The last request `method` of the session's. */
  requestOf(method: string): WireMessage {
    const found = this.heard.findLast((message) => message.method === method);
    if (!found) throw new Error(`no ${method} was sent`);
    return found;
  }

  /** Every request `method` of the session's, each sending. */
  requests(method: string): WireMessage[] {
    return this.heard.filter((message) => message.method === method);
  }

  /** The responses to requests of CSeq `cseq`, e.g. `2 UPDATE`, each sending. */
  responses(cseq: string): WireMessage[] {
    return this.heard.filter((message) => message.status > 0 && message.cseq === cseq);
  }

  /** Final statuses to the request that was put as `text`. */
  finals(text: string): number[] {
    const of = new WireMessage(text);
    const branch = of.header("Via");
    return this.responses(of.cseq)
      .filter((message) => message.status >= 200 && message.header("Via")?.startsWith(branch ?? "-"))
      .map(({ status }) => status);
  }

  /** What is left after all that can expire has expired. */
  remains(): { timers: number; dialogs: number; transactions: number; faults: number } {
    this.clock.advance(300_000);
    const { client, server } = this.layer.counts;
    return {
      timers: this.clock.pendingTimers,
      dialogs: this.dispatcher.size,
      transactions: client + server,
      faults: this.layer.counters.handlerErrors,
    };
  }
}

export const nothingRemains = { timers: 0, dialogs: 0, transactions: 0, faults: 0 };

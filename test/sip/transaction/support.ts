import { silentLogger } from "../../../src/core/index.ts";
import {
  createRequest,
  createTransactionLayer,
  type ClientHandlers,
  type Flow,
  type FlowReceiver,
  type ServerTransaction,
  type SipRequest,
  type SipResponse,
  type TransactionLimits,
} from "../../../src/sip/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A flow whose far end is the test: what was sent is kept with the time it was sent at. */
export class TestFlow implements Flow {
  readonly id: string;
  readonly protocol: "UDP" | "TCP" | "WS";
  readonly side: Flow["side"];
  readonly reliable: boolean;
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly sentBy: string;
  readonly toPort?: (port: number) => TestFlow;
  open = true;
  /** The next sends fail with it. */
  failure: Error | undefined;
  readonly sent: { at: number; text: string }[] = [];
  readonly #clock: FakeClock;

  constructor(clock: FakeClock, protocol: TestFlow["protocol"] = "UDP", remotePort = 5060, id = "") {
    this.#clock = clock;
    this.protocol = protocol;
    this.side = protocol === "WS" ? "browser" : "trunk";
    this.reliable = protocol !== "UDP";
    this.remoteAddress = "192.0.2.10";
    this.remotePort = remotePort;
    this.id = `${protocol}:${remotePort}${id}`;
    this.sentBy = protocol === "WS" ? "gw.invalid" : "192.0.2.20:5060";
    if (this.side === "trunk") {
      const siblings = new Map<number, TestFlow>();
      this.toPort = (port) => {
        const sibling = siblings.get(port) ?? new TestFlow(clock, protocol, port);
        siblings.set(port, sibling);
        return sibling;
      };
    }
  }

  send(message: Buffer, onError?: (error: Error) => void): void {
    if (this.failure) return onError?.(this.failure);
    this.sent.push({ at: this.#clock.now(), text: message.toString() });
  }

  /** Start lines of all that was sent. */
  get lines(): string[] {
    return this.sent.map(({ text }) => text.slice(0, text.indexOf("\r\n")));
  }

  /** When the messages starting with `start` were sent, ms. */
  timesOf(start: string): number[] {
    return this.sent.filter(({ text }) => text.startsWith(start)).map(({ at }) => at);
  }

  last(): string {
    return this.sent.at(-1)?.text ?? "";
  }
}

/** First value of a header in a message's text. */
export function header(text: string, name: string): string {
  return new RegExp(`^${name}: *(.*)$`, "mi").exec(text)?.[1]?.trim() ?? "";
}

/** A user that notes what it was told and lets the test answer. */
export class TestUser {
  readonly requests: { request: SipRequest; transaction: ServerTransaction }[] = [];
  readonly acks: SipRequest[] = [];
  readonly events: string[] = [];
  /** Runs within onRequest. */
  answer: ((request: SipRequest, transaction: ServerTransaction) => void) | undefined;

  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    this.requests.push({ request, transaction });
    transaction.onCancel = () => this.events.push("cancel");
    transaction.onCompleted = (acknowledged) => this.events.push(acknowledged ? "acknowledged" : "no ack");
    transaction.onTransportError = (error) => this.events.push(`transport error: ${error.message}`);
    this.answer?.(request, transaction);
  }

  onAck(request: SipRequest): void {
    this.acks.push(request);
  }

  /** The last request's transaction. */
  get transaction(): ServerTransaction {
    const last = this.requests.at(-1);
    if (!last) throw new Error("no request came");
    return last.transaction;
  }
}

/** Notes what a client transaction tells. */
export class TestHandlers implements ClientHandlers {
  readonly events: string[] = [];
  readonly responses: SipResponse[] = [];

  onResponse(response: SipResponse): void {
    this.responses.push(response);
    this.events.push(String(response.status));
  }

  onTimeout(): void {
    this.events.push("timeout");
  }

  onTransportError(error: Error): void {
    this.events.push(`transport error: ${error.message}`);
  }
}

export function setUp(protocol: TestFlow["protocol"] = "UDP", limits?: Partial<TransactionLimits>) {
  const clock = new FakeClock();
  const user = new TestUser();
  const random = new CountingRandom();
  const layer = createTransactionLayer({ clock, random, log: silentLogger, user, ...(limits && { limits }) });
  const flow = new TestFlow(clock, protocol);
  const receive = (text: string, by: Flow = flow): void =>
    layer.receive(by, Buffer.from(text), by.reliable ? "frame" : "datagram");
  return { clock, user, layer, flow, receive };
}

export function outgoing(method: string, extra: [string, string][] = []): SipRequest {
  return createRequest({
    method,
    uri: "sip:1003@192.0.2.10:5060",
    headers: [
      ["Max-Forwards", "70"],
      ["From", "<sip:5001@192.0.2.20>;tag=ours"],
      ["To", "<sip:1003@192.0.2.10>"],
      ["Call-ID", "call-1"],
      ["CSeq", `7 ${method}`],
      ...extra,
    ],
  });
}

/** The far end's response to a request we sent, written by hand in SIP Server's order: Via not at the top. */
export function responseTo(request: string, status: number, tag = "theirs", edit?: (via: string) => string) {
  const via = header(request, "Via");
  const to = header(request, "To");
  const tagged = /;tag=/.test(to) || status === 100 ? to : `${to};tag=${tag}`;
  return [
    `SIP/2.0 ${status} Whatever`,
    `From: ${header(request, "From")}`,
    `To: ${tagged}`,
    `Call-ID: ${header(request, "Call-ID")}`,
    `CSeq: ${header(request, "CSeq")}`,
    "Content-Length: 0",
    `Via: ${edit ? edit(via) : via}`,
    "",
    "",
  ].join("\r\n");
}

export interface Incoming {
  method?: string;
  cseqMethod?: string;
  branch?: string;
  via?: string;
  fromTag?: string;
  toTag?: string;
  callId?: string;
  sequence?: number;
  uri?: string;
}

/** A request of the far end's, as text. */
export function incoming(options: Incoming = {}): string {
  const { method = "INVITE", branch = "z9hG4bK-b1", fromTag = "theirs", callId = "call-2" } = options;
  const via = options.via ?? `SIP/2.0/UDP 192.0.2.10:5060;branch=${branch}`;
  return [
    `${method} ${options.uri ?? "sip:5001@192.0.2.20:5060"} SIP/2.0`,
    `From: sip:1003@192.0.2.10:5060;tag=${fromTag}`,
    `To: sip:5001@192.0.2.10:5060${options.toTag === undefined ? "" : `;tag=${options.toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${options.sequence ?? 1} ${options.cseqMethod ?? method}`,
    "Content-Length: 0",
    `Via: ${via}`,
    "",
    "",
  ].join("\r\n");
}

/** Two layers joined by a wire with delay and loss. */
export function wire(
  clock: FakeClock,
  options: { protocol: "UDP" | "WS"; delayMs: number; loses: () => boolean },
): { near: Flow; far: Flow; connect: (near: FlowReceiver, far: FlowReceiver) => void; lost: () => number } {
  let lost = 0;
  const receivers: { near?: FlowReceiver; far?: FlowReceiver } = {};
  const end = (side: "near" | "far"): Flow => ({
    id: side,
    protocol: options.protocol,
    side: options.protocol === "WS" ? "browser" : "trunk",
    reliable: options.protocol === "WS",
    remoteAddress: side === "near" ? "192.0.2.10" : "192.0.2.20",
    remotePort: 5060,
    sentBy: side === "near" ? "192.0.2.20:5060" : "192.0.2.10:5060",
    open: true,
    send(message) {
      const other = side === "near" ? "far" : "near";
      if (options.loses()) {
        lost++;
        return;
      }
      const framing = options.protocol === "WS" ? "frame" : "datagram";
      clock.setTimer(options.delayMs, () => receivers[other]?.receive(ends[other], message, framing));
    },
  });
  const ends = { near: end("near"), far: end("far") };
  return {
    ...ends,
    lost: () => lost,
    connect(near, far) {
      receivers.near = near;
      receivers.far = far;
    },
  };
}

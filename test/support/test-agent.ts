import { silentLogger, systemClock, systemRandom } from "../../src/core/index.ts";
import {
  createDigestClient,
  createRequest,
  createResponse,
  createTransactionLayer,
  DialogDispatcher,
  IncomingInvite,
  OutgoingInvite,
  type HeaderPair,
  type OfferReply,
  type ServerTransaction,
  type SessionContext,
  type SessionEnd,
  type SessionFailure,
  type SessionRoute,
  type SessionUser,
  type SipRequest,
  type SipResponse,
  type TransactionLayerWithReceiver,
} from "../../src/sip/index.ts";
import { testOrigin, testPassword } from "./test-gateway.ts";
import { ClientFlow } from "./web-socket-flow.ts";

/** What one awaits of a call: each name resolves once, the first time it happens. */
type Milestone = "ringing" | "answered" | "acknowledged" | "failed" | "ended";

/** One call of a test agent; SDP is whatever the test's media peer makes. */
export class TestCall implements SessionUser {
  readonly told: string[] = [];
  readonly #milestones = new Map<Milestone, { promise: Promise<string>; resolve: (text: string) => void }>();
  incoming: IncomingInvite | undefined;
  outgoing: OutgoingInvite | undefined;
  /** What to answer to a re-INVITE. */
  answerOffer: (sdp: string) => string | undefined = () => undefined;

  get session() {
    return this.incoming?.session ?? this.outgoing?.session;
  }

  /** Resolves with the SDP or reason that came with it. */
  when(milestone: Milestone): Promise<string> {
    return this.#milestone(milestone).promise;
  }

  #milestone(milestone: Milestone) {
    let found = this.#milestones.get(milestone);
    if (!found) {
      const { promise, resolve } = Promise.withResolvers<string>();
      this.#milestones.set(milestone, (found = { promise, resolve }));
    }
    return found;
  }

  #reach(milestone: Milestone, text: string): void {
    this.told.push(milestone);
    this.#milestone(milestone).resolve(text);
  }

  onProvisional(response: SipResponse): void {
    this.#reach("ringing", response.body.toString());
  }
  onAnswered(response: SipResponse): void {
    this.outgoing?.session.acknowledge(response.cseq.sequence);
    this.#reach("answered", response.body.toString());
  }
  onFailed(failure: SessionFailure): void {
    this.#reach("failed", `${failure.status} ${failure.reason}`);
  }
  onAcknowledged(): void {
    this.#reach("acknowledged", "");
  }
  onOffer(sdp: string, _request: SipRequest, reply: OfferReply): void {
    const answer = this.answerOffer(sdp);
    if (answer === undefined) reply.reject(488);
    else reply.accept(answer);
  }
  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    transaction.respond(createResponse(request, 200));
  }
  onEnded(end: SessionEnd): void {
    this.#reach("ended", end.reason);
  }

  answer(sdp: string): void {
    this.incoming?.accept(sdp);
  }

  hangUp(): void {
    this.session?.bye();
  }
}

export interface TestAgentOptions {
  readonly url: string;
  readonly dn: string;
  readonly password?: string;
  readonly instance?: string;
  readonly allowEvents?: string;
}

/** A browser's signalling without a browser: SIP over WebSocket with REGISTER and digest, many to a process. */
export class TestAgent {
  readonly dn: string;
  readonly #options: TestAgentOptions;
  readonly #layer: TransactionLayerWithReceiver;
  readonly #dispatcher: DialogDispatcher;
  readonly #context: SessionContext;
  readonly #digest = createDigestClient({ random: systemRandom });
  readonly #callId = systemRandom.bytes(8).toString("hex");
  #sequence = 0;
  flow: ClientFlow | undefined;
  /** Requests outside dialogs that came in, e.g. NOTIFY of trunk state or talk. */
  readonly events: SipRequest[] = [];
  onEvent: (request: SipRequest) => void = () => {};
  onCall: (call: TestCall) => void = () => {};

  constructor(options: TestAgentOptions) {
    this.dn = options.dn;
    this.#options = options;
    this.#dispatcher = new DialogDispatcher((request, transaction) => this.#receive(request, transaction));
    this.#layer = createTransactionLayer({
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
      user: this.#dispatcher,
    });
    this.#context = {
      transactions: this.#layer,
      dialogs: this.#dispatcher,
      clock: systemClock,
      random: systemRandom,
      log: silentLogger,
    };
  }

  /** Connects and registers; throws with the status when refused. */
  static async signIn(options: TestAgentOptions): Promise<TestAgent> {
    const agent = new TestAgent(options);
    await agent.connect();
    const status = await agent.register();
    if (status !== 200) throw new Error(`REGISTER: ${status}`);
    return agent;
  }

  async connect(): Promise<void> {
    this.flow = await ClientFlow.open(this.#options.url, testOrigin, this.#layer);
  }

  get #contact(): string {
    return `<sip:${this.dn}x@t.invalid;transport=ws>`;
  }

  /** REGISTER with digest; resolves with the final status. */
  async register(expires = 300): Promise<number> {
    const { instance = `urn:uuid:${this.#callId}`, allowEvents } = this.#options;
    const headers: HeaderPair[] = [
      ["Contact", `${this.#contact};reg-id=1;+sip.instance="<${instance}>"`],
      ["Expires", String(expires)],
      ...(allowEvents === undefined ? [] : [["Allow-Events", allowEvents] as const]),
    ];
    const first = await this.#request(headers);
    if (first.status !== 401) return first.status;
    const credentials = { username: this.dn, password: this.#options.password ?? testPassword(this.dn) };
    const target = { method: "REGISTER", uri: "sip:jackfield", body: Buffer.alloc(0) };
    const header = this.#digest.answer(first, target, credentials);
    if (!header) return first.status;
    return (await this.#request([...headers, [header.name, header.value]])).status;
  }

  #request(headers: readonly HeaderPair[]): Promise<SipResponse> {
    const request = createRequest({
      method: "REGISTER",
      uri: "sip:jackfield",
      headers: [
        ["Max-Forwards", "70"],
        ["From", `<sip:${this.dn}@jackfield>;tag=${this.#callId}`],
        ["To", `<sip:${this.dn}@jackfield>`],
        ["Call-ID", this.#callId],
        ["CSeq", `${++this.#sequence} REGISTER`],
        ["User-Agent", "Jackfield test agent"],
        ...headers,
      ],
    });
    const flow = this.#flow();
    return new Promise((resolve, reject) => {
      this.#layer.request(request, flow, {
        onResponse: (response) => {
          if (response.status >= 200) resolve(response);
        },
        onTimeout: () => reject(new Error("REGISTER timed out")),
        onTransportError: reject,
      });
    });
  }

  #flow(): ClientFlow {
    if (!this.flow) throw new Error("not connected");
    return this.flow;
  }

  #parts(user: TestCall) {
    const route: SessionRoute = {
      flow: () => (this.flow?.open ? this.flow : undefined),
      waitForFlow: () => Promise.resolve(undefined),
      accepts: () => true,
    };
    return { route, identity: { contact: this.#contact, headers: [] }, user };
  }

  #receive(request: SipRequest, transaction: ServerTransaction): void {
    if (request.method === "INVITE") {
      const call = new TestCall();
      call.incoming = new IncomingInvite(this.#context, transaction, this.#parts(call));
      call.incoming.progress(180);
      this.onCall(call);
      return;
    }
    transaction.respond(createResponse(request, 200));
    this.events.push(request);
    this.onEvent(request);
  }

  /** Resolves with the next incoming call. */
  nextCall(): Promise<TestCall> {
    return new Promise((resolve) => {
      this.onCall = resolve;
    });
  }

  /** Resolves once an event of this package whose body contains `text` has come. */
  whenEvent(event: string, text = ""): Promise<SipRequest> {
    const fits = (request: SipRequest): boolean =>
      request.headers.get("Event") === event && request.body.toString().includes(text);
    const seen = this.events.find(fits);
    if (seen) return Promise.resolve(seen);
    return new Promise((resolve) => {
      this.onEvent = (request) => {
        if (fits(request)) resolve(request);
      };
    });
  }

  call(number: string, sdp: string): TestCall {
    const call = new TestCall();
    const target = {
      uri: `sip:${number}@jackfield`,
      from: `<sip:${this.dn}@jackfield>`,
      to: `<sip:${number}@jackfield>`,
      callId: systemRandom.bytes(12).toString("hex"),
      sdp,
    };
    call.outgoing = new OutgoingInvite(this.#context, this.#flow(), target, this.#parts(call));
    return call;
  }

  /** Un-registers and closes. */
  async signOut(): Promise<void> {
    if (this.flow?.open) await this.register(0);
    this.close();
  }

  close(): void {
    this.flow?.close();
    this.#layer.close();
  }
}

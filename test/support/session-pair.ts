import { silentLogger } from "../../src/core/index.ts";
import {
  createTransactionLayer,
  DialogDispatcher,
  IncomingInvite,
  OutgoingInvite,
  type Authentication,
  type Flow,
  type HeaderPair,
  type OfferReply,
  type ServerTransaction,
  type SessionContext,
  type SessionEnd,
  type SessionFailure,
  type SessionTerms,
  type SessionUser,
  type SipRequest,
  type SipResponse,
  type TransactionLayerWithReceiver,
} from "../../src/sip/index.ts";
import { CountingRandom } from "./counting-random.ts";
import { FakeClock } from "./fake-clock.ts";
import { MemoryNetwork } from "./memory-network.ts";

/** A session user that writes down what it is told. */
export class RecordingUser implements SessionUser {
  readonly told: string[] = [];
  onOfferReceived: (sdp: string, reply: OfferReply) => void = (sdp, reply) =>
    reply.accept(`answer to ${sdp}`);
  onRequestReceived: (request: SipRequest, transaction: ServerTransaction) => void = () => {};
  onAnsweredReceived: (response: SipResponse) => void = () => {};

  onProvisional(response: SipResponse): void {
    this.told.push(`provisional ${response.status}`);
  }
  onAnswered(response: SipResponse): void {
    this.told.push(`answered ${response.body.toString()}`);
    this.onAnsweredReceived(response);
  }
  onFailed({ status }: SessionFailure): void {
    this.told.push(`failed ${status}`);
  }
  onAcknowledged(body: string): void {
    this.told.push(`acknowledged ${body}`.trim());
  }
  onOffer(sdp: string, _request: SipRequest, reply: OfferReply): void {
    this.told.push(`offer ${sdp}`.trim());
    this.onOfferReceived(sdp, reply);
  }
  onRequest(request: SipRequest, transaction: ServerTransaction): void {
    this.told.push(`request ${request.method}`);
    this.onRequestReceived(request, transaction);
  }
  onEnded({ reason }: SessionEnd): void {
    this.told.push(`ended ${reason}`);
  }
  onEarlyAnswer(sdp: string): void {
    this.told.push(`early answer ${sdp}`);
  }
  onRefreshAnswer(sdp: string): void {
    this.told.push(`refresh answer ${sdp}`);
  }
  /** Whether sound comes from the other side. */
  hears = false;
  mediaFlows(): boolean {
    return this.hears;
  }
}

interface End {
  readonly layer: TransactionLayerWithReceiver;
  readonly dispatcher: DialogDispatcher;
  readonly context: SessionContext;
  readonly user: RecordingUser;
  readonly flow: Flow;
}

/** Caller and callee, each with its own layers, on one fake clock and a network that can lose. */
export class SessionPair {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly caller: End;
  readonly callee: End;
  incoming: IncomingInvite | undefined;
  outgoing: OutgoingInvite | undefined;
  /** Allow of each side's messages. */
  readonly allow = { caller: "INVITE", callee: "INVITE" };
  /** Of the caller, for challenges of the callee's. */
  authentication: Authentication | undefined;

  readonly #terms: { caller?: SessionTerms; callee?: SessionTerms };

  constructor(
    protocol: Flow["protocol"] = "UDP",
    terms: { caller?: SessionTerms; callee?: SessionTerms } = {},
  ) {
    this.#terms = terms;
    this.caller = this.#end("192.0.2.1:5060", "192.0.2.2:5060", () => this.callee, protocol);
    this.callee = this.#end("192.0.2.2:5060", "192.0.2.1:5060", () => this.caller, protocol);
  }

  #end(from: string, to: string, other: () => End, protocol: Flow["protocol"]): End {
    const user = new RecordingUser();
    const dispatcher = new DialogDispatcher((_request, transaction) => {
      this.incoming = new IncomingInvite(context, transaction, this.#parts(flow, user, "callee"));
    });
    const random = new CountingRandom(from);
    const layer = createTransactionLayer({ clock: this.clock, random, log: silentLogger, user: dispatcher });
    const flow = this.network.flow(
      from,
      to,
      () => other().layer,
      () => other().flow,
      protocol,
    );
    const context = {
      transactions: layer,
      dialogs: dispatcher,
      clock: this.clock,
      random,
      log: silentLogger,
    };
    return { layer, dispatcher, context, user, flow };
  }

  #parts(flow: Flow, user: RecordingUser, side: "caller" | "callee") {
    const terms = this.#terms[side];
    const headers: HeaderPair[] = [["Allow", this.allow[side]]];
    if (terms) headers.push(["Supported", terms.options.join(", ")]);
    return {
      ...(terms ? { terms } : {}),
      route: {
        flow: () => (flow.open ? flow : undefined),
        waitForFlow: () => Promise.resolve(undefined),
        accepts: () => true,
      },
      identity: { contact: `<sip:x@${flow.sentBy}>`, headers },
      user,
    };
  }

  invite({ sdp, headers = [] }: { sdp?: string; headers?: HeaderPair[] } = { sdp: "offer" }): OutgoingInvite {
    const { context, flow, user } = this.caller;
    const target = {
      uri: "sip:5001@192.0.2.2:5060",
      from: "<sip:1003@192.0.2.1>",
      to: "<sip:5001@192.0.2.2>",
      callId: "call-1",
      headers,
      ...(sdp === undefined ? {} : { sdp }),
    };
    const { authentication } = this;
    const parts = { ...this.#parts(flow, user, "caller"), ...(authentication ? { authentication } : {}) };
    this.outgoing = new OutgoingInvite(context, flow, target, parts);
    this.clock.advance(5);
    return this.outgoing;
  }

  /** A call that both ends have established. */
  establish(): { caller: OutgoingInvite; callee: IncomingInvite } {
    this.caller.user.onAnsweredReceived = (response) =>
      this.outgoing?.session.acknowledge(response.cseq.sequence);
    const caller = this.invite();
    const callee = this.received;
    callee.accept("answer");
    this.clock.advance(10);
    this.caller.user.told.length = 0;
    this.callee.user.told.length = 0;
    return { caller, callee };
  }

  get received(): IncomingInvite {
    if (!this.incoming) throw new Error("no INVITE arrived");
    return this.incoming;
  }

  /** What is left after everything that can expire has expired. */
  remains(): { timers: number; dialogs: number; transactions: number } {
    this.clock.advance(120_000);
    const counts = [this.caller.layer.counts, this.callee.layer.counts];
    return {
      timers: this.clock.pendingTimers,
      dialogs: this.caller.dispatcher.size + this.callee.dispatcher.size,
      transactions: counts.reduce((sum, { client, server }) => sum + client + server, 0),
    };
  }
}

export const nothing = { timers: 0, dialogs: 0, transactions: 0 };

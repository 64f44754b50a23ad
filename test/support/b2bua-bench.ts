import { silentLogger, TypedEvents, type Logger } from "../../src/core/index.ts";
import {
  B2bua,
  type AutoAnswer,
  type CallRecord,
  type ClientRule,
  type OutboundPolicy,
  type TurnTerms,
} from "../../src/b2bua/index.ts";
import type {
  Registrar,
  RegistrarEvents,
  SipPresence,
  TrunkEvents,
  TrunkRegistrations,
  TrunkStatus,
} from "../../src/registrar/index.ts";
import {
  createRequest,
  createResponse,
  createTransactionLayer,
  DialogDispatcher,
  IncomingInvite,
  OutgoingInvite,
  type Authentication,
  type Flow,
  type HeaderPair,
  type ServerTransaction,
  type SipRequest,
  type SessionContext,
  type SessionTerms,
  type TransactionLayerWithReceiver,
} from "../../src/sip/index.ts";
import { TraceStore, type TraceLimits } from "../../src/trace/index.ts";
import { CountingRandom } from "./counting-random.ts";
import { browserSdp, genesysSdp } from "./descriptions.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeMediaPool } from "./fake-media.ts";
import { MemoryNetwork } from "./memory-network.ts";
import { RecordingUser } from "./session-pair.ts";

const gatewayTrunk = "192.0.2.20:5070";
const sipServer = "192.0.2.10:5060";
const peerAddress = "192.0.2.11:5060";
const gatewayWs = "gateway.invalid:0";
const browser = "browser.invalid:0";

/** A far end with its own SIP stack: SIP Server or a browser. */
export class FarEnd {
  readonly user = new RecordingUser();
  readonly context: SessionContext;
  readonly layer: TransactionLayerWithReceiver;
  readonly dispatcher: DialogDispatcher;
  readonly flow: Flow & { open: boolean };
  readonly address: string;
  incoming: IncomingInvite | undefined;
  outgoing: OutgoingInvite | undefined;
  /** What its sessions agree to, and what its messages say of it. */
  terms: SessionTerms | undefined;
  headers: HeaderPair[] = [];
  /** Requests outside dialogs other than INVITE; answered 200. */
  readonly events: SipRequest[] = [];

  constructor(address: string, clock: FakeClock, makeFlow: (end: FarEnd) => Flow & { open: boolean }) {
    this.address = address;
    const random = new CountingRandom(address);
    this.dispatcher = new DialogDispatcher((request, transaction) => this.#receive(request, transaction));
    this.layer = createTransactionLayer({ clock, random, log: silentLogger, user: this.dispatcher });
    this.flow = makeFlow(this);
    this.context = { transactions: this.layer, dialogs: this.dispatcher, clock, random, log: silentLogger };
    this.user.onAnsweredReceived = ({ cseq }) => this.outgoing?.session.acknowledge(cseq.sequence);
  }

  #receive(request: SipRequest, transaction: ServerTransaction): void {
    if (request.method === "INVITE") {
      this.incoming = new IncomingInvite(this.context, transaction, this.#parts());
      return;
    }
    this.events.push(request);
    transaction.respond(createResponse(request, 200));
  }

  #parts() {
    const { flow } = this;
    const contact =
      flow.protocol === "UDP" ? `<sip:1003@${this.address}>` : "<sip:abc@xyz.invalid;transport=ws>";
    return {
      route: { flow: () => flow, waitForFlow: () => Promise.resolve(undefined), accepts: () => true },
      identity: { contact, headers: this.headers },
      user: this.user,
      ...(this.terms ? { terms: this.terms } : {}),
    };
  }

  call(
    uri: string,
    from: string,
    sdp: string | undefined,
    headers: readonly (readonly [string, string])[] = [],
  ) {
    const target = {
      uri,
      from,
      to: `<${uri}>`,
      callId: `call-${this.address}-${this.context.random.bytes(4).toString("hex")}`,
      headers,
      ...(sdp === undefined ? {} : { sdp }),
    };
    this.outgoing = new OutgoingInvite(this.context, this.flow, target, this.#parts());
    return this.outgoing;
  }

  get received(): IncomingInvite {
    if (!this.incoming) throw new Error(`no INVITE at ${this.address}`);
    return this.incoming;
  }

  /** Sends a request outside any dialog and returns the list its final statuses go to. */
  send(
    method: string,
    uri: string,
    headers: readonly (readonly [string, string])[] = [],
    body?: string,
  ): number[] {
    const statuses: number[] = [];
    const request = createRequest({
      method,
      uri,
      headers: [
        ["Max-Forwards", "70"],
        ["From", `<sip:x@${this.address}>;tag=1`],
        ["To", `<${uri}>`],
        ["Call-ID", this.context.random.bytes(8).toString("hex")],
        ["CSeq", `1769728850 ${method}`],
        ...headers,
      ],
      body,
    });
    this.layer.request(request, this.flow, {
      onResponse: ({ status }) => {
        if (status >= 200) statuses.push(status);
      },
      onTimeout() {},
      onTransportError() {},
    });
    return statuses;
  }
}

/** The configuration's default. */
const headersToPage = [
  "P-Asserted-Identity",
  "Diversion",
  "History-Info",
  "User-to-User",
  "X-Genesys-*",
  "Call-Info",
  "Alert-Info",
];

export interface BenchOptions {
  readonly outbound?: OutboundPolicy;
  readonly trace?: Partial<TraceLimits>;
  readonly log?: Logger;
  readonly pageRingback?: boolean;
  readonly trunkTerms?: SessionTerms;
  readonly allowEvents?: string[];
  readonly whenFull?: 503 | 486;
  readonly userAgent?: string;
  readonly clients?: readonly ClientRule[];
  readonly autoAnswer?: AutoAnswer;
  readonly headersToPage?: readonly string[];
  readonly trunkSrtp?: "off" | "accept" | "offer" | "require";
  readonly turn?: () => TurnTerms | undefined;
}

/** A B2BUA between a scripted SIP Server and a scripted browser, on a fake clock. */
export class B2buaBench {
  readonly clock = new FakeClock();
  readonly network = new MemoryNetwork(this.clock);
  readonly media = new FakeMediaPool();
  readonly records: CallRecord[] = [];
  readonly registrarEvents = new TypedEvents<RegistrarEvents>();
  readonly trunkEvents = new TypedEvents<TrunkEvents>();
  trunkStatus: TrunkStatus = { state: "in-service", reason: "" };
  serverUp = true;
  displayName: string | undefined;
  authentication: Authentication | undefined;
  /** What the rules of the servers were told. */
  readonly toldOfServers: string[] = [];
  /** The second SIP Server, of those tests that have one. */
  peer: FarEnd | undefined;
  toPeer: (Flow & { open: boolean }) | undefined;
  retained = 0;
  readonly layer: TransactionLayerWithReceiver;
  readonly dispatcher: DialogDispatcher;
  trunk: FarEnd;
  readonly browser: FarEnd;
  readonly toTrunk: Flow & { open: boolean };
  toBrowser: Flow & { open: boolean };
  readonly b2bua: B2bua;
  readonly traces: TraceStore | undefined;
  readonly presence: { -readonly [Key in keyof SipPresence]: SipPresence[Key] };
  signedIn = true;

  constructor(options: BenchOptions = {}) {
    const { clock, network } = this;
    const random = new CountingRandom("gateway");
    const log = options.log ?? silentLogger;
    if (options.trace)
      this.traces = new TraceStore(clock, {
        calls: 100,
        bytes: 10_000_000,
        showDigits: false,
        ...options.trace,
      });
    this.dispatcher = new DialogDispatcher((request, transaction) => {
      if (transaction.flow.side === "trunk") this.b2bua.handleFromTrunk(request, transaction);
      else this.b2bua.handleFromBrowser(request, transaction);
    });
    this.layer = createTransactionLayer({ clock, random, log, user: this.dispatcher, observer: this.traces });
    this.toTrunk = network.flow(
      gatewayTrunk,
      sipServer,
      () => this.trunk.layer,
      () => this.trunk.flow,
    );
    this.toBrowser = network.flow(
      gatewayWs,
      browser,
      () => this.browser.layer,
      () => this.browser.flow,
      "WSS",
    );
    this.trunk = this.makeSipServer();
    this.browser = new FarEnd(browser, clock, () =>
      network.flow(
        browser,
        gatewayWs,
        () => this.layer,
        () => this.toBrowser,
        "WSS",
      ),
    );
    this.presence = {
      kind: "sip",
      since: 0,
      dn: "5001",
      instance: "urn:uuid:1",
      userAgent: options.userAgent ?? "test softphone",
      allowEvents: options.allowEvents ?? [],
      reachable: true,
      gone: false,
      contactUri: "sip:abc@xyz.invalid;transport=ws",
      flow: this.toBrowser,
      path: [],
      carries: (flow) => flow.id === this.presence.flow?.id,
      flowFailed() {},
      waitForFlow: () => Promise.resolve(this.presence.flow),
    };
    this.b2bua = new B2bua({
      context: { transactions: this.layer, dialogs: this.dispatcher, clock, random, log },
      tracer: this.traces,
      trunk: {
        contactHost: gatewayTrunk,
        server: (_dn, excluded) => this.#server(excluded),
        avoid: (server, ms) => void this.toldOfServers.push(`avoid ${server.remoteAddress} ${ms}`),
        unanswered: (server) => void this.toldOfServers.push(`unanswered ${server.remoteAddress}`),
        flowTo: (uri) => this.#flowTo(uri),
        displayName: () => this.displayName,
        authentication: () => this.authentication,
      },
      ...(options.outbound ? { outbound: options.outbound } : {}),
      userAgent: "Jackfield/test",
      ...(options.trunkTerms ? { trunkTerms: options.trunkTerms } : {}),
      realm: "jackfield",
      media: this.media,
      codecs: {
        browser: ["opus", "pcmu", "pcma"],
        trunk: ["pcmu", "pcma"],
        trunkSrtp: options.trunkSrtp ?? "off",
      },
      registrar: this.makeRegistrar(),
      trunkRegistrations: this.#trunkRegistrations(),
      callsPerDn: 3,
      whenFull: options.whenFull ?? 503,
      talkPatienceMs: 8000,
      pageRingback: options.pageRingback ?? true,
      clients: options.clients ?? [],
      preanswerPatienceMs: 5000,
      autoAnswer: () => options.autoAnswer ?? "never",
      headersToPage: options.headersToPage ?? headersToPage,
      newCallGraceMs: 5000,
      callGraceMs: 30_000,
      turn: options.turn,
    });
    this.b2bua.events.on("ended", (record) => this.records.push(record));
  }

  /** A second SIP Server at `peerAddress`. */
  addPeer(): FarEnd {
    const toPeer = this.network.flow(
      gatewayTrunk,
      peerAddress,
      () => peer.layer,
      () => peer.flow,
    );
    const peer: FarEnd = new FarEnd(peerAddress, this.clock, () =>
      this.network.flow(
        peerAddress,
        gatewayTrunk,
        () => this.layer,
        () => toPeer,
      ),
    );
    this.toPeer = toPeer;
    return (this.peer = peer);
  }

  #server(excluded: readonly Flow[] = []) {
    if (!this.serverUp) return undefined;
    const flow = [this.toTrunk, this.toPeer].find((one) => one && !excluded.some(({ id }) => id === one.id));
    return flow && { flow, host: `${flow.remoteAddress}:${flow.remotePort}` };
  }

  /** Hosts that are no SIP Server's may not be called. */
  #flowTo(uri: string): Flow | undefined {
    if (uri.includes("192.0.2.11")) return this.toPeer;
    return uri.includes("stranger") ? undefined : this.toTrunk;
  }

  protected makeRegistrar(): Registrar {
    return {
      events: this.registrarEvents,
      find: (dn) => (this.signedIn && dn === "5001" ? this.presence : undefined),
      findByFlow: (flow) => (this.signedIn && flow.id === this.toBrowser.id ? this.presence : undefined),
      findByGruu: (uri) => (uri.parameters.get("gr") === "urn:uuid:1" ? this.presence : undefined),
      size: 1,
    };
  }

  #trunkRegistrations(): TrunkRegistrations {
    return {
      events: this.trunkEvents,
      status: () => this.trunkStatus,
      retain: () => {
        this.retained++;
        return () => this.retained--;
      },
    };
  }

  /** A SIP Server that knows nothing yet. */
  protected makeSipServer(): FarEnd {
    return new FarEnd(sipServer, this.clock, () =>
      this.network.flow(
        sipServer,
        gatewayTrunk,
        () => this.layer,
        () => this.toTrunk,
      ),
    );
  }

  /** Moves time by `ms` in steps, letting promises run between. */
  async pass(ms = 20): Promise<void> {
    await this.clock.advanceAsync(ms, Math.max(1, Math.min(5, ms)));
  }

  /** SIP Server calls the agent; returns once the browser rings. */
  async callAgent(sdp: string | undefined = genesysSdp(), headers?: readonly (readonly [string, string])[]) {
    this.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1003@192.0.2.10:5060>", sdp, headers);
    await this.pass();
  }

  /** SIP Server calls without an offer (3pcc make call). */
  async callAgentOfferless() {
    this.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1003@192.0.2.10:5060>", undefined);
    await this.pass();
  }

  /** A call from SIP Server that the browser has answered. */
  async established() {
    await this.callAgent();
    this.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await this.pass();
    this.media.last.told.length = 0;
    this.trunk.user.told.length = 0;
    this.browser.user.told.length = 0;
  }

  /** The browser dials `number`; returns once SIP Server has the INVITE. */
  async dial(number: string, sdp: string | undefined = browserSdp()) {
    this.browser.call(`sip:${number}@jackfield`, "<sip:5001@jackfield>", sdp);
    await this.pass();
  }

  /** What is left of everything after `ms` more. */
  async remains(ms = 70_000) {
    await this.pass(20);
    this.clock.advance(ms);
    return {
      calls: this.b2bua.size,
      media: this.media.sessions,
      retained: this.retained,
      dialogs: this.dispatcher.size,
      transactions: this.layer.counts.client + this.layer.counts.server,
      timers: this.clock.pendingTimers,
    };
  }
}

export const nothingLeft = { calls: 0, media: 0, retained: 0, dialogs: 0, transactions: 0, timers: 0 };

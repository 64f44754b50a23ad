import { silentLogger } from "../../src/core/index.ts";
import type { Registrar, WrtcPresence } from "../../src/registrar/index.ts";
import {
  createClientCalls,
  WrtcLegs,
  type AttachedPair,
  type ClientCalls,
  type ClientLine,
  type GatewayMessage,
  type RoapIds,
} from "../../src/wrtc/index.ts";
import { B2buaBench, type BenchOptions } from "./b2bua-bench.ts";
import { CountingRandom } from "./counting-random.ts";
import { browserSdp } from "./descriptions.ts";

const isJson = ({ kind }: GatewayMessage): boolean => ["offer", "answer", "error", "stats"].includes(kind);

type Told<Kind, Message = GatewayMessage> = Message extends { readonly kind: infer Its }
  ? Kind extends Its
    ? Message
    : never
  : never;

/** A client of the WRTC HTTP protocol behind its line: it posts what it is told to, and writes down what it is sent. */
export class ClientDouble implements ClientLine {
  readonly anonymous: boolean;
  readonly presence: WrtcPresence & { reachable: boolean; gone: boolean };
  /** In a word each: `answer`, `error NOMATCH`, `bye`. */
  readonly told: string[] = [];
  readonly messages: { readonly message: GatewayMessage; readonly peer: string }[] = [];
  /** What would have confused the real library (wrtc-http-protocol.md 1.4, 2.2). */
  readonly confused: string[] = [];
  readonly calls: ClientCalls;
  /** What it has been sent and not read. */
  unreadKinds: Partial<Record<GatewayMessage["kind"], "waiting" | "under-way">> = {};
  #rings = false;
  #busy = false;
  #seq = 0;

  constructor(bench: WrtcCallsBench, dn: string, anonymous: boolean) {
    this.anonymous = anonymous;
    this.presence = {
      kind: "wrtc",
      dn,
      instance: `wrtc-${dn}-${bench.clients.length}`,
      userAgent: "grtc.js (WRTC 8.5.2)",
      allowEvents: ["talk", "hold"],
      reachable: true,
      since: 0,
      gone: false,
      address: "192.0.2.77:50123",
      dismissed() {},
    };
    const { b2bua, clock, legs } = bench;
    const random = new CountingRandom(this.presence.instance);
    const services = { b2bua, clock, random, legs, log: silentLogger, reachPatienceMs: 5000 };
    this.calls = createClientCalls(services, this);
  }

  unread(kind: GatewayMessage["kind"]): "waiting" | "under-way" | undefined {
    return this.unreadKinds[kind];
  }

  forget(): void {
    this.unreadKinds = {};
  }

  send(message: GatewayMessage, peer: string): void {
    if (this.#rings && isJson(message)) this.confused.push(`${message.kind} while an OFFER is pending`);
    if (message.kind === "offer") {
      if (this.#busy) this.confused.push("OFFER while it has a call");
      this.#rings = true;
      this.#busy = true;
      if (!/^[!-%'-~]+$/.test(peer) || peer.includes("#")) this.confused.push(`peer ${peer}`);
    }
    if (message.kind === "answer" && !this.#busy) this.confused.push("ANSWER without a call");
    if (message.kind === "bye") this.#rings = this.#busy = false;
    this.messages.push({ message, peer });
    this.told.push(message.kind === "error" ? `error ${message.errorType}` : message.kind);
  }

  /** The last message of a kind. */
  last<Kind extends GatewayMessage["kind"]>(kind: Kind): Told<Kind> {
    const isKind = (message: GatewayMessage): message is Told<Kind> & GatewayMessage => message.kind === kind;
    const found = this.messages.map(({ message }) => message).findLast(isKind);
    if (!found) throw new Error(`no ${kind} was sent`);
    return found;
  }

  /** How often it was told so; it takes another PeerConnection each time. */
  get byes(): number {
    return this.messages.filter(({ message }) => message.kind === "bye").length;
  }

  get ids(): RoapIds {
    return { offererSessionId: 103, answererSessionId: null, seq: ++this.#seq, tiebreaker: 77 };
  }

  offer(to: string, sdp = browserSdp(), attached: readonly AttachedPair[] = []): void {
    this.#rings = false;
    this.#busy = true;
    this.calls.receive({ kind: "offer", sdp, ids: this.ids, attached }, to);
  }

  /** Answers the OFFER it was rung with. */
  answer(sdp = browserSdp({ setup: "active", payloads: "111 110" }), ids?: RoapIds): void {
    this.#rings = false;
    const { offererSessionId, seq } = this.last("offer").ids;
    const own = { offererSessionId, seq, answererSessionId: 103 };
    this.calls.receive({ kind: "answer", sdp, ids: ids ?? own, attached: [] }, "1003");
    this.calls.receive({ kind: "ok" }, "1003");
  }

  bye(): void {
    this.#rings = this.#busy = false;
    this.calls.receive({ kind: "bye" }, "1003");
  }

  info(use: "to-server" | "to-peer", body: string): void {
    this.calls.receive({ kind: "info", use, body }, "1003");
  }
}

/** The B2BUA bench with clients of the WRTC HTTP protocol at its agents' side. */
export class WrtcCallsBench extends B2buaBench {
  readonly legs = new WrtcLegs();
  readonly clients: ClientDouble[] = [];
  readonly client: ClientDouble;

  constructor(options: BenchOptions & { readonly anonymous?: boolean } = {}) {
    super(options);
    this.b2bua.useWrtcLegs(this.legs);
    this.client = this.addClient(options.anonymous === true);
  }

  /** Another client of the same DN. */
  addClient(anonymous = false): ClientDouble {
    const client = new ClientDouble(this, "5001", anonymous);
    this.clients.push(client);
    return client;
  }

  /** The newest that is free, as the real one does. */
  protected override makeRegistrar(): Registrar {
    return {
      ...super.makeRegistrar(),
      find: (dn, free = () => true) => {
        const all = this.clients.map(({ presence }) => presence).filter((presence) => presence.dn === dn);
        return all.findLast(free) ?? all.at(-1);
      },
      findByFlow: () => undefined,
    };
  }

  /** The client dials; returns once SIP Server has the INVITE, or refuses it. */
  async dialFrom(to = "1003", sdp = browserSdp(), attached: readonly AttachedPair[] = []): Promise<void> {
    this.client.offer(to, sdp, attached);
    await this.pass();
  }

  /** A call from SIP Server that the client has answered. */
  async answered(): Promise<void> {
    await this.callAgent();
    this.client.answer();
    await this.pass();
    this.forget();
  }

  /** A call of the client's that SIP Server has answered. */
  async dialledAndAnswered(sdp: string): Promise<void> {
    await this.dialFrom();
    this.trunk.received.accept(sdp);
    await this.pass();
    this.forget();
  }

  /** What was told up to here. */
  forget(): void {
    this.media.last.told.length = 0;
    this.trunk.user.told.length = 0;
    this.client.told.length = 0;
  }
}

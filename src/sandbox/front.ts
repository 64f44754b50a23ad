import type { TypedEvents } from "../core/index.ts";
import type { BindingView, SandboxEvents, SandboxNumber, SandboxOptions, WireEntry } from "./contract.ts";
import type { Call } from "./calls/call.ts";
import { allowInitial } from "./calls/leg-headers.ts";
import { Switch } from "./calls/switch.ts";
import { viewOf } from "./calls/view.ts";
import { Pacer } from "./media/pacer.ts";
import { sandboxNumbers } from "./numbers.ts";
import { paramOf, peerOf, uriOf, userOf, type Peer } from "./wire/address.ts";
import { DigestGate } from "./wire/digest.ts";
import { Faults } from "./wire/faults.ts";
import { Identifiers } from "./wire/identifiers.ts";
import { Registrar } from "./wire/registrar.ts";
import type { ServerTransaction } from "./wire/server-transaction.ts";
import { mandatory, parseMessage, type SipMessage } from "./wire/text.ts";
import { Transactions, type RequestReceiver } from "./wire/transactions.ts";
import { Wire } from "./wire/wire.ts";

/** SIP Server's front: the socket, the transactions, the registrar, and who gets which request. */
export class Front implements RequestReceiver {
  readonly numbers: readonly SandboxNumber[];
  readonly ids: Identifiers;
  readonly faults: Faults;
  readonly port: number;
  readonly exchange: Switch;
  readonly #options: SandboxOptions;
  readonly #wire: Wire;
  readonly #transactions: Transactions;
  readonly #registrar: Registrar;
  readonly #digest: DigestGate | undefined;
  readonly #dns: ReadonlySet<string>;
  #optionsSent = 0;
  malformed = 0;

  private constructor(
    options: SandboxOptions,
    events: TypedEvents<SandboxEvents>,
    wire: Wire,
    faults: Faults,
    ended: (call: Call) => void,
  ) {
    const { clock, random, log } = options;
    this.#options = options;
    this.#wire = wire;
    this.port = wire.port;
    this.faults = faults;
    this.ids = new Identifiers(random);
    this.numbers = options.numbers ?? sandboxNumbers;
    this.#dns = expandDns(options.dns);
    this.#digest = options.digest ? new DigestGate(options.digest, random) : undefined;
    this.#transactions = new Transactions(clock, (text, peer) => wire.send(text, peer), this);
    this.#registrar = new Registrar(this.#dns, clock, faults, {
      registered: (binding) => events.emit("registered", binding),
      unregistered: (dn, reason) => events.emit("unregistered", dn, reason),
    });
    this.exchange = new Switch({
      options,
      numbers: this.numbers,
      dns: this.#dns,
      self: { host: options.host, port: wire.port },
      ids: this.ids,
      transactions: this.#transactions,
      stream: { clock, random, log, faults, pacer: new Pacer(clock) },
      contactOf: (dn) => this.#registrar.contactOf(dn),
      onCall: (call) => events.emit("call", call.uuid),
      onConnected: (call) => events.emit("connected", viewOf(call)),
      onEnded: (call, reason) => {
        ended(call);
        events.emit("ended", viewOf(call), reason);
      },
    });
  }

  static async open(
    options: SandboxOptions,
    events: TypedEvents<SandboxEvents>,
    ended: (call: Call) => void,
  ): Promise<Front> {
    const faults = new Faults();
    const { host, port, clock, log, traceLimit = 2000 } = options;
    const wire = await Wire.open({ host, port, clock, log, faults, traceLimit });
    const front = new Front(options, events, wire, faults, ended);
    wire.receive = (datagram, from) => front.received(datagram, from);
    return front;
  }

  get trace(): readonly WireEntry[] {
    return this.#wire.trace;
  }

  bindings(): BindingView[] {
    return this.#registrar.bindings();
  }

  received(datagram: Buffer, from: Peer): void {
    const message = parseMessage(datagram);
    if (!message) {
      this.malformed++;
      return this.#options.log.debug({ from }, "no SIP message");
    }
    if (message.status === 0 && this.faults.silences(message.method)) return;
    this.#transactions.receive(message, from);
  }

  request(transaction: ServerTransaction): void {
    const { request } = transaction;
    if (paramOf(mandatory(request, "To"), "tag") !== undefined) return this.#inDialog(transaction);
    const challenge = this.#digest?.challenge(request);
    if (challenge !== undefined) {
      const extra = [["WWW-Authenticate", challenge]] as const;
      return transaction.respond({ status: 401, reason: "Unauthorized", toTag: this.ids.guid(), extra });
    }
    this.#outOfDialog(transaction);
  }

  acknowledgement(ack: SipMessage): void {
    this.exchange.legOf(ack)?.acknowledged(ack);
  }

  /** OPTIONS as seen in the trace: DN or trunk name as user, Max-Forwards 60, CSeq in epoch seconds, no Contact, no Allow. */
  options(dn: string, user: string): Promise<number> {
    const contact = this.#registrar.contactOf(dn);
    const peer = peerOf(contact ?? "");
    if (contact === undefined || !peer) return Promise.reject(new Error(`DN ${dn} is not registered`));
    const { host, clock } = this.#options;
    const branch = this.ids.branch();
    const uri = `sip:${user}@${peer.host}:${peer.port}`;
    return new Promise((resolve) => {
      this.#transactions.start(
        {
          method: "OPTIONS",
          uri,
          from: `sip:${user}@${host}:${this.port};tag=${this.ids.guid()}`,
          to: `sip:${user}@${host}:${this.port}`,
          callId: `${this.ids.guid()}-${++this.#optionsSent}@${host}`,
          cseq: Math.floor(clock.wallClock() / 1000) & 0x7fffffff,
          via: `SIP/2.0/UDP ${host}:${this.port};branch=${branch}`,
          branch,
          extra: [["Max-Forwards", "60"]],
        },
        peer,
        { final: (response) => resolve(response.status), timeout: () => resolve(408) },
      );
    });
  }

  /** Ends calls with BYE, then everything else; idempotent. */
  async close(): Promise<void> {
    for (const call of this.exchange.calls)
      call.end({ text: "sandbox closed", status: 503, reason: "Service Unavailable" });
    this.#transactions.close();
    this.#registrar.close();
    await this.#wire.close();
  }

  #inDialog(transaction: ServerTransaction): void {
    const leg = this.exchange.legOf(transaction.request);
    if (transaction.request.method === "CANCEL") return this.#cancel(transaction);
    if (leg) return leg.receive(transaction);
    transaction.respond({ status: 481, reason: "Call/Transaction Does Not Exist" });
  }

  #outOfDialog(transaction: ServerTransaction): void {
    const { request } = transaction;
    const toTag = this.ids.guid();
    switch (request.method) {
      case "REGISTER":
        return this.#registrar.handle(transaction);
      case "INVITE":
        return this.#invite(transaction);
      case "CANCEL":
        return this.#cancel(transaction);
      case "OPTIONS":
        return transaction.respond({ status: 200, reason: "OK", toTag, extra: [["Allow", allowInitial]] });
      case "BYE":
        return transaction.respond({ status: 481, reason: "Call/Transaction Does Not Exist", toTag });
      default:
        return transaction.respond({
          status: 405,
          reason: "Method Not Allowed",
          toTag,
          extra: [["Allow", allowInitial]],
        });
    }
  }

  /** SIP Server knows the DN by the user of From (genesys-sip-server 7.2). */
  #invite(transaction: ServerTransaction): void {
    const dn = userOf(uriOf(mandatory(transaction.request, "From")));
    if (this.#dns.has(dn)) return this.exchange.incoming(transaction, dn);
    transaction.respond({ status: 403, reason: "Forbidden", toTag: this.ids.guid() });
  }

  #cancel(transaction: ServerTransaction): void {
    const invite = this.#transactions.inviteOf(transaction.request);
    if (!invite) return transaction.respond({ status: 481, reason: "Call/Transaction Does Not Exist" });
    transaction.respond({ status: 200, reason: "OK", toTag: this.ids.guid() });
    this.exchange.legOfInvite(invite.request)?.cancelled();
  }
}

/** `5001` and `5001-5003` to single DNs. Throws RangeError on a range of over 100 000. */
function expandDns(entries: readonly string[]): ReadonlySet<string> {
  const dns = new Set<string>();
  for (const entry of entries) {
    const range = /^(\d+)-(\d+)$/.exec(entry);
    const [first, last] = [Number(range?.[1]), Number(range?.[2])];
    if (!range) dns.add(entry);
    else if (last - first > 100_000) throw new RangeError(`DN range ${entry} is too long`);
    else for (let dn = first; dn <= last; dn++) dns.add(String(dn));
  }
  return dns;
}

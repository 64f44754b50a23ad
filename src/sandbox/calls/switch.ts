import type { SandboxOptions, RingOptions } from "../contract.ts";
import type { StreamDeps } from "../media/stream.ts";
import type { NumberBehaviour, SandboxNumber } from "../numbers.ts";
import { paramOf, userOf } from "../wire/address.ts";
import type { Identifiers } from "../wire/identifiers.ts";
import type { ServerTransaction } from "../wire/server-transaction.ts";
import { headerOf, mandatory, type Header, type SipMessage } from "../wire/text.ts";
import type { Transactions } from "../wire/transactions.ts";
import { AgentLeg } from "./agent-leg.ts";
import { Call } from "./call.ts";
import { Dialog, type Self } from "./dialog.ts";
import { fromEndpoint, makeCall, ring, type Exchange, type Unreachable } from "./flows.ts";
import type { PartyOwner, Party } from "./party.ts";
import { readReplaces, takeRefer, takeReplacement } from "./referrals.ts";
import { Robot } from "./robot.ts";

export interface SwitchDeps {
  readonly options: SandboxOptions;
  readonly numbers: readonly SandboxNumber[];
  readonly dns: ReadonlySet<string>;
  readonly self: Self;
  readonly ids: Identifiers;
  readonly transactions: Transactions;
  readonly stream: StreamDeps;
  /** Registered contact of a DN. */
  readonly contactOf: (dn: string) => string | undefined;
  readonly onCall: (call: Call) => void;
  readonly onConnected: (call: Call) => void;
  readonly onEnded: (call: Call, reason: string) => void;
}

/** All calls and their dialogs. */
export class Switch implements Exchange {
  readonly #deps: SwitchDeps;
  readonly #calls = new Map<string, Call>();
  readonly #legs = new Map<string, AgentLeg>();

  constructor(deps: SwitchDeps) {
    this.#deps = deps;
  }

  get options(): SandboxOptions {
    return this.#deps.options;
  }

  get calls(): readonly Call[] {
    return Array.from(this.#calls.values());
  }

  /** The call, or throws. */
  call(uuid: string): Call {
    const call = this.#calls.get(uuid);
    if (!call) throw new Error(`no call ${uuid}`);
    return call;
  }

  /** A leg of the call, or throws. */
  leg(uuid: string, dn: string | undefined): AgentLeg {
    const leg = this.call(uuid).leg(dn);
    if (!leg) throw new Error(`no leg of ${dn ?? "an agent"} in call ${uuid}`);
    return leg;
  }

  /** The leg a request with a To-tag, or an ACK, belongs to. */
  legOf(message: SipMessage): AgentLeg | undefined {
    const tag = paramOf(mandatory(message, "To"), "tag");
    const leg = this.#legs.get(`${mandatory(message, "Call-ID")} ${tag}`);
    return leg?.dialog.remoteTag === paramOf(mandatory(message, "From"), "tag") ? leg : undefined;
  }

  /** The leg that a still unanswered INVITE has made. */
  legOfInvite(invite: SipMessage): AgentLeg | undefined {
    const callId = mandatory(invite, "Call-ID");
    for (const leg of this.#legs.values()) if (leg.inbound && leg.dialog.callId === callId) return leg;
    return undefined;
  }

  /** An INVITE that begins a call (1pcc). */
  incoming(transaction: ServerTransaction, dn: string): void {
    const number = userOf(transaction.request.uri);
    const dialog = Dialog.fromEndpoint(this.#deps.ids, this.#deps.self, transaction.request, number);
    if (!dialog)
      return transaction.respond({ status: 400, reason: "Bad Request", toTag: this.#deps.ids.guid() });
    const value = headerOf(transaction.request, "Replaces");
    const former = value === undefined ? undefined : this.replaced(value);
    if (value !== undefined && !former) {
      const toTag = this.#deps.ids.guid();
      return transaction.respond({ status: 481, reason: "Call/Transaction Does Not Exist", toTag });
    }
    transaction.respond({ status: 100, reason: "Trying" });
    if (former) {
      const leg = this.#leg(dn, dialog, former.call, undefined, transaction);
      return this.run(former.call, takeReplacement(former.call, former.leg, leg));
    }
    const call = this.#begin();
    const leg = this.#leg(dn, dialog, call, undefined, transaction);
    this.run(call, fromEndpoint(this, call, leg, number));
  }

  /** The leg a Replaces of an endpoint's names: its to-tag is ours. */
  replaced(value: string): { leg: AgentLeg; call: Call } | undefined {
    const { callId, toTag, fromTag } = readReplaces(value);
    const leg = this.#legs.get(`${callId} ${toTag}`);
    if (!leg || leg.dialog.remoteTag !== fromTag) return undefined;
    const call = this.calls.find(({ parties }) => parties.includes(leg));
    return call && { leg, call };
  }

  async ring(dn: string, from: string, options: RingOptions): Promise<string> {
    this.#mustBeRegistered(dn);
    const call = this.#begin();
    await ring(this, call, dn, from, options).catch((error: unknown) => this.#failed(call, error));
    return call.uuid;
  }

  makeCall(dn: string, number: string): string {
    this.#mustBeRegistered(dn);
    const call = this.#begin();
    makeCall(this, call, dn, number);
    return call.uuid;
  }

  legTo(dn: string, localUser: string, call: Call, headers?: readonly Header[]): AgentLeg | undefined {
    const contact = this.#deps.contactOf(dn);
    if (contact === undefined) return undefined;
    const dialog = Dialog.toEndpoint(this.#deps.ids, this.#deps.self, dn, contact, localUser);
    return this.#leg(dn, dialog, call, headers);
  }

  async destination(number: string, caller: string, call: Call): Promise<Party | Unreachable> {
    if (this.#deps.dns.has(number)) {
      if (number === caller) return { status: 486, reason: "Busy Here" };
      return this.legTo(number, caller, call) ?? { status: 480, reason: "Temporarily Unavailable" };
    }
    const planned = this.#deps.numbers.find((candidate) => candidate.number === number);
    return planned ? this.robot(number, planned.behaviour, call) : { status: 404, reason: "Not Found" };
  }

  robot(name: string, behaviour: NumberBehaviour, owner: PartyOwner): Promise<Robot> {
    return Robot.open(name, behaviour, { ...this.#deps.stream, host: this.#deps.self.host, owner });
  }

  run(call: Call, work: Promise<void>): void {
    work.catch((error: unknown) => this.#failed(call, error));
  }

  #failed(call: Call, error: unknown): void {
    this.#deps.options.log.error({ err: error, callUuid: call.uuid }, "call failed");
    call.end({ text: "internal error", status: 500, reason: "Server Internal Error" });
  }

  #mustBeRegistered(dn: string): void {
    if (this.#deps.contactOf(dn) === undefined) throw new Error(`DN ${dn} is not registered`);
  }

  #begin(): Call {
    const { clock, random, log } = this.#deps.options;
    const call = new Call(this.#deps.ids.callUuid(), {
      clock,
      random,
      log,
      openMedia: (kind, owner) => this.#openMedia(kind, owner),
      onRefer: (referred, leg, transaction) =>
        this.run(referred, takeRefer(this, referred, leg, transaction)),
      onConnected: this.#deps.onConnected,
      onEnded: (ended, reason) => {
        this.#calls.delete(ended.uuid);
        this.#deps.onEnded(ended, reason);
      },
    });
    this.#calls.set(call.uuid, call);
    this.#deps.onCall(call);
    return call;
  }

  #leg(
    dn: string,
    dialog: Dialog,
    call: Call,
    headers?: readonly Header[],
    invite?: ServerTransaction,
  ): AgentLeg {
    const { clock, log, sessionExpires } = this.#deps.options;
    const key = `${dialog.callId} ${dialog.localTag}`;
    const deps = {
      clock,
      log,
      transactions: this.#deps.transactions,
      owner: call,
      callUuid: call.uuid,
      sessionExpires: sessionExpires ?? 1800,
      gone: () => this.#legs.delete(key),
      ...(headers ? { headers } : {}),
    };
    const leg = new AgentLeg(dn, dialog, deps, invite);
    this.#legs.set(key, leg);
    return leg;
  }

  #openMedia(kind: "music" | "sink", owner: PartyOwner): Promise<Robot> {
    const sound = kind === "music" ? ({ kind: "music" } as const) : ({ kind: "none" } as const);
    const deps = { ...this.#deps.stream, host: this.#deps.self.host, owner };
    return Robot.open(kind, { kind: "answer", sound }, deps, kind === "music" ? "sendonly" : "recvonly");
  }
}

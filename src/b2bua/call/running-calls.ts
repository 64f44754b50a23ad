import { TypedEvents, type Logger } from "../../core/index.ts";
import type { KnownPresence } from "../../registrar/index.ts";
import type { Flow, Replaces, SessionContext, SipRequest } from "../../sip/index.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import { EndedDialogs, findReplaced, type ReplacesFault } from "../transfer/index.ts";
import { callFigures, type CallRecord } from "./call-record.ts";
import type { Call } from "./call.ts";
import { keepOneActive } from "./one-active.ts";

/** What the B2BUA tells. */
export type B2buaEvents = {
  /** A call is over and its last counters are in. */
  ended: [record: CallRecord];
};

/** The calls there are, those being set up included, each from its start until its record is written. */
export class RunningCalls {
  readonly events: TypedEvents<B2buaEvents>;
  /** Since the start. */
  begun = 0;
  readonly #calls = new Set<Call>();
  readonly #endedDialogs: EndedDialogs;
  readonly #log: Logger;
  #closing = false;

  constructor({ clock }: SessionContext, log: Logger) {
    this.events = new TypedEvents(log);
    this.#endedDialogs = new EndedDialogs(clock);
    this.#log = log;
  }

  begin(call: Call): void {
    this.begun++;
    this.#calls.add(call);
    call.events.on("active", () => keepOneActive(this.#calls, call));
    call.events.on("ended", (record) => this.#ended(call, record));
    call.start().catch((error: unknown) => {
      this.#log.error({ err: error, call: call.id }, "call set-up failed");
      call.end("fault in call set-up", 500);
    });
  }

  #ended(call: Call, record: CallRecord): void {
    this.#calls.delete(call);
    if (!this.#closing) keepOneActive(this.#calls, call);
    for (const callId of [record.trunkLeg.callId, ...record.trunkLeg.formerCallIds])
      this.#endedDialogs.add(callId);
    this.#log.info(callFigures(record), "call over");
    this.#log.debug({ record }, "call record");
    this.events.emit("ended", record);
  }

  /** Ends all of them; none takes another's place. */
  close(reason: string): void {
    this.#closing = true;
    for (const call of this.#calls) call.end(reason, 503);
  }

  /** Those included that have ended and wait for their last counters. */
  get size(): number {
    return this.#calls.size;
  }

  get running(): Call[] {
    return Array.from(this.#calls).filter((call) => !call.ended);
  }

  byId(id: string): Call | undefined {
    return this.running.find((call) => call.id === id);
  }

  /** Of one signed-in client. */
  of(presence: KnownPresence): Call[] {
    return Array.from(this.#calls).filter((call) => call.presence === presence);
  }

  /** How many a DN has. */
  countOf(dn: string): number {
    return this.running.filter(({ presence }) => presence.dn === dn).length;
  }

  /** That go by this SIP Server. By address alone: its INVITE may come from another port than the one it listens on. */
  at({ remoteAddress }: Flow): Call[] {
    return Array.from(this.#calls).filter(({ server }) => server?.remoteAddress === remoteAddress);
  }

  some(fits: (call: Call) => boolean): boolean {
    for (const call of this.#calls) if (fits(call)) return true;
    return false;
  }

  /** SIP Server's leg of the DN's call whose browser knows this dialog. */
  legOfDn(dn: string, replaces: Replaces): TrunkLeg | undefined {
    for (const call of this.#calls) {
      const leg = call.presence.dn === dn ? call.transfers.trunkBehind(replaces) : undefined;
      if (leg) return leg;
    }
    return undefined;
  }

  /** The call that an INVITE with Replaces means, or what its answer is. */
  replacedBy(request: SipRequest): Call | ReplacesFault {
    return findReplaced(request, this.#calls, this.#endedDialogs);
  }
}

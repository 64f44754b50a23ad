import type { WrtcPresence } from "../../registrar/index.ts";
import { CallFromAgent, type Dialling } from "../call/call-from-agent.ts";
import type { EchoCalls } from "../call/echo-calls.ts";
import type { LegEnd, MakeCallingLeg } from "../legs/agent-leg.ts";
import { plainOutbound, readNumber } from "../outbound/outbound-policy.ts";
import type { UasParts } from "./uas.ts";

/** Whom a client that does not speak SIP calls. */
export type ClientOrder = Omit<Dialling, "dialled">;

/** Calls of clients that do not speak SIP. */
export class ClientOrders {
  readonly #parts: UasParts;
  readonly #echoes: EchoCalls;

  constructor(parts: UasParts, echoes: EchoCalls) {
    this.#parts = parts;
    this.#echoes = echoes;
  }

  /** Undefined: the call has begun, and its leg hears of all else; else why there is none. */
  call(presence: WrtcPresence, order: ClientOrder, makeLeg: MakeCallingLeg): LegEnd | undefined {
    const { calls, services } = this.#parts;
    const refusal = this.#unfit(presence) ?? this.#full(presence);
    if (refusal) return this.#refuse(presence, order.number, refusal);
    const dialled = readNumber(services().outbound ?? plainOutbound, order.number);
    calls.begin(new CallFromAgent(services(), presence, { ...order, dialled }, makeLeg));
    return undefined;
  }

  /** Likewise, but the client hears itself and SIP Server hears nothing of it; see `EchoCalls`. */
  echo(presence: WrtcPresence, makeLeg: MakeCallingLeg): LegEnd | undefined {
    const refusal = this.#unfit(presence) ?? this.#echoes.start(presence, makeLeg);
    return refusal && this.#refuse(presence, "self", refusal);
  }

  #unfit(presence: WrtcPresence): LegEnd | undefined {
    const { admission, lines } = this.#parts;
    if (admission.closing) return { status: 503, reason: "gateway is shutting down" };
    if (admission.draining) return { status: 503, reason: "Being Drained" };
    return lines.busy(presence) ? { status: 486, reason: "one call at a time" } : undefined;
  }

  #full({ dn }: WrtcPresence): LegEnd | undefined {
    return this.#parts.lines.full(dn) ? { status: 486, reason: "Too Many Calls" } : undefined;
  }

  #refuse({ dn }: WrtcPresence, to: string, { status, reason }: LegEnd): LegEnd {
    this.#parts.admission.note({ to, from: dn }, { status, reason });
    return { status, reason };
  }
}

import type { RingOptions } from "../contract.ts";
import { AgentLeg, connectedTimeoutMs } from "./agent-leg.ts";
import type { Call } from "./call.ts";
import type { Party } from "./party.ts";
import { Robot } from "./robot.ts";
import type { NumberBehaviour } from "../numbers.ts";
import type { Header } from "../wire/text.ts";

/** Why a number cannot be called. */
export interface Unreachable {
  readonly status: number;
  readonly reason: string;
}

/** What the flows need of the switch. */
export interface Exchange {
  readonly options: { readonly noAnswerMs?: number; readonly renegotiateAfterMs?: number };
  /** Whoever is behind a number: a DN's endpoint or a robot. `caller` is the number shown to it. */
  destination(number: string, caller: string, call: Call): Promise<Party | Unreachable>;
  /** A leg toward a registered DN; undefined when it is not registered. */
  legTo(dn: string, localUser: string, call: Call, headers?: readonly Header[]): AgentLeg | undefined;
  robot(name: string, behaviour: NumberBehaviour, call: Call): Promise<Robot>;
  /** Runs what may go wrong only by the system's fault (no port free); the call ends then. */
  run(call: Call, work: Promise<void>): void;
}

/** SIP Server's NOTIFY talk follows the 180 of a make call after 3 ms (site-environment 3.2). */
const talkAfterRingingMs = 3;

const noAnswer = { text: "no answer", status: 408, reason: "Request Timeout" } as const;

/** 1pcc: the endpoint's INVITE goes on to the number; 180, 183 and 200 come back. */
export async function fromEndpoint(
  exchange: Exchange,
  call: Call,
  caller: AgentLeg,
  number: string,
): Promise<void> {
  call.add(caller);
  const callee = await exchange.destination(number, caller.name, call);
  if (isUnreachable(callee)) return call.end({ text: callee.reason, ...callee });
  if (!call.add(callee)) return;
  const giveUp = noAnswerTimer(exchange, call, callee);
  callee.call(caller.offered ? caller.lastReceived : undefined, {
    progress: (status, sdp) => caller.progress(status, sdp),
    answered: (sdp) => {
      giveUp();
      call.whenAcknowledged(caller, (answer) => {
        if (!caller.offered) callee.acknowledge(answer);
        call.connected();
        if (wantsRenegotiation(callee)) renegotiateSoon(exchange, call, callee, caller);
      });
      if (caller.offered) callee.acknowledge(undefined);
      caller.accept(sdp);
    },
    failed: (status, reason) => call.end({ text: `${number}: ${reason}`, status, reason }),
  });
}

/** A call from outside to a DN (genesys-sip-server 5.1). */
export async function ring(
  exchange: Exchange,
  call: Call,
  dn: string,
  from: string,
  options: RingOptions,
): Promise<void> {
  const sound = options.sound ?? ({ kind: "echo", delayMs: 0 } as const);
  const caller = await exchange.robot(from, { kind: "answer", sound }, call);
  if (options.law) caller.useLaw(options.law);
  if (!call.add(caller)) return;
  const callee = exchange.legTo(dn, from, call, options.headers);
  if (!callee || !call.add(callee)) return call.end({ text: `${dn} is not registered` });
  const giveUp = noAnswerTimer(exchange, call, callee, options.noAnswerMs);
  const offer = await caller.askOffer();
  let talkDue = options.talkAfterMs !== undefined;
  callee.call(options.offerless === true || !offer.ok ? undefined : offer.sdp, {
    progress: () => {
      if (!talkDue) return;
      talkDue = false;
      call.timers.after(options.talkAfterMs ?? 0, () => void callee.notify("talk"));
    },
    answered: (sdp) => {
      giveUp();
      if (options.offerless === true) exchange.run(call, answerLate(call, caller, callee, sdp));
      else {
        callee.acknowledge(undefined);
        caller.acknowledge(sdp);
        call.connected();
        if (options.renegotiate !== false) renegotiateSoon(exchange, call, callee, caller);
      }
    },
    failed: (status, reason) => call.end({ text: `${dn}: ${status} ${reason}` }),
  });
}

/** 3pcc make call: offerless INVITE to the caller, talk on its 180, ACK only when the far end has answered. */
export function makeCall(exchange: Exchange, call: Call, dn: string, number: string): void {
  const caller = exchange.legTo(dn, number, call);
  if (!caller || !call.add(caller)) return call.end({ text: `${dn} is not registered` });
  let talkDue = true;
  caller.call(undefined, {
    progress: () => {
      if (talkDue) call.timers.after(talkAfterRingingMs, () => void caller.notify("talk"));
      talkDue = false;
    },
    answered: (offer) => exchange.run(call, callFarEnd(exchange, call, caller, number, offer)),
    failed: (status, reason) => call.end({ text: `${dn}: ${status} ${reason}` }),
  });
}

async function callFarEnd(
  exchange: Exchange,
  call: Call,
  caller: AgentLeg,
  number: string,
  offer: string,
): Promise<void> {
  const patience = call.timers.after(connectedTimeoutMs, () => call.end({ text: "CONNECTED_TIMEOUT_CT" }));
  const callee = await exchange.destination(number, caller.name, call);
  if (isUnreachable(callee)) return call.end(farFailure(callee));
  if (!call.add(callee)) return;
  callee.call(offer, {
    progress() {},
    answered: (sdp) => {
      patience.clear();
      callee.acknowledge(undefined);
      caller.acknowledge(sdp);
      call.connected();
    },
    failed: (status, reason) => call.end(farFailure({ status, reason })),
  });
}

/** The far code goes into the Reason of the caller's BYE (genesys-sip-server 7.1). */
function farFailure(far: Unreachable): { text: string; reasonHeader: string } {
  return { text: far.reason, reasonHeader: `SIP;cause=${far.status};text="${far.reason}"` };
}

/** The DN made the offer: the caller's answer goes in the ACK. */
async function answerLate(call: Call, caller: Party, callee: Party, offer: string): Promise<void> {
  const answer = await caller.giveOffer(offer);
  if (!answer.ok) return call.end({ text: answer.reason });
  callee.acknowledge(answer.sdp);
  call.connected();
}

function isUnreachable(callee: Party | Unreachable): callee is Unreachable {
  return "status" in callee;
}

/** Rings agents for a while only; numbers give up by their own plan. The function returned ends the wait. */
function noAnswerTimer(exchange: Exchange, call: Call, callee: Party, ms?: number): () => void {
  if (!(callee instanceof AgentLeg)) return () => {};
  const wait = ms ?? exchange.options.noAnswerMs ?? 30_000;
  const timer = call.timers.after(wait, () => call.end(noAnswer));
  return () => timer.clear();
}

/** Agents always (site-environment 3.1), numbers when their plan says so. */
function wantsRenegotiation(callee: Party): boolean {
  if (!(callee instanceof Robot)) return true;
  return callee.behaviour.kind === "answer" && callee.behaviour.renegotiate === true;
}

/** The offerless re-INVITE some 10 ms after the ACK, whose answer may name another RTP port. */
function renegotiateSoon(exchange: Exchange, call: Call, first: Party, second: Party): void {
  call.timers.after(exchange.options.renegotiateAfterMs ?? 10, () => {
    const robot = [first, second].find((party): party is Robot => party instanceof Robot);
    const work = async (): Promise<void> => {
      await robot?.move();
      await call.renegotiate(first, second);
    };
    exchange.run(call, work());
  });
}

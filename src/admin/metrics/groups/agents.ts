import type { AgentRegistrar, PacedTrunkRegistrations, SignInDesk } from "../../../registrar/index.ts";
import type { DigestServer } from "../../../sip/index.ts";
import { addressOf } from "../../status/show.ts";
import type { Login } from "../../login.ts";
import { counter, gauge, putEach, type Collect } from "../definition.ts";

export const agentMetrics = {
  agents: gauge("agents", "Agents signed in: reachable, or in the grace time after a lost socket.", [
    "state",
  ]),
  registers: counter("agent_registers", "REGISTERs of browsers, those with a challenge to come included."),
  events: counter(
    "agent_events",
    "What befell agents: signed_in, signed_out, replaced, grace_started, resumed, failed_over.",
    ["event"],
  ),
  digests: counter(
    "sip_digests",
    "Digests of browsers: accepted, wrong_credentials, malformed, stale (nonce too old), replays.",
    ["outcome"],
  ),
  authFailures: counter(
    "auth_failures",
    "Wrong secrets by kind: sip_password, sip_blocked (shut out for too many before), sip_refused, admin (name, password or token), admin_blocked, sign_in_token.",
    ["kind"],
  ),
};

export const trunkMetrics = {
  registrations: gauge(
    "trunk_registrations",
    "DNs toward SIP Server by state: idle, registering, in_service, backing_off, rejected.",
    ["state"],
  ),
  queued: gauge("trunk_registers_queued", "REGISTERs that wait for their turn."),
  outstanding: gauge("trunk_registers_outstanding", "REGISTERs that wait for their answer."),
  sent: counter("trunk_registers", "REGISTERs sent to SIP Server: register or unregister.", ["kind"]),
  answers: counter(
    "trunk_register_answers",
    "What they came to: accepted, challenges, refused, unavailable, timeouts.",
    ["outcome"],
  ),
  stolen: counter("trunk_registrations_stolen", "DNs that another phone has taken over at SIP Server."),
  up: gauge("sip_server_up", "1: this SIP Server answers and may be asked.", ["server"]),
  inUse: gauge("sip_server_in_use", "1: new requests go to this SIP Server.", ["server"]),
  inService: gauge("sip_server_registrations", "DNs that this SIP Server has in service.", ["server"]),
  roundTrip: gauge(
    "sip_server_round_trip_seconds",
    "From OPTIONS or REGISTER to its answer, smoothed, by SIP Server.",
    ["server"],
  ),
};

export interface AgentSources {
  readonly registrar: Pick<AgentRegistrar, "list" | "counters">;
  readonly digest: Pick<DigestServer, "counters">;
  /** Takes tokens; undefined: there are none. */
  readonly signIn: Pick<SignInDesk, "refusals"> | undefined;
  /** Of everything that asks for a name, a password or a token over HTTP. */
  readonly login: Pick<Login, "refusals">;
}

export function agentCollector({ registrar, digest, signIn, login }: AgentSources): Collect {
  return (put) => {
    const agents = registrar.list();
    const reachable = agents.filter((agent) => agent.reachable).length;
    put(agentMetrics.agents, reachable, { state: "reachable" });
    put(agentMetrics.agents, agents.length - reachable, { state: "grace" });
    const {
      registers,
      challenges: _unanswered,
      failedLogins,
      blockedLogins,
      refused,
      ...events
    } = registrar.counters;
    put(agentMetrics.registers, registers);
    putEach(put, agentMetrics.events, events, "event");
    putEach(put, agentMetrics.digests, { ...digest.counters }, "outcome");
    const failures = {
      sip_password: failedLogins,
      sip_blocked: blockedLogins,
      sip_refused: refused,
      admin: login.refusals.wrong,
      admin_blocked: login.refusals.blocked,
      ...(signIn ? { sign_in_token: signIn.refusals } : {}),
    };
    putEach(put, agentMetrics.authFailures, failures, "kind");
  };
}

export function trunkCollector(
  trunk: Pick<PacedTrunkRegistrations, "states" | "counts" | "counters" | "servers">,
): Collect {
  return (put) => {
    putEach(put, trunkMetrics.registrations, trunk.states(), "state");
    put(trunkMetrics.queued, trunk.counts.queued);
    put(trunkMetrics.outstanding, trunk.counts.outstanding);
    const { registers, unregisters, stolen, ...answers } = trunk.counters;
    put(trunkMetrics.sent, registers, { kind: "register" });
    put(trunkMetrics.sent, unregisters, { kind: "unregister" });
    putEach(put, trunkMetrics.answers, answers, "outcome");
    put(trunkMetrics.stolen, stolen);
    for (const { flow, up, inUse, registered, roundTripMs } of trunk.servers()) {
      const server = { server: addressOf(flow) };
      put(trunkMetrics.up, Number(up), server);
      put(trunkMetrics.inUse, Number(inUse), server);
      put(trunkMetrics.inService, registered, server);
      put(trunkMetrics.roundTrip, roundTripMs === undefined ? undefined : roundTripMs / 1000, server);
    }
  };
}

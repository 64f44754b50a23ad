import type { RelaySession } from "../relay/session.ts";
import type { WorkerCommand, WorkerReply } from "./messages.ts";

/** What one session is asked for. */
type Question = Extract<WorkerCommand, { type: "restartIce" | "renewBrowser" | "statistics" }>;
/** What one session is told. */
type Instruction = Extract<
  WorkerCommand,
  { type: "browserRemote" | "trunkRemote" | "direction" | "connect" | "dtmf" }
>;
export type SessionCommand = Question | Instruction;

/** Carries out an instruction; throws what the session throws. */
export function direct(relay: RelaySession, command: Instruction): void {
  switch (command.type) {
    case "browserRemote":
      return relay.setBrowserRemote(command.remote);
    case "trunkRemote":
      return relay.setTrunkRemote(command.remote);
    case "direction":
      return relay.setDirection(command.side, command.direction);
    case "connect":
      return relay.connect();
    case "dtmf":
      return relay.sendDtmf(command.side, command.digits, command.durationMs);
  }
}

/** The answer to a question; `gone` when there is no such session any more. */
export function answer(relay: RelaySession | undefined, { type, request }: Question): WorkerReply {
  if (!relay) return { type: "gone", request };
  if (type === "statistics") return { type, request, statistics: relay.statistics() };
  const ice = type === "restartIce" ? relay.restartIce() : relay.renewTransport();
  return ice ? { type: "iceRestarted", request, ice } : { type: "gone", request };
}

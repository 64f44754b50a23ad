import type { CallView, PartyView } from "../contract.ts";
import { AgentLeg } from "./agent-leg.ts";
import type { Call } from "./call.ts";
import type { Party } from "./party.ts";
import { Robot } from "./robot.ts";

/** A call as `calls()` and the events tell it. */
export function viewOf(call: Call): CallView {
  return {
    uuid: call.uuid,
    state: call.state,
    parties: call.parties.map((party) => viewOfParty(party, call.isHolding(party))),
  };
}

function viewOfParty(party: Party, holding: boolean): PartyView {
  if (party instanceof AgentLeg) {
    const { dialog } = party;
    return {
      kind: "agent",
      name: party.name,
      holding,
      dialog: {
        state: party.state,
        callId: dialog.callId,
        localTag: dialog.localTag,
        remoteTag: dialog.remoteTag,
        sent: party.lastSent,
        received: party.lastReceived,
      },
    };
  }
  const view = { kind: "number", name: party.name, holding } as const;
  return party instanceof Robot ? { ...view, media: mediaOf(party) } : view;
}

function mediaOf({ stream }: Robot): NonNullable<PartyView["media"]> {
  const { remote } = stream;
  return {
    local: stream.local,
    remote: remote && { address: remote.address, port: remote.port },
    law: remote?.law,
    direction: remote?.direction,
    packetsSent: stream.packetsSent,
    packetsReceived: stream.packetsReceived,
    digits: stream.digits,
  };
}

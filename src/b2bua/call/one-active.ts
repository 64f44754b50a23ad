/** What the rule needs of a call. */
export interface ActiveCall {
  /** The signed-in client it belongs to. */
  readonly presence: object;
  /** Sound runs: connected and not held, see `CallMedia.active`. */
  readonly active: boolean;
  /** Held for another call's sake and for no other reason, at a client where nobody could retrieve it by hand. */
  readonly comesBack: boolean;
  /** Holds the call as NOTIFY hold does. */
  giveWay(): void;
  /** Retrieves it. */
  comeBack(): void;
}

/**
 * Of a client's calls one is heard, as with a phone of several lines: each has its own PeerConnection, and two that sound
 * at once would be mixed in the agent's ear. Who comes last, by answer, early media or retrieve, holds the others
 * (docs/decisions/0009-several-calls.md).
 */
export function keepOneActive(calls: Iterable<ActiveCall>, changed: ActiveCall): void {
  const others = [...calls].filter((call) => call !== changed && call.presence === changed.presence);
  if (changed.active) {
    for (const call of others) if (call.active) call.giveWay();
  } else if (!others.some((call) => call.active)) others.findLast((call) => call.comesBack)?.comeBack();
}

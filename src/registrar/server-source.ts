import { hostPort } from "./addresses.ts";
import type { Flow, SipUri } from "../sip/index.ts";
import { flowNamed } from "./addresses.ts";

/** The addresses of one SIP Server (a name may stand for several, and for others tomorrow), as flows. */
export interface ServerSource {
  /** As configured; for words to people. */
  readonly name: string;
  /** Best first, as known now; one that stays keeps its `id`. */
  list(): readonly Flow[];
  /** The flow that a URI (Contact of a 3xx) means, by address or by name; undefined for strangers. */
  find(uri: SipUri): Flow | undefined;
  /** Calls back whenever `list` has changed; the returned function stops that. */
  onChange(listener: () => void): () => void;
  /** None of them answers: the name may lead elsewhere by now. May be called often. */
  lookAgain(): void;
}

/** Addresses that never change. */
export function fixedServers(flows: readonly Flow[]): ServerSource {
  return {
    name: flows.map(hostPort).join(", "),
    list: () => flows,
    find: (uri) => flowNamed(uri, flows),
    onChange: () => () => {},
    lookAgain: () => {},
  };
}

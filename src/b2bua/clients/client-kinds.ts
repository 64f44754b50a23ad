import type { AgentPresence } from "../../registrar/index.ts";
import { autoAnswerForms, type AutoAnswerForm } from "./auto-answer.ts";
import { fitsWildcard } from "./wildcard.ts";

/**
 * Who answers a call when SIP Server's NOTIFY talk says so. `page`: the client, which is told of it. `preanswer`: the
 * gateway, which had the client answer by its auto-answer headers while the call rang. `manual`: a person.
 */
export type AnswerBy = "page" | "preanswer" | "manual";

/** What the configuration says of clients; the first rule whose pattern fits counts. */
export interface ClientRule {
  /** Of the User-Agent in the client's REGISTER; `*` stands for anything. */
  readonly match: string;
  readonly answerBy: AnswerBy;
  /** Forms of auto-answer header the client knows; default all. */
  readonly autoAnswer?: readonly AutoAnswerForm[] | undefined;
}

/** How calls treat a client. docs/clients.md has what else is known of each kind. */
export interface ClientKind {
  readonly name: string;
  readonly answerBy: AnswerBy;
  readonly autoAnswer: readonly AutoAnswerForm[];
}

interface KnownClient {
  readonly name: string;
  readonly match: string;
  /** Undefined: `page` for one that says `Allow-Events: talk`, else `manual`. */
  readonly answerBy?: AnswerBy;
}

/** By what each says it is; the last one fits all. Neither library acts on auto-answer headers: their users' code may. */
const knownClients: readonly KnownClient[] = [
  { name: "shipped page", match: "Jackfield softphone*", answerBy: "page" },
  { name: "JsSIP", match: "JsSIP *" },
  { name: "SIP.js", match: "SIP.js/*" },
  { name: "generic", match: "*" },
];

/** How `client` is treated: by the first rule that fits, else by its kind. */
export function clientKindOf(
  { userAgent, allowEvents }: Pick<AgentPresence, "userAgent" | "allowEvents">,
  rules: readonly ClientRule[],
): ClientKind {
  const known = knownClients.find(({ match }) => fitsWildcard(match, userAgent));
  const rule = rules.find(({ match }) => fitsWildcard(match, userAgent));
  const byItself = allowEvents.includes("talk") ? "page" : "manual";
  return {
    name: known?.name ?? "generic",
    answerBy: rule?.answerBy ?? known?.answerBy ?? byItself,
    autoAnswer: rule?.autoAnswer ?? autoAnswerForms,
  };
}

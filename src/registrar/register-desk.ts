import { randomId, type Logger, type Random } from "../core/index.ts";
import { createResponse, unescapeText, type ServerTransaction } from "../sip/index.ts";
import { directoryRetrySeconds, type Readiness } from "./directory/directory.ts";
import type { LoginGuard } from "./login-guard.ts";
import type { AgentRegistrar } from "./registrar.ts";

export interface RegisterDeskOptions {
  readonly registrar: Pick<AgentRegistrar, "handleRegister">;
  readonly guard: LoginGuard;
  /** Makes sure that all is known of a DN; undefined: it is already. */
  readonly prepare: (dn: string, address: string) => Promise<Readiness> | undefined;
  readonly random: Random;
  readonly log: Logger;
}

/**
 * Hands each REGISTER to the registrar as soon as it can be judged. What its sender repeats meanwhile is absorbed by the
 * transaction; where no answer is to be had it gets 503, not 403: nothing was wrong with it.
 */
export class RegisterDesk {
  readonly #options: RegisterDeskOptions;

  constructor(options: RegisterDeskOptions) {
    this.#options = options;
  }

  receive(transaction: ServerTransaction): void {
    const { registrar, guard, prepare, log } = this.#options;
    const { request, flow } = transaction;
    const dn = unescapeText(request.to.uri.user ?? "");
    // Who shows no password gets a challenge, and who is shut out nothing: neither needs to be known.
    const judged = request.headers.has("Authorization") && guard.blockedSeconds(flow.remoteAddress, dn) === 0;
    const waiting = judged ? prepare(dn, flow.remoteAddress) : undefined;
    if (!waiting) return registrar.handleRegister(transaction);
    // Who is told of messages catches what is thrown; behind a promise it would end the process.
    waiting
      .then((readiness) => this.#prepared(transaction, readiness))
      .catch((error: unknown) => log.error({ err: error, dn }, "REGISTER could not be handled"));
  }

  #prepared(transaction: ServerTransaction, readiness: Readiness): void {
    const { registrar, random } = this.#options;
    // A connection that has closed meanwhile must carry no binding.
    if (!transaction.flow.open || !transaction.pending) return;
    if (readiness === "ready") registrar.handleRegister(transaction);
    else
      transaction.respond(
        createResponse(transaction.request, 503, {
          reason: readiness === "down" ? "Directory Does Not Answer" : "Too Many Sign-Ins",
          toTag: randomId(random),
          headers: [["Retry-After", String(directoryRetrySeconds)]],
        }),
      );
  }
}

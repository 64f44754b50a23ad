import { limitedWarn, type Logger } from "../../core/index.ts";
import { readClientMessage } from "../protocol/client-message.ts";
import { longestInfo } from "../protocol/info-size.ts";
import { readAddressing, valueOf } from "../protocol/query.ts";
import type { PollClient } from "../session/poll-client.ts";
import type { PollEvents, PollLine } from "../session/poll.ts";
import { goElsewhere, says, unknownSession, type WrtcAnswer, type WrtcRequest } from "./exchange.ts";
import { callerOf, type SignIn, type SignInOptions } from "./sign-in.ts";

export interface DeskOptions extends Pick<
  SignInOptions,
  "clients" | "login" | "accepting" | "allowAnonymous" | "clock" | "log"
> {
  readonly signIn: SignIn;
}

/** Takes the requests of grtc.js (wrtc-http-protocol.md 1). */
export class Desk {
  readonly #options: DeskOptions;
  readonly #warn: Logger["warn"];

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#warn = limitedWarn(options.log, options.clock);
  }

  /** Everything but `wait`. Never rejects for what a client sent. */
  answer(request: WrtcRequest): WrtcAnswer | Promise<WrtcAnswer> {
    const { method, action } = request;
    if (action === "sign_in") return this.#options.signIn.answer(request);
    if (action === "sign_out") return this.#signOut(request);
    if (action === "message" && method === "POST") return this.#message(request);
    return says(405, "this is no request of the protocol's");
  }

  /** `GET wait?id=SSID`: where the poll hangs, or why it does not. */
  async wait(
    request: WrtcRequest,
    line: () => PollLine,
  ): Promise<{ readonly parked: PollEvents } | { readonly answer: WrtcAnswer }> {
    const client = await this.#client(valueOf(request.query, "id") ?? "", request);
    return "status" in client ? { answer: client } : { parked: client.park(line(), callerOf(request)) };
  }

  #signOut({ query, origin }: WrtcRequest): WrtcAnswer {
    this.#options.clients.signOut(valueOf(query, "id") ?? "", origin);
    return says(200, "");
  }

  async #message(request: WrtcRequest): Promise<WrtcAnswer> {
    const { clients, log } = this.#options;
    const { counters } = clients;
    const { from, to } = readAddressing(request.query);
    const client = await this.#client(from, request);
    if ("status" in client) return client;
    // A BYE is never posted again (1.3): refused, it would leave the call behind.
    if (!client.mayPost() && !request.body.startsWith("BYE"))
      return says(429, "too many messages", { "retry-after": "3" });
    const read = readClientMessage(request.body);
    if (!read) return this.#unreadable(client, request.body);
    const { message, key } = read;
    if (message.kind === "info" && Buffer.byteLength(message.body) > longestInfo)
      return this.#tooLarge(client, message.body);
    counters.received[message.kind] = (counters.received[message.kind] ?? 0) + 1;
    try {
      if (!client.receive(message, key, to === from ? "self" : to)) counters.repeated++;
    } catch (error) {
      // It would be posted again and again, to the same effect.
      const { dn, instance } = client.presence;
      log.error({ err: error, dn, instance, kind: message.kind }, "client's message could not be handled");
    }
    return says(200, "");
  }

  /** INFO is never posted again (1.3). */
  #tooLarge({ presence: { dn, instance } }: PollClient, body: string): WrtcAnswer {
    this.#warn({ dn, instance, length: body.length }, "client's INFO is too large for SIP");
    return says(413, `more than ${longestInfo} bytes of data are too large for SIP`);
  }

  /** What is refused is posted again every 3 s if it is ROAP, so that is told otherwise (2.3). */
  #unreadable(client: PollClient, body: string): WrtcAnswer {
    const { dn, instance } = client.presence;
    this.#warn({ dn, instance, length: body.length }, "client posted what is no message");
    if (!body.startsWith("RSMP")) return says(400, "this is no message of the protocol's");
    client.send({ kind: "error", errorType: "FAILED", reason: "unreadable message" }, "");
    if (client.session?.calls.busy === false) client.send({ kind: "bye", reason: "unreadable message" }, "");
    return says(200, "");
  }

  /** The client of an SSID; one without a session gets its own back, if the SSID allows it. */
  async #client(ssid: string, request: WrtcRequest): Promise<PollClient | WrtcAnswer> {
    const { clients, login, accepting, allowAnonymous } = this.#options;
    const { origin, address, isGone } = request;
    const known = clients.find(ssid, origin);
    if (known) return known;
    if (!accepting()) return goElsewhere;
    const claims = clients.claimsOf(ssid, origin);
    if (!claims || (claims.anonymous && !allowAnonymous())) return unknownSession;
    if (!claims.anonymous) {
      const { outcome } = await login.judgeKnown(claims.name, address);
      if (outcome === "unavailable") return says(503, "what tells of agents cannot be reached just now");
      if (outcome !== "accepted" || isGone()) return unknownSession;
    }
    return clients.rebuild(ssid, claims, { origin, caller: callerOf(request) }) ?? unknownSession;
  }
}

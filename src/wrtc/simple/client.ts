import type { Clock, TokenBucket } from "../../core/index.ts";
import type { WrtcPresence } from "../../registrar/index.ts";
import type { ClientCalls, ClientLine, ErrorType, GatewayMessage } from "../contract.ts";
import type { WrtcAnswer } from "../http/exchange.ts";
import { messageRate } from "../session/poll-client.ts";
import { Mailbox, type Mail, type OfferMail } from "./mailbox.ts";
import { isOffer, readSimpleBody } from "./read.ts";

export const ok: WrtcAnswer = { status: 200, body: "OK" };

/** `{"error": "..."}`. */
export function refusal(status: number, error: string): WrtcAnswer {
  return { status, body: JSON.stringify({ error }), json: true };
}

/**
 * One client of the simple variant: bare SDP both ways, BYE, and an event header that says the far end hung up. For
 * talk, hold, INFO and counters it has no words.
 */
export class SimpleClient implements ClientLine {
  readonly anonymous = false;
  readonly presence: WrtcPresence;
  readonly #mailbox = new Mailbox();
  /** The offer the client has read and not answered: what it posts next answers it. */
  #ringing: OfferMail | undefined;
  #errorType: ErrorType | undefined;
  readonly #clock: Clock;
  readonly #rate: TokenBucket;

  constructor(presence: WrtcPresence, clock: Clock) {
    this.presence = presence;
    this.#clock = clock;
    this.#rate = messageRate(clock);
  }

  send(message: GatewayMessage, peer: string): void {
    if (message.kind === "offer" || message.kind === "answer") {
      const { kind, sdp, ids } = message;
      this.#errorType = undefined;
      this.#mailbox.put({ kind, sdp, ids, peer });
    } else if (message.kind === "error") this.#errorType = message.errorType;
    else if (message.kind === "bye") {
      const errorType = this.#errorType;
      this.#ringing = undefined;
      this.#errorType = undefined;
      this.#mailbox.put({ kind: "bye", peer, ...(errorType ? { errorType } : {}) });
    }
  }

  /** `GET message`. */
  read(calls: ClientCalls): WrtcAnswer {
    const mail = this.#mailbox.take();
    if (!mail) return { status: 204, body: "" };
    if (mail.kind === "offer") this.#ringing = mail;
    if (mail.kind === "answer") calls.receive({ kind: "ok" }, mail.peer);
    return {
      status: 200,
      body: mail.kind === "bye" ? "" : mail.sdp,
      headers: {
        "access-control-expose-headers": "X-WRTC-Event, X-WRTC-Error",
        "x-wrtc-event": mail.kind,
        ...(mail.peer === "" ? {} : { pragma: mail.peer }),
        ...(mail.kind === "bye" && mail.errorType ? { "x-wrtc-error": mail.errorType } : {}),
      },
      lost: () => this.#lost(mail),
    };
  }

  #lost(mail: Mail): void {
    if (this.#ringing === mail) this.#ringing = undefined;
    this.#mailbox.putBack(mail);
  }

  /** `POST message`. `to`: "self" for an echo call, else as given. */
  receive(body: string, to: string, calls: ClientCalls): WrtcAnswer {
    if (!this.#rate.take(this.#clock.now())) return refusal(429, "too many messages");
    const read = readSimpleBody(body);
    if (read === undefined) return refusal(409, "this session takes bare SDP and BYE");
    if (read === "bye") {
      this.#ringing = undefined;
      this.#mailbox.clear();
      calls.receive({ kind: "bye" }, to);
      return ok;
    }
    const { sdp } = read;
    const rung = this.#ringing;
    if (rung) {
      if (isOffer(sdp)) return refusal(409, "a call rings: answer its offer or post BYE first");
      this.#ringing = undefined;
      calls.receive({ kind: "answer", sdp, ids: rung.ids, attached: [] }, to);
      return ok;
    }
    if (to === "" && !calls.busy) return refusal(400, "to is missing: whom do you call?");
    // What it has not read of the call before it would take for the end of this one.
    if (!calls.busy) this.#mailbox.drop("bye");
    calls.receive({ kind: "offer", sdp, ids: {}, attached: [] }, to);
    return ok;
  }
}

import { limitedWarn, type Clock, type Logger } from "../../core/index.ts";
import type { OtherVariant, WrtcAnswer, WrtcRequest } from "../http/exchange.ts";
import type { OwnSession, SignIn } from "../http/sign-in.ts";
import { ok, refusal, SimpleClient } from "./client.ts";
import { queryValue, readSignInBody, readSignInQuery, type Fault, type SignInFields } from "./read.ts";

export interface SimpleVariantOptions {
  readonly desk: Pick<SignIn, "signIn">;
  /** RISK: a password is taken in the query of sign_in. */
  readonly passwordInQuery: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A session by its client's id; whoever shows the id must come from where it signed in. */
interface Entry {
  readonly dn: string;
  readonly origin: string | undefined;
  readonly address: string;
  client?: SimpleClient;
  session?: OwnSession;
}

const unknown = refusal(404, "no session with this id: sign in");

/**
 * The simple variant of the WRTC HTTP protocol (wrtc-http-protocol.md 5) on paths that it shares with grtc.js. Its ids
 * are kept apart from SSIDs, so that neither can stand for the other. Sign-in, expiry and calls are the other one's.
 */
export class SimpleVariant implements OtherVariant {
  readonly #options: SimpleVariantOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #warn: Logger["warn"];

  constructor(options: SimpleVariantOptions) {
    this.#options = options;
    this.#warn = limitedWarn(options.log, options.clock);
  }

  /** Sessions, those being signed in included. */
  get size(): number {
    return this.#entries.size;
  }

  /** Undefined: the request is none of this variant's. */
  answer(request: WrtcRequest): WrtcAnswer | Promise<WrtcAnswer> | undefined {
    switch (`${request.method} ${request.action}`) {
      case "GET sign_in":
        return this.#signIn(request, readSignInQuery(request.query, this.#options.passwordInQuery()));
      case "POST sign_in":
        return this.#signIn(request, readSignInBody(request.body));
      case "GET message":
        return this.#poll(request);
      case "POST message":
        return this.#post(request);
      case "GET sign_out":
      // By `sendBeacon`, as the page closes.
      case "POST sign_out":
        return this.#signOut(request);
      case "GET wait":
        return this.#find(request, "id") && refusal(409, "this session reads its messages by GET message");
      default:
        return undefined;
    }
  }

  #signIn(
    request: WrtcRequest,
    read: SignInFields | Fault | undefined,
  ): WrtcAnswer | Promise<WrtcAnswer> | undefined {
    if (read === undefined) return undefined;
    if ("fault" in read) return refusal(400, read.fault);
    return this.#open(request, read);
  }

  async #open(request: WrtcRequest, { id, dn, password }: SignInFields): Promise<WrtcAnswer> {
    const { origin, address, userAgent } = request;
    const former = this.#entries.get(id);
    // One that is being signed in is nobody's yet, and an id of another place is not told of.
    if (former && !(former.session && this.#fits(former, request) && former.dn === dn))
      return refusal(409, "this id is in use");
    const entry: Entry = { dn, origin, address };
    const forget = (): void => {
      if (this.#entries.get(id) === entry) this.#entries.delete(id);
    };
    // The former one lasts until the password is known to be right.
    if (!former) this.#entries.set(id, entry);
    const opened = await this.#options.desk.signIn(
      { dn, password, origin, address, userAgent },
      {
        line: (presence) => (entry.client = new SimpleClient(presence, this.#options.clock)),
        onClosed: forget,
      },
    );
    if ("error" in opened) {
      forget();
      // What the variant's clients know a refused sign-in by.
      return refusal(opened.status === 403 ? 401 : opened.status, opened.error);
    }
    const before = this.#entries.get(id);
    entry.session = opened;
    this.#entries.set(id, entry);
    if (before !== entry) before?.session?.close("signed in anew");
    return ok;
  }

  #poll(request: WrtcRequest): WrtcAnswer {
    const found = this.#find(request, "id");
    if (!found) return unknown;
    found.session.seen();
    return found.client.read(found.session.calls);
  }

  #post(request: WrtcRequest): WrtcAnswer | undefined {
    const { query, body } = request;
    const found = this.#find(request, "from");
    // `v=0` is no word of the other protocol's; what else comes is for it to judge.
    if (!found) return body.startsWith("v=0") ? unknown : undefined;
    found.session.seen();
    const to = queryValue(query, "to") ?? "";
    const self = to === "self" || to === queryValue(query, "from");
    return found.client.receive(body, self ? "self" : to, found.session.calls);
  }

  #signOut(request: WrtcRequest): WrtcAnswer | undefined {
    const found = this.#find(request, "id");
    found?.session.close("signed out");
    return found && ok;
  }

  #find(
    request: WrtcRequest,
    name: "id" | "from",
  ): { readonly client: SimpleClient; readonly session: OwnSession } | undefined {
    const entry = this.#entries.get(queryValue(request.query, name) ?? "");
    if (!entry?.client || !entry.session) return undefined;
    if (this.#fits(entry, request)) return { client: entry.client, session: entry.session };
    const { dn, address } = entry;
    this.#warn({ dn, address, from: request.address }, "a session's id was used from another place");
    return undefined;
  }

  #fits(entry: Entry, { origin, address }: WrtcRequest): boolean {
    return entry.origin === origin && entry.address === address;
  }
}

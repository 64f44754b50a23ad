import type { Timer } from "../../core/index.ts";
import type { Flow, OutgoingInvite, SessionContext, SessionFailure, SipResponse } from "../../sip/index.ts";
import { retryAfterOf } from "../legs/reasons.ts";
import type { TrunkServer } from "./outbound-servers.ts";

/** Where one attempt goes: a server, and the number it is asked for. */
export interface OutboundTarget extends TrunkServer {
  /** User part of the request URI, escaped. */
  readonly user: string;
}

/** What the attempts of one call are made with. */
export interface OutboundAttemptsOptions {
  readonly context: SessionContext;
  readonly dn: string;
  readonly trunk: {
    server(dn: string, excluded: readonly Flow[]): TrunkServer | undefined;
    flowTo(uri: string): Flow | undefined;
    avoid(server: Flow, ms: number): void;
    unanswered(server: Flow, sentAt: number): void;
  };
  /** See `OutboundPolicy`. */
  readonly shutdownStatus: number;
  /** Sends an INVITE there; `previous` is the one that failed. Failures of what it returns go to `goesOn`. */
  readonly invite: (target: OutboundTarget, previous: OutgoingInvite | undefined) => OutgoingInvite;
  /** Another attempt begins: what the former one has told is void. */
  readonly onNext: () => void;
}

/** How long a server may leave an INVITE without any response while another one is up, ms (genesys-sip-server.md 10). */
const serverPatienceMs = 4000;
/** Attempts of one call, the first one included. */
const maximumAttempts = 5;

/**
 * One call of an agent's over several INVITEs: the next server where one is silent, cannot be reached or refuses for
 * itself (RFC 3263 4.3), and where a 3xx points to (RFC 3261 8.1.3.4).
 *
 * Of 503 the server speaks for itself. 603 is ambiguous: SIP Server's default while it shuts down, and a called
 * person's Decline. It goes to the next server only where nothing has rung yet (no provisional response but 100): a
 * person who declines was rung first. A phone that declines everything by itself is asked twice, without ringing.
 */
export class OutboundAttempts {
  readonly #options: OutboundAttemptsOptions;
  readonly #redirects: OutboundTarget[] = [];
  readonly #tried = new Set<string>();
  readonly #failedServers: Flow[] = [];
  #target: OutboundTarget;
  #sentAt = 0;
  #invite: OutgoingInvite;
  #rang = false;
  #over = false;
  #patience: Timer | undefined;

  constructor(options: OutboundAttemptsOptions, first: OutboundTarget) {
    this.#options = options;
    this.#target = first;
    this.#invite = this.#send(first, undefined);
  }

  /** The INVITE that is on its way, or was answered. */
  get invite(): OutgoingInvite {
    return this.#invite;
  }

  /** A provisional response of the present attempt. */
  noteProgress(response: SipResponse): void {
    if (response.status > 100) this.#rang = true;
  }

  /** CANCEL; no attempt follows. */
  cancel(reasonHeader: string): void {
    this.stop();
    this.#invite.cancel(reasonHeader);
  }

  /** No attempt follows, whatever becomes of the present one. Idempotent. */
  stop(): void {
    this.#over = true;
    this.#clearPatience();
  }

  /** Looks at the present attempt's failure: true when another one was begun instead. */
  goesOn(failure: SessionFailure): boolean {
    if (this.#over) return false;
    const { flow } = this.#target;
    this.#clearPatience();
    this.#tell(flow, failure);
    this.#addRedirects(failure);
    const next = this.#nextTarget(failure);
    if (!next) {
      this.#over = true;
      return false;
    }
    this.#proceed(next, failure.reason);
    return true;
  }

  #clearPatience(): void {
    this.#patience?.clear();
    this.#patience = undefined;
  }

  /** What the failure says of the server, to who chooses servers. */
  #tell(flow: Flow, { response, status }: SessionFailure): void {
    const { trunk } = this.#options;
    if (!response) return trunk.unanswered(flow, this.#sentAt);
    const seconds = retryAfterOf(response) ?? 0;
    if (status === 503 && seconds > 0) trunk.avoid(flow, seconds * 1000);
  }

  #nextTarget(failure: SessionFailure): OutboundTarget | undefined {
    if (this.#tried.size >= maximumAttempts) return undefined;
    const { status, response } = failure;
    const shutDown = status === this.#options.shutdownStatus && !this.#rang;
    const ofServer = !response || status === 503 || shutDown;
    if (!ofServer && status >= 600) return undefined;
    const redirect = this.#redirects.shift();
    if (redirect) return redirect;
    if (!ofServer) return undefined;
    this.#failedServers.push(this.#target.flow);
    return this.#nextServer();
  }

  #nextServer(): OutboundTarget | undefined {
    const server = this.#options.trunk.server(this.#options.dn, this.#failedServers);
    const target = server && { ...server, user: this.#target.user };
    return target && !this.#tried.has(keyOf(target)) ? target : undefined;
  }

  /** Contacts of a 300, 301 or 302, best q first; only hosts that SIP Server has may be called. */
  #addRedirects({ status, response }: SessionFailure): void {
    if (status < 300 || status > 302 || !response) return;
    const weight = (q: string | undefined): number => (q === undefined ? 1 : Number(q) || 0);
    const contacts = [...response.contacts].sort(
      (one, other) => weight(other.parameters.get("q")) - weight(one.parameters.get("q")),
    );
    const fresh = contacts.flatMap(({ uri }) => {
      const host = uri.port === undefined ? uri.host : `${uri.host}:${uri.port}`;
      const flow = this.#options.trunk.flowTo(`sip:${host}`);
      return flow ? [{ flow, host, user: uri.user ?? this.#target.user }] : [];
    });
    const known = new Set([...this.#tried, ...this.#redirects.map(keyOf)]);
    for (const target of fresh) {
      if (known.has(keyOf(target)) || known.size >= maximumAttempts) continue;
      known.add(keyOf(target));
      this.#redirects.push(target);
    }
  }

  #proceed(target: OutboundTarget, reason: string): void {
    const { context, onNext } = this.#options;
    context.log.info({ server: target.host, reason }, "call goes on at another place");
    onNext();
    this.#rang = false;
    this.#target = target;
    this.#invite = this.#send(target, this.#invite);
  }

  #send(target: OutboundTarget, previous: OutgoingInvite | undefined): OutgoingInvite {
    const { clock } = this.#options.context;
    this.#tried.add(keyOf(target));
    this.#sentAt = clock.now();
    this.#patience = clock.setTimer(serverPatienceMs, () => this.#silent());
    return this.#options.invite(target, previous);
  }

  /**
   * The server has said nothing. Where there is another one, that is called; the INVITE under way stays until it is
   * answered after all (CANCEL, or ACK and BYE) or has timed out, so that nobody is left ringing.
   */
  #silent(): void {
    this.#patience = undefined;
    if (this.#over || this.#invite.reached || this.#tried.size >= maximumAttempts) return;
    const next = this.#redirects.shift() ?? this.#otherServer();
    if (!next) return;
    this.#options.trunk.unanswered(this.#target.flow, this.#sentAt);
    this.#invite.leave();
    this.#proceed(next, "no response");
  }

  #otherServer(): OutboundTarget | undefined {
    this.#failedServers.push(this.#target.flow);
    return this.#nextServer();
  }
}

function keyOf({ flow, user }: OutboundTarget): string {
  return `${flow.id} ${user}`;
}

import { createHash } from "node:crypto";
import type { Clock, Timer } from "../../core/index.ts";
import { paramOf, peerOf, uriOf, userOf } from "./address.ts";
import type { Faults } from "./faults.ts";
import { guidForm } from "./identifiers.ts";
import type { ServerTransaction } from "./server-transaction.ts";
import { headerOf, mandatory, type Header } from "./text.ts";

/** Granted where a REGISTER names no time at all. */
const defaultExpires = 1800;

/** A DN's one binding. */
export interface BindingView {
  readonly dn: string;
  /** Contact URI as registered; INVITEs go there. */
  readonly contact: string;
  readonly callId: string;
  readonly expiresSeconds: number;
  /** REGISTERs that have refreshed this binding (same Call-ID), the first included. */
  readonly registrations: number;
}

/** What the registrar tells. */
export interface RegistrarListener {
  registered(binding: BindingView): void;
  unregistered(dn: string, reason: "asked" | "expired"): void;
}

/**
 * Registrar of site-environment 4: AOR from To, one binding per DN, last writer wins, any `Expires: 0` clears,
 * what is asked is granted, 404 with Expires and Contact for a DN not configured.
 */
export class Registrar {
  readonly #dns: ReadonlySet<string>;
  readonly #clock: Clock;
  readonly #faults: Faults;
  readonly #listener: RegistrarListener;
  readonly #bindings = new Map<string, { view: BindingView; timer: Timer }>();

  constructor(dns: ReadonlySet<string>, clock: Clock, faults: Faults, listener: RegistrarListener) {
    this.#dns = dns;
    this.#clock = clock;
    this.#faults = faults;
    this.#listener = listener;
  }

  bindings(): BindingView[] {
    return Array.from(this.#bindings.values(), ({ view }) => view);
  }

  contactOf(dn: string): string | undefined {
    return this.#bindings.get(dn)?.view.contact;
  }

  /** Answers a REGISTER, or leaves it without an answer where SIP Server would. */
  handle(transaction: ServerTransaction): void {
    const { request } = transaction;
    const dn = userOf(uriOf(mandatory(request, "To")));
    const callId = mandatory(request, "Call-ID");
    // Constant per registration dialog (site-environment 4).
    const toTag = `${guidForm(createHash("sha256").update(callId).digest())}-1`;
    const contactValue = headerOf(request, "Contact");
    const expires = askedExpires(contactValue, headerOf(request, "Expires"));
    const answer = (status: number, reason: string, extra: readonly Header[]): void =>
      transaction.respond({ status, reason, toTag, extra });
    const fault = this.#faults.registerFault(dn);
    // Not swallowed for ever: the repeat that comes once SIP Server speaks again is answered.
    if (fault?.kind === "silence") return transaction.terminate();
    if (fault?.kind === "status") return answer(fault.status, fault.reason ?? "Fault", fault.headers ?? []);
    if (expires === undefined) return answer(400, "Bad Request", []);
    if (!this.#dns.has(dn)) {
      if (expires > 0) answer(404, "Not Found", granted(contactValue, expires));
      return;
    }
    if (fault?.kind === "stolen") return answer(200, "OK", granted(`<${fault.contact}>`, expires));
    if (contactValue === undefined) return answer(200, "OK", this.#present(dn));
    if (expires === 0) {
      this.#remove(dn, "asked");
      return answer(200, "OK", granted(contactValue, 0));
    }
    const contact = uriOf(contactValue);
    if (!peerOf(contact)) return answer(400, "Bad Request", []);
    this.#bind(dn, contact, callId, expires);
    answer(200, "OK", granted(contactValue, expires));
  }

  close(): void {
    for (const { timer } of this.#bindings.values()) timer.clear();
    this.#bindings.clear();
  }

  #present(dn: string): Header[] {
    const binding = this.#bindings.get(dn)?.view;
    return binding ? granted(`<${binding.contact}>`, binding.expiresSeconds) : [];
  }

  #bind(dn: string, contact: string, callId: string, expiresSeconds: number): void {
    const old = this.#bindings.get(dn);
    old?.timer.clear();
    const registrations = old?.view.callId === callId ? old.view.registrations + 1 : 1;
    const view = { dn, contact, callId, expiresSeconds, registrations };
    // Node's longest timer is 2^31 - 1 ms.
    const delay = Math.min(expiresSeconds * 1000, 2 ** 31 - 1);
    this.#bindings.set(dn, { view, timer: this.#clock.setTimer(delay, () => this.#remove(dn, "expired")) });
    this.#listener.registered(view);
  }

  #remove(dn: string, reason: "asked" | "expired"): void {
    const binding = this.#bindings.get(dn);
    if (!binding) return;
    binding.timer.clear();
    this.#bindings.delete(dn);
    this.#listener.unregistered(dn, reason);
  }
}

/** Contact's own `expires`, else the header, else the default; undefined when it is no number. */
function askedExpires(contact: string | undefined, header: string | undefined): number | undefined {
  const text = (contact === undefined ? undefined : paramOf(contact, "expires")) ?? header;
  if (text === undefined) return defaultExpires;
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** Expires and Contact;expires, the contact in the form it was registered with. */
function granted(contact: string | undefined, expires: number): Header[] {
  const headers: Header[] = [["Expires", String(expires)]];
  if (contact === undefined || contact.trim() === "*") return headers;
  return [...headers, ["Contact", `<${uriOf(contact)}>;expires=${expires}`]];
}

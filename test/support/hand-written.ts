import type { B2buaBench, FarEnd } from "./b2bua-bench.ts";
import { WireMessage } from "./wire-peer.ts";

export type SideName = "SIP Server" | "the browser";

interface RequestOptions {
  readonly body?: string;
  readonly lines?: readonly string[];
  /** Default: the next of the far end's stack. */
  readonly cseq?: number;
  readonly branch?: string;
  readonly toTag?: string;
  readonly uri?: string;
}

/**
 * Messages written by hand in the name of one far end of a call, beside its own stack, so that any can come at any
 * time: within the leg's dialog as far as that side could know it.
 */
export class HandWritten {
  readonly #bench: B2buaBench;
  readonly #side: SideName;
  readonly #end: FarEnd;
  readonly #gateway: string;
  #count = 0;

  constructor(bench: B2buaBench, side: SideName) {
    this.#bench = bench;
    this.#side = side;
    this.#end = side === "SIP Server" ? bench.trunk : bench.browser;
    this.#gateway = side === "SIP Server" ? "192.0.2.20:5070" : "gateway.invalid:0";
  }

  #of(from: string): WireMessage[] {
    return this.#bench.network.sent
      .filter((entry) => entry.from === from)
      .map(({ text }) => new WireMessage(text))
      .filter((message) => message.header("Call-ID") === this.callId);
  }

  /** What this far end's stack sent on the leg, in order. */
  get sent(): WireMessage[] {
    return this.#of(this.#end.address);
  }

  /** What we sent it on the leg. */
  get heard(): WireMessage[] {
    return this.#of(this.#gateway);
  }

  /** The leg's; made up where there is no leg yet. */
  get callId(): string {
    const invite = this.#bench.network.sent.find(
      ({ from, text }) =>
        text.startsWith("INVITE ") && (from === this.#end.address || from === this.#gateway),
    );
    return new WireMessage(invite?.text ?? "").header("Call-ID") ?? "no-such-call";
  }

  /** It sent the leg's INVITE. */
  get called(): boolean {
    return this.invite !== undefined;
  }

  get invite(): WireMessage | undefined {
    return this.sent.find(({ method, tag }) => method === "INVITE" && tag.to === "");
  }

  get #ownTag(): string {
    if (this.invite) return this.invite.tag.from;
    return this.sent.find(({ tag }) => tag.to !== "")?.tag.to ?? "made-up";
  }

  /** Our tag as this side was told it, empty before. */
  get ourTag(): string {
    if (this.invite) return this.heard.find(({ tag, status }) => status > 100 && tag.to !== "")?.tag.to ?? "";
    return this.heard.find(({ method }) => method === "INVITE")?.tag.from ?? "";
  }

  /** Puts a message on the wire as if it came from this side. */
  put(text: string): void {
    const { layer, toTrunk, toBrowser } = this.#bench;
    const trunk = this.#side === "SIP Server";
    layer.receive(trunk ? toTrunk : toBrowser, Buffer.from(text), trunk ? "datagram" : "frame");
  }

  request(method: string, options: RequestOptions = {}): string {
    const {
      body = "",
      lines = [],
      toTag = this.ourTag || "made-up",
      uri = "sip:5001@192.0.2.20:5070",
    } = options;
    const count = ++this.#count;
    const cseq = options.cseq ?? this.#nextSequence(count);
    const protocol = this.#side === "SIP Server" ? "UDP" : "WSS";
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/${protocol} ${this.#end.address};branch=${options.branch ?? `z9hG4bK-hand-${count}`}`,
      `Max-Forwards: 70`,
      `From: <sip:1003@far.invalid>;tag=${this.#ownTag}`,
      `To: <sip:5001@near.invalid>${toTag === "" ? "" : `;tag=${toTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:1003@${this.#end.address}>`,
      ...lines,
      ...(body === "" ? [] : ["Content-Type: application/sdp"]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n");
    this.put(text);
    return text;
  }

  #nextSequence(count: number): number {
    const session = this.#end.outgoing?.session ?? this.#end.incoming?.session;
    return session?.dialog?.nextSequence() ?? 100 + count;
  }

  /** Answers our last INVITE on the leg; nothing where there is none. */
  respond(status: number, { tag = this.#ownTag, body = "" } = {}): void {
    const invite = this.heard.findLast(({ method }) => method === "INVITE");
    if (!invite) return;
    const to = `${invite.header("To")?.replace(/;tag=.*$/, "") ?? ""};tag=${tag}`;
    const text = [
      `SIP/2.0 ${status} By Hand`,
      `Via: ${invite.header("Via") ?? ""}`,
      `From: ${invite.header("From") ?? ""}`,
      `To: ${to}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${invite.cseq}`,
      `Contact: <sip:1003@${this.#end.address}>`,
      ...(body === "" ? [] : ["Content-Type: application/sdp"]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n");
    this.put(text);
  }

  /** Final statuses that the request `text` got, repeats of the same once. */
  finals(text: string): number[] {
    const asked = new WireMessage(text);
    const branch = branchOf(asked);
    const answers = this.heard.filter(
      (message) => message.status >= 200 && branchOf(message) === branch && message.cseq === asked.cseq,
    );
    return [...new Set(answers.map(({ status }) => status))];
  }
}

export function branchOf(message: WireMessage): string {
  return /branch=([^;\s]+)/.exec(message.header("Via") ?? "")?.[1] ?? "";
}

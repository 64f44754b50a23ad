import { createHash } from "node:crypto";
import type { Flow } from "../../src/sip/index.ts";
import type { FakeClock } from "../support/fake-clock.ts";

/** A request as it came over the wire, read by means of its own. */
export interface Seen {
  at: number;
  method: string;
  uri: string;
  dn: string;
  callId: string;
  sequence: number;
  fromTag: string;
  contact: string;
  expires: number | undefined;
  authorization: string | undefined;
  branch: string;
  text: string;
}

export interface Reply {
  status: number;
  reason?: string;
  headers?: string[];
}

/** What a script answers; `silence` for nothing. */
export type Script = (request: Seen) => Reply | "silence";

function read(text: string, at: number): Seen {
  const header = (name: string): string | undefined =>
    text.match(new RegExp(`^${name}: (.*?)\r$`, "mi"))?.[1];
  const [method = "", uri = ""] = text.split(" ");
  const expires = header("Expires");
  return {
    at,
    method,
    uri,
    dn: header("To")?.match(/sip:([^@>]*)@/)?.[1] ?? "",
    callId: header("Call-ID") ?? "",
    sequence: Number.parseInt(header("CSeq") ?? "", 10),
    fromTag: header("From")?.match(/;tag=(.*)$/)?.[1] ?? "",
    contact: header("Contact") ?? "",
    expires: expires === undefined ? undefined : Number(expires),
    authorization: header("Authorization") ?? header("Proxy-Authorization"),
    branch: header("Via")?.match(/branch=([^;]*)/)?.[1] ?? "",
    text,
  };
}

/**
 * A SIP Server in memory, reached by a UDP flow: registers one contact per DN, last writer wins. It writes its
 * answers in the forms seen in traces (domain note genesys-sip-server.md 3, 4): valueless rport, Via behind
 * Content-Length.
 */
export class ScriptedServer {
  readonly flow: Flow;
  /** Every datagram, retransmissions too. */
  readonly datagrams: Seen[] = [];
  /** Each request once. */
  readonly requests: Seen[] = [];
  readonly bindings = new Map<string, string>();
  dead = false;
  /** Whether the network loses the next datagram, either way. */
  loses: () => boolean = () => false;
  /** Answers REGISTER in place of `registered`. */
  script: Script = (request) => this.registered(request);
  deliver: (flow: Flow, bytes: Buffer) => void = () => {};
  readonly #clock: FakeClock;
  readonly #branches = new Set<string>();

  constructor(clock: FakeClock, address: string, port = 5060) {
    this.#clock = clock;
    this.flow = {
      id: `udp|${address}|${port}`,
      protocol: "UDP",
      side: "trunk",
      reliable: false,
      remoteAddress: address,
      remotePort: port,
      sentBy: "192.0.2.20:5070",
      open: true,
      send: (message) => this.#receive(message.toString()),
    };
  }

  get registers(): Seen[] {
    return this.requests.filter((request) => request.method === "REGISTER");
  }

  of(dn: string): Seen[] {
    return this.registers.filter((request) => request.dn === dn);
  }

  /** The usual answer: what is asked is granted, and the DN's one contact is named. */
  registered(request: Seen): Reply {
    if (request.expires === 0) this.bindings.delete(request.dn);
    else this.bindings.set(request.dn, request.contact);
    const contact = this.bindings.get(request.dn);
    return {
      status: 200,
      headers: [
        `Expires: ${request.expires}`,
        ...(contact === undefined ? [] : [`Contact: ${contact};expires=${request.expires}`]),
      ],
    };
  }

  #receive(text: string): void {
    const request = read(text, this.#clock.now());
    this.datagrams.push(request);
    if (this.loses()) return;
    if (!this.#branches.has(request.branch)) this.requests.push(request);
    this.#branches.add(request.branch);
    if (this.dead) return;
    const reply = request.method === "OPTIONS" ? { status: 404, reason: "Not Found" } : this.script(request);
    if (reply !== "silence") this.#clock.setTimer(5, () => this.#reply(text, reply));
  }

  #reply(text: string, reply: Reply): void {
    if (this.loses()) return;
    const line = (name: string): string => text.match(new RegExp(`^${name}: .*?\r$`, "mi"))?.[0].trim() ?? "";
    const answer = [
      `SIP/2.0 ${reply.status} ${reply.reason ?? "Whatever"}`,
      line("From"),
      `${line("To")};tag=88170A6B-256`,
      line("Call-ID"),
      line("CSeq"),
      "Content-Length: 0",
      `${line("Via").replace(/;rport(=[^;]*)?/, ";rport")};received=192.0.2.20`,
      ...(reply.headers ?? []),
      "",
      "",
    ].join("\r\n");
    this.deliver(this.flow, Buffer.from(answer));
  }
}

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** A script that wants digest (MD5, with or without qop) before it registers. */
export function digestScript(
  server: ScriptedServer,
  options: {
    qop: boolean;
    password: string;
    status?: 401 | 407;
    usesPerNonce?: number;
    /** Begins its nonces: those of another server, or of one started anew, are others. */
    nonces?: string;
  },
): Script {
  let nonces = 0;
  const uses = new Map<string, number>();
  const { qop, password, status = 401, usesPerNonce = Number.POSITIVE_INFINITY } = options;
  const challenge = (stale: boolean): Reply => {
    const nonce = `${options.nonces ?? "nonce"}-${++nonces}`;
    uses.set(nonce, 0);
    const name = status === 401 ? "WWW-Authenticate" : "Proxy-Authenticate";
    const rest = `${qop ? ', qop="auth"' : ""}${stale ? ", stale=true" : ""}`;
    return {
      status,
      reason: "Unauthorized",
      headers: [`${name}: Digest realm="genesys", nonce="${nonce}"${rest}`],
    };
  };
  return (request) => {
    const field = (name: string): string =>
      request.authorization?.match(new RegExp(`[ ,]${name}="?([^",]*)"?`))?.[1] ?? "";
    const used = uses.get(field("nonce"));
    if (used === undefined) return challenge(false);
    const ha1 = md5(`${request.dn}:genesys:${password}`);
    const ha2 = md5(`REGISTER:${field("uri")}`);
    const middle = qop ? `${field("nonce")}:${field("nc")}:${field("cnonce")}:auth` : field("nonce");
    if (field("uri") !== request.uri || field("response") !== md5(`${ha1}:${middle}:${ha2}`))
      return challenge(false);
    if (qop && Number.parseInt(field("nc"), 16) !== used + 1) return challenge(false);
    if (used >= usesPerNonce) return challenge(true);
    uses.set(field("nonce"), used + 1);
    return server.registered(request);
  };
}

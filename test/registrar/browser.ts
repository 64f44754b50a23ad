import { createHash } from "node:crypto";
import { silentLogger } from "../../src/core/index.ts";
import {
  AgentTokens,
  createRegistrar,
  type AgentRegistrar,
  type RegistrarOptions,
} from "../../src/registrar/index.ts";
import { createDigestServer, createTransactionLayer, type Flow } from "../../src/sip/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";

let flowNumber = 0;

/** A WebSocket connection without a socket: keeps what is sent. */
export class TestFlow implements Flow {
  readonly id = `test-${++flowNumber}`;
  readonly protocol = "WSS";
  readonly side = "browser";
  readonly reliable = true;
  readonly remoteAddress: string;
  readonly remotePort = 50_000;
  readonly sentBy = `${this.id}.invalid`;
  open = true;
  readonly sent: string[] = [];

  constructor(remoteAddress = "192.0.2.50") {
    this.remoteAddress = remoteAddress;
  }

  send(message: Buffer): void {
    this.sent.push(message.toString());
  }
}

export interface RegisterParts {
  dn?: string;
  password?: string;
  /** In place of the password. */
  ha1?: string;
  /** Who signs the digest; the DN unless told. */
  username?: string;
  contact?: string | undefined;
  headers?: string[];
  method?: string;
  uri?: string;
}

/** What came back, taken apart by means of its own. */
export interface Answer {
  status: number;
  text: string;
  contacts: string[];
  header(name: string): string | undefined;
}

function readAnswer(text: string): Answer {
  const lines = text.split("\r\n");
  const all = (name: string): string[] =>
    lines
      .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}: `))
      .map((line) => line.slice(name.length + 2));
  return {
    status: Number(text.split(" ")[1]),
    text: lines[0] ?? "",
    contacts: all("Contact"),
    header: (name) => all(name)[0],
  };
}

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

/** One user agent as JsSIP or SIP.js behave: own Call-ID, rising CSeq, answers a challenge. */
export class Browser {
  readonly #layer: ReturnType<typeof createTransactionLayer>;
  readonly callId: string;
  sequence = 0;
  flow: TestFlow;
  instance: string | undefined;
  contactUser: string;

  constructor(layer: ReturnType<typeof createTransactionLayer>, name: string, flow = new TestFlow()) {
    this.#layer = layer;
    this.callId = `call-${name}`;
    this.flow = flow;
    this.instance = `<urn:uuid:${name}>`;
    this.contactUser = `user-${name}`;
  }

  get contactUri(): string {
    return `sip:${this.contactUser}@host-${this.callId}.invalid;transport=ws`;
  }

  contact(parameters = ""): string {
    const instance = this.instance === undefined ? "" : `;reg-id=1;+sip.instance="${this.instance}"`;
    return `<${this.contactUri}>${instance}${parameters}`;
  }

  /** Sends REGISTER, answers the challenge, gives the last answer. */
  register(parts: RegisterParts = {}): Answer {
    const first = this.send(parts);
    if (first.status !== 401) return first;
    return this.send(parts, this.#authorization(parts, first.header("WWW-Authenticate") ?? ""));
  }

  send(parts: RegisterParts = {}, authorization?: string): Answer {
    const dn = parts.dn ?? "5001";
    const contact = "contact" in parts ? parts.contact : this.contact();
    const text = [
      `REGISTER ${parts.uri ?? "sip:jackfield.test"} SIP/2.0`,
      `Via: SIP/2.0/WSS ${this.flow.sentBy};branch=z9hG4bK-${this.callId}-${++this.sequence}`,
      "Max-Forwards: 69",
      `To: <sip:${dn}@any.host.test>`,
      `From: <sip:${dn}@any.host.test>;tag=t-${this.callId}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${this.sequence} REGISTER`,
      ...(contact === undefined ? [] : [`Contact: ${contact}`]),
      ...(authorization === undefined ? [] : [`Authorization: ${authorization}`]),
      "Supported: path,gruu,outbound",
      "User-Agent: JsSIP 3.13.8",
      ...(parts.headers ?? []),
      "Content-Length: 0",
      "",
      "",
    ].join("\r\n");
    return this.sendText(text);
  }

  sendText(text: string): Answer {
    this.#layer.receive(this.flow, Buffer.from(text), "frame");
    return readAnswer(this.flow.sent.at(-1) ?? "");
  }

  #authorization(parts: RegisterParts, challenge: string): string {
    const field = (name: string): string => challenge.match(new RegExp(`${name}="([^"]*)"`))?.[1] ?? "";
    const username = parts.username ?? parts.dn ?? "5001";
    const uri = parts.uri ?? "sip:jackfield.test";
    const ha1 = parts.ha1 ?? md5(`${username}:${field("realm")}:${parts.password ?? `secret-${username}`}`);
    const ha2 = md5(`REGISTER:${uri}`);
    const response = md5(`${ha1}:${field("nonce")}:00000001:c0ffee:auth:${ha2}`);
    return `Digest algorithm=MD5, username="${username}", realm="${field("realm")}", nonce="${field("nonce")}", uri="${uri}", response="${response}", qop=auth, cnonce="c0ffee", nc=00000001`;
  }
}

/** A registrar with DNs 5001-5999 (password `secret-DN`) behind a real transaction layer, and its events. */
export function registrarBench(options: Partial<RegistrarOptions> = {}) {
  const clock = new FakeClock();
  const random = new CountingRandom();
  const calls = new Set<string>();
  const dns = new Set(Array.from({ length: 999 }, (_value, index) => String(5001 + index)));
  const accounts = { has: (dn: string) => dns.has(dn) };
  const secret = "only-this-gateway-knows";
  const tokens = new AgentTokens({
    secret,
    realm: "jackfield",
    sessionMs: 43_200_000,
    accounts,
    clock,
    random,
  });
  const passwordOf = (username: string): string | undefined =>
    tokens.secretOf(username) ?? (dns.has(username) ? `secret-${username}` : undefined);
  const digest = createDigestServer({
    realm: "jackfield",
    clock,
    random,
    nonceLifetimeMs: 60_000,
    findSecret(username) {
      const password = passwordOf(username);
      return password === undefined ? undefined : { password };
    },
    algorithms: ["MD5"],
  });
  const registrar: AgentRegistrar = createRegistrar({
    digest,
    accounts,
    sessions: tokens,
    hasCall: (dn, instance) => calls.has(`${dn} ${instance}`),
    clock,
    random,
    log: silentLogger,
    ...options,
  });
  const events: string[] = [];
  const instanceOf = (presence: { instance: string }): string =>
    presence.instance.replace(/^<urn:uuid:|>$/g, "");
  registrar.events.on("signed-in", (presence) => events.push(`in ${instanceOf(presence)}`));
  registrar.events.on("signed-out", (presence, reason) =>
    events.push(`out ${instanceOf(presence)}: ${reason}`),
  );
  registrar.events.on("flow-lost", (presence) => events.push(`lost ${instanceOf(presence)}`));
  registrar.events.on("flow-resumed", (presence) => events.push(`back ${instanceOf(presence)}`));
  const layer = createTransactionLayer({
    clock,
    random,
    log: silentLogger,
    user: {
      onRequest: (_request, transaction) => registrar.handleRegister(transaction),
      onAck: () => {},
    },
  });
  return {
    clock,
    dns,
    tokens,
    registrar,
    events,
    calls,
    layer,
    browser: (name: string, flow?: TestFlow) => new Browser(layer, name, flow),
    /** The socket breaks: as src/ws tells it. */
    cut(browser: Browser): void {
      browser.flow.open = false;
      layer.flowClosed(browser.flow);
      registrar.flowClosed(browser.flow);
    },
    close(): void {
      registrar.close();
      layer.close();
    },
  };
}

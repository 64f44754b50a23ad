import { createSocket, type RemoteInfo, type Socket } from "node:dgram";

/** A SIP message as the scripted endpoint sees it: raw text and loosely read headers. */
export interface Seen {
  readonly raw: string;
  readonly first: string;
  readonly method: string;
  readonly status: number;
  readonly names: readonly string[];
  readonly body: string;
  header(name: string): string;
}

export function read(raw: string): Seen {
  const [head = "", ...bodies] = raw.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const pairs = lines.map(
    (line) => [line.split(":", 1)[0] ?? "", line.slice(line.indexOf(":") + 1).trim()] as const,
  );
  const header = (name: string): string =>
    pairs.find(([have]) => have.toLowerCase() === name.toLowerCase())?.[1] ?? "";
  const status = Number(/^SIP\/2\.0 (\d{3})/.exec(first)?.[1] ?? 0);
  return {
    raw,
    first,
    status,
    method: status > 0 ? (header("CSeq").split(" ")[1] ?? "") : (first.split(" ")[0] ?? ""),
    names: pairs.map(([name]) => name),
    body: bodies.join("\r\n\r\n"),
    header,
  };
}

export const request =
  (method: string) =>
  (seen: Seen): boolean =>
    seen.status === 0 && seen.method === method;
export const response =
  (status: number, method: string) =>
  (seen: Seen): boolean =>
    seen.status === status && seen.method === method;

export function sdp(
  port: number,
  options: { direction?: string; address?: string; session?: number; codecs?: string } = {},
): string {
  const lines = [
    "v=0",
    `o=- ${options.session ?? 4711} 1 IN IP4 127.0.0.1`,
    "s=endpoint",
    `c=IN IP4 ${options.address ?? "127.0.0.1"}`,
    "t=0 0",
    `m=audio ${port} RTP/AVP ${options.codecs ?? "0 8 101"}`,
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
    "a=ptime:20",
    `a=${options.direction ?? "sendrecv"}`,
  ];
  return `${lines.join("\r\n")}\r\n`;
}

let endpoints = 0;

/** A phone of one DN on loopback UDP that says only what the test tells it to. */
export class Endpoint {
  readonly dn: string;
  readonly #socket: Socket;
  readonly #server: number;
  readonly #queue: Seen[] = [];
  #waiting: { wanted: (seen: Seen) => boolean; resolve: (seen: Seen) => void }[] = [];
  #cseq = 0;
  #branch = 0;
  readonly id = ++endpoints;
  /** Called with each message before anybody waits for it: a phone that acts by itself. */
  react: ((seen: Seen) => void) | undefined;
  /** Everything that came, in order. */
  readonly all: Seen[] = [];

  private constructor(dn: string, socket: Socket, server: number) {
    this.dn = dn;
    this.#socket = socket;
    this.#server = server;
    socket.on("message", (datagram: Buffer, _from: RemoteInfo) =>
      this.#arrived(read(datagram.toString("utf8"))),
    );
  }

  static async open(dn: string, server: number): Promise<Endpoint> {
    const socket = createSocket("udp4");
    await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    return new Endpoint(dn, socket, server);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The first message not yet taken for which `wanted` holds; waits for it. Messages before it stay. */
  async next(wanted: (seen: Seen) => boolean, what = ""): Promise<Seen> {
    const index = this.#queue.findIndex(wanted);
    const [found] = index < 0 ? [] : this.#queue.splice(index, 1);
    if (found) return found;
    return new Promise((resolve, reject) => {
      const limit = setTimeout(
        () =>
          reject(
            new Error(
              `${this.dn} waited in vain for ${what || wanted.toString()}; has ${this.all.map((s) => s.first).join(" | ")}`,
            ),
          ),
        4000,
      );
      this.#waiting.push({
        wanted,
        resolve: (seen) => {
          clearTimeout(limit);
          resolve(seen);
        },
      });
    });
  }

  /** Messages for which `wanted` holds, so far. */
  count(wanted: (seen: Seen) => boolean): number {
    return this.all.filter(wanted).length;
  }

  send(text: string): void {
    this.#socket.send(text, this.#server, "127.0.0.1");
  }

  branch(): string {
    return `z9hG4bK-e${this.id}-${++this.#branch}`;
  }

  /** A request out of any dialog; returns its raw text after sending it. */
  request(
    method: string,
    uri: string,
    lines: readonly string[],
    body = "",
    tag = `t${this.id}`,
    to?: string,
  ): string {
    const text = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=${this.branch()};rport`,
      "Max-Forwards: 70",
      `From: <sip:${this.dn}@127.0.0.1>;tag=${tag}`,
      `To: ${to ?? `<${uri}>`}`,
      ...(lines.some((line) => line.startsWith("Call-ID:"))
        ? []
        : [`Call-ID: out-${this.id}-${this.#branch}`]),
      ...(lines.some((line) => line.startsWith("CSeq:")) ? [] : [`CSeq: ${++this.#cseq} ${method}`]),
      ...lines,
      ...(body === "" ? [] : ["Content-Type: application/sdp"]),
      `Content-Length: ${Buffer.byteLength(body)}`,
      "",
      body,
    ].join("\r\n");
    this.send(text);
    return text;
  }

  get contact(): string {
    return `Contact: <sip:${this.dn}@127.0.0.1:${this.port}>`;
  }

  async register(expires = 300): Promise<Seen> {
    const to = `<sip:${this.dn}@127.0.0.1>`;
    this.request(
      "REGISTER",
      "sip:127.0.0.1",
      [this.contact, `Expires: ${expires}`, `Call-ID: reg-${this.id}`],
      "",
      "r",
      to,
    );
    return this.next((seen) => seen.method === "REGISTER", "answer to REGISTER");
  }

  /** Answers a request, copying what must be copied; `tag` goes on a To without one. */
  answer(
    to: Seen,
    status: number,
    options: { tag?: string; body?: string; lines?: readonly string[] } = {},
  ): void {
    const target = to.header("To");
    const tagged =
      /;tag=/.test(target) || status === 100 ? target : `${target};tag=${options.tag ?? `e${this.id}`}`;
    const body = options.body ?? "";
    this.send(
      [
        `SIP/2.0 ${status} Whatever`,
        `Via: ${to.header("Via")}`,
        `From: ${to.header("From")}`,
        `To: ${tagged}`,
        `Call-ID: ${to.header("Call-ID")}`,
        `CSeq: ${to.header("CSeq")}`,
        this.contact,
        ...(options.lines ?? []),
        ...(body === "" ? [] : ["Content-Type: application/sdp"]),
        `Content-Length: ${Buffer.byteLength(body)}`,
        "",
        body,
      ].join("\r\n"),
    );
  }

  /** A request in a dialog the sandbox began with `invite` (From and To change places), or we with `success`. */
  inDialog(dialog: Dialog, method: string, cseq: number, body = "", lines: readonly string[] = []): void {
    this.send(
      [
        `${method} ${dialog.target} SIP/2.0`,
        `Via: SIP/2.0/UDP 127.0.0.1:${this.port};branch=${this.branch()};rport`,
        `From: ${dialog.local}`,
        `To: ${dialog.remote}`,
        `Call-ID: ${dialog.callId}`,
        `CSeq: ${cseq} ${method}`,
        ...(method === "ACK" ? [] : [this.contact]),
        ...lines,
        ...(body === "" ? [] : ["Content-Type: application/sdp"]),
        `Content-Length: ${Buffer.byteLength(body)}`,
        "",
        body,
      ].join("\r\n"),
    );
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => this.#socket.close(() => resolve()));
  }

  #arrived(seen: Seen): void {
    this.all.push(seen);
    this.react?.(seen);
    const index = this.#waiting.findIndex(({ wanted }) => wanted(seen));
    const [waiter] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiter) waiter.resolve(seen);
    else this.#queue.push(seen);
  }
}

/** What the endpoint must remember of a dialog. */
export interface Dialog {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly target: string;
}

/** Dialog of a call the endpoint made: from the 2xx (or tagged 1xx). */
export function dialogOfAnswer(answer: Seen): Dialog {
  return {
    callId: answer.header("Call-ID"),
    local: answer.header("From"),
    remote: answer.header("To"),
    target: answer.header("Contact").replace(/[<>]/g, ""),
  };
}

/** Dialog of a call the endpoint got: from the INVITE, and the tag it answered with. */
export function dialogOfInvite(invite: Seen, endpoint: Endpoint): Dialog {
  return {
    callId: invite.header("Call-ID"),
    local: `${invite.header("To")};tag=e${endpoint.id}`,
    remote: invite.header("From"),
    target: invite.header("Contact").replace(/[<>]/g, ""),
  };
}

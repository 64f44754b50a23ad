import { createHash, randomUUID } from "node:crypto";
import type { Server } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";

/** One SIP message as text, taken apart as far as these tests need. */
export class SipText {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  get startLine(): string {
    return this.text.slice(0, this.text.indexOf("\r\n"));
  }

  /** Method of a request, status code of a response. */
  get name(): string {
    const [first = "", second = ""] = this.startLine.split(" ");
    return first === "SIP/2.0" ? second : first;
  }

  /** First header of this name, empty when there is none. */
  header(name: string): string {
    return new RegExp(`^${name}: *(.*?)\\r$`, "im").exec(this.text)?.[1] ?? "";
  }

  get body(): string {
    return this.text.slice(this.text.indexOf("\r\n\r\n") + 4);
  }
}

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}

/** An answer to a browser's offer that the browser takes, although nobody is there. */
export function answerTo(offer: string): string {
  const flipped = /^a=sendonly\r$/m.test(offer) ? "recvonly" : "sendrecv";
  const event = /^a=rtpmap:(\d+) telephone-event\/8000/m.exec(offer)?.[1] ?? "101";
  return [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "t=0 0",
    "a=ice-lite",
    "a=group:BUNDLE 0",
    `m=audio 9 UDP/TLS/RTP/SAVPF 0 ${event}`,
    "c=IN IP4 127.0.0.1",
    "a=rtcp-mux",
    "a=mid:0",
    "a=ice-ufrag:nobody01",
    "a=ice-pwd:nobodynobodynobodynobody",
    `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "AB").join(":")}`,
    "a=setup:passive",
    "a=rtpmap:0 PCMU/8000",
    `a=rtpmap:${event} telephone-event/8000`,
    `a=${flipped}`,
    "",
  ].join("\r\n");
}

/**
 * The gateway as far as the page sees it, scripted by the test: registers with digest, refuses calls with the status
 * in the number dialled (`486@...`), rings the page and controls it. It writes its text itself and shares nothing with `src`.
 */
export class FakeGateway {
  readonly received: SipText[] = [];
  /** What stands behind the status of a refused call. */
  phrase = "Refused";
  /** Status and phrase for every sign-in from now on. */
  signInRefusal: string | undefined;
  /** Hears re-INVITEs and says nothing. */
  silent = false;
  readonly #sockets: WebSocketServer;
  readonly #password: string;
  #page: WebSocket | undefined;
  #contact = "";
  #cseq = 1;

  constructor(server: Server, password: string) {
    this.#password = password;
    this.#sockets = new WebSocketServer({ server, path: "/ws", handleProtocols: () => "sip" });
    this.#sockets.on("connection", (socket) => {
      this.#page = socket;
      socket.on("message", (data) => {
        if (data instanceof Buffer) this.#onMessage(new SipText(data.toString("utf8")));
      });
    });
  }

  /** Last message of this method or status, empty text when none came. */
  last(name: string, cseqMethod = ""): SipText {
    const found = this.received.findLast(
      (one) => one.name === name && one.header("CSeq").endsWith(cseqMethod),
    );
    return found ?? new SipText("\r\n\r\n");
  }

  notify(event: string, headers: readonly string[], body = ""): void {
    this.#request(
      "NOTIFY",
      `notify-${randomUUID()}`,
      [
        `Event: ${event}`,
        "Subscription-State: active",
        ...headers,
        ...(body === "" ? [] : ["Content-Type: application/json"]),
      ],
      body,
    );
  }

  /** Rings the page by an INVITE without SDP. @param from number, or the whole address. @returns its Call-ID */
  invite(from: string, headers: readonly string[] = []): string {
    const callId = `call-${randomUUID()}`;
    this.#request("INVITE", callId, ["Contact: <sip:gateway.invalid;transport=ws>", ...headers], "", from);
    return callId;
  }

  cancel(callId: string): void {
    const invite = this.#sent.get(callId) ?? "";
    const lines = invite.split("\r\n").filter((line) => /^(Via|From|To|Call-ID|Max-Forwards):/.test(line));
    this.#send(
      [
        `CANCEL sip:${this.#contact} SIP/2.0`,
        ...lines,
        `CSeq: ${this.#cseqOf(invite)} CANCEL`,
        "Content-Length: 0",
      ],
      "",
    );
  }

  /** Confirms the page's 200 of this call with an SDP answer, without another one that of nobody. */
  acknowledge(callId: string, answer?: string): void {
    const ok = this.#answerOf(callId);
    this.#inDialog("ACK", ok, answer ?? answerTo(ok.body), this.#cseqOf(ok.text));
  }

  bye(callId: string, headers: readonly string[] = []): void {
    this.#inDialog("BYE", this.#answerOf(callId), "", String(++this.#cseq), headers);
  }

  /** Answers the page's last call to this number. @returns its Call-ID */
  answer(number: string): string {
    const invite = this.received.findLast((one) => one.startLine.startsWith(`INVITE sip:${number}@`));
    if (invite === undefined) throw new Error(`the page did not call ${number}`);
    const headers = ["Contact: <sip:gateway.invalid;transport=ws>", "Content-Type: application/sdp"];
    this.#reply(invite, "200 OK", headers, answerTo(invite.body));
    return invite.header("Call-ID");
  }

  /** Tells how the page's last REFER goes, e.g. `180 Ringing` (RFC 3515). */
  tellRefer(status: string): void {
    const refer = this.last("REFER");
    const headers = [
      `Event: refer;id=${this.#cseqOf(refer.text)}`,
      `Subscription-State: ${status.startsWith("1") ? "active" : "terminated;reason=noresource"}`,
      "Contact: <sip:gateway.invalid;transport=ws>",
    ];
    const dialog = [`From: ${refer.header("To")}`, `To: ${refer.header("From")}`];
    const text = `Call-ID: ${refer.header("Call-ID")}`;
    const sides = new SipText([...dialog, text, "", ""].join("\r\n"));
    this.#inDialog("NOTIFY", sides, `SIP/2.0 ${status}`, String(++this.#cseq), headers, "message/sipfrag");
  }

  /** The page's 200 to our INVITE. */
  #answerOf(callId: string): SipText {
    const found = this.received.find(
      (one) =>
        one.name === "200" && one.header("Call-ID") === callId && one.header("CSeq").endsWith("INVITE"),
    );
    if (found === undefined) throw new Error("the page did not answer");
    return found;
  }

  cutSocket(): void {
    this.#page?.terminate();
  }

  close(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#sockets.close();
  }

  readonly #sent = new Map<string, string>();

  #cseqOf(text: string): string {
    return /^CSeq: *(\d+)/im.exec(text)?.[1] ?? "1";
  }

  #send(head: readonly string[], body: string): string {
    const text = `${head.join("\r\n")}\r\n\r\n${body}`;
    this.#page?.send(text);
    return text;
  }

  #request(method: string, callId: string, headers: readonly string[], body: string, from = "gateway"): void {
    const head = [
      `${method} sip:${this.#contact} SIP/2.0`,
      `Via: SIP/2.0/WS gateway.invalid;branch=z9hG4bK${randomUUID()}`,
      "Max-Forwards: 70",
      `From: ${from.includes("<") ? from : `<sip:${from}@jackfield.test>`};tag=${randomUUID()}`,
      "To: <sip:5001@jackfield.test>",
      `Call-ID: ${callId}`,
      `CSeq: ${++this.#cseq} ${method}`,
      ...headers,
      `Content-Length: ${Buffer.byteLength(body)}`,
    ];
    this.#sent.set(callId, this.#send(head, body));
  }

  #inDialog(
    method: string,
    ok: SipText,
    body: string,
    cseq: string,
    headers: readonly string[] = [],
    type = "application/sdp",
  ): void {
    this.#send(
      [
        `${method} sip:${this.#contact} SIP/2.0`,
        `Via: SIP/2.0/WS gateway.invalid;branch=z9hG4bK${randomUUID()}`,
        "Max-Forwards: 70",
        `From: ${ok.header("From")}`,
        `To: ${ok.header("To")}`,
        `Call-ID: ${ok.header("Call-ID")}`,
        `CSeq: ${cseq} ${method}`,
        ...headers,
        ...(body === "" ? [] : [`Content-Type: ${type}`]),
        `Content-Length: ${Buffer.byteLength(body)}`,
      ],
      body,
    );
  }

  #reply(request: SipText, status: string, headers: readonly string[] = [], body = ""): void {
    const to = request.header("To");
    this.#send(
      [
        `SIP/2.0 ${status}`,
        `Via: ${request.header("Via")}`,
        `From: ${request.header("From")}`,
        `To: ${to.includes("tag=") ? to : `${to};tag=gateway`}`,
        `Call-ID: ${request.header("Call-ID")}`,
        `CSeq: ${request.header("CSeq")}`,
        ...headers,
        `Content-Length: ${Buffer.byteLength(body)}`,
      ],
      body,
    );
  }

  #onMessage(message: SipText): void {
    this.received.push(message);
    if (message.name === "REGISTER") this.#onRegister(message);
    else if (message.name === "INVITE") this.#onInvite(message);
    else if (message.name === "BYE") this.#reply(message, "200 OK");
    else if (message.name === "REFER") this.#onRefer(message);
  }

  #onRegister(request: SipText): void {
    if (this.signInRefusal !== undefined) return this.#reply(request, this.signInRefusal);
    const authorization = request.header("Authorization");
    const field = (name: string): string => new RegExp(`${name}="?([^",]*)`).exec(authorization)?.[1] ?? "";
    const ha1 = md5(`${field("username")}:jackfield:${this.#password}`);
    const ha2 = md5(`REGISTER:${field("uri")}`);
    const right = md5(`${ha1}:abc:${field("nc")}:${field("cnonce")}:auth:${ha2}`);
    if (field("response") !== right) {
      const challenge = 'WWW-Authenticate: Digest realm="jackfield", nonce="abc", algorithm=MD5, qop="auth"';
      this.#reply(request, "401 Unauthorized", [challenge]);
      return;
    }
    const contact = request.header("Contact");
    this.#contact = /<sip:([^>]*)>/.exec(contact)?.[1] ?? "";
    this.#reply(request, "200 OK", /expires=0/.test(contact) ? [] : [`Contact: ${contact}`]);
  }

  /** A target of three digits is refused at once with that status. */
  #onRefer(request: SipText): void {
    const status = /<sip:(\d{3})@/.exec(request.header("Refer-To"))?.[1];
    this.#reply(request, status === undefined ? "202 Accepted" : `${status} Refused`);
  }

  #onInvite(request: SipText): void {
    if (request.header("To").includes("tag=")) {
      if (this.silent) return;
      const headers = ["Contact: <sip:gateway.invalid;transport=ws>", "Content-Type: application/sdp"];
      this.#reply(request, "200 OK", headers, answerTo(request.body));
      return;
    }
    const status = /^INVITE sip:(\d{3})@/.exec(request.startLine)?.[1];
    this.#reply(request, status === undefined ? "180 Ringing" : `${status} ${this.phrase}`);
  }
}

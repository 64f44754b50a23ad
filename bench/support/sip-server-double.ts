import { createSocket, type Socket } from "node:dgram";
import { overheadBytes } from "./talk.ts";
import { CallOut, type CallOutTimes } from "./call-out.ts";

const host = "127.0.0.1";

/**
 * A SIP Server that only says yes: REGISTER, OPTIONS and BYE get 200, INVITE 180 and 200 with PCMU to a socket that
 * sends all RTP back. It keeps no state (answers follow from the request alone), so that it costs next to nothing; the
 * sandbox does far more for each call and would be the limit of this bench.
 */
export class SipServerDouble {
  readonly #sip: Socket;
  readonly #rtp: Socket;
  readonly registered = new Set<string>();
  /** Requests by method, retransmissions included. */
  readonly requests: Record<string, number> = {};
  /** Sound of all calls, both directions, IP headers counted. */
  readonly sound = { packets: 0, bytes: 0 };
  /** Calls of its own that run, by Call-ID. */
  readonly #callsOut = new Map<string, CallOut>();
  #gatewayPort = 0;

  private constructor(sip: Socket, rtp: Socket, rtcp: Socket) {
    this.#sip = sip;
    this.#rtp = rtp;
    sip.on("message", (datagram, from) => this.#receive(datagram.toString("latin1"), from));
    rtp.on("message", (datagram, from) => {
      this.sound.packets += 2;
      this.sound.bytes += 2 * (datagram.length + overheadBytes.udp);
      rtp.send(datagram, from.port, from.address);
    });
    rtcp.on("message", () => {});
  }

  static async open(): Promise<SipServerDouble> {
    for (;;) {
      const rtp = await bind(0);
      const rtcp = await bind(rtp.address().port + 1).catch(() => undefined);
      if (rtcp && rtp.address().port % 2 === 0) return new SipServerDouble(await bind(0), rtp, rtcp);
      rtp.close();
      rtcp?.close();
    }
  }

  get port(): number {
    return this.#sip.address().port;
  }

  /**
   * Calls `dn` as SIP Server does: INVITE, NOTIFY talk on the 180, ACK on the 200, BYE at once. Resolves when the BYE is
   * answered, or with words when that did not come about.
   */
  async call(dn: string): Promise<CallOutTimes | string> {
    const out = new CallOut({
      dn,
      sdp: this.#sdp(),
      here: `${host}:${this.port}`,
      there: `${host}:${this.#gatewayPort}`,
      send: (text) => this.#sip.send(text, this.#gatewayPort, host),
    });
    this.#callsOut.set(out.callId, out);
    try {
      return await out.done;
    } finally {
      this.#callsOut.delete(out.callId);
    }
  }

  #receive(text: string, from: { readonly port: number; readonly address: string }): void {
    if (text.startsWith("SIP/2.0 ")) {
      this.#callsOut.get(/^Call-ID:\s*(\S+)/im.exec(text)?.[1] ?? "")?.receive(text);
      return;
    }
    const method = /^(\S+) sip:\S+ SIP\/2\.0\r\n/.exec(text)?.[1];
    if (method === undefined) return;
    this.requests[method] = (this.requests[method] ?? 0) + 1;
    const send = (status: string, extra: readonly string[], body = ""): void => {
      this.#sip.send(respond(text, status, extra, body), from.port, from.address);
    };
    const contact = `Contact: <sip:${host}:${this.port}>`;
    switch (method) {
      case "ACK":
        return;
      case "REGISTER":
        this.#gatewayPort = from.port;
        this.registered.add(/^To:.*<sip:([^@>]+)/im.exec(text)?.[1] ?? "");
        return send("200 OK", [/^Contact:.*$/im.exec(text)?.[0] ?? contact, "Expires: 300"]);
      case "INVITE":
        send("180 Ringing", [contact]);
        return send("200 OK", [contact, "Content-Type: application/sdp"], this.#sdp());
      default:
        return send("200 OK", []);
    }
  }

  #sdp(): string {
    return [
      "v=0",
      `o=Genesys 1 1 IN IP4 ${host}`,
      "s=Softphone 9.0",
      `c=IN IP4 ${host}`,
      "t=0 0",
      `m=audio ${this.#rtp.address().port} RTP/AVP 0 101`,
      "a=rtpmap:0 pcmu/8000",
      "a=rtpmap:101 telephone-event/8000",
      "",
    ].join("\r\n");
  }
}

/** Vias, From, To, Call-ID and CSeq as they came; the To tag follows from the Call-ID. */
function respond(request: string, status: string, extra: readonly string[], body: string): string {
  const end = request.indexOf("\r\n\r\n");
  const lines = request.slice(0, end).split("\r\n").slice(1);
  const callId = /^Call-ID:\s*(\S+)/im.exec(request)?.[1] ?? "";
  const kept = lines
    .filter((line) => /^(?:Via|From|To|Call-ID|CSeq):/i.test(line))
    .map((line) => (/^To:(?!.*;tag=)/i.test(line) ? `${line};tag=t${callId.slice(0, 16)}` : line));
  const head = [`SIP/2.0 ${status}`, ...kept, ...extra, `Content-Length: ${Buffer.byteLength(body)}`];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}

async function bind(port: number): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20 });
  return await new Promise((resolve, reject) => {
    socket.once("error", (error) => {
      socket.close();
      reject(error);
    });
    socket.bind(port, host, () => resolve(socket));
  });
}

import { createHash } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { BrowserDouble, DoubleCall } from "../support/browser-double.ts";
import { framesOf, placeCodes } from "../support/browser-media.ts";
import { testOrigin, testPassword } from "../support/test-gateway.ts";
import { toCodes, voice } from "../support/sound.ts";
import { headerOf } from "./support/front.ts";
import { Lab } from "./support/lab.ts";
import { after, paced, RtpPhone, until } from "./support/rtp-phone.ts";
import type { Sipp } from "./support/sipp.ts";

const agentSound = framesOf(toCodes(voice(1, 1), "pcmu"));
const farSound = framesOf(toCodes(voice(1, 2), "pcmu"));
const frame = (frames: readonly Buffer[], index: number): Buffer => frames[index] ?? Buffer.alloc(0);
const noise = Buffer.alloc(160, 0x11);

interface RunningCall {
  readonly browser: BrowserDouble;
  readonly call: DoubleCall;
  readonly phone: RtpPhone;
  readonly server: Sipp;
}

let nextDn = 5061;
const phones: RtpPhone[] = [];
const strangers: Socket[] = [];

/** An answered call between a browser and a far phone whose RTP this test writes itself. */
async function running(lab: Lab): Promise<RunningCall> {
  const dn = String(nextDn++);
  const phone = await RtpPhone.open();
  phones.push(phone);
  const browser = await lab.agent(dn);
  const server = await lab.sipp("outbound", { dn, echo: phone.port });
  const number = `7${dn}`;
  lab.front.phones.set(number, server.port);
  const call = await browser.dial(number);
  await call.when("answered");
  await call.connected;
  phone.remotePort = Number(/^m=audio (\d+)/m.exec(lab.front.requests("INVITE", number)[0]?.text ?? "")?.[1]);
  return { browser, call, phone, server };
}

async function stranger(address: string): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, address);
  await once(socket, "listening");
  strangers.push(socket);
  return socket;
}

/** Ends the call as its owner; SIPp must be content with all it saw. */
async function endWell({ call, server }: RunningCall): Promise<void> {
  call.hangUp();
  await server.success();
}

afterEach(async () => {
  for (const phone of phones.splice(0)) await phone.close();
  for (const socket of strangers.splice(0)) socket.close();
});

describe.each(["address", "strict"] as const)("RTP from strangers, trunkSource %s", (trunkSource) => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.open({ media: { browserCodecs: ["pcmu"], trunkSource } });
  });
  afterAll(() => lab.close());

  it("in a running call is not heard by the agent, whatever sequence and SSRC it carries", async () => {
    const running_ = await running(lab);
    const { call, phone } = running_;
    const [elsewhere, otherPort] = [await stranger("127.0.0.2"), await stranger("127.0.0.1")];
    const begin = call.media.received.length;
    await paced(farSound.length, (index) => {
      const packet = phone.send(frame(farSound, index));
      // What an attacker who sees the stream would send: the next packet, before the true one.
      const forged = Buffer.concat([packet.subarray(0, 12), noise]);
      forged.writeUInt16BE((packet.readUInt16BE(2) + 1) & 0xffff, 2);
      forged.writeUInt32BE((packet.readUInt32BE(4) + 160) >>> 0, 4);
      for (const socket of [elsewhere, otherPort]) socket.send(forged, phone.remotePort, "127.0.0.1");
    });
    await after(100);
    const heard = placeCodes(call.media.received.slice(begin));
    expect(heard.includes(Buffer.concat(farSound))).toBe(true);
    expect(heard.includes(noise)).toBe(false);
    await endWell(running_);
    const record = await lab.record(running_.browser.dn);
    expect(record.media?.trunk.dropped["stranger"]).toBe(2 * farSound.length);
  });
});

describe("attacks on a running call", () => {
  let lab: Lab;
  beforeAll(async () => {
    lab = await Lab.open({ media: { browserCodecs: ["pcmu"] } });
  });
  afterAll(() => lab.close());

  it("replayed SRTP, from the browser's own port or another, is played to nobody", async () => {
    const running_ = await running(lab);
    const { call, phone } = running_;
    const other = await stranger("127.0.0.1");
    const begin = phone.heard.length;
    const sent: Buffer[] = [];
    const { browserPort } = (await lab.gateway.media.workers())[0] ?? { browserPort: 0 };
    await paced(agentSound.length, (index) => {
      const datagram = call.media.sendFrame(frame(agentSound, index));
      sent.push(datagram);
      // At once, a while later, from elsewhere, and spoilt.
      call.media.peer.sendRaw(datagram);
      call.media.peer.sendRaw(frame(sent, index - 20));
      other.send(datagram, browserPort, "127.0.0.1");
      const spoilt = Buffer.from(datagram);
      spoilt.writeUInt16BE((spoilt.readUInt16BE(2) + 1) & 0xffff, 2);
      call.media.peer.sendRaw(spoilt);
    });
    await after(100);
    const packets = phone.heard.slice(begin);
    expect(placeCodes(packets).includes(Buffer.concat(agentSound))).toBe(true);
    // Silence filled in before the sound began, while this thread was kept waiting, is no replay.
    const spoken = packets.filter(({ payload }) => payload.some((code) => code !== 0xff));
    expect(spoken).toHaveLength(agentSound.length);
    await endWell(running_);
    const { dropped = {} } = (await lab.record(running_.browser.dn)).media?.browser ?? {};
    expect(dropped["replay"]).toBe(2 * agentSound.length - 20);
    expect(dropped["authentication"]).toBe(agentSound.length);
  });

  it("a connection that never signed in, and one of another DN, can do nothing to somebody's dialog", async () => {
    const running_ = await running(lab);
    const { call, phone, browser } = running_;
    const url = `ws://127.0.0.1:${lab.gateway.httpPort}/ws`;
    const ids = dialogIds(call);
    const trunkIds = trunkDialogIds(lab, browser.dn);
    const [unknown, other] = [await RawClient.open(url), await RawClient.open(url)];
    expect(await other.register("5099")).toBe(200);
    for (const attacker of [unknown, other]) {
      for (const { callId, from, to } of [ids, trunkIds]) {
        for (const method of ["BYE", "INFO", "UPDATE", "INVITE"]) {
          const status = await attacker.request(method, `sip:${browser.dn}@jackfield`, {
            callId,
            from,
            to,
            sequence: 9,
          });
          expect([403, 481], `${method} got ${status}`).toContain(status);
        }
      }
      // As the owner from another connection: no From but one's own.
      const from = `<sip:${browser.dn}@jackfield>;tag=forged`;
      const status = await attacker.request("INVITE", "sip:1003@jackfield", {
        callId: "forged",
        from,
        to: "<sip:1003@jackfield>",
        sequence: 1,
      });
      expect(status).toBe(403);
    }
    const begin = phone.heard.length;
    await paced(25, (index) => call.media.sendFrame(frame(agentSound, index)));
    // Not just packets: silence may be filled in.
    const last = frame(agentSound, 24);
    await until("sound after the attacks", () => placeCodes(phone.heard.slice(begin)).includes(last));
    expect(call.signalling.told).not.toContain("ended");
    unknown.close();
    other.close();
    await endWell(running_);
  });

  it("a BYE over UDP with the browser dialog's names ends nothing either", async () => {
    const running_ = await running(lab);
    const { callId, from, to } = dialogIds(running_.call);
    const socket = await stranger("127.0.0.1");
    const answer = once(socket, "message").then(([bytes]) => String(bytes));
    socket.send(
      requestText("BYE", "sip:5061@jackfield", `127.0.0.1:${socket.address().port}`, "UDP", {
        callId,
        from,
        to,
        sequence: 9,
      }),
      lab.gateway.sipPort,
      "127.0.0.1",
    );
    expect(await answer).toMatch(/^SIP\/2\.0 (403|481) /);
    expect(running_.call.signalling.told).not.toContain("ended");
    await endWell(running_);
  });
});

interface Names {
  readonly callId: string;
  readonly from: string;
  readonly to: string;
}

/** The browser leg as the gateway's peer names it: what the victim itself would send. */
function dialogIds(call: DoubleCall): Names {
  const dialog = call.signalling.session?.dialog;
  if (!dialog) throw new Error("no dialog");
  return {
    callId: dialog.callId,
    from: `<sip:victim@jackfield>;tag=${dialog.localTag}`,
    to: `<sip:1003@jackfield>;tag=${dialog.remoteTag}`,
  };
}

/** SIP Server's leg as SIP Server names it. */
function trunkDialogIds(lab: Lab, dn: string): Names {
  const invite = lab.front.requests("INVITE", `7${dn}`)[0]?.text ?? "";
  const callId = headerOf(invite, "Call-ID");
  const answer =
    lab.front.messages(callId, "far").find(({ text }) => text.startsWith("SIP/2.0 200"))?.text ?? "";
  return { callId, from: headerOf(answer, "To"), to: headerOf(answer, "From") };
}

let branches = 0;

function requestText(
  method: string,
  uri: string,
  sentBy: string,
  transport: string,
  names: Names & { readonly sequence: number },
  headers: readonly string[] = [],
): string {
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/${transport} ${sentBy};branch=z9hG4bKattack${process.pid}x${branches++}`,
    "Max-Forwards: 70",
    `From: ${names.from}`,
    `To: ${names.to}`,
    `Call-ID: ${names.callId}`,
    `CSeq: ${names.sequence} ${method}`,
    "Contact: <sip:attacker@a.invalid;transport=ws>",
    ...headers,
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** A WebSocket client that writes its SIP by hand. */
class RawClient {
  readonly #socket: WebSocket;
  readonly #responses: string[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on("message", (data: Buffer) => this.#responses.push(data.toString("utf8")));
  }

  static async open(url: string): Promise<RawClient> {
    const socket = new WebSocket(url, "sip", { origin: testOrigin });
    await once(socket, "open");
    return new RawClient(socket);
  }

  async #exchange(
    method: string,
    uri: string,
    names: Names & { readonly sequence: number },
    headers: readonly string[] = [],
  ): Promise<string> {
    this.#socket.send(requestText(method, uri, "a.invalid", "WS", names, headers));
    const fits = (text: string): boolean =>
      /^SIP\/2\.0 [2-6]/.test(text) &&
      headerOf(text, "CSeq") === `${names.sequence} ${method}` &&
      headerOf(text, "Call-ID") === names.callId;
    await until(`answer to ${method}`, () => this.#responses.some(fits));
    const response = this.#responses.find(fits) ?? "";
    this.#responses.length = 0;
    return response;
  }

  /** Final status. */
  async request(method: string, uri: string, names: Names & { readonly sequence: number }): Promise<number> {
    return Number((await this.#exchange(method, uri, names)).split(" ")[1]);
  }

  async register(dn: string): Promise<number> {
    const names = {
      callId: `attack-${dn}`,
      from: `<sip:${dn}@jackfield>;tag=a`,
      to: `<sip:${dn}@jackfield>`,
    };
    const challenge = await this.#exchange("REGISTER", "sip:jackfield", { ...names, sequence: 1 });
    const nonce = /algorithm=MD5/i.test(challenge)
      ? /nonce="([^"]+)"[^\r]*algorithm=MD5|algorithm=MD5[^\r]*nonce="([^"]+)"/i.exec(challenge)
      : null;
    const value = nonce?.[1] ?? nonce?.[2] ?? "";
    const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
    const proof = md5(
      [
        md5(`${dn}:jackfield:${testPassword(dn)}`),
        value,
        "00000001",
        "c",
        "auth",
        md5("REGISTER:sip:jackfield"),
      ].join(":"),
    );
    const authorization = `Authorization: Digest username="${dn}", realm="jackfield", nonce="${value}", uri="sip:jackfield", algorithm=MD5, qop=auth, nc=00000001, cnonce="c", response="${proof}"`;
    const headers = [authorization, "Expires: 300"];
    const answer = await this.#exchange("REGISTER", "sip:jackfield", { ...names, sequence: 2 }, headers);
    return Number(answer.split(" ")[1]);
  }

  close(): void {
    this.#socket.close();
  }
}

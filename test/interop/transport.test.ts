import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { framesOf } from "../support/browser-media.ts";
import { TestAuthority, type TestCertificate } from "../support/certificates.ts";
import { SdesKey } from "../support/sdes-peer.ts";
import { toCodes, voice } from "../support/sound.ts";
import { openTestGateway } from "../support/test-gateway.ts";
import { headerOf } from "./support/front.ts";
import { after, paced, RtpPhone, until } from "./support/rtp-phone.ts";
import { Sipp } from "./support/sipp.ts";
import { StreamCall, StreamServer } from "./support/stream-server.ts";
import { freeTcpPort } from "../support/free-port.ts";

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function openGateway(sipServer: string, server: object, media: object = {}): Promise<Gateway> {
  const config = {
    sipServer: { addresses: [sipServer], ...server },
    media: { browserCodecs: ["pcmu"], ...media },
  };
  const gateway = await openTestGateway({ sipServer, config });
  closing.push(() => gateway.close());
  return gateway;
}

async function agent(gateway: Gateway, dn: string): Promise<BrowserDouble> {
  const browser = await BrowserDouble.signIn({
    url: `ws://127.0.0.1:${gateway.httpPort}/ws`,
    dn,
    codec: "pcmu",
    allowEvents: "talk, x-jackfield-trunk",
    // The double makes its media when it is rung; talk comes at once.
    answerOnTalkMs: 300,
  });
  closing.push(() => browser.close());
  await browser.trunkState("in-service");
  return browser;
}

async function openPhone(): Promise<RtpPhone> {
  const phone = await RtpPhone.open();
  closing.push(() => phone.close());
  return phone;
}

const offer = (port: number, protocol = "RTP/AVP", ...lines: string[]): string =>
  ["v=0", "o=Genesys 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    .concat(`m=audio ${port} ${protocol} 0 101`, "a=rtpmap:101 telephone-event/8000", ...lines, "")
    .join("\r\n");

describe("SIP Server over TCP, with SIPp as SIP Server", () => {
  it("takes the DN by our connection, calls it by one of its own, with talk, and hangs up", async () => {
    const port = await freeTcpPort();
    const front = { address: `127.0.0.1:${port}`, admit() {} };
    const gateway = await openGateway(front.address, { transport: "tcp", optionsSeconds: 0 });
    const address = `127.0.0.1:${gateway.sipPort}`;
    const registrar = await Sipp.start({
      scenario: "tcp-register",
      tcp: true,
      front,
      port,
      gateway: address,
    });
    closing.push(() => registrar.stop());
    const phone = await openPhone();
    await registrar.judge(async () => {
      const browser = await agent(gateway, "5011");
      const keys = { dn: "5011", rtp1: phone.port };
      const caller = await Sipp.start({ scenario: "tcp-inbound", tcp: true, front, gateway: address, keys });
      closing.push(() => caller.stop());
      await caller.judge(async () => {
        const call = await browser.nextCall();
        expect(await call.when("ended")).toMatch(/BYE/);
      });
      await browser.signOut();
    });
  });
});

describe("a connection to SIP Server that is cut in the middle of a call", () => {
  it("comes back by itself, and the agent's BYE arrives by the new one; the DN is not registered anew", async () => {
    const server = await StreamServer.open();
    closing.push(() => server.close());
    const gateway = await openGateway(`127.0.0.1:${server.port}`, { transport: "tcp" });
    const browser = await agent(gateway, "5012");
    const phone = await openPhone();
    const far = new StreamCall(server, "5012", "TCP");
    far.request("INVITE", 1, [], offer(phone.port));
    await until("180", () => server.find("SIP/2.0 180") !== undefined);
    far.request("NOTIFY", 2, ["Event: talk", "Subscription-State: active"]);
    const call = await browser.nextCall();
    await until("200", () => server.find("SIP/2.0 200", "1 INVITE") !== undefined);
    far.request("ACK", 1);
    await call.connected;
    await after(100);
    server.cut();
    call.hangUp();
    await until("BYE", () => server.find("BYE ") !== undefined);
    expect(server.connections).toHaveLength(2);
    expect(server.connections[0]?.destroyed).toBe(true);
    expect(server.heard.filter((text) => text.startsWith("REGISTER "))).toHaveLength(1);
    await until("end of the call", () => gateway.counts.calls === 0);
  });

  it("while the call rings loses nothing: talk comes by SIP Server's own connection, the 200 goes back by that", async () => {
    const server = await StreamServer.open();
    closing.push(() => server.close());
    const gateway = await openGateway(`127.0.0.1:${server.port}`, { transport: "tcp" });
    const browser = await agent(gateway, "5013");
    const phone = await openPhone();
    const far = new StreamCall(server, "5013", "TCP");
    far.request("INVITE", 1, [], offer(phone.port));
    await until("180", () => server.find("SIP/2.0 180") !== undefined);
    server.cut();
    const own = server.dial(gateway.sipPort);
    await until("own connection", () => own.readyState === "open");
    far.request("NOTIFY", 2, ["Event: talk", "Subscription-State: active"]);
    await (
      await browser.nextCall()
    ).connected;
    await until("200", () => server.find("SIP/2.0 200", "1 INVITE") !== undefined);
    far.request("ACK", 1);
    far.request("BYE", 3);
    await until("200 of the BYE", () => server.find("SIP/2.0 200", "3 BYE") !== undefined);
    await until("end of the call", () => gateway.counts.calls === 0);
  });
});

describe("SIP Server over mutual TLS, sound under keys in SDP", () => {
  let authority: TestAuthority;
  let own: TestCertificate;
  let theirs: TestCertificate;
  beforeAll(() => {
    authority = new TestAuthority();
    own = authority.issue("gateway", "IP:127.0.0.1");
    theirs = authority.issue("sip-server", "IP:127.0.0.1");
  });
  afterAll(() => authority.remove());

  it("is the very sound that was spoken, both ways, sample by sample", async () => {
    const server = await StreamServer.open({ ...theirs, ca: authority.ca.cert });
    closing.push(() => server.close());
    const tls = { ca: authority.ca.certFile, cert: own.certFile, key: own.keyFile };
    const gateway = await openGateway(
      `127.0.0.1:${server.port}`,
      { transport: "tls", tls },
      { trunkSrtp: "require" },
    );
    const browser = await agent(gateway, "5014");
    expect(headerOf(server.find("REGISTER ") ?? "", "Contact")).toContain(";transport=tls>");
    const phone = await openPhone();
    const farKey = randomBytes(30).toString("base64");
    const far = new StreamCall(server, "5014", "TLS");
    const crypto = `a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:${farKey}|2^31`;
    far.request("INVITE", 1, [], offer(phone.port, "RTP/SAVP", crypto));
    await until("180", () => server.find("SIP/2.0 180") !== undefined);
    far.request("NOTIFY", 2, ["Event: talk", "Subscription-State: active"]);
    const call = await browser.nextCall();
    await until("200", () => server.find("SIP/2.0 200", "1 INVITE") !== undefined);
    const answer = server.find("SIP/2.0 200", "1 INVITE") ?? "";
    far.request("ACK", 1);
    expect(answer).toMatch(/^m=audio \d+ RTP\/SAVP 0 101\r$/m);
    const ourKey = /^a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:(\S{40})\r$/m.exec(answer)?.[1] ?? "";
    phone.remotePort = Number(/^m=audio (\d+)/m.exec(answer)?.[1]);
    await call.connected;

    const [toServer, toAgent] = [framesOf(toCodes(voice(1), "pcmu")), framesOf(toCodes(voice(2), "pcmu"))];
    const seal = new SdesKey(farKey, 10);
    const plain = (payload: Buffer, index: number): Buffer => {
      const header = Buffer.from("80000000000000000000abcd", "hex");
      header.writeUInt16BE(7000 + index, 2);
      header.writeUInt32BE(index * 160, 4);
      return Buffer.concat([header, payload]);
    };
    await paced(toServer.length, (index) => {
      call.media.sendFrame(toServer[index] ?? Buffer.alloc(0));
      phone.sendRaw(seal.seal(plain(toAgent[index] ?? Buffer.alloc(160), index)));
    });
    await after(100);
    const open = new SdesKey(ourKey, 10);
    const heard = phone.raw.map((packet) => open.open(packet)?.subarray(12));
    expect(heard).not.toContain(undefined);
    const voiceHeard = Buffer.concat(heard.flatMap((payload) => (payload?.length === 160 ? [payload] : [])));
    expect(voiceHeard.includes(Buffer.concat(toServer.slice(5, -5)))).toBe(true);
    expect(call.media.heardCodes().includes(Buffer.concat(toAgent.slice(5, toServer.length - 5)))).toBe(true);
    call.hangUp();
    await until("BYE", () => server.find("BYE ") !== undefined);
    await until("end of the call", () => gateway.counts.calls === 0);
  });
});

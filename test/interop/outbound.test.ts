import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import { traceJson, traceText } from "../../src/trace/index.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { framesOf } from "../support/browser-media.ts";
import { toCodes, voice } from "../support/sound.ts";
import { openTestGateway } from "../support/test-gateway.ts";
import { headerOf, SipFront } from "./support/front.ts";
import { after, paced, until } from "./support/rtp-phone.ts";
import { Sipp } from "./support/sipp.ts";
import { freeUdpPort } from "../support/free-port.ts";

let fronts: SipFront[];
let gateway: Gateway;
const programs: Sipp[] = [];
const browsers: BrowserDouble[] = [];
beforeAll(async () => {
  fronts = [await SipFront.open(), await SipFront.open()];
  const addresses = fronts.map(({ address }) => address);
  gateway = await openTestGateway({
    sipServer: "127.0.0.1:9",
    config: {
      sipServer: { addresses },
      media: { browserCodecs: ["pcmu"] },
      admin: { token: "0123456789abcdef0123456789abcdef" },
    },
  });
});
afterAll(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  await Promise.all(browsers.map((browser) => browser.close()));
  await gateway.close();
  await Promise.all(fronts.map((front) => front.close()));
});

async function sipp(scenario: string, front: SipFront | undefined, echoPort: number): Promise<Sipp> {
  if (!front) throw new Error("no front");
  const server = { scenario, front, gateway: `127.0.0.1:${gateway.sipPort}`, keys: { echo: echoPort } };
  const program = await Sipp.start({ ...server, echoPort });
  programs.push(program);
  for (const number of ["1003", "1009"]) front.phones.set(number, program.port);
  return program;
}

it("an agent's call goes on at the peer of a SIP Server that shuts down, and where that redirects it", async () => {
  const browser = await BrowserDouble.signIn({
    url: `ws://127.0.0.1:${gateway.httpPort}/ws`,
    dn: "5061",
    codec: "pcmu",
    allowEvents: "x-jackfield-trunk",
  });
  browsers.push(browser);
  await browser.trunkState("in-service");
  const first = await sipp("outbound-shutdown", fronts[0], await freeUdpPort());
  const second = await sipp("outbound-redirected", fronts[1], await freeUdpPort());
  const sound = framesOf(toCodes(voice(1), "pcmu"));
  await second.judge(async () => {
    const call = await browser.dial("1003");
    await call.when("answered");
    await call.connected;
    await paced(sound.length, (index) => call.media.sendFrame(sound[index] ?? Buffer.alloc(0)));
    await after(100);
    expect(call.media.heardCodes().includes(Buffer.concat(sound.slice(5, -5)))).toBe(true);
    call.hangUp();
  });
  await first.success();
  const invites = fronts.flatMap((front) =>
    front.trace.filter(({ text }) => text.startsWith("INVITE ")).map(({ text }) => text),
  );
  expect(new Set(invites.map((text) => headerOf(text, "Call-ID"))).size).toBe(1);
  expect(invites.some((text) => text.includes("1008"))).toBe(false);

  // The ladder of it all, with what the real media told on its way.
  await until("end of the call", () => gateway.traces?.list({ dn: "5061" })[0]?.facts.state === "ended");
  const trace = gateway.traces?.find(gateway.traces.list({ dn: "5061" })[0]?.id ?? "");
  if (!trace) throw new Error("no trace");
  const told = traceJson(trace).entries.map(({ side, text }) => `${side} ${text}`);
  for (const line of [
    "sip_server 603 Decline (INVITE)",
    "sip_server 302 Moved Temporarily (INVITE)",
    "sip_server first packet from this side",
    "sip_server first packet to this side",
    "browser first packet from this side",
    "browser first packet to this side",
    "browser ICE and DTLS are up",
  ])
    expect(told).toContain(line);
  // Messages of the signalling may stand between them.
  expect(told.filter((line) => /^browser (?:ICE|DTLS)/.test(line)).join("\n")).toMatch(
    /^browser ICE: address 127\.0\.0\.1:\d+ chosen\nbrowser DTLS handshake begins\nbrowser DTLS handshake done, SRTP_/,
  );
  expect(traceText(trace)).not.toMatch(/a=ice-pwd:(?!\[cut\])/);
  if (process.env["JACKFIELD_SHOW_TRACE"]) process.stdout.write(traceText(trace));
});

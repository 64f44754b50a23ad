import { describe, expect, it } from "vitest";
import {
  acceptBrowserAnswer,
  acceptTrunkAnswer,
  answerBrowser,
  answerTrunk,
  offerBrowser,
  offerTrunk,
  parseBrowserDescription,
  parseTrunkDescription,
  sdpLimits,
} from "../../../src/b2bua/sdp/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { browserLocal, chromiumOffer, genesysOffer, origin, trunkLocal } from "./fixtures.ts";

/** CPU time of this thread, ms: what others on the machine take does not count. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

const browser = { local: browserLocal, codecs: ["opus", "pcmu"], direction: "sendrecv", origin } as const;
const trunk = { local: trunkLocal, codecs: ["pcmu", "pcma"], direction: "sendrecv", origin } as const;
const browserOffer = offerBrowser(browser).offer;
const trunkOffer = offerTrunk(trunk).offer;

/** Runs all readers and answerers over a text; gives their statuses. */
function readAll(sdp: string): (number | "ok")[] {
  const browserRead = parseBrowserDescription(sdp);
  const trunkRead = parseTrunkDescription(sdp);
  if (browserRead.ok) answerBrowser(browserRead.description, browser);
  if (trunkRead.ok) answerTrunk(trunkRead.description, trunk);
  const results = [
    browserRead,
    trunkRead,
    acceptBrowserAnswer(browserOffer, sdp),
    acceptTrunkAnswer(trunkOffer, sdp),
  ];
  return results.map((result) => (result.ok ? "ok" : result.status));
}

describe("bad SDP", () => {
  it.each([
    ["nothing", ""],
    ["blank lines only", "\r\n\r\n"],
    ["something else", "<html></html>"],
    ["a NUL in a line", genesysOffer().replace("PhoneSession", "Phone\0Session")],
    ["a line without a type", genesysOffer({ add: ["sendrecv"] })],
    ["a folded line", genesysOffer({ add: [" a=sendrecv"] })],
    ["an upper-case type", genesysOffer({ add: ["A=sendrecv"] })],
    ["another version", genesysOffer().replace("v=0", "v=1")],
    ["too many bytes", genesysOffer({ add: Array.from({ length: 40 }, () => `a=x:${"y".repeat(1000)}`) })],
    [
      "too many bytes of few characters",
      genesysOffer({ add: Array.from({ length: 20 }, () => `a=${"€".repeat(900)}`) }),
    ],
    ["too many lines", genesysOffer({ add: Array.from({ length: sdpLimits.lines }, () => "a=x") })],
    ["a line too long", genesysOffer({ add: [`a=fmtp:0 ${"x".repeat(sdpLimits.lineLength)}`] })],
    ["too many m-lines", genesysOffer({ add: Array.from({ length: 16 }, () => "m=audio 9 RTP/AVP 0") })],
    ["an o= line cut short", genesysOffer().replace(/o=.*/, "o=Genesys 12 IP4")],
  ])("is refused with 400: %s", (_name, sdp) => {
    expect(readAll(sdp)).toEqual([400, 400, 400, 400]);
  });

  it("is taken with bare LF or CR line ends and blank lines at the end", () => {
    expect(parseTrunkDescription(genesysOffer().replaceAll("\r\n", "\n")).ok).toBe(true);
    expect(parseTrunkDescription(genesysOffer().replaceAll("\r\n", "\r")).ok).toBe(true);
    expect(parseTrunkDescription(`${genesysOffer()}\r\n\r\n`).ok).toBe(true);
  });

  it("is taken up to just below the limits", () => {
    const lines = sdpLimits.lines - genesysOffer().split("\r\n").length + 1;
    expect(parseTrunkDescription(genesysOffer({ add: Array.from({ length: lines }, () => "a=x") })).ok).toBe(
      true,
    );
    const long = `a=x:${"y".repeat(sdpLimits.lineLength - 4)}`;
    expect(parseTrunkDescription(genesysOffer({ add: [long] })).ok).toBe(true);
  });

  it("with names of object properties in it does no harm", () => {
    const add = ["a=mid:__proto__", "a=rtpmap:0 constructor/8000", "a=fmtp:0 __proto__=1"];
    const read = parseTrunkDescription(genesysOffer({ add }));
    expect(read.ok).toBe(true);
    expect(({} as Record<string, unknown>)["1"]).toBeUndefined();
  });

  it("cannot put lines into our answer", () => {
    const offer = chromiumOffer({ add: ["m=video 9 RTP/%s %d a=b", "a=mid:x%sy"] });
    const read = parseBrowserDescription(offer);
    if (read.ok) throw new Error("a protocol with a percent sign was taken");
    expect(read.status).toBe(400);
  });

  it("cut off after any byte never throws", () => {
    for (const whole of [chromiumOffer(), genesysOffer()])
      for (let length = 0; length < whole.length; length++) readAll(whole.slice(0, length));
    expect(readAll(chromiumOffer().slice(0, 300))[0]).not.toBe("ok");
  });

  it("mutated 4,000 times never throws and takes no time", () => {
    const random = new CountingRandom("sdp");
    const pick = (count: number): number => Math.floor(random.fraction() * count);
    const pieces = [
      "\r\n",
      "\0",
      "=",
      ":",
      " ",
      "a=",
      "m=audio 9 RTP/AVP",
      "%s",
      "99999999999999999999",
      "€",
      "/",
    ];
    let slowest = 0;
    let refused = 0;
    for (let round = 0; round < 4000; round++) {
      let sdp = round % 2 === 0 ? chromiumOffer() : genesysOffer();
      for (let change = 0; change <= pick(4); change++) {
        const at = pick(sdp.length);
        const piece = pieces[pick(pieces.length)] ?? "";
        sdp = sdp.slice(0, at) + (pick(2) ? piece : "") + sdp.slice(at + pick(3) * pick(20));
      }
      const start = cpuMs();
      if (!readAll(sdp).includes("ok")) refused++;
      slowest = Math.max(slowest, cpuMs() - start);
    }
    expect(refused).toBeGreaterThan(100);
    expect(slowest).toBeLessThan(250);
  });

  it("made to slow patterns down is read in a moment", () => {
    const evil = [
      `a=simulcast:${" ".repeat(900)}!`,
      `a=imageattr:0 send [${"] [".repeat(300)}`,
      `a=rtpmap:0 ${"a".repeat(500)}${" ".repeat(500)}`,
      `a=ptime:${"1.".repeat(450)}!`,
    ];
    const add = Array.from({ length: 28 }, (_, index) => evil[index % evil.length] ?? "");
    const start = cpuMs();
    expect(parseTrunkDescription(genesysOffer({ add })).ok).toBe(true);
    expect(cpuMs() - start).toBeLessThan(250);
  });
});

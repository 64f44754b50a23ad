import { describe, expect, it } from "vitest";
import { trunkTermsOf } from "../../src/b2bua/index.ts";
import type { MediaStatistics, SideStatistics } from "../../src/media/index.ts";
import { createResponse, type HeaderPair, type SessionTerms } from "../../src/sip/index.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { sideStatistics } from "../support/side-statistics.ts";

/** As SIP Server's INVITE has them (genesys-sip-server.md 5.1). */
const sipServerHeaders: readonly HeaderPair[] = [
  ["Allow", "ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER, UPDATE"],
  ["Session-Expires", "1800;refresher=uac"],
  ["Min-SE", "90"],
  ["Supported", "uui,100rel,timer"],
];
const toTrunk = "192.0.2.20:5070";
const toBrowser = "gateway.invalid:0";
const browserAnswer = browserSdp({ setup: "active", payloads: "111 110" });

/** JsSIP's session timers: 90 s, no refresher named, no Allow in its answers. */
const jssip: SessionTerms = {
  options: ["timer"],
  timer: { offerSeconds: 90, minSeconds: 60, refresher: "peer", assumeUpdate: true },
};

function sent(bench: B2buaBench, from: string, start: string): string[] {
  return bench.network.sent
    .filter((message) => message.from === from && message.text.startsWith(start))
    .map(({ text }) => text);
}

function header(text: string | undefined, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)\\r$`, "m").exec(text ?? "")?.[1];
}

function ok(bench: B2buaBench, from: string, cseq: string): string | undefined {
  return sent(bench, from, "SIP/2.0 200").find((text) => header(text, "CSeq") === cseq);
}

async function answeredCall(bench: B2buaBench, headers = sipServerHeaders): Promise<void> {
  await bench.callAgent(genesysSdp(), headers);
  bench.browser.received.accept(browserAnswer);
  await bench.pass();
}

async function dialledCall(bench: B2buaBench): Promise<void> {
  await bench.dial("1003");
  bench.trunk.received.accept(genesysSdp());
  await bench.pass();
}

/** Counters as the media session tells them every few seconds. */
function hear(bench: B2buaBench, packets: { browser?: number; trunk?: number }): void {
  const side = (packetsReceived = 0): SideStatistics => ({ ...sideStatistics, packetsReceived });
  const statistics: MediaStatistics = { browser: side(packets.browser), trunk: side(packets.trunk) };
  bench.media.last.events.emit("quality", statistics);
}

/** Time passes with counters every 5 s; `trunk` tells whether packets come from SIP Server's side. */
async function talk(bench: B2buaBench, seconds: number, trunk: boolean): Promise<void> {
  let packets = 1000;
  for (let done = 0; done < seconds; done += 5) {
    if (trunk) packets += 250;
    hear(bench, { browser: packets, trunk: packets });
    bench.clock.advance(5000);
  }
  await bench.pass();
}

describe("session timers toward SIP Server", () => {
  it("are answered as it asks, so that it refreshes, and told in Supported from the 180 on", async () => {
    const bench = new B2buaBench();
    await answeredCall(bench);
    const [ring] = sent(bench, toTrunk, "SIP/2.0 180");
    expect(header(ring, "Supported")).toBe("timer, 100rel, replaces, norefersub");
    const answer = ok(bench, toTrunk, "1 INVITE");
    expect(header(answer, "Supported")).toBe("timer, 100rel, replaces, norefersub");
    expect(header(answer, "Require")).toBe("timer");
    expect(header(answer, "Session-Expires")).toBe("1800;refresher=uac");
    bench.trunk.outgoing?.session.bye();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("end a call whose time is up only when no sound comes from there either", async () => {
    const bench = new B2buaBench();
    await answeredCall(bench);
    // It has the call still, and is asked so once the time is up.
    bench.trunk.user.onRequestReceived = (request, transaction) =>
      transaction.respond(createResponse(request, 200));
    await talk(bench, 2000, true);
    expect(bench.b2bua.size).toBe(1);
    await talk(bench, 60, false);
    expect(bench.records).toMatchObject([
      { endedBy: "sip-server", reason: "SIP Server: session timer expired: no refresh and no sound" },
    ]);
    expect(bench.browser.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("are refreshed by its re-INVITE and its UPDATE without the browser's notice", async () => {
    const bench = new B2buaBench();
    await answeredCall(bench);
    bench.browser.user.told.length = 0;
    const refresh = [...sipServerHeaders, ["Content-Type", "application/sdp"] as const];
    for (const method of ["UPDATE", "INVITE"] as const) {
      bench.clock.advance(1_700_000);
      if (method === "UPDATE") bench.trunk.outgoing?.session.request("UPDATE", refresh, genesysSdp());
      else bench.trunk.outgoing?.session.reinvite(() => genesysSdp(), { onAnswer: () => undefined });
      await bench.pass();
    }
    expect(header(ok(bench, toTrunk, "2 UPDATE"), "Session-Expires")).toBe("1800;refresher=uac");
    expect(bench.b2bua.size).toBe(1);
    expect(bench.browser.user.told).toEqual([]);
  });

  it("are not there at all where the configuration ignores them", async () => {
    const sessionTimer = { mode: "ignore", offerSeconds: 1800, minSeconds: 90 } as const;
    const bench = new B2buaBench({ trunkTerms: trunkTermsOf({ sessionTimer, reliableRinging: "required" }) });
    await answeredCall(bench);
    const answer = ok(bench, toTrunk, "1 INVITE");
    expect([header(answer, "Session-Expires"), header(answer, "Supported")]).toEqual([
      undefined,
      "100rel, replaces, norefersub",
    ]);
    bench.clock.advance(7_200_000);
    expect(bench.b2bua.size).toBe(1);
  });

  it("that are too short get 422, and the agent is not rung", async () => {
    const bench = new B2buaBench();
    await bench.callAgent(genesysSdp(), [
      ["Session-Expires", "60"],
      ["Supported", "timer"],
    ]);
    expect(bench.trunk.user.told).toEqual(["failed 422"]);
    expect(header(sent(bench, toTrunk, "SIP/2.0 422")[0], "Min-SE")).toBe("90");
    expect(bench.browser.incoming).toBeUndefined();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of a call the agent dials are offered, and 422 is followed without the agent's notice", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    expect(header(sent(bench, toTrunk, "INVITE ")[0], "Session-Expires")).toBe("1800");
    bench.trunk.received.reject(422, undefined, [["Min-SE", "3600"]]);
    await bench.pass();
    expect(header(sent(bench, toTrunk, "INVITE ")[1], "Session-Expires")).toBe("3600");
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toMatch(/^answered v=0/);
  });

  it("are refreshed by us with the last description where SIP Server leaves it to us and takes no UPDATE", async () => {
    const bench = new B2buaBench();
    const { trunk } = bench;
    trunk.headers = [
      ["Allow", "INVITE, ACK, BYE, CANCEL"],
      ["Session-Expires", "1800;refresher=uac"],
      ["Require", "timer"],
    ];
    await dialledCall(bench);
    bench.media.last.told.length = 0;
    trunk.user.onOfferReceived = (_sdp, reply) => reply.accept(genesysSdp({ port: 9000 }));
    bench.clock.advance(900_000);
    await bench.pass();
    const [first, refresh] = sent(bench, toTrunk, "INVITE ").map((text) => text.split("\r\n\r\n")[1]);
    expect(refresh).toBe(first);
    expect(bench.media.last.told).toEqual(["trunk 192.0.2.30:9000 pcmu sendrecv"]);
    expect(trunk.user.told.filter((words) => words.startsWith("offer"))).toHaveLength(1);
  });
});

describe("session timers toward a browser", () => {
  it("are offered with us as the refresher, and kept by UPDATE", async () => {
    const bench = new B2buaBench();
    bench.browser.terms = jssip;
    await answeredCall(bench);
    const invite = sent(bench, toBrowser, "INVITE ")[0];
    expect(header(invite, "Session-Expires")).toBe("1800;refresher=uac");
    expect(header(invite, "Supported")).toBe("timer, 100rel");
    hear(bench, { trunk: 1 });
    bench.clock.advance(900_100);
    const update = sent(bench, toBrowser, "UPDATE ");
    expect(update.map((text) => header(text, "Session-Expires"))).toEqual(["1800;refresher=uac"]);
  });

  it("of 90 s in a JsSIP's INVITE are agreed to, and refreshed by us each 45 s", async () => {
    const bench = new B2buaBench();
    bench.browser.terms = jssip;
    await dialledCall(bench);
    expect(header(ok(bench, toBrowser, "1 INVITE"), "Session-Expires")).toBe("90;refresher=uas");
    bench.clock.advance(100_000);
    expect(sent(bench, toBrowser, "UPDATE ")).toHaveLength(2);
    expect(bench.browser.user.told.some((words) => words.startsWith("ended"))).toBe(false);
  });

  it("are none with a client that knows none, as SIP.js", async () => {
    const bench = new B2buaBench();
    await answeredCall(bench);
    bench.clock.advance(1_700_000);
    expect(sent(bench, toBrowser, "UPDATE ")).toEqual([]);
    expect(bench.b2bua.size).toBe(1);
  });
});

describe("reliable ringing", () => {
  const requires: readonly HeaderPair[] = [["Require", "100rel"]];
  const reliable: SessionTerms = { options: ["100rel"] };

  it("is sent to a SIP Server that requires it; NOTIFY talk and the answer go their usual way", async () => {
    const bench = new B2buaBench();
    bench.trunk.terms = reliable;
    await answeredCall(bench, requires);
    const [ring] = sent(bench, toTrunk, "SIP/2.0 180");
    expect([header(ring, "Require"), /^RSeq: \d+\r$/m.test(ring ?? "")]).toEqual(["100rel", true]);
    expect(sent(bench, "192.0.2.10:5060", "PRACK ")).toHaveLength(1);
    expect(ok(bench, toTrunk, "2 PRACK")).toBeDefined();
    expect(bench.media.last.told.at(-1)).toBe("connect");
    bench.trunk.outgoing?.session.bye();
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("carries our offer to an offerless INVITE that requires it; the answer comes by PRACK, sound with the agent's answer", async () => {
    const bench = new B2buaBench();
    bench.trunk.terms = reliable;
    bench.network.drop = (_from, text) => text.startsWith("PRACK ");
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1003@192.0.2.10:5060>", undefined, requires);
    await bench.pass();
    const [ring] = sent(bench, toTrunk, "SIP/2.0 180");
    expect(ring).toContain("m=audio");
    // Our far end's PRACK never has a body; this one is written by hand.
    bench.network.drop = () => false;
    const rack = `${header(ring, "RSeq")} 1 INVITE`;
    bench.trunk.outgoing?.session.request(
      "PRACK",
      [
        ["RAck", rack],
        ["Content-Type", "application/sdp"],
      ],
      genesysSdp({ port: 8002 }),
    );
    await bench.pass();
    expect(bench.media.last.told.some((words) => words.startsWith("trunk 192.0.2.30:8002 pcmu"))).toBe(true);
    expect(bench.media.last.told).not.toContain("connect");
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    expect(ok(bench, toTrunk, "1 INVITE")).not.toContain("m=audio");
    expect(bench.media.last.told.at(-1)).toBe("connect");
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.records).toMatchObject([{ endedBy: "sip-server", status: 200 }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("whose PRACK comes only after the agent answered holds the 200 back, and sound comes all the same", async () => {
    const bench = new B2buaBench();
    bench.trunk.terms = reliable;
    bench.network.drop = (_from, text) => text.startsWith("PRACK ");
    bench.trunk.call("sip:5001@192.0.2.20:5070", "<sip:1003@192.0.2.10:5060>", undefined, requires);
    await bench.pass();
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    expect(ok(bench, toTrunk, "1 INVITE")).toBeUndefined();
    bench.network.drop = () => false;
    const rack = `${header(sent(bench, toTrunk, "SIP/2.0 180")[0], "RSeq")} 1 INVITE`;
    bench.trunk.outgoing?.session.request(
      "PRACK",
      [
        ["RAck", rack],
        ["Content-Type", "application/sdp"],
      ],
      genesysSdp(),
    );
    await bench.pass();
    expect(ok(bench, toTrunk, "1 INVITE")).toBeDefined();
    expect(bench.media.last.told.at(-1)).toBe("connect");
  });

  it("that SIP Server never acknowledges ends the call on both sides", async () => {
    const bench = new B2buaBench();
    bench.network.drop = (_from, text) => text.startsWith("PRACK ");
    await bench.callAgent(genesysSdp(), requires);
    bench.clock.advance(33_000);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 504");
    expect(bench.browser.user.told.at(-1)).toBe("failed 487");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("of SIP Server's for a call the agent dials is acknowledged, early media included", async () => {
    const bench = new B2buaBench();
    bench.trunk.terms = { options: ["100rel"], reliable: "supported" };
    await bench.dial("1003");
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    expect(sent(bench, toTrunk, "PRACK ")).toHaveLength(1);
    expect(bench.browser.user.told).toEqual(["provisional 183"]);
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toMatch(/^answered v=0/);
  });

  it("with early media leaves SIP Server free to move the media by UPDATE before the answer", async () => {
    const bench = new B2buaBench();
    bench.trunk.terms = { options: ["100rel"], reliable: "supported" };
    await bench.dial("1003");
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    const type: HeaderPair = ["Content-Type", "application/sdp"];
    bench.trunk.received.session.request("UPDATE", [type], genesysSdp({ port: 9100 }));
    await bench.pass();
    expect(ok(bench, toTrunk, "1 UPDATE")).toContain("m=audio");
    expect(bench.media.last.told.at(-1)).toBe("trunk 192.0.2.30:9100 pcmu sendrecv");
    expect(bench.browser.user.told).toEqual(["provisional 183"]);
  });

  it("of a browser's is acknowledged, and a browser that requires it has the answer once", async () => {
    const bench = new B2buaBench();
    bench.browser.terms = { options: ["100rel"], reliable: "supported" };
    await bench.callAgent();
    bench.browser.received.progress(180);
    await bench.pass();
    expect(sent(bench, toBrowser, "PRACK ")).toHaveLength(1);
    const { browser } = bench;
    browser.call("sip:1003@jackfield", "<sip:5001@jackfield>", browserSdp(), requires);
    await bench.pass();
    bench.trunk.received.progress(183, genesysSdp());
    await bench.pass();
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    const early = sent(bench, toBrowser, "SIP/2.0 183")[0];
    expect([header(early, "Require"), early?.includes("m=audio")]).toEqual(["100rel", true]);
    expect(browser.user.told.at(-1)).toBe("answered ");
  });
});

describe("a hold", () => {
  it("by NOTIFY that meets SIP Server's re-INVITE goes out after it", async () => {
    const bench = new B2buaBench();
    await answeredCall(bench);
    const { session } = bench.trunk.outgoing ?? {};
    const answers: string[] = [];
    // Both at once: each gets 491 from the other, then each comes through.
    session?.reinvite(() => genesysSdp({ port: 9000, version: 2 }), {
      onAnswer: (sdp) => void answers.push(sdp),
    });
    session?.request("NOTIFY", [
      ["Event", "hold"],
      ["Subscription-State", "active"],
    ]);
    bench.trunk.user.onOfferReceived = (_sdp, reply) =>
      reply.accept(genesysSdp({ port: 9000, direction: "recvonly", version: 3 }));
    await bench.pass(6000);
    expect(answers).toHaveLength(1);
    const holds = sent(bench, toTrunk, "INVITE ").filter((text) => text.includes("a=sendonly"));
    expect(holds.length).toBeGreaterThan(0);
    expect(bench.media.last.told.at(-1)).toMatch(/^trunk 192\.0\.2\.30:9000 pcmu/);
    bench.trunk.outgoing?.session.bye();
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

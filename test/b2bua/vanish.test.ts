import { describe, expect, it } from "vitest";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { ReloadBench } from "../support/reload-bench.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });
const hold = browserSdp({ direction: "sendonly" });
const quiet = { onAnswer: () => undefined };

const lose =
  (sender: string, beginning: string) =>
  (from: string, text: string): boolean =>
    from.startsWith(sender) && text.startsWith(beginning);

/** Every state a call can be in when its browser vanishes, and how it comes there. */
const states: Readonly<Record<string, (bench: ReloadBench) => Promise<void>>> = {
  "INVITE on its way to the browser": async (bench) => {
    bench.network.drop = lose("browser", "SIP/2.0 ");
    await bench.callAgent();
  },
  ringing: async (bench) => {
    await bench.callAgent();
    bench.browser.received.progress(180);
  },
  "ringing, told to answer by NOTIFY talk": async (bench) => {
    await bench.callAgent();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "talk"]]);
  },
  "ringing while the caller gives up": async (bench) => {
    await bench.callAgent();
    bench.trunk.outgoing?.cancel();
  },
  "answered, our ACK lost": async (bench) => {
    await bench.callAgent();
    bench.network.drop = lose("gateway.invalid", "ACK ");
    bench.browser.received.accept(answer);
  },
  "answered, SIP Server's ACK lost": async (bench) => {
    await bench.callAgent();
    bench.network.drop = lose("192.0.2.10", "ACK ");
    bench.browser.received.accept(answer);
  },
  "answered without an offer, SIP Server holds its ACK back": async (bench) => {
    await bench.callAgentOfferless();
    bench.trunk.user.onAnsweredReceived = () => {};
    bench.browser.received.accept(answer);
    bench.clock.setTimer(32_000, () => bench.trunk.outgoing?.session.acknowledge(1, genesysSdp()));
  },
  established: (bench) => bench.established(),
  "held by the browser": async (bench) => {
    await bench.established();
    bench.browser.received.session.reinvite(() => hold, quiet);
  },
  "held by NOTIFY hold": async (bench) => {
    await bench.established();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
  },
  "the browser's re-INVITE not answered yet": async (bench) => {
    await bench.established();
    bench.media.last.restartIce = () => new Promise(() => {});
    bench.browser.received.session.reinvite(() => browserSdp({ ufrag: "zzzz" }), quiet);
  },
  "our answer to the browser's re-INVITE lost": async (bench) => {
    await bench.established();
    bench.network.drop = lose("gateway.invalid", "SIP/2.0 200");
    bench.browser.received.session.reinvite(() => hold, quiet);
  },
  "our re-INVITE to SIP Server not answered yet": async (bench) => {
    await bench.established();
    bench.trunk.user.onOfferReceived = () => {};
    bench.browser.received.session.reinvite(() => hold, quiet);
  },
  "SIP Server's offerless re-INVITE waiting for its ACK": async (bench) => {
    await bench.established();
    bench.network.drop = lose("192.0.2.10", "ACK ");
    bench.trunk.outgoing?.session.reinvite(() => undefined, { onAnswer: () => genesysSdp() });
  },
  "moved to a media server": async (bench) => {
    await bench.established();
    bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ address: "192.0.2.31", version: 2 }), quiet);
  },
  "a second call beside the one on hold": async (bench) => {
    await bench.established();
    bench.browser.received.session.reinvite(() => hold, quiet);
    await bench.pass();
    await bench.established();
  },
  "SIP Server's BYE not passed on yet": async (bench) => {
    await bench.established();
    bench.network.drop = lose("gateway.invalid", "BYE ");
    bench.trunk.outgoing?.session.bye();
  },
  "the browser's BYE lost": async (bench) => {
    await bench.established();
    bench.network.drop = lose("browser", "BYE ");
    bench.browser.received.session.bye();
  },
  "dialling, nothing heard yet": (bench) => bench.dial("1003"),
  "dialling, it rings": async (bench) => {
    await bench.dial("1003");
    bench.trunk.received.progress(180);
  },
  "dialling, early media": async (bench) => {
    await bench.dial("1003");
    bench.trunk.received.progress(183, genesysSdp());
  },
  "dialling, answered, the browser's ACK lost": async (bench) => {
    await bench.dial("1003");
    bench.network.drop = lose("browser", "ACK ");
    bench.trunk.received.accept(genesysSdp());
  },
  "dialled and established": async (bench) => {
    await bench.dial("1003");
    bench.trunk.received.accept(genesysSdp());
  },
  "dialled and held": async (bench) => {
    await bench.dial("1003");
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    bench.browser.outgoing?.session.reinvite(() => hold, quiet);
  },
};

/** The relay notices that the browser's DTLS said goodbye, and ends the session when its patience is over. */
function loseMedia(bench: ReloadBench): void {
  for (const session of bench.media.opened) {
    const patience = session.browserRemote?.farewellMs ?? 2000;
    if (session.browserRemote)
      bench.clock.setTimer(patience, () => session.close("browser closed its media connection"));
  }
}

const kinds = [
  ["a page that resumes", true],
  ["any other client", false],
] as const;
const losses = [
  ["with its socket", false],
  ["with its socket and its media", true],
] as const;
const cases = Object.keys(states).flatMap((state) =>
  kinds.flatMap(([kind, resumes]) => losses.map(([loss, media]) => ({ state, kind, resumes, loss, media }))),
);

describe("a browser that vanishes leaves nothing behind on either side after the timers", () => {
  it.each(cases)("$state: $kind, $loss", async ({ state, resumes, media }) => {
    const bench = new ReloadBench({ resumes });
    await states[state]?.(bench);
    await bench.pass();
    await bench.vanish();
    bench.network.drop = () => false;
    if (media) loseMedia(bench);
    await bench.clock.advanceAsync(40_000, 50);
    expect(bench.b2bua.size).toBe(0);
    expect(bench.registrar.size).toBe(0);
    await bench.clock.advanceAsync(120_000, 500);
    expect(await bench.remains()).toEqual(nothingLeft);
    expect(bench.trunk.dispatcher.size).toBe(0);
    const { client, server } = bench.trunk.layer.counts;
    expect({ client, server }).toEqual({ client: 0, server: 0 });
    expect(bench.records).toHaveLength(bench.media.opened.length);
  });
});

/** A page that had come back to its call, or was about to, and how far it had got. */
const returns: Readonly<Record<string, (bench: ReloadBench, token: string) => Promise<void>>> = {
  "before it has asked for the call": () => Promise.resolve(),
  "while its new leg is being made": async (bench, token) => {
    const { last } = bench.media;
    const real = last.renewBrowser.bind(last);
    last.renewBrowser = () => new Promise((resolve) => bench.clock.setTimer(500, () => resolve(real())));
    await bench.resume(token);
  },
  "before it has our answer": async (bench, token) => {
    bench.network.drop = lose("gateway.invalid", "SIP/2.0 200");
    await bench.resume(token);
  },
  "before its ACK is here": async (bench, token) => {
    bench.network.drop = lose("browser2", "ACK ");
    await bench.resume(token);
  },
  "with the call": (bench, token) => bench.resume(token),
  "holding the call": async (bench, token) => {
    await bench.resume(token);
    bench.page.end.outgoing?.session.reinvite(() => hold, quiet);
  },
};
const returnCases = Object.keys(returns).flatMap((state) =>
  losses.map(([loss, media]) => ({ state, loss, media })),
);

describe("a reloaded page that vanishes again leaves nothing behind on either side", () => {
  it.each(returnCases)("$state, $loss", async ({ state, media }) => {
    const bench = new ReloadBench();
    await bench.established();
    const { token } = bench;
    await bench.reload();
    await returns[state]?.(bench, token);
    await bench.pass();
    await bench.vanish();
    bench.network.drop = () => false;
    if (media) loseMedia(bench);
    await bench.clock.advanceAsync(40_000, 50);
    expect(bench.b2bua.size).toBe(0);
    expect(bench.registrar.size).toBe(0);
    await bench.clock.advanceAsync(120_000, 500);
    expect(await bench.remains()).toEqual(nothingLeft);
    expect(bench.trunk.dispatcher.size).toBe(0);
    expect(bench.records).toHaveLength(1);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^ended BYE .*cause=/);
  });
});

/** What SIP Server may be told of it, and when at the latest, seconds. */
const ends = [
  { state: "ringing", resumes: true, seconds: 5.5, told: /^failed 480/ },
  { state: "ringing", resumes: false, seconds: 5.5, told: /^failed 480/ },
  { state: "dialling, it rings", resumes: true, seconds: 5.5, told: /^failed 487/ },
  { state: "established", resumes: true, seconds: 30.5, told: /^ended BYE .*cause=480.*gone/ },
  { state: "established", resumes: false, seconds: 30.5, told: /^ended BYE .*cause=480.*gone/ },
  { state: "dialled and held", resumes: true, seconds: 30.5, told: /^ended BYE .*cause=480.*gone/ },
];

describe("SIP Server hears of a vanished browser", () => {
  it.each(ends)("$state: within $seconds s, with a reason", async ({ state, resumes, seconds, told }) => {
    const bench = new ReloadBench({ resumes });
    await states[state]?.(bench);
    await bench.pass();
    bench.trunk.user.told.length = 0;
    const before = bench.toSipServer.length;
    await bench.vanish();
    await bench.clock.advanceAsync((seconds - 1) * 1000, 50);
    expect(bench.toSipServer).toHaveLength(before);
    await bench.clock.advanceAsync(1000, 50);
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(told)]);
  });
});

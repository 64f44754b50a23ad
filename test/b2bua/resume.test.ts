import { describe, expect, it } from "vitest";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";
import { ReloadBench } from "../support/reload-bench.ts";

/** A running call and its page's token. */
async function running(way: "to the agent" | "from the agent" = "to the agent") {
  const bench = new ReloadBench();
  if (way === "to the agent") await bench.established();
  else {
    await bench.dial("1003");
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    bench.media.last.told.length = 0;
    bench.trunk.user.told.length = 0;
    bench.browser.user.told.length = 0;
  }
  return { bench, token: bench.token, before: bench.toSipServer.length };
}

async function hangUpAndCount(bench: ReloadBench) {
  if (bench.trunk.outgoing) bench.trunk.outgoing.session.bye();
  else bench.trunk.received.session.bye();
  await bench.pass();
  for (const page of bench.pages) bench.signIn(page, 0);
  return bench.remains();
}

describe.each(["to the agent", "from the agent"] as const)("a page reloaded in a call %s", (way) => {
  it("takes the call over by its token: new media of its own, and not a message to SIP Server", async () => {
    const { bench, token, before } = await running(way);
    const page = await bench.reload();
    await bench.resume(token);
    expect(page.end.user.told).toEqual([expect.stringMatching(/^answered v=0[^]*a=ice-ufrag:renewed-ufrag/)]);
    expect(bench.media.last.told).toEqual(["renew browser", "browser opus sendrecv"]);
    expect(bench.toSipServer).toHaveLength(before);
    expect(bench.b2bua.size).toBe(1);
    await bench.pass(60_000);
    expect(bench.b2bua.size).toBe(1);
    expect(bench.toSipServer).toHaveLength(before);
    expect(await hangUpAndCount(bench)).toEqual(nothingLeft);
    expect(page.end.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(bench.records).toMatchObject([{ endedBy: "sip-server" }]);
  });

  it("hangs up by its new leg", async () => {
    const { bench, token } = await running(way);
    const page = await bench.reload();
    await bench.resume(token);
    page.end.outgoing?.session.bye();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^ended BYE/)]);
    expect(bench.records).toMatchObject([{ endedBy: "agent", status: 200 }]);
  });
});

describe("the token of a call", () => {
  it("is handed only to clients that say they take calls over", async () => {
    const bench = new ReloadBench({ resumes: false });
    await bench.established();
    expect(() => bench.token).toThrow("no token");
  });

  it("cannot be guessed: it is long, and no two are alike", async () => {
    const { bench, token } = await running();
    await bench.callAgent();
    expect(token).toMatch(/^[0-9a-f]{48}$/);
    expect(bench.token).not.toBe(token);
  });

  it.each([
    ["wrong", (token: string) => token.replace(/.$/, (last) => (last === "0" ? "1" : "0"))],
    ["cut off", (token: string) => token.slice(0, -1)],
    ["empty", () => ""],
    ["much too long", (token: string) => token.repeat(50)],
  ])("that is %s opens nothing and changes nothing", async (_what, spoil) => {
    const { bench, token } = await running();
    const page = bench.open();
    bench.signIn(page);
    await bench.resume(spoil(token));
    expect(page.end.user.told).toEqual(["failed 481"]);
    expect(bench.media.last.told).toEqual([]);
    await bench.vanish(page);
  });

  it("opens nothing for another instance of the DN", async () => {
    const { bench, token } = await running();
    const foreign = bench.open("urn:uuid:2");
    bench.signIn(foreign);
    await bench.resume(token, foreign);
    expect(foreign.end.user.told).toEqual(["failed 481"]);
    expect(bench.media.last.told).toEqual([]);
    // The page that had to give way keeps its running call.
    expect(bench.b2bua.size).toBe(1);
  });

  it("opens nothing by a connection on which nobody is signed in", async () => {
    const { bench, token } = await running();
    const stranger = bench.open();
    await bench.resume(token, stranger);
    expect(stranger.end.user.told).toEqual(["failed 403"]);
    expect(bench.media.last.told).toEqual([]);
  });

  it("is worth nothing once the call is over", async () => {
    const { bench, token } = await running();
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    await bench.resume(token, await bench.reload());
    expect(bench.page.end.user.told).toEqual(["failed 481"]);
  });

  it("is worth nothing while the call still rings", async () => {
    const bench = new ReloadBench();
    await bench.callAgent();
    await bench.resume(bench.token);
    expect(bench.browser.user.told).toEqual(["failed 481"]);
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass();
    expect(bench.b2bua.size).toBe(1);
  });

  it("is worth nothing once the page that used it has a newer one", async () => {
    const { bench, token } = await running();
    await bench.reload();
    await bench.resume(token);
    const newer = bench.token;
    expect(newer).not.toBe(token);
    await bench.reload();
    await bench.resume(token);
    expect(bench.page.end.user.told).toEqual(["failed 481"]);
    await bench.resume(newer);
    expect(bench.page.end.user.told.at(-1)).toMatch(/^answered/);
  });

  it("is good again for a page reloaded before it had the newer one", async () => {
    const { bench, token } = await running();
    const page = await bench.reload();
    // The page is gone before our 200 reaches it.
    bench.network.drop = (_from, text) =>
      text.startsWith("SIP/2.0 200") && text.includes("X-Jackfield-Resume");
    await bench.resume(token);
    expect(page.end.user.told).toEqual([]);
    bench.network.drop = () => false;
    await bench.reload();
    await bench.resume(token);
    expect(bench.page.end.user.told).toEqual([expect.stringMatching(/^answered/)]);
    await bench.pass(60_000);
    expect(bench.b2bua.size).toBe(1);
    expect(await hangUpAndCount(bench)).toEqual(nothingLeft);
  });
});

describe("taking a call over", () => {
  it("while the page that has it is still there sends that page BYE, and SIP Server nothing", async () => {
    const { bench, token, before } = await running();
    const first = bench.page;
    const second = bench.open();
    bench.signIn(second);
    await bench.resume(token, second);
    expect(second.end.user.told).toEqual([expect.stringMatching(/^answered/)]);
    expect(first.end.user.told).toEqual([expect.stringMatching(/^ended BYE .*taken over/)]);
    expect(bench.toSipServer).toHaveLength(before);
    await bench.pass(60_000);
    expect(bench.b2bua.size).toBe(1);
    expect(await hangUpAndCount(bench)).toEqual(nothingLeft);
  });

  it("with an offer that cannot be answered is refused and changes nothing", async () => {
    const { bench, token } = await running();
    const second = bench.open();
    bench.signIn(second);
    await bench.resume(token, second, browserSdp({ payloads: "18" }));
    await bench.resume(token, second, "v=0\r\n");
    expect(second.end.user.told).toEqual(["failed 488", expect.stringMatching(/^failed 4\d\d$/)]);
    expect(bench.media.last.told).toEqual([]);
    expect(bench.b2bua.size).toBe(1);
  });

  it("is refused where the relay has no room for another browser, and the call goes on", async () => {
    const { bench, token } = await running();
    bench.media.last.noRoom = true;
    await bench.resume(token, await bench.reload());
    expect(bench.page.end.user.told).toEqual(["failed 500"]);
    bench.media.last.noRoom = false;
    await bench.resume(token);
    expect(bench.page.end.user.told.at(-1)).toMatch(/^answered/);
  });

  it("twice at once leaves one of the two, and the call", async () => {
    const { bench, token } = await running();
    const page = await bench.reload();
    void bench.resume(token);
    await bench.resume(token);
    expect(page.end.user.told.filter((one) => one.startsWith("answered"))).toHaveLength(1);
    expect(page.end.user.told.filter((one) => one.startsWith("failed"))).toHaveLength(1);
    expect(bench.b2bua.size).toBe(1);
    expect(await hangUpAndCount(bench)).toEqual(nothingLeft);
  });

  it("ends the call when the person hangs up meanwhile", async () => {
    const { bench, token } = await running();
    const page = await bench.reload();
    bench.media.last.renewBrowser = () => new Promise(() => {});
    await bench.resume(token);
    page.end.outgoing?.cancel();
    await bench.pass(300);
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^ended BYE/)]);
    for (const one of bench.pages) bench.signIn(one, 0);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("crossing SIP Server's BYE is answered 481", async () => {
    const { bench, token } = await running();
    const page = await bench.reload();
    let renewed: (() => void) | undefined;
    const { last } = bench.media;
    const real = last.renewBrowser.bind(last);
    last.renewBrowser = async () => {
      await new Promise<void>((resolve) => (renewed = resolve));
      return real();
    };
    await bench.resume(token);
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    renewed?.();
    await bench.pass();
    expect(page.end.user.told).toEqual(["failed 481"]);
    bench.signIn(page, 0);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("voids the answer to what the page before was asking for", async () => {
    const { bench, token } = await running();
    const { last } = bench.media;
    let restarted: (() => void) | undefined;
    const real = last.restartIce.bind(last);
    last.restartIce = async () => {
      await new Promise<void>((resolve) => (restarted = resolve));
      return real();
    };
    bench.browser.received.session.reinvite(() => browserSdp({ ufrag: "late" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    await bench.reload();
    await bench.resume(token);
    restarted?.();
    await bench.pass();
    expect(last.browserRemote?.iceUfrag).toBe("efgh");
  });

  it("needs no place among the calls of the DN: three are resumed side by side", async () => {
    const bench = new ReloadBench();
    const tokens: string[] = [];
    for (let call = 0; call < 3; call++) {
      await bench.callAgent();
      tokens.push(bench.token);
      bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
      await bench.pass();
    }
    await bench.reload();
    for (const token of tokens) await bench.resume(token);
    expect(bench.page.end.user.told).toEqual(Array(3).fill(expect.stringMatching(/^answered/)));
    expect(bench.media.opened.map(({ told }) => told.includes("renew browser"))).toEqual([true, true, true]);
    await bench.pass(60_000);
    expect(bench.b2bua.size).toBe(3);
  });
});

describe("a page reloaded while SIP Server holds its ACK back (3pcc make call)", () => {
  it("takes the call over, and the sound begins with the ACK", async () => {
    const bench = new ReloadBench();
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.callAgentOfferless();
    const { token } = bench;
    bench.browser.received.accept(browserSdp({ setup: "active", payloads: "111 110" }));
    await bench.pass();
    await bench.reload();
    await bench.resume(token);
    expect(bench.page.end.user.told).toEqual([expect.stringMatching(/^answered/)]);
    expect(bench.media.last.told).not.toContain("connect");
    await bench.pass(20_000);
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(bench.media.last.told.at(-1)).toBe("connect");
    expect(bench.media.last.browserRemote?.iceUfrag).toBe("efgh");
    expect(await hangUpAndCount(bench)).toEqual(nothingLeft);
  });
});

describe("a call on hold when its page is reloaded", () => {
  it("comes back held when the page says so, and SIP Server hears nothing", async () => {
    const { bench, token } = await running();
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    const before = bench.toSipServer.length;
    await bench.reload();
    await bench.resume(token, bench.page, browserSdp({ ufrag: "efgh", direction: "sendonly" }));
    expect(bench.page.end.user.told.at(-1)).toMatch(/^answered [^]*a=recvonly/);
    expect(bench.toSipServer).toHaveLength(before);
  });

  it("is retrieved at SIP Server when the page comes back with sound both ways", async () => {
    const { bench, token } = await running();
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    bench.trunk.user.told.length = 0;
    await bench.reload();
    await bench.resume(token);
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^offer [^]*a=sendrecv/)]);
  });

  it("stays held when it was SIP Server that asked for it (NOTIFY hold)", async () => {
    const { bench, token } = await running();
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "hold"]]);
    await bench.pass();
    const before = bench.toSipServer.length;
    await bench.reload();
    await bench.resume(token);
    expect(bench.toSipServer).toHaveLength(before);
    expect(bench.media.last.told.at(-1)).toBe("browser opus sendrecv");
  });
});

describe("a page that is back but knows nothing of its call", () => {
  it("is told that the call waits, and has the grace of a call being set up", async () => {
    const { bench, token } = await running();
    const page = await bench.reload();
    expect(page.end.events.map(({ headers }) => headers.get("Event"))).toContain("x-jackfield-resume");
    await bench.pass(4500);
    expect(bench.trunk.user.told).toEqual([]);
    await bench.resume(token);
    expect(page.end.user.told.at(-1)).toMatch(/^answered/);
    await bench.pass(30_000);
    expect(bench.b2bua.size).toBe(1);
  });

  it("loses the call when it does not take it over, and SIP Server is told why", async () => {
    const { bench } = await running();
    await bench.reload();
    await bench.pass(6000);
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^ended BYE .*cause=480.*481/)]);
    bench.signIn(bench.page, 0);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("that is no page which resumes loses the call at once, and SIP Server is told why", async () => {
    const bench = new ReloadBench({ resumes: false });
    await bench.established();
    await bench.reload();
    expect(bench.trunk.user.told).toEqual([expect.stringMatching(/^ended BYE .*cause=480.*481/)]);
  });

  it("and goes again is waited for as long as a lost connection is", async () => {
    const { bench, token } = await running();
    await bench.reload();
    await bench.vanish();
    await bench.pass(20_000);
    expect(bench.trunk.user.told).toEqual([]);
    bench.signIn(bench.open());
    await bench.pass();
    await bench.resume(token);
    expect(bench.page.end.user.told.at(-1)).toMatch(/^answered/);
  });
});

describe("the media of a call whose page may come back", () => {
  it("waits for it as long as the call does, others' two seconds", async () => {
    const { bench } = await running();
    expect(bench.media.last.browserRemote?.farewellMs).toBe(30_000);
    const other = new ReloadBench({ resumes: false });
    await other.established();
    expect(other.media.last.browserRemote?.farewellMs).toBeUndefined();
  });
});

describe("an ICE restart of the browser's", () => {
  it("over its new connection is answered by us alone", async () => {
    const { bench, before } = await running();
    const { end } = bench.page;
    bench.browser.received.session.reinvite(() => browserSdp({ ufrag: "zzzz" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    expect(bench.media.last.told).toEqual(["restart ICE", "browser opus sendrecv"]);
    expect(bench.media.last.browserRemote?.iceUfrag).toBe("zzzz");
    expect(bench.toSipServer).toHaveLength(before);
    expect(end.user.told).toEqual([]);
  });
});

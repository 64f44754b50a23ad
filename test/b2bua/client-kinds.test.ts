import { describe, expect, it } from "vitest";
import { clientKindOf } from "../../src/b2bua/clients/client-kinds.ts";
import { B2buaBench, nothingLeft, type BenchOptions } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });
const allForms = ["call-info", "alert-info", "p-auto-answer", "answer-mode"];

async function talk(bench: B2buaBench): Promise<number[]> {
  const statuses: number[] = [];
  const headers = [
    ["Event", "talk"],
    ["Subscription-State", "active"],
  ] as const;
  bench.trunk.outgoing?.session.request("NOTIFY", headers, undefined, {
    onResponse: ({ status }) => statuses.push(status),
  });
  await bench.pass();
  return statuses;
}

describe("the kind of a client", () => {
  const kind = (userAgent: string, allowEvents: string[] = [], rules: BenchOptions["clients"] = []) =>
    clientKindOf({ userAgent, allowEvents }, rules);

  it.each([
    ["Jackfield softphone (JsSIP)", "shipped page", "page"],
    ["JsSIP 3.13.8", "JsSIP", "manual"],
    ["SIP.js/0.21.1", "SIP.js", "manual"],
    ["Acme phone 3", "generic", "manual"],
    ["", "generic", "manual"],
  ])("is told by its User-Agent: %j", (userAgent, name, answerBy) => {
    expect(kind(userAgent)).toEqual({ name, answerBy, autoAnswer: allForms });
  });

  it.each(["JsSIP 3.13.8", "SIP.js/0.21.1", "Acme phone 3"])(
    "is a page where %s says that it takes talk",
    (userAgent) => {
      expect(kind(userAgent, ["talk"]).answerBy).toBe("page");
    },
  );

  it("is what the first rule that fits says, whatever the client says", () => {
    const rules = [
      { match: "acme*phone*", answerBy: "preanswer", autoAnswer: ["call-info"] },
      { match: "Acme*", answerBy: "manual" },
      { match: "*", answerBy: "page" },
    ] as const;
    expect(kind("Acme soft phone 3", ["talk"], rules)).toMatchObject({
      answerBy: "preanswer",
      autoAnswer: ["call-info"],
    });
    expect(kind("Acme desk", ["talk"], rules).answerBy).toBe("manual");
    expect(kind("Other", [], rules).answerBy).toBe("page");
  });
});

describe("a client with answerBy preanswer", () => {
  const preanswer = (more: BenchOptions = {}): BenchOptions => ({
    clients: [{ match: "*", answerBy: "preanswer" }],
    ...more,
  });

  const parked = async (options = preanswer(), sdp: string | undefined = genesysSdp()) => {
    const bench = new B2buaBench(options);
    await (sdp === "" ? bench.callAgentOfferless() : bench.callAgent(sdp));
    bench.browser.received.accept(answer);
    await bench.pass(200);
    return bench;
  };

  it("is rung with the auto-answer headers it knows", async () => {
    const bench = new B2buaBench(preanswer());
    await bench.callAgent();
    const { headers } = bench.browser.received.request;
    expect(headers.get("Call-Info")).toBe("<sip:jackfield@jackfield>;answer-after=0");
    expect(headers.get("Alert-Info")).toBe("<http://jackfield>;info=alert-autoanswer");
    expect(headers.get("P-Auto-Answer")).toBe("normal");
    expect(headers.get("Answer-Mode")).toBe("Auto");
    const one = new B2buaBench({
      clients: [{ match: "*", answerBy: "preanswer", autoAnswer: ["alert-info"] }],
    });
    await one.callAgent();
    expect(one.browser.received.request.headers.has("Alert-Info")).toBe(true);
    expect(one.browser.received.request.headers.has("Call-Info")).toBe(false);
  });

  it("is parked with its media ready: SIP Server sees a ringing phone and no sound passes", async () => {
    const bench = await parked();
    expect(bench.browser.user.told).toEqual(["acknowledged"]);
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    expect(bench.media.last.told).toEqual(["browser opus sendrecv"]);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "parked" }]);
    await bench.pass(60_000);
    expect(bench.media.last.told).toEqual(["browser opus sendrecv"]);
    expect(bench.browser.events).toEqual([]);
  });

  it("is put through by talk at once, without a word to the client", async () => {
    const bench = await parked();
    const before = bench.clock.now();
    const told = talk(bench);
    while (bench.trunk.user.told.length < 2 && bench.clock.now() - before < 200) await bench.pass(1);
    expect(bench.clock.now() - before).toBeLessThan(10);
    expect(await told).toEqual([200]);
    expect(bench.trunk.user.told).toEqual(["provisional 180", expect.stringMatching(/^answered v=0/)]);
    expect(bench.media.last.told).toEqual([
      "browser opus sendrecv",
      "trunk 192.0.2.30:8000 pcmu sendrecv",
      "connect",
    ]);
    expect(bench.browser.events).toEqual([]);
    await talk(bench);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "established" }]);
    bench.trunk.outgoing?.session.bye();
    await bench.pass();
    expect(bench.browser.user.told.at(-1)).toBe("ended BYE");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("answers a make-call of SIP Server's the same way", async () => {
    const bench = await parked(preanswer(), "");
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    bench.trunk.user.onAnsweredReceived = () => {};
    await talk(bench);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered v=0/);
    expect(bench.media.last.told).not.toContain("connect");
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(bench.media.last.told.at(-1)).toBe("connect");
  });

  it("answers at once when talk was there before it", async () => {
    const bench = new B2buaBench(preanswer());
    await bench.callAgent();
    expect(await talk(bench)).toEqual([200]);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered/);
    expect(bench.media.last.told).toContain("connect");
  });

  it("that hangs up while it is parked refuses the call with 480", async () => {
    const bench = await parked();
    bench.browser.received.session.bye();
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 480"]);
    expect(bench.records).toMatchObject([{ endedBy: "agent", answeredAt: undefined }]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("that rejects the call hands its status on", async () => {
    const bench = new B2buaBench(preanswer());
    await bench.callAgent();
    bench.browser.received.reject(486);
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 486"]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is hung up on when SIP Server gives up", async () => {
    const bench = await parked();
    bench.trunk.outgoing?.cancel();
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toBe("failed 487");
    expect(bench.browser.user.told.at(-1)).toMatch(/^ended BYE/);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("that does not answer in time is rung anew for its user, and then answers by hand", async () => {
    const bench = new B2buaBench(preanswer());
    await bench.callAgent();
    const first = bench.browser.received;
    await bench.pass(5100);
    expect(bench.browser.received).not.toBe(first);
    expect(first.pending).toBe(false);
    const { headers } = bench.browser.received.request;
    for (const name of ["Call-Info", "Alert-Info", "P-Auto-Answer", "Answer-Mode"])
      expect(headers.has(name)).toBe(false);
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered/);
  });

  it("whose late 200 crosses the second ring is not taken for a person", async () => {
    const bench = new B2buaBench(preanswer());
    await bench.callAgent();
    const first = bench.browser.received;
    bench.network.drop = (_from, text) => text.startsWith("CANCEL");
    await bench.pass(5100);
    first.accept(answer);
    await bench.pass(100);
    expect(bench.b2bua.calls()).toMatchObject([{ state: "ringing" }]);
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    expect(bench.browser.user.told).toEqual(["acknowledged", expect.stringMatching(/^ended BYE/)]);
  });

  it("that holds while it is parked is answered here, and SIP Server hears of it with the answer", async () => {
    const bench = await parked();
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendonly" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    bench.browser.received.session.request(
      "INFO",
      [["Content-Type", "application/dtmf-relay"]],
      "Signal=5\r\n",
    );
    await bench.pass();
    expect(bench.media.last.told.join()).not.toContain("dtmf");
    await talk(bench);
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered v=0[^]*a=sendonly/);
    bench.browser.received.session.reinvite(() => browserSdp({ direction: "sendrecv" }), {
      onAnswer: () => undefined,
    });
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^offer v=0[^]*a=sendrecv/);
  });
});

describe("a client with answerBy manual", () => {
  const manual: BenchOptions = { allowEvents: ["talk"], clients: [{ match: "test*", answerBy: "manual" }] };

  it("goes on ringing after talk until a person answers", async () => {
    const bench = new B2buaBench(manual);
    await bench.callAgent();
    expect(await talk(bench)).toEqual([200]);
    await bench.pass(20_000);
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told.at(-1)).toMatch(/^answered/);
  });
});

describe("a client with answerBy page", () => {
  it("is held to its answer though it does not say that it takes talk", async () => {
    const bench = new B2buaBench({ clients: [{ match: "*", answerBy: "page" }] });
    await bench.callAgent();
    await talk(bench);
    expect(bench.browser.events.map(({ headers }) => headers.get("Event"))).toEqual(["talk"]);
    await bench.pass(8100);
    expect(bench.trunk.user.told).toEqual(["provisional 180", "failed 480"]);
  });
});

describe("autoAnswer", () => {
  const orders = [
    ["Call-Info", "<sip:192.0.2.10>;answer-after=0"],
    ["Call-Info", '<http://x/icon>;purpose=icon, <sip:x>; Answer-After = "0"'],
    ["Alert-Info", "<http://192.0.2.10>;info=alert-autoanswer"],
    ["Alert-Info", "Auto Answer"],
    ["P-Auto-Answer", "normal"],
    ["Answer-Mode", "Auto;require"],
  ] as const;
  const page = { allowEvents: ["talk"] };

  it.each(orders)(
    "header: %s: %s has the page answer without a talk of SIP Server's",
    async (name, value) => {
      const bench = new B2buaBench({ ...page, autoAnswer: "header" });
      await bench.callAgent(genesysSdp(), [[name, value]]);
      expect(bench.browser.events.map(({ headers }) => headers.get("Event"))).toEqual(["talk"]);
    },
  );

  it.each(orders)(
    "never: %s: %s changes nothing, and no order to answer reaches the client",
    async (name, value) => {
      const bench = new B2buaBench(page);
      await bench.callAgent(genesysSdp(), [[name, value]]);
      expect(bench.browser.events).toEqual([]);
      const text = bench.browser.received.request.headers;
      expect(`${text.get("Call-Info")} ${text.get("Alert-Info")}`).not.toMatch(/answer/i);
      expect(text.has("P-Auto-Answer") || text.has("Answer-Mode")).toBe(false);
    },
  );

  it.each([
    ["Call-Info", "<sip:192.0.2.10>;answer-after=30"],
    ["Alert-Info", "<http://192.0.2.10/ring.wav>"],
    ["Answer-Mode", "Manual"],
  ])("header: %s: %s is no such order", async (name, value) => {
    const bench = new B2buaBench({ ...page, autoAnswer: "header" });
    await bench.callAgent(genesysSdp(), [[name, value]]);
    expect(bench.browser.events).toEqual([]);
  });

  it("always: a client that answers by itself is put through at once", async () => {
    const bench = new B2buaBench({ autoAnswer: "always", clients: [{ match: "*", answerBy: "preanswer" }] });
    await bench.callAgent();
    bench.browser.received.accept(answer);
    await bench.pass();
    expect(bench.trunk.user.told).toEqual(["provisional 180", expect.stringMatching(/^answered/)]);
  });

  it("always: a client that a person answers at rings all the same", async () => {
    const bench = new B2buaBench({ autoAnswer: "always" });
    await bench.callAgent();
    await bench.pass(20_000);
    expect(bench.trunk.user.told).toEqual(["provisional 180"]);
  });
});

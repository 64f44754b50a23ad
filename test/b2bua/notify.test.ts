import { describe, expect, it } from "vitest";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

const answer = browserSdp({ setup: "active", payloads: "111 110" });
const pageEvents = ["talk", "hold", "beep", "message-summary"];

/** Direction of a description of ours. */
function directionOf(sdp: string): string {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(sdp)?.[1] ?? "none";
}

/** SIP Server takes every re-INVITE of ours and writes down its direction. */
function takeOffers(bench: B2buaBench): string[] {
  const offers: string[] = [];
  bench.trunk.user.onOfferReceived = (sdp, reply) => {
    offers.push(directionOf(sdp));
    reply.accept(genesysSdp({ direction: offers.at(-1) === "sendonly" ? "recvonly" : "sendrecv" }));
  };
  return offers;
}

const bodies: Readonly<Record<string, readonly [type: string, text: string]>> = {
  dtmf: ["application/dtmf-relay", "Signal=12#\r\nDuration=200\r\n"],
  "message-summary": ["application/simple-message-summary", "Messages-Waiting: yes\r\n"],
};

/** Sends NOTIFY within the dialog; the list its final statuses go to. */
function notify(bench: B2buaBench, event: string, subscription = "active"): string[] {
  const seen: string[] = [];
  const [type, text] = bodies[event] ?? [];
  bench.trunk.outgoing?.session.request(
    "NOTIFY",
    [
      ["Event", event],
      ["Subscription-State", subscription],
      ...(type === undefined ? [] : [["Content-Type", type] as const]),
    ],
    text,
    {
      onResponse: ({ status, headers }) =>
        seen.push(status === 489 ? `489 ${headers.get("Allow-Events")}` : String(status)),
    },
  );
  return seen;
}

/** Where a dialog can stand; each brings a new bench there. */
const states = {
  "early, ringing": (bench: B2buaBench) => bench.callAgent(),
  "early, ringing without an offer": (bench: B2buaBench) => bench.callAgentOfferless(),
  "early, the browser's socket lost": async (bench: B2buaBench) => {
    await bench.callAgent();
    bench.presence.flow = undefined;
  },
  "confirmed, the ACK with the answer still to come": async (bench: B2buaBench) => {
    await bench.callAgentOfferless();
    bench.trunk.user.onAnsweredReceived = () => {};
    bench.browser.received.accept(answer);
    await bench.pass();
  },
  confirmed: (bench: B2buaBench) => bench.established(),
  "confirmed, held by NOTIFY": async (bench: B2buaBench) => {
    await bench.established();
    notify(bench, "hold");
    await bench.pass();
  },
  "confirmed, held by the page": async (bench: B2buaBench) => {
    await bench.established();
    const hold = () => browserSdp({ direction: "sendonly" });
    bench.browser.received.session.reinvite(hold, { onAnswer: () => undefined });
    await bench.pass();
  },
  "confirmed, held by both": async (bench: B2buaBench) => {
    await states["confirmed, held by NOTIFY"](bench);
    const hold = () => browserSdp({ direction: "sendonly" });
    bench.browser.received.session.reinvite(hold, { onAnswer: () => undefined });
    await bench.pass();
  },
  "confirmed, SIP Server's re-INVITE under way": async (bench: B2buaBench) => {
    await bench.established();
    bench.network.drop = (from, text) => from.startsWith("192.0.2.10") && text.startsWith("ACK");
    bench.trunk.outgoing?.session.reinvite(() => genesysSdp({ port: 9000 }), { onAnswer: () => undefined });
    await bench.pass();
    bench.network.drop = () => false;
  },
} as const;
type State = keyof typeof states;

interface Row {
  /** Final status of the NOTIFY; default 200. */
  readonly status?: string;
  /** Events the page gets. */
  readonly page?: readonly string[];
  /** Directions of our re-INVITEs. */
  readonly offers?: readonly string[];
  readonly dtmf?: true;
}

const nothing: Row = {};
const toPage = (event: string): Row => ({ page: [event] });
const held: Row = { page: ["hold"], offers: ["sendonly"] };
const digits: Row = { dtmf: true };
const unknown: Row = { status: "489 talk, hold, dtmf, beep" };

/** genesys-sip-server.md 6, event by event, for each state; `other` events are in the last row of each. */
const table: Readonly<Record<State, Readonly<Record<"talk" | "hold" | "dtmf" | "beep", Row>>>> = {
  "early, ringing": { talk: toPage("talk"), hold: nothing, dtmf: nothing, beep: nothing },
  "early, ringing without an offer": { talk: toPage("talk"), hold: nothing, dtmf: nothing, beep: nothing },
  "early, the browser's socket lost": { talk: nothing, hold: nothing, dtmf: nothing, beep: nothing },
  "confirmed, the ACK with the answer still to come": {
    talk: nothing,
    // Our re-INVITE waits for the ACK.
    hold: toPage("hold"),
    dtmf: digits,
    beep: toPage("beep"),
  },
  confirmed: { talk: nothing, hold: held, dtmf: digits, beep: toPage("beep") },
  "confirmed, held by NOTIFY": {
    talk: { page: ["talk"], offers: ["sendrecv"] },
    hold: toPage("hold"),
    dtmf: digits,
    beep: toPage("beep"),
  },
  "confirmed, held by the page": {
    talk: toPage("talk"),
    hold: toPage("hold"),
    dtmf: digits,
    beep: toPage("beep"),
  },
  "confirmed, held by both": {
    talk: toPage("talk"),
    hold: toPage("hold"),
    dtmf: digits,
    beep: toPage("beep"),
  },
  "confirmed, SIP Server's re-INVITE under way": {
    talk: nothing,
    hold: held,
    dtmf: digits,
    beep: toPage("beep"),
  },
};

const cases = Object.entries(table).flatMap(([state, rows]) =>
  Object.entries({ ...rows, "message-summary": toPage("message-summary"), presence: unknown }).map(
    ([event, row]) => ({ event, state: state as State, row }),
  ),
);

describe("NOTIFY of SIP Server's", () => {
  it.each(cases)("$event, dialog $state", async ({ event, state, row }) => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    const offers = takeOffers(bench);
    await states[state](bench);
    offers.length = 0;
    bench.browser.events.length = 0;
    bench.media.last.told.length = 0;
    const lost = bench.presence.flow === undefined;
    const statuses = notify(bench, event);
    await bench.pass(600);
    expect(statuses).toEqual([row.status ?? "200"]);
    const told = bench.browser.events.map(({ headers }) => headers.get("Event"));
    expect(told).toEqual(lost ? [] : (row.page ?? []));
    for (const { headers } of bench.browser.events)
      if (event !== "message-summary")
        expect(headers.get("X-Jackfield-Call-ID")).toBe(bench.browser.received.request.callId);
    expect(offers).toEqual(row.offers ?? []);
    expect(bench.media.last.told.filter((entry) => entry.startsWith("dtmf"))).toEqual(
      row.dtmf ? ["dtmf trunk 12# 200"] : [],
    );
    bench.b2bua.close("end of test");
    expect(await bench.remains(110_000)).toEqual(nothingLeft);
  });

  it.each(["talk", "hold", "dtmf", "beep", "message-summary", "presence"])(
    "%s is answered with 481 after the BYE, and for a dialog that never was",
    async (event) => {
      const bench = new B2buaBench({ allowEvents: pageEvents });
      await bench.established();
      const request = bench.trunk.outgoing?.session.dialog?.createRequest("NOTIFY", [["Event", event]]);
      bench.trunk.outgoing?.session.bye();
      await bench.pass();
      const statuses: number[] = [];
      if (request)
        bench.trunk.layer.request(request, bench.trunk.flow, {
          onResponse: ({ status }) => statuses.push(status),
          onTimeout() {},
          onTransportError() {},
        });
      await bench.pass();
      expect(statuses).toEqual([481]);
      expect(bench.browser.events).toEqual([]);
    },
  );

  it.each(["talk", "hold", "dtmf", "beep", "presence"])(
    "%s outside any dialog is answered with 481",
    async (event) => {
      const bench = new B2buaBench({ allowEvents: pageEvents });
      const statuses = bench.trunk.send("NOTIFY", "sip:5001@192.0.2.20:5070", [["Event", event]]);
      await bench.pass();
      expect(statuses).toEqual([481]);
      expect(bench.browser.events).toEqual([]);
    },
  );

  it("hold, twice and as a retransmission, makes one re-INVITE; talk likewise", async () => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    const offers = takeOffers(bench);
    await bench.established();
    // Our first 200 is lost, so that the NOTIFY is sent again.
    let lost = 0;
    bench.network.drop = (from, text) => from.startsWith("192.0.2.20") && /NOTIFY/.test(text) && lost++ < 1;
    expect(notify(bench, "hold")).toEqual([]);
    await bench.pass(600);
    notify(bench, "hold");
    await bench.pass();
    expect(offers).toEqual(["sendonly"]);
    notify(bench, "talk");
    notify(bench, "talk");
    await bench.pass();
    expect(offers).toEqual(["sendonly", "sendrecv"]);
  });

  it("with Subscription-State: terminated is as good as with active, and as without any", async () => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    const offers = takeOffers(bench);
    await bench.established();
    expect([notify(bench, "hold", "terminated;reason=noresource"), await bench.pass()]).toEqual([
      ["200"],
      undefined,
    ]);
    bench.trunk.outgoing?.session.request("NOTIFY", [["Event", "Talk;id=1"]]);
    await bench.pass();
    expect(offers).toEqual(["sendonly", "sendrecv"]);
  });

  it("without an Event header is answered with 489", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const statuses: number[] = [];
    const onResponse = ({ status }: { status: number }) => statuses.push(status);
    bench.trunk.outgoing?.session.request("NOTIFY", [], undefined, { onResponse });
    await bench.pass();
    expect(statuses).toEqual([489]);
  });

  it("hold that came before the ACK of our answer is carried out once the ACK is there", async () => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    const offers = takeOffers(bench);
    await states["confirmed, the ACK with the answer still to come"](bench);
    notify(bench, "hold");
    await bench.pass(1000);
    expect(offers).toEqual([]);
    bench.trunk.outgoing?.session.acknowledge(1, genesysSdp());
    await bench.pass();
    expect(offers).toEqual(["sendonly"]);
    expect(bench.media.last.told.at(-1)).toBe("trunk 192.0.2.30:8000 pcmu inactive");
  });

  it("talk while the browser's socket is lost rings anew and asks the page then", async () => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    await bench.callAgent();
    bench.presence.flow = undefined;
    notify(bench, "talk");
    await bench.pass();
    bench.toBrowser = bench.network.flow(
      "gateway.invalid:0",
      "browser.invalid:1",
      () => bench.browser.layer,
      () => bench.browser.flow,
      "WSS",
    );
    bench.presence.flow = bench.toBrowser;
    bench.registrarEvents.emit("flow-resumed", bench.presence);
    await bench.pass();
    expect(bench.browser.events.map(({ headers }) => headers.get("Event"))).toEqual(["talk"]);
  });
});

describe("NOTIFY in a call the agent dialled", () => {
  const send = async (bench: B2buaBench, event: string): Promise<number[]> => {
    const seen: number[] = [];
    const [type, text] = bodies[event] ?? [];
    const headers = [
      ["Event", event] as const,
      ...(type === undefined ? [] : [["Content-Type", type] as const]),
    ];
    const onResponse = ({ status }: { status: number }) => seen.push(status);
    bench.trunk.received.session.request("NOTIFY", headers, text, { onResponse });
    await bench.pass();
    return seen;
  };

  it.each(["talk", "hold", "dtmf", "beep"])(
    "%s in the early dialog gets 200 and does nothing",
    async (event) => {
      const bench = new B2buaBench({ allowEvents: pageEvents });
      await bench.dial("1003");
      bench.trunk.received.progress(183, genesysSdp());
      await bench.pass();
      bench.media.last.told.length = 0;
      expect(await send(bench, event)).toEqual([200]);
      expect([bench.browser.events, bench.media.last.told]).toEqual([[], []]);
    },
  );

  it("holds and retrieves, sends digits and beeps once it is answered", async () => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    const offers = takeOffers(bench);
    await bench.dial("1003");
    bench.trunk.received.accept(genesysSdp());
    await bench.pass();
    for (const event of ["hold", "talk", "talk", "dtmf", "beep"])
      expect(await send(bench, event)).toEqual([200]);
    expect(offers).toEqual(["sendonly", "sendrecv"]);
    const told = bench.browser.events.map(({ headers }) => headers.get("Event"));
    expect(told).toEqual(["hold", "talk", "beep"]);
    expect(bench.media.last.told).toContain("dtmf trunk 12# 200");
  });
});

describe("NOTIFY dtmf", () => {
  it.each([
    ["application/dtmf-relay", "Signal=12#\r\nDuration=200\r\n", "12# 200"],
    ["application/dtmf-relay", "SIGNAL=5", "5 160"],
    ["application/dtmf-relay", "signal = *\nduration = 90", "* 90"],
    ["application/dtmf-relay", "Signal=abcd\r\n", "ABCD 160"],
    ["application/dtmf", "7", "7 160"],
    ["text/plain", "Signal=1", "1 160"],
    [undefined, "Signal=9\r\nDuration=1", "9 40"],
    ["application/dtmf-relay", "Signal=9\r\nDuration=99999", "9 5000"],
    ["application/dtmf-relay", "", undefined],
    ["application/dtmf-relay", "Signal=", undefined],
    ["application/dtmf-relay", "Signal=12e", undefined],
    ["application/dtmf-relay", "Duration=100", undefined],
    ["application/dtmf-relay", `Signal=${"1".repeat(65)}`, undefined],
    ["application/octet-stream", "\0\u{fffd}\u{1f4de}", undefined],
  ])("of %s %j becomes %s", async (type, body, expected) => {
    const bench = new B2buaBench();
    await bench.established();
    const statuses: number[] = [];
    bench.trunk.outgoing?.session.request(
      "NOTIFY",
      [["Event", "dtmf"], ...(type === undefined ? [] : [["Content-Type", type] as const])],
      body,
      { onResponse: ({ status }) => statuses.push(status) },
    );
    await bench.pass();
    expect(statuses).toEqual([200]);
    expect(bench.media.last.told).toEqual(expected === undefined ? [] : [`dtmf trunk ${expected}`]);
  });
});

describe("a message summary", () => {
  const summary = "Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n";
  const send = (bench: B2buaBench, type = "application/simple-message-summary", body = summary) =>
    bench.trunk.send(
      "NOTIFY",
      "sip:5001@192.0.2.20:5070",
      [
        ["Event", "message-summary"],
        ["Subscription-State", "active"],
        ["Content-Type", type],
      ],
      body,
    );
  const summaries = (bench: B2buaBench) =>
    bench.browser.events
      .filter(({ headers }) => headers.get("Event") === "message-summary")
      .map(({ body }) => body.toString());

  it("outside any call goes to the DN's page, and to one that signs in later", async () => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    const statuses = send(bench);
    await bench.pass();
    expect(statuses).toEqual([200]);
    expect(summaries(bench)).toEqual([summary]);
    bench.registrarEvents.emit("signed-in", bench.presence);
    await bench.pass();
    expect(summaries(bench)).toEqual([summary, summary]);
    bench.trunkEvents.emit("status", "5001", { state: "idle", reason: "" });
    bench.registrarEvents.emit("signed-in", bench.presence);
    await bench.pass();
    expect(summaries(bench)).toHaveLength(2);
  });

  it("goes to nobody who did not ask, and is answered all the same where nobody is signed in", async () => {
    const bench = new B2buaBench();
    expect([send(bench), await bench.pass()]).toEqual([[200], undefined]);
    bench.signedIn = false;
    expect([send(bench), await bench.pass()]).toEqual([[200], undefined]);
    expect(bench.browser.events).toEqual([]);
  });

  it("of another kind, or of no end, is not handed on", async () => {
    const bench = new B2buaBench({ allowEvents: pageEvents });
    send(bench, "text/plain");
    send(bench, "application/simple-message-summary", "x".repeat(2049));
    await bench.pass();
    expect(summaries(bench)).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import { B2buaBench } from "../support/b2bua-bench.ts";
import { browserSdp, genesysSdp } from "../support/descriptions.ts";

function directionOf(sdp: string): string {
  return /^a=(sendrecv|sendonly|recvonly|inactive)\r$/m.exec(sdp)?.[1] ?? "none";
}

/** Forms of SIP Server's description (genesys-sip-server.md 8); undefined: it offers nothing and answers in the ACK. */
const forms = {
  sendrecv: genesysSdp({ direction: "sendrecv" }),
  sendonly: genesysSdp({ direction: "sendonly" }),
  recvonly: genesysSdp({ direction: "recvonly" }),
  inactive: genesysSdp({ direction: "inactive" }),
  "c=0.0.0.0": genesysSdp({ address: "0.0.0.0" }),
  "c=0.0.0.0 sendonly": genesysSdp({ address: "0.0.0.0", direction: "sendonly" }),
  "c=0.0.0.0 recvonly": genesysSdp({ address: "0.0.0.0", direction: "recvonly" }),
  "port 0": genesysSdp({ port: 0 }),
  "no direction": genesysSdp(),
  "sendonly above the m-line": genesysSdp().replace("t=0 0", "t=0 0\r\na=sendonly"),
  "sendonly above, sendrecv below": genesysSdp({ direction: "sendrecv" }).replace(
    "t=0 0",
    "t=0 0\r\na=sendonly",
  ),
  offerless: undefined,
} as const;
type Form = keyof typeof forms;

/** Who holds from our end. */
const holders = {
  "not held": () => Promise.resolve(),
  "held by the page": (bench: B2buaBench) => pageOffers(bench, "sendonly"),
  "held by NOTIFY": (bench: B2buaBench) => notify(bench, "hold"),
  "held by both": async (bench: B2buaBench) => {
    await pageOffers(bench, "sendonly");
    await notify(bench, "hold");
  },
} as const;
type Holder = keyof typeof holders;

async function pageOffers(bench: B2buaBench, direction: string): Promise<string> {
  const sdp = browserSdp(direction === "none" ? {} : { direction });
  return offerOfBrowser(bench, direction === "none" ? sdp.replace("a=sendrecv\r\n", "") : sdp);
}

/** Direction of our answer, or the status of our refusal. */
async function offerOfBrowser(bench: B2buaBench, sdp: string): Promise<string> {
  let answer = "none";
  bench.browser.received.session.reinvite(() => sdp, {
    onAnswer: (text) => {
      answer = directionOf(text);
      return undefined;
    },
    onFailed: (status) => {
      answer = String(status);
    },
  });
  await bench.pass();
  return answer;
}

async function notify(bench: B2buaBench, event: string): Promise<void> {
  bench.trunk.outgoing?.session.request("NOTIFY", [["Event", event]]);
  await bench.pass();
}

/** SIP Server's re-INVITE; resolves with the description of ours that came back. */
async function reinvite(bench: B2buaBench, offer: string | undefined, answer?: string): Promise<string> {
  let ours = "";
  bench.trunk.outgoing?.session.reinvite(() => offer, {
    onAnswer: (sdp) => {
      ours = sdp;
      return answer;
    },
  });
  await bench.pass();
  return ours;
}

/** What the relay does on SIP Server's side, from its own point of view, as last told. */
function relay(bench: B2buaBench): string {
  const last = bench.media.last.told.findLast((entry) => entry.startsWith("trunk "));
  return last?.split(" ").at(-1) ?? "untouched";
}

/** `[direction of our answer or offer, what the relay then does toward SIP Server's side]` */
type Cell = readonly [ours: string, relay: string];
const bothQuiet: Cell = ["inactive", "inactive"];
/** Our SDP says that we may send; the relay sends nothing while we hold (docs/decisions/0002-calls.md). */
const heldByUs: Cell = ["sendonly", "inactive"];

/** RFC 3264 6.1 and 8.4. One column for all who can hold: SIP Server cannot tell them apart. */
const table: Readonly<Record<Form, { readonly free: Cell; readonly held: Cell }>> = {
  sendrecv: { free: ["sendrecv", "sendrecv"], held: heldByUs },
  sendonly: { free: ["recvonly", "recvonly"], held: bothQuiet },
  recvonly: { free: ["sendonly", "sendonly"], held: heldByUs },
  inactive: { free: bothQuiet, held: bothQuiet },
  "c=0.0.0.0": { free: ["recvonly", "recvonly"], held: bothQuiet },
  "c=0.0.0.0 sendonly": { free: ["recvonly", "recvonly"], held: bothQuiet },
  "c=0.0.0.0 recvonly": { free: bothQuiet, held: bothQuiet },
  "port 0": { free: bothQuiet, held: bothQuiet },
  "no direction": { free: ["sendrecv", "sendrecv"], held: heldByUs },
  "sendonly above the m-line": { free: ["recvonly", "recvonly"], held: bothQuiet },
  "sendonly above, sendrecv below": { free: ["sendrecv", "sendrecv"], held: heldByUs },
  offerless: { free: ["sendrecv", "sendrecv"], held: heldByUs },
};

const cells = Object.entries(table).flatMap(([form, { free, held }]) =>
  Object.keys(holders).map((holder) => ({
    form: form as Form,
    holder: holder as Holder,
    expected: holder === "not held" ? free : held,
  })),
);

describe("SIP Server's re-INVITE", () => {
  it.each(cells)("$form, call $holder", async ({ form, holder, expected: [ours, relayed] }) => {
    const bench = new B2buaBench();
    await bench.established();
    bench.trunk.user.onOfferReceived = (sdp, reply) =>
      reply.accept(genesysSdp({ direction: directionOf(sdp) === "sendonly" ? "recvonly" : "sendrecv" }));
    await holders[holder](bench);
    bench.browser.user.told.length = 0;
    const held = holder !== "not held";
    const answer = await reinvite(bench, forms[form], genesysSdp(held ? { direction: "recvonly" } : {}));
    expect(directionOf(answer)).toBe(ours);
    expect(relay(bench)).toBe(relayed);
    // RFC 3264 6: an offered port 0 is answered by port 0. The leg and its ports stay.
    expect(answer).toContain(form === "port 0" ? "m=audio 0 " : "m=audio 10000 ");
    // And back.
    const back = await reinvite(bench, genesysSdp({ port: 9000 }));
    expect([directionOf(back), relay(bench)]).toEqual(held ? heldByUs : ["sendrecv", "sendrecv"]);
    expect(bench.media.last.trunkRemote).toMatchObject({ address: "192.0.2.30", port: 9000 });
    expect(bench.browser.user.told).toEqual([]);
    expect(bench.b2bua.size).toBe(1);
    if (!held) return;
    await notify(bench, "talk");
    await pageOffers(bench, "sendrecv");
    expect(relay(bench)).toBe("sendrecv");
  });

  it("is sent nothing at 0.0.0.0 and at port 0", async () => {
    const bench = new B2buaBench();
    await bench.established();
    await reinvite(bench, forms["c=0.0.0.0"]);
    expect(bench.media.last.trunkRemote).toMatchObject({ address: "0.0.0.0", direction: "recvonly" });
    await reinvite(bench, forms["port 0"]);
    expect(bench.media.last.trunkRemote).toMatchObject({ port: 0, direction: "inactive" });
  });

  it("may name another place for RTCP", async () => {
    const bench = new B2buaBench();
    await bench.established();
    await reinvite(bench, `${genesysSdp({ port: 9000 })}a=rtcp:9999 IN IP4 192.0.2.31\r\n`);
    expect(bench.media.last.trunkRemote?.rtcp).toEqual({ address: "192.0.2.31", port: 9999 });
    await reinvite(bench, genesysSdp({ port: 9002 }));
    expect(bench.media.last.trunkRemote?.rtcp).toBeUndefined();
  });
});

describe("SIP Server's answer", () => {
  const answers: Readonly<
    Record<Exclude<Form, "offerless">, { readonly toHold: string; readonly toRetrieve: string }>
  > = {
    sendrecv: { toHold: "inactive", toRetrieve: "sendrecv" },
    sendonly: { toHold: "inactive", toRetrieve: "recvonly" },
    recvonly: { toHold: "inactive", toRetrieve: "sendonly" },
    inactive: { toHold: "inactive", toRetrieve: "inactive" },
    "c=0.0.0.0": { toHold: "inactive", toRetrieve: "recvonly" },
    "c=0.0.0.0 sendonly": { toHold: "inactive", toRetrieve: "recvonly" },
    "c=0.0.0.0 recvonly": { toHold: "inactive", toRetrieve: "inactive" },
    "port 0": { toHold: "inactive", toRetrieve: "inactive" },
    "no direction": { toHold: "inactive", toRetrieve: "sendrecv" },
    "sendonly above the m-line": { toHold: "inactive", toRetrieve: "recvonly" },
    "sendonly above, sendrecv below": { toHold: "inactive", toRetrieve: "sendrecv" },
  };
  it.each(
    Object.entries(answers).flatMap(([form, cell]) =>
      (["page", "NOTIFY"] as const).map((holder) => ({
        form: form as Exclude<Form, "offerless">,
        holder,
        ...cell,
      })),
    ),
  )("$form to hold and retrieve by $holder", async ({ form, holder, toHold, toRetrieve }) => {
    const bench = new B2buaBench();
    await bench.established();
    const offers: string[] = [];
    bench.trunk.user.onOfferReceived = (sdp, reply) => {
      offers.push(directionOf(sdp));
      reply.accept(forms[form]);
    };
    const step = (hold: boolean) =>
      holder === "page"
        ? pageOffers(bench, hold ? "sendonly" : "sendrecv")
        : notify(bench, hold ? "hold" : "talk");
    await step(true);
    expect([offers, relay(bench)]).toEqual([["sendonly"], toHold]);
    await step(false);
    expect([offers, relay(bench)]).toEqual([["sendonly", "sendrecv"], toRetrieve]);
    await reinvite(bench, forms.sendrecv);
    expect(relay(bench)).toBe("sendrecv");
  });
});

describe("the browser's re-INVITE", () => {
  /** `[our answer, the re-INVITE SIP Server gets]`: only a browser that no longer receives holds. */
  const offers: Readonly<Record<string, readonly [answer: string, toSipServer: string | undefined]>> = {
    sendrecv: ["sendrecv", undefined],
    sendonly: ["recvonly", "sendonly"],
    recvonly: ["sendonly", undefined],
    inactive: ["inactive", "sendonly"],
    none: ["sendrecv", undefined],
  };
  /** SIP Server's own hold is no affair of the browser's. */
  const before: readonly Form[] = ["sendrecv", "sendonly", "inactive", "c=0.0.0.0", "port 0"];

  it.each(
    Object.entries(offers).flatMap(([offer, [answer, told]]) =>
      before.map((form) => ({ offer, form, answer, told })),
    ),
  )("$offer, SIP Server $form", async ({ offer, form, answer, told }) => {
    const bench = new B2buaBench();
    await bench.established();
    const toSipServer: string[] = [];
    bench.trunk.user.onOfferReceived = (sdp, reply) => {
      toSipServer.push(directionOf(sdp));
      reply.accept(forms[form]);
    };
    await reinvite(bench, forms[form]);
    expect(await pageOffers(bench, offer)).toBe(answer);
    expect(toSipServer).toEqual(told === undefined ? [] : [told]);
    expect(await pageOffers(bench, "sendrecv")).toBe("sendrecv");
    expect(toSipServer).toEqual(told === undefined ? [] : [told, "sendrecv"]);
    expect(relay(bench)).toBe(table[form].free[1]);
  });

  it("with c=0.0.0.0 holds nothing: browsers write that before they know an address", async () => {
    const bench = new B2buaBench();
    await bench.established();
    const sdp = browserSdp().replace("192.0.2.77", "0.0.0.0");
    expect(await offerOfBrowser(bench, sdp)).toBe("sendrecv");
    expect(bench.trunk.user.told).toEqual([]);
  });

  it("with port 0, which would end the only stream, is refused and the call goes on", async () => {
    const bench = new B2buaBench();
    await bench.established();
    expect(await offerOfBrowser(bench, browserSdp().replace("m=audio 54310", "m=audio 0"))).toBe("488");
    expect(bench.b2bua.size).toBe(1);
  });
});

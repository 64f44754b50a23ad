import { describe, expect, it } from "vitest";
import { nothingLeft } from "../support/b2bua-bench.ts";
import { genesysSdp } from "../support/descriptions.ts";
import { ReloadBench, type BenchPage } from "../support/reload-bench.ts";
import {
  browserAnswer,
  newPlace,
  notifiesOf,
  replacesFor,
  send,
  statusesOf,
  TransferBench,
} from "../support/transfer-bench.ts";

const moreEvents = ", hold, x-jackfield-call";

async function running() {
  const bench = new ReloadBench({ resumes: true, moreEvents });
  await bench.established();
  const { token } = bench;
  const { outgoing } = bench.trunk;
  if (!outgoing) throw new Error("no call");
  return { bench, token, session: outgoing.session };
}

/** SIP Server replaces its dialog by one with another party. */
async function replaced(bench: ReloadBench, session: Parameters<typeof replacesFor>[0]): Promise<void> {
  const headers = [["Replaces", replacesFor(session)] as const];
  bench.trunk.call(
    "sip:5001@192.0.2.20:5070",
    "<sip:1004@192.0.2.10:5060>",
    genesysSdp({ address: newPlace }),
    headers,
  );
  await bench.pass();
}

/** What a page was told by events about the leg with this Call-ID: name and body. */
const toldOf = ({ end }: BenchPage, callId: string | undefined): string[] =>
  end.events
    .filter(({ headers }) => headers.get("X-Jackfield-Call-ID") === callId)
    .map(({ headers, body }) => `${headers.get("Event")} ${body.toString()}`.trim());

async function hangUp(bench: ReloadBench) {
  bench.trunk.outgoing?.session.bye();
  await bench.pass();
  for (const page of bench.pages) bench.signIn(page, 0);
  return bench.remains();
}

describe("a call transferred while its page is loaded anew", () => {
  it("is taken over with the new party, and the new page is told who that is", async () => {
    const { bench, token, session } = await running();
    await bench.vanish();
    await replaced(bench, session);
    expect(session.state).toBe("terminated");
    const page = bench.open();
    bench.signIn(page);
    await bench.pass();
    await bench.resume(token);
    const told = toldOf(page, page.end.outgoing?.callId);
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(/^x-jackfield-call .*"party":\{"number":"1004"\}/);
    expect(bench.media.last.trunkRemote?.address).toBe(newPlace);
    expect(await hangUp(bench)).toEqual(nothingLeft);
  });

  it("by REFER goes on meanwhile, and the target answers to the new page", async () => {
    const { bench, token, session } = await running();
    const notifies = notifiesOf(bench.trunk);
    send(session, "REFER", [["Refer-To", "<sip:1004@192.0.2.10:5060>"]]);
    await bench.pass();
    await bench.reload();
    bench.trunk.received.accept(genesysSdp({ address: newPlace }));
    await bench.pass();
    await bench.resume(token);
    expect(statusesOf(notifies)).toEqual([100, 200]);
    expect(toldOf(bench.page, bench.page.end.outgoing?.callId)[0]).toContain('"party":{"number":"1004"}');
    session.bye();
    await bench.pass();
    expect(bench.b2bua.size).toBe(1);
    bench.trunk.received.session.bye();
    await bench.pass();
    expect(bench.page.end.user.told.at(-1)).toMatch(/^ended BYE/);
  });
});

it("a call transferred while the browser's connection is lost: the page is told when it is back", async () => {
  const bench = new TransferBench({ allowEvents: ["x-jackfield-call"] });
  const { session } = await bench.running();
  Reflect.deleteProperty(bench.presence, "flow");
  await bench.replace(replacesFor(session));
  expect(bench.browser.events).toEqual([]);
  Object.assign(bench.presence, { flow: bench.toBrowser });
  bench.registrarEvents.emit("flow-resumed", bench.presence);
  await bench.pass();
  expect(bench.browser.events.map(({ body }) => body.toString())).toEqual([
    expect.stringContaining('"party":{"number":"1004"}'),
  ]);
});

describe("a page that comes back to a call", () => {
  it("is told of the hold that SIP Server asked for while it was away", async () => {
    const { bench, token, session } = await running();
    await bench.vanish();
    session.request("NOTIFY", [["Event", "hold"]]);
    await bench.pass();
    const page = bench.open();
    bench.signIn(page);
    await bench.pass();
    await bench.resume(token);
    expect(toldOf(page, page.end.outgoing?.callId)).toEqual(["hold"]);
  });

  it("whose far side still rings is told so", async () => {
    const bench = new ReloadBench({ resumes: true, moreEvents });
    bench.trunk.user.onAnsweredReceived = () => {};
    await bench.callAgentOfferless();
    const { token } = bench;
    bench.browser.received.accept(browserAnswer);
    await bench.pass();
    await bench.reload();
    await bench.resume(token);
    expect(toldOf(bench.page, bench.page.end.outgoing?.callId)).toEqual([
      'x-jackfield-call {"far":"ringing"}',
    ]);
  });
});

it("a make call replaced before its ACK stops ringing at the page", async () => {
  const bench = new ReloadBench({ resumes: true, moreEvents });
  bench.trunk.user.onAnsweredReceived = () => {};
  await bench.callAgentOfferless();
  bench.browser.received.accept(browserAnswer);
  await bench.pass();
  bench.trunk.user.onAnsweredReceived = ({ cseq }) =>
    bench.trunk.outgoing?.session.acknowledge(cseq.sequence);
  const first = bench.trunk.outgoing?.session;
  if (first) await replaced(bench, first);
  const told = toldOf(bench.page, bench.browser.received.request.callId);
  expect(told.filter((text) => text.includes('"far"'))).toEqual([
    'x-jackfield-call {"far":"ringing"}',
    'x-jackfield-call {"far":"connected"}',
  ]);
});

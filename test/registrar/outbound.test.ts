import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sipClient } from "../support/sip-client.ts";
import { registrarBench, TestFlow, type Browser } from "./browser.ts";

/** RFC 5626: several connections of one client. */
let bench: ReturnType<typeof registrarBench>;

beforeEach(() => {
  bench = registrarBench();
});

afterEach(() => {
  bench.close();
  expect(bench.registrar.size).toBe(0);
  expect(bench.clock.pendingTimers).toBe(0);
});

/** A further connection of `of`'s with the `reg-id`: own Call-ID, same instance. */
function flowOf(of: Browser, regId: number): Browser {
  const further = bench.browser(`${of.callId}-${regId}`);
  further.instance = of.instance;
  further.contact = (parameters?: string) =>
    `<${further.contactUri}>;reg-id=${regId};+sip.instance="${of.instance}"${parameters ?? ""}`;
  return further;
}

function two(): [Browser, Browser] {
  const first = bench.browser("a");
  const second = flowOf(first, 2);
  first.register();
  second.register();
  return [first, second];
}

describe("a second connection with another reg-id", () => {
  test("belongs to the same client: nobody is replaced, both are listed, the newest is used", () => {
    const [first, second] = two();
    expect(bench.events).toEqual(["in a"]);
    const presence = sipClient(bench.registrar.find("5001"));
    expect(presence?.flow).toBe(second.flow);
    expect(presence?.contactUri).toBe(second.contactUri);
    expect(bench.registrar.findByFlow(first.flow)).toBe(presence);
    expect(bench.registrar.findByFlow(second.flow)).toBe(presence);
    expect([presence?.carries(first.flow), presence?.carries(new TestFlow())]).toEqual([true, false]);
    const { contacts } = first.register();
    expect(contacts.map((one) => /reg-id=(\d)/.exec(one)?.[1])).toEqual(["2", "1"]);
    expect(presence?.flow).toBe(first.flow);
    expect(bench.events).toEqual(["in a"]);
  });

  test("takes over at once when the one in use is lost, without a grace", () => {
    const [first, second] = two();
    bench.cut(second);
    expect(sipClient(bench.registrar.find("5001"))?.flow).toBe(first.flow);
    expect(sipClient(bench.registrar.find("5001"))?.contactUri).toBe(first.contactUri);
    expect(bench.events).toEqual(["in a", "back a"]);
    bench.clock.advance(20_000);
    expect(sipClient(bench.registrar.find("5001"))?.reachable).toBe(true);
    bench.cut(first);
    expect(bench.events.at(-1)).toBe("lost a");
    bench.clock.advance(5000);
    expect(bench.events.at(-1)).toBe("out a: connection lost");
  });

  test("is no longer there when it was the one lost, and comes back by any reg-id", () => {
    const [first, second] = two();
    bench.cut(first);
    bench.cut(second);
    expect(bench.events).toEqual(["in a", "back a", "lost a"]);
    const third = flowOf(first, 3);
    const answer = third.register();
    expect(answer.contacts).toHaveLength(1);
    expect(bench.events.at(-1)).toBe("back a");
    expect(sipClient(bench.registrar.find("5001"))?.flow).toBe(third.flow);
  });

  test("un-registers alone; the client is signed out with the last", () => {
    const [first, second] = two();
    const answer = second.register({ contact: second.contact(";expires=0") });
    expect(answer.contacts).toHaveLength(1);
    expect(sipClient(bench.registrar.find("5001"))?.flow).toBe(first.flow);
    expect(bench.registrar.findByFlow(second.flow)).toBeUndefined();
    first.register({ contact: first.contact(";expires=0") });
    expect(bench.events).toEqual(["in a", "out a: signed out"]);
  });

  test("expires alone", () => {
    const first = bench.browser("a");
    const second = flowOf(first, 2);
    first.register({ headers: ["Expires: 300"] });
    second.register({ headers: ["Expires: 60"] });
    bench.clock.advance(60_000);
    expect(sipClient(bench.registrar.find("5001"))?.flow).toBe(first.flow);
    bench.clock.advance(240_000);
    expect(bench.events).toEqual(["in a", "out a: expired"]);
  });

  test("is passed over when a request by it came back with 430, until it registers again", () => {
    const [first, second] = two();
    const presence = sipClient(bench.registrar.find("5001"));
    presence?.flowFailed(second.flow);
    expect(presence?.flow).toBe(first.flow);
    presence?.flowFailed(first.flow);
    expect(presence?.flow).toBe(second.flow);
    first.register();
    expect(presence?.flow).toBe(first.flow);
  });

  test("counts its CSeq by itself", () => {
    const [first, second] = two();
    second.sequence = 0;
    expect(first.register().status).toBe(200);
    expect(second.register().text).toBe("SIP/2.0 500 CSeq Out Of Order");
  });

  test("is one of four at most", () => {
    const [first] = two();
    expect(flowOf(first, 3).register().status).toBe(200);
    expect(flowOf(first, 4).register().status).toBe(200);
    expect(flowOf(first, 5).register().text).toBe("SIP/2.0 403 Too Many Flows");
  });

  test("goes with the client that a newer one replaces, and neither can refresh", () => {
    const [first, second] = two();
    const other = bench.browser("b");
    other.register();
    expect(bench.events).toEqual(["in a", "out a: replaced", "in b"]);
    for (const old of [first, second])
      expect(old.register().text).toBe("SIP/2.0 403 Replaced By A Newer Sign-In");
  });
});

describe("the same reg-id by another connection", () => {
  test("moves the client there, and the former connection is nobody's", () => {
    const first = bench.browser("a");
    first.register();
    const again = flowOf(first, 1);
    again.register();
    expect(bench.events).toEqual(["in a", "back a"]);
    expect(bench.registrar.findByFlow(first.flow)).toBeUndefined();
  });
});

describe("a reg-id that means nothing", () => {
  test.each([
    ["stands without an instance", (browser: Browser) => `<${browser.contactUri}>;reg-id=1`],
    ["is 0", (browser: Browser) => `<${browser.contactUri}>;reg-id=0;+sip.instance="<urn:uuid:a>"`],
    ["is no number", (browser: Browser) => `<${browser.contactUri}>;reg-id=x;+sip.instance="<urn:uuid:a>"`],
    [
      "is too large",
      (browser: Browser) => `<${browser.contactUri}>;reg-id=2147483648;+sip.instance="<urn:uuid:a>"`,
    ],
  ])("is ignored: it %s", (_name, contact) => {
    const browser = bench.browser("a");
    const answer = browser.register({ contact: contact(browser) });
    expect(answer.status).toBe(200);
    expect(answer.contacts[0]).not.toContain("reg-id");
    expect([answer.header("Require"), answer.header("Flow-Timer")]).toEqual([undefined, undefined]);
  });

  test("two contacts with one of them are refused with 400", () => {
    const browser = bench.browser("a");
    const contact = `${browser.contact()}, <sip:other@x.invalid>`;
    expect(browser.register({ contact }).status).toBe(400);
  });
});

describe("a client behind proxies", () => {
  const via = "Via: SIP/2.0/WSS edge.test;branch=z9hG4bK-edge";

  test("is refused with 439 when the first of them keeps no flows", () => {
    const browser = bench.browser("a");
    expect(browser.register({ headers: [via] }).status).toBe(439);
    expect(browser.register({ headers: [via, "Path: <sip:edge.test;lr>"] }).text).toBe(
      "SIP/2.0 439 First Hop Lacks Outbound Support",
    );
    expect(bench.registrar.size).toBe(0);
  });

  test("is kept with its Path, which the 200 repeats and requests to it are routed by", () => {
    const browser = bench.browser("a");
    const answer = browser.register({ headers: [via, "Path: <sip:x@edge.test;lr;ob>, <sip:two.test;lr>"] });
    expect(answer.status).toBe(200);
    expect(answer.header("Path")).toBe("<sip:x@edge.test;lr;ob>, <sip:two.test;lr>");
    expect(answer.header("Require")).toBe("outbound");
    expect(sipClient(bench.registrar.find("5001"))?.path).toEqual([
      "<sip:x@edge.test;lr;ob>",
      "<sip:two.test;lr>",
    ]);
  });

  test("may not name more of them than any site has", () => {
    const browser = bench.browser("a");
    const path = Array.from({ length: 9 }, () => "<sip:x@edge.test;lr;ob>").join(", ");
    expect(browser.register({ headers: [via, `Path: ${path}`] }).status).toBe(400);
  });
});

import { afterEach, beforeEach, expect, test } from "vitest";
import { sipClient } from "../support/sip-client.ts";
import { registrarBench, TestFlow } from "./browser.ts";

let bench: ReturnType<typeof registrarBench>;

beforeEach(() => {
  bench = registrarBench();
});

afterEach(() => {
  bench.close();
  expect(bench.registrar.size).toBe(0);
  expect(bench.clock.pendingTimers).toBe(0);
  expect(bench.registrar.events.listenerCount).toBe(0);
});

test("a browser is challenged, signs in and is found by DN and by flow", () => {
  const browser = bench.browser("a");
  expect(browser.send().status).toBe(401);
  const answer = browser.register({ headers: ["Allow-Events: Talk, hold"] });
  expect(answer.status).toBe(200);
  const presence = sipClient(bench.registrar.find("5001"));
  expect(presence).toMatchObject({
    dn: "5001",
    instance: "<urn:uuid:a>",
    userAgent: "JsSIP 3.13.8",
    allowEvents: ["talk", "hold"],
    contactUri: browser.contactUri,
    reachable: true,
    gone: false,
  });
  expect(presence?.flow).toBe(browser.flow);
  expect(bench.registrar.findByFlow(browser.flow)).toBe(presence);
  expect(bench.registrar.findByFlow(new TestFlow())).toBeUndefined();
  expect(sipClient(bench.registrar.find("5002"))).toBeUndefined();
  expect(bench.events).toEqual(["in a"]);
});

test("the 200 names the contact with its expiry and instance, and says that the flow will be used", () => {
  const browser = bench.browser("a");
  const answer = browser.register({ headers: ["Expires: 120"] });
  expect(answer.contacts).toEqual([
    expect.stringMatching(/^<[^>]*>;expires=120;reg-id=1;\+sip\.instance="<urn:uuid:a>"(;|$)/),
  ]);
  expect(answer.contacts[0]).toContain(`<${browser.contactUri}>`);
  expect(answer.header("Require")).toBe("outbound");
  expect(answer.header("Flow-Timer")).toBe("120");
  expect(answer.header("Supported")).toBe("outbound, path, gruu");
  expect(answer.header("To")).toMatch(/;tag=/);
});

test("a REGISTER without Contact asks only, and needs a login as well", () => {
  const browser = bench.browser("a");
  expect(browser.register({ contact: undefined }).contacts).toEqual([]);
  browser.register({ headers: ["Expires: 300"] });
  bench.clock.advance(100_000);
  expect(browser.register({ contact: undefined }).contacts).toEqual([expect.stringContaining("expires=200")]);
  expect(browser.send({ contact: undefined }).status).toBe(401);
  expect(bench.events).toEqual(["in a"]);
});

test.each([
  ["the contact's own expires goes before the header", ";expires=200", ["Expires: 100"], 200],
  ["the Expires header counts without one", "", ["Expires: 100"], 100],
  ["the default counts without both", "", [], 300],
  ["a malformed value counts as none", ";expires=soon", ["Expires: -1"], 300],
  ["what is too long is cut", ";expires=999999999999", [], 3600],
])("expiry: %s", (_name, parameter, headers, granted) => {
  const browser = bench.browser("a");
  const answer = browser.register({ contact: browser.contact(parameter), headers });
  expect(answer.contacts[0]).toContain(`;expires=${granted};`);
});

test("too short an expiry gets 423 with Min-Expires and changes nothing", () => {
  const browser = bench.browser("a");
  const answer = browser.register({ headers: ["Expires: 29"] });
  expect(answer.status).toBe(423);
  expect(answer.header("Min-Expires")).toBe("30");
  expect(bench.registrar.size).toBe(0);
});

test("a refresh prolongs the binding, without one it expires", () => {
  const browser = bench.browser("a");
  browser.register({ headers: ["Expires: 100"] });
  bench.clock.advance(90_000);
  browser.register({ headers: ["Expires: 100"] });
  bench.clock.advance(99_999);
  expect(bench.events).toEqual(["in a"]);
  const presence = sipClient(bench.registrar.find("5001"));
  bench.clock.advance(1);
  expect(bench.events).toEqual(["in a", "out a: expired"]);
  // The connection is still open, and running calls go on by it; new ones find nobody.
  expect(presence?.gone).toBe(true);
  expect(sipClient(bench.registrar.find("5001"))).toBeUndefined();
});

test.each([
  ["Expires: 0 with the own contact", (contact: string) => ({ contact, headers: ["Expires: 0"] })],
  ["expires=0 on the contact", (contact: string) => ({ contact: `${contact};expires=0` })],
  ["Contact: * with Expires: 0", () => ({ contact: "*", headers: ["Expires: 0"] })],
])("%s signs out", (_name, parts) => {
  const browser = bench.browser("a");
  browser.register();
  const answer = browser.register(parts(browser.contact()));
  expect(answer.status).toBe(200);
  expect(answer.contacts).toEqual([]);
  expect(bench.events).toEqual(["in a", "out a: signed out"]);
  expect(bench.registrar.findByFlow(browser.flow)).toBeUndefined();
});

test.each([
  ["a star without Expires", { contact: "*" }],
  ["a star with another expiry", { contact: "*", headers: ["Expires: 10"] }],
  ["a star beside a contact", { contact: "*, <sip:x@y.invalid>", headers: ["Expires: 0"] }],
  ["a contact that is no SIP URI", { contact: "<mailto:a@b.test>" }],
  ["a contact that is no address", { contact: "<>" }],
  ["a contact without end", { contact: `<sip:${"x".repeat(600)}@y.invalid>` }],
])("%s gets 400", (_name, parts) => {
  const browser = bench.browser("a");
  expect(browser.register(parts).status).toBe(400);
  expect(bench.registrar.size).toBe(0);
});

test("a wrong password, an unknown DN and another DN's password get 403", () => {
  const browser = bench.browser("a");
  expect(browser.register({ password: "wrong" }).status).toBe(403);
  expect(browser.register({ dn: "4000", username: "4000" }).status).toBe(403);
  expect(browser.register({ dn: "5001", username: "5002" }).status).toBe(403);
  expect(bench.registrar.size).toBe(0);
  expect(bench.registrar.counters.failedLogins).toBe(3);
});

test("an account taken out of the list is refused though its password is right", () => {
  bench.close();
  bench = registrarBench({ accounts: new Set(["5002"]) });
  expect(bench.browser("a").register().status).toBe(403);
});

test("a DN with escapes in the URI is the DN", () => {
  const browser = bench.browser("a");
  expect(browser.register({ dn: "%35001", username: "5001" }).status).toBe(200);
  expect(sipClient(bench.registrar.find("5001"))).toBeDefined();
});

test("after ten wrong passwords an address waits, others and other DNs there do not", () => {
  const attacker = bench.browser("x");
  for (let attempt = 0; attempt < 10; attempt++)
    expect(attacker.register({ password: "guess" }).status).toBe(403);
  const answer = attacker.register();
  expect(answer.text).toBe("SIP/2.0 403 Too Many Failed Logins");
  expect(Number(answer.header("Retry-After"))).toBe(30);
  expect(bench.browser("y").register({ dn: "5002" }).status).toBe(200);
  expect(bench.browser("z", new TestFlow("192.0.2.51")).register().status).toBe(200);
  bench.clock.advance(30_000);
  expect(attacker.register().status).toBe(200);
  expect(bench.registrar.counters.blockedLogins).toBe(1);
});

test("one address that tries many DNs is stopped for all of them", () => {
  const attacker = bench.browser("x");
  for (let dn = 5001; dn <= 5100; dn++) attacker.register({ dn: String(dn), password: "guess" });
  expect(attacker.register({ dn: "5200" }).text).toBe("SIP/2.0 403 Too Many Failed Logins");
  expect(bench.browser("b", new TestFlow("192.0.2.51")).register({ dn: "5200" }).status).toBe(200);
});

test("who is signed in goes on refreshing though strangers behind the same address have had it stopped", () => {
  const agent = bench.browser("agent");
  expect(agent.register({ dn: "5900" }).status).toBe(200);
  const attacker = bench.browser("x");
  for (let dn = 5001; dn <= 5100; dn++) attacker.register({ dn: String(dn), password: "guess" });
  expect(attacker.register({ dn: "5901" }).status).toBe(403);
  expect(agent.register({ dn: "5900" }).status).toBe(200);
});

test("a right password makes good the wrong ones before it", () => {
  const browser = bench.browser("a");
  for (let round = 0; round < 3; round++) {
    for (let attempt = 0; attempt < 9; attempt++) browser.register({ password: "typo" });
    expect(browser.register().status).toBe(200);
  }
});

test("an extension that is not there gets 420 by name, outbound and path are taken", () => {
  const browser = bench.browser("a");
  const answer = browser.register({ headers: ["Require: outbound, join"] });
  expect(answer.status).toBe(420);
  expect(answer.header("Unsupported")).toBe("join");
  expect(browser.register({ headers: ["Require: outbound, path, gruu"] }).status).toBe(200);
});

test("a request URI of another scheme gets 416", () => {
  expect(bench.browser("a").register({ uri: "tel:+1" }).status).toBe(416);
});

test("a REGISTER older than the last one of its Call-ID is refused with 500", () => {
  const browser = bench.browser("a");
  browser.register();
  browser.register();
  browser.sequence = 0;
  expect(browser.register().text).toBe("SIP/2.0 500 CSeq Out Of Order");
  expect(bench.registrar.size).toBe(1);
});

test("more than one contact in a REGISTER is refused, old ones may be taken away beside a new one", () => {
  const browser = bench.browser("a");
  const two = "<sip:one@x.invalid>, <sip:two@x.invalid>";
  expect(browser.register({ contact: two }).text).toBe("SIP/2.0 403 Too Many Contacts");
  expect(browser.register({ contact: `<sip:one@x.invalid>;expires=0, ${browser.contact()}` }).status).toBe(
    200,
  );
  expect(bench.events).toEqual(["in a"]);
});

test("the newest browser wins: the former is signed out as replaced and the DN is never empty", () => {
  const seen: unknown[] = [];
  bench.registrar.events.on("signed-out", () => seen.push(sipClient(bench.registrar.find("5001"))?.instance));
  const [old, young] = [bench.browser("old"), bench.browser("young")];
  old.register();
  const former = sipClient(bench.registrar.find("5001"));
  const answer = young.register();
  expect(answer.contacts).toHaveLength(1);
  expect(bench.events).toEqual(["in old", "out old: replaced", "in young"]);
  expect(seen).toEqual(["<urn:uuid:young>"]);
  expect(former?.gone).toBe(true);
  expect(bench.registrar.findByFlow(old.flow)).toBeUndefined();
});

test("a replaced tab's late un-REGISTER, star and socket end leave the new one alone", () => {
  const [old, young] = [bench.browser("old"), bench.browser("young")];
  old.register();
  young.register();
  bench.events.length = 0;
  expect(old.register({ headers: ["Expires: 0"] }).status).toBe(200);
  const star = old.register({ contact: "*", headers: ["Expires: 0"] });
  expect(star.status).toBe(200);
  expect(star.contacts).toEqual([expect.stringContaining(young.contactUri)]);
  bench.cut(old);
  expect(bench.events).toEqual([]);
  expect(sipClient(bench.registrar.find("5001"))?.reachable).toBe(true);
});

test("a replaced tab's refresh is refused, also from a new connection, until the new one is gone", () => {
  const [old, young] = [bench.browser("old"), bench.browser("young")];
  old.register();
  young.register();
  expect(old.register().text).toBe("SIP/2.0 403 Replaced By A Newer Sign-In");
  old.flow = new TestFlow();
  expect(old.register().status).toBe(403);
  bench.cut(young);
  expect(old.register().status).toBe(200);
  expect(bench.events.slice(-2)).toEqual(["out young: replaced", "in old"]);
});

test("a replaced page that is loaded anew signs in again", () => {
  const [old, young] = [bench.browser("old"), bench.browser("young")];
  old.register();
  young.register();
  const reloaded = bench.browser("reloaded");
  reloaded.instance = old.instance;
  expect(reloaded.register().status).toBe(200);
  expect(sipClient(bench.registrar.find("5001"))?.instance).toBe(old.instance);
});

test("policy first: a second browser is refused while the former is reachable", () => {
  bench.close();
  bench = registrarBench({ policy: { severalBrowsers: "first" } });
  const [one, two] = [bench.browser("one"), bench.browser("two")];
  one.register();
  expect(two.register().text).toBe("SIP/2.0 403 Signed In Elsewhere");
  bench.cut(one);
  expect(two.register().status).toBe(200);
});

test("a connection serves one DN; a new instance on it takes the place of the former", () => {
  const browser = bench.browser("a");
  browser.register();
  expect(browser.register({ dn: "5002" }).text).toBe("SIP/2.0 403 Connection Serves Another DN");
  const second = bench.browser("b", browser.flow);
  expect(second.register().status).toBe(200);
  expect(bench.events).toEqual(["in a", "out a: replaced", "in b"]);
  expect(bench.registrar.findByFlow(browser.flow)?.instance).toBe("<urn:uuid:b>");
});

test("a lost socket starts a grace of 5 s, then the client is signed out", () => {
  const browser = bench.browser("a");
  browser.register();
  const presence = sipClient(bench.registrar.find("5001"));
  bench.cut(browser);
  expect(presence).toMatchObject({ reachable: false, gone: false, flow: undefined });
  expect(sipClient(bench.registrar.find("5001"))).toBe(presence);
  bench.clock.advance(4_999);
  expect(bench.events).toEqual(["in a", "lost a"]);
  bench.clock.advance(1);
  expect(bench.events).toEqual(["in a", "lost a", "out a: connection lost"]);
  expect(presence?.gone).toBe(true);
});

test("with a running call the grace is 30 s, and ends early when the call does", () => {
  const browser = bench.browser("a");
  browser.register();
  bench.calls.add("5001 <urn:uuid:a>");
  bench.cut(browser);
  bench.clock.advance(29_999);
  expect(bench.events).toEqual(["in a", "lost a"]);
  bench.clock.advance(1);
  expect(bench.events.at(-1)).toBe("out a: connection lost");

  const other = bench.browser("b");
  other.register();
  bench.calls.add("5001 <urn:uuid:b>");
  bench.cut(other);
  bench.clock.advance(12_000);
  bench.calls.clear();
  bench.clock.advance(3_000);
  expect(bench.events.at(-1)).toBe("out b: connection lost");
});

test("the same instance on a new socket resumes, also when the old socket's end was not noticed yet", () => {
  const browser = bench.browser("a");
  browser.register();
  const presence = sipClient(bench.registrar.find("5001"));
  bench.cut(browser);
  browser.flow = new TestFlow();
  expect(browser.register().status).toBe(200);
  expect(presence?.flow).toBe(browser.flow);

  const stale = browser.flow;
  browser.flow = new TestFlow();
  browser.register();
  expect(bench.registrar.findByFlow(stale)).toBeUndefined();
  expect(bench.registrar.findByFlow(browser.flow)).toBe(presence);
  bench.registrar.flowClosed(stale);
  bench.clock.advance(60_000);
  expect(bench.events).toEqual(["in a", "lost a", "back a", "back a"]);
  expect(bench.registrar.size).toBe(1);
});

test("a page reloaded within the grace (new Call-ID, same instance) resumes", () => {
  const browser = bench.browser("a");
  browser.register();
  bench.cut(browser);
  const reloaded = bench.browser("reloaded");
  reloaded.instance = browser.instance;
  reloaded.register();
  expect(bench.events).toEqual(["in a", "lost a", "back a"]);
});

test("a binding in its grace is signed out by its own star from a new socket", () => {
  const browser = bench.browser("a");
  browser.register();
  bench.cut(browser);
  browser.flow = new TestFlow();
  browser.register({ contact: "*", headers: ["Expires: 0"] });
  expect(bench.events.at(-1)).toBe("out a: signed out");
});

test("who waits for a flow gets it when the client comes back, at once when it is there", async () => {
  const browser = bench.browser("a");
  browser.register();
  const presence = sipClient(bench.registrar.find("5001"));
  expect(await presence?.waitForFlow(5_000)).toBe(browser.flow);
  bench.cut(browser);
  const waiting = presence?.waitForFlow(5_000);
  bench.clock.advance(2_000);
  browser.flow = new TestFlow();
  browser.register();
  expect(await waiting).toBe(browser.flow);
});

test("who waits for a flow in vain gets none: time over, signed out, or closed", async () => {
  const browser = bench.browser("a");
  browser.register();
  const presence = sipClient(bench.registrar.find("5001"));
  bench.cut(browser);
  const short = presence?.waitForFlow(1_000);
  const long = presence?.waitForFlow(60_000);
  bench.clock.advance(1_000);
  expect(await short).toBeUndefined();
  bench.clock.advance(4_000);
  expect(await long).toBeUndefined();
  expect(await presence?.waitForFlow(60_000)).toBeUndefined();

  const other = bench.browser("b");
  other.register();
  const second = sipClient(bench.registrar.find("5001"));
  bench.cut(other);
  const pending = second?.waitForFlow(60_000);
  bench.registrar.close();
  expect(await pending).toBeUndefined();
});

test("a client without instance (SIP.js) keeps its presence over a reconnect", () => {
  const browser = bench.browser("a");
  browser.instance = undefined;
  const answer = browser.register();
  expect(answer.contacts[0]).not.toContain("+sip.instance");
  expect(answer.header("Require")).toBeUndefined();
  const presence = sipClient(bench.registrar.find("5001"));
  expect(presence?.instance).toBe("contact:user-a@5001");
  bench.cut(browser);
  browser.flow = new TestFlow();
  browser.register();
  expect(sipClient(bench.registrar.find("5001"))).toBe(presence);
  expect(bench.events.at(-1)).toBe("back contact:user-a@5001");
});

test("two pages without instance that use one contact name are two clients", () => {
  const [one, two] = [bench.browser("one"), bench.browser("two")];
  for (const browser of [one, two]) {
    browser.instance = undefined;
    browser.contactUser = "5001";
  }
  one.register();
  two.register();
  expect(bench.events).toEqual([
    "in contact:5001@5001",
    "out contact:5001@5001: replaced",
    "in contact:5001@5001#call-two",
  ]);
  expect(one.register({ headers: ["Expires: 0"] }).status).toBe(200);
  expect(one.register().status).toBe(403);
  bench.cut(two);
  two.flow = new TestFlow();
  two.register();
  expect(bench.events.at(-1)).toBe("back contact:5001@5001#call-two");
  expect(bench.registrar.size).toBe(1);
});

test("a listener that throws harms neither the registrar nor the answer", () => {
  bench.registrar.events.on("signed-in", () => {
    throw new Error("listener fault");
  });
  expect(bench.browser("a").register().status).toBe(200);
  expect(bench.registrar.events.listenerErrors).toBe(1);
});

test("999 agents sign in and out and nothing stays", { timeout: 30_000 }, () => {
  const browsers = Array.from({ length: 999 }, (_value, index) => bench.browser(`b${index}`));
  for (const [index, browser] of browsers.entries())
    expect(browser.register({ dn: String(5001 + index) }).status).toBe(200);
  expect(bench.registrar.size).toBe(999);
  for (const [index, browser] of browsers.entries()) {
    if (index % 2 === 0)
      browser.register({ dn: String(5001 + index), contact: "*", headers: ["Expires: 0"] });
    else bench.cut(browser);
  }
  bench.clock.advance(60_000);
  expect(bench.registrar.size).toBe(0);
  expect(bench.registrar.counters).toMatchObject({ signedIn: 999, signedOut: 999 });
  expect(bench.layer.counts.server).toBe(0);
  expect(bench.clock.pendingTimers).toBe(0);
});

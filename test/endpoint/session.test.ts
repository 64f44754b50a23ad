import { once } from "node:events";
import type { Readable } from "node:stream";
import { expect, it } from "vitest";
import {
  EndpointSessions,
  orderPatienceMs,
  type PageOrder,
  type PageState,
} from "../../src/endpoint/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { Dns, keepingLog, settle } from "./support.ts";

const life = 120_000;
const microphone = { muted: false, volume: 100 };
const state: PageState = { signed_in: true, microphone, speaker: microphone, call: null };

/** `isHeard`: the page answers each sign of life. */
function openSessions(isHeard = true) {
  const clock = new FakeClock();
  const dns = new Dns();
  const log = keepingLog();
  const { registrar, trunk, credentialsFor, signOut, busy, isOver } = dns;
  const sessions = new EndpointSessions({
    registrar,
    trunk,
    credentialsFor,
    signOut,
    busy,
    isOver,
    clock,
    log,
  });
  const warnings = (): string[] =>
    log.lines.filter(({ level }) => level === "warn").map(({ message }) => message);
  const session = sessions.of("5001");
  const line = session.page;
  const keepAlive = line.keepAlive.bind(line);
  line.keepAlive = () => {
    keepAlive();
    if (isHeard) line.receiveState(state);
  };
  return { clock, dns, sessions, session, warnings };
}

/** What a page reads, as it comes; `drain` reads what is there. */
function reader(stream: Readable) {
  let text = "";
  const drain = (): void => {
    for (let part: unknown = stream.read(); part !== null; part = stream.read())
      text += (part as Buffer).toString();
  };
  const orders = (): PageOrder[] => {
    drain();
    return Array.from(
      text.matchAll(/^event: order\ndata: (.*)$/gm),
      ([, json = ""]) => JSON.parse(json) as PageOrder,
    );
  };
  return {
    stream,
    orders,
    names: (): string[] => orders().map(({ order }) => order),
    get text() {
      drain();
      return text;
    },
  };
}

const page = (issuedAt: number) => ({ dn: "5001", id: "0123456789abcdef", issuedAt });

it("RegisterDn tells a page that is there to sign in, and the DN is active once SIP Server has it in service", async () => {
  const { session, dns } = openSessions();
  const { names, orders } = reader(session.openPage(page(1)));
  await settle();
  expect(names()).toEqual([]);
  session.register();
  await settle();
  expect(orders()).toMatchObject([{ order: "sign-in", credentials: { dn: "5001", realm: "jackfield" } }]);
  expect(session.state).toBe("wanted");
  dns.signIn("5001", "registering");
  expect(session.active).toBe(false);
  dns.signIn("5001", "in-service");
  expect(session.active).toBe(true);
  expect(session.state).toBe("active");
});

it("a DN in service whose client cannot be reached is not active", () => {
  const { session, dns } = openSessions();
  session.register();
  dns.signIn("5001");
  dns.presences.set("5001", { reachable: false });
  expect(session.active).toBe(false);
});

it("a page that comes after RegisterDn is told on connecting, each time it connects", async () => {
  const { session } = openSessions();
  session.register();
  const first = reader(session.openPage(page(1)));
  await settle();
  const second = reader(session.openPage(page(1)));
  await settle();
  expect(first.names()).toEqual(["sign-in"]);
  expect(second.names()).toEqual(["sign-in"]);
  expect(first.text).not.toContain("replaced");
});

it("RegisterDn repeated, also after a reload of WWE, causes no new registration", async () => {
  const { session, dns } = openSessions();
  const { names } = reader(session.openPage(page(1)));
  session.register();
  session.register();
  await settle();
  expect(names()).toEqual(["sign-in"]);
  session.page.receiveResult(1, { ok: true, reason: "" });
  dns.signIn("5001");
  await settle();
  session.register();
  await settle();
  expect(names()).toEqual(["sign-in"]);
  expect(session.active).toBe(true);
});

it("a DN in service that nobody asked for, as after a restart, is taken as wanted when WWE is heard of", () => {
  const { session, dns } = openSessions();
  dns.signIn("5001");
  expect(session.active).toBe(false);
  session.heard("0123456789abcdef", false);
  expect(session.active).toBe(true);
});

it("WWE that only pings has its DN back after a restart of gateway and page: the page that comes is signed in", async () => {
  const { session } = openSessions();
  session.heard("0123456789abcdef", false);
  expect(session.state).toBe("idle");
  session.heard("0123456789abcdef", true);
  expect(session.state).toBe("wanted");
  const { names } = reader(session.openPage(page(1)));
  await settle();
  expect(names()).toEqual(["sign-in"]);
});

it("WWE that pings on after a silence, as on a PC that slept, has its DN back; after UnregisterDn it has not", async () => {
  const { session, clock } = openSessions();
  session.register();
  const { names, orders } = reader(session.openPage(page(1)));
  await settle();
  session.page.receiveResult(orders()[0]?.id ?? 0, { ok: true, reason: "" });
  clock.advance(life);
  session.page.receiveResult(orders()[1]?.id ?? 0, { ok: true, reason: "" });
  await settle();
  expect(names()).toEqual(["sign-in", "sign-out"]);
  session.heard("0123456789abcdef", true);
  await settle();
  expect(names()).toEqual(["sign-in", "sign-out", "sign-in"]);
  session.unregister();
  session.heard("0123456789abcdef", true);
  expect(session.state).toBe("idle");
});

it("UnregisterDn signs the page out, and the DN is not active from then on", async () => {
  const { session, dns } = openSessions();
  const { orders } = reader(session.openPage(page(1)));
  dns.signIn("5001");
  session.register();
  session.unregister();
  expect(session.active).toBe(false);
  session.heard("0123456789abcdef", false);
  expect(session.active).toBe(false);
  const [{ id, order } = { id: 0, order: "" }] = orders();
  expect(order).toBe("sign-out");
  dns.leave("5001");
  session.page.receiveResult(id, { ok: true, reason: "" });
  await settle();
  expect(dns.signedOut).toEqual([]);
});

it("UnregisterDn leaves another client of the DN alone where the page has signed out", async () => {
  const { session, dns } = openSessions();
  const { orders } = reader(session.openPage(page(1)));
  dns.signIn("5001");
  session.register();
  session.unregister();
  session.page.receiveResult(orders()[0]?.id ?? 0, { ok: true, reason: "" });
  await settle();
  expect(dns.signedOut).toEqual([]);
  expect(session.active).toBe(false);
});

it("UnregisterDn signs the DN out against a page that does not answer, and without a page at once", async () => {
  const { session, dns, clock } = openSessions();
  session.openPage(page(1));
  dns.signIn("5001");
  session.register();
  session.unregister();
  await clock.advanceAsync(orderPatienceMs - 1, 1000);
  expect(dns.signedOut).toEqual([]);
  await clock.advanceAsync(1);
  expect(dns.signedOut).toEqual(["5001: WWE has un-registered the DN"]);

  const alone = openSessions();
  alone.dns.signIn("5001");
  alone.session.register();
  alone.session.unregister();
  await settle();
  expect(alone.dns.signedOut).toHaveLength(1);
});

it("RegisterDn while the page still signs out brings it in again afterwards", async () => {
  const { session, dns } = openSessions();
  const { names, orders } = reader(session.openPage(page(1)));
  dns.signIn("5001");
  session.register();
  session.unregister();
  session.register();
  await settle();
  expect(names()).toEqual(["sign-out"]);
  dns.leave("5001");
  session.page.receiveResult(orders()[0]?.id ?? 0, { ok: true, reason: "" });
  await settle();
  expect(names()).toEqual(["sign-out", "sign-in"]);
  expect(dns.signedOut).toEqual([]);
});

it("a page that connects after UnregisterDn is told to sign out", async () => {
  const { session } = openSessions();
  session.register();
  session.unregister();
  await settle();
  expect(reader(session.openPage(page(1))).names()).toEqual(["sign-out"]);
});

it("silence of 120 s ends a session, its DN in its grace time is un-registered, and nothing is left", async () => {
  const { session, sessions, dns, clock } = openSessions();
  dns.signIn("5001");
  session.register();
  dns.presences.set("5001", { reachable: false });
  clock.advance(life - 1);
  expect(sessions.size).toBe(1);
  expect(dns.signedOut).toEqual([]);
  clock.advance(1);
  await settle();
  expect(dns.signedOut).toEqual(["5001: WWE was not heard of"]);
  expect(sessions.size).toBe(0);
  clock.advance(60_000);
  expect(clock.pendingTimers).toBe(0);
});

it("any request of WWE's keeps the session", () => {
  const { session, sessions, clock } = openSessions();
  for (let minute = 0; minute < 10; minute++) {
    clock.advance(60_000);
    session.heard("0123456789abcdef", false);
  }
  expect(sessions.size).toBe(1);
});

it("silence does not un-register a DN whose client is connected", async () => {
  const { session, dns, clock, sessions } = openSessions();
  dns.signIn("5001");
  session.register();
  clock.advance(10 * life);
  await settle();
  expect(dns.signedOut).toEqual([]);
  expect(session.active).toBe(true);
  dns.leave("5001");
  clock.advance(life);
  expect(sessions.size).toBe(0);
});

it("a longer ping period makes a longer life", () => {
  const { session, sessions, clock } = openSessions();
  session.lifeMs = 300_000;
  clock.advance(299_999);
  expect(sessions.size).toBe(1);
  clock.advance(1);
  expect(sessions.size).toBe(0);
});

it("silence tells a page whose WebSocket is down to sign out, and keeps its session", async () => {
  const { session, sessions, clock, dns } = openSessions();
  session.register();
  const { names } = reader(session.openPage(page(1)));
  await settle();
  clock.advance(life);
  await clock.advanceAsync(orderPatienceMs, 1000);
  expect(names()).toEqual(["sign-in", "sign-out"]);
  expect(dns.signedOut).toEqual([]);
  expect(sessions.size).toBe(1);
  expect(session.state).toBe("idle");
});

it("a newer page takes over: the older one is told and is let in no more", async () => {
  const { session } = openSessions();
  session.register();
  const older = reader(session.openPage(page(1)));
  const ended = once(older.stream, "end");
  await settle();
  const newer = reader(session.openPage(page(2)));
  await settle();
  expect(older.text).toContain("event: replaced\ndata: {}\n\n");
  await ended;
  expect(newer.names()).toEqual(["sign-in"]);
  expect(session.page.admits(page(1))).toBe(false);
  expect(session.page.admits(page(2))).toBe(true);
  expect(session.page.connected).toBe(true);
});

it("an order without a page, without an answer within 5 s or of a page that leaves has failed", async () => {
  const { session, clock } = openSessions();
  const work = { order: "sound", microphone: { muted: true } } as const;
  expect(await session.order(work)).toEqual({ ok: false, reason: "no page is open" });
  const stream = session.openPage(page(1));
  const late = session.order(work);
  clock.advance(orderPatienceMs);
  expect(await late).toEqual({ ok: false, reason: "the page gives no answer" });
  const left = session.order(work);
  stream.destroy();
  expect(await left).toEqual({ ok: false, reason: "the page is gone" });
  expect(session.page.connected).toBe(false);
});

it("takes a result once, and for its own order", async () => {
  const { session, sessions, clock } = openSessions();
  session.openPage(page(1));
  const first = session.order({ order: "call", act: "answer" });
  const second = session.order({ order: "call", act: "hold" });
  session.page.receiveResult(2, { ok: false, reason: "there is no call" });
  session.page.receiveResult(2, { ok: true, reason: "" });
  session.page.receiveResult(99, { ok: true, reason: "" });
  session.page.receiveResult(1, { ok: true, reason: "" });
  expect(await first).toEqual({ ok: true, reason: "" });
  expect(await second).toEqual({ ok: false, reason: "there is no call" });
  sessions.close();
  expect(clock.pendingTimers).toBe(0);
});

it("refuses orders beyond 16 that wait, and cuts off a page that does not read", async () => {
  const { session, warnings } = openSessions();
  session.openPage(page(1));
  for (let count = 0; count < 16; count++) void session.order({ order: "call", act: "hold" });
  expect(await session.order({ order: "call", act: "hold" })).toMatchObject({
    ok: false,
    reason: /too many/,
  });
  for (let count = 0; count < 10_000 && session.page.connected; count++) session.page.keepAlive();
  expect(session.page.connected).toBe(false);
  expect(warnings()).toContainEqual(expect.stringContaining("does not read"));
});

it("a page that cannot be signed in is told of in the log, and others are tried again", async () => {
  const { session, dns, warnings } = openSessions();
  dns.refusal = "the agents' directory gives no answer";
  const { names } = reader(session.openPage(page(1)));
  session.register();
  await settle();
  expect(names()).toEqual([]);
  expect(warnings()).toContainEqual(expect.stringContaining("nothing signs the page in"));
  dns.refusal = undefined;
  session.register();
  await settle();
  expect(names()).toEqual(["sign-in"]);
});

it("options of WWE's are told to the page, and again when it connects", async () => {
  const { session } = openSessions();
  session.setOptions({ order: "options", noiseSuppression: true });
  const { orders } = reader(session.openPage(page(1)));
  expect(orders()).toMatchObject([{ order: "options", noiseSuppression: true }]);
  session.setOptions({ order: "options", autoGainControl: false });
  expect(orders()).toHaveLength(2);
});

it("closing leaves no timer", async () => {
  const { sessions, session, clock } = openSessions();
  session.register();
  session.openPage(page(1));
  await settle();
  sessions.close();
  sessions.close();
  expect(clock.pendingTimers).toBe(0);
  expect(sessions.size).toBe(0);
});

it("a page that could not sign in is told again, until it has, though WWE asks once", async () => {
  const { session, dns, clock } = openSessions();
  const { names, orders } = reader(session.openPage(page(1)));
  session.register();
  await settle();
  session.page.receiveResult(orders()[0]?.id ?? 0, { ok: false, reason: "the microphone is taken" });
  await clock.advanceAsync(20_000);
  await settle();
  expect(names()).toEqual(["sign-in", "sign-in"]);
  session.page.receiveResult(orders()[1]?.id ?? 0, { ok: true, reason: "" });
  dns.signIn("5001");
  await clock.advanceAsync(60_000);
  expect(names()).toHaveLength(2);
});

it("a page whose SIP credentials have run out is signed in with new ones, after its call; whom others signed out is not", async () => {
  const { session, dns, clock } = openSessions();
  dns.credentialsUntil = new Date(clock.wallClock() + 100_000).toISOString();
  const { names, orders } = reader(session.openPage(page(1)));
  session.register();
  await settle();
  session.page.receiveResult(orders()[0]?.id ?? 0, { ok: true, reason: "" });
  dns.signIn("5001");
  await settle();
  dns.leave("5001");
  await clock.advanceAsync(80_000);
  await settle();
  expect(names()).toEqual(["sign-in"]);
  dns.inCall.add("5001");
  await clock.advanceAsync(40_000);
  await settle();
  expect(names()).toEqual(["sign-in"]);
  dns.inCall.clear();
  await clock.advanceAsync(20_000);
  await settle();
  expect(names()).toEqual(["sign-in", "sign-in"]);
});

it("silence of WWE while the page's WebSocket is lost does not sign a page out that has a call", async () => {
  const { session, dns, clock } = openSessions();
  const { names, orders } = reader(session.openPage(page(1)));
  session.register();
  await settle();
  session.page.receiveResult(orders()[0]?.id ?? 0, { ok: true, reason: "" });
  dns.presences.set("5001", { reachable: false });
  dns.inCall.add("5001");
  await clock.advanceAsync(3 * life, 20_000);
  await settle();
  expect(names()).not.toContain("sign-out");
  expect(dns.signedOut).toEqual([]);
  dns.inCall.clear();
  await clock.advanceAsync(life, 20_000);
  await settle();
  expect(names()).toContain("sign-out");
});

it("a page whose session is over is let go, but not in a call", async () => {
  const { session, dns, clock } = openSessions();
  session.openPage(page(1));
  dns.over.add(1);
  dns.inCall.add("5001");
  await clock.advanceAsync(60_000);
  expect(session.page.connected).toBe(true);
  dns.inCall.clear();
  await clock.advanceAsync(20_000);
  expect(session.page.connected).toBe(false);
});

it("UnregisterDn in a call signs the DN out after it; RegisterDn meanwhile takes that back", async () => {
  const { session, dns, clock } = openSessions();
  const { names } = reader(session.openPage(page(1)));
  session.register();
  dns.signIn("5001");
  dns.inCall.add("5001");
  session.unregister();
  await clock.advanceAsync(60_000, 20_000);
  expect(session.active).toBe(false);
  const before = names().length;
  expect(names()).not.toContain("sign-out");
  session.register();
  dns.inCall.clear();
  await clock.advanceAsync(60_000, 20_000);
  expect(names()).toHaveLength(before);
  dns.inCall.add("5001");
  session.unregister();
  session.openPage(page(2)).on("data", () => {});
  dns.inCall.clear();
  await clock.advanceAsync(26_000, 1000);
  await settle();
  expect(dns.signedOut).toEqual(["5001: WWE has un-registered the DN"]);
});

it("why a page does not sign in is said once, however often it is tried", async () => {
  const { session, dns, clock, warnings } = openSessions();
  session.openPage(page(1));
  dns.refusal = "nobody may sign in with this DN";
  session.register();
  await settle();
  await clock.advanceAsync(100_000, 20_000);
  expect(warnings()).toEqual(["endpoint: nothing signs the page in"]);
});

it("a page that answers no order, as of a PC that lost its power, counts as gone after the second", async () => {
  const { session, clock } = openSessions();
  const { names } = reader(session.openPage(page(1)));
  session.register();
  await settle();
  await clock.advanceAsync(orderPatienceMs);
  expect(session.page.connected).toBe(true);
  await clock.advanceAsync(20_000, 5000);
  await settle();
  await clock.advanceAsync(orderPatienceMs);
  expect(names()).toHaveLength(2);
  expect(session.page.connected).toBe(false);
});

it("a page that answered in between is not gone", async () => {
  const { session, clock } = openSessions();
  const { orders } = reader(session.openPage(page(1)));
  for (let turn = 0; turn < 3; turn++) {
    const late = session.order({ order: "sound" });
    await clock.advanceAsync(orderPatienceMs);
    expect((await late).ok).toBe(false);
    session.page.receiveResult(orders().at(-1)?.id ?? 0, { ok: true, reason: "" });
  }
  expect(session.page.connected).toBe(true);
});

it("pings of a DN that is unknown, as after a restart of the gateway alone, tell the page that is there to sign in, once", async () => {
  const { session } = openSessions();
  const { names } = reader(session.openPage(page(1)));
  session.heard("0123456789abcdef", false);
  await settle();
  expect([session.state, names()]).toEqual(["idle", []]);
  session.heard("0123456789abcdef", true);
  session.heard("0123456789abcdef", true);
  await settle();
  expect([session.state, names()]).toEqual(["wanted", ["sign-in"]]);
});

it("a ping that comes while the page still signs out after a silence brings it in again afterwards", async () => {
  const { session, clock } = openSessions();
  const { names, orders } = reader(session.openPage(page(1)));
  session.register();
  await settle();
  clock.advance(life);
  await settle();
  session.heard("0123456789abcdef", true);
  expect(session.state).toBe("wanted");
  session.page.receiveResult(orders().at(-1)?.id ?? 0, { ok: true, reason: "" });
  await settle();
  expect(names()).toEqual(["sign-in", "sign-out", "sign-in"]);
  session.unregister();
  session.heard("0123456789abcdef", true);
  await settle();
  expect(session.state).toBe("idle");
});

it("a page that is not heard of, as of a PC without a cable, is gone within a minute, and its DN not active until one connects", async () => {
  const { session, dns, clock } = openSessions(false);
  session.openPage(page(1));
  dns.signIn("5001");
  session.register();
  for (let turn = 0; turn < 5; turn++) {
    await clock.advanceAsync(20_000, 1000);
    session.page.receiveState(state);
  }
  expect([session.page.connected, session.active]).toEqual([true, true]);
  await clock.advanceAsync(60_000, 1000);
  expect([session.page.connected, session.active]).toEqual([false, false]);
  session.openPage(page(1));
  expect(session.active).toBe(true);
});

it("a page that was signed out, and that nothing could sign in at the next RegisterDn, is told again once something can", async () => {
  const { session, dns, clock } = openSessions();
  const { names, orders } = reader(session.openPage(page(1)));
  const carriedOut = async (): Promise<void> => {
    await settle();
    session.page.receiveResult(orders().at(-1)?.id ?? 0, { ok: true, reason: "" });
    await settle();
  };
  session.register();
  await carriedOut();
  session.unregister();
  await carriedOut();
  dns.refusal = "the directory gives no answer";
  session.register();
  await settle();
  dns.refusal = undefined;
  await clock.advanceAsync(20_000, 1000);
  expect(names()).toEqual(["sign-in", "sign-out", "sign-in"]);
});

it("pages get their signs of life by turns: all that answer at once would keep calls waiting", async () => {
  const { sessions, clock } = openSessions();
  const pages = Array.from({ length: 60 }, (_, index) => {
    const dn = String(6000 + index);
    return reader(sessions.of(dn).openPage({ ...page(1), dn }));
  });
  const signs = (): number => pages.reduce((sum, { text }) => sum + text.split("event: alive").length - 1, 0);
  let most = 0;
  for (let second = 0; second < 20; second++) {
    const before = signs();
    await clock.advanceAsync(1000, 1000);
    most = Math.max(most, signs() - before);
  }
  expect([signs(), most]).toEqual([60, 3]);
  expect(pages.every(({ text }) => text.split("event: alive").length === 2)).toBe(true);
});

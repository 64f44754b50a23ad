import { monitorEventLoopDelay } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { headerOf, type Passed } from "./support/front.ts";
import { Lab } from "./support/lab.ts";
import { after, until } from "./support/rtp-phone.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open({
    // Often enough that silence on a REGISTER is never taken for a dead server.
    agents: { accounts: [{ dn: "5008", password: "secret-5008", trunkPassword: "another" }] },
    sipServer: { optionsSeconds: 1, auth: { username: "{dn}", password: "trunk-{dn}" } },
  });
});
afterAll(() => lab.close());

const registers = (dn: string): Passed[] => lab.front.requests("REGISTER", dn);
const distinct = (messages: readonly Passed[], header: string): string[] => [
  ...new Set(messages.map(({ text }) => headerOf(text, header))),
];

describe.concurrent("REGISTER of a DN, with SIPp as SIP Server", () => {
  it("is taken, keeps Call-ID and From tag with rising CSeq, and is taken back at sign-out", async () => {
    const server = await lab.registrar("register-accepted", "5001");
    await server.judge(async () => {
      const browser = await lab.agent("5001");
      await browser.signOut();
    });
    const sent = registers("5001");
    expect(distinct(sent, "CSeq")).toEqual(["1 REGISTER", "2 REGISTER"]);
    expect(distinct(sent, "Call-ID")).toHaveLength(1);
    expect(distinct(sent, "From")).toHaveLength(1);
    expect(distinct(sent, "Contact")).toEqual([`<sip:5001@${lab.address}>`]);
    expect(sent[0]?.text.split(" ")[1]).toBe(`sip:${lab.front.address}`);
  });

  it("that gets 404 is rejected whatever Expires says, and never taken back", async () => {
    const server = await lab.registrar("register-unknown-dn", "5002");
    const browser = await server.judge(async () => {
      const signedIn = await lab.signIn("5002");
      expect(await signedIn.trunkState("rejected")).toContain("404");
      return signedIn;
    });
    lab.release("5002");
    const call = await browser.dial("1003");
    expect(await call.when("failed")).toMatch(/^480 /);
    await browser.signOut();
    await after(700);
    expect(registers("5002")).toHaveLength(1);
  });

  it("that meets silence is repeated at 0.5 and 1.5 s and 3.5 s, given up after 4 s and tried again after a pause", async () => {
    // A busy machine holds up the gateway's timers and what looks at its messages here: each time by so much at most.
    const held = monitorEventLoopDelay({ resolution: 10 });
    held.enable();
    const server = await lab.registrar("register-silence", "5003");
    await server.judge(async () => {
      const browser = await lab.signIn("5003");
      expect(await browser.trunkState("backing-off")).toContain("no answer");
      await browser.trunkState("in-service");
      await browser.signOut();
    });
    held.disable();
    const holdUp = held.max / 1e6;
    const sent = registers("5003");
    const first = sent.filter(({ text }) => headerOf(text, "CSeq") === "1 REGISTER");
    const begin = first[0]?.at ?? 0;
    const times = first.map(({ at }) => at - begin);
    // Each repetition counts from the one before: held up by half a second in all, the last comes behind the 4 s.
    expect(times.length).toBeGreaterThanOrEqual(4 * holdUp < 500 ? 4 : 2);
    expect(times.length).toBeLessThanOrEqual(4);
    for (const [index, due] of [0, 500, 1500, 3500].slice(0, times.length).entries())
      expect(Math.abs((times[index] ?? 0) - due)).toBeLessThan(150 + (index + 1) * holdUp);
    expect(new Set(first.map(({ text }) => text)).size).toBe(1);
    const second = sent.find(({ text }) => headerOf(text, "CSeq") === "2 REGISTER");
    // 4 s until it is given up, then 5 s and up to a fifth of it.
    expect((second?.at ?? 0) - begin).toBeGreaterThan(8900 - holdUp);
    expect((second?.at ?? 0) - begin).toBeLessThan(10_500 + 6 * holdUp);
  });

  it.each([
    ["MD5 with qop=auth", "register-digest-qop", "5004"],
    ["MD5 without qop", "register-digest-no-qop", "5005"],
    ["a nonce that has run out (stale)", "register-digest-stale", "5006"],
  ])("answers a challenge: %s", async (_name, scenario, dn) => {
    const server = await lab.registrar(scenario, dn);
    const browser = await server.judge(() => lab.agent(dn));
    lab.release(dn);
    expect(distinct(registers(dn), "Call-ID")).toHaveLength(1);
    await browser.signOut();
  });

  it("with a wrong password is refused by SIPp, which so proves that it looks", async () => {
    const server = await lab.registrar("register-digest-qop", "5008");
    await lab.signIn("5008");
    await expect(server.success()).rejects.toThrow("wrong digest response");
    lab.release("5008");
  });

  it("whose 200 names another phone is told as stolen and never taken back", async () => {
    const server = await lab.registrar("register-stolen", "5007");
    const browser = await server.judge(() => lab.signIn("5007"));
    await until("stolen", () => lab.gateway.trunkRegistrations.counters.stolen === 1);
    lab.release("5007");
    await browser.signOut();
    await after(700);
    expect(registers("5007")).toHaveLength(1);
  });
});

describe("OPTIONS to SIP Server", () => {
  it("go out about every second as configured, not more", () => {
    const options = lab.front.trace.filter(({ text }) => text.startsWith("OPTIONS "));
    const [first, last] = [options.at(0), options.at(-1)];
    const seconds = ((last?.at ?? 0) - (first?.at ?? 0)) / 1000;
    // On a busy machine one may be repeated before its answer comes.
    const sent = distinct(options, "CSeq").length;
    expect(sent).toBeGreaterThan(3);
    expect(sent - 1).toBeLessThanOrEqual(seconds / 0.95);
  });
});

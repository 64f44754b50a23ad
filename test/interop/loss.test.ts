import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { CallRecord } from "../../src/b2bua/index.ts";
import type { Gateway } from "../../src/cli/index.ts";
import { systemClock, type Clock } from "../../src/core/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { browserSdp } from "../support/descriptions.ts";
import { TestAgent, type TestCall } from "../support/test-agent.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { until } from "./support/rtp-phone.ts";

/**
 * Nine calls at once over real UDP that loses 30 % both ways. Some 1 % of calls may fail (the arithmetic is in
 * test/b2bua/loss.test.ts), so that two of nine would come about in one of two hundred runs. Signalling alone: the
 * agents' media never comes up.
 */

/** Both ends' timers run so much faster, so that 32 s of repeats fit into a test. */
const speed = 10;
const fast: Clock = {
  now: () => systemClock.now() * speed,
  wallClock: () => systemClock.wallClock(),
  setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / speed, callback),
};

/** 185 s of ringing that nobody heard of, and some more. */
const patienceMs = 25_000;

let sandbox: Sandbox;
let gateway: Gateway;
const records: CallRecord[] = [];
const agents: TestAgent[] = [];
const dns = Array.from({ length: 9 }, (_value, index) => String(5001 + index));

beforeAll(async () => {
  sandbox = await openTestSandbox({ clock: fast });
  gateway = await openTestGateway({ sipServer: `127.0.0.1:${sandbox.port}`, clock: fast });
  gateway.onCallRecord((record) => records.push(record));
  const url = `ws://127.0.0.1:${gateway.httpPort}/ws`;
  for (const dn of dns)
    agents.push(await TestAgent.signIn({ url, dn, allowEvents: "talk, x-jackfield-trunk" }));
  await until("registrations", () => sandbox.bindings().length === dns.length);
});
afterAll(async () => {
  for (const agent of agents) agent.close();
  await gateway.close();
  await sandbox.close();
});

/** A call of each kind in turn; the agent answers by talk. Returns how the agent hangs up. */
async function begin(agent: TestAgent, index: number): Promise<() => void> {
  let call: TestCall | undefined;
  agent.onCall = (ringing) => (call = ringing);
  agent.onEvent = (request) => {
    if (request.headers.get("Event") === "talk")
      call?.answer(browserSdp({ setup: "active", payloads: "111 110" }));
  };
  if (index % 3 === 0) call = agent.call("9196", browserSdp());
  else if (index % 3 === 1) await sandbox.ring(agent.dn, "1003", { talkAfterMs: 3 });
  else await sandbox.makeCall(agent.dn, "9196");
  return () => call?.hangUp();
}

const connected = (dn: string): string | undefined =>
  sandbox
    .calls()
    .find(({ state, parties }) => state === "connected" && parties.some(({ name }) => name === dn))?.uuid;

/** A NOTIFY that a later re-INVITE has overtaken gets 500 (RFC 3261 12.2.2); the desktop's user presses again. */
async function insist(press: () => Promise<number>): Promise<void> {
  const statuses: number[] = [];
  while (statuses.length < 4 && statuses.at(-1) !== 200) statuses.push(await press());
  expect(statuses.at(-1), statuses.join()).toBe(200);
}

/** True when the call came up on both sides, was held, retrieved and hung up; false when it never came up. */
async function oneCall(agent: TestAgent, index: number): Promise<boolean> {
  const hangUp = await begin(agent, index);
  const has = (dn: string): boolean =>
    sandbox.calls().some(({ parties }) => parties.some(({ name }) => name === dn)) ||
    gateway.b2bua.calls().some((call) => call.dn === dn);
  await until(`beginning of ${agent.dn}`, () => has(agent.dn), patienceMs);
  await until(`call of ${agent.dn}`, () => connected(agent.dn) !== undefined || !has(agent.dn), patienceMs);
  const uuid = connected(agent.dn);
  if (uuid !== undefined) {
    await insist(() => sandbox.hold(uuid, agent.dn));
    await insist(() => sandbox.retrieve(uuid, agent.dn));
    if (index % 2 === 0) sandbox.hangUp(uuid);
    else hangUp();
  }
  await until(`end of ${agent.dn}`, () => !has(agent.dn), patienceMs);
  return uuid !== undefined;
}

describe("UDP that loses 30 % of the datagrams, with the sandbox as SIP Server", () => {
  it("brings up calls of every kind, holds, retrieves and ends them on both sides, and leaves nothing", async () => {
    sandbox.faults.drop(0.3, 13);
    const came = await Promise.all(agents.map((agent, index) => oneCall(agent, index)));
    expect(came.filter(Boolean).length).toBeGreaterThanOrEqual(dns.length - 1);
    await until("calls over", () => sandbox.calls().length === 0, patienceMs);
    sandbox.faults.drop(0);
    await until("transactions over", () => gateway.counts.transactions === 0, patienceMs);
    const { dialogs, calls, mediaSessions } = gateway.counts;
    expect({ dialogs, calls, mediaSessions }).toEqual({ dialogs: 0, calls: 0, mediaSessions: 0 });
    expect(records.length).toBeGreaterThanOrEqual(dns.length - 1);
  });
});

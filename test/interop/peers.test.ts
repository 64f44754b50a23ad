import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { openTestGateway, openTestSandbox } from "../support/test-gateway.ts";
import { until } from "./support/rtp-phone.ts";

let peers: Sandbox[] = [];
let gateway: Gateway;
let browser: BrowserDouble;

const address = ({ port }: Sandbox): string => `127.0.0.1:${port}`;
const boundAt = (peer: Sandbox): string[] => peer.bindings().map(({ dn }) => dn);

beforeAll(async () => {
  peers = await Promise.all([openTestSandbox(), openTestSandbox()]);
  const sipServer = { addresses: peers.map(address), scheme: "business-continuity", optionsSeconds: 0.5 };
  gateway = await openTestGateway({ sipServer: "", config: { sipServer } });
  browser = await BrowserDouble.signIn({
    url: `ws://127.0.0.1:${gateway.httpPort}/ws`,
    dn: "5001",
    allowEvents: "talk, x-jackfield-trunk",
    answerOnTalkMs: 0,
  });
});

afterAll(async () => {
  await browser?.signOut();
  await gateway?.close();
  for (const peer of peers) await peer.close();
});

it("two active peers: the DN is registered at both, called by either, and dials by the preferred one", async () => {
  const [first, second] = peers;
  if (!first || !second) throw new Error("no peers");
  await until("DN at both peers", () => peers.every((peer) => boundAt(peer).includes("5001")));
  expect(await browser.trunkState("in-service")).toContain(`at ${address(first)}`);
  for (const peer of [second, first]) {
    const uuid = await peer.ring("5001", "1003");
    const ringing = (): boolean => peer.trace().some(({ text }) => text.startsWith("SIP/2.0 180 "));
    await until("180 at the peer that calls", ringing);
    expect(await peer.answer(uuid)).toBe(200);
    await until("call answered", () => gateway.b2bua.calls()[0]?.state === "established");
    peer.hangUp(uuid);
    await until("call over", () => gateway.counts.calls === 0);
  }
  const dialled = await browser.dial("9196");
  await dialled.when("answered");
  expect([first.calls().length, second.calls().length]).toEqual([1, 0]);
  dialled.hangUp();
  await until("call over", () => first.calls().length === 0);
});

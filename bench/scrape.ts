/**
 * `node bench/scrape.ts`: what a scrape of /metrics costs the main thread with 1,000 agents signed in and 500 calls.
 * Gateway, agents and SIP Server are one process; nothing else happens in it while scrapes are measured.
 */
import { BrowserMedia } from "../test/support/browser-media.ts";
import { TestAgent, type TestCall } from "../test/support/test-agent.ts";
import { openTestGateway, openTestSandbox } from "../test/support/test-gateway.ts";
import { median, round } from "./support/figures.ts";

const agentCount = 1000;
const callCount = 500;
const scrapes = 12;
const token = "bench-token-0123456789";

const sandbox = await openTestSandbox({ dns: ["5001-6999"] });
const gateway = await openTestGateway({
  sipServer: `127.0.0.1:${sandbox.port}`,
  config: {
    agents: { ranges: [{ from: "5001", to: "6999", password: "secret-{dn}" }] },
    media: { rtpPorts: [20_000, 22_999], maxWorkerLoad: 0 },
    sipServer: { addresses: [`127.0.0.1:${sandbox.port}`], registration: { perSecond: 500 } },
    metrics: { token },
  },
});
const origin = `http://127.0.0.1:${gateway.httpPort}`;

const agents: TestAgent[] = [];
for (let index = 0; index < agentCount; index++)
  agents.push(
    await TestAgent.signIn({ url: `${origin.replace("http", "ws")}/ws`, dn: String(5001 + index) }),
  );
await until(() => gateway.trunkRegistrations.states()["in-service"] === agentCount);
console.log(`${agentCount} agents are in service`);

const media = await BrowserMedia.create("opus");
const calls: TestCall[] = [];
for (const agent of agents.slice(0, callCount)) {
  const call = agent.call("9196", media.offer());
  await Promise.race([
    call.when("answered"),
    call.when("failed").then((reason) => Promise.reject(new Error(reason))),
  ]);
  calls.push(call);
}
console.log(`${gateway.b2bua.size} calls run`);

const cpu: number[] = [];
const whole: number[] = [];
let bytes = 0;
for (let index = 0; index < scrapes; index++) {
  // Beyond the second for which the text is kept.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const before = process.threadCpuUsage();
  const begun = performance.now();
  const text = await (
    await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  ).text();
  whole.push(performance.now() - begun);
  const { user, system } = process.threadCpuUsage(before);
  cpu.push((user + system) / 1000);
  bytes = text.length;
}
const worst = (figures: readonly number[]): number => round(Math.max(...figures), 1);
console.log(`answer: ${bytes} bytes`);
console.log(`until the answer is read: median ${round(median(whole), 1)} ms, worst ${worst(whole)} ms`);
console.log(
  `CPU time of the main thread, client included: median ${round(median(cpu), 1)} ms, worst ${worst(cpu)} ms`,
);
process.exit(0);

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 50));
}

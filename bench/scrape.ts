/**
 * `node bench/scrape.ts`: what a scrape of /metrics costs the main thread with 1,000 agents signed in and 500 calls.
 * Gateway, agents and SIP Server are one process; nothing else happens in it while scrapes are measured.
 */
import { MetricsDoor } from "../src/admin/index.ts";
import { Values } from "../src/admin/metrics/registry.ts";
import { BrowserMedia } from "../test/support/browser-media.ts";
import { TestAgent, type TestCall } from "../test/support/test-agent.ts";
import { openTestGateway, openTestSandbox } from "../test/support/test-gateway.ts";
import { median, round } from "./support/figures.ts";

const agentCount = 1000;
const callCount = 500;
const scrapes = 12;
const token = "bench-token-0123456789";

interface Cost {
  /** ms of CPU time. */
  collecting: number;
  text: number;
}
const running: Cost = { collecting: 0, text: 0 };
const costs: Cost[] = [];
noteCosts();

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

for (let index = 0; index < scrapes; index++) {
  // Beyond the second for which the text is kept.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  const answer = await fetch(`${origin}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  console.log(`${(await answer.text()).length} bytes`);
}
// The first ones are still being compiled.
const warm = costs.slice(2);
const figure = (part: keyof Cost): string => `${round(median(warm.map((cost) => cost[part])), 1)} ms`;
console.log(
  `CPU time of the main thread, median: ${figure("collecting")} to collect, ${figure("text")} for the text`,
);
process.exit(0);

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** CPU time of the main thread since `before`, ms. */
function cpuSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

/** Has each scrape note what its parts cost, each by itself: the agents and SIP Server are in this thread too. */
function noteCosts(): void {
  const { add } = MetricsDoor.prototype;
  MetricsDoor.prototype.add = function (collect) {
    return add.call(this, (put) => {
      const before = process.threadCpuUsage();
      const told = collect(put);
      running.collecting += cpuSince(before);
      return told;
    });
  };
  const { text } = Values.prototype;
  Values.prototype.text = async function () {
    const before = process.threadCpuUsage();
    const told = await text.call(this);
    costs.push({ ...running, text: cpuSince(before) });
    running.collecting = 0;
    return told;
  };
}

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

const fresh: number[] = [];
const kept: number[] = [];
let bytes = 0;
for (let index = 0; index < scrapes; index++) {
  // Beyond the second for which the text is kept.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  fresh.push(await scrapeCpu());
  // The same request and answer without a scrape behind: what HTTP and the client cost.
  kept.push(await scrapeCpu());
}
console.log(`answer: ${bytes} bytes`);
console.log(`CPU time of the main thread: median ${round(median(fresh), 1)} ms with a scrape,`);
console.log(`${round(median(kept), 1)} ms with the text that is kept: a scrape costs the difference`);
process.exit(0);

async function until(done: () => boolean): Promise<void> {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** CPU time of one request, this client's part included, ms. */
async function scrapeCpu(): Promise<number> {
  const before = process.threadCpuUsage();
  const headers = { authorization: `Bearer ${token}` };
  const text = await (await fetch(`${origin}/metrics`, { headers })).text();
  bytes = text.length;
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}

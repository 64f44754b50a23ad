/** WWE of many agents for `bench:endpoint`, in a process of its own: a connection each, a ping each `periodMs`. */
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { Agent, request } from "node:https";
import { systemClock, systemRandom } from "../../src/core/index.ts";
import { EndpointTokens } from "../../src/endpoint/index.ts";
import { TimeHistogram, type Percentiles } from "./figures.ts";
import { processCpuMs } from "./machine.ts";
import { benchOrigin } from "./origin.ts";
import { serve } from "./rpc.ts";

export type EndpointProtocol = "http1" | "http2";

export interface EndpointLoad {
  readonly port: number;
  readonly adminToken: string;
  readonly agents: number;
  readonly protocol: EndpointProtocol;
}

export interface PingFigures {
  readonly seconds: number;
  readonly pings: number;
  /** Not 200, or not the answer to a ping. */
  readonly wrong: number;
  readonly latencyMs: Percentiles;
  /** Of the gateway's process, all threads. */
  readonly cpuMs: number;
}

interface Wwe {
  ping(): Promise<string>;
  close(): void;
}

const host = "127.0.0.1";
/** Handshakes under way at a time. */
const atOnce = 20;
const expected = '{"PingResult":[]}';
let agents: Wwe[] = [];

async function open({ port, adminToken, agents: count, protocol }: EndpointLoad): Promise<number> {
  const tokens = new EndpointTokens({
    secret: adminToken,
    revoked: () => [],
    pageSessionMs: 1000,
    clock: systemClock,
    random: systemRandom,
  });
  for (let first = 0; first < count; first += atOnce) {
    const some = Array.from({ length: Math.min(atOnce, count - first) }, (_none, index) => {
      const path = `/endpoint/${tokens.issueAgent(String(5001 + first + index)).token}/Ping`;
      return protocol === "http2" ? overHttp2(port, path) : overHttp1(port, path);
    });
    const answers = await Promise.all(some.map((wwe) => wwe.ping()));
    if (answers.some((answer) => answer !== expected)) throw new Error(`a ping got ${answers.join()}`);
    agents.push(...some);
  }
  return agents.length;
}

/** As jQuery asks: the content type stands on a GET too. */
const headers = { origin: benchOrigin, "content-type": "application/json; charset=UTF-8", accept: "*/*" };

function overHttp1(port: number, path: string): Wwe {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
  return {
    ping: () =>
      new Promise((resolve, reject) => {
        const outgoing = request({ host, port, path, agent, headers }, (incoming) => {
          let text = "";
          incoming.setEncoding("utf8");
          incoming.on("data", (part: string) => (text += part));
          incoming.on("end", () => resolve(text));
        });
        outgoing.on("error", reject);
        outgoing.end();
      }),
    close: () => agent.destroy(),
  };
}

function overHttp2(port: number, path: string): Wwe {
  const session: ClientHttp2Session = connectHttp2(`https://${host}:${port}`, { rejectUnauthorized: false });
  return {
    ping: () =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": path, ...headers });
        let text = "";
        stream.setEncoding("utf8");
        stream.on("data", (part: string) => (text += part));
        stream.on("end", () => resolve(text));
        stream.on("error", reject);
        stream.end();
      }),
    close: () => session.destroy(),
  };
}

/**
 * All agents ping once a period, `together` of them at once and evenly spread over it, each the next time only once it was
 * answered.
 */
async function ping(order: {
  readonly seconds: number;
  readonly periodMs: number;
  readonly together: number;
  readonly gatewayPid: number;
}): Promise<PingFigures> {
  const { seconds, periodMs, together, gatewayPid } = order;
  const latency = new TimeHistogram();
  let [pings, wrong] = [0, 0];
  const begin = performance.now();
  const end = begin + seconds * 1000;
  const cpuBefore = processCpuMs(gatewayPid);
  await Promise.all(
    agents.map(async (wwe, index) => {
      let due = begin + ((index - (index % together)) / agents.length) * periodMs;
      while (due < end) {
        await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
        const sent = performance.now();
        const answer = await wwe.ping().catch(() => "");
        latency.add(performance.now() - sent);
        pings++;
        if (answer !== expected) wrong++;
        due += periodMs;
      }
    }),
  );
  const took = Math.max(seconds * 1000, performance.now() - begin);
  const cpuMs = processCpuMs(gatewayPid) - cpuBefore;
  return { seconds: took / 1000, pings, wrong, latencyMs: latency.percentiles, cpuMs };
}

/** What the gateway costs that is asked nothing. */
async function rest(order: { readonly seconds: number; readonly gatewayPid: number }): Promise<number> {
  const before = processCpuMs(order.gatewayPid);
  await new Promise((resolve) => setTimeout(resolve, order.seconds * 1000));
  return processCpuMs(order.gatewayPid) - before;
}

function close(): void {
  for (const wwe of agents) wwe.close();
  agents = [];
}

const handlers = { open, ping, rest, close };
export type EndpointHandlers = typeof handlers;
serve(handlers);

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import { systemClock, type Clock } from "../../src/core/index.ts";
import { BrowserDouble } from "../support/browser-double.ts";
import { openTestGateway } from "../support/test-gateway.ts";
import { headerOf } from "./support/front.ts";
import { eventually } from "./support/prometheus.ts";
import { freeTcpPort } from "../support/free-port.ts";

/** Runs ten times as fast as the machine's, so that nobody waits for an outage to be found out. */
const speed = 10;
const clock: Clock = {
  now: () => systemClock.now() * speed,
  wallClock: () => systemClock.wallClock(),
  setTimer: (delayMs, callback) => systemClock.setTimer(delayMs / speed, callback),
};

/** A SIP Server that says 200 to everything, or nothing. */
class Answerer {
  answers = false;
  readonly #socket: Socket;
  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("message", (bytes, from) => {
      if (this.answers) socket.send(this.#ok(bytes.toString()), from.port, from.address);
    });
  }

  static async open(): Promise<Answerer> {
    const socket = createSocket("udp4");
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening");
    return new Answerer(socket);
  }

  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  #ok(request: string): string {
    const copied = ["Via", "From", "Call-ID", "CSeq", "Contact"].map(
      (name) => `${name}: ${headerOf(request, name)}`,
    );
    const to = `To: ${headerOf(request, "To")};tag=1`;
    return ["SIP/2.0 200 OK", ...copied, to, "Expires: 300", "Content-Length: 0", "", ""].join("\r\n");
  }

  close(): void {
    this.#socket.close();
  }
}

let sipServer: Answerer;
let gateway: Gateway;
let port: number;
beforeAll(async () => {
  sipServer = await Answerer.open();
  port = await freeTcpPort();
  gateway = await openTestGateway({
    sipServer: sipServer.address,
    clock,
    config: {
      media: { maxCallsPerWorker: 1 },
      metrics: { listen: { port } },
    },
  });
});
afterAll(async () => {
  await gateway.close();
  sipServer.close();
});

async function ready(at = gateway.httpPort): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${at}/health/ready`);
  const { status } = (await response.json()) as { status: string };
  return `${response.status} ${status}`;
}

async function becomes(state: string): Promise<void> {
  await eventually(state, async () => (await ready()) === state);
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  expect(metrics).toMatch(/^jackfield_ready [01]$/m);
}

it("a real gateway goes through all states of readiness, and is alive in each", async () => {
  expect(await ready()).toBe("503 starting: no SIP Server has answered yet");
  sipServer.answers = true;
  await becomes("200 ok");
  const browser = await BrowserDouble.signIn({ url: `ws://127.0.0.1:${gateway.httpPort}/ws`, dn: "5001" });
  const health = await fetch(`http://127.0.0.1:${gateway.httpPort}/api/health`);
  expect(await health.json()).toMatchObject({
    status: "ok",
    registered_agents: 1,
    active_calls: 0,
    sip_servers_up: 1,
  });

  sipServer.answers = false;
  await becomes("503 no SIP Server answers");
  sipServer.answers = true;
  await becomes("200 ok");

  const session = await gateway.media.open();
  await becomes("503 media workers are full");
  session.close("test");
  await becomes("200 ok");

  gateway.b2bua.draining = true;
  expect(await ready()).toBe("503 draining");
  gateway.b2bua.draining = false;
  expect(await ready()).toBe("200 ok");
  expect((await fetch(`http://127.0.0.1:${gateway.httpPort}/health/live`)).status).toBe(200);

  sipServer.answers = false;
  const closed = gateway.close();
  expect(await ready(port)).toBe("503 stopping");
  await closed;
  await browser.close();
});

it("a gateway does not start where the metrics' port is taken, and says so", async () => {
  const other = createServer();
  await new Promise<void>((done) => other.listen(port, "127.0.0.1", done));
  const config = { metrics: { listen: { port } } };
  await expect(openTestGateway({ sipServer: sipServer.address, config })).rejects.toThrow(/EADDRINUSE/);
  await new Promise((done) => other.close(done));
});

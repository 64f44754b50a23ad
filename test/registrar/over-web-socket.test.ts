import { expect, test } from "vitest";
import { sipClient } from "../support/sip-client.ts";
import { WebSocket } from "ws";
import { silentLogger, systemClock, systemRandom } from "../../src/core/index.ts";
import { createRegistrar } from "../../src/registrar/index.ts";
import { createTransactionLayer, type FlowReceiver } from "../../src/sip/index.ts";
import { attachWebSocket, openHttpServer } from "../../src/ws/index.ts";

test("a REGISTER over a real WebSocket signs in, its lost socket starts the grace, a new one resumes", async () => {
  const common = { clock: systemClock, random: systemRandom, log: silentLogger };
  const registrar = createRegistrar({
    ...common,
    digest: { challenge: () => [], verify: () => ({ outcome: "accepted", username: "5001" }) },
    accounts: new Set(["5001"]),
    hasCall: () => false,
  });
  const layer = createTransactionLayer({
    ...common,
    user: { onRequest: (_request, transaction) => registrar.handleRegister(transaction), onAck: () => {} },
  });
  const receiver: FlowReceiver = {
    receive: (flow, bytes, framing) => layer.receive(flow, bytes, framing),
    flowClosed(flow) {
      layer.flowClosed(flow);
      registrar.flowClosed(flow);
    },
  };
  const server = openHttpServer({ host: "127.0.0.1", port: 0, ...common });
  const endpoint = attachWebSocket({
    server,
    path: "/ws",
    origins: ["http://page.test"],
    receiver,
    ...common,
  });
  await server.listen();

  let sequence = 0;
  const register = async (): Promise<{ client: WebSocket; answer: string }> => {
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, ["sip"], { origin: "http://page.test" });
    await new Promise((resolve, reject) => client.once("open", resolve).once("error", reject));
    const answer = new Promise<string>((resolve) =>
      client.once("message", (data: Buffer) => resolve(data.toString())),
    );
    client.send(
      [
        "REGISTER sip:jackfield SIP/2.0",
        `Via: SIP/2.0/WS abc.invalid;branch=z9hG4bK${++sequence}`,
        "To: <sip:5001@jackfield>",
        "From: <sip:5001@jackfield>;tag=1",
        "Call-ID: one",
        `CSeq: ${sequence} REGISTER`,
        'Contact: <sip:x@abc.invalid;transport=ws>;+sip.instance="<urn:uuid:1>";expires=300',
        "Content-Length: 0\r\n\r\n",
      ].join("\r\n"),
    );
    return { client, answer: await answer };
  };
  const event = (name: "flow-lost" | "flow-resumed"): Promise<void> =>
    new Promise((resolve) => registrar.events.on(name, () => resolve()));

  const { client, answer } = await register();
  expect(answer).toMatch(/^SIP\/2.0 200 /);
  const presence = sipClient(registrar.find("5001"));
  expect(presence?.flow?.protocol).toBe("WS");
  const [lost, resumed] = [event("flow-lost"), event("flow-resumed")];
  client.terminate();
  await lost;
  expect(presence?.reachable).toBe(false);
  const flow = presence?.waitForFlow(5_000);
  const second = await register();
  await resumed;
  expect(await flow).toBe(presence?.flow);
  expect(presence?.reachable).toBe(true);

  second.client.terminate();
  await endpoint.close();
  registrar.close();
  layer.close();
  await server.close();
  expect([registrar.size, endpoint.connections, server.connections, layer.counts.server]).toEqual([
    0, 0, 0, 0,
  ]);
});

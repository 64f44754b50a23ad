import { once } from "node:events";
import { createConnection } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket } from "ws";
import { silentLogger, systemClock } from "../../src/core/index.ts";
import { attachWebSocket, openHttpServer, type HttpServer } from "../../src/ws/index.ts";
import type { WebSocketEndpoint, WebSocketOptions } from "../../src/ws/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingReceiver, until } from "./support.ts";

const origin = "https://wwe.example.com";
let clock: FakeClock;
let receiver: RecordingReceiver;
let server: HttpServer;
let endpoint: WebSocketEndpoint;
let clients: WebSocket[];

async function start(options: Partial<WebSocketOptions> = {}): Promise<void> {
  server = openHttpServer({ host: "127.0.0.1", port: 0, log: silentLogger, clock: systemClock });
  endpoint = attachWebSocket({
    server,
    path: "/ws",
    origins: [origin],
    receiver,
    clock,
    log: silentLogger,
    random: new CountingRandom(),
    ...options,
  });
  await server.listen();
}

beforeEach(() => {
  clock = new FakeClock();
  receiver = new RecordingReceiver();
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.terminate();
  await endpoint.close();
  await server.close();
  expect(endpoint.connections).toBe(0);
  expect(endpoint.addresses).toBe(0);
  expect(receiver.closed).toHaveLength(endpoint.counters.accepted);
  expect(clock.pendingTimers).toBe(0);
  expect(server.connections).toBe(0);
});

function connect(options: { path?: string; protocols?: string[]; origin?: string | null } = {}): WebSocket {
  const client = new WebSocket(
    `ws://127.0.0.1:${server.port}${options.path ?? "/ws"}`,
    options.protocols ?? ["sip"],
    {
      ...(options.origin === null ? {} : { origin: options.origin ?? origin }),
      perMessageDeflate: true,
    },
  );
  clients.push(client);
  return client;
}

async function opened(options: Parameters<typeof connect>[0] = {}): Promise<WebSocket> {
  const client = connect(options);
  await new Promise((resolve, reject) => client.once("open", resolve).once("error", reject));
  return client;
}

function refused(options: Parameters<typeof connect>[0]): Promise<number | undefined> {
  const client = connect(options);
  client.on("error", () => {});
  return new Promise((resolve, reject) => {
    client.once("unexpected-response", (request, response) => {
      resolve(response.statusCode);
      request.destroy();
    });
    client.once("open", () => reject(new Error("was let in")));
  });
}

const closeCode = (client: WebSocket): Promise<number> =>
  new Promise((resolve) => client.once("close", resolve));
const nextText = (client: WebSocket): Promise<string> =>
  new Promise((resolve) => client.once("message", (data: Buffer) => resolve(data.toString())));

async function firstFlow(client: WebSocket) {
  client.send("hello");
  await until(() => receiver.messages.length > 0);
  const flow = receiver.messages[0]?.flow;
  if (!flow) throw new Error("no flow");
  return flow;
}

test("a browser page of a listed origin gets a flow with subprotocol sip and no compression", async () => {
  await start();
  const client = await opened();
  expect(client.protocol).toBe("sip");
  expect(client.extensions).toBe("");
  const flow = await firstFlow(client);
  expect(flow).toMatchObject({ protocol: "WS", reliable: true, remoteAddress: "127.0.0.1", open: true });
  expect(flow.sentBy).toMatch(/^[0-9a-f]{16}\.invalid$/);
  expect(flow.remotePort).toBeGreaterThan(0);
  expect(endpoint.connections).toBe(1);
});

test("one that is dismissed closes with words for its page, the others stay", async () => {
  await start();
  const [client, other] = [await opened(), await opened()];
  const flow = await firstFlow(client);
  const closed = once(client, "close");
  expect(endpoint.dismiss(flow, "signed out")).toBe(true);
  const [code, reason]: unknown[] = await closed;
  expect([code, String(reason)]).toEqual([1008, "signed out"]);
  expect(endpoint.dismiss(flow, "again")).toBe(false);
  expect(other.readyState).toBe(WebSocket.OPEN);
});

test("two connections get different ids and sent-by names", async () => {
  await start();
  for (const client of [await opened(), await opened()]) client.send("x");
  await until(() => receiver.messages.length === 2);
  const [one, two] = receiver.messages;
  expect(one?.flow.id).not.toBe(two?.flow.id);
  expect(one?.flow.sentBy).not.toBe(two?.flow.sentBy);
});

test.each([
  ["another origin", { origin: "https://evil.example.com" }, 403],
  ["the same host on another scheme", { origin: "http://wwe.example.com" }, 403],
  ["a longer host that begins alike", { origin: "https://wwe.example.com.evil.test" }, 403],
  ["the opaque origin", { origin: "null" }, 403],
  ["no origin", { origin: null }, 403],
  ["no subprotocol", { protocols: [] }, 400],
  ["another subprotocol", { protocols: ["xmpp"] }, 400],
  ["another path", { path: "/other" }, 404],
  ["a deeper path", { path: "/ws/x" }, 404],
])("a handshake with %s is refused", async (_name, options, status) => {
  await start();
  expect(await refused(options)).toBe(status);
  expect(endpoint.counters.accepted).toBe(0);
});

test("an extension's origin in the list does not open the door to the opaque origin", async () => {
  await start({ origins: ["chrome-extension://abcdef"] });
  expect(await refused({ origin: "null" })).toBe(403);
  await opened({ origin: "chrome-extension://abcdef" });
});

test("our own origin is refused unless listed, and a listed one may be written with its default port", async () => {
  await start({ origins: ["HTTPS://WWE.example.com:443/"] });
  expect(await refused({ origin: `http://127.0.0.1:${server.port}` })).toBe(403);
  await opened({ origin });
});

test("a client without Origin is let in where the config allows it, a foreign one still not", async () => {
  await start({ allowMissingOrigin: true });
  await opened({ origin: null });
  expect(await refused({ origin: "https://evil.example.com" })).toBe(403);
});

test("sip is chosen from several offered subprotocols, and a query behind the path is no matter", async () => {
  await start();
  const client = await opened({ protocols: ["msrp", "sip"], path: "/ws?token=1" });
  expect(client.protocol).toBe("sip");
});

test("a handshake without a key is answered 400 and the socket ends", async () => {
  await start();
  const socket = createConnection({ port: server.port, host: "127.0.0.1" });
  socket.write(
    `GET /ws HTTP/1.1\r\nHost: x\r\nOrigin: ${origin}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n`,
  );
  let answer = "";
  socket.on("data", (data: Buffer) => (answer += data.toString()));
  await new Promise((resolve) => socket.once("close", resolve));
  expect(answer).toMatch(/^HTTP\/1.1 400 /);
  expect(endpoint.counters.protocolErrors).toBe(1);
});

test("a plain request at the path is told to upgrade", async () => {
  await start();
  const response = await fetch(`http://127.0.0.1:${server.port}/ws`);
  expect(response.status).toBe(426);
});

test("text and binary frames are handed up as whole messages", async () => {
  await start();
  const client = await opened();
  client.send("MESSAGE sip:a@b SIP/2.0\r\n\r\nGrüße");
  client.send(Buffer.from("OPTIONS sip:a@b SIP/2.0\r\n\r\n"));
  client.send("first ", { fin: false });
  client.send("second", { fin: true });
  await until(() => receiver.messages.length === 3);
  expect(receiver.messages.map((message) => message.text)).toEqual([
    "MESSAGE sip:a@b SIP/2.0\r\n\r\nGrüße",
    "OPTIONS sip:a@b SIP/2.0\r\n\r\n",
    "first second",
  ]);
  expect(receiver.messages.every((message) => message.framing === "frame")).toBe(true);
});

test("a double CRLF is answered by one CRLF, other empty frames by nothing, and none goes up", async () => {
  await start();
  const client = await opened();
  const answers: string[] = [];
  client.on("message", (data: Buffer) => answers.push(data.toString()));
  client.send("");
  client.send("\r\n");
  client.send("\r\n\r\n");
  client.send("after");
  await until(() => receiver.messages.length === 1 && answers.length === 1);
  expect(answers).toEqual(["\r\n"]);
  expect(receiver.messages[0]?.text).toBe("after");
  expect(endpoint.counters.keepAlives).toBe(3);
});

test("what is sent arrives as a text frame, and as a binary one when it is not UTF-8", async () => {
  await start();
  const client = await opened();
  const flow = await firstFlow(client);
  const frames: boolean[] = [];
  client.on("message", (_data, isBinary) => frames.push(isBinary));
  flow.send(Buffer.from("SIP/2.0 200 OK\r\n\r\n"));
  flow.send(Buffer.from([0xff, 0xfe]));
  await until(() => frames.length === 2);
  expect(frames).toEqual([false, true]);
});

test("a message over the limit closes with 1009", async () => {
  await start({ limits: { maxMessageBytes: 1000 } });
  const client = await opened();
  client.send("x".repeat(1000));
  client.send("x".repeat(1001));
  expect(await closeCode(client)).toBe(1009);
  expect(receiver.messages).toHaveLength(1);
  expect(endpoint.counters.protocolErrors).toBe(1);
});

test("text that is not UTF-8 closes with 1007", async () => {
  await start();
  const client = await opened();
  client.send(Buffer.from([0xc3, 0x28]), { binary: false });
  expect(await closeCode(client)).toBe(1007);
});

test("a flood of messages closes with 1008, a client that keeps to the average is left alone", async () => {
  await start({ limits: { messagesPerSecond: 10, messageBurst: 5 } });
  const calm = await opened();
  for (let index = 0; index < 20; index++) {
    calm.send(`calm ${index}`);
    await until(() => receiver.messages.length === index + 1);
    clock.advance(100);
  }
  const flood = await opened();
  for (let index = 0; index < 7; index++) flood.send("flood");
  expect(await closeCode(flood)).toBe(1008);
  expect(receiver.messages.filter((message) => message.text === "flood")).toHaveLength(5);
  expect(calm.readyState).toBe(WebSocket.OPEN);
});

test("pings are answered within the same limits, so that their answers cannot pile up", async () => {
  await start({ limits: { messagesPerSecond: 10, messageBurst: 5 } });
  const client = await opened();
  const pongs: string[] = [];
  client.on("pong", (data: Buffer) => pongs.push(data.toString()));
  client.ping("are you there");
  await until(() => pongs.length === 1);
  expect(pongs).toEqual(["are you there"]);
  for (let index = 0; index < 20; index++) client.ping("flood");
  expect(await closeCode(client)).toBe(1008);
  expect(pongs).toHaveLength(5);
  expect(endpoint.counters.closedForRate).toBe(1);
});

test("connections over the limits are refused with 429 and 503 until one ends", async () => {
  await start({ limits: { maxConnections: 3, maxConnectionsPerAddress: 2 } });
  const first = await opened();
  await opened();
  expect(await refused({})).toBe(429);
  first.close();
  await until(() => endpoint.connections === 1);
  await opened();
  expect(endpoint.counters.refusedLimit).toBe(1);
});

test("the limit for all addresses is answered with 503", async () => {
  await start({ limits: { maxConnections: 1 } });
  await opened();
  expect(await refused({})).toBe(503);
});

test("the server pings; a client that answers stays, one that does not is cut after two misses", async () => {
  await start({ pingSeconds: 25 });
  const good = await opened();
  const dead = new WebSocket(`ws://127.0.0.1:${server.port}/ws`, ["sip"], { origin, autoPong: false });
  clients.push(dead);
  let pings = 0;
  dead.on("ping", () => pings++);
  await new Promise((resolve) => dead.once("open", resolve));
  const gone = closeCode(dead);
  for (let round = 1; round <= 2; round++) {
    clock.advance(25_000);
    await until(() => pings === round && endpoint.counters.pongs === round);
  }
  expect(endpoint.connections).toBe(2);
  clock.advance(25_000);
  expect(await gone).toBe(1006);
  expect(endpoint.counters.closedForSilence).toBe(1);
  expect(good.readyState).toBe(WebSocket.OPEN);
});

test("a connection on which nobody signed in is closed with 1008 after the deadline, the others stay", async () => {
  const signedIn = new Set<string>();
  await start({ pingSeconds: 25, signIn: { withinSeconds: 60, done: (flow) => signedIn.has(flow.id) } });
  const guest = await opened();
  const agent = await opened();
  signedIn.add((await firstFlow(agent)).id);
  const gone = closeCode(guest);
  for (let round = 1; round <= 3; round++) {
    clock.advance(25_000);
    if (round < 3) await until(() => endpoint.counters.pongs === 2 * round);
  }
  expect(await gone).toBe(1008);
  expect(agent.readyState).toBe(WebSocket.OPEN);
  expect(endpoint.counters.closedForNoSignIn).toBe(1);
});

test("a client that does not read is cut when too much waits for it, and the sender is told once", async () => {
  await start({ limits: { maxBufferedBytes: 200_000 } });
  const client = await opened();
  const flow = await firstFlow(client);
  client.pause();
  const errors: string[][] = [];
  // The kernel takes some megabytes before anything waits in the process.
  for (let sent = 0; sent < 400 && flow.open; sent++) {
    const own: string[] = [];
    errors.push(own);
    flow.send(Buffer.alloc(64_000, "x"), (error) => own.push(error.message));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(flow.open).toBe(false);
  expect(endpoint.counters.closedForBackpressure).toBe(1);
  await until(() => receiver.closed.length === 1);
  expect(errors.at(-1)).toEqual([`flow ${flow.id} reads too slowly`]);
  expect(errors.every((own) => own.length <= 1)).toBe(true);
});

test("a lost socket is told once, and sending to it fails without throwing", async () => {
  await start();
  const client = await opened();
  const flow = await firstFlow(client);
  client.terminate();
  await until(() => receiver.closed.length === 1);
  expect(receiver.closed).toEqual([flow]);
  expect(flow.open).toBe(false);
  const error = await new Promise<Error>((resolve) => {
    let returned = false;
    flow.send(Buffer.from("x"), (failure) => {
      expect(returned).toBe(true);
      resolve(failure);
    });
    returned = true;
  });
  expect(error.message).toContain("closed");
});

test("an exception of the layer above is counted and the connection lives on", async () => {
  await start();
  const client = await opened();
  receiver.throwNext = true;
  client.send("bad");
  client.send("good");
  await until(() => receiver.messages.length === 1);
  expect(endpoint.counters.receiverErrors).toBe(1);
});

test("close says 1001 to all and takes no more", async () => {
  await start();
  const codes = Promise.all([closeCode(await opened()), closeCode(await opened())]);
  await endpoint.close();
  expect(await codes).toEqual([1001, 1001]);
  expect(await refused({})).toBe(404);
});

test("close cuts a client that does not answer the goodbye", async () => {
  await start();
  const client = await opened();
  client.pause();
  const closed = endpoint.close();
  clock.advance(1_000);
  await closed;
  expect(endpoint.connections).toBe(0);
});

test("an answer goes back on the connection that asked", async () => {
  await start();
  const [one, two] = [await opened(), await opened()];
  const text = nextText(two);
  two.send("from two");
  await until(() => receiver.messages.length === 1);
  one.once("message", () => expect.unreachable());
  receiver.messages[0]?.flow.send(Buffer.from("to two"));
  expect(await text).toBe("to two");
});

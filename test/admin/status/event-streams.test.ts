import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { fastify, type FastifyInstance } from "fastify";
import { afterEach, describe, expect, it } from "vitest";
import { registerStatusRoutes, type Login } from "../../../src/admin/index.ts";
import { adminToken, openLogin } from "../support.ts";
import { agent, StatusBench } from "./status-bench.ts";

let app: FastifyInstance;
const bench = new StatusBench();
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.close();
});

const login = openLogin(bench.clock);
/** Set: who asked may listen no more. */
let signedOut = false;
const holds: Login["holds"] = (request) => !signedOut && login.holds(request);
const cookie = (): string =>
  `Cookie: jackfield-admin=${login.sessions.begin({ who: "bernd", role: "read" })}\r\n`;

async function open(): Promise<number> {
  app = fastify();
  signedOut = false;
  const { check, operate, events } = login;
  const access = { check, operate, events, identity: login.identity.bind(login), holds };
  registerStatusRoutes(app, { board: bench.board, access });
  return Number(new URL(await app.listen({ host: "127.0.0.1", port: 0 })).port);
}

async function listen(
  port: number,
  credentials = `Authorization: Bearer ${adminToken}\r\n`,
): Promise<Socket> {
  const socket = createConnection({ host: "127.0.0.1", port });
  sockets.push(socket);
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(`GET /api/events HTTP/1.1\r\nHost: x\r\n${credentials}\r\n`);
  return socket;
}

async function firstBytes(socket: Socket): Promise<string> {
  const [bytes]: unknown[] = await once(socket, "data");
  return String(bytes);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("a stream of events", () => {
  it("is for those who are signed in", async () => {
    const port = await open();
    for (const none of ["", "Authorization: Bearer wrong\r\n", "Cookie: jackfield-admin=made-up\r\n"])
      expect(await firstBytes(await listen(port, none))).toContain("401 Unauthorized");
    expect(bench.board.listeners).toBe(0);
    const head = await firstBytes(await listen(port));
    expect(head).toContain("HTTP/1.1 200 OK");
    expect(head).toContain("cache-control: no-store");
    const answer = await app.inject({
      method: "HEAD",
      url: "/api/events",
      headers: { authorization: `Bearer ${adminToken}` },
    });
    expect(answer.statusCode).toBe(404);
    expect(bench.board.listeners).toBe(1);
  });

  it("is forgotten when its reader goes", async () => {
    const socket = await listen(await open());
    await firstBytes(socket);
    expect(bench.board.listeners).toBe(1);
    socket.destroy();
    await until(() => bench.board.listeners === 0);
  });

  it("is no longer there for the 21st, and is again when one of the others went", async () => {
    const port = await open();
    const first = await listen(port);
    await firstBytes(first);
    for (let count = 1; count < 20; count++) await firstBytes(await listen(port));
    const refused = await firstBytes(await listen(port));
    expect(refused).toContain("503 Service Unavailable");
    expect(refused).toContain("retry-after: 30");
    first.destroy();
    await until(() => bench.board.listeners === 19);
    expect(await firstBytes(await listen(port))).toContain("200 OK");
  });

  it("ends when its reader has signed out", async () => {
    const socket = await listen(await open());
    await firstBytes(socket);
    signedOut = true;
    bench.agents = [agent("5001")];
    await bench.pass();
    socket.resume();
    await until(() => bench.board.listeners === 0);
  });

  it("is not had with a session that has run out, and ends when it does", async () => {
    const port = await open();
    const session = cookie();
    const socket = await listen(port, session);
    expect(await firstBytes(socket)).toContain("200 OK");
    socket.resume();
    await bench.pass(30);
    expect(bench.board.listeners).toBe(1);
    // An hour after its last request; a stream that goes on is none.
    bench.clock.advance(60 * 60_000 - 30_000);
    await bench.pass(16);
    await until(() => bench.board.listeners === 0);
    expect(await firstBytes(await listen(port, session))).toContain("401 Unauthorized");
    expect(bench.board.listeners).toBe(0);
  });

  it("is cut when its reader does not read, and the others go on", async () => {
    const port = await open();
    const slow = await listen(port);
    await firstBytes(slow);
    slow.pause();
    const good = await listen(port);
    let read = 0;
    good.on("data", (bytes: Buffer) => (read += bytes.length));
    await until(() => read > 0);
    // 300 kB a second of which nothing is read.
    for (let second = 0; bench.board.listeners === 2 && second < 200; second++) {
      bench.agents = Array.from({ length: 1000 }, (_none, index) => agent(`${second}-${index}`));
      await bench.pass();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(bench.board.listeners).toBe(1);
    const before = read;
    bench.agents = [];
    await bench.pass();
    await until(() => read > before);
  });

  it("says something every 15 seconds, so that no proxy takes it for dead", async () => {
    const socket = await listen(await open());
    await firstBytes(socket);
    let text = "";
    socket.on("data", (bytes: Buffer) => (text += String(bytes)));
    await bench.pass(16);
    await until(() => text.includes(": keep-alive\n\n"));
  });
});

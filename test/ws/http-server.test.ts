import { appendFileSync, copyFileSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { createConnection } from "node:net";
import { join } from "node:path";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { brotliCompressSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { silentLogger, systemClock } from "../../src/core/index.ts";
import { attachWebSocket, openHttpServer, servePages } from "../../src/ws/index.ts";
import type { HttpServer, HttpServerOptions } from "../../src/ws/index.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { RecordingReceiver, recordingLog, temporaryFolder, until, writeCertificate } from "./support.ts";

const folder = temporaryFolder();
const tls = { certFile: join(folder.path, "cert.pem"), keyFile: join(folder.path, "key.pem") };
const other = { certFile: join(folder.path, "other-cert.pem"), keyFile: join(folder.path, "other-key.pem") };
let server: HttpServer;
const cleanups: (() => void)[] = [];

beforeAll(() => {
  writeCertificate(tls.certFile, tls.keyFile, "first");
  writeCertificate(other.certFile, other.keyFile, "second");
});
afterAll(() => folder.remove());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) cleanup();
  await server.close();
  expect(server.connections).toBe(0);
});

function open(options: Partial<HttpServerOptions> = {}): HttpServer {
  server = openHttpServer({ host: "127.0.0.1", port: 0, log: silentLogger, clock: systemClock, ...options });
  server.app.get("/hello", () => ({ hello: true }));
  server.app.post("/echo", (request) => request.body);
  return server;
}

function http2(): ClientHttp2Session {
  const session = connectHttp2(`https://127.0.0.1:${server.port}`, { rejectUnauthorized: false });
  session.on("error", () => {});
  cleanups.push(() => session.destroy());
  return session;
}

function http2Get(session: ClientHttp2Session, path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path });
    let status = 0;
    let body = "";
    stream.on("response", (headers) => (status = Number(headers[":status"])));
    stream.setEncoding("utf8").on("data", (text: string) => (body += text));
    stream.on("end", () => resolve({ status, body })).on("error", reject);
  });
}

/** What was sent before is done with. */
function pinged(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error ? reject(error) : resolve()));
  });
}

async function tlsConnect(protocol: string): Promise<TLSSocket> {
  const socket = connectTls({
    port: server.port,
    host: "127.0.0.1",
    rejectUnauthorized: false,
    ALPNProtocols: [protocol],
  });
  socket.on("error", () => {});
  cleanups.push(() => socket.destroy());
  await new Promise((resolve) => socket.once("secureConnect", resolve));
  return socket;
}

async function presentedName(): Promise<string> {
  const socket = await tlsConnect("http/1.1");
  const name = socket.getPeerCertificate().subject.CN;
  socket.destroy();
  return String(name);
}

const closed = (emitter: NodeJS.EventEmitter): Promise<unknown> =>
  new Promise((resolve) => emitter.once("close", resolve));

test("without TLS it speaks HTTP/1.1 and tells its real port", async () => {
  open();
  expect(server.port).toBe(0);
  await server.listen();
  const response = await fetch(`http://127.0.0.1:${server.port}/hello`);
  expect(await response.json()).toEqual({ hello: true });
  expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  expect(response.headers.get("cache-control")).toBe("no-store");
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(server.secure).toBe(false);
});

test.each(["/%", "/hello/%ZZ"])(
  "a request for %s gets 400 with the headers that every answer has",
  async (path) => {
    open();
    await server.listen();
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining("is not a valid url") });
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("cache-control")).toBe("no-store");
    expect(response.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
    expect(response.headers.get("cross-origin-resource-policy")).toBe("same-origin");
  },
);

test("with TLS one port speaks HTTP/2, HTTP/1.1 and WebSocket", async () => {
  open({ tls });
  const receiver = new RecordingReceiver();
  const common = { receiver, clock: systemClock, log: silentLogger, origins: ["https://a.test"] };
  const endpoint = attachWebSocket({ server, path: "/ws", ...common });
  await server.listen();
  expect(await http2Get(http2(), "/hello")).toEqual({ status: 200, body: '{"hello":true}' });

  const socket = await tlsConnect("http/1.1");
  socket.write("GET /hello HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: close, Upgrade\r\n\r\n");
  let answer = "";
  socket.on("data", (data: Buffer) => (answer += data.toString()));
  await closed(socket);
  expect(answer).toMatch(/^HTTP\/1.1 200 /);

  const client = new WebSocket(`wss://127.0.0.1:${server.port}/ws`, ["sip"], {
    origin: "https://a.test",
    rejectUnauthorized: false,
  });
  await new Promise((resolve, reject) => client.once("open", resolve).once("error", reject));
  client.send("hello");
  await until(() => receiver.messages.length === 1);
  expect(receiver.messages[0]?.flow.protocol).toBe("WSS");
  await endpoint.close();
});

test("half an HTTP/1.1 request is cut with 408, over TLS as without", async () => {
  for (const options of [{ tls }, {}]) {
    open({ ...options, requestTimeoutMs: 100 });
    await server.listen();
    const socket = options.tls
      ? await tlsConnect("http/1.1")
      : createConnection({ port: server.port, host: "127.0.0.1" });
    socket.write(
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
    );
    let answer = "";
    socket.on("data", (data: Buffer) => (answer += data.toString()));
    await closed(socket);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
    expect(server.counters.clientErrors).toBe(1);
    await server.close();
  }
});

test("half an HTTP/2 request is cancelled at the time limit while a whole one beside it is answered", async () => {
  const clock = new FakeClock();
  open({ tls, clock, requestTimeoutMs: 5_000 });
  await server.listen();
  const session = http2();
  const half = session.request({ ":method": "POST", ":path": "/echo", "content-type": "application/json" });
  half.on("error", () => {});
  half.write('{"half":');
  expect((await http2Get(session, "/hello")).status).toBe(200);
  clock.advance(4_999);
  expect((await http2Get(session, "/hello")).status).toBe(200);
  expect(half.closed).toBe(false);
  clock.advance(1);
  await closed(half);
  expect(half.rstCode).not.toBe(0);
  expect(server.counters.http2Timeouts).toBe(1);
  expect((await http2Get(session, "/hello")).status).toBe(200);
  session.destroy();
  await until(() => server.connections === 0 && clock.pendingTimers === 0);
});

test("a whole HTTP/2 request may be answered later than both time limits, and keeps its session", async () => {
  const clock = new FakeClock();
  open({ tls, clock, requestTimeoutMs: 5_000, idleTimeoutMs: 60_000 });
  let finish = (): void => {};
  server.app.post("/slow", async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    return "done";
  });
  await server.listen();
  const session = http2();
  const slow = session.request({ ":method": "POST", ":path": "/slow", "content-type": "application/json" });
  let body = "";
  slow.setEncoding("utf8").on("data", (text: string) => (body += text));
  slow.end("{}");
  await until(() => server.counters.requests === 1);
  // The first stream that ends must not start the idle time of the one that runs.
  expect((await http2Get(session, "/hello")).status).toBe(200);
  await until(() => clock.pendingTimers === 1);
  clock.advance(200_000);
  expect(session.destroyed).toBe(false);
  finish();
  await closed(slow);
  expect(body).toBe("done");
  expect(server.counters.http2Timeouts).toBe(0);
});

test("an HTTP/2 session that never asks anything ends after the request time, an idle one after the idle time", async () => {
  const clock = new FakeClock();
  open({ tls, clock, requestTimeoutMs: 5_000, idleTimeoutMs: 60_000 });
  await server.listen();
  const used = http2();
  expect((await http2Get(used, "/hello")).status).toBe(200);
  await until(() => clock.pendingTimers === 1);
  const mute = http2();
  await until(() => clock.pendingTimers === 2);
  clock.advance(5_000);
  await closed(mute);
  clock.advance(25_000);
  expect((await http2Get(used, "/hello")).status).toBe(200);
  await pinged(used);
  clock.advance(59_999);
  await pinged(used);
  expect(server.counters.http2Timeouts).toBe(1);
  clock.advance(1);
  await closed(used);
  expect(clock.pendingTimers).toBe(0);
});

test("a connection that never finishes its TLS handshake is cut", async () => {
  open({ tls, requestTimeoutMs: 100 });
  await server.listen();
  const socket = createConnection({ port: server.port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await closed(socket);
  expect(server.counters.tlsErrors).toBe(1);
});

test("bad requests get their error and faults inside stay inside", async () => {
  open({ maxBodyBytes: 100 });
  server.app.get("/fault", () => {
    throw new Error("secret path /etc/x");
  });
  await server.listen();
  const base = `http://127.0.0.1:${server.port}`;
  const post = (body: string) =>
    fetch(`${base}/echo`, { method: "POST", body, headers: { "content-type": "application/json" } });
  expect((await post("{")).status).toBe(400);
  expect((await post(JSON.stringify("x".repeat(200)))).status).toBe(413);
  expect((await fetch(`${base}/nothing`)).status).toBe(404);
  const fault = await fetch(`${base}/fault`);
  expect(fault.status).toBe(500);
  expect(await fault.text()).toBe('{"error":"internal error"}');
  expect(server.counters.requests).toBe(4);
});

test("a new certificate is presented after its files changed, and open sockets live on", async () => {
  const files = { certFile: join(folder.path, "live-cert.pem"), keyFile: join(folder.path, "live-key.pem") };
  copyFileSync(tls.certFile, files.certFile);
  copyFileSync(tls.keyFile, files.keyFile);
  const log = recordingLog();
  open({ tls: files, certificateSettleMs: 30, log });
  await server.listen();
  const session = http2();
  expect((await http2Get(session, "/hello")).status).toBe(200);
  expect(await presentedName()).toBe("first");

  // Renamed into place, as certbot and Kubernetes do.
  copyFileSync(other.keyFile, `${files.keyFile}.new`);
  copyFileSync(other.certFile, `${files.certFile}.new`);
  renameSync(`${files.keyFile}.new`, files.keyFile);
  renameSync(`${files.certFile}.new`, files.certFile);
  await until(() => server.counters.certificateReloads === 1);
  expect(await presentedName()).toBe("second");
  expect(server.certificate?.subject).toBe("CN=second");
  expect(server.certificate?.names).toEqual(["localhost", "127.0.0.1"]);
  expect(server.certificate?.validTo).toBeGreaterThan(Date.now());
  expect((await http2Get(session, "/hello")).status).toBe(200);

  const faults: string[] = [];
  server.events.on("certificate-fault", (reason) => faults.push(reason));
  writeFileSync(files.certFile, "no certificate");
  await until(() => server.counters.certificateReloadFailures > 0);
  expect(await presentedName()).toBe("second");
  expect(log.lines).toContain("new certificate is unusable, the old one stays");
  expect(faults[0]).toContain("is unusable");
});

test("a chain that changed below the same certificate is presented too", () => {
  const files = { certFile: join(folder.path, "chain.pem"), keyFile: tls.keyFile };
  copyFileSync(tls.certFile, files.certFile);
  open({ tls: files });
  appendFileSync(files.certFile, readFileSync(other.certFile));
  expect(server.reloadCertificate()).toBe(true);
  expect(server.counters.certificateReloads).toBe(1);
});

test("a certificate with a foreign key is refused at start and at reload", async () => {
  const mixed = { certFile: tls.certFile, keyFile: other.keyFile };
  expect(() =>
    openHttpServer({ host: "127.0.0.1", port: 0, log: silentLogger, clock: systemClock, tls: mixed }),
  ).toThrow(/other-key.pem is unusable/);
  open({ tls });
  expect(server.reloadCertificate()).toBe(true);
  expect(server.counters.certificateReloads).toBe(0);
});

test("the page is served with a strict policy, html never stored, hashed assets kept", async () => {
  const pages = join(folder.path, "pages");
  mkdirSync(join(pages, "assets"), { recursive: true });
  writeFileSync(join(pages, "index.html"), "<!doctype html><title>x</title>");
  writeFileSync(join(pages, "assets", "app-1a2b.js"), "1");
  open();
  await servePages(server.app, pages, { frameAncestors: ["https://wwe.example.com"] });
  await server.listen();
  const base = `http://127.0.0.1:${server.port}`;
  const html = await fetch(`${base}/`);
  expect(html.status).toBe(200);
  expect(html.headers.get("content-type")).toContain("text/html");
  expect(html.headers.get("cache-control")).toBe("no-store");
  const policy = html.headers.get("content-security-policy") ?? "";
  expect(policy).toContain("script-src 'self';");
  expect(policy).not.toContain("unsafe");
  expect(policy).toContain("frame-ancestors 'self' https://wwe.example.com");
  expect(html.headers.get("x-content-type-options")).toBe("nosniff");
  const script = await fetch(`${base}/assets/app-1a2b.js`);
  expect(script.headers.get("cache-control")).toContain("immutable");
  expect(await script.text()).toBe("1");
  // What the build has compressed goes out so to whoever takes it, and as it is to others.
  writeFileSync(join(pages, "assets", "app-1a2b.js.br"), brotliCompressSync("compressed"));
  const asked = async (encoding: string) =>
    await fetch(`${base}/assets/app-1a2b.js`, { headers: { "accept-encoding": encoding } });
  const small = await asked("gzip, br");
  expect([small.headers.get("content-encoding"), await small.text()]).toEqual(["br", "compressed"]);
  expect(small.headers.get("content-type")).toContain("javascript");
  expect(small.headers.get("cache-control")).toContain("immutable");
  expect(small.headers.get("vary")).toBe("accept-encoding");
  expect(await (await asked("identity")).text()).toBe("1");
  expect(await (await asked("gzip")).text()).toBe("1");
  expect((await fetch(`${base}/hello`)).status).toBe(200);
  expect((await fetch(`${base}/%2e%2e/cert.pem`)).status).toBe(404);
  expect((await fetch(`${base}/missing.js`)).status).toBe(404);
});

test("each page is served with what it needs and no more", async () => {
  const pages = join(folder.path, "several");
  for (const path of ["admin", "sdk"]) mkdirSync(join(pages, path), { recursive: true });
  for (const path of ["index.html", "admin/index.html", "embed-example.html", "sdk/jackfield.js"])
    writeFileSync(join(pages, path), path);
  open();
  const options = {
    frameAncestors: ["https://wwe.example.com"],
    connectOrigins: ["https://gws.example.com"],
  };
  await servePages(server.app, pages, { ...options, settings: { mode: "phone" } });
  await server.listen();
  const base = `http://127.0.0.1:${server.port}`;
  const rules = async (path: string): Promise<[string, string]> => {
    const { headers } = await fetch(`${base}${path}`);
    for (const name of ["x-content-type-options", "referrer-policy"]) expect(headers.has(name)).toBe(true);
    return [headers.get("content-security-policy") ?? "", headers.get("permissions-policy") ?? ""];
  };
  const [softphone, phoneFeatures] = await rules("/");
  expect(softphone).toContain("connect-src 'self' https://gws.example.com;");
  expect(phoneFeatures).toContain("microphone=(self), speaker-selection=(self)");
  const [admin, adminFeatures] = await rules("/admin/");
  expect(admin).toMatch(/connect-src 'self'; frame-ancestors 'none'$/);
  expect(adminFeatures).toContain("microphone=()");
  // Whoever embeds the softphone may have opened it; nobody needs a handle on the dashboard's window.
  const opener = async (path: string) =>
    (await fetch(`${base}${path}`)).headers.get("cross-origin-opener-policy");
  expect([await opener("/admin/"), await opener("/")]).toEqual(["same-origin", null]);
  expect((await rules("/embed-example.html"))[0]).toContain("frame-src 'self'");
  for (const path of ["/", "/admin/", "/embed-example.html"])
    expect((await rules(path))[0]).toMatch(
      /^default-src 'none'; script-src 'self'; style-src 'self';(?!.*unsafe)/,
    );
  const moved = await fetch(`${base}/admin`, { redirect: "manual" });
  expect([moved.status, moved.headers.get("location")]).toEqual([302, "admin/"]);
  expect(await (await fetch(`${base}/admin`)).text()).toBe("admin/index.html");
  // Embedding pages of other origins load it.
  const sdk = await fetch(`${base}/sdk/jackfield.js`);
  expect(sdk.headers.get("cross-origin-resource-policy")).toBe("cross-origin");
  expect((await fetch(`${base}/`)).headers.get("cross-origin-resource-policy")).toBe("same-origin");
  const settings = await fetch(`${base}/settings.json`);
  expect(settings.headers.get("cache-control")).toBe("no-store");
  expect(await settings.json()).toEqual({ mode: "phone" });
});

test("without built pages the answer says how to build them", async () => {
  open();
  await servePages(server.app, join(folder.path, "nowhere"));
  await server.listen();
  const response = await fetch(`http://127.0.0.1:${server.port}/`);
  expect(response.status).toBe(503);
  expect(await response.text()).toContain("npm run build:web");
});

test("close lets a running answer end and cuts what does not end", async () => {
  const clock = new FakeClock();
  open({ clock, closeTimeoutMs: 1_000 });
  let finish = (): void => {};
  server.app.get("/slow", async () => {
    await new Promise<void>((resolve) => (finish = resolve));
    return "done";
  });
  server.app.get("/never", () => new Promise(() => {}));
  await server.listen();
  const base = `http://127.0.0.1:${server.port}`;
  const slow = fetch(`${base}/slow`);
  const never = fetch(`${base}/never`).then(
    () => "answered",
    () => "cut",
  );
  await until(() => server.counters.requests === 2);
  const closing = server.close();
  finish();
  expect(await (await slow).text()).toBe("done");
  clock.advance(1_000);
  expect(await never).toBe("cut");
  await closing;
  expect(server.close()).toBe(server.close());
  expect(clock.pendingTimers).toBe(0);
});

test("a port in use is told to the caller", async () => {
  open();
  await server.listen();
  const second = openHttpServer({
    host: "127.0.0.1",
    port: server.port,
    log: silentLogger,
    clock: systemClock,
  });
  await expect(second.listen()).rejects.toThrow(/EADDRINUSE/);
  await second.close();
});

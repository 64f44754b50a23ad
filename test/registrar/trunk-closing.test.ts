import { createSocket } from "node:dgram";
import { describe, expect, test } from "vitest";
import { silentLogger, systemClock, systemRandom } from "../../src/core/index.ts";
import { createTrunkRegistrations, fixedServers } from "../../src/registrar/index.ts";
import { createTransactionLayer, openUdpTransport } from "../../src/sip/index.ts";
import { peak, PresenceDouble, useTrunkBench } from "./trunk-bench.ts";

const bench = useTrunkBench();

describe("closing", () => {
  test("closeAll un-registers what is ours, faster than usual but paced, and forgets all", async () => {
    const dns = Array.from({ length: 200 }, (_value, index) => String(5001 + index));
    for (const dn of dns) bench.presence.signIn(dn);
    bench.clock.advance(10_000);
    bench.server.bindings.set("5001", "<sip:5001@192.0.2.77>");
    const release = bench.trunk.retain("5002");
    const since = bench.clock.now();
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 5_000 });
    bench.clock.advance(5_000);
    expect(await closed).toBe(0);
    expect(bench.server.bindings.size).toBe(0);
    const last = bench.server.registers.filter((request) => request.at >= since);
    expect(last).toHaveLength(200);
    expect(peak(last, 1_000)).toBeLessThanOrEqual(121);
    release();
    bench.presence.signIn("5300");
    expect(bench.server.of("5300")).toEqual([]);
    expect(bench.trunk.status("5002").state).toBe("idle");
  });

  test("closeAll gives up at its time limit and says how many were left", async () => {
    for (const dn of ["5001", "5002", "5003"]) bench.presence.signIn(dn);
    bench.clock.advance(100);
    bench.server.script = (request) => (request.dn === "5002" ? "silence" : bench.server.registered(request));
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 1_000 });
    bench.clock.advance(1_000);
    expect(await closed).toBe(1);
    expect(bench.trunk.closeAll({ unregister: true, timeoutMs: 1 })).toBe(closed);
  });

  test("closeAll during a REGISTER under way un-registers after its answer", async () => {
    bench.presence.signIn("5001");
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 1_000 });
    bench.clock.advance(1_000);
    expect(await closed).toBe(0);
    expect(bench.server.of("5001").map((request) => request.expires)).toEqual([300, 0]);
  });

  test("a dead server does not hold up the un-REGISTERs to nobody", async () => {
    bench.presence.signIn("5001");
    bench.clock.advance(20_000);
    bench.server.dead = true;
    bench.clock.advance(40_000);
    const sent = bench.server.registers.length;
    const closed = bench.trunk.closeAll({ unregister: true, timeoutMs: 5_000 });
    bench.clock.advance(100);
    expect(await closed).toBe(0);
    expect(bench.server.registers).toHaveLength(sent);
  });
});

test("over a real UDP socket a DN registers at a server that writes its own text, and un-registers", async () => {
  const server = createSocket("udp4");
  const received: string[] = [];
  server.on("message", (message, remote) => {
    const text = message.toString();
    received.push(text);
    const line = (name: string): string => text.match(new RegExp(`^${name}: .*$`, "m"))?.[0].trim() ?? "";
    const lines = [
      "SIP/2.0 200 OK",
      line("From"),
      line("To"),
      line("Call-ID"),
      line("CSeq"),
      "Content-Length: 0",
    ];
    lines.push(line("Via"), line("Expires"), line("Contact"), "", "");
    server.send(lines.join("\r\n"), remote.port, remote.address);
  });
  await new Promise<void>((resolve) => server.bind(0, "127.0.0.1", resolve));
  const layer = createTransactionLayer({
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    user: { onRequest: () => {}, onAck: () => {} },
  });
  const transport = await openUdpTransport({
    host: "127.0.0.1",
    port: 0,
    advertisedAddress: "127.0.0.1",
    receiver: layer,
    allow: () => true,
    log: silentLogger,
  });
  const presence = new PresenceDouble();
  const trunk = createTrunkRegistrations({
    registrar: presence,
    transactions: layer,
    peers: [fixedServers([transport.flowTo("127.0.0.1", server.address().port)])],
    contact: `127.0.0.1:${transport.port}`,
    credentials: () => undefined,
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
  });
  const reached = new Promise<void>((resolve) => {
    trunk.events.on("status", (_dn, status) => {
      if (status.state === "in-service") resolve();
    });
  });
  presence.signIn("5001");
  await reached;
  presence.signOut("5001");
  expect(await trunk.closeAll({ unregister: true, timeoutMs: 2_000 })).toBe(0);
  const registers = received.filter((text) => text.startsWith("REGISTER "));
  expect(registers.map((text) => text.match(/^Expires: (\d+)/m)?.[1])).toEqual(["300", "0"]);
  expect(received.some((text) => text.startsWith("OPTIONS "))).toBe(true);
  expect(registers[0]).toContain(`Contact: <sip:5001@127.0.0.1:${transport.port}>`);
  layer.close();
  await transport.close();
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

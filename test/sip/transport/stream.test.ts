import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bench, message, until } from "./stream-support.ts";

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  await bench.close();
});

describe("the flow to a SIP Server", () => {
  it("connects with the first message, keeps that one connection for all, and takes what comes by it", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    const flow = transport.serverFlow("127.0.0.1", far.port);
    expect(far.connections).toHaveLength(0);
    flow.send(message("OPTIONS 1"));
    flow.send(message("OPTIONS 2"));
    await until(() => far.text.includes("OPTIONS 2"));
    flow.send(message("OPTIONS 3"));
    await until(() => far.text.includes("OPTIONS 3"));
    expect(far.connections).toHaveLength(1);
    far.connections[0]?.socket.write(message("SIP/2.0 200 OK") + message("INVITE sip:x", "v=0").toString());
    await until(() => bench.receiver.received.length === 2);
    expect(bench.receiver.received.map(({ flow: by }) => by)).toEqual([flow, flow]);
    expect(transport.flowTo("127.0.0.1", far.port)).toBe(flow);
    expect(flow).toMatchObject({
      protocol: "TCP",
      side: "trunk",
      reliable: true,
      sentBy: `192.0.2.20:${transport.port}`,
    });
  });

  it("outlives a cut: same object, still open, what is sent meanwhile arrives by the next connection", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    const flow = transport.serverFlow("127.0.0.1", far.port);
    flow.send(message("OPTIONS 1"));
    await until(() => far.text.includes("OPTIONS 1"));
    far.cut();
    await until(() => bench.receiver.interrupted.length === 1);
    expect(flow.open).toBe(true);
    expect(bench.receiver.closed).toEqual([]);
    flow.send(message("BYE"), (error) => expect.fail(error.message));
    bench.clock.advance(250);
    await until(() => far.connections[1]?.text.includes("BYE") === true);
    expect(transport.counters).toMatchObject({ connected: 2, lost: 1 });
  });

  it("comes back by itself after a cut, so that SIP Server finds its way too", async () => {
    const far = await bench.farEnd();
    const flow = (await bench.open()).serverFlow("127.0.0.1", far.port);
    flow.send(message("OPTIONS 1"));
    await until(() => far.text !== "");
    far.cut();
    await until(() => bench.receiver.interrupted.length === 1);
    bench.clock.advance(250);
    await until(() => far.connections.length === 2);
  });

  it("tries again after 0.25, 0.5, 1, 2, 4, 8, 8 s while nobody listens", async () => {
    const gone = await bench.farEnd();
    const { port } = gone;
    await gone.close();
    const transport = await bench.open();
    transport.serverFlow("127.0.0.1", port).send(message("OPTIONS"));
    for (const [failures, pause] of [250, 500, 1000, 2000, 4000, 8000, 8000].entries()) {
      await until(() => transport.counters.connectErrors === failures + 1);
      const timers = bench.clock.pendingTimers;
      bench.clock.advance(pause - 1);
      // The pause's own timer, and for the first 4 s that of what waits.
      expect(bench.clock.pendingTimers).toBeGreaterThan(0);
      expect(bench.clock.pendingTimers).toBeLessThanOrEqual(timers);
      bench.clock.advance(1);
    }
    await until(() => transport.counters.connectErrors === 8);
  });

  it("gives what waits longer than 4 s back as failed, and no more than its bounds may wait", async () => {
    const gone = await bench.farEnd();
    const { port } = gone;
    await gone.close();
    const transport = await bench.open({ limits: { queue: { messages: 2, bytes: 1000, patienceMs: 4000 } } });
    const flow = transport.serverFlow("127.0.0.1", port);
    const errors: string[] = [];
    const send = (text: string): void =>
      flow.send(message(text), (error) => errors.push(`${text}: ${error.message}`));
    send("one");
    bench.clock.advance(1000);
    send("two");
    send("three");
    expect(errors).toEqual(["three: too much waits for a connection"]);
    bench.clock.advance(3000);
    expect(errors.slice(1)).toEqual(["one: no connection in time"]);
    await until(() => transport.counters.connectErrors === 1);
    bench.clock.advance(1000);
    expect(errors.slice(2)).toEqual([expect.stringMatching(/^two: no connection in time: /)]);
    expect(flow.open).toBe(true);
  });

  it("gives an attempt up that nobody answers", async () => {
    const transport = await bench.open({ limits: { connectMs: 1000 } });
    // TEST-NET-1: packets to it go nowhere, or are refused at once where there is no route.
    transport.serverFlow("192.0.2.1", 5060).send(message("OPTIONS"));
    bench.clock.advance(1000);
    await until(() => transport.counters.connectErrors === 1);
  });

  it("to somebody who was not configured is given up when idle, and made again when needed", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    const flow = transport.flowTo("127.0.0.1", far.port);
    flow.send(message("SIP/2.0 200 OK"));
    await until(() => far.text !== "");
    expect(transport.connections).toBe(1);
    bench.clock.advance(180_000);
    expect(transport.connections).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.receiver.interrupted).toEqual([]);
    flow.send(message("SIP/2.0 200 OK"));
    await until(() => far.connections[1]?.text.includes("200") === true);
  });

  it("whose name leads elsewhere now is not kept up any longer, until it does again", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    const flow = transport.serverFlow("127.0.0.1", far.port);
    flow.send(message("OPTIONS 1"));
    await until(() => far.text !== "");
    flow.release?.();
    bench.clock.advance(180_000);
    expect([transport.connections, bench.clock.pendingTimers]).toEqual([0, 0]);
    expect(flow.open).toBe(true);
    expect(transport.serverFlow("127.0.0.1", far.port)).toBe(flow);
    flow.send(message("OPTIONS 2"));
    await until(() => far.connections[1]?.text.includes("OPTIONS 2") === true);
    bench.clock.advance(29_000);
    expect(transport.connections).toBe(1);
  });

  it("that was released while it was down is not connected to again", async () => {
    const gone = await bench.farEnd();
    const { port } = gone;
    await gone.close();
    const transport = await bench.open();
    const flow = transport.serverFlow("127.0.0.1", port);
    flow.send(message("OPTIONS"));
    await until(() => transport.counters.connectErrors === 1);
    flow.release?.();
    bench.clock.advance(4_000);
    await until(() => transport.counters.connectErrors === 2);
    bench.clock.advance(20_000);
    expect([transport.connections, bench.clock.pendingTimers]).toEqual([0, 0]);
  });

  it("tells all as closed when the transport closes, and leaves nothing", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    const flow = transport.serverFlow("127.0.0.1", far.port);
    flow.send(message("OPTIONS"));
    await until(() => far.text !== "");
    const dialled = await bench.dial(transport.port);
    await until(() => transport.counters.accepted === 1);
    await transport.close();
    await dialled.closed;
    expect(flow.open).toBe(false);
    expect(bench.receiver.closed.toSorted()).toEqual(["tcp-in-1", flow.id]);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(transport.connections).toBe(0);
    const errors: string[] = [];
    flow.send(message("late"), (error) => errors.push(error.message));
    expect(errors).toEqual(["transport closed"]);
  });
});

describe("pings and silence", () => {
  it("sends CRLF CRLF on its connections and answers the far end's by CRLF (RFC 5626 4.4.1)", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    transport.serverFlow("127.0.0.1", far.port).send(message("ACK sip:x"));
    await until(() => far.connections[0]?.text.includes("ACK") === true);
    bench.clock.advance(27_000);
    await until(() => far.connections[0]?.text.endsWith("\r\n\r\n\r\n\r\n") === true);
    far.connections[0]?.socket.write("\r\n\r\n");
    await until(() => far.connections[0]?.text.endsWith("\r\n\r\n\r\n\r\n\r\n") === true);
    expect(transport.counters).toMatchObject({ pingsSent: 1, pingsAnswered: 1 });
  });

  it("takes a far end that never answers pings as it is, one that stops answering for dead", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    transport.serverFlow("127.0.0.1", far.port).send(message("ACK sip:x"));
    await until(() => far.text !== "");
    bench.clock.advance(60_000);
    expect(transport.counters).toMatchObject({ pingsSent: 2, closedForSilence: 0 });
    bench.clock.advance(27_000 - 6000);
    far.connections[0]?.socket.write("\r\n");
    // Nothing tells when the answer was read; a message behind it does.
    far.connections[0]?.socket.write(message("OPTIONS"));
    await until(() => bench.receiver.received.length === 1);
    expect(transport.counters.pingsSent).toBe(3);
    bench.clock.advance(27_000 + 10_000);
    expect(transport.counters.closedForSilence).toBe(1);
  });

  it("takes a connection for dead on which a request is followed by nothing for 32 s", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open({ pingSeconds: 0 });
    const flow = transport.serverFlow("127.0.0.1", far.port);
    flow.send(message("SIP/2.0 200 OK"));
    flow.send(message("ACK sip:x"));
    await until(() => far.text !== "");
    bench.clock.advance(40_000);
    expect(transport.counters.closedForSilence).toBe(0);
    flow.send(message("OPTIONS sip:x"));
    bench.clock.advance(31_999);
    expect(transport.counters.closedForSilence).toBe(0);
    bench.clock.advance(1);
    expect(transport.counters.closedForSilence).toBe(1);
    expect(bench.receiver.interrupted).toEqual([flow.id]);
  });

  it("closes a connection whose far end does not read, and what it could not take goes by the next", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open({ limits: { bufferedBytes: 100_000 } });
    const flow = transport.serverFlow("127.0.0.1", far.port);
    flow.send(message("OPTIONS"));
    await until(() => far.text !== "");
    far.connections[0]?.socket.pause();
    let errors = 0;
    for (let count = 0; transport.counters.closedForBackpressure === 0 && count < 2000; count++) {
      flow.send(message(`OPTIONS ${count}`, "x".repeat(60_000)), () => errors++);
      if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(transport.counters.closedForBackpressure).toBe(1);
    bench.clock.advance(250);
    await until(() => far.connections.length === 2);
    expect(errors).toBe(0);
  });
});

describe("connections to us", () => {
  it("are flows of their own; answers go back by them, by a new one to the sent-by once they are gone", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open();
    const server = transport.serverFlow("127.0.0.1", far.port);
    const dialled = await bench.dial(transport.port);
    dialled.socket.write(message("INVITE sip:5001"));
    await until(() => bench.receiver.received.length === 1);
    const flow = bench.receiver.received[0]?.flow;
    expect(flow).toMatchObject({ id: "tcp-in-1", side: "trunk", reliable: true, open: true });
    flow?.send(message("SIP/2.0 180 Ringing"));
    await until(() => dialled.text().includes("180"));
    dialled.socket.destroy();
    await until(() => bench.receiver.closed.length === 1);
    expect(flow?.open).toBe(false);
    expect(flow?.toPort?.(far.port)).toBe(server);
  });

  it("are closed unread from addresses that nobody configured, and counted", async () => {
    const transport = await bench.open({ allow: (address) => address === "192.0.2.10" });
    const dialled = await bench.dial(transport.port);
    dialled.socket.write(message("INVITE sip:5001"));
    await dialled.closed;
    expect(transport.counters).toMatchObject({ refusedByAddress: 1, accepted: 0, messagesReceived: 0 });
    expect(transport.connections).toBe(0);
  });

  it("are closed with the first message once their address is allowed no more", async () => {
    let allowed = true;
    const transport = await bench.open({ allow: () => allowed });
    const { socket, closed } = await bench.dial(transport.port);
    socket.write(message("OPTIONS 1"));
    await until(() => bench.receiver.received.length === 1);
    allowed = false;
    socket.write(message("OPTIONS 2"));
    await closed;
    expect(bench.receiver.received).toHaveLength(1);
    expect(transport.counters.refusedByAddress).toBe(1);
  });

  it("are bounded in number, and a place is free again when one ends", async () => {
    const transport = await bench.open({ limits: { connectionsPerAddress: 2 } });
    const first = await bench.dial(transport.port);
    await bench.dial(transport.port);
    await (
      await bench.dial(transport.port)
    ).closed;
    expect(transport.counters).toMatchObject({ accepted: 2, refusedByLimit: 1 });
    first.socket.destroy();
    await until(() => transport.connections === 1);
    await bench.dial(transport.port);
    await until(() => transport.counters.accepted === 3);
  });

  it.each(["GET / HTTP/1.1\r\n\r\n", "\n", `INVITE sip:x SIP/2.0\r\nl: 99999\r\n\r\n`])(
    "are closed when the stream cannot be followed: %j",
    async (bytes) => {
      const transport = await bench.open();
      const dialled = await bench.dial(transport.port);
      dialled.socket.write(bytes);
      await dialled.closed;
      expect(transport.counters).toMatchObject({ framingErrors: 1, messagesReceived: 0 });
      expect(bench.clock.pendingTimers).toBe(0);
    },
  );

  it("are closed when a message that has begun is not whole after 10 s, however it drips", async () => {
    const transport = await bench.open();
    const dialled = await bench.dial(transport.port);
    dialled.socket.write(message("OPTIONS 1") + "OPTIONS 2");
    await until(() => bench.receiver.received.length === 1);
    bench.clock.advance(9000);
    dialled.socket.write(" sip:x");
    await new Promise((resolve) => setImmediate(resolve));
    expect(transport.counters.framingErrors).toBe(0);
    bench.clock.advance(1000);
    await dialled.closed;
    expect(transport.counters.framingErrors).toBe(1);
  });

  it("stay when the receiver throws", async () => {
    const transport = await bench.open();
    bench.receiver.onReceive = (_flow, text) => {
      if (text.startsWith("OPTIONS 1")) throw new Error("fault");
    };
    const dialled = await bench.dial(transport.port);
    dialled.socket.write(message("OPTIONS 1") + message("OPTIONS 2").toString());
    await until(() => bench.receiver.received.length === 2);
    expect(transport.counters.receiverErrors).toBe(1);
  });
});

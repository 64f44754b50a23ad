import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import {
  openUdpTransport,
  type Flow,
  type UdpTransport,
  type UdpTransportOptions,
} from "../../../src/sip/index.ts";
import { FlowCache } from "../../../src/sip/transport/flow-cache.ts";
import { UdpFlow } from "../../../src/sip/transport/udp-flow.ts";

interface Received {
  flow: Flow;
  text: string;
  framing: string;
}

class Receiver {
  readonly received: Received[] = [];
  readonly closed: string[] = [];
  onReceive: (() => void) | undefined;
  #waiting: (() => void)[] = [];

  receive(flow: Flow, bytes: Buffer, framing: string): void {
    this.received.push({ flow, text: bytes.toString(), framing });
    for (const wake of this.#waiting.splice(0)) wake();
    this.onReceive?.();
  }

  flowClosed(flow: Flow): void {
    this.closed.push(flow.id);
  }

  async nth(count: number): Promise<Received> {
    while (this.received.length < count) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    const found = this.received[count - 1];
    if (!found) throw new Error("nothing received");
    return found;
  }
}

const cleanUp: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of cleanUp.splice(0)) await close();
});

async function open(receiver: Receiver, options: Partial<UdpTransportOptions> = {}): Promise<UdpTransport> {
  const transport = await openUdpTransport({
    host: "127.0.0.1",
    port: 0,
    advertisedAddress: "192.0.2.20",
    receiver,
    allow: () => true,
    log: silentLogger,
    ...options,
  });
  cleanUp.push(() => transport.close());
  return transport;
}

async function peer(
  host = "127.0.0.1",
): Promise<{ socket: Socket; port: number; next: () => Promise<string> }> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  socket.bind(0, host);
  await once(socket, "listening");
  cleanUp.push(async () => {
    socket.close();
    await once(socket, "close");
  });
  const next = async (): Promise<string> => {
    const [message]: unknown[] = await once(socket, "message");
    return String(message);
  };
  return { socket, port: socket.address().port, next };
}

describe("UDP transport", () => {
  it("binds a free port for port 0 and writes it into sent-by", async () => {
    const transport = await open(new Receiver());
    expect(transport.port).toBeGreaterThan(0);
    expect(transport.flowTo("127.0.0.1", 5060)).toMatchObject({
      protocol: "UDP",
      reliable: false,
      open: true,
      remoteAddress: "127.0.0.1",
      remotePort: 5060,
      sentBy: `192.0.2.20:${transport.port}`,
    });
  });

  it("puts brackets round an advertised IPv6 address", async () => {
    const transport = await open(new Receiver(), { advertisedAddress: "2001:db8::20" });
    expect(transport.flowTo("127.0.0.1", 5060).sentBy).toBe(`[2001:db8::20]:${transport.port}`);
  });

  it("delivers datagrams with the flow to answer by, from its own port", async () => {
    const receiver = new Receiver();
    const transport = await open(receiver);
    const { socket, port } = await peer();
    socket.send("ping", transport.port, "127.0.0.1");
    const { flow, text, framing } = await receiver.nth(1);
    expect({ text, framing, port: flow.remotePort }).toEqual({ text: "ping", framing: "datagram", port });
    const answer = once(socket, "message");
    flow.send(Buffer.from("pong"));
    const [message, remote]: unknown[] = await answer;
    expect(String(message)).toBe("pong");
    expect(remote).toMatchObject({ port: transport.port });
    expect(transport.counters).toMatchObject({ datagramsReceived: 1, datagramsSent: 1, droppedByAddress: 0 });
  });

  it("gives the same flow id for the same remote, another for another port", async () => {
    const receiver = new Receiver();
    const transport = await open(receiver);
    const [first, second] = [await peer(), await peer()];
    first.socket.send("a", transport.port, "127.0.0.1");
    await receiver.nth(1);
    first.socket.send("b", transport.port, "127.0.0.1");
    await receiver.nth(2);
    second.socket.send("c", transport.port, "127.0.0.1");
    await receiver.nth(3);
    const ids = receiver.received.map(({ flow }) => flow.id);
    expect(ids[0]).toBe(ids[1]);
    expect(ids[2]).not.toBe(ids[0]);
    expect(transport.flowTo("127.0.0.1", first.port).id).toBe(ids[0]);
  });

  it("reaches another port of the same address by toPort", async () => {
    const transport = await open(new Receiver());
    const { next, port } = await peer();
    const flow = transport.flowTo("127.0.0.1", 9);
    const message = next();
    flow.toPort?.(port).send(Buffer.from("to the sent-by port"));
    expect(await message).toBe("to the sent-by port");
    expect(flow.toPort?.(9)).toBe(flow);
  });

  it("drops what comes from addresses not allowed, unread and counted", async () => {
    const receiver = new Receiver();
    const asked: string[] = [];
    let allowed = false;
    const transport = await open(receiver, {
      allow: (address) => {
        asked.push(address);
        return allowed;
      },
    });
    const { socket } = await peer();
    const dropped = async (): Promise<void> => {
      while (transport.counters.droppedByAddress === 0) await new Promise((resolve) => setImmediate(resolve));
    };
    socket.send("stranger", transport.port, "127.0.0.1");
    await dropped();
    allowed = true;
    socket.send("friend", transport.port, "127.0.0.1");
    expect((await receiver.nth(1)).text).toBe("friend");
    expect(asked).toEqual(["127.0.0.1", "127.0.0.1"]);
    expect(transport.counters).toMatchObject({ datagramsReceived: 2, droppedByAddress: 1 });
  });

  it("carries datagrams of nearly 64 kB both ways whole", async () => {
    const receiver = new Receiver();
    const transport = await open(receiver);
    const { socket, next, port } = await peer();
    const big = "x".repeat(65_000);
    socket.send(big, transport.port, "127.0.0.1");
    expect((await receiver.nth(1)).text).toBe(big);
    const message = next();
    transport.flowTo("127.0.0.1", port).send(Buffer.from(big));
    expect(await message).toBe(big);
  });

  it("tells a send that fails: too long, no such port, a name for an address", async () => {
    const transport = await open(new Receiver());
    const failure = (flow: Flow, bytes: Buffer): Promise<Error> =>
      new Promise((resolve) => flow.send(bytes, resolve));
    const tooLong = await failure(transport.flowTo("127.0.0.1", 9), Buffer.alloc(70_000));
    expect(tooLong).toMatchObject({ code: "EMSGSIZE" });
    expect(await failure(transport.flowTo("127.0.0.1", 70_000), Buffer.from("x"))).toBeInstanceOf(Error);
    expect((await failure(transport.flowTo("sip.example", 5060), Buffer.from("x"))).message).toMatch(
      /not an IP address/,
    );
    expect(transport.counters.sendErrors).toBe(3);
    expect(() => transport.flowTo("nonsense", 0).send(Buffer.from("x"))).not.toThrow();
  });

  it("asks for 4 MB of receive buffer and tells what was granted", async () => {
    const large = await open(new Receiver());
    const small = await open(new Receiver(), { receiveBufferBytes: 16_384 });
    expect(large.counters.receiveBufferBytes).toBeGreaterThan(small.counters.receiveBufferBytes);
    expect(small.counters.receiveBufferBytes).toBeGreaterThan(0);
  });

  it("survives a receiver that throws, and counts it", async () => {
    const receiver = new Receiver();
    const transport = await open(receiver);
    receiver.onReceive = () => {
      throw new Error("receiver's fault");
    };
    const { socket } = await peer();
    socket.send("one", transport.port, "127.0.0.1");
    await receiver.nth(1);
    socket.send("two", transport.port, "127.0.0.1");
    await receiver.nth(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect(transport.counters.receiverErrors).toBe(2);
  });

  it("rejects with the system's error when the port is taken", async () => {
    const { port } = await open(new Receiver());
    await expect(open(new Receiver(), { port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });

  it("tells an IPv4 peer of an IPv6 socket by its IPv4 address, and answers it", async () => {
    const receiver = new Receiver();
    const asked: string[] = [];
    const transport = await open(receiver, {
      host: "::",
      allow: (address) => {
        asked.push(address);
        return true;
      },
    });
    const { socket, next } = await peer();
    socket.send("v4", transport.port, "127.0.0.1");
    const { flow } = await receiver.nth(1);
    const message = next();
    flow.send(Buffer.from("back"));
    expect(await message).toBe("back");
    expect(asked).toEqual(["127.0.0.1"]);
  });

  it("on close tells each flow, refuses to send, frees the port; closing again is nothing", async () => {
    const receiver = new Receiver();
    const transport = await open(receiver);
    const flows = [transport.flowTo("127.0.0.1", 5060), transport.flowTo("127.0.0.1", 5061)];
    const { port } = transport;
    await Promise.all([transport.close(), transport.close()]);
    await transport.close();
    expect(receiver.closed).toEqual(flows.map(({ id }) => id));
    expect(flows.map((flow) => flow.open)).toEqual([false, false]);
    const errors: Error[] = [];
    flows[0]?.send(Buffer.from("x"), (error) => errors.push(error));
    expect(errors.map(({ message }) => message)).toEqual(["UDP transport closed"]);
    const again = await open(new Receiver(), { port });
    expect(again.port).toBe(port);
  });
});

describe("the cache of flows", () => {
  const sender = { sentBy: "", open: true, flowTo: (): Flow => flow("x"), send(): void {} };
  const flow = (id: string): UdpFlow => new UdpFlow(sender, id, "192.0.2.1", 5060);

  it("keeps the flows used last within its limit", () => {
    const cache = new FlowCache(2);
    const [a, b] = [cache.take("a", () => flow("a")), cache.take("b", () => flow("b"))];
    expect(cache.take("a", () => flow("never made"))).toBe(a);
    cache.take("c", () => flow("c"));
    expect(cache.size).toBe(2);
    expect(cache.take("a", () => flow("never made"))).toBe(a);
    expect(cache.take("b", () => flow("b again"))).not.toBe(b);
  });

  it("is empty after it was drained", () => {
    const cache = new FlowCache(2);
    const a = cache.take("a", () => flow("a"));
    expect(cache.drain()).toEqual([a]);
    expect(cache.size).toBe(0);
  });
});

import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { describe, expect, it, vi } from "vitest";
import { silentLogger, systemClock, type Logger } from "../../src/core/index.ts";
import { encodeHep, HepExport, HepSender, type HepPacket } from "../../src/telemetry/index.ts";
import { joinWatchers } from "../../src/cli/gateway/watchers.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { readHep } from "../support/hep-reader.ts";
import type { SipMessage } from "../../src/sip/index.ts";

const packet: HepPacket = {
  from: { address: "192.0.2.10", port: 5060 },
  to: { address: "192.0.2.20", port: 5070 },
  transport: "udp",
  atMicroseconds: 1_700_000_000_123_456,
  captureId: 2001,
  password: undefined,
  correlationId: "c1@x",
  payload: Buffer.from("BYE sip:x SIP/2.0\r\n\r\n"),
};

describe("a HEP3 packet", () => {
  it("has each field in its chunk", () => {
    expect(readHep(encodeHep({ ...packet, password: "pw" }))).toEqual({
      family: 2,
      transport: 17,
      from: "192.0.2.10:5060",
      to: "192.0.2.20:5070",
      microseconds: 1_700_000_000_123_456,
      protocol: 1,
      captureId: 2001,
      password: "pw",
      correlationId: "c1@x",
      text: "BYE sip:x SIP/2.0\r\n\r\n",
    });
    expect(readHep(encodeHep(packet)).password).toBeUndefined();
  });

  it.each([
    ["2001:db8::7", "20010db8000000000000000000000007"],
    ["::ffff:192.0.2.1", "00000000000000000000ffffc0000201"],
    ["fe80::1%eth0", "fe800000000000000000000000000001"],
    ["192.0.2.1", "00000000000000000000ffffc0000201"],
  ])("has the IPv6 end %s in 16 bytes", (address, bytes) => {
    const read = readHep(
      encodeHep({ ...packet, from: { address: "2001:db8::1", port: 1 }, to: { address, port: 2 } }),
    );
    expect(read).toMatchObject({ family: 10, to: `[${bytes}]:2` });
  });

  it("has both ends in 16 bytes where only one is IPv6", () => {
    const to = { address: "2001:db8::7", port: 2 };
    expect(readHep(encodeHep({ ...packet, to }))).toMatchObject({
      family: 10,
      from: "[00000000000000000000ffffc000020a]:5060",
      to: "[20010db8000000000000000000000007]:2",
    });
  });

  it("never outgrows a datagram: what is too long is cut off", () => {
    const whole = encodeHep({ ...packet, payload: Buffer.alloc(200_000, "x") });
    expect(whole.length).toBe(65_000);
    expect(readHep(whole).text).toMatch(/^x+$/);
  });
});

describe("the export of messages", () => {
  const setUp = () => {
    const clock = new FakeClock();
    const sent: ReturnType<typeof readHep>[] = [];
    const sender = { send: (bytes: Buffer) => void sent.push(readHep(bytes)) };
    const hep = new HepExport({ clock, sender, captureId: 1, password: undefined, showDigits: false });
    const flow = (protocol: "UDP" | "WSS") => ({
      id: "f",
      protocol,
      side: protocol === "UDP" ? ("trunk" as const) : ("browser" as const),
      reliable: false,
      remoteAddress: "192.0.2.10",
      remotePort: 5060,
      sentBy: protocol === "UDP" ? "192.0.2.20:5070" : "abc.invalid",
      ...(protocol === "WSS" ? { local: { address: "10.0.0.1", port: 8443 } } : {}),
      open: true,
      send() {},
    });
    const facts = () =>
      ({ dn: "", direction: "to-agent", farNumber: "", callUuid: undefined, state: "" }) as const;
    return { clock, sent, hep, flow, facts };
  };
  const message = (callId: string) => Buffer.from(`BYE sip:x SIP/2.0\r\nCall-ID: ${callId}\r\n\r\n`);

  it("ties all dialogs of a call together by the Call-ID of the first", () => {
    const { sent, hep, flow } = setUp();
    const call = hep.begin();
    hep.sent("a", message("a"), flow("UDP"));
    call.dialog("sip-server", "a");
    call.dialog("browser", "b");
    hep.begin().dialog("browser", "c");
    for (const callId of ["b", "a", "c", "d"]) hep.sent(callId, message(callId), flow("WSS"));
    expect(sent.map(({ correlationId }) => correlationId)).toEqual(["a", "a", "a", "c", "d"]);
  });

  it("gives a dialog without a Call-ID no part in it, and has room for the message whatever the Call-ID's length", () => {
    const { sent, hep, flow } = setUp();
    const call = hep.begin();
    call.dialog("browser", "");
    call.dialog("sip-server", "a");
    hep.sent("a", message("a"), flow("UDP"));
    hep.sent("z".repeat(60_000), message("z"), flow("UDP"));
    expect(sent.map(({ correlationId }) => correlationId)).toEqual(["a", "z".repeat(256)]);
  });

  it("remembers 20,000 dialogs: the one longest unused is forgotten", () => {
    const { sent, hep, flow } = setUp();
    const call = hep.begin();
    for (const callId of ["first", "used", "unused"]) call.dialog("browser", callId);
    for (let index = 3; index < 20_000; index++) hep.begin().dialog("browser", `d${index}`);
    for (const callId of ["first", "used"]) hep.sent(callId, message(callId), flow("UDP"));
    hep.begin().dialog("browser", "one more");
    for (const callId of ["used", "unused"]) hep.sent(callId, message(callId), flow("UDP"));
    expect(sent.map(({ correlationId }) => correlationId)).toEqual(["first", "first", "first", "unused"]);
  });

  it("goes from the far end to ours when it was received", () => {
    const { sent, hep, flow } = setUp();
    hep.received({ callId: "a" } as SipMessage, message("a"), flow("UDP"));
    expect(sent[0]).toMatchObject({ from: "192.0.2.10:5060", to: "192.0.2.20:5070" });
  });

  it("names the connection's own end, or where that is any address the one in Via; WebSocket is TCP", () => {
    const { sent, hep, flow } = setUp();
    hep.sent("a", message("a"), flow("UDP"));
    hep.sent("a", message("a"), flow("WSS"));
    expect(sent[0]).toMatchObject({ transport: 17, from: "192.0.2.20:5070", to: "192.0.2.10:5060" });
    expect(sent[1]).toMatchObject({ transport: 6, from: "10.0.0.1:8443", to: "192.0.2.10:5060" });
  });

  it("counts microseconds, and follows a wall clock that is set", () => {
    const { clock, sent, hep, flow } = setUp();
    const wall = clock.wallClock();
    clock.advance(1.25);
    hep.sent("a", message("a"), flow("UDP"));
    expect(sent[0]?.microseconds).toBe((wall + 1.25) * 1000);
    const set = vi.spyOn(clock, "wallClock").mockReturnValue(wall + 3_600_000);
    hep.sent("a", message("a"), flow("UDP"));
    expect(sent[1]?.microseconds).toBe((wall + 3_600_000) * 1000);
    set.mockRestore();
  });

  it("cuts secrets and keys pressed", () => {
    const { sent, hep, flow } = setUp();
    const text =
      'INFO sip:x SIP/2.0\r\nAuthorization: Digest username="5001", nonce="n", response="0123"\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=7\r\n';
    hep.sent("a", Buffer.from(text), flow("WSS"));
    expect(sent[0]?.text).toContain('username="5001"');
    expect(sent[0]?.text).not.toMatch(/0123|Signal=7/);
  });

  it("goes on beside the ladders: each watcher is told, nothing is joined where there is one or none", () => {
    const { sent, hep, flow, facts } = setUp();
    const told: string[] = [];
    const ladder = {
      received() {},
      sent: (callId: string) => void told.push(callId),
      givenUp() {},
      begin: () => ({ ...hep.begin(), digits: () => "•" }),
    };
    const both = joinWatchers([ladder, hep]);
    const trace = both?.begin("1", facts);
    trace?.dialog("browser", "first");
    trace?.dialog("browser", "second");
    expect(trace?.digits("7")).toBe("•");
    both?.sent("second", message("second"), flow("WSS"));
    expect(told).toEqual(["second"]);
    expect(sent).toMatchObject([{ correlationId: "first" }]);
    expect(joinWatchers([hep])).toBe(hep);
    expect(joinWatchers([])).toBeUndefined();
  });
});

const until = async (done: () => boolean): Promise<void> => {
  while (!done()) await new Promise((resolve) => setImmediate(resolve));
};

function counting(): Logger & { lines: number } {
  const log = { ...silentLogger, lines: 0, warn: () => void log.lines++ };
  return log;
}

describe("the sender", () => {
  it("counts what nobody takes and says so once; it takes up by itself when the receiver is back (UDP)", async () => {
    const receiver = createSocket("udp4");
    receiver.bind(0, "127.0.0.1");
    await once(receiver, "listening");
    const { port } = receiver.address();
    await new Promise<void>((done) => void receiver.close(done));
    const clock = new FakeClock();
    const log = counting();
    const sender = new HepSender({ host: "127.0.0.1", port, transport: "udp", clock, log });
    sender.send(Buffer.from("too early"));
    expect(sender.counters.dropped).toBe(1);
    await until(() => {
      sender.send(Buffer.from("lost"));
      return sender.counters.errors > 3;
    });
    expect(log.lines).toBe(1);
    const back = createSocket("udp4");
    back.bind(port, "127.0.0.1");
    await once(back, "listening");
    const heard: string[] = [];
    back.on("message", (bytes) => heard.push(bytes.toString()));
    clock.advance(1000);
    await until(() => {
      sender.send(Buffer.from("again"));
      return heard.includes("again");
    });
    await sender.close();
    await sender.close();
    expect(clock.pendingTimers).toBe(0);
    sender.send(Buffer.from("late"));
    back.close();
  });

  it("connects again after a lost connection, drops meanwhile, and hands on what waits when it is closed (TCP)", async () => {
    const heard: Buffer[] = [];
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      sockets.push(socket);
      socket.on("error", () => {});
      socket.on("data", (bytes) => heard.push(bytes));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const clock = new FakeClock();
    const log = counting();
    const sender = new HepSender({ host: "127.0.0.1", port, transport: "tcp", clock, log });
    await until(() => {
      sender.send(Buffer.from("x"));
      return heard.length > 0;
    });
    sockets[0]?.resetAndDestroy();
    const { dropped } = sender.counters;
    await until(() => {
      sender.send(Buffer.from("y"));
      return sender.counters.dropped > dropped;
    });
    expect(sockets).toHaveLength(1);
    clock.advance(1000);
    await until(() => sockets.length === 2);
    heard.length = 0;
    const before = sender.counters.sent;
    await until(() => {
      sender.send(encodeHep(packet));
      return sender.counters.sent > before;
    });
    await sender.close();
    await until(() => heard.length > 0);
    expect(readHep(Buffer.concat(heard)).text).toContain("BYE");
    expect(clock.pendingTimers).toBe(0);
    expect(log.lines).toBeLessThanOrEqual(1);
    server.close();
  });

  it("drops what a receiver that does not read would make it keep (TCP)", async () => {
    const server = createServer((socket) => void socket.pause().on("error", () => {}));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const sender = new HepSender({
      host: "127.0.0.1",
      port,
      transport: "tcp",
      clock: systemClock,
      log: silentLogger,
    });
    const large = Buffer.alloc(60_000);
    await until(() => {
      for (let index = 0; index < 50; index++) sender.send(large);
      return sender.counters.sent > 50 && sender.counters.dropped > 50;
    });
    // What the kernel took, and 4 MB.
    expect(sender.counters.sent * large.length).toBeLessThan(40_000_000);
    server.close();
    await sender.close();
  });
});

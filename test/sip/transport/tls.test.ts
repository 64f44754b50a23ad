import { TLSSocket } from "node:tls";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { TlsSettings } from "../../../src/sip/index.ts";
import { TestAuthority, type TestCertificate } from "../../support/certificates.ts";
import { Bench, message, until } from "./stream-support.ts";

let authority: TestAuthority;
let stranger: TestAuthority;
let gateway: TestCertificate;
let server: TestCertificate;
let named: TestCertificate;
let forged: TestCertificate;
let bench: Bench;

beforeAll(() => {
  authority = new TestAuthority();
  stranger = new TestAuthority();
  gateway = authority.issue("gateway", "IP:127.0.0.1");
  server = authority.issue("server", "IP:127.0.0.1");
  named = authority.issue("named", "DNS:sips.example.com");
  forged = stranger.issue("forged", "IP:127.0.0.1");
});
afterAll(() => {
  authority.remove();
  stranger.remove();
});
beforeEach(() => {
  bench = new Bench();
});
afterEach(async () => {
  await bench.close();
});

const settings = (more: Partial<TlsSettings> = {}): TlsSettings => ({
  ca: authority.ca.cert,
  cert: gateway.cert,
  key: gateway.key,
  requirePeerCertificate: true,
  allowUnverified: false,
  ...more,
});

describe("connections to SIP Server over TLS", () => {
  it("carry SIP when its certificate is of the authority and for its address", async () => {
    const far = await bench.farEnd(0, server);
    const transport = await bench.open({ tls: settings() });
    const flow = transport.serverFlow("127.0.0.1", far.port);
    expect(flow.protocol).toBe("TLS");
    flow.send(message("OPTIONS sip:x"));
    await until(() => far.text.includes("OPTIONS"));
    far.connections[0]?.socket.write(message("SIP/2.0 200 OK"));
    await until(() => bench.receiver.received.length === 1);
    expect(bench.receiver.received[0]?.flow).toBe(flow);
  });

  it("present our certificate when it asks for one (mutual TLS)", async () => {
    const far = await bench.farEnd(0, { ...server, ca: authority.ca.cert });
    const transport = await bench.open({ tls: settings() });
    transport.serverFlow("127.0.0.1", far.port).send(message("OPTIONS sip:x"));
    await until(() => far.text.includes("OPTIONS"));
    const [first] = far.connections;
    expect(first && "authorized" in first.socket && first.socket.authorized).toBe(true);
  });

  it("present a renewed certificate from the next one on, both ways; one that stands stays", async () => {
    const renewed = authority.issue("renewed", "IP:127.0.0.1");
    const far = await bench.farEnd(0, { ...server, ca: authority.ca.cert });
    const other = await bench.farEnd(0, { ...server, ca: authority.ca.cert });
    const transport = await bench.open({ tls: settings() });
    const shown = (end: typeof far): unknown => {
      const socket = end.connections[0]?.socket;
      return socket instanceof TLSSocket ? socket.getPeerCertificate().subject.CN : undefined;
    };
    const flow = transport.serverFlow("127.0.0.1", far.port);
    flow.send(message("OPTIONS sip:x"));
    await until(() => far.text.includes("OPTIONS"));
    expect(() => transport.useTls({ ca: authority.ca.cert, cert: renewed.cert, key: gateway.key })).toThrow();
    transport.useTls({ ca: authority.ca.cert, cert: renewed.cert, key: renewed.key });
    flow.send(message("INFO sip:x"));
    transport.serverFlow("127.0.0.1", other.port).send(message("OPTIONS sip:x"));
    await until(() => far.text.includes("INFO") && other.text.includes("OPTIONS"));
    expect([far.connections.length, shown(far), shown(other)]).toEqual([1, "gateway", "renewed"]);
    const dialled = await bench.dialTls(transport.port, authority.ca.cert, server);
    expect(dialled.socket.getPeerCertificate().subject.CN).toBe("renewed");
  });

  it("are for the configured name where there is one", async () => {
    const far = await bench.farEnd(0, named);
    const transport = await bench.open({ tls: settings() });
    transport.serverFlow("127.0.0.1", far.port, "sips.example.com").send(message("OPTIONS sip:x"));
    await until(() => far.text.includes("OPTIONS"));
  });

  it.each([
    ["of another authority", () => forged, undefined],
    ["for a name, where the address was configured", () => named, undefined],
    ["for another name", () => named, "other.example.com"],
  ])("do not come to stand when its certificate is %s", async (_what, certificate, name) => {
    const far = await bench.farEnd(0, certificate());
    const transport = await bench.open({ tls: settings() });
    transport.serverFlow("127.0.0.1", far.port, name).send(message("OPTIONS sip:x"));
    await until(() => transport.counters.connectErrors === 1);
    expect(transport.counters.connected).toBe(0);
    expect(far.text).toBe("");
  });

  it("take any certificate only where that is asked for", async () => {
    const far = await bench.farEnd(0, forged);
    const transport = await bench.open({ tls: settings({ allowUnverified: true }) });
    transport.serverFlow("127.0.0.1", far.port).send(message("OPTIONS sip:x"));
    await until(() => far.text.includes("OPTIONS"));
  });

  it("do not come to stand with somebody who speaks no TLS", async () => {
    const far = await bench.farEnd();
    const transport = await bench.open({ tls: settings() });
    transport.serverFlow("127.0.0.1", far.port).send(message("OPTIONS sip:x"));
    await until(() => far.connections.length === 1);
    far.connections[0]?.socket.write(message("SIP/2.0 200 OK"));
    await until(() => transport.counters.connectErrors === 1);
    expect(far.text).not.toContain("OPTIONS");
  });
});

describe("connections to us over TLS", () => {
  it("carry SIP when the certificate shown is of the authority", async () => {
    const transport = await bench.open({ tls: settings() });
    const { socket } = await bench.dialTls(transport.port, authority.ca.cert, server);
    socket.write(message("INVITE sip:5001"));
    await until(() => bench.receiver.received.length === 1);
    expect(bench.receiver.received[0]?.flow).toMatchObject({ protocol: "TLS", id: "tls-in-1" });
  });

  it.each([
    ["none is shown", () => undefined],
    ["one of another authority is shown", () => forged],
  ])("are ended when %s", async (_what, certificate) => {
    const transport = await bench.open({ tls: settings() });
    // With TLS 1.3 the client's side stands before ours has judged its certificate.
    const { socket, closed } = await bench.dialTls(transport.port, authority.ca.cert, certificate());
    socket.write(message("INVITE sip:5001"));
    await closed;
    await until(() => transport.connections === 0);
    expect(transport.counters).toMatchObject({ accepted: 0, handshakeErrors: 1, messagesReceived: 0 });
  });

  it("need none where none is required", async () => {
    const transport = await bench.open({ tls: settings({ requirePeerCertificate: false }) });
    const { socket } = await bench.dialTls(transport.port, authority.ca.cert);
    socket.write(message("INVITE sip:5001"));
    await until(() => bench.receiver.received.length === 1);
  });

  it("are closed before any TLS from addresses that nobody configured", async () => {
    const transport = await bench.open({ tls: settings(), allow: () => false });
    await expect(bench.dialTls(transport.port, authority.ca.cert, server)).rejects.toThrow();
    expect(transport.counters).toMatchObject({ refusedByAddress: 1, handshakeErrors: 0 });
  });

  it("are ended when what comes is no TLS", async () => {
    const transport = await bench.open({ tls: settings() });
    const dialled = await bench.dial(transport.port);
    dialled.socket.write(message("INVITE sip:5001"));
    await dialled.closed;
    expect(transport.counters).toMatchObject({ accepted: 0, handshakeErrors: 1 });
  });

  it("are refused in versions before TLS 1.2", async () => {
    const transport = await bench.open({ tls: settings({ requirePeerCertificate: false }) });
    await expect(
      bench.dialTls(transport.port, authority.ca.cert, undefined, {
        minVersion: "TLSv1",
        ciphers: "DEFAULT@SECLEVEL=0",
        maxVersion: "TLSv1.1",
      }),
    ).rejects.toThrow();
    expect(transport.counters.accepted).toBe(0);
  });
});

it("a certificate that is none keeps the transport from opening, with the system's error", async () => {
  await expect(bench.open({ tls: settings({ cert: "none" }) })).rejects.toThrow(/PEM/);
});

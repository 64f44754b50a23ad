import { describe, expect, it } from "vitest";
import { DtlsEndpoint } from "../../../src/media/dtls/index.ts";
import { recordsOf, writeRecord } from "../../../src/media/dtls/records.ts";
import { makeHandshake, settle, testCertificates, until, type Handshake } from "../support/dtls-peer.ts";

/** Runs the handshake to its end and returns the reason it failed with. */
async function refusal(shake: Handshake): Promise<string | undefined> {
  shake.peer.connect();
  await until(() => shake.failures.length > 0 || shake.keys.length > 0);
  await settle();
  shake.peer.close();
  expect(shake.keys).toEqual([]);
  expect(shake.peer.connected).toBe(false);
  expect(shake.clock.pendingTimers).toBe(0);
  return shake.failures.join("|");
}

/** Fatal alert the endpoint ended with. */
function lastAlert(shake: Handshake): number | undefined {
  return recordsOf(shake.sent.at(-1) ?? Buffer.alloc(0)).at(-1)?.fragment[1];
}

describe("a DTLS attacker", () => {
  it("with a victim's copied certificate and a key of its own is refused", async () => {
    const [, victim, attacker] = await testCertificates();
    const shake = await makeHandshake({ peer: { certificate: victim, key: attacker.keyPem } });
    expect(await refusal(shake)).toBe("CertificateVerify is wrong: the peer has not its certificate's key");
    expect(lastAlert(shake)).toBe(51);
  });

  it("with a certificate of its own is refused by the fingerprint", async () => {
    const [, , attacker] = await testCertificates();
    const shake = await makeHandshake({ peer: { certificate: attacker } });
    expect(await refusal(shake)).toBe("the peer's certificate does not match the fingerprint of its SDP");
    expect(lastAlert(shake)).toBe(42);
  });

  it("that forges Finished is refused", async () => {
    const shake = await makeHandshake();
    shake.peer.client.cipher.verifyData = () => Buffer.alloc(12, 7);
    expect(await refusal(shake)).toBe("Finished is wrong: the peer saw another handshake");
  });

  it("that changes the handshake between the ends is found out", async () => {
    let changed = 0;
    // Takes the client's first profile away on its way: the client signs another handshake than we saw.
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        const at = datagram[13] === 1 ? datagram.indexOf(Buffer.from("000e00070004", "hex")) : -1;
        if (at >= 0) {
          datagram.writeUInt16BE(7, at + 6);
          changed++;
        }
        return [datagram];
      },
    });
    expect(await refusal(shake)).toMatch(/^CertificateVerify is wrong|^Finished is wrong/);
    expect(changed).toBeGreaterThan(1);
  });

  it("without a certificate is refused", async () => {
    expect(await refusal(await makeHandshake({ peer: { withoutCertificate: true } }))).toBe(
      "unexpected handshake message 16",
    );
  });

  it("with an empty certificate is refused", async () => {
    const shake = await makeHandshake();
    shake.peer.client.cipher.localCert = Buffer.alloc(0);
    expect(await refusal(shake)).toBe("the peer sent no certificate");
  });

  it("with a certificate that is no certificate is refused even when its fingerprint is the signalled one", async () => {
    const { fingerprintOf } = await import("../../../src/media/dtls/peer-authentication.ts");
    const junk = Buffer.alloc(300, 5);
    const shake = await makeHandshake({ endpoint: { remoteFingerprints: [fingerprintOf(junk)] } });
    shake.peer.client.cipher.localCert = junk;
    expect(await refusal(shake)).toBe("the peer's certificate has no usable key");
  });

  it("that leaves CertificateVerify out is refused", async () => {
    const shake = await makeHandshake({
      toEndpoint: (datagram) => (datagram[0] === 22 && datagram[13] === 15 ? [] : [datagram]),
    });
    shake.peer.connect();
    await until(() => shake.endpoint.state === "waitingFlight5");
    await settle();
    expect(shake.keys).toEqual([]);
    shake.clock.advance(20_000);
    expect(shake.failures[0]).toMatch(/timed out in state waitingFlight5/);
    shake.peer.close();
  });

  it("that replays a signature made for another handshake is refused", async () => {
    let signature: Buffer | undefined;
    const first = await makeHandshake();
    const sign = first.peer.client.cipher.signatureData.bind(first.peer.client.cipher);
    first.peer.client.cipher.signatureData = (data, hash) => (signature = sign(data, hash));
    first.peer.connect();
    await until(() => first.keys.length > 0);
    first.peer.close();
    const second = await makeHandshake();
    second.peer.client.cipher.signatureData = () => signature ?? Buffer.alloc(0);
    expect(await refusal(second)).toMatch(/^CertificateVerify is wrong/);
  });

  it("cannot make a SHA-1 fingerprint count", async () => {
    const [ours] = await testCertificates();
    const weak = { algorithm: "sha-1", value: Array.from({ length: 20 }, () => "AB").join(":") };
    const shake = await makeHandshake();
    expect(() => shake.endpoint.setRemoteFingerprints([weak])).toThrow(RangeError);
    expect(() => shake.endpoint.setRemoteFingerprints([])).toThrow(RangeError);
    expect(
      () =>
        new DtlsEndpoint({
          certificate: ours,
          clock: shake.clock,
          random: { bytes: (length) => Buffer.alloc(length), fraction: () => 0 },
          remoteFingerprints: [weak],
          send: () => {},
          onKeys: () => {},
          onFailure: () => {},
        }),
    ).toThrow("no usable fingerprint");
    shake.endpoint.close();
  });

  it("that sends a ClientHello or an alert in the clear after connecting leaves the call unharmed", async () => {
    const recorded: Buffer[] = [];
    const shake = await makeHandshake({
      toEndpoint: (datagram) => {
        recorded.push(datagram);
        return [datagram];
      },
    });
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    const sent = shake.sent.length;
    for (const old of recorded.slice(0, -1)) shake.endpoint.receive(old);
    shake.endpoint.receive(writeRecord(21, 0, 99, Buffer.from([2, 0])));
    shake.endpoint.receive(writeRecord(21, 0, 99, Buffer.from([1, 0])));
    shake.endpoint.receive(writeRecord(23, 0, 99, Buffer.from("hello")));
    await settle();
    expect(shake.endpoint.state).toBe("connected");
    expect(shake.closedByPeer()).toBe(0);
    expect(shake.sent).toHaveLength(sent);
    expect(shake.keys).toHaveLength(1);
    expect(shake.dropped.all.dtlsPlaintext).toBe(recorded.length - 1 + 3);
    shake.peer.close();
  });

  it("that forges records of epoch 1 after connecting leaves the call unharmed", async () => {
    const shake = await makeHandshake();
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    for (const type of [21, 22, 23]) shake.endpoint.receive(writeRecord(type, 1, 50, Buffer.alloc(40, type)));
    for (const type of [21, 22, 23]) shake.endpoint.receive(writeRecord(type, 2, 50, Buffer.alloc(40, type)));
    shake.endpoint.receive(writeRecord(21, 1, 50, Buffer.alloc(3)));
    expect(shake.endpoint.state).toBe("connected");
    expect(shake.dropped.all).toEqual({ dtlsDecrypt: 4, dtlsPlaintext: 3 });
    shake.peer.close();
  });

  it("or the browser itself cannot renegotiate inside the secured connection", async () => {
    const shake = await makeHandshake();
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    const hello = Buffer.concat([Buffer.from("010000100000000000000010", "hex"), Buffer.alloc(16)]);
    const header = { type: 22, version: 0xfefd, epoch: 1, sequenceNumber: 60 };
    const record = shake.peer.client.cipher.cipher.encrypt(1, hello, header);
    const sent = shake.sent.length;
    shake.endpoint.receive(writeRecord(22, 1, 60, record));
    await settle();
    expect(shake.endpoint.state).toBe("connected");
    expect(shake.dropped.all).toEqual({ dtlsRenegotiation: 1 });
    expect(shake.sent).toHaveLength(sent);
    shake.peer.close();
  });

  it("is told apart from the browser by any of several fingerprints, in upper or lower case", async () => {
    const [, browser, other] = await testCertificates();
    const { algorithm, value } = browser.fingerprint;
    const shake = await makeHandshake({
      endpoint: {
        remoteFingerprints: [
          other.fingerprint,
          { algorithm: algorithm.toUpperCase(), value: value.toLowerCase() },
        ],
      },
    });
    shake.peer.connect();
    await until(() => shake.keys.length > 0 && shake.peer.connected);
    shake.peer.close();
  });
});

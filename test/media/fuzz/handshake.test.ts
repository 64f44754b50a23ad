import { describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../../src/core/index.ts";
import { DtlsEndpoint } from "../../../src/media/dtls/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { makeHandshake, settle, testCertificates, until } from "../support/dtls-peer.ts";
import { fuzz } from "./harness.ts";
import { mutant } from "./mutate.ts";

vi.setConfig({ testTimeout: 300_000 });

/** Datagrams of a whole handshake as its client sent them. */
async function clientDatagrams(): Promise<Buffer[]> {
  const datagrams: Buffer[] = [];
  const handshake = await makeHandshake({
    toEndpoint: (datagram) => {
      datagrams.push(Buffer.from(datagram));
      return [datagram];
    },
  });
  handshake.peer.connect();
  await until(() => handshake.keys.length > 0 && handshake.peer.connected);
  handshake.peer.close();
  handshake.endpoint.close();
  return datagrams;
}

describe("a DTLS endpoint fed with what is no handshake", () => {
  it("before the cookie makes no key, sends no more than it gets and keeps waiting", async () => {
    const [ours, browser] = await testCertificates();
    const valid = await clientDatagrams();
    const clock = new FakeClock();
    let sentBytes = 0;
    const wrong: string[] = [];
    const open = (): DtlsEndpoint =>
      new DtlsEndpoint({
        certificate: ours,
        clock,
        random: systemRandom,
        remoteFingerprints: [browser.fingerprint],
        send: (datagram) => (sentBytes += datagram.length),
        onKeys: () => wrong.push("keys"),
        onFailure: (reason) => wrong.push(reason),
      });
    let endpoint = open();
    const { stalls } = await fuzz({
      name: "DTLS hello",
      share: 0.02,
      make: (pick) => mutant(pick, valid, 4000),
      feed: (input) => {
        sentBytes = 0;
        endpoint.receive(input);
        // Many hellos may be in one datagram: each is longer than the HelloVerifyRequest it gets.
        if (sentBytes > input.length) throw new Error(`${sentBytes} bytes for ${input.length}`);
        if (endpoint.state !== "waitingHello") throw new Error(endpoint.state);
      },
      // Another one before the limit of records is reached, which would keep the rest out.
      everyInputs: 40,
      check: () => {
        endpoint.close();
        expect(clock.pendingTimers).toBe(0);
        endpoint = open();
      },
    });
    expect(stalls).toEqual([]);
    expect(wrong).toEqual([]);
    endpoint.close();
  });

  it("after the cookie comes to no keys, whatever it is fed with, and leaves no timer", async () => {
    const valid = await clientDatagrams();
    for (let round = 0; round < 8; round++) {
      // Flight 5 never comes through: the endpoint waits for it and gets forgeries.
      const handshake = await makeHandshake({
        toEndpoint: (datagram) => (datagram[13] === 1 ? [datagram] : []),
      });
      handshake.peer.connect();
      await until(() => handshake.endpoint.state === "waitingFlight5");
      const { stalls } = await fuzz({
        name: `DTLS flight 5, ${round}`,
        share: 0.0005,
        make: (pick) => mutant(pick, valid, 4000),
        feed: (input) => {
          handshake.clock.advance(20); // Or the limit of records a second would keep most out.
          handshake.endpoint.receive(input);
        },
        everyInputs: 20,
        check: () => settle(1),
      });
      await settle();
      expect(stalls).toEqual([]);
      expect(handshake.keys).toEqual([]);
      expect(["waitingFlight5", "failed"]).toContain(handshake.endpoint.state);
      handshake.peer.close();
      handshake.endpoint.close();
      expect(handshake.clock.pendingTimers).toBe(0);
    }
  });
});

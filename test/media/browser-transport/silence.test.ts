import { createSecretKey } from "node:crypto";
import { expect, it } from "vitest";
import { decodeStun, integrityIsRight, type StunMessage } from "../../../src/media/ice/stun.ts";
import { testCertificates } from "../support/dtls-peer.ts";
import { FakeBrowser, makePort, type TestPort } from "../support/browser.ts";

/** A browser that drops its pairs after a time without an answer and waits to be asked (Chromium; RFC 7675 seen from us). */

const browserPwd = "the-browsers-own-password";

async function connected(icePwd?: string): Promise<{ at: TestPort; browser: FakeBrowser }> {
  const [, certificate] = await testCertificates();
  const at = await makePort();
  const browser = new FakeBrowser(at, certificate, 5000);
  await browser.connect();
  browser.transport.setRemote({ iceUfrag: "brow", icePwd, fingerprints: [certificate.fingerprint] });
  at.socket.sent.length = 0;
  return { at, browser };
}

/** Upkeep as the relay does it, each 20 ms. */
function run({ at, browser }: { at: TestPort; browser: FakeBrowser }, ms: number): void {
  for (let passed = 0; passed < ms; passed += 20) {
    at.clock.advance(20);
    browser.transport.upkeep(at.clock.now());
  }
}

function requests({ socket }: TestPort): { packet: Buffer; message: StunMessage; port: number }[] {
  return socket.sent.flatMap(({ packet, port }) => {
    const message = decodeStun(packet, packet.length);
    return message?.class === "request" ? [{ packet, message, port }] : [];
  });
}

it("is asked for a check once a second from seven seconds after its last, as ICE says it, until one comes", async () => {
  const call = await connected(browserPwd);
  const { at, browser } = call;
  run(call, 6980);
  expect(requests(at)).toEqual([]);
  run(call, 3020);
  const asked = requests(at);
  expect(asked).toHaveLength(4);
  for (const { packet, message, port } of asked) {
    expect(port).toBe(5000);
    expect(message).toMatchObject({
      method: 1,
      username: `brow:${browser.transport.local.iceUfrag}`,
      controlled: true,
      useCandidate: false,
      unknown: [],
    });
    expect(integrityIsRight(packet, message, createSecretKey(Buffer.from(browserPwd)))).toBe(true);
  }
  expect(new Set(asked.map(({ message }) => message.transactionId.toString("hex"))).size).toBe(4);

  browser.check();
  at.socket.sent.length = 0;
  run(call, 6980);
  expect(requests(at)).toEqual([]);
  run(call, 20);
  expect(requests(at)).toHaveLength(1);
  browser.transport.close();
  run(call, 5000);
  expect(requests(at)).toHaveLength(1);
  browser.peer.close();
});

it("is asked at the address its last valid check came from", async () => {
  const call = await connected(browserPwd);
  run(call, 8000);
  call.browser.check({}, 5001);
  call.at.socket.sent.length = 0;
  run(call, 8000);
  expect(requests(call.at).map(({ port }) => port)).toEqual([5001, 5001]);
  call.browser.peer.close();
});

it("is not asked where its password is not known, nor before it has connected", async () => {
  const call = await connected();
  run(call, 20_000);
  expect(requests(call.at)).toEqual([]);
  call.browser.peer.close();

  const [, certificate] = await testCertificates();
  const at = await makePort();
  const browser = new FakeBrowser(at, certificate, 5000);
  browser.transport.setRemote({
    iceUfrag: "brow",
    icePwd: browserPwd,
    fingerprints: [certificate.fingerprint],
  });
  browser.check({ useCandidate: true });
  run({ at, browser }, 20_000);
  expect(requests(at)).toEqual([]);
  browser.peer.close();
});

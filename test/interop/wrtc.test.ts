import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../src/cli/index.ts";
import type { Sandbox } from "../../src/sandbox/index.ts";
import { browserSdp } from "../support/descriptions.ts";
import { openTestGateway, openTestSandbox, testPassword } from "../support/test-gateway.ts";
import { WrtcClient, type ClientEvent, type Connection } from "../support/wrtc-client/index.ts";

/** What of the WRTC protocol wants many calls and no sound: our client in Node. */

let sandbox: Sandbox;
let gateway: Gateway;
let base: string;

beforeAll(async () => {
  sandbox = await openTestSandbox();
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    // A call's ports rest for a while when it is over.
    config: { media: { rtpPorts: [10_100, 10_299] }, wrtc: { enabled: true, paths: [""] } },
  });
  base = `http://127.0.0.1:${gateway.httpPort}`;
});
afterAll(async () => {
  await gateway.close();
  await sandbox.close();
});

async function until(look: () => boolean): Promise<void> {
  await expect.poll(look, { timeout: 30_000, interval: 5 }).toBe(true);
}

/** Describes a browser that sends nothing. */
function silentConnection(): Connection {
  let offers = 0;
  return {
    offer: async (direction) =>
      await Promise.resolve({ sdp: browserSdp({ direction, ufrag: `abcd${++offers}` }), candidates: [] }),
    answer: async () => await Promise.resolve({ sdp: browserSdp({ setup: "active" }), candidates: [] }),
    accept: async () => await Promise.resolve(),
    sendDigits() {},
    close() {},
  };
}

async function signedIn(dn: string): Promise<{ client: WrtcClient; events: ClientEvent[] }> {
  const events: ClientEvent[] = [];
  const client = new WrtcClient({
    gateway: base,
    repeatMs: 100,
    connect: silentConnection,
    onEvent: (event) => events.push(event),
  });
  await client.register(dn, testPassword(dn));
  await until(() => gateway.trunkRegistrations.status(dn).state === "in-service");
  return { client, events };
}

describe("clients of the WRTC protocol", () => {
  it("call fifty times, ten times in a row each, and leave nothing behind", async () => {
    const dns = ["5001", "5002", "5003", "5004", "5005"];
    await Promise.all(
      dns.map(async (dn) => {
        const { client, events } = await signedIn(dn);
        for (let round = 1; round <= 10; round++) {
          client.makeOffer("9196");
          await until(() => events.filter(({ name }) => name === "onCallEvent").length === round);
          client.terminateCall();
          await until(() => sandbox.calls().every(({ parties }) => parties.every(({ name }) => name !== dn)));
        }
        client.disconnect();
      }),
    );
    await until(() => gateway.counts.calls === 0 && gateway.counts.dialogs === 0);
    expect(gateway.counts).toMatchObject({ mediaSessions: 0 });
    await until(() => sandbox.bindings().length === 0);
  });
});

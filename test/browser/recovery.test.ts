import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { clients, Lab, until, type WiredPhone } from "./support/index.ts";

const here = 1150;
const there = 440;

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => await lab.closePhones());
afterAll(async () => await lab.close());

async function expectTalking(wired: WiredPhone, uuid: string): Promise<void> {
  const shares = await lab.sharesOf(wired, uuid, { here: there, there: here });
  expect(shares.here).toBeGreaterThan(0.9);
  expect(shares.there).toBeGreaterThan(0.9);
}

async function talking(wired: WiredPhone): Promise<string> {
  await wired.phone.setMicrophone({ kind: "tone", frequency: here });
  const uuid = await lab.call(wired, "9197");
  await until(() => lab.farOf(uuid).packetsReceived > 10);
  return uuid;
}

function connected(dn: string): boolean {
  return lab.gateway.registrar.find(dn)?.reachable === true;
}

/** Cuts the socket and waits until the gateway has seen it. */
async function cutSocket({ phone, dn }: WiredPhone): Promise<void> {
  await phone.cutSocket();
  await until(() => !connected(dn));
}

describe.each(clients)("%s, when its socket is cut in a call", (client) => {
  it("talks on, comes back, and is reached by the BYE that follows", async () => {
    const wired = await lab.signIn(client);
    const uuid = await talking(wired);
    // Until a look was over before the socket was back.
    do {
      await until(() => connected(wired.dn));
      await cutSocket(wired);
      await expectTalking(wired, uuid);
    } while (connected(wired.dn));
    await wired.phone.registered();
    await until(() => connected(wired.dn));
    await expectTalking(wired, uuid);
    // SIP Server was told nothing of all this: one REGISTER, no un-REGISTER.
    expect(lab.sandbox.bindings().find(({ dn }) => dn === wired.dn)?.registrations).toBe(1);
    lab.sandbox.hangUp(uuid);
    expect(await wired.phone.ended()).toMatchObject({ by: "remote" });
    expect(await lab.record(wired.dn)).toMatchObject({ endedBy: "sip-server", status: 200 });
  });
});

// What a client sends over its new socket is its own; what the gateway makes of it is the same: one of them shows it.
describe("a client whose socket is cut in a call", () => {
  it("is reached by a BYE of the time without a socket as soon as it is back", async () => {
    const wired = await lab.signIn("jssip");
    const uuid = await talking(wired);
    await cutSocket(wired);
    lab.sandbox.hangUp(uuid);
    await until(() => lab.gateway.counts.mediaSessions === 0);
    expect(await wired.phone.ended()).toMatchObject({ by: "remote" });
    expect(wired.received.some((message) => message.startsWith("BYE"))).toBe(true);
  });

  it("hangs up over its new socket", async () => {
    const wired = await lab.signIn("sip.js");
    await talking(wired);
    await cutSocket(wired);
    await wired.phone.registered();
    await wired.phone.hangUp();
    await until(() => lab.callOf(wired.dn) === undefined);
    expect(await lab.record(wired.dn)).toMatchObject({ endedBy: "agent", status: 200 });
  });

  it("hangs up without a socket: its BYE is lost, and the call ends soon nevertheless", async () => {
    const wired = await lab.signIn("jssip");
    await talking(wired);
    await cutSocket(wired);
    await wired.phone.hangUp();
    await until(() => lab.callOf(wired.dn) === undefined);
    const record = await lab.record(wired.dn);
    // Whichever comes first: DTLS' goodbye and two seconds, or 481 to what we ask over the new socket.
    expect(record.reason).toMatch(/481|browser closed its media connection/);
    expect(record.talkSeconds).toBeLessThan(6);
    expect(lab.gateway.counts).toMatchObject({ calls: 0, mediaSessions: 0 });
  });

  it("holds and retrieves over its new socket", async () => {
    const wired = await lab.signIn("sip.js");
    const uuid = await talking(wired);
    await cutSocket(wired);
    await wired.phone.registered();
    await wired.phone.hold(true);
    expect((await lab.listen(wired, uuid)).here.samples).toHaveLength(0);
    await wired.phone.hold(false);
    await expectTalking(wired, uuid);
  });
});

describe("a client whose socket is cut between calls", () => {
  it("gets the call that comes in before it is back", async () => {
    const wired = await lab.signIn("sip.js");
    await cutSocket(wired);
    const uuid = await lab.sandbox.ring(wired.dn, "1003", { sound: { kind: "tone", frequencyHz: there } });
    await wired.phone.nextCall();
    await wired.phone.answer();
    await lab.connected(wired.dn);
    await wired.phone.setMicrophone({ kind: "tone", frequency: here });
    await expectTalking(wired, uuid);
  });
});

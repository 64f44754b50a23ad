import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { Lab, until, type WiredPhone } from "./support/index.ts";

/** Softphones on unmodified libraries that know nothing of us: what each can (docs/clients.md). */
let lab: Lab;

beforeAll(async () => {
  const clients = [{ match: "Acme*", answerBy: "preanswer", autoAnswer: ["call-info"] }];
  lab = await Lab.open({}, {}, { clients });
});
afterEach(async () => await lab.closePhones());
afterAll(async () => await lab.close());

/** Sound of the page's reaches the far number from now on. */
async function heard(uuid: string): Promise<void> {
  lab.sandbox.record(uuid);
  await until(() => lab.soundOf(uuid).length > 5);
}

describe.each(["jssip", "simple-user"] as const)("a plain softphone on %s", (client) => {
  const plain = { allowEvents: "" };
  const signIn = async (): Promise<WiredPhone> => await lab.signIn(client, plain);

  it("goes on ringing when SIP Server says talk; its user answers, holds, retrieves, sends digits, hangs up", async () => {
    const wired = await signIn();
    const { phone, dn } = wired;
    const uuid = await lab.sandbox.ring(dn, "1003");
    await phone.nextCall();
    await until(() => lab.callOf(dn)?.parties.some(({ dialog }) => dialog?.state === "early"));
    expect(await lab.sandbox.answer(uuid)).toBe(200);
    await wait(200);
    expect(lab.callOf(dn)?.state).toBe("setup");

    await phone.answer();
    await lab.connected(dn);
    await heard(uuid);
    await phone.hold(true);
    await until(() => lab.callOf(dn)?.parties.some(({ holding }) => holding));
    await phone.hold(false);
    await until(() => !lab.callOf(dn)?.parties.some(({ holding }) => holding));
    await heard(uuid);
    await phone.sendDigits("7");
    await until(() => lab.farOf(uuid).digits === "7");
    await phone.hangUp();
    await until(() => lab.callOf(dn) === undefined);
    expect(await lab.record(dn)).toMatchObject({ direction: "to-agent", endedBy: "agent", status: 200 });
  });

  it("calls out, and the far end hangs up", async () => {
    const wired = await signIn();
    const uuid = await lab.call(wired, "9196");
    await heard(uuid);
    lab.sandbox.hangUp(uuid);
    await wired.phone.ended();
    expect(await lab.record(wired.dn)).toMatchObject({ direction: "from-agent", endedBy: "sip-server" });
  });
});

describe.each(["jssip", "sip.js"] as const)("a softphone on %s that answers by Call-Info", (client) => {
  const acme = { allowEvents: "", userAgent: "Acme phone 1", autoAnswer: true };

  it("waits with its media ready, and is put through within 200 ms of talk, first sound included", async () => {
    const { phone, dn, received } = await lab.signIn(client, acme);
    const uuid = await lab.sandbox.ring(dn, "1003");
    await until(() => lab.gateway.b2bua.calls()[0]?.state === "parked");
    // ICE and DTLS are up, and nothing of the microphone's passes.
    await wait(500);
    expect(lab.callOf(dn)?.state).toBe("setup");
    const transport = (await phone.stats()).find(({ type }) => type === "transport");
    expect(transport).toMatchObject({ dtlsState: "connected" });
    expect(lab.farOf(uuid).packetsReceived).toBe(0);
    const begun = performance.now();
    const status = lab.sandbox.answer(uuid);
    await until(() => lab.farOf(uuid).packetsReceived > 0);
    const tookMs = performance.now() - begun;
    expect(await status).toBe(200);
    expect(tookMs).toBeLessThan(200);
    await lab.connected(dn);
    expect(received.filter((text) => text.startsWith("NOTIFY") && /^Event: talk/im.test(text))).toEqual([]);
    lab.sandbox.hangUp(uuid);
    await phone.ended();
    expect(await lab.record(dn)).toMatchObject({ endedBy: "sip-server", status: 200 });
  });

  it("that hangs up before talk has SIP Server told 480; SIP Server's CANCEL hangs up on it", async () => {
    const { phone, dn } = await lab.signIn(client, acme);
    await lab.sandbox.ring(dn, "1003");
    await until(() => lab.gateway.b2bua.calls()[0]?.state === "parked");
    await phone.hangUp();
    expect(await lab.record(dn)).toMatchObject({ endedBy: "agent", answeredAt: undefined });
    await until(() => lab.callOf(dn) === undefined && lab.gateway.counts.calls === 0);
    const uuid = await lab.sandbox.ring(dn, "1003");
    await until(() => lab.gateway.b2bua.calls()[0]?.state === "parked");
    lab.sandbox.hangUp(uuid);
    expect(await phone.ended()).toMatchObject({ by: "remote" });
    await until(() => lab.gateway.counts.calls === 0 && lab.gateway.counts.dialogs === 0);
  });
});

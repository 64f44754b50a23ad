import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { clients, Lab, until } from "./support/index.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => await lab.closePhones());
afterAll(async () => await lab.close());

/** Session-Expires of the 200 to the INVITE. */
function sessionTimer(messages: readonly string[]): string | undefined {
  const ok = messages.find((text) => text.startsWith("SIP/2.0 200") && /^CSeq: \d+ INVITE\r$/m.test(text));
  return /^Session-Expires: (.*)\r$/m.exec(ok ?? "")?.[1];
}

describe.each(clients)("%s calls", (client) => {
  it("the echo and hangs up", async () => {
    const wired = await lab.signIn(client);
    const uuid = await lab.call(wired, "9196");
    await until(() => lab.farOf(uuid).packetsReceived > 25);
    // JsSIP asks for 90 s and leaves to us who refreshes; SIP.js knows no session timers.
    expect(sessionTimer(wired.received)).toBe(client === "jssip" ? "90;refresher=uas" : undefined);
    await wired.phone.hangUp();
    expect(await wired.phone.ended()).toMatchObject({ by: "local" });
    await until(() => lab.callOf(wired.dn) === undefined);
    const record = await lab.record(wired.dn);
    expect(record).toMatchObject({
      direction: "from-agent",
      farNumber: "9196",
      callUuid: uuid,
      endedBy: "agent",
      status: 200,
      agentLeg: { codec: "opus" },
      trunkLeg: { codec: "pcmu" },
    });
    expect(record.media?.browser.packetsReceived).toBeGreaterThan(20);
    expect(record.media?.trunk.packetsSent).toBeGreaterThan(20);
    await until(() => lab.gateway.counts.calls === 0 && lab.gateway.counts.dialogs === 0);
  });

  it("the echo, and the far end hangs up", async () => {
    const wired = await lab.signIn(client);
    const uuid = await lab.call(wired, "9196");
    lab.sandbox.hangUp(uuid);
    expect(await wired.phone.ended()).toMatchObject({ by: "remote" });
    expect(await lab.record(wired.dn)).toMatchObject({ endedBy: "sip-server", status: 200 });
  });

  it.each([
    ["9198", 486],
    ["9200", 603],
    ["4444", 404],
  ])("%s and is told %i", async (number, status) => {
    const wired = await lab.signIn(client);
    await expect(wired.phone.call(number)).rejects.toThrow(new RegExp(`\\b${status}\\b`));
    expect(await wired.phone.ended()).toMatchObject({ by: "remote", status });
    expect(await lab.record(wired.dn)).toMatchObject({
      status,
      endedBy: "sip-server",
      answeredAt: undefined,
    });
  });

  it("a number where nobody answers, and gives up", async () => {
    const wired = await lab.signIn(client);
    const outcome = wired.phone.call("9199").then(
      () => "answered",
      (error: Error) => error.message,
    );
    await until(() => wired.received.some((message) => message.startsWith("SIP/2.0 180")));
    await wired.phone.hangUp();
    expect(await outcome).not.toBe("answered");
    await until(() => lab.callOf(wired.dn) === undefined);
    await until(() => wired.received.some((message) => message.startsWith("SIP/2.0 487")));
    const methods = lab.sandbox.trace().map(({ text }) => text.slice(0, text.indexOf(" ")));
    expect(methods).toContain("CANCEL");
    expect(await lab.record(wired.dn)).toMatchObject({
      status: 487,
      endedBy: "agent",
      answeredAt: undefined,
    });
  });
});

describe.each(clients)("%s is called", (client) => {
  it("with what is known of the caller, answers, and hangs up", async () => {
    const wired = await lab.signIn(client);
    const uuid = await lab.sandbox.ring(wired.dn, "1003");
    expect(await wired.phone.nextCall()).toMatchObject({ from: "1003" });
    await wired.phone.answer();
    await lab.connected(wired.dn);
    await until(() => lab.farOf(uuid).packetsReceived > 25);
    expect(sessionTimer(wired.sent)).toBe(client === "jssip" ? "1800;refresher=uac" : undefined);
    await wired.phone.hangUp();
    await until(() => lab.callOf(wired.dn) === undefined);
    expect(await lab.record(wired.dn)).toMatchObject({
      direction: "to-agent",
      farNumber: "1003",
      callUuid: uuid,
      endedBy: "agent",
    });
  });

  it("answers, and the caller hangs up", async () => {
    const wired = await lab.signIn(client);
    const uuid = await lab.beCalled(wired);
    lab.sandbox.hangUp(uuid, 'SIP;cause=403;text="Forbidden"');
    expect(await wired.phone.ended()).toMatchObject({ by: "remote" });
    const record = await lab.record(wired.dn);
    expect(record.endedBy).toBe("sip-server");
    expect(record.reason).toContain("Forbidden");
  });

  it("says that it is busy", async () => {
    const wired = await lab.signIn(client);
    const over = new Promise<string>((resolve) =>
      lab.sandbox.events.on("ended", (_call, why) => resolve(why)),
    );
    await lab.sandbox.ring(wired.dn, "1003");
    await wired.phone.nextCall();
    await wired.phone.reject(486);
    expect(await over).toContain("486");
    expect(await lab.record(wired.dn)).toMatchObject({ status: 486, endedBy: "agent" });
  });

  it("and the caller gives up before the answer", async () => {
    const wired = await lab.signIn(client);
    const uuid = await lab.sandbox.ring(wired.dn, "1003");
    await wired.phone.nextCall();
    lab.sandbox.hangUp(uuid);
    expect(await wired.phone.ended()).toMatchObject({ by: "remote" });
    expect(await lab.record(wired.dn)).toMatchObject({ status: 487, endedBy: "sip-server" });
  });

  it("without an offer, as by a make-call of SIP Server's", async () => {
    const wired = await lab.signIn(client);
    const uuid = await lab.sandbox.makeCall(wired.dn, "9196");
    await wired.phone.nextCall();
    // NOTIFY talk comes on our 180, naming the browser's leg, for those who answer on it; after an answer of the
    // client's own nobody needs it, and it is not passed on.
    const invite = wired.received.find((message) => message.startsWith("INVITE")) ?? "";
    const talk = async () => (await wired.phone.notifications()).find(({ event }) => event === "talk");
    const callId = /^Call-ID: *(\S+)/im.exec(invite)?.[1];
    await expect.poll(async () => (await talk())?.callId).toBe(callId);
    await wired.phone.answer();
    expect(await lab.connected(wired.dn)).toBe(uuid);
    await until(() => lab.farOf(uuid).packetsReceived > 25);
  });
});

describe("agents", () => {
  it("leave nothing behind", async () => {
    await until(() => lab.gateway.counts.connections === 0);
    expect(lab.gateway.counts).toMatchObject({ calls: 0, dialogs: 0, mediaSessions: 0 });
    expect(lab.browser.errors.filter((text) => !text.includes("WebSocket"))).toEqual([]);
  });
});

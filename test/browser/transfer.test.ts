import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { clients, Lab, shareOfTone, until } from "./support/index.ts";

/** What the browser says, and what the new party says, Hz; the numbers of the plan say 440 (9197). */
const here = 1150;
const there = 880;

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => await lab.closePhones());
afterAll(async () => await lab.close());

const partiesOf = (number: string): string[] | undefined =>
  lab.sandbox
    .calls()
    .find(({ parties }) => parties.some(({ name }) => name === number))
    ?.parties.map(({ name }) => name);

describe.each(clients)("%s", (client) => {
  it("transfers its call to its consult call by REFER with Replaces, and both of its calls end", async () => {
    const wired = await lab.signIn(client);
    await lab.beCalled(wired);
    await wired.phone.hold(true);
    await wired.phone.call("9197");
    expect(await wired.phone.transfer()).toBe(200);
    await until(() => partiesOf("9197")?.join() === "1003,9197");
    expect((await wired.phone.ended()).by).toBe("remote");
    await until(() => lab.gateway.counts.mediaSessions === 0);
  });
});

describe("a call", () => {
  it("is taken over by INVITE with Replaces: the new party is heard, and the page sees nothing of it", async () => {
    const wired = await lab.signIn("jssip");
    await wired.phone.setMicrophone({ kind: "tone", frequency: here });
    const uuid = await lab.call(wired, "9197");
    const next = await lab.sandbox.replace(uuid, "1004", { sound: { kind: "tone", frequencyHz: there } });
    await until(() => lab.sandbox.calls().length === 1 && lab.sandbox.calls()[0]?.state === "connected");
    const shares = await lab.sharesOf(wired, next, { here: there, there: here });
    expect(shares.here).toBeGreaterThan(0.9);
    expect(shares.there).toBeGreaterThan(0.9);
    expect(wired.received.filter((message) => /^(INVITE|BYE)/.test(message))).toEqual([]);
  });

  it("is transferred blind, and goes to another number by SIP Server's REFER", async () => {
    const wired = await lab.signIn("jssip");
    const uuid = await lab.beCalled(wired);
    expect(await lab.sandbox.refer(uuid, "9197")).toBe(200);
    await until(() => lab.callOf(wired.dn)?.parties.some(({ name }) => name === "9197"));
    const next = lab.callOf(wired.dn)?.uuid ?? "";
    expect(shareOfTone((await lab.listen(wired, next)).here, 440)).toBeGreaterThan(0.9);
    expect(await wired.phone.transfer("4711")).toBe(404);
    expect(await wired.phone.transfer("9196")).toBe(200);
    expect((await wired.phone.ended()).by).toBe("remote");
  });
});

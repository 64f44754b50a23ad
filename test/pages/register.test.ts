import { setTimeout as wait } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openTestGateway } from "../support/test-gateway.ts";
import { clients, Lab, until } from "../browser/support/index.ts";

let lab: Lab;

beforeAll(async () => {
  lab = await Lab.open();
});
afterEach(async () => await lab.closePhones());
afterAll(async () => await lab.close());

describe.each(clients)("%s", (client) => {
  it("registers, its DN registers at SIP Server, and the page is told of it", async () => {
    const { phone, dn } = await lab.signIn(client);
    expect(lab.sandbox.bindings().map((binding) => binding.dn)).toContain(dn);
    await expect
      .poll(async () => (await phone.notifications()).at(-1))
      .toMatchObject({ event: "x-jackfield-trunk", body: '{"state":"in-service","reason":""}' });
  });

  it("un-registers, and its DN leaves SIP Server", async () => {
    const { phone, dn } = await lab.signIn(client);
    await phone.unregister();
    await until(() => lab.sandbox.bindings().every((binding) => binding.dn !== dn));
    expect(lab.gateway.registrar.find(dn)).toBeUndefined();
  });

  it("is refused with a wrong password, and SIP Server hears nothing of its DN", async () => {
    const { phone, dn } = await lab.open(client);
    const refused = phone.register({ ...lab.account(dn), password: "wrong" });
    await expect(refused).rejects.toThrow(/\b40[13]\b/);
    expect(lab.gateway.registrar.find(dn)).toBeUndefined();
    expect(lab.sandbox.bindings().map((binding) => binding.dn)).not.toContain(dn);
  });

  it("is refused with the number of nobody", async () => {
    const { phone } = await lab.open(client);
    const refused = phone.register({ ...lab.account("4711"), password: "secret-4711" });
    await expect(refused).rejects.toThrow(/\b40[134]\b/);
  });

  it("is told when SIP Server does not know its DN", async () => {
    const { phone } = await lab.open(client);
    // Configured here, not there: SIP Server's DNs end at 5099.
    const account = { ...lab.account("5500"), password: "secret-5500" };
    await phone.register(account);
    await expect.poll(async () => (await phone.notifications()).at(-1)?.body).toContain('"state":"rejected"');
    expect((await phone.notifications()).at(-1)?.body).toContain("404");
    await expect(phone.call("9196")).rejects.toThrow(/\b480\b/);
  });

  it("gets no connection at all from a page of a foreign origin", async () => {
    const other = await openTestGateway({
      sipServer: `127.0.0.1:${lab.sandbox.port}`,
      config: { websocket: { origins: ["https://elsewhere.example"] } },
    });
    const before = lab.browser.errors.length;
    const { phone, dn } = await lab.open(client);
    const server = `ws://127.0.0.1:${other.httpPort}/ws`;
    const outcome = phone.register({ ...lab.account(dn), server }).then(
      () => "registered",
      () => "refused",
    );
    // JsSIP goes on trying for ever, SIP.js gives up at once: neither gets in.
    await expect.poll(() => lab.browser.errors.slice(before).join()).toContain("WebSocket connection");
    expect(await Promise.race([outcome, wait(200, "waiting")])).not.toBe("registered");
    expect(other.counts).toMatchObject({ connections: 0, signedIn: 0 });
    await other.close();
  });
});

import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import {
  dialogOfAnswer,
  dialogOfInvite,
  request,
  response,
  sdp,
  type Dialog,
  type Endpoint,
} from "./support/endpoint.ts";
import { ack, beAnswered, dial, Lab, until } from "./support/lab.ts";

let lab: Lab;
let agent: Endpoint;

beforeEach(async () => {
  lab = await Lab.open(new FakeClock());
  agent = await lab.registered("5001");
});
afterEach(() => lab.close());

async function talking(from = "1003"): Promise<{ uuid: string; dialog: Dialog }> {
  const uuid = await lab.sandbox.ring("5001", from, { renegotiate: false });
  const { invite } = await beAnswered(agent, 40_000);
  return { uuid, dialog: dialogOfInvite(invite, agent) };
}

/** Takes the NOTIFYs of a REFER up to the final one; the statuses they told. */
async function told(): Promise<number[]> {
  const statuses: number[] = [];
  while ((statuses.at(-1) ?? 0) < 200) {
    const notify = await agent.next(request("NOTIFY"), "NOTIFY");
    expect(notify.header("Event")).toBe("refer");
    agent.answer(notify, 200);
    statuses.push(Number(/^SIP\/2\.0 (\d+)/.exec(notify.body)?.[1]));
  }
  return statuses;
}

const parties = (): string[] =>
  lab.sandbox.calls().map((call) => call.parties.map(({ name }) => name).join());

describe("SIP Server's REFER", () => {
  test("names the target at SIP Server, and the leg ends when NOTIFY says 200", async () => {
    const { uuid, dialog } = await talking();
    const done = lab.sandbox.refer(uuid, "9197");
    const refer = await agent.next(request("REFER"));
    expect(refer.header("Refer-To")).toBe(`<sip:9197@127.0.0.1:${lab.sandbox.port}>`);
    expect(refer.header("Call-ID")).toBe(dialog.callId);
    agent.answer(refer, 202);
    agent.inDialog(dialog, "NOTIFY", 1, "SIP/2.0 100 Trying", ["Event: refer", "Subscription-State: active"]);
    agent.inDialog(dialog, "NOTIFY", 2, "SIP/2.0 200 OK", ["Event: refer", "Subscription-State: terminated"]);
    expect(await done).toBe(200);
    await agent.next(request("BYE"), "BYE");
  });

  test("that is refused or fails leaves the call", async () => {
    const { uuid, dialog } = await talking();
    let done = lab.sandbox.refer(uuid, "9197");
    agent.answer(await agent.next(request("REFER")), 405);
    expect(await done).toBe(405);
    done = lab.sandbox.refer(uuid, "9197");
    agent.answer(await agent.next(request("REFER")), 202);
    agent.inDialog(dialog, "NOTIFY", 1, "SIP/2.0 486 Busy", [
      "Event: refer",
      "Subscription-State: terminated",
    ]);
    expect(await done).toBe(486);
    expect(lab.legState()).toBe("confirmed");
  });
});

describe("INVITE with Replaces", () => {
  test("of SIP Server's names the DN's dialog, tags as the DN sees them; the old call ends by its BYE", async () => {
    const { uuid, dialog } = await talking();
    const next = await lab.sandbox.replace(uuid, "1004");
    const { invite } = await beAnswered(agent, 40_002);
    const tagOf = (value: string): string => /;tag=(.*)/.exec(value)?.[1] ?? "";
    expect(invite.header("Replaces")).toBe(
      `${dialog.callId};to-tag=${tagOf(dialog.local)};from-tag=${tagOf(dialog.remote)}`,
    );
    agent.inDialog(dialog, "BYE", 1);
    await until(() => lab.sandbox.calls().length === 1);
    expect(lab.sandbox.calls()[0]).toMatchObject({ uuid: next, state: "connected" });
  });

  test("of the DN's takes the named leg's place in its call, and the old leg gets BYE", async () => {
    const { dialog } = await talking("1004");
    const { callId, remote: to, local: from } = dialog;
    const tagOf = (value: string): string => /;tag=(.*)/.exec(value)?.[1] ?? "";
    agent.request(
      "INVITE",
      "sip:1004@127.0.0.1",
      [agent.contact, `Replaces: ${callId};to-tag=${tagOf(to)};from-tag=${tagOf(from)}`],
      sdp(40_006),
    );
    const ok = await agent.next(response(200, "INVITE"));
    ack(agent, ok);
    const bye = await agent.next(request("BYE"), "BYE");
    expect(bye.header("Call-ID")).toBe(dialog.callId);
    expect(parties()).toEqual(["1004,5001"]);
    await until(() => lab.legState() === "confirmed");
    expect(lab.sandbox.calls()[0]?.parties[0]?.media?.remote?.port).toBe(40_006);
  });

  test("of the DN's that names nothing gets 481", async () => {
    agent.request(
      "INVITE",
      "sip:1004@127.0.0.1",
      [agent.contact, "Replaces: nobody;to-tag=a;from-tag=b"],
      sdp(40_006),
    );
    await agent.next(response(481, "INVITE"));
  });
});

describe("an endpoint's REFER", () => {
  test("to a number joins the far party with it, tells of it by NOTIFY and ends the leg", async () => {
    const { dialog } = await talking();
    agent.inDialog(dialog, "REFER", 1, "", ["Refer-To: <sip:9197@127.0.0.1>"]);
    await agent.next(response(202, "REFER"));
    expect((await told()).at(-1)).toBe(200);
    await agent.next(request("BYE"), "BYE");
    expect(parties()).toEqual(["1003,9197"]);
  });

  test("to a number that is not there is told as 404 and the call goes on", async () => {
    const { dialog } = await talking();
    agent.inDialog(dialog, "REFER", 1, "", ["Refer-To: <sip:4711@127.0.0.1>"]);
    expect(await told()).toEqual([100, 404]);
    expect(parties()).toEqual(["1003,5001"]);
  });

  test("with the Replaces of its consult call joins the far parties and ends both of its legs", async () => {
    const { dialog } = await talking();
    const consult = dialogOfAnswer(await dial(agent, "9197", 40_004));
    const tagOf = (value: string): string => /;tag=(.*)/.exec(value)?.[1] ?? "";
    const value = `${consult.callId};to-tag=${tagOf(consult.remote)};from-tag=${tagOf(consult.local)}`;
    agent.inDialog(dialog, "REFER", 1, "", [
      `Refer-To: <sip:9197@127.0.0.1?Replaces=${encodeURIComponent(value)}>`,
    ]);
    expect(await told()).toEqual([100, 200]);
    const byes = [await agent.next(request("BYE")), await agent.next(request("BYE"))];
    expect(byes.map((bye) => bye.header("Call-ID")).sort()).toEqual([consult.callId, dialog.callId].sort());
    expect(parties()).toEqual(["1003,9197"]);
  });

  test("with a Replaces of no dialog is told as 481", async () => {
    const { dialog } = await talking();
    agent.inDialog(dialog, "REFER", 1, "", ["Refer-To: <sip:1@h?Replaces=x%3Bto-tag%3Da%3Bfrom-tag%3Db>"]);
    expect(await told()).toEqual([100, 481]);
  });
});

describe("SIP Server's transfer on behalf of a desktop (3pcc)", () => {
  test("in a single step: the number takes the place of the DN, which gets BYE", async () => {
    const { uuid, dialog } = await talking();
    const done = lab.sandbox.transfer(uuid, "9197");
    expect(await done).toBe(200);
    expect((await agent.next(request("BYE"), "BYE")).header("Call-ID")).toBe(dialog.callId);
    expect(parties()).toEqual(["1003,9197"]);
  });

  test("to a number that is not there tells 404 and leaves the call", async () => {
    const { uuid } = await talking();
    expect(await lab.sandbox.transfer(uuid, "4711")).toBe(404);
    expect(parties()).toEqual(["1003,5001"]);
  });

  test("that completes a consultation connects the far parties, and both legs of the DN get BYE", async () => {
    const { uuid, dialog } = await talking();
    const consult = dialogOfAnswer(await dial(agent, "9197", 40_004));
    const other = lab.sandbox.calls().find((call) => call.uuid !== uuid);
    expect(await lab.sandbox.completeTransfer(uuid, other?.uuid ?? "")).toBe(true);
    const byes = [await agent.next(request("BYE")), await agent.next(request("BYE"))];
    expect(byes.map((bye) => bye.header("Call-ID")).sort()).toEqual([consult.callId, dialog.callId].sort());
    expect(parties()).toEqual(["1003,9197"]);
  });
});

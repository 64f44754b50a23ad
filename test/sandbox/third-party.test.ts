import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import {
  dialogOfInvite,
  request,
  response,
  sdp,
  type Dialog,
  type Endpoint,
  type Seen,
} from "./support/endpoint.ts";
import { beAnswered, Lab, until } from "./support/lab.ts";
import { portOf } from "./support/rtp-phone.ts";

let lab: Lab;
let clock: FakeClock;
let agent: Endpoint;
let ended: string[];

beforeEach(async () => {
  clock = new FakeClock();
  lab = await Lab.open(clock);
  ended = [];
  lab.sandbox.events.on("ended", (_call, reason) => ended.push(reason));
  agent = await lab.registered("5001");
});

afterEach(() => lab.close());

/** A call from 1003, answered at 40000, with the first renegotiation left out. */
async function talking(): Promise<{ uuid: string; invite: Seen; dialog: Dialog }> {
  const uuid = await lab.sandbox.ring("5001", "1003", { renegotiate: false });
  const { invite } = await beAnswered(agent, 40_000);
  return { uuid, invite, dialog: dialogOfInvite(invite, agent) };
}

describe("a call from outside (genesys-sip-server 5.1)", () => {
  test("the INVITE has the header order and the headers of the trace", async () => {
    await lab.sandbox.ring("5001", "1003");
    const invite = await agent.next(request("INVITE"));
    const self = `127.0.0.1:${lab.sandbox.port}`;
    expect(invite.first).toBe(`INVITE sip:5001@127.0.0.1:${agent.port} SIP/2.0`);
    expect(invite.names).toEqual([
      "From",
      "To",
      "Call-ID",
      "CSeq",
      "Content-Length",
      "Content-Type",
      "Via",
      "Contact",
      "Max-Forwards",
      "X-Genesys-CallUUID",
      "Allow",
      "Session-Expires",
      "Min-SE",
      "Supported",
    ]);
    expect(invite.header("From")).toMatch(new RegExp(`^sip:1003@${self};tag=[0-9A-F-]+-\\d+$`));
    expect(invite.header("To")).toBe(`sip:5001@${self}`);
    expect(invite.header("CSeq")).toBe("1 INVITE");
    expect(invite.header("Contact")).toBe(`<sip:1003@${self}>`);
    expect(invite.header("Via")).toMatch(new RegExp(`^SIP/2.0/UDP ${self};branch=z9hG4bK[0-9A-F-]+-\\d+$`));
    expect(invite.header("Session-Expires")).toBe("1800;refresher=uac");
    expect(invite.header("Min-SE")).toBe("90");
    expect(invite.header("Supported")).toBe("uui,100rel,timer");
    expect(invite.header("Allow")).toBe(
      "ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER, UPDATE",
    );
    expect(invite.body).toContain("RTP/AVP 0 8 9 102 103 104 18 120 101\r\n");
    expect(invite.body).toContain("a=rtpmap:0 pcmu/8000");
    expect(invite.body).not.toMatch(/ptime|sendrecv/);
  });

  test("answer sends NOTIFY talk in the early dialog; after the ACK the offerless re-INVITE, its answer in the ACK", async () => {
    const uuid = await lab.sandbox.ring("5001", "1003");
    const invite = await agent.next(request("INVITE"));
    agent.answer(invite, 180);
    await until(() => lab.legState() === "early");
    const answered = lab.sandbox.answer(uuid);
    const notify = await agent.next(request("NOTIFY"));
    expect(notify.first).toBe(`NOTIFY sip:5001@127.0.0.1:${agent.port} SIP/2.0`);
    expect(notify.names).toEqual([
      "From",
      "To",
      "Call-ID",
      "CSeq",
      "Content-Length",
      "Via",
      "Contact",
      "Max-Forwards",
      "Event",
      "Subscription-State",
      "X-Genesys-CallUUID",
    ]);
    expect([
      notify.header("Event"),
      notify.header("Subscription-State"),
      notify.header("CSeq"),
      notify.body,
    ]).toEqual(["talk", "active", "2 NOTIFY", ""]);
    expect(notify.header("From")).toBe(invite.header("From"));
    expect(notify.header("To")).toBe(`${invite.header("To")};tag=e${agent.id}`);
    expect(notify.header("Call-ID")).toBe(invite.header("Call-ID"));
    expect(notify.header("X-Genesys-CallUUID")).toBe(uuid);
    agent.answer(notify, 200);
    expect(await answered).toBe(200);
    agent.answer(invite, 200, { body: sdp(40_000, { codecs: "0 101" }) });
    const first = await agent.next(request("ACK"));
    expect([first.body, first.header("Contact"), first.header("Max-Forwards"), first.header("CSeq")]).toEqual(
      ["", "", "", "1 ACK"],
    );
    clock.advance(10);
    const reinvite = await agent.next(request("INVITE"));
    expect([reinvite.header("CSeq"), reinvite.body]).toEqual(["3 INVITE", ""]);
    // The port stands in From and To on one message and not on the next.
    expect(reinvite.header("From")).toMatch(/^sip:1003@127\.0\.0\.1;tag=/);
    agent.answer(reinvite, 200, { body: sdp(40_008) });
    const second = await agent.next(request("ACK"));
    expect(second.header("CSeq")).toBe("3 ACK");
    expect(portOf(second.body)).not.toBe(portOf(invite.body));
    expect(second.body).toMatch(/o=Genesys \d+ 2 IN/);
    expect(lab.sandbox.calls()[0]?.parties[0]?.media?.remote).toEqual({ address: "127.0.0.1", port: 40_008 });
  });

  test("talkAfterMs presses Answer by itself, once", async () => {
    await lab.sandbox.ring("5001", "1003", { talkAfterMs: 3 });
    const invite = await agent.next(request("INVITE"));
    agent.answer(invite, 180);
    agent.answer(invite, 180);
    agent.answer(invite, 183);
    await until(
      () => lab.sandbox.trace().filter((entry) => entry.text.startsWith("SIP/2.0 18")).length === 3,
    );
    clock.advance(3);
    agent.answer(await agent.next(request("NOTIFY")), 200);
    expect(lab.sent(/^NOTIFY/)).toBe(1);
  });

  test("without SDP in the INVITE the DN offers and the ACK answers", async () => {
    await lab.sandbox.ring("5001", "1003", { offerless: true, law: "pcma" });
    const invite = await agent.next(request("INVITE"));
    expect(invite.body).toBe("");
    agent.answer(invite, 200, { body: sdp(40_000) });
    const ack = await agent.next(request("ACK"));
    expect(ack.body).toContain("RTP/AVP 8 101\r\n");
  });

  test("extra headers ride on the first INVITE", async () => {
    await lab.sandbox.ring("5001", "1003", { headers: [["P-Asserted-Identity", "<sip:1003@x>"]] });
    expect((await agent.next(request("INVITE"))).header("P-Asserted-Identity")).toBe("<sip:1003@x>");
  });

  test("nobody answers: CANCEL after the time, without To-tag", async () => {
    await lab.sandbox.ring("5001", "1003", { noAnswerMs: 15_000 });
    const invite = await agent.next(request("INVITE"));
    agent.answer(invite, 180);
    await until(() => lab.legState() === "early");
    clock.advance(15_000);
    const cancel = await agent.next(request("CANCEL"));
    expect(cancel.header("To")).toBe(invite.header("To"));
    agent.answer(cancel, 200);
    agent.answer(invite, 487);
    const acked = await agent.next(request("ACK"));
    expect(acked.header("CSeq")).toBe("1 ACK");
    expect(ended).toEqual(["no answer"]);
  });

  test("a DN not registered cannot be rung or made to call", async () => {
    await expect(lab.sandbox.ring("5002", "1003")).rejects.toThrow("5002 is not registered");
    await expect(lab.sandbox.makeCall("5002", "9196")).rejects.toThrow("5002 is not registered");
    await expect(lab.sandbox.options("5002")).rejects.toThrow("5002 is not registered");
    await expect(lab.sandbox.hold("no such call")).rejects.toThrow("no call no such call");
  });
});

describe("repetition", () => {
  test("an unanswered INVITE is repeated at 0.5, 1, 2, 4, 8, 16 s and given up after 32 s", async () => {
    await lab.sandbox.ring("5001", "1003", { noAnswerMs: 60_000 });
    const times: number[] = [];
    const sent = (): number => lab.sandbox.trace().filter((entry) => entry.text.startsWith("INVITE")).length;
    for (let at = 0, before = sent(); at < 40_000; at += 100) {
      clock.advance(100);
      if (sent() > before) times.push(at + 100);
      before = sent();
    }
    expect(times).toEqual([500, 1500, 3500, 7500, 15_500, 31_500]);
    expect(ended).toEqual(["5001: 408 Request Timeout"]);
  });

  test("100 alone keeps it waiting 32 s, a 180 for longer", async () => {
    await lab.sandbox.ring("5001", "1003", { noAnswerMs: 90_000 });
    const first = await agent.next(request("INVITE"));
    agent.answer(first, 100);
    await until(() => lab.sandbox.trace().some((entry) => entry.text.startsWith("SIP/2.0 100")));
    clock.advance(31_999);
    expect([ended, lab.sent(/^INVITE/)]).toEqual([[], 1]);
    clock.advance(1);
    expect(ended).toEqual(["5001: 408 Request Timeout"]);
    await lab.sandbox.ring("5001", "1003", { noAnswerMs: 90_000 });
    agent.answer(await agent.next(request("INVITE")), 180);
    await until(() => lab.legState() === "early");
    clock.advance(80_000);
    expect(lab.sandbox.calls()).toHaveLength(1);
  });

  test("an unanswered NOTIFY is repeated with the same bytes and ends the call after 32 s", async () => {
    const { uuid } = await talking();
    const status = lab.sandbox.hold(uuid);
    const first = await agent.next(request("NOTIFY"));
    clock.advance(500);
    expect((await agent.next(request("NOTIFY"))).raw).toBe(first.raw);
    clock.advance(31_500);
    expect(await status).toBe(408);
    await agent.next(request("BYE"));
    expect(ended).toEqual(["NOTIFY hold unanswered"]);
    expect(lab.sent(/^NOTIFY/)).toBe(11);
  });

  test("a repeated 200 to INVITE gets the same ACK again", async () => {
    const { invite } = await talking();
    const first = agent.all.findLast(request("ACK"));
    agent.answer(invite, 200, { body: sdp(40_000) });
    expect((await agent.next(request("ACK"))).raw).toBe(first?.raw);
  });

  test("a re-INVITE never answered ends the call with BYE after 32 s", async () => {
    const { uuid } = await talking();
    const done = lab.sandbox.retarget(uuid);
    await agent.next(request("INVITE"));
    clock.advance(32_000);
    expect(await done).toBe(false);
    await agent.next(request("BYE"));
    expect(ended).toEqual(["re-INVITE: 408 Request Timeout"]);
  });

  test.each([1, 2, 3, 4, 5])(
    "seed %i: a call gets through the loss of every third message, by repetition on both sides",
    async (seed) => {
      agent.react = (seen) => {
        if (seen.method === "INVITE") agent.answer(seen, 200, { body: sdp(40_000) });
        if (seen.method === "NOTIFY" || seen.method === "BYE") agent.answer(seen, 200);
      };
      lab.sandbox.faults.drop(0.3, seed);
      const uuid = await lab.sandbox.ring("5001", "1003");
      const acked = (invite: Seen): boolean =>
        agent.all.some(
          (seen) =>
            request("ACK")(seen) && seen.header("CSeq").split(" ")[0] === invite.header("CSeq").split(" ")[0],
        );
      let turns = 0;
      // The phone repeats each 200 every half second until its ACK comes.
      const turn = (): void => {
        clock.advance(10);
        if (++turns % 50 > 0) return;
        const last = agent.all.findLast(request("INVITE"));
        if (last && !acked(last)) agent.answer(last, 200, { body: sdp(40_000) });
      };
      await until(() => {
        turn();
        return agent.all.some((seen) => request("ACK")(seen) && seen.header("CSeq") === "2 ACK");
      });
      const ack = agent.all.find((seen) => request("ACK")(seen) && seen.header("CSeq") === "2 ACK");
      expect(portOf(ack?.body ?? "")).toBe(lab.sandbox.calls()[0]?.parties[0]?.media?.local.port);
      const held = lab.sandbox.hold(uuid);
      let status = 0;
      void held.then((value) => (status = value));
      await until(() => {
        turn();
        return status > 0;
      });
      expect([status, lab.sandbox.calls().length, ended]).toEqual([200, 1, []]);
    },
  );

  test("a reliable 180 gets one PRACK however often it comes (RFC 3262)", async () => {
    await lab.sandbox.ring("5001", "1003");
    const invite = await agent.next(request("INVITE"));
    for (let i = 0; i < 2; i++) agent.answer(invite, 180, { lines: ["Require: 100rel", "RSeq: 77"] });
    const prack = await agent.next(request("PRACK"));
    expect(prack.header("RAck")).toBe("77 1 INVITE");
    agent.answer(prack, 200);
    agent.answer(invite, 180, { lines: ["Require: 100rel", "RSeq: 78"] });
    expect((await agent.next(request("PRACK"))).header("RAck")).toBe("78 1 INVITE");
    expect(lab.sent(/^PRACK/)).toBe(2);
  });
});

describe("3pcc make call (site-environment 3.2)", () => {
  test("offerless INVITE from the called number, talk 3 ms after the 180, ACK with the answer only when answered", async () => {
    const uuid = await lab.sandbox.makeCall("5001", "9206");
    const invite = await agent.next(request("INVITE"));
    expect([invite.body, invite.header("Content-Length"), invite.header("Content-Type")]).toEqual([
      "",
      "0",
      "",
    ]);
    expect(invite.header("From")).toMatch(/^sip:9206@/);
    expect(invite.header("To")).toMatch(/^sip:5001@/);
    agent.answer(invite, 180);
    await until(() => lab.legState() === "early");
    clock.advance(2);
    expect(lab.sent(/^NOTIFY/)).toBe(0);
    clock.advance(1);
    const notify = await agent.next(request("NOTIFY"));
    expect([notify.header("Event"), notify.header("CSeq"), notify.header("X-Genesys-CallUUID")]).toEqual([
      "talk",
      "2 NOTIFY",
      uuid,
    ]);
    agent.answer(notify, 200);
    agent.answer(invite, 200, { body: sdp(40_000) });
    await until(() => lab.sandbox.calls()[0]?.parties.length === 2);
    // Our 200 is repeated meanwhile: no ACK for it while the far end rings.
    agent.answer(invite, 200, { body: sdp(40_000) });
    clock.advance(2900);
    expect(lab.sent(/^ACK/)).toBe(0);
    clock.advance(100);
    const ack = await agent.next(request("ACK"));
    expect(ack.body).toContain("RTP/AVP 0 101");
    expect(lab.sandbox.calls()[0]).toMatchObject({ uuid, state: "connected" });
    expect(lab.sandbox.calls()[0]?.parties[1]?.media?.remote?.port).toBe(40_000);
  });

  test("a far failure: ACK with 0.0.0.0 and BYE with the far code in one millisecond", async () => {
    await lab.sandbox.makeCall("5001", "9198");
    const invite = await agent.next(request("INVITE"));
    agent.answer(invite, 200, { body: sdp(40_000) });
    const ack = await agent.next(request("ACK"));
    const bye = await agent.next(request("BYE"));
    expect(ack.body).toMatch(
      /o=Genesys \d+ 1 IN IP4 0\.0\.0\.0\r\ns=3pcc Make Call\r\nc=IN IP4 0\.0\.0\.0\r\nt=0 0\r\nm=audio 10000 RTP\/AVP 0\r\n/,
    );
    expect(bye.header("Reason")).toBe('SIP;cause=486;text="Busy Here"');
    const times = lab.sandbox
      .trace()
      .filter((entry) => /^(ACK|BYE)/.test(entry.text))
      .map((entry) => entry.at);
    expect(times[0]).toBe(times[1]);
    expect(ended).toEqual(["Busy Here"]);
  });

  test("a far end that never answers: given up 31.95 s after our 200, the same way", async () => {
    await lab.sandbox.makeCall("5001", "9199");
    agent.answer(await agent.next(request("INVITE")), 200, { body: sdp(40_000) });
    await until(() => lab.sandbox.calls()[0]?.parties.length === 2);
    clock.advance(31_949);
    expect(lab.sent(/^ACK/)).toBe(0);
    clock.advance(1);
    expect((await agent.next(request("ACK"))).body).toContain("c=IN IP4 0.0.0.0");
    await agent.next(request("BYE"));
    expect(ended).toEqual(["CONNECTED_TIMEOUT_CT"]);
  });

  test("to another agent: the far DN is offered exactly this SDP", async () => {
    const callee = await lab.registered("5002");
    await lab.sandbox.makeCall("5001", "5002");
    agent.answer(await agent.next(request("INVITE")), 200, { body: sdp(40_000) });
    const incoming = await callee.next(request("INVITE"));
    expect([portOf(incoming.body), incoming.header("From").slice(0, 9)]).toEqual([40_000, "sip:5001@"]);
    callee.answer(incoming, 200, { body: sdp(50_000) });
    expect(portOf((await agent.next(request("ACK"))).body)).toBe(50_000);
    await callee.next(request("ACK"));
  });

  test("an agent who hangs up while the far end rings ends the far leg too", async () => {
    const callee = await lab.registered("5002");
    await lab.sandbox.makeCall("5001", "5002");
    const invite = await agent.next(request("INVITE"));
    agent.answer(invite, 200, { body: sdp(40_000) });
    callee.answer(await callee.next(request("INVITE")), 180);
    await until(() => lab.legState("5002") === "early");
    agent.inDialog(dialogOfInvite(invite, agent), "BYE", 1);
    await agent.next(response(200, "BYE"));
    await callee.next(request("CANCEL"));
  });

  test("an agent who rejects ends the call", async () => {
    await lab.sandbox.makeCall("5001", "9196");
    agent.answer(await agent.next(request("INVITE")), 486);
    await agent.next(request("ACK"));
    expect(ended).toEqual(["5001: 486 Whatever"]);
  });
});

describe("call control in a running call", () => {
  test("NOTIFY hold and talk are obeyed by our re-INVITEs: recvonly, silence, and sound again", async () => {
    const { uuid, dialog } = await talking();
    const held = lab.sandbox.hold(uuid);
    const notify = await agent.next(request("NOTIFY"));
    expect(notify.header("Event")).toBe("hold");
    agent.answer(notify, 200);
    expect(await held).toBe(200);
    agent.inDialog(dialog, "INVITE", 1, sdp(40_000, { direction: "sendonly" }));
    expect((await agent.next(response(200, "INVITE"))).body).toContain("a=recvonly");
    agent.inDialog(dialog, "ACK", 1);
    const far = () => lab.sandbox.calls()[0]?.parties.find((party) => party.kind === "number");
    const me = () => lab.sandbox.calls()[0]?.parties.find((party) => party.kind === "agent");
    await until(() => me()?.holding === true && far()?.media?.direction === "recvonly");
    const back = lab.sandbox.retrieve(uuid);
    agent.answer(await agent.next(request("NOTIFY")), 200);
    expect(await back).toBe(200);
    agent.inDialog(dialog, "INVITE", 2, sdp(40_000));
    const ok = await agent.next(response(200, "INVITE"));
    expect(ok.body).not.toMatch(/a=(recvonly|inactive)/);
    agent.inDialog(dialog, "ACK", 2);
    await until(() => me()?.holding === false && far()?.media?.direction === "sendrecv");
  });

  test("hold forms inactive and 0.0.0.0 are held as well", async () => {
    const { dialog } = await talking();
    agent.inDialog(dialog, "INVITE", 1, sdp(40_000, { direction: "inactive" }));
    expect((await agent.next(response(200, "INVITE"))).body).toContain("a=inactive");
    agent.inDialog(dialog, "ACK", 1);
    await until(() => lab.sandbox.calls()[0]?.parties[1]?.holding === true);
    agent.inDialog(dialog, "INVITE", 2, sdp(40_000, { address: "0.0.0.0" }));
    await agent.next(response(200, "INVITE"));
    agent.inDialog(dialog, "ACK", 2);
    await until(() => lab.sandbox.calls()[0]?.parties[1]?.holding === true);
  });

  test("an offerless re-INVITE of the endpoint gets an offer and takes the answer from the ACK", async () => {
    const { dialog } = await talking();
    agent.inDialog(dialog, "INVITE", 1);
    expect((await agent.next(response(200, "INVITE"))).body).toContain("RTP/AVP 0 8 9");
    agent.inDialog(dialog, "ACK", 1, sdp(40_006));
    await until(() => lab.sandbox.calls()[0]?.parties[0]?.media?.remote?.port === 40_006);
  });

  test("dtmf: NOTIFY with Signal=, other events as asked", async () => {
    const { uuid } = await talking();
    const sent = lab.sandbox.dtmf(uuid, "12#");
    const notify = await agent.next(request("NOTIFY"));
    expect([notify.header("Event"), notify.header("Content-Type"), notify.body]).toEqual([
      "dtmf",
      "application/dtmf-relay",
      "Signal=12#\r\n",
    ]);
    agent.answer(notify, 200);
    expect(await sent).toBe(200);
    const beep = lab.sandbox.notify(uuid, "beep");
    agent.answer(await agent.next(request("NOTIFY")), 489);
    expect(await beep).toBe(489);
    expect(lab.sandbox.calls()).toHaveLength(1);
  });

  test("INFO with what it is given", async () => {
    const { uuid } = await talking();
    const sent = lab.sandbox.info(uuid, { type: "application/x-www-form-urlencoded", text: "a=1" });
    const info = await agent.next(request("INFO"));
    expect([info.header("Content-Type"), info.body]).toEqual(["application/x-www-form-urlencoded", "a=1"]);
    agent.answer(info, 200);
    expect(await sent).toBe(200);
  });

  test("NOTIFY answered 481 ends the call", async () => {
    const { uuid } = await talking();
    const sent = lab.sandbox.hold(uuid);
    agent.answer(await agent.next(request("NOTIFY")), 481);
    expect([await sent, ended]).toEqual([481, ["endpoint does not know the dialog"]]);
    await agent.next(request("BYE"));
  });

  test.each([
    ["sendonly", /a=sendonly/],
    ["inactive", /a=inactive/],
    ["zero", /c=IN IP4 0\.0\.0\.0/],
  ] as const)("SIP Server holds by re-INVITE: %s", async (form, wanted) => {
    const { uuid } = await talking();
    const held = lab.sandbox.holdByReinvite(uuid, form);
    const offer = await agent.next(request("INVITE"));
    expect(offer.body).toMatch(wanted);
    agent.answer(offer, 200, {
      body: sdp(40_000, { direction: form === "sendonly" ? "recvonly" : "inactive" }),
    });
    expect(await held).toBe(true);
    const back = lab.sandbox.retarget(uuid, { move: false });
    const again = await agent.next(request("INVITE"));
    expect(again.body).not.toMatch(/a=(sendonly|inactive)|0\.0\.0\.0/);
    agent.answer(again, 200, { body: sdp(40_000) });
    expect(await back).toBe(true);
  });

  test("retarget: another port, address, law and session id, with SDP and without", async () => {
    const { uuid, invite } = await talking();
    const one = lab.sandbox.retarget(uuid, {
      host: "127.0.0.2",
      law: "pcma",
      newSessionId: true,
      newCallUuid: true,
    });
    const offer = await agent.next(request("INVITE"));
    expect(offer.body).toContain("c=IN IP4 127.0.0.2");
    expect(offer.body).toContain("RTP/AVP 8 9 ");
    const session = (body: string): string => /o=Genesys (\d+ \d+) IN IP4 \S+/.exec(body)?.[1] ?? "";
    expect(session(offer.body)).toBe(`${Number.parseInt(session(invite.body), 10) + 1} 1`);
    expect(offer.header("X-Genesys-CallUUID")).not.toBe(uuid);
    agent.answer(offer, 200, { body: sdp(40_000, { codecs: "8 101" }) });
    expect(await one).toBe(true);
    await agent.next(request("ACK"));
    const two = lab.sandbox.retarget(uuid, { offerless: true });
    const asked = await agent.next(request("INVITE"));
    expect(asked.body).toBe("");
    agent.answer(asked, 200, { body: sdp(40_000) });
    const ack = await agent.next(request("ACK"));
    expect(ack.body).toContain("RTP/AVP 8 101\r\n");
    expect(portOf(ack.body)).not.toBe(portOf(offer.body));
    expect(await two).toBe(true);
  });

  test("a refused re-INVITE leaves the call as it is", async () => {
    const { uuid } = await talking();
    const refused = lab.sandbox.retarget(uuid);
    agent.answer(await agent.next(request("INVITE")), 488);
    expect([await refused, lab.sandbox.calls().length]).toEqual([false, 1]);
  });

  test("hangUp sends BYE with the Reason given", async () => {
    const { uuid } = await talking();
    lab.sandbox.hangUp(uuid, 'SIP;cause=403;text="Forbidden"');
    const bye = await agent.next(request("BYE"));
    expect(bye.header("Reason")).toBe('SIP;cause=403;text="Forbidden"');
    expect(bye.header("From")).toMatch(/^sip:1003@127\.0\.0\.1;tag=/);
    expect(lab.sandbox.calls()).toEqual([]);
  });

  test("OPTIONS to a DN: Max-Forwards 60, CSeq in epoch seconds, no Contact, no Allow", async () => {
    const status = lab.sandbox.options("5001");
    const seen = await agent.next(request("OPTIONS"));
    expect(seen.names).toEqual(["From", "To", "Call-ID", "CSeq", "Content-Length", "Via", "Max-Forwards"]);
    expect([seen.header("Max-Forwards"), seen.header("CSeq")]).toEqual([
      "60",
      `${Date.UTC(2026, 0, 1) / 1000} OPTIONS`,
    ]);
    expect(seen.header("To")).toBe(`sip:5001@127.0.0.1:${lab.sandbox.port}`);
    agent.answer(seen, 200);
    expect(await status).toBe(200);
    const monitoring = lab.sandbox.options("5001", "WebRTC_Gateway");
    const trunk = await agent.next(request("OPTIONS"));
    expect(trunk.first).toBe(`OPTIONS sip:WebRTC_Gateway@127.0.0.1:${agent.port} SIP/2.0`);
    agent.answer(trunk, 404);
    expect(await monitoring).toBe(404);
  });

  test("with us as refresher the session is refreshed at half time by the same description", async () => {
    await lab.sandbox.ring("5001", "1003", { renegotiate: false });
    const invite = await agent.next(request("INVITE"));
    agent.answer(invite, 200, {
      body: sdp(40_000),
      lines: ["Require: timer", "Session-Expires: 1800;refresher=uac"],
    });
    await agent.next(request("ACK"));
    clock.advance(899_999);
    expect(lab.sent(/^INVITE/)).toBe(1);
    // The registration of 300 s is gone by then; the dialog is not.
    clock.advance(1);
    const refresh = await agent.next(request("INVITE"));
    expect(refresh.body).toBe(invite.body);
    agent.answer(refresh, 200, { body: sdp(40_000) });
    await agent.next(request("ACK"));
  });

  test("an endpoint that keeps the refresh to itself is not refreshed", async () => {
    await lab.sandbox.ring("5001", "1003", { renegotiate: false });
    const invite = await agent.next(request("INVITE"));
    agent.answer(invite, 200, { body: sdp(40_000), lines: ["Session-Expires: 1800;refresher=uas"] });
    await agent.next(request("ACK"));
    clock.advance(1_800_000);
    expect(lab.sent(/^INVITE/)).toBe(1);
  });
});

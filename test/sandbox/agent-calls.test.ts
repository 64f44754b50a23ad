import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { dialogOfAnswer, dialogOfInvite, request, response, sdp, type Endpoint } from "./support/endpoint.ts";
import { ack, dial, Lab, turns, until } from "./support/lab.ts";
import { portOf } from "./support/rtp-phone.ts";

let lab: Lab;
let clock: FakeClock;
let agent: Endpoint;
let ended: string[];

const guid = "[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}-\\d+";

beforeEach(async () => {
  clock = new FakeClock();
  lab = await Lab.open(clock);
  ended = [];
  lab.sandbox.events.on("ended", (_call, reason) => ended.push(reason));
  agent = await lab.registered("5001");
});

afterEach(() => lab.close());

function invite(number: string): string {
  return agent.request("INVITE", `sip:${number}@127.0.0.1`, [agent.contact], sdp(40_000));
}

describe("a number dialled by an endpoint (1pcc)", () => {
  test("echo: 100, 180, 200 in the forms of the trace, one codec and telephone-event, o= by Genesys", async () => {
    invite("9196");
    const trying = await agent.next(response(100, "INVITE"));
    const ringing = await agent.next(response(180, "INVITE"));
    const ok = await agent.next(response(200, "INVITE"));
    ack(agent, ok);
    expect(trying.header("To")).not.toContain("tag=");
    expect(ringing.header("To")).toMatch(new RegExp(`;tag=${guid}$`));
    expect(ok.header("To")).toBe(ringing.header("To"));
    expect(ok.names.slice(0, 7)).toEqual([
      "From",
      "To",
      "Call-ID",
      "CSeq",
      "Content-Length",
      "Content-Type",
      "Via",
    ]);
    expect(ok.header("X-Genesys-CallUUID")).toMatch(/^[0-9A-V]{32}$/);
    const lines = ok.body.trimEnd().split("\r\n");
    expect(lines[1]).toBe(`o=Genesys ${Math.floor(Date.UTC(2026, 0, 1) / 1000)} 1 IN IP4 127.0.0.1`);
    expect(lines.slice(4)).toEqual([
      "t=0 0",
      `m=audio ${portOf(ok.body)} RTP/AVP 0 101`,
      "a=rtpmap:0 pcmu/8000",
      "a=rtpmap:101 telephone-event/8000",
      "a=fmtp:101 0-15",
    ]);
    expect(portOf(ok.body) % 2).toBe(0);
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
  });

  test("busy, reject and an unknown number get 486, 603 and 404, each repeated until ACKed", async () => {
    for (const [number, status] of [
      ["9198", 486],
      ["9200", 603],
      ["7777", 404],
    ] as const) {
      invite(number);
      const refused = await agent.next((seen) => seen.status >= 300);
      expect(refused.status).toBe(status);
      clock.advance(500);
      const again = await agent.next(response(status, "INVITE"));
      expect(again.raw).toBe(refused.raw);
      const via = refused.header("Via").replace(/;received=.*/, "");
      agent.send(
        `ACK sip:${number}@127.0.0.1 SIP/2.0\r\nVia: ${via}\r\nFrom: ${refused.header("From")}\r\nTo: ${refused.header("To")}\r\nCall-ID: ${refused.header("Call-ID")}\r\nCSeq: ${Number.parseInt(refused.header("CSeq"), 10)} ACK\r\nContent-Length: 0\r\n\r\n`,
      );
      agent.request("OPTIONS", "sip:127.0.0.1", []);
      await agent.next(response(200, "OPTIONS"));
      clock.advance(10_000);
      agent.request("OPTIONS", "sip:127.0.0.1", []);
      await agent.next(response(200, "OPTIONS"));
      expect(agent.count(response(status, "INVITE"))).toBe(2);
    }
    expect(lab.sandbox.calls()).toEqual([]);
  });

  test("an endpoint whose From is no DN of ours gets 403, one without Contact 400", async () => {
    const stranger = await lab.endpoint("8888");
    stranger.request("INVITE", "sip:9196@127.0.0.1", [stranger.contact], sdp(40_000));
    await stranger.next(response(403, "INVITE"));
    agent.request("INVITE", "sip:9196@127.0.0.1", [], sdp(40_000));
    await agent.next(response(400, "INVITE"));
    expect(lab.sandbox.calls()).toEqual([]);
  });

  test("no common codec gets 488", async () => {
    agent.request("INVITE", "sip:9196@127.0.0.1", [agent.contact], sdp(40_000, { codecs: "111" }));
    await agent.next(response(488, "INVITE"));
    expect(lab.sandbox.calls()).toEqual([]);
  });

  test("no answer: 180 until CANCEL, which gets 200 and the INVITE 487", async () => {
    const text = invite("9199");
    await agent.next(response(180, "INVITE"));
    clock.advance(60_000);
    expect(lab.sent(/^SIP\/2.0 [2-6]\d\d [^]*INVITE/)).toBe(0);
    agent.send(
      text
        .replace(/^INVITE/, "CANCEL")
        .replace(/CSeq: (\d+) INVITE/, "CSeq: $1 CANCEL")
        .replace(/Content-Type.*\r\nContent-Length: \d+\r\n\r\n[^]*/, "Content-Length: 0\r\n\r\n"),
    );
    await agent.next(response(200, "CANCEL"));
    await agent.next(response(487, "INVITE"));
    expect(ended).toEqual(["cancelled by the caller"]);
  });

  test("no answer: 408 after two minutes", async () => {
    invite("9199");
    await agent.next(response(180, "INVITE"));
    clock.advance(120_000);
    await agent.next(response(408, "INVITE"));
    expect(lab.sandbox.calls()).toEqual([]);
  });

  test("a CANCEL that fits no INVITE gets 481", async () => {
    agent.request("CANCEL", "sip:9199@127.0.0.1", []);
    await agent.next(response(481, "CANCEL"));
  });

  test("a 200 never ACKed is repeated at 0.5, 1, 2, 4, 4 ... s and ends the call with BYE after 32 s", async () => {
    invite("9197");
    await agent.next(response(200, "INVITE"));
    const times: number[] = [];
    for (let at = 0; at < 31_900; at += 100) {
      const before = lab.sandbox
        .trace()
        .filter((entry) => entry.text.startsWith("SIP/2.0 200") && entry.text.includes("INVITE")).length;
      clock.advance(100);
      const after = lab.sandbox
        .trace()
        .filter((entry) => entry.text.startsWith("SIP/2.0 200") && entry.text.includes("INVITE")).length;
      if (after > before) times.push(at + 100);
    }
    expect(times).toEqual([500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    clock.advance(200);
    await agent.next(request("BYE"));
    expect(ended).toEqual(["our 200 was never acknowledged"]);
  });

  test("BYE from the endpoint ends the call with 200; a BYE of no dialog gets 481", async () => {
    const ok = await dial(agent, "9196", 40_000);
    agent.inDialog(dialogOfAnswer(ok), "BYE", 100);
    await agent.next(response(200, "BYE"));
    expect([lab.sandbox.calls(), ended]).toEqual([[], ["BYE from 5001"]]);
    agent.inDialog(dialogOfAnswer(ok), "BYE", 101);
    await agent.next(response(481, "BYE"));
  });

  test("a hang-up before the ACK of our 200 waits with its BYE for the ACK (RFC 3261 15.1.1)", async () => {
    invite("9196");
    const ok = await agent.next(response(200, "INVITE"));
    lab.sandbox.hangUp(lab.sandbox.calls()[0]?.uuid ?? "");
    expect([lab.sandbox.calls(), lab.sent(/^BYE/)]).toEqual([[], 0]);
    ack(agent, ok);
    await agent.next(request("BYE"));
  });

  test("a hang-up whose ACK never comes sends BYE after 32 s and leaves nothing", async () => {
    invite("9196");
    await agent.next(response(200, "INVITE"));
    lab.sandbox.hangUp(lab.sandbox.calls()[0]?.uuid ?? "");
    clock.advance(32_000);
    await agent.next(request("BYE"));
    clock.advance(64_000);
    expect(clock.pendingTimers).toBe(1);
  });

  test("a session timer asked for is granted with the endpoint as refresher", async () => {
    agent.request(
      "INVITE",
      "sip:9196@127.0.0.1",
      [agent.contact, "Session-Expires: 900", "Supported: timer"],
      sdp(40_000),
    );
    const ok = await agent.next(response(200, "INVITE"));
    expect([ok.header("Session-Expires"), ok.header("Require")]).toEqual(["900;refresher=uac", "timer"]);
  });

  test("an INVITE without SDP gets the offer in the 200 and takes the answer from the ACK", async () => {
    agent.request("INVITE", "sip:9197@127.0.0.1", [agent.contact]);
    const ok = await agent.next(response(200, "INVITE"));
    expect(ok.body).toContain("RTP/AVP 0 8 9 102 103 104 18 120 101");
    ack(agent, ok, sdp(40_002, { codecs: "8" }));
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
    expect(lab.sandbox.calls()[0]?.parties[1]?.media).toMatchObject({
      remote: { port: 40_002 },
      law: "pcma",
    });
  });

  test("INFO, MESSAGE, OPTIONS and UPDATE inside the call get 200, PUBLISH 405, an old CSeq 500", async () => {
    const dialog = dialogOfAnswer(await dial(agent, "9196", 40_000));
    let cseq = 50;
    for (const method of ["INFO", "MESSAGE", "OPTIONS", "UPDATE", "NOTIFY"]) {
      agent.inDialog(dialog, method, cseq++);
      await agent.next(response(200, method));
    }
    agent.inDialog(dialog, "PUBLISH", cseq);
    expect((await agent.next(response(405, "PUBLISH"))).header("Allow")).toContain("NOTIFY");
    agent.inDialog(dialog, "INFO", 3);
    await agent.next(response(500, "INFO"));
  });

  test("out of a dialog OPTIONS gets 200 with Allow, SUBSCRIBE 405", async () => {
    agent.request("OPTIONS", "sip:127.0.0.1", []);
    expect((await agent.next(response(200, "OPTIONS"))).header("Allow")).toContain("INVITE");
    agent.request("SUBSCRIBE", "sip:5001@127.0.0.1", []);
    await agent.next(response(405, "SUBSCRIBE"));
  });

  test("9204 moves: a re-INVITE with SDP names another port 10 ms after the ACK", async () => {
    const ok = await dial(agent, "9204", 40_000);
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
    clock.advance(10);
    const moved = await agent.next(request("INVITE"));
    expect(portOf(moved.body)).not.toBe(portOf(ok.body));
    expect(moved.body).toMatch(/o=Genesys \d+ 2 IN/);
    expect(moved.header("Allow")).not.toContain("UPDATE");
    expect([moved.header("From"), moved.header("To")]).toEqual([
      expect.stringMatching(/^sip:9204@127\.0\.0\.1;tag=/),
      expect.stringMatching(/^sip:5001@127\.0\.0\.1;tag=/),
    ]);
    agent.answer(moved, 200, { body: sdp(40_004, { codecs: "0 101" }) });
    await agent.next(request("ACK"));
    expect(lab.sandbox.calls()[0]?.parties[1]?.media?.remote?.port).toBe(40_004);
  });

  test("9202 hangs up after a second and rings back two seconds later", async () => {
    await dial(agent, "9202", 40_000);
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
    clock.advance(1000);
    agent.answer(await agent.next(request("BYE")), 200);
    expect(ended).toEqual(["9202 hung up"]);
    clock.advance(1999);
    await turns();
    expect(lab.sent(/^INVITE/)).toBe(0);
    clock.advance(1);
    const call = await agent.next(request("INVITE"));
    expect(call.header("From")).toMatch(/^sip:1003@/);
    expect(call.body).toContain("m=audio");
  });

  test("9203: after the hang-up SIP Server makes a call for the DN", async () => {
    const ok = await dial(agent, "9203", 40_000);
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
    agent.inDialog(dialogOfAnswer(ok), "BYE", 100);
    await agent.next(response(200, "BYE"));
    clock.advance(2000);
    const call = await agent.next(request("INVITE"));
    expect([call.body, call.header("From").slice(0, 9)]).toEqual(["", "sip:9196@"]);
  });
});

describe("agent to agent", () => {
  let callee: Endpoint;
  beforeEach(async () => {
    callee = await lab.registered("5002");
  });

  /** 5001 calls 5002 and is answered; both have their first re-INVITE still before them. */
  async function connect(): Promise<{
    ok: ReturnType<typeof dialogOfAnswer>;
    callee: ReturnType<typeof dialogOfInvite>;
  }> {
    invite("5002");
    const incoming = await callee.next(request("INVITE"));
    callee.answer(incoming, 180);
    await agent.next(response(180, "INVITE"));
    callee.answer(incoming, 200, { body: sdp(50_000, { session: 7 }) });
    await callee.next(request("ACK"));
    const ok = await agent.next(response(200, "INVITE"));
    ack(agent, ok);
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
    return { ok: dialogOfAnswer(ok), callee: dialogOfInvite(incoming, callee) };
  }

  /** The renegotiation of the first 150 ms, played by both. */
  async function settle(): Promise<void> {
    clock.advance(10);
    const offerless = await callee.next(request("INVITE"));
    callee.answer(offerless, 200, { body: sdp(50_000) });
    const offered = await agent.next(request("INVITE"));
    agent.answer(offered, 200, { body: sdp(40_000) });
    await Promise.all([callee.next(request("ACK")), agent.next(request("ACK"))]);
  }

  test("SDP passes with SIP Server's o=, so that media runs straight between the endpoints", async () => {
    invite("5002");
    const incoming = await callee.next(request("INVITE"));
    expect(incoming.header("From")).toMatch(
      new RegExp(`^sip:5001@127\\.0\\.0\\.1:${lab.sandbox.port};tag=${guid}$`),
    );
    expect(incoming.first).toBe(`INVITE sip:5002@127.0.0.1:${callee.port} SIP/2.0`);
    expect(incoming.body).toContain("m=audio 40000 ");
    expect(incoming.body).toContain("s=endpoint");
    expect(incoming.body).toMatch(/o=Genesys \d+ 1 IN IP4 127\.0\.0\.1/);
    expect(incoming.body).toContain("a=rtpmap:0 pcmu/8000");
    expect(incoming.body).not.toMatch(/sendrecv|ptime/);
    callee.answer(incoming, 180);
    await agent.next(response(180, "INVITE"));
    callee.answer(incoming, 200, { body: sdp(50_000) });
    const ok = await agent.next(response(200, "INVITE"));
    expect(portOf(ok.body)).toBe(50_000);
    expect(ok.header("Call-ID")).not.toBe(incoming.header("Call-ID"));
    expect(ok.header("X-Genesys-CallUUID")).toBe(incoming.header("X-Genesys-CallUUID"));
  });

  test("10 ms after the answer the callee is asked for an offer, the caller gets it, the ACK carries the answer", async () => {
    await connect();
    clock.advance(9);
    await turns();
    expect(lab.sent(/^INVITE sip:5002/)).toBe(1);
    clock.advance(1);
    const offerless = await callee.next(request("INVITE"));
    expect([offerless.body, offerless.header("CSeq")]).toEqual(["", "2 INVITE"]);
    callee.answer(offerless, 200, { body: sdp(50_010, { session: 99 }) });
    const offered = await agent.next(request("INVITE"));
    expect(portOf(offered.body)).toBe(50_010);
    expect(offered.body).toMatch(/o=Genesys \d+ 2 IN/);
    expect(lab.sent(/^ACK sip:5002/)).toBe(1);
    agent.answer(offered, 200, { body: sdp(40_020, { codecs: "0 101" }) });
    const answered = await callee.next(request("ACK"));
    expect(portOf(answered.body)).toBe(40_020);
    expect((await agent.next(request("ACK"))).body).toBe("");
  });

  test("BYE passes on with its Reason", async () => {
    const dialogs = await connect();
    await settle();
    agent.inDialog(dialogs.ok, "BYE", 90, "", ['Reason: SIP;cause=503;text="x"']);
    await agent.next(response(200, "BYE"));
    const bye = await callee.next(request("BYE"));
    expect(bye.header("Reason")).toBe('SIP;cause=503;text="x"');
    callee.answer(bye, 200);
    expect(lab.sandbox.calls()).toEqual([]);
  });

  test("a refusal passes on; an unregistered DN gives 480, one's own 486", async () => {
    invite("5002");
    const incoming = await callee.next(request("INVITE"));
    callee.answer(incoming, 486);
    await agent.next(response(486, "INVITE"));
    const acked = await callee.next(request("ACK"));
    expect(acked.header("Via")).toBe(incoming.header("Via"));
    expect(acked.header("To")).toContain(";tag=");
    invite("5003");
    await agent.next(response(480, "INVITE"));
    invite("5001");
    await agent.next(response(486, "INVITE"));
  });

  test("the caller's CANCEL cancels the callee: same branch, To without tag", async () => {
    const text = invite("5002");
    const incoming = await callee.next(request("INVITE"));
    callee.answer(incoming, 180);
    await agent.next(response(180, "INVITE"));
    agent.send(text.replace(/^INVITE/, "CANCEL").replace(/CSeq: (\d+) INVITE/, "CSeq: $1 CANCEL"));
    const cancel = await callee.next(request("CANCEL"));
    expect(cancel.header("Via")).toBe(incoming.header("Via"));
    expect(cancel.header("To")).toBe(incoming.header("To"));
    expect(cancel.header("To")).not.toContain("tag");
    expect(cancel.header("CSeq")).toBe("1 CANCEL");
    callee.answer(cancel, 200);
    callee.answer(incoming, 487);
    await callee.next(request("ACK"));
    await agent.next(response(487, "INVITE"));
  });

  test("CANCEL waits for a provisional response; a 200 that crosses it is ACKed and ended", async () => {
    const text = invite("5002");
    const incoming = await callee.next(request("INVITE"));
    agent.send(text.replace(/^INVITE/, "CANCEL").replace(/CSeq: (\d+) INVITE/, "CSeq: $1 CANCEL"));
    await agent.next(response(487, "INVITE"));
    expect(lab.sent(/^CANCEL/)).toBe(0);
    callee.answer(incoming, 180);
    await callee.next(request("CANCEL"));
    callee.answer(incoming, 180);
    callee.answer(incoming, 200, { body: sdp(50_000) });
    await callee.next(request("ACK"));
    await callee.next(request("BYE"));
    expect(lab.sent(/^CANCEL/)).toBe(1);
  });

  test("hold by an endpoint: recvonly to the one who holds, then music sendonly to the other, and back", async () => {
    const dialogs = await connect();
    await settle();
    agent.inDialog(dialogs.ok, "INVITE", 60, sdp(40_000, { direction: "sendonly" }));
    const held = await agent.next(response(200, "INVITE"));
    expect(held.body).toContain("a=recvonly");
    expect(lab.sent(/^INVITE sip:5002/)).toBe(2);
    agent.inDialog(dialogs.ok, "ACK", 60);
    const music = await callee.next(request("INVITE"));
    expect(music.body).toContain("a=sendonly");
    expect(portOf(music.body)).not.toBe(40_000);
    expect(lab.sandbox.calls()[0]?.parties.map((party) => party.holding)).toEqual([true, false]);
    callee.answer(music, 200, { body: sdp(50_000, { direction: "recvonly" }) });
    await callee.next(request("ACK"));
    agent.inDialog(dialogs.ok, "INVITE", 61, sdp(40_000));
    const back = await callee.next(request("INVITE"));
    expect([portOf(back.body), back.body.includes("a=")]).toEqual([40_000, true]);
    expect(back.body).not.toMatch(/a=(sendonly|recvonly|inactive)/);
    callee.answer(back, 200, { body: sdp(50_000) });
    expect(portOf((await agent.next(response(200, "INVITE"))).body)).toBe(50_000);
    agent.inDialog(dialogs.ok, "ACK", 61);
    await until(() => lab.sandbox.calls()[0]?.parties[0]?.holding === false);
  });

  test("a re-INVITE while another negotiation runs gets 491; ours that gets 491 is tried again after 2.1-4 s", async () => {
    const dialogs = await connect();
    clock.advance(10);
    const offerless = await callee.next(request("INVITE"));
    agent.inDialog(dialogs.ok, "INVITE", 70, sdp(40_000, { direction: "sendonly" }));
    await agent.next(response(491, "INVITE"));
    callee.answer(offerless, 491);
    await callee.next(request("ACK"));
    await until(() => callee.count(request("ACK")) === 2);
    // Promise turns between the 491 and the new timer.
    await clock.advanceAsync(2000);
    expect(lab.sent(/^INVITE sip:5002/)).toBe(2);
    await clock.advanceAsync(2000);
    const again = await callee.next(request("INVITE"));
    expect(again.header("CSeq")).toBe("3 INVITE");
  });

  test("three callers of one DN get a dialog each", async () => {
    for (let i = 0; i < 3; i++) await lab.sandbox.ring("5002", "1003");
    await until(() => callee.count(request("INVITE")) === 3);
    const ids = callee.all.filter(request("INVITE")).map((seen) => seen.header("Call-ID"));
    expect(new Set(ids).size).toBe(3);
  });
});

describe("the end", () => {
  test("close sends BYE to running calls and leaves no timer; a second close is the same", async () => {
    await dial(agent, "9197", 40_000);
    await until(() => lab.sandbox.calls()[0]?.state === "connected");
    await lab.sandbox.ring("5001", "1003");
    await agent.next(request("INVITE"));
    expect(clock.pendingTimers).toBeGreaterThan(0);
    const closing = lab.sandbox.close();
    await Promise.all([closing, lab.sandbox.close()]);
    expect(clock.pendingTimers).toBe(0);
    await agent.next(request("BYE"));
    expect(lab.sandbox.calls()).toEqual([]);
  });

  test("the port is free again after close, and a taken one refuses to open", async () => {
    const { port } = lab.sandbox;
    await expect(Lab.open(clock, { port })).rejects.toThrow(/EADDRINUSE/);
    await lab.sandbox.close();
    const other = await Lab.open(clock, { port });
    expect(other.sandbox.port).toBe(port);
    await other.close();
  });

  test("fifty calls one after another leave nothing but transactions that wait out their 32 s", async () => {
    for (let i = 0; i < 50; i++) {
      const ok = await dial(agent, "9196", 40_000);
      agent.inDialog(dialogOfAnswer(ok), "BYE", 1000 + i);
      await agent.next(response(200, "BYE"));
    }
    expect([lab.sandbox.calls(), ended.length]).toEqual([[], 50]);
    clock.advance(32_000);
    // What is left is the expiry of 5001's binding.
    expect(clock.pendingTimers).toBe(1);
  });
});

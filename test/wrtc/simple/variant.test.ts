import { beforeEach, describe, expect, it } from "vitest";
import { silentLogger } from "../../../src/core/index.ts";
import type { WrtcPresence } from "../../../src/registrar/index.ts";
import {
  SimpleVariant,
  type ClientCalls,
  type ClientLine,
  type ClientMessage,
  type SimpleVariantOptions,
  type WrtcAnswer,
  type WrtcRequest,
} from "../../../src/wrtc/index.ts";
import type { Action } from "../../../src/wrtc/http/exchange.ts";
import type { SessionUser } from "../../../src/wrtc/session/session.ts";
import { FakeClock } from "../../support/fake-clock.ts";

type SignInDesk = SimpleVariantOptions["desk"];

const id = "page-3f9a61c2d7e84b05";
const offer = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\na=setup:actpass\r\n";
const answer = "v=0\r\no=- 2 1 IN IP4 0.0.0.0\r\na=setup:active\r\n";

/** Calls that write down what they are told. */
class CallsDouble implements ClientCalls {
  busy = false;
  readonly told: { message: ClientMessage; to: string }[] = [];
  receive(message: ClientMessage, to: string): void {
    this.told.push({ message, to });
  }
  close(): void {}
  get kinds(): string[] {
    return this.told.map(({ message, to }) => `${message.kind} ${to}`.trim());
  }
}

/** A sign-in that knows one password. */
class DeskDouble implements SignInDesk {
  readonly calls = new CallsDouble();
  readonly closed: string[] = [];
  seen = 0;
  line: ClientLine | undefined;
  user: SessionUser | undefined;
  /** Set: sign-ins wait for it. */
  gate: Promise<void> = Promise.resolve();

  readonly signIn: SignInDesk["signIn"] = async ({ dn, password, address }, user) => {
    await this.gate;
    if (password !== "right") return { status: 403, error: "wrong DN or password" };
    this.user = user;
    this.line = user.line(presenceOf(dn, address));
    return {
      calls: this.calls,
      seen: () => this.seen++,
      close: (reason) => {
        this.closed.push(reason);
        user.onClosed(200);
      },
    };
  };
}

function presenceOf(dn: string, address: string): WrtcPresence {
  return {
    kind: "wrtc",
    dn,
    instance: "simple",
    userAgent: "test",
    allowEvents: [],
    reachable: true,
    since: 0,
    gone: false,
    address,
    dismissed: () => {},
  };
}

let desk: DeskDouble;
let variant: SimpleVariant;
let clock: FakeClock;
let passwordInQuery: boolean;
const warned: string[] = [];

beforeEach(() => {
  desk = new DeskDouble();
  passwordInQuery = false;
  warned.length = 0;
  const log = {
    ...silentLogger,
    warn: (...words: unknown[]) => void warned.push(JSON.stringify(words)),
  } as typeof silentLogger;
  clock = new FakeClock();
  variant = new SimpleVariant({ desk, passwordInQuery: () => passwordInQuery, clock, log });
});

async function ask(
  request: string,
  body = "",
  over: Partial<WrtcRequest> = {},
): Promise<WrtcAnswer | undefined> {
  const [method = "", target = ""] = request.split(" ");
  const [action = "", query = ""] = target.split("?");
  return variant.answer({
    method,
    action: action as Action,
    query,
    body,
    origin: undefined,
    address: "192.0.2.7",
    userAgent: "test",
    isGone: () => false,
    ...over,
  });
}

async function status(
  request: string,
  body?: string,
  over?: Partial<WrtcRequest>,
): Promise<number | undefined> {
  return (await ask(request, body, over))?.status;
}

const credentials = (over: object = {}): string =>
  JSON.stringify({ id, dn: "5001", password: "right", ...over });

function line(): ClientLine {
  if (!desk.line) throw new Error("nobody is signed in");
  return desk.line;
}

describe("sign-in of the simple variant", () => {
  it("takes a JSON body and answers OK, whatever type the body claims", async () => {
    expect(await ask("POST sign_in", credentials())).toMatchObject({ status: 200, body: "OK" });
    expect(variant.size).toBe(1);
  });

  it("answers 401 as JSON to a wrong password, and keeps nothing", async () => {
    const refused = await ask("POST sign_in", credentials({ password: "wrong" }));
    expect(refused).toMatchObject({ status: 401, json: true, body: '{"error":"wrong DN or password"}' });
    expect(variant.size).toBe(0);
  });

  it("takes the password of a query only where that is switched on", async () => {
    const query = `GET sign_in?id=${id}&dn=5001&password=right`;
    expect(await ask(query)).toMatchObject({ status: 400, json: true });
    passwordInQuery = true;
    expect(await ask(query)).toMatchObject({ status: 200, body: "OK" });
  });

  it("decodes a query once and keeps its plus signs", async () => {
    passwordInQuery = true;
    let seen = "";
    const judge = desk.signIn;
    Object.assign(desk, {
      signIn: (...order: Parameters<typeof judge>) => {
        seen = `${order[0].dn} ${order[0].password}`;
        return judge(...order);
      },
    });
    await ask(`GET sign_in?id=${id}&dn=+15551234&password=a%2520b%26%C3%A9`);
    expect(seen).toBe("+15551234 a%20b&é");
  });

  it.each([
    ["a short id", credentials({ id: "agent1" })],
    ["an id with other characters", credentials({ id: "page 3f9a61c2d7e84b05" })],
    ["no dn", credentials({ dn: undefined })],
    ["an empty dn", credentials({ dn: "" })],
    ["a password that is no string", credentials({ password: 1 })],
    ["broken JSON", '{"id":'],
    ["an object with null", '{"id":null}'],
  ])("answers 400 to %s", async (_what, body) => {
    expect(await ask("POST sign_in", body)).toMatchObject({ status: 400, json: true });
  });

  it.each([
    ["GET sign_in?1020", ""],
    ["GET sign_in?anon0bcf", ""],
    ["GET sign_in?id=abc", ""],
    ["POST sign_in", "1020:p:w&d+ %41é"],
    ["GET sign_out?id=AbC", ""],
    ["GET wait?id=AbC", ""],
    ["POST message?from=AbC&to=1", 'RSMP {"messageType":"OFFER"}'],
    ["POST message?from=AbC&to=1", "BYE"],
  ])("leaves %s to the other protocol", async (request, body) => {
    expect(await ask(request, body)).toBeUndefined();
  });

  it("signs the same client in anew and ends its former session, once the password is right", async () => {
    await ask("POST sign_in", credentials());
    expect(await status("POST sign_in", credentials({ password: "wrong" }))).toBe(401);
    expect([desk.closed, variant.size]).toEqual([[], 1]);
    expect(await status("POST sign_in", credentials())).toBe(200);
    expect([desk.closed, variant.size]).toEqual([["signed in anew"], 1]);
    expect(await status(`GET message?id=${id}`)).toBe(204);
  });

  it("keeps one session of two that sign in anew at once", async () => {
    await ask("POST sign_in", credentials());
    await Promise.all([ask("POST sign_in", credentials()), ask("POST sign_in", credentials())]);
    expect([desk.closed.length, variant.size]).toEqual([2, 1]);
  });

  it("logs an id that is used from another place, not without end", async () => {
    await ask("POST sign_in", credentials());
    for (let asked = 0; asked < 100; asked++)
      expect(await status(`GET message?id=${id}`, "", { address: "192.0.2.66" })).toBe(404);
    expect(warned).toHaveLength(20);
    clock.advance(1000);
    await ask(`GET message?id=${id}`, "", { address: "192.0.2.66" });
    expect(warned).toHaveLength(21);
  });

  it("refuses an id that is in use by another DN, from another place, or is being signed in", async () => {
    let open = (): void => {};
    desk.gate = new Promise((resolve) => (open = resolve));
    const first = ask("POST sign_in", credentials());
    expect(await status("POST sign_in", credentials())).toBe(409);
    open();
    expect((await first)?.status).toBe(200);
    expect(await status("POST sign_in", credentials({ dn: "5002" }))).toBe(409);
    expect(await status("POST sign_in", credentials(), { address: "192.0.2.8" })).toBe(409);
    expect(desk.closed).toEqual([]);
  });
});

describe("a session of the simple variant", () => {
  beforeEach(async () => void (await ask("POST sign_in", credentials())));
  const poll = (): Promise<WrtcAnswer | undefined> => ask(`GET message?id=${id}`);
  const post = (body: string, to = ""): Promise<WrtcAnswer | undefined> =>
    ask(`POST message?from=${id}${to === "" ? "" : `&to=${to}`}`, body);

  it("reads 204 while nothing is there, and lives by reading", async () => {
    expect(await poll()).toMatchObject({ status: 204, body: "" });
    expect(desk.seen).toBe(1);
  });

  it("calls with bare SDP, reads the answer once, and its reading acknowledges it", async () => {
    expect(await post(offer, "+15551234")).toMatchObject({ status: 200, body: "OK" });
    expect(desk.calls.told).toEqual([
      { message: { kind: "offer", sdp: offer, ids: {}, attached: [] }, to: "+15551234" },
    ]);
    line().send({ kind: "answer", sdp: answer, ids: {} }, "+15551234");
    expect(await poll()).toMatchObject({ status: 200, body: answer, headers: { "x-wrtc-event": "answer" } });
    expect(desk.calls.kinds.at(-1)).toBe("ok +15551234");
    expect((await poll())?.status).toBe(204);
  });

  it("must say whom it calls, but not in a call that runs", async () => {
    expect(await post(offer)).toMatchObject({ status: 400, json: true });
    desk.calls.busy = true;
    expect((await post(offer))?.status).toBe(200);
    expect(desk.calls.kinds).toEqual(["offer"]);
  });

  it("rings by an offer with the caller's name, and answers without to, with the offer's ids", async () => {
    line().send({ kind: "offer", sdp: offer, ids: { offererSessionId: 7, seq: 1 } }, "1003");
    expect(await poll()).toMatchObject({
      body: offer,
      headers: { "x-wrtc-event": "offer", pragma: "1003" },
    });
    await post(answer);
    expect(desk.calls.told).toEqual([
      {
        message: { kind: "answer", sdp: answer, ids: { offererSessionId: 7, seq: 1 }, attached: [] },
        to: "",
      },
    ]);
  });

  it("takes SDP for an offer while the one that rings was not read, and refuses an offer once it was", async () => {
    line().send({ kind: "offer", sdp: offer, ids: {} }, "1003");
    await post(offer, "1004");
    expect(desk.calls.kinds).toEqual(["offer 1004"]);
    await poll();
    expect((await post(offer, "1004"))?.status).toBe(409);
    expect(desk.calls.kinds).toEqual(["offer 1004"]);
    await post(answer);
    expect(desk.calls.kinds.at(-1)).toBe("answer");
  });

  it("is told of a hang-up by an empty 200 with its event, after which SDP calls again", async () => {
    line().send({ kind: "offer", sdp: offer, ids: {} }, "1003");
    await poll();
    line().send({ kind: "bye", reason: "caller hung up" }, "1003");
    expect(await poll()).toMatchObject({ status: 200, body: "", headers: { "x-wrtc-event": "bye" } });
    await post(offer, "1004");
    expect(desk.calls.kinds).toEqual(["offer 1004"]);
  });

  it("does not read the end of a former call, unread so far, in the call it has begun since", async () => {
    line().send({ kind: "bye", reason: "far side" }, "5002");
    await ask(`POST message?from=${id}&to=5003`, "v=0\r\n");
    expect(await status(`GET message?id=${id}`)).toBe(204);
  });

  it("is told why a call failed with the hang-up, and not with the next one", async () => {
    line().send({ kind: "error", errorType: "REFUSED", reason: "486" }, "1003");
    line().send({ kind: "bye", reason: "486" }, "1003");
    expect((await poll())?.headers).toMatchObject({ "x-wrtc-event": "bye", "x-wrtc-error": "REFUSED" });
    line().send({ kind: "bye", reason: "" }, "1003");
    expect((await poll())?.headers).not.toHaveProperty("x-wrtc-error");
  });

  it("hangs up by BYE and then reads nothing of that call any more", async () => {
    line().send({ kind: "offer", sdp: offer, ids: {} }, "1003");
    await post("BYE");
    expect(desk.calls.kinds).toEqual(["bye"]);
    expect((await poll())?.status).toBe(204);
  });

  it("keeps of each kind the last, and nothing of a call that is over", async () => {
    for (const sdp of ["v=0 1", "v=0 2"]) line().send({ kind: "offer", sdp, ids: {} }, "1003");
    expect((await poll())?.body).toBe("v=0 2");
    line().send({ kind: "answer", sdp: answer, ids: {} }, "1003");
    line().send({ kind: "bye", reason: "" }, "1003");
    line().send({ kind: "offer", sdp: offer, ids: {} }, "1004");
    const events = [await poll(), await poll(), await poll()].map((told) => told?.headers?.["x-wrtc-event"]);
    expect(events).toEqual(["bye", "offer", undefined]);
  });

  it("reads again what its connection lost, and does not answer an offer it never got", async () => {
    line().send({ kind: "offer", sdp: offer, ids: {} }, "1003");
    (await poll())?.lost?.();
    await post(offer, "1004");
    expect(desk.calls.kinds).toEqual(["offer 1004"]);
    expect((await poll())?.body).toBe(offer);
  });

  it("calls itself by self and by its own id", async () => {
    await post(offer, "self");
    await post(offer, id);
    expect(desk.calls.kinds).toEqual(["offer self", "offer self"]);
  });

  it.each(["RSMP {}", "INFO-MAP a=b", "GET-STATS", ""])(
    "answers 409 to the other protocol's %j",
    async (body) => {
      expect(await post(body, "1003")).toMatchObject({ status: 409, json: true });
      expect(desk.calls.told).toEqual([]);
    },
  );

  it("may post forty messages at once and ten a second", async () => {
    const statuses: (number | undefined)[] = [];
    for (let count = 0; count < 41; count++) statuses.push((await post("BYE"))?.status);
    expect([statuses[39], statuses[40]]).toEqual([200, 429]);
    clock.advance(100);
    expect([(await post("BYE"))?.status, (await post("BYE"))?.status]).toEqual([200, 429]);
    expect(desk.calls.told).toHaveLength(41);
  });

  it("answers 409 to wait, and 404 to the messages of an id it does not know", async () => {
    expect(await status(`GET wait?id=${id}`)).toBe(409);
    expect(await status("GET message?id=page-0000000000000000")).toBe(404);
    expect(await status("POST message?from=page-0000000000000000&to=1", offer)).toBe(404);
  });

  it.each([
    ["another origin", { origin: "https://evil.example" }],
    ["another address", { address: "192.0.2.8" }],
  ])("is nobody's from %s, and the log says so without the id", async (_what, over) => {
    line().send({ kind: "offer", sdp: offer, ids: {} }, "1003");
    expect(await status(`GET message?id=${id}`, "", over)).toBe(404);
    expect(await status(`POST message?from=${id}&to=1`, offer, over)).toBe(404);
    expect(await status(`GET sign_out?id=${id}`, "", over)).toBeUndefined();
    expect([desk.calls.told, desk.closed]).toEqual([[], []]);
    expect(warned.length).toBe(3);
    expect(warned.join()).not.toContain(id);
    expect((await poll())?.body).toBe(offer);
  });

  it("signs out by POST too, as a page does that closes", async () => {
    expect(await status(`POST sign_out?id=${id}`)).toBe(200);
    expect(variant.size).toBe(0);
  });

  it("signs out with OK and is unknown then, as after its session ended otherwise", async () => {
    expect(await ask(`GET sign_out?id=${id}`)).toMatchObject({ status: 200, body: "OK" });
    expect([desk.closed, variant.size]).toEqual([["signed out"], 0]);
    expect((await poll())?.status).toBe(404);
    await ask("POST sign_in", credentials());
    desk.user?.onClosed(200);
    expect((await poll())?.status).toBe(404);
  });
});

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WrtcClient, type ClientEvent } from "./client.ts";
import type { Connection, Description } from "./connection.ts";
import { MockGateway, says } from "./mock-gateway.ts";

/** Describes itself by its number, and takes everything but what says so. */
class FakeConnection implements Connection {
  closed = false;
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }

  async offer(direction: string): Promise<Description> {
    return await Promise.resolve({ sdp: `v=0 offer of ${this.name} ${direction}`, candidates: [] });
  }

  async answer({ sdp }: Description): Promise<Description> {
    if (sdp.includes("bad")) throw new Error("cannot be applied");
    return await Promise.resolve({ sdp: `v=0 answer of ${this.name}`, candidates: [] });
  }

  async accept(): Promise<void> {
    await Promise.resolve();
  }

  sendDigits(): void {}

  close(): void {
    this.closed = true;
  }
}

const offer = 'SDP {"messageType":"OFFER","sdp":"v=0","offererSessionId":7,"seq":1}';
const answer = 'SDP {"messageType":"ANSWER","sdp":"v=0","offererSessionId":102,"seq":1}';

let gateway: MockGateway;
let client: WrtcClient;
let events: ClientEvent[];
let connections: FakeConnection[];

function make(noAnswerMs = 60_000): WrtcClient {
  return new WrtcClient({
    gateway: gateway.url,
    repeatMs: 5,
    noAnswerMs,
    connect() {
      const made = new FakeConnection(String(connections.length + 1));
      connections.push(made);
      return made;
    },
    onEvent: (event) => events.push(event),
  });
}

beforeEach(async () => {
  gateway = await MockGateway.open();
  events = [];
  connections = [];
  client = make();
});
afterEach(async () => {
  client.disconnect();
  await gateway.close();
});

/** Pushes and waits until the client has polled again: what it told is told. */
async function hear(...messages: readonly string[]): Promise<void> {
  for (const message of messages) {
    const before = gateway.requests.filter(({ path }) => path.startsWith("/wait")).length;
    gateway.push(message, "1003");
    await gateway.polls(before + 1);
  }
}

async function signedIn(): Promise<void> {
  await client.register("1020");
  await gateway.polls(1);
}

async function offered(count = 1): Promise<Record<string, unknown>> {
  return await gateway.until(() => gateway.roap("OFFER")[count - 1]);
}

async function called(): Promise<void> {
  await signedIn();
  client.makeOffer("1003");
  await offered();
  await hear(answer);
}

const names = (): string[] => events.map(({ name }) => name);

describe("our grtc.js calls", () => {
  it("with an offer, and says OK to its answer", async () => {
    await called();
    expect(await offered()).toMatchObject({
      messageType: "OFFER",
      sdp: "v=0 offer of 1 sendrecv",
      Candidates: [],
      offererSessionId: 102,
      answererSessionId: null,
      seq: 1,
    });
    await gateway.until(() => gateway.roap("OK").length === 1);
    expect(gateway.roap("OK")).toEqual([
      { messageType: "OK", offererSessionId: 102, answererSessionId: 102, seq: 1 },
    ]);
    expect(client.state).toBe("established");
    await hear(answer);
    expect(gateway.roap("OK")).toHaveLength(1);
  });

  it("nobody before it is signed in", () => {
    client.makeOffer("1003");
    expect(client.state).toBe("new");
  });

  it("itself by its own SSID", async () => {
    await signedIn();
    client.makeOffer("self");
    await offered();
    expect(gateway.requests.at(-1)?.path).toBe("/message?from=one&to=one");
  });

  it("and stays with its offer after an error, until the BYE", async () => {
    await signedIn();
    client.makeOffer("1003");
    await offered();
    await hear('SDP {"messageType":"ERROR","errorType":"REFUSED"}');
    expect(client.state).toBe("offer-sent");
    await hear("BYE");
    expect(client.state).toBe("new");
    expect(names()).toEqual(["onRegister", "onGatewayError", "onPeerClosing"]);
  });

  it("and tells when nobody answers, and sends nothing", async () => {
    client = make(30);
    await signedIn();
    client.makeOffer("1003");
    await offered();
    await expect.poll(() => names()).toContain("onPeerNoanswer");
    expect(gateway.posted).toHaveLength(1);
    client.terminateCall();
    await gateway.until(() => gateway.posted.at(-1) === "BYE");
  });

  it("with the same offer again when its post fails", async () => {
    let count = 0;
    gateway.message = () => (++count < 3 ? says("", { status: 500 }) : says());
    await signedIn();
    client.makeOffer("1003");
    await offered(3);
    expect(new Set(gateway.posted).size).toBe(1);
  });

  it("and drops what the gateway offers meanwhile", async () => {
    await signedIn();
    client.makeOffer("1003");
    await offered();
    await hear(offer);
    expect(gateway.posted).toHaveLength(1);
    expect(client.state).toBe("offer-sent");
  });

  it("anew after a BYE, with a new session and connection", async () => {
    await called();
    await hear("BYE");
    expect(connections[0]?.closed).toBe(true);
    client.makeOffer("1003");
    expect(await offered(2)).toMatchObject({ offererSessionId: 103, seq: 1, sdp: "v=0 offer of 2 sendrecv" });
  });
});

describe("our grtc.js is called", () => {
  it("and answers with the offer's ids when its page accepts", async () => {
    await signedIn();
    await hear(offer);
    expect(events.at(-1)).toEqual({ name: "onIncomingCall", data: { peer: "1003", event: "offer" } });
    expect(gateway.posted).toEqual([]);
    client.acceptCall();
    await gateway.until(() => gateway.roap("ANSWER").length === 1);
    expect(gateway.roap("ANSWER")[0]).toMatchObject({ offererSessionId: 7, answererSessionId: 102, seq: 1 });
    expect(gateway.requests.at(-1)?.path).toContain("&to=1003");
  });

  it("and a second offer takes the place of the first", async () => {
    await signedIn();
    await hear(offer);
    gateway.push(offer.replace("7", "8"), "1004");
    await gateway.polls(3);
    client.acceptCall();
    await gateway.until(() => gateway.roap("ANSWER").length === 1);
    expect(gateway.roap("ANSWER")[0]).toMatchObject({ offererSessionId: 8 });
  });

  it("and says BYE to what it cannot apply", async () => {
    await signedIn();
    await hear(offer.replace("v=0", "bad"));
    client.acceptCall();
    await gateway.until(() => gateway.posted[0] === "BYE");
  });

  it("by INVITE, and offers when its page accepts", async () => {
    await signedIn();
    await hear("INVITE");
    expect(events.at(-1)?.data).toEqual({ peer: "1003", event: "invite" });
    client.acceptCall();
    await offered();
    expect(gateway.requests.at(-1)?.path).toContain("&to=1003");
  });

  it("by INVITE from nobody, and offers to nobody at once", async () => {
    await signedIn();
    gateway.push("INVITE");
    await offered();
    expect(gateway.requests.at(-1)?.path).toContain("&to=null");
  });

  it("and EVENT-TALK answers for its page", async () => {
    await signedIn();
    await hear(offer, "EVENT-TALK");
    await gateway.until(() => gateway.roap("ANSWER").length === 1);
    expect(events.at(-1)?.name).not.toBe("onIncomingCall");
    expect(events).toContainEqual({ name: "onNotifyEvent", data: { peer: null, event: "talk" } });
  });

  it("by EVENT-TALK alone, and offers to nobody", async () => {
    await signedIn();
    gateway.push("EVENT-TALK");
    await offered();
    expect(gateway.requests.at(-1)?.path).toContain("&to=null");
  });
});

describe("our grtc.js in a call", () => {
  it("holds and retrieves by offers of the same session", async () => {
    await called();
    client.holdCall();
    expect(await offered(2)).toMatchObject({ seq: 2, sdp: "v=0 offer of 1 inactive", offererSessionId: 102 });
    await hear(answer);
    client.resumeCall();
    expect(await offered(3)).toMatchObject({ seq: 3, sdp: "v=0 offer of 1 sendrecv" });
  });

  it("does so by events, once each", async () => {
    await called();
    await hear("EVENT-HOLD");
    await offered(2);
    await hear(answer, "EVENT-HOLD");
    expect(gateway.roap("OFFER")).toHaveLength(2);
    await hear("EVENT-TALK");
    await offered(3);
    expect(names().filter((name) => name === "onNotifyEvent")).toHaveLength(3);
  });

  it("answers any offer by itself, to the party it has, and any INVITE by an offer", async () => {
    await called();
    gateway.push(offer, "4711");
    await gateway.until(() => gateway.roap("ANSWER").length === 1);
    expect(gateway.requests.at(-1)?.path).toContain("&to=1003");
    await hear("INVITE");
    await offered(2);
  });

  it("takes a new connection for each offer where its page wants that", async () => {
    client.renewSession = true;
    await called();
    client.holdCall();
    expect(await offered(2)).toMatchObject({ seq: 1, sdp: "v=0 offer of 2 inactive" });
    expect(connections[0]?.closed).toBe(true);
  });

  it("sends data and asks for statistics", async () => {
    await called();
    client.sendInfo({ "a b": "1" });
    client.sendInfo({ c: "2" }, false);
    client.getServerStats();
    await gateway.until(() => gateway.posted.includes("GET-STATS"));
    expect(gateway.posted).toEqual(expect.arrayContaining(["INFO-MAP a+b=1", "INFO-PEER c=2", "GET-STATS"]));
  });

  it("says BYE before it signs out", async () => {
    await called();
    client.disconnect();
    await gateway.until(() => gateway.requests.some(({ path }) => path === "/sign_out?id=one"));
    await gateway.until(() => gateway.posted.includes("BYE"));
  });
});

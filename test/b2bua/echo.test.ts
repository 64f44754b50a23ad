import { describe, expect, it } from "vitest";
import type { AgentLeg, AgentLegUser, LegEnd, MakeCallingLeg } from "../../src/b2bua/index.ts";
import type { WrtcPresence } from "../../src/registrar/index.ts";
import { B2buaBench, nothingLeft } from "../support/b2bua-bench.ts";
import { browserSdp } from "../support/descriptions.ts";

function presenceOf(dn: string): WrtcPresence & { reachable: boolean } {
  return {
    kind: "wrtc",
    dn,
    instance: dn,
    userAgent: "test",
    allowEvents: [],
    reachable: true,
    since: 0,
    gone: false,
    address: "192.0.2.7:50123",
    dismissed: () => {},
  };
}

/** A client's leg that writes down what it is told. */
class Client {
  readonly presence = presenceOf("5001");
  readonly told: string[] = [];
  user: AgentLegUser | undefined;
  pending = true;
  readonly #offer: string;

  constructor(offer = browserSdp()) {
    this.#offer = offer;
  }

  readonly makeLeg: MakeCallingLeg = (user) => {
    this.user = user;
    const pending = (): boolean => this.pending;
    const over = (what: string) => (end: LegEnd) => {
      this.pending = false;
      this.told.push(`${what} ${end.status} ${end.reason}`);
    };
    const nothing = (): void => {};
    const leg: AgentLeg = {
      presence: this.presence,
      callId: "echo",
      isDialog: () => false,
      progress: nothing,
      answer: (sdp) => {
        this.pending = false;
        this.told.push(`answer ${/a=(sendrecv|inactive)/.exec(sdp)?.[1]}`);
      },
      reject: over("reject"),
      talk: nothing,
      hold: nothing,
      beep: nothing,
      ringByHand: nothing,
      info: () => false,
      tellCall: nothing,
      tellQuality: nothing,
      cancel: nothing,
      moved: nothing,
      end: over("end"),
      leave: nothing,
    };
    return {
      leg,
      offer: this.#offer,
      get pending() {
        return pending();
      },
    };
  };

  /** What is replied to a later offer. */
  async reoffer(bench: B2buaBench, sdp: string): Promise<string> {
    let reply = "";
    this.user?.onOffer(sdp, {
      accept: (answer) => (reply = `accepted ${/a=(sendrecv|inactive)/.exec(answer ?? "")?.[1]}`),
      reject: (status) => (reply = `rejected ${status}`),
    });
    await bench.pass();
    return reply;
  }
}

async function echo(bench: B2buaBench, client = new Client()): Promise<Client> {
  expect(bench.b2bua.echoToClient(client.presence, client.makeLeg)).toBeUndefined();
  await bench.pass();
  return client;
}

describe("an echo call", () => {
  it("is answered here, with the relay's own port as its other side, and SIP Server hears nothing", async () => {
    const bench = new B2buaBench();
    bench.trunkStatus = { state: "rejected", reason: "404" };
    const client = await echo(bench);
    expect(client.told).toEqual(["answer sendrecv"]);
    expect(bench.media.last.told).toEqual([
      "browser opus sendrecv",
      "trunk 192.0.2.20:10000 opus sendrecv",
      "connect",
    ]);
    expect([bench.b2bua.echoes, bench.b2bua.size, bench.b2bua.busy(client.presence)]).toEqual([1, 0, true]);
    client.user?.onEnded({ status: 200, reason: "BYE" });
    expect([bench.b2bua.echoes, bench.b2bua.busy(client.presence)]).toEqual([0, false]);
    expect(client.told).toEqual(["answer sendrecv"]);
    expect([bench.network.sent, bench.records]).toEqual([[], []]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("leaves nothing when it is hung up while its media is opened", async () => {
    const bench = new B2buaBench();
    const client = new Client();
    bench.b2bua.echoToClient(client.presence, client.makeLeg);
    client.user?.onFailed({ status: 487, reason: "BYE" });
    await bench.pass();
    expect([client.told, bench.media.last.told]).toEqual([[], []]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("goes on through hold, retrieve and another peer connection", async () => {
    const bench = new B2buaBench();
    const client = await echo(bench);
    expect(await client.reoffer(bench, browserSdp({ direction: "inactive" }))).toBe("accepted inactive");
    expect(await client.reoffer(bench, browserSdp())).toBe("accepted sendrecv");
    expect(await client.reoffer(bench, "nonsense")).toBe("rejected 400");
    expect(bench.b2bua.echoes).toBe(1);
    bench.b2bua.close("test is over");
    expect(await client.reoffer(bench, browserSdp())).toBe("rejected 491");
  });

  it.each<{ what: string; offer: string; told: string }>([
    { what: "no offer", offer: "", told: "reject 400" },
    {
      what: "an offer without audio",
      offer: "v=0\r\no=- 1 1 IN IP4 0\r\ns=-\r\nt=0 0\r\n",
      told: "reject 488",
    },
  ])("is refused with $what", async ({ offer, told }) => {
    const bench = new B2buaBench();
    const client = await echo(bench, new Client(offer));
    expect(client.told).toEqual([expect.stringContaining(told)]);
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("ends when nothing comes from the browser, with its media, and after ten minutes", async () => {
    const bench = new B2buaBench();
    const silent = await echo(bench);
    bench.media.last.events.emit("idle", "trunk", 30_000);
    expect(bench.b2bua.echoes).toBe(1);
    bench.media.last.events.emit("idle", "browser", 30_000);
    expect(silent.told.at(-1)).toBe("end 200 nothing comes from the browser");
    const failed = await echo(bench);
    bench.media.last.close("worker failed");
    expect(failed.told.at(-1)).toBe("end 503 worker failed");
    const long = await echo(bench);
    bench.clock.advance(599_000);
    expect(bench.b2bua.echoes).toBe(1);
    bench.clock.advance(1_000);
    expect(long.told.at(-1)).toContain("end 200");
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is one call of its client's, and ends with its sign-in and with the gateway", async () => {
    const bench = new B2buaBench();
    const client = await echo(bench);
    expect(bench.b2bua.echoToClient(client.presence, client.makeLeg)).toMatchObject({ status: 486 });
    expect(bench.b2bua.callFromClient(client.presence, { number: "1003" }, client.makeLeg)).toMatchObject({
      status: 486,
    });
    bench.registrarEvents.emit("signed-out", { ...client.presence, reachable: false }, "expired");
    expect(bench.b2bua.echoes).toBe(1);
    client.presence.reachable = false;
    bench.registrarEvents.emit("signed-out", client.presence, "expired");
    expect(client.told.at(-1)).toBe("end 480 expired");
    const other = await echo(bench);
    bench.b2bua.close("gateway is shutting down");
    expect(other.told.at(-1)).toBe("end 503 gateway is shutting down");
    expect(bench.b2bua.echoToClient(other.presence, other.makeLeg)).toMatchObject({ status: 503 });
    expect(await bench.remains()).toEqual(nothingLeft);
  });

  it("is refused while the gateway is drained, when media is full, and beyond fifty at a time", async () => {
    const bench = new B2buaBench();
    bench.b2bua.draining = true;
    const client = new Client();
    expect(bench.b2bua.echoToClient(client.presence, client.makeLeg)).toMatchObject({ status: 503 });
    bench.b2bua.draining = false;
    bench.media.exhausted = true;
    expect((await echo(bench)).told).toEqual([expect.stringContaining("reject 503 gateway is full")]);
    bench.media.exhausted = false;
    for (let count = 0; count < 50; count++) await echo(bench);
    expect(bench.b2bua.echoToClient(client.presence, client.makeLeg)).toMatchObject({ status: 486 });
    expect(bench.b2bua.refusals.get(503)).toBe(1);
    bench.b2bua.close("test is over");
    expect(await bench.remains()).toEqual(nothingLeft);
  });
});

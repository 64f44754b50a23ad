import { describe, expect, it } from "vitest";
import { turnOffer, type TurnOffer, type TurnTerms } from "../../src/b2bua/index.ts";
import { cutMessage } from "../../src/trace/cut.ts";
import { serializeMessage } from "../../src/sip/index.ts";
import { B2buaBench, nothingLeft, type BenchOptions } from "../support/b2bua-bench.ts";

const urls = ["turn:turn.example.com:3478?transport=udp", "turns:turn.example.com:443?transport=tcp"];
const terms: TurnTerms = { urls, secret: "north", lifetimeSeconds: 7200, policy: "all" };
const asking = { allowEvents: ["x-jackfield-turn"] };

const bench = (more: BenchOptions = {}): B2buaBench =>
  new B2buaBench({ turn: () => terms, ...asking, ...more });

function offers({ browser }: B2buaBench): TurnOffer[] {
  return browser.events
    .filter(({ headers }) => headers.get("Event") === "x-jackfield-turn")
    .map(({ body }): TurnOffer => JSON.parse(body.toString()));
}

describe("credentials for TURN servers", () => {
  it("are those of the TURN REST convention", () => {
    // HMAC-SHA1("north", "1700007200:5001"), reckoned with openssl.
    expect(turnOffer(terms, "5001", 1_700_000_000_999)).toEqual({
      iceServers: [{ urls, username: "1700007200:5001", credential: "BoaJRxpeY7k6i7Xy3ontrjO3kSc=" }],
      iceTransportPolicy: "all",
      expires: 1_700_007_200,
    });
  });

  it("are handed to who asked for them at sign-in, as JSON that a PeerConnection takes", async () => {
    const asked = bench();
    asked.registrarEvents.emit("signed-in", asked.presence);
    await asked.pass();
    const [offer] = offers(asked);
    expect(offer).toEqual(turnOffer(terms, "5001", asked.clock.wallClock()));
    const { headers } = asked.browser.events[0] ?? { headers: undefined };
    expect(headers?.get("Content-Type")).toBe("application/json");
  });

  it("are not told to others, nor where there is no TURN server", async () => {
    for (const other of [bench({ allowEvents: ["talk"] }), bench({ turn: () => undefined })]) {
      other.registrarEvents.emit("signed-in", other.presence);
      await other.pass();
      expect(offers(other)).toEqual([]);
    }
  });

  it("are new after half of their time, as long as somebody is signed in", async () => {
    const asked = bench();
    asked.registrarEvents.emit("signed-in", asked.presence);
    await asked.pass();
    for (let times = 2; times <= 4; times++) {
      asked.clock.advance(3_600_000);
      await asked.pass();
      expect(offers(asked)).toHaveLength(times);
    }
    const ends = offers(asked).map(({ expires }) => expires);
    expect((ends[3] ?? 0) - (ends[0] ?? 0)).toBeGreaterThanOrEqual(3 * 3600);
    asked.registrarEvents.emit("signed-out", asked.presence, "signed out");
    asked.clock.advance(7_200_000);
    await asked.pass();
    expect(offers(asked)).toHaveLength(4);
    expect(await asked.remains()).toEqual(nothingLeft);
  });

  it("are told no more than twice a minute, however short their time", async () => {
    const asked = bench({ turn: () => ({ ...terms, lifetimeSeconds: 10 }) });
    asked.registrarEvents.emit("signed-in", asked.presence);
    asked.clock.advance(29_000);
    await asked.pass();
    expect(offers(asked)).toHaveLength(1);
    asked.clock.advance(1000);
    await asked.pass();
    expect(offers(asked)).toHaveLength(2);
  });

  it("are told anew to who comes back by another connection, and not to one without", async () => {
    const asked = bench();
    const { flow } = asked.presence;
    asked.registrarEvents.emit("signed-in", asked.presence);
    asked.presence.flow = undefined;
    asked.clock.advance(3_600_000);
    await asked.pass();
    expect(offers(asked)).toHaveLength(1);
    asked.presence.flow = flow;
    asked.registrarEvents.emit("flow-resumed", asked.presence);
    await asked.pass();
    expect(offers(asked)).toHaveLength(2);
    asked.b2bua.close("test is over");
    expect(asked.clock.pendingTimers).toBe(0);
  });

  it("follow the configuration when it is loaded anew: other servers, none, and some again", async () => {
    let now: TurnTerms | undefined;
    const asked = bench({ turn: () => now });
    asked.registrarEvents.emit("signed-in", asked.presence);
    for (const next of [terms, undefined, { ...terms, policy: "relay" as const }]) {
      now = next;
      asked.b2bua.turnChanged();
      await asked.pass();
    }
    const told = offers(asked).map(({ iceServers, iceTransportPolicy }) => [
      iceServers.length,
      iceTransportPolicy,
    ]);
    expect(told).toEqual([
      [1, "all"],
      [0, "all"],
      [1, "relay"],
    ]);
  });

  it("are taken back, too, from who had no connection when the configuration named no server any more", async () => {
    let now: TurnTerms | undefined = { ...terms, policy: "relay" };
    const asked = bench({ turn: () => now });
    const { flow } = asked.presence;
    asked.registrarEvents.emit("signed-in", asked.presence);
    asked.presence.flow = now = undefined;
    asked.b2bua.turnChanged();
    asked.presence.flow = flow;
    asked.registrarEvents.emit("flow-resumed", asked.presence);
    await asked.pass();
    expect(offers(asked).map(({ iceTransportPolicy }) => iceTransportPolicy)).toEqual(["relay", "all"]);
  });

  it("stand in no trace", async () => {
    const asked = bench();
    asked.registrarEvents.emit("signed-in", asked.presence);
    await asked.pass();
    const [request] = asked.browser.events;
    const credential = offers(asked)[0]?.iceServers[0]?.credential ?? "";
    const wire = request ? serializeMessage(request).toString("latin1") : "";
    expect(wire).toContain(credential);
    expect(cutMessage(wire, true)).toContain("x-jackfield-turn");
    expect(cutMessage(wire, true)).not.toContain(credential);
  });
});

import { describe, expect, it } from "vitest";
import { ALLOW_EVENTS, gatewayEvent } from "../../../web/src/softphone/phone/gateway-events.ts";
import { rtcConfiguration } from "../../../web/src/softphone/phone/ice-setup.ts";
import { PhoneBench } from "./support/bench.ts";

const server = (url: string) => ({ urls: [url], username: "1700000000:5001", credential: "c2VjcmV0" });
const notify = (body: string) => ({
  body,
  getHeader: (name: string) => (name === "Event" ? "x-jackfield-turn" : undefined),
});
const told = (what: unknown) => gatewayEvent(notify(JSON.stringify(what)));
const url = "turns:turn.example.com:443?transport=tcp";

describe("TURN servers as the gateway tells them", () => {
  it("are asked for, and are what a PeerConnection takes", () => {
    expect(ALLOW_EVENTS).toContain("x-jackfield-turn");
    const event = told({ iceServers: [server(url)], iceTransportPolicy: "relay", expires: 1_700_000_000 });
    expect(event).toEqual({ kind: "turn", ice: { iceServers: [server(url)], iceTransportPolicy: "relay" } });
    if (event?.kind === "turn")
      expect(rtcConfiguration(event.ice)).toEqual({
        iceServers: [server(url)],
        iceTransportPolicy: "relay",
      });
  });

  it("are none any more where the list is empty", () => {
    expect(told({ iceServers: [] })).toEqual({
      kind: "turn",
      ice: { iceServers: [], iceTransportPolicy: "all" },
    });
  });

  it.each([
    "",
    "[]",
    "{}",
    '{"iceServers":"turn:a"}',
    '{"iceServers":[null]}',
    JSON.stringify({ iceServers: [server("http://a")] }),
    JSON.stringify({ iceServers: [{ ...server(url), credential: 5 }] }),
  ])("are disregarded where they would make every call fail: %s", (body) => {
    expect(gatewayEvent(notify(body))).toBeUndefined();
  });
});

describe("the phone", () => {
  it("uses the newest TURN servers for each call, and for the new path of one that runs", async () => {
    const bench = new PhoneBench();
    const line = bench.signIn();
    const ice = (name: string) => ({
      iceServers: [{ ...server(url), username: name }],
      iceTransportPolicy: "all" as const,
    });
    line.tell({ kind: "turn", ice: ice("first") });
    const session = await bench.talk();
    expect(session.options).toMatchObject({ pcConfig: rtcConfiguration(ice("first")) });
    line.tell({ kind: "turn", ice: ice("second") });
    session.connection.breakPath();
    expect(session.connection.configuration).toMatchObject(rtcConfiguration(ice("second")));
    expect(session.connection.configuration.bundlePolicy).toBe("max-bundle");
    expect(session.done.at(-1)).toBe("renegotiate");
    session.end("remote");
  });
});

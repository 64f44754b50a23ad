import { beforeEach, describe, expect, it } from "vitest";
import { FakeClock } from "../support/fake-clock.ts";
import { FakeWwe, type WweAnswer } from "../support/fake-wwe.ts";

/** That the fake WWE keeps the times of the real one, and sees what is wrong. */

let clock: FakeClock;
let inService: boolean;
/** What an endpoint answers; a name that is left out fails. */
let answers: Record<string, string>;
let wwe: FakeWwe;

const parameters = (status: string): string =>
  `{"get_SIPEndpointParametersResult":[{"Key":"EndpointStatus","Value":"EndpointStatus_${status}"},{"Key":"IsPingMandatory","Value":false},{"Key":"Status","Value":"Initialized"}]}`;

beforeEach(() => {
  clock = new FakeClock();
  inService = false;
  answers = {
    GetDnSIP: '{"get_DnSIPResult":""}',
    SetOptions: "{}",
    SetSIPEndpointParameters: "{}",
    "RegisterDn/": '{"RegisterDnResult":true}',
    GetIsEndpointActive: '{"get_IsEndpointActiveResult":false}',
    GetSIPEndpointParameters: parameters("NotReady"),
    SetPingPeriod: "{}",
    Ping: '{"PingResult":[]}',
    UnregisterDn: '{"UnregisterDnResult":true}',
  };
  wwe = new FakeWwe({
    base: "https://gw.test/endpoint/t",
    addresses: ["sips.test:5060"],
    users: ["5001"],
    inService: () => inService,
    clock,
    transport: {
      request: async (_method, url): Promise<WweAnswer> => {
        const text = answers[url.slice("https://gw.test/endpoint/t/".length)];
        if (text === undefined) throw new Error("no connection");
        return await Promise.resolve({ status: 200, text });
      },
    },
  });
});

/** Lets time go by in small steps, with all that is due in each. */
async function pass(ms: number): Promise<void> {
  for (let at = 0; at < ms; at += 100) {
    for (let turn = 0; turn < 30; turn++) await Promise.resolve();
    clock.advance(100);
  }
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

function putInService(): void {
  inService = true;
  answers["GetIsEndpointActive"] = '{"get_IsEndpointActiveResult":true}';
  answers["GetSIPEndpointParameters"] = parameters("Ready");
}

const paths = (): string[] => wwe.exchanges.map(({ method, path }) => `${method} ${path}`);

describe("the fake WWE", () => {
  it("sends the login as it was seen, asks each 1.5 s, then pings each 2 s until it logs out", async () => {
    const login = wwe.login();
    await pass(3100);
    putInService();
    await pass(1500);
    expect(await login).toBe("active");
    const polls = Array.from({ length: 4 }, () => [
      "GET /GetIsEndpointActive",
      "GET /GetSIPEndpointParameters",
    ]);
    expect(paths()).toEqual([
      "GET /GetDnSIP",
      "POST /SetOptions",
      "POST /SetSIPEndpointParameters",
      "POST /RegisterDn/",
      ...polls.flat(),
      "POST /SetPingPeriod",
    ]);
    expect(wwe.exchanges.map(({ body }) => body)[3]).toBe(
      '{"addresses":["sips.test:5060"],"users":["5001"]}',
    );
    await pass(4000);
    expect(wwe.pings).toBe(2);
    await wwe.logout();
    await pass(4000);
    expect(wwe.pings).toBe(2);
    expect(wwe.faults).toEqual([]);
    expect(clock.pendingTimers).toBeLessThanOrEqual(1);
  });

  it("gives up after ten polls, 15 s", async () => {
    const login = wwe.login();
    await pass(13_400);
    expect(paths().filter((path) => path.endsWith("Active"))).toHaveLength(9);
    await pass(200);
    expect(await login).toBe("gave-up");
    expect(paths().filter((path) => path.endsWith("Active"))).toHaveLength(10);
  });

  it("registers nothing that is there already, and takes ten failed pings for the endpoint's end", async () => {
    answers["GetDnSIP"] = '{"get_DnSIPResult":"5001"}';
    expect(await wwe.login()).toBe("already");
    delete answers["Ping"];
    await pass(18_000);
    expect([wwe.failedPings, wwe.lost]).toEqual([9, false]);
    await pass(2000);
    expect(wwe.lost).toBe(true);
  });

  it.each([
    ["GetIsEndpointActive", '{"get_IsEndpointActiveResult":true}', "active before"],
    ["GetSIPEndpointParameters", parameters("Ready"), "EndpointStatus_Ready before"],
    ["GetSIPEndpointParameters", '{"get_SIPEndpointParametersResult":[]}', "no Status"],
    ["SetOptions", '{"ok":true}', "/SetOptions says"],
    ["GetDnSIP", '{"get_DnSIPResult": ""}', "not compact"],
    ["SetPingPeriod", "", "no JSON"],
  ])("sees that %s answers %s", async (name, text, fault) => {
    answers[name] = text;
    const login = wwe.login();
    await pass(100);
    putInService();
    answers[name] = text;
    await pass(1500);
    await login;
    wwe.stop();
    expect(wwe.faults.join()).toContain(fault);
  });
});

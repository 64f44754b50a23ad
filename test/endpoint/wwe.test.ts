import { expect, it } from "vitest";
import { answers } from "../../src/endpoint/wwe/answers.ts";
import { keepingLog, openBench, settle, TestPage, wweOrigin } from "./support.ts";

const register = { addresses: ["192.0.2.10:5060"], users: ["5001"] };

async function openWwe() {
  const log = keepingLog();
  const bench = await openBench({ log });
  const { token } = bench.tokens.issueAgent("5001");
  const base = `/endpoint/${token}`;
  return {
    ...bench,
    token,
    base,
    warnings: () => log.lines.filter(({ level }) => level === "warn"),
    get: async (name: string) => (await bench.wwe("GET", `${base}/${name}`)).text,
    post: async (name: string, body: unknown) => (await bench.wwe("POST", `${base}/${name}`, body)).text,
    openPage: () => TestPage.open(bench, token),
  };
}

const notReady =
  '{"get_SIPEndpointParametersResult":[{"Key":"EndpointStatus","Value":"EndpointStatus_NotReady"},{"Key":"IsPingMandatory","Value":false},{"Key":"Status","Value":"Initialized"}]}';

it("answers a login of WWE's byte by byte as Genesys Softphone does, active only once the DN is in service", async () => {
  const { get, post, dns, openPage, send, base } = await openWwe();
  const page = await openPage();
  expect(await get("GetDnSIP")).toBe('{"get_DnSIPResult":""}');
  expect((await get("GetDnSIP")).length).toBe(22);
  expect(
    await post("SetOptions", { value: { uri: "https://127.0.0.1:8000", "policy.session.agc_mode": "1" } }),
  ).toBe("{}");
  const key = { Key: "SipEndpointTransportProtocol", Value: "UDP" };
  expect(await post("SetSIPEndpointParameters", { value: [key] })).toBe("{}");
  expect(await post("RegisterDn/", register)).toBe('{"RegisterDnResult":true}');
  expect(await get("GetIsEndpointActive")).toBe('{"get_IsEndpointActiveResult":false}');
  expect(await get("GetSIPEndpointParameters")).toBe(notReady);
  expect((await page.event(1)).order.order).toBe("sign-in");
  dns.signIn("5001", "registering");
  await page.result(1, true);
  expect(await get("GetIsEndpointActive")).toBe('{"get_IsEndpointActiveResult":false}');
  dns.signIn("5001", "in-service");
  expect(await get("GetIsEndpointActive")).toBe('{"get_IsEndpointActiveResult":true}');
  expect(await get("GetSIPEndpointParameters")).toBe(notReady.replace("_NotReady", "_Ready"));
  expect(await post("SetPingPeriod", { value: 2000 })).toBe("{}");
  expect(await get("Ping")).toBe('{"PingResult":[]}');
  expect(await get("GetDnSIP")).toBe('{"get_DnSIPResult":"5001"}');
  const left = await post("UnregisterDn", {});
  expect(left).toBe('{"UnregisterDnResult":true}');
  expect(left.length).toBe(27);
  expect(await get("GetIsEndpointActive")).toBe('{"get_IsEndpointActiveResult":false}');
  const preflight = await send("OPTIONS", `${base}/Ping`, {
    origin: wweOrigin,
    "access-control-request-method": "GET",
    "access-control-request-headers": "content-type",
    "access-control-request-private-network": "true",
  });
  expect(preflight.status).toBe(200);
  expect(preflight.headers).toMatchObject({
    "access-control-allow-origin": wweOrigin,
    "access-control-allow-methods": "GET, POST, OPTIONS",
    "access-control-allow-headers": "content-type",
    "access-control-allow-private-network": "true",
    "access-control-max-age": "7200",
    "cache-control": "no-store",
    vary: "Origin",
  });
});

it("slashes and case do not count", async () => {
  const { get, post } = await openWwe();
  expect(await get("/getdnsip/")).toBe(answers.dn(""));
  expect(await get("PING//")).toBe(answers.ping);
  expect(await post("registerdn", register)).toBe(answers.registered(true));
});

it("RegisterDn for another DN, another SIP Server or with another body is false, and the log says why", async () => {
  const { get, post, warnings, sessions } = await openWwe();
  for (const body of [
    { ...register, users: ["5002"] },
    { ...register, addresses: ["203.0.113.9:5060"] },
    { addresses: "192.0.2.10", users: "5001" },
    {},
    [],
    null,
  ])
    expect(await post("RegisterDn/", body)).toBe('{"RegisterDnResult":false}');
  expect(warnings()).toHaveLength(6);
  expect(warnings()[0]?.details).toMatchObject({ dn: "5001", reason: expect.stringContaining("5002") });
  // What WWE asks next brings nothing in.
  await get("GetIsEndpointActive");
  await get("Ping");
  expect(sessions.find("5001")?.state).toBe("idle");
  expect(await post("RegisterDn/", register)).toBe('{"RegisterDnResult":true}');
  expect(await post("RegisterDn/", {})).toBe('{"RegisterDnResult":false}');
  expect(sessions.find("5001")?.state).toBe("wanted");
});

it("takes both SIP Servers of Business Continuity", async () => {
  const servers = [
    { host: "192.0.2.10", port: 5060 },
    { host: "sips-b.example.com", port: 5060 },
  ];
  const bench = await openBench({ servers });
  const { token } = bench.tokens.issueAgent("5001");
  const body = { addresses: ["192.0.2.10:5060", "SIPS-B.example.com:5060"], users: ["5001", "5001"] };
  expect((await bench.wwe("POST", `/endpoint/${token}/RegisterDn/`, body)).text).toBe(
    '{"RegisterDnResult":true}',
  );
});

it("mute and volume act on the page and are told by it", async () => {
  const { get, post, openPage } = await openWwe();
  expect(await get("GetMicrophoneState")).toBe('{"get_MicrophoneStateResult":null}');
  expect(await post("MuteMicrophone", {})).toBe('{"MuteMicrophoneResult":false}');
  const page = await openPage();
  expect((await page.state()).status).toBe(204);
  expect(await get("GetMicrophoneState")).toBe('{"get_MicrophoneStateResult":false}');
  expect(await get("GetSpeakerState")).toBe('{"get_SpeakerStateResult":true}');
  expect(await get("GetMicrophoneVolume")).toBe('{"get_MicrophoneVolumeResult":80}');
  const orders: [string, unknown, object][] = [
    ["MuteMicrophone", {}, { microphone: { muted: true } }],
    ["UnmuteSpeaker", undefined, { speaker: { muted: false } }],
    ["SetSpeakerVolume", { value: "40" }, { speaker: { volume: 40 } }],
  ];
  for (const [at, [name, body, change]] of orders.entries()) {
    const answer = post(name, body);
    expect((await page.event(at)).order).toMatchObject({ order: "sound", ...change });
    await page.result(at, true);
    expect(await answer).toBe(`{"${name}Result":true}`);
  }
  expect(await post("SetSpeakerVolume", { value: 101 })).toBe('{"SetSpeakerVolumeResult":false}');
  expect(page.events).toHaveLength(3);
});

it("our own commands act on the page's call and answer in the simple form", async () => {
  const { get, post, openPage } = await openWwe();
  expect(await post("MakeCall", { number: "7000" })).toBe('{"MakeCallResult":false}');
  const page = await openPage();
  const orders: [string, unknown, object, boolean][] = [
    ["MakeCall", { number: "7000" }, { act: "make", number: "7000" }, true],
    ["AnswerCall", {}, { act: "answer" }, true],
    ["Hold", {}, { act: "hold" }, true],
    ["Retrieve", {}, { act: "retrieve" }, false],
    ["SendDTMF", { digits: "12#a" }, { act: "dtmf", digits: "12#A" }, true],
    ["HangUp", {}, { act: "hang-up" }, true],
  ];
  for (const [at, [name, body, order, ok]] of orders.entries()) {
    const answer = post(name, body);
    expect((await page.event(at)).order).toMatchObject({ order: "call", ...order });
    await page.result(at, ok, "as the test has it");
    expect(await answer).toBe(`{"${name}Result":${ok}}`);
  }
  for (const [name, body] of [
    ["MakeCall", { number: "sip:7000@evil" }],
    ["MakeCall", {}],
    ["SendDTMF", { digits: "12x" }],
  ] as const)
    expect(await post(name, body)).toBe(`{"${name}Result":false}`);
  expect(page.events).toHaveLength(6);
  expect(await get("GetCallStatus")).toBe('{"get_CallStatusResult":null}');
  const call = {
    state: "established",
    number: "7000",
    direction: "outgoing",
    since: "2026-01-01T00:00:00.000Z",
  };
  await page.state({ call });
  expect(JSON.parse(await get("GetCallStatus"))).toEqual({ get_CallStatusResult: call });
});

it("an order the page does not answer is false after 5 s", async () => {
  const { post, openPage, clock } = await openWwe();
  const page = await openPage();
  const answer = post("Hold", {});
  await page.event(0);
  clock.advance(5000);
  expect(await answer).toBe('{"HoldResult":false}');
  expect(await page.result(0, true)).toBe(204);
});

it("options of SetOptions reach the page", async () => {
  const { post, openPage } = await openWwe();
  const page = await openPage();
  await post("SetOptions", { value: { noise_suppression: "0", unknown: { deep: [1] } } });
  expect((await page.event(0)).order).toMatchObject({ order: "options", noiseSuppression: false });
});

it("what is not known is 200 {} to a POST, 404 to a GET, and stands in the log with a bounded body", async () => {
  const { wwe, base, warnings, desk } = await openWwe();
  const posted = await wwe("POST", `${base}/RegisterSoftphone`, { value: "y".repeat(5000) });
  expect([posted.status, posted.text]).toEqual([200, "{}"]);
  expect((await wwe("GET", `${base}/GetHeadset`)).status).toBe(404);
  expect((await wwe("GET", `${base}/RegisterDn`)).status).toBe(404);
  expect((await wwe("POST", `${base}/Ping`, {})).text).toBe("{}");
  expect(warnings()[0]?.details).toMatchObject({ dn: "5001", name: "registersoftphone", method: "POST" });
  expect(JSON.stringify(warnings()[0]).length).toBeLessThan(1000);
  expect(desk.counters.refused.unknown).toBe(4);
});

it("a flood of what is refused does not fill the log", async () => {
  const { wwe, base, warnings, desk, clock } = await openWwe();
  for (let count = 0; count < 60; count++) await wwe("GET", `${base}/Odd${count}`);
  expect(desk.counters.refused.unknown).toBe(60);
  expect(warnings()).toHaveLength(20);
  clock.advance(2000);
  await wwe("GET", `${base}/Odd`);
  expect(warnings()).toHaveLength(21);
});

it("silence of WWE ends the session, a ping keeps it", async () => {
  const { get, sessions, clock } = await openWwe();
  await get("Ping");
  clock.advance(119_000);
  await get("Ping");
  clock.advance(119_000);
  expect(sessions.size).toBe(1);
  clock.advance(1000);
  await settle();
  expect(sessions.size).toBe(0);
});

it("a gateway that was started anew has the page sign in at WWE's next ping, without RegisterDn", async () => {
  const { get, openPage } = await openWwe();
  const page = await openPage();
  await get("GetIsEndpointActive");
  expect(page.events).toEqual([]);
  expect(await get("Ping")).toBe('{"PingResult":[]}');
  expect((await page.event(0)).order.order).toBe("sign-in");
});

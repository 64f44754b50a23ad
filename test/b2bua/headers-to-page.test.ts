import { describe, expect, it } from "vitest";
import { fitsWildcard } from "../../src/b2bua/clients/wildcard.ts";
import { B2buaBench } from "../support/b2bua-bench.ts";
import { genesysSdp } from "../support/descriptions.ts";

/** What of SIP Server's INVITE with `headers` the browser gets, as `name: value` lines. */
async function shown(
  headers: readonly (readonly [string, string])[],
  headersToPage?: readonly string[],
): Promise<string[]> {
  const bench = new B2buaBench(headersToPage ? { headersToPage } : {});
  await bench.callAgent(genesysSdp(), headers);
  const bare = new B2buaBench();
  await bare.callAgent();
  const own = new Set(Array.from(bare.browser.received.request.headers.entries(), ([name]) => name));
  return Array.from(bench.browser.received.request.headers.entries())
    .filter(([name]) => !own.has(name))
    .map(([name, value]) => `${name}: ${value}`);
}

describe("headers of SIP Server's INVITE", () => {
  it("reach the page as they came, several of a name too, when they are on the list", async () => {
    const lines = [
      ["P-Asserted-Identity", '"Ann Lee" <sip:1003@192.0.2.10>'],
      ["Diversion", "<sip:8000@x>;reason=no-answer"],
      ["Diversion", "<sip:8001@x>;reason=unconditional"],
      ["History-Info", "<sip:8000@x>;index=1"],
      ["User-to-User", "48656c6c6f;encoding=hex"],
      ["X-Genesys-CallUUID", "UIVB8J6JE91C53UIM3VI59VHQ4000015"],
      ["x-genesys-queue", "Sales <b>"],
      ["Call-Info", "<http://x/card>;purpose=card"],
      ["Alert-Info", "<http://x/ring.wav>"],
    ] as const;
    expect(await shown([...lines, ["X-Other", "1"], ["Subject", "2"]])).toEqual(
      lines.map(([name, value]) => `${name}: ${value}`),
    );
  });

  it("are those of the configured list, with wildcards", async () => {
    const list = ["X-*-Id", "subject"];
    expect(
      await shown(
        [
          ["X-Customer-Id", "7"],
          ["Subject", "hello"],
          ["X-Genesys-CallUUID", "0"],
        ],
        list,
      ),
    ).toEqual(["X-Customer-Id: 7", "Subject: hello"]);
  });

  it.each([
    ["Call-Info", "<sip:a@b>;answer-after=0;purpose=x", ["Call-Info: <sip:a@b>;purpose=x"]],
    ["Call-Info", "<sip:a@b> answer-after=0", []],
    ["Alert-Info", "<http://x>;info=alert-autoanswer", ["Alert-Info: <http://x>"]],
    ["Alert-Info", "Ring Answer", []],
  ])("never make a client answer: %s: %s", async (name, value, wanted) => {
    expect(await shown([[name, value]])).toEqual(wanted);
  });

  it("that SIP itself runs by never cross, whatever the list says", async () => {
    const lines = [
      ["Target-Dialog", "a;local-tag=b;remote-tag=c"],
      ["Session-Expires", "90"],
      ["Answer-Mode", "Auto"],
      ["P-Auto-Answer", "normal"],
      ["Refer-To", "<sip:a@b>"],
      ["X-Jackfield-Call-ID", "made up"],
      ["X-Data", "1"],
    ] as const;
    expect(await shown(lines, ["*"])).toEqual(["X-Data: 1"]);
  });

  it("are bounded in number, in length and in all", async () => {
    const many = Array.from({ length: 60 }, (_one, index) => [`X-Genesys-${index}`, "v"] as const);
    expect(await shown(many)).toHaveLength(32);
    expect(
      await shown([
        ["X-Genesys-A", "a".repeat(4097)],
        ["X-Genesys-B", "b".repeat(4096)],
      ]),
    ).toHaveLength(1);
    const big = Array.from({ length: 5 }, (_one, index) => [`X-Genesys-${index}`, "v".repeat(4096)] as const);
    expect(await shown(big)).toHaveLength(4);
  });
});

describe("headers that come later", () => {
  const update = async (bench: B2buaBench, headers: readonly (readonly [string, string])[]) => {
    bench.trunk.outgoing?.session.request(
      "UPDATE",
      [["Content-Type", "application/sdp"], ...headers],
      genesysSdp({ version: 2 }),
    );
    await bench.pass();
  };
  const notices = (bench: B2buaBench) =>
    bench.browser.events
      .filter(({ headers }) => headers.get("Event") === "x-jackfield-call")
      .map(({ headers, body }) => [
        headers.get("X-Jackfield-Call-ID"),
        JSON.parse(body.toString()) as unknown,
      ]);

  it("are told to a page that asked to be told, when they say something new", async () => {
    const bench = new B2buaBench({ allowEvents: ["x-jackfield-call"] });
    await bench.established();
    const { callId } = bench.browser.received.request;
    await update(bench, [["P-Asserted-Identity", "<sip:1004@x>"]]);
    await update(bench, [["P-Asserted-Identity", "<sip:1004@x>"]]);
    await update(bench, [
      ["P-Asserted-Identity", "<sip:1005@x>"],
      ["X-Secret", "1"],
      ["Call-Info", "<sip:a@b>;answer-after=0"],
    ]);
    expect(notices(bench)).toEqual([
      [callId, { headers: [["P-Asserted-Identity", "<sip:1004@x>"]] }],
      [
        callId,
        {
          headers: [
            ["P-Asserted-Identity", "<sip:1005@x>"],
            ["Call-Info", "<sip:a@b>"],
          ],
        },
      ],
    ]);
  });

  it.each([
    ["UPDATE", []],
    ["INFO", []],
    ["MESSAGE", [["Content-Type", "text/plain"]]],
    ["NOTIFY", [["Event", "beep"]]],
  ] as const)("are told when %s without SDP carries them", async (method, more) => {
    const bench = new B2buaBench({ allowEvents: ["x-jackfield-call"] });
    await bench.established();
    const { callId } = bench.browser.received.request;
    const data = ["X-Genesys-Customer", "7"] as const;
    bench.trunk.outgoing?.session.request(method, [...more, data]);
    await bench.pass();
    expect(notices(bench)).toEqual([[callId, { headers: [data] }]]);
  });

  it("are told to nobody else", async () => {
    const bench = new B2buaBench();
    await bench.established();
    await update(bench, [["P-Asserted-Identity", "<sip:1004@x>"]]);
    expect(bench.browser.events).toEqual([]);
  });

  it("with the 180 and the 200 to the agent's own call stand in ours to the page", async () => {
    const bench = new B2buaBench();
    await bench.dial("1003");
    const pai = ["P-Asserted-Identity", '"Ann Lee" <sip:1003@192.0.2.10>'] as const;
    bench.trunk.received.progress(180, undefined, [pai, ["X-Secret", "1"]]);
    await bench.pass();
    bench.trunk.received.accept(genesysSdp({ payloads: "0 101" }), [pai]);
    await bench.pass();
    const responses = bench.network.sent
      .filter(({ from, text }) => from === "gateway.invalid:0" && /^SIP\/2\.0 (180|200)[^]*INVITE/.test(text))
      .map(({ text }) => text);
    expect(responses).toHaveLength(2);
    for (const text of responses) {
      expect(text).toContain(`P-Asserted-Identity: ${pai[1]}\r\n`);
      expect(text).not.toContain("X-Secret");
    }
  });
});

describe("a wildcard", () => {
  it.each([
    ["*", "", true],
    ["a*", "ABC", true],
    ["*c", "abc", true],
    ["a*b*c", "a-b-c", true],
    ["a*b*c", "a-c", false],
    ["ab*bc", "abc", false],
    ["abc", "abcd", false],
    ["*b*", "aba", true],
    ["a**c", "ac", true],
    ["a*bb*b", "abb", false],
  ])("%s and %s: %s", (pattern, text, fits) => {
    expect(fitsWildcard(pattern, text)).toBe(fits);
  });
});

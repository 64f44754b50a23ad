import { describe, expect, it } from "vitest";
import {
  applyNumberRules,
  numberInUri,
  userPartOf,
  type NumberRule,
} from "../../src/b2bua/outbound/number-rules.ts";
import { callerIdHeaders, plainOutbound, readDialled } from "../../src/b2bua/outbound/outbound-policy.ts";
import { createRequest, parseUri } from "../../src/sip/index.ts";

const rule = (match: string, more: Partial<NumberRule> = {}): NumberRule => ({
  match,
  action: "allow",
  strip: 0,
  prefix: "",
  ...more,
});

const dialled = (uri: string): string | undefined => {
  const parsed = parseUri(uri);
  return parsed && numberInUri(parsed);
};

describe("the number in a request URI", () => {
  it.each([
    ["sip:1003@jackfield", "1003"],
    ["sip:1003@anything.example:5099;transport=tcp?Subject=x", "1003"],
    ["sip:+49891234;phone-context=x@jackfield;user=phone", "+49891234"],
    ["sip:(089)%2012-34.5%2F6@jackfield", "089123456"],
    ["sip:%2331%2389@jackfield", "#31#89"],
    ["sip:*21*5002%23@jackfield", "*21*5002#"],
    ["sip:john.doe-2@jackfield", "john.doe-2"],
    ["tel:+49-89-12.34;phone-context=example.com", "+49891234"],
    ["tel:*31", "*31"],
    ["sip:jackfield", undefined],
    ["sip:---@jackfield", undefined],
    ["tel:;x=y", undefined],
    ["sip:1003%40evil.example@jackfield", undefined],
    ["sip:1003%0d%0aRoute:%20x@jackfield", undefined],
    ["sip:a%20b@jackfield", undefined],
    [`sip:${"1".repeat(65)}@jackfield`, undefined],
    ["urn:service:sos", undefined],
  ])("%s is %s", (uri, number) => expect(dialled(uri)).toBe(number));

  it("cannot carry anything but a user part into the URI that is sent", () => {
    expect(userPartOf("+49#*1?a=b;c:d&e/f")).toBe("+49%23*1%3Fa%3Db%3Bc%3Ad%26e%2Ff");
    for (let code = 0x20; code < 0x250; code++) {
      const uri = parseUri(`sip:${userPartOf(`1${String.fromCharCode(code)}2`)}@192.0.2.10:5060`);
      expect([code, uri?.host, uri?.port, uri?.headers, uri?.parameters.size]).toEqual([
        code,
        "192.0.2.10",
        5060,
        undefined,
        0,
      ]);
    }
  });
});

describe("number rules", () => {
  it.each<[string, string, boolean]>([
    ["1003", "1003", true],
    ["1003", "10033", false],
    ["1003", "100", false],
    ["1XXX", "1003", true],
    ["1XXX", "1a03", false],
    ["ZX", "03", false],
    ["ZX", "13", true],
    ["NX", "13", false],
    ["NX", "23", true],
    ["00.", "001", true],
    ["00.", "00", false],
    ["00!", "00", true],
    ["!", "", true],
    ["!", "anything", true],
    [".", "", false],
    ["+49.", "+4989", true],
    ["+49.", "4989", false],
    ["*31*.", "*31*5", true],
    ["sales", "Sales", true],
    ["sales!", "sale", false],
  ])("%s matches %s: %s", (match, number, expected) => {
    const verdict = applyNumberRules([rule(match, { action: "deny" })], number);
    expect(verdict.allowed).toBe(!expected);
  });

  it("decide by the first that matches, strip and then prefix; what none matches goes as dialled", () => {
    const rules = [
      rule("0900.", { action: "deny" }),
      rule("00.", { strip: 2, prefix: "+" }),
      rule("0.", { strip: 1, prefix: "+49" }),
    ];
    const number = (text: string) => applyNumberRules(rules, text);
    expect(number("09001234")).toEqual({ allowed: false, rule: "0900." });
    expect(number("0043123")).toEqual({ allowed: true, number: "+43123" });
    expect(number("0891234")).toEqual({ allowed: true, number: "+49891234" });
    expect(number("1003")).toEqual({ allowed: true, number: "1003" });
  });
});

describe("the caller's identity", () => {
  const ask = (policy: object, uri: string, privacy?: string) => {
    const headers: [string, string][] = privacy === undefined ? [] : [["Privacy", privacy]];
    const request = createRequest({ method: "INVITE", uri, headers });
    return readDialled({ ...plainOutbound, ...policy }, request, numberInUri(request.uri) ?? "");
  };

  it("is hidden where the header or the prefix asks, the prefix coming off before the rules", () => {
    const policy = { privacyPrefix: "*31", rules: [rule("1XXX", { prefix: "9" })] };
    expect(ask(policy, "sip:*311003@x")).toEqual({ allowed: true, number: "91003", anonymous: true });
    expect(ask(policy, "sip:1003@x")).toEqual({ allowed: true, number: "91003", anonymous: false });
    expect(ask(policy, "sip:*31@x")).toMatchObject({ number: "*31", anonymous: false });
    expect(ask(policy, "sip:1003@x", "id")).toMatchObject({ anonymous: true });
    expect(ask(policy, "sip:1003@x", "none")).toMatchObject({ anonymous: false });
  });

  it("is told in the headers configured", () => {
    const caller = { uri: "sip:5001@192.0.2.10:5060", displayName: 'Ann "A"', anonymous: true };
    const lines = (policy: object, anonymous = true) =>
      callerIdHeaders({ ...plainOutbound, ...policy }, { ...caller, anonymous });
    expect(lines({})).toEqual([["Privacy", "id"]]);
    expect(lines({}, false)).toEqual([]);
    expect(lines({ privacy: "never" })).toEqual([]);
    expect(lines({ privacy: "always" }, false)).toEqual([["Privacy", "id"]]);
    const value = `"Ann 'A'" <sip:5001@192.0.2.10:5060>`;
    expect(lines({ identity: "preferred" }, false)).toEqual([["P-Preferred-Identity", value]]);
    expect(lines({ identity: "asserted" }, false)).toEqual([["P-Asserted-Identity", value]]);
  });

  it("leaves a number empty by its rules undialled", () => {
    expect(ask({ rules: [rule("9", { strip: 1 })] }, "sip:9@x")).toMatchObject({
      allowed: false,
      end: { status: 484 },
    });
  });
});

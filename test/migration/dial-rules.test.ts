import { describe, expect, it } from "vitest";
import { parseConfigFile } from "../../src/migration/config-file.ts";
import { readDialPlan } from "../../src/migration/dial-plan.ts";
import { patternsOf, planRules, type NumberRule } from "../../src/migration/dial-rules.ts";
import { Findings } from "../../src/migration/report.ts";

function rules(lines: readonly string[], findings = new Findings()): NumberRule[] {
  const text = ["[agents]", ...lines].join("\n");
  const { sections } = parseConfigFile({ name: "extensions.conf", text }, () => ({
    reason: "does not exist",
  }));
  return planRules(["agents"], readDialPlan(sections), ["genesys"], findings);
}

describe("an extension of Asterisk's as a pattern of ours", () => {
  it.each([
    ["112", ["112"]],
    ["_0NXX.", ["0NXX."]],
    ["_x-zn!", ["XZN!"]],
    ["_9[135-7]X", ["91X", "93X", "95X", "96X", "97X"]],
    ["_*[a-b]", ["*a", "*b"]],
    ["_X.1", undefined],
    ["_[0-9][0-9]X", undefined],
    ["_", undefined],
    ["_[]X", undefined],
    ["Anna Berg", undefined],
  ])("%s is %j", (extension, patterns) => {
    expect(patternsOf(extension)).toEqual(patterns);
  });
});

describe("a dial plan as number rules", () => {
  it.each([
    ["PJSIP/${EXTEN:1}@genesys,60,tT", { strip: 1 }],
    ["PJSIP/+49${EXTEN:1}@genesys", { strip: 1, prefix: "+49" }],
    ["SIP/genesys/${EXTEN:2}", { strip: 2 }],
    ["PJSIP/genesys/sip:0${EXTEN}@192.0.2.10", { prefix: "0" }],
  ])("Dial(%s) is %j", (args, rule) => {
    expect(rules([`exten => _0X.,1,Dial(${args})`])).toEqual([{ match: "0X.", ...rule }]);
  });

  it("needs no rule where every number goes as dialled", () => {
    expect(
      rules(["exten => _X.,1,Dial(PJSIP/${EXTEN}@genesys)", "exten => 112,1,Dial(PJSIP/112@genesys)"]),
    ).toEqual([]);
  });

  it("denies what did nothing but refuse, and no number behind which there was more", () => {
    expect(
      rules([
        "exten => 0900,1,Playback(not-allowed)",
        " same => n,Hangup()",
        "exten => 800,1,Answer()",
        " same => n,Queue(sales)",
        " same => n,Hangup()",
      ]),
    ).toEqual([{ match: "0900", action: "deny" }]);
  });

  it("of more numbers than may be is cut, and says so", () => {
    const findings = new Findings();
    const lines = Array.from({ length: 201 }, (_, index) => `exten => 1${1000 + index},1,Hangup()`);
    expect(rules(lines, findings)).toHaveLength(200);
    expect(findings.all.at(-1)).toMatchObject({ kind: "decide", what: "calls.outbound.rules" });
  });

  it("has the more particular pattern first, as Asterisk prefers it wherever it stands", () => {
    const plan = ["_.,1", "_X.,1", "_00X.,1", "_0[1-2]X,1", "_0ZX,1", "_0112,1", "0112,1"];
    const matches = rules(
      plan.map((extension) => `exten => ${extension},Dial(PJSIP/9\${EXTEN}@genesys)`),
    ).map(({ match }) => match);
    expect(matches).toEqual(["0112", "01X", "02X", "00X.", "0ZX", "X.", "."]);
  });

  it.each([
    ["several phones at once", "Dial(PJSIP/${EXTEN}@genesys&PJSIP/7001)"],
    ["several phones by their URIs", "Dial(PJSIP/genesys/sip:9${EXTEN}@192.0.2.10&PJSIP/7001)"],
    ["a part of the number", "Dial(PJSIP/${EXTEN:1:3}@genesys)"],
    ["a variable nobody knows", "Dial(PJSIP/${NUMBER}@genesys)"],
  ])("leaves %s to a person", (_what, app) => {
    const findings = new Findings();
    expect(rules([`exten => _0X.,1,${app}`], findings)).toEqual([]);
    expect(findings.all).toMatchObject([{ kind: "decide", what: "exten _0X." }]);
  });
});

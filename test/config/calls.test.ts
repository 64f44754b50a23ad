import { describe, expect, it } from "vitest";
import { checkTree } from "../../src/config/index.ts";

const least = {
  http: { host: "127.0.0.1" },
  sip: { host: "127.0.0.1" },
  media: { host: "127.0.0.1" },
  sipServer: { addresses: ["192.0.2.10"] },
};
const check = (tree: object) => checkTree({ ...least, ...tree }, () => undefined, ".", {});

function faultsOf(tree: object): string {
  const checked = check(tree);
  return checked.ok ? "" : JSON.stringify(checked.faults);
}

describe("calls and trace", () => {
  it("have defaults that allow every number as dialled, and keep traces without keys pressed", () => {
    const checked = check({});
    if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
    const { calls, trace, sipServer } = checked.config;
    expect(calls).toMatchObject({
      outbound: { rules: [], identity: "none", privacy: "on-request", privacyPrefix: "" },
    });
    expect(trace).toEqual({ calls: 500, megabytes: 32, showDigits: false });
    expect(sipServer.shutdownStatus).toBe(603);
  });

  it("take rules with what they leave out filled in", () => {
    const rules = [
      { match: "0900.", action: "deny" },
      { match: "+49ZX!", strip: 3, prefix: "0" },
    ];
    const checked = check({ calls: { outbound: { rules } } });
    expect(checked.ok && checked.config.calls.outbound.rules).toEqual([
      { match: "0900.", action: "deny", strip: 0, prefix: "" },
      { match: "+49ZX!", action: "allow", strip: 3, prefix: "0" },
    ]);
  });

  it.each([
    [{ match: "^0(.*)+$" }, "match"],
    [{ match: "" }, "match"],
    [{ match: "0.0" }, "match"],
    [{ match: "0ABC" }, "match"],
    [{ match: "1".repeat(40) }, "match"],
    [{ match: "0", prefix: "1@evil" }, "prefix"],
    [{ match: "0", strip: -1 }, "strip"],
    [{ match: "0", allow: true }, "allow"],
  ])("refuse the rule %j", (rule, named) => {
    expect(faultsOf({ calls: { outbound: { rules: [rule] } } })).toContain(named);
  });

  it.each([100, 302, 200, 700, "603"])("refuse %j as the status of a shutdown", (shutdownStatus) => {
    expect(faultsOf({ sipServer: { ...least.sipServer, shutdownStatus } })).toContain("shutdownStatus");
  });
});

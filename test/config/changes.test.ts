import { describe, expect, it } from "vitest";
import { configChanges } from "../../src/config/index.ts";
import { configOf, minimal } from "./support.ts";

function changes(before: string, after: string) {
  return configChanges(configOf(before), configOf(after));
}

const withAccounts = (accounts: string): string =>
  minimal.replace(/accounts: \[.*\]/, `accounts: [ ${accounts} ]`);

describe("what two configurations differ by", () => {
  it("is nothing where they are equal", () => {
    expect(changes(minimal, minimal)).toEqual([]);
  });

  it("is told by key with both values, and with whether a reload will do", () => {
    expect(changes(minimal, `${minimal}\nlog: { level: debug }\ntrace: { calls: 7 }`)).toEqual([
      { key: "trace.calls", what: "500 -> 7", reload: false },
      { key: "log.level", what: '"info" -> "debug"', reload: true },
    ]);
    const moved = minimal.replace("192.0.2.20", "192.0.2.21");
    expect(changes(minimal, moved)).toEqual([
      { key: "sip.advertisedAddress", what: '"192.0.2.20" -> "192.0.2.21"', reload: false },
    ]);
  });

  it("names the entries of lists that came, went and changed, and nothing of what is in them", () => {
    const before = withAccounts(
      '{ dn: "5001", password: "one secret" }, { dn: "5002", password: "two secret" }',
    );
    const after = withAccounts(
      '{ dn: "5003", password: "new secret" }, { dn: "5002", password: "other secret" }',
    );
    expect(changes(before, after)).toEqual([
      { key: "agents.accounts", what: "1 added: 5003; 1 removed: 5001; 1 changed: 5002", reload: true },
    ]);
  });

  it("sees another order of rules", () => {
    const rules = (text: string): string => `${minimal}\ncalls: { outbound: { rules: [${text}] } }`;
    const [deny, cut] = ['{ match: "09.", action: deny }', '{ match: "0.", strip: 1 }'];
    expect(changes(rules(`${deny}, ${cut}`), rules(`${cut}, ${deny}`))).toEqual([
      { key: "calls.outbound.rules", what: "in another order", reload: true },
    ]);
  });

  it("shows of an address no more than where it leads: path and query may hold a key", () => {
    const gws = (url: string): string => `${minimal}\nopenTelemetry: { endpoint: "${url}" }`;
    const told = (before: string, after: string) => changes(gws(before), gws(after)).map(({ what }) => what);
    expect(told("https://one.test/v1/traces?key=k-1", "https://two.test/v1/traces?key=k-1")).toEqual([
      "https://one.test -> https://two.test",
    ]);
    expect(told("https://one.test/v1/traces?key=k-1", "https://one.test/v1/traces?key=k-2")).toEqual([
      "changed",
    ]);
  });

  it("never shows a secret, be it from the file or from one named there", () => {
    const after = `${minimal.replace("correct horse", "battery staple")}
admin: { token: "0123456789abcdef0123456789abcdef", users: [{ name: ann, password: "a staple of batteries" }] }`;
    const auth = after.replace(
      '["192.0.2.10:5060"]',
      '["192.0.2.10:5060"], auth: { password: "trunk staple" }',
    );
    const told = changes(minimal, auth);
    expect(told.map(({ key }) => key)).toEqual([
      "agents.accounts",
      "sipServer.auth.password",
      "admin.users",
      "admin.token",
    ]);
    expect(JSON.stringify(told)).not.toMatch(/staple|0123456789|horse/);
  });
});

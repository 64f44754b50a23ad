import { describe, expect, it } from "vitest";
import { autoAnswerOf } from "../../src/config/index.ts";
import { configOf, faultsOf, minimal } from "./support.ts";

describe("clients", () => {
  it("are none by default, and what pages may read is the usual", () => {
    const config = configOf(minimal);
    expect(config.clients).toEqual([]);
    expect(config.calls).toMatchObject({
      headersToPage: [
        "P-Asserted-Identity",
        "Diversion",
        "History-Info",
        "User-to-User",
        "X-Genesys-*",
        "Call-Info",
        "Alert-Info",
      ],
      preanswerSeconds: 5,
    });
  });

  it("are taken in their order", () => {
    const text = `${minimal}
clients:
  - { match: "Acme*", answerBy: preanswer, autoAnswer: [call-info] }
  - { match: "*", answerBy: manual }
calls: { headersToPage: ["X-Data", "X-Genesys-*"], preanswerSeconds: 3 }
`;
    expect(configOf(text).clients).toEqual([
      { match: "Acme*", answerBy: "preanswer", autoAnswer: ["call-info"] },
      { match: "*", answerBy: "manual" },
    ]);
    expect(configOf(text).calls).toMatchObject({
      headersToPage: ["X-Data", "X-Genesys-*"],
      preanswerSeconds: 3,
    });
  });

  it.each([
    ["clients: [{ match: Acme }]", "clients[0].answerBy"],
    ["clients: [{ answerBy: page }]", "clients[0].match"],
    ["clients: [{ match: Acme, answerBy: robot }]", "clients[0].answerBy"],
    ["clients: [{ match: Acme, answerBy: preanswer, autoAnswer: [] }]", "clients[0].autoAnswer"],
    ['calls: { headersToPage: ["X Data"] }', "calls.headersToPage[0]"],
    ["calls: { preanswerSeconds: 0 }", "calls.preanswerSeconds"],
  ])("%s is a fault at %s", (text, path) => {
    expect(faultsOf(`${minimal}\n${text}\n`).map(({ key }) => key)).toEqual([path]);
  });
});

describe("autoAnswer", () => {
  const agents = `
agents:
  autoAnswer: header
  accounts: [{ dn: "5001", password: a-secret, autoAnswer: always }, { dn: "5002", password: a-secret }]
  ranges: [{ from: 5001, to: 5009, password: a-secret, autoAnswer: never }]
`;
  const text = minimal.replace(/^agents:.*$/m, "") + agents;

  it.each([
    ["5001", "always"],
    ["5002", "header"],
    ["5003", "never"],
    ["6000", "header"],
  ])("of %s is %s: its own entry's, its range's, or the default", (dn, mode) => {
    expect(autoAnswerOf(configOf(text), dn)).toBe(mode);
  });

  it("is never where nothing is said", () => {
    expect(autoAnswerOf(configOf(minimal), "5001")).toBe("never");
  });
});

import { describe, expect, it } from "vitest";
import { mayReload } from "../../src/config/index.ts";
import { configOf, minimal, told } from "./support.ts";

const token = "a7b0c1d2e3f405162738495a6b7c8d9e";
const withEndpoint = (value: string, admin = `{ token: ${token} }`): string =>
  `${minimal}\nadmin: ${admin}\nendpoint: ${value}\n`;

describe("WWE's endpoint", () => {
  it("is off unless it is switched on", () => {
    expect(configOf(minimal).endpoint).toEqual({
      enabled: false,
      origins: [],
      hosts: [],
      sipServerNames: [],
      revokedTokens: [],
    });
  });

  it("needs somebody who issues tokens, and a secret to make them from", () => {
    expect(told(withEndpoint("{ enabled: true }", "{}"))).toEqual([
      expect.stringContaining("endpoint.enabled needs somebody who issues tokens"),
    ]);
    const users = '{ users: [ { name: anna, role: operate, password: "correct horse" } ] }';
    expect(told(withEndpoint("{ enabled: true }", users))).toHaveLength(1);
    expect(configOf(withEndpoint("{ enabled: true }")).endpoint.enabled).toBe(true);
  });

  it("needs its names where no certificate tells them: else a name that was made to lead here would do", () => {
    const open = (value: string): string =>
      withEndpoint(value).replace("127.0.0.1 }", "0.0.0.0, allowInsecure: true }");
    expect(told(open("{ enabled: true }"))).toEqual([expect.stringContaining("endpoint.hosts is empty")]);
    expect(configOf(open('{ enabled: true, hosts: ["*.example.com"] }')).endpoint.hosts).toEqual([
      "*.example.com",
    ]);
  });

  it.each([
    ["origins", '["https://wwe.example.com/"]'],
    ["origins", '["*"]'],
    ["origins", '["null"]'],
    ["hosts", '["gateway.example.com:8443"]'],
    ["hosts", '["*"]'],
    ["sipServerNames", '["sips:5060;transport=tcp"]'],
    ["sipServerNames", '["sips:0"]'],
    ["revokedTokens", '["abc"]'],
  ])("does not take %s %s", (key, value) => {
    expect(told(withEndpoint(`{ enabled: true, ${key}: ${value} }`))).toHaveLength(1);
  });

  it("takes other origins, names and revoked tokens at a reload, and is switched on at a start", () => {
    for (const key of ["origins", "hosts", "sipServerNames", "revokedTokens"])
      expect(mayReload(["endpoint", key])).toBe(true);
    expect(mayReload(["endpoint", "enabled"])).toBe(false);
  });
});

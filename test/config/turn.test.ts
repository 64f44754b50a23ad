import { describe, expect, it } from "vitest";
import { pageSettings, turnTerms } from "../../src/config/index.ts";
import { configOf, minimal, told, warned, faultsOf } from "./support.ts";

const secret = "0123456789abcdef0123456789abcdef";
const urls = '["turn:turn.example.com:3478?transport=udp", "turns:turn.example.com:443?transport=tcp"]';
const withTurn = (value: string): string => `${minimal}\nturn: ${value}\n`;

describe("TURN", () => {
  it("is off unless an address is set", () => {
    expect(turnTerms(configOf(minimal))).toBeUndefined();
    expect(warned(withTurn(`{ secret: ${secret} }`)).join()).toContain("turn.urls is empty");
  });

  it("has its secret in the file or in a file of its own, and nobody is told it before sign-in", () => {
    const file = { files: { turn: `${secret}\n` } };
    for (const config of [
      configOf(withTurn(`{ urls: ${urls}, secret: ${secret} }`)),
      configOf(withTurn(`{ urls: ${urls}, secretFile: turn }`), file),
    ]) {
      expect(turnTerms(config)).toEqual({
        urls: ["turn:turn.example.com:3478?transport=udp", "turns:turn.example.com:443?transport=tcp"],
        secret,
        lifetimeSeconds: 7200,
        policy: "all",
      });
      expect(JSON.stringify(pageSettings(config))).not.toMatch(/turn/);
    }
    expect(told(withTurn(`{ urls: ${urls}, secret: ${secret}, secretFile: turn }`), file)).toHaveLength(1);
  });

  it.each([
    ["no secret", `{ urls: ${urls} }`, "turn.secretFile is missing"],
    ["a secret that can be guessed", `{ urls: ${urls}, secret: short }`, "turn.secret"],
    ["an empty file for a secret", `{ urls: ${urls}, secretFile: empty }`, "turn.secretFile"],
    ["relay without a server", "{ policy: relay }", "turn.urls is empty"],
    ["an address of another kind", `{ urls: ["stun:a"], secret: ${secret} }`, "turn.urls[0]"],
    [
      "DTLS, which no browser speaks",
      `{ urls: ["turns:a?transport=udp"], secret: ${secret} }`,
      "turn.urls[0]",
    ],
    ["a secret within an address", `{ urls: ["turn:user:pw@a"], secret: ${secret} }`, "turn.urls[0]"],
  ])("is refused with %s", (_name, value, fault) => {
    expect(told(withTurn(value), { files: { empty: "" } }).join()).toContain(fault);
  });

  it("never shows a secret in a fault", () => {
    const faults = faultsOf(withTurn(`{ urls: ${urls}, secret: "only 1 secret" }`));
    expect(JSON.stringify(faults)).not.toContain("only 1");
  });
});

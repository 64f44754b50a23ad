import { generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { findAccount, tokenSecret } from "../../src/config/index.ts";
import { configOf, load, minimal, warned } from "./support.ts";

const pem = (type: "public" | "private", bits = 2048): string => {
  const pair = generateKeyPairSync("rsa", { modulusLength: bits });
  return type === "public"
    ? pair.publicKey.export({ type: "spki", format: "pem" }).toString()
    : pair.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
};
const files = {
  key: "k".repeat(32),
  short: "too-short-for-hs256",
  "public.pem": pem("public"),
  "weak.pem": pem("public", 1024),
  "private.pem": pem("private"),
};
const secret = "0123456789abcdef0123456789abcdef";
const yaml = (agents: string): string =>
  minimal.replace(
    /agents: .*/,
    `agents: { accounts: [ { dn: "5001", password: "correct horse" } ], tokens: { keyFile: key }, ${agents} }`,
  );
const jwt = (more: string): string =>
  yaml(`jwt: { issuer: "https://idp.test/", audience: jackfield, ${more} }`);

function faultsOf(text: string): string[] {
  const result = load(text, { files });
  return result.ok ? [] : result.faults.map(({ key, reason }) => `${key} ${reason}`);
}

describe("agents.jwt", () => {
  it.each([
    [`secret: ${secret}`, { algorithms: ["HS256"], secret }],
    ["secretFile: key", { algorithms: ["HS256"], secret: files.key }],
    ["publicKeyFile: public.pem", { algorithms: ["RS256"], publicKey: files["public.pem"] }],
    ["jwksUrl: https://idp.test/jwks", { algorithms: ["RS256"], jwksUrl: "https://idp.test/jwks" }],
    ["jwksUrl: https://idp.test/jwks, algorithms: [ES256]", { algorithms: ["ES256"] }],
    ["jwksUrl: http://127.0.0.1:99/jwks", { jwksUrl: "http://127.0.0.1:99/jwks" }],
    ["jwksUrl: http://idp.test/jwks, allowInsecure: true", { allowInsecure: true }],
  ])("takes %s", (more, expected) => {
    const config = configOf(jwt(more), { files });
    expect(config.agents.jwt).toMatchObject({ dnClaim: "dn", clockSkewSeconds: 30, ...expected });
    expect(tokenSecret(config)).toBe(files.key);
  });

  it.each([
    ["dnClaim: dn", "agents.jwt needs exactly one key"],
    [`secret: ${secret}, publicKeyFile: public.pem`, "agents.jwt needs exactly one key"],
    ["secretFile: short", "agents.jwt.secretFile holds fewer than 32 characters"],
    ["publicKeyFile: public.pem, algorithms: [HS256]", "agents.jwt.algorithms does not go with the key"],
    [
      "jwksUrl: https://idp.test/, algorithms: [RS256, HS256]",
      "agents.jwt.algorithms does not go with the key",
    ],
    [`secret: ${secret}, algorithms: [RS256]`, "agents.jwt.algorithms does not go with the key"],
    ["publicKeyFile: key", "agents.jwt.publicKeyFile holds no public key and no certificate in PEM"],
    ["publicKeyFile: private.pem", "agents.jwt.publicKeyFile holds no public key and no certificate in PEM"],
    ["publicKeyFile: weak.pem", "agents.jwt.publicKeyFile holds an RSA key of 1024 bits"],
    ["publicKeyFile: nowhere.pem", "agents.jwt.publicKeyFile does not exist"],
    ["jwksUrl: http://idp.test/jwks", "agents.jwt.jwksUrl is plain HTTP"],
    ["jwksUrl: ftp://idp.test/jwks", /agents.jwt.jwksUrl is not an address/],
    ["jwksUrl: https://anna:pw@idp.test/jwks", /agents.jwt.jwksUrl is not an address/],
    [`secret: ${secret}, algorithms: [none]`, /algorithms/],
  ])("refuses %s", (more, fault) => {
    const expected: unknown = typeof fault === "string" ? fault : expect.stringMatching(fault);
    expect(faultsOf(jwt(more))).toEqual([expected]);
  });

  it("needs issuer and audience, and something to make sessions from", () => {
    expect(faultsOf(yaml(`jwt: { secret: ${secret} }`))).toEqual([
      "agents.jwt.issuer is missing",
      "agents.jwt.audience is missing",
    ]);
    expect(faultsOf(jwt(`secret: ${secret}`).replace("tokens: { keyFile: key }, ", ""))).toEqual([
      "agents.jwt needs a secret to make sessions from",
    ]);
  });

  it("lets DNs stand without a password: tokens alone sign them in", () => {
    const lone = jwt(`secret: ${secret}`)
      .replace(', password: "correct horse"', "")
      .replace("tokens:", "ranges: [ { from: 6000, to: 6001 } ], tokens:");
    const config = configOf(lone, { files });
    expect(findAccount(config, "5001")?.credentials).toEqual({ kind: "none" });
    expect(findAccount(config, "6001")?.credentials).toEqual({ kind: "none" });
    expect(findAccount(config, "6002")).toBeUndefined();
    expect(faultsOf(lone.replace(/jwt: \{.*?\}/, ""))).toHaveLength(2);
  });
});

describe("agents.lookup", () => {
  it("takes an address and a secret from a file", () => {
    const config = configOf(yaml('lookup: { url: "https://dir.test/a/{dn}", secretFile: key }'), { files });
    expect(config.agents.lookup).toMatchObject({
      url: "https://dir.test/a/{dn}",
      header: "Authorization",
      secret: files.key,
      cacheSeconds: 300,
    });
  });

  it.each([
    ["http://dir.test/", "agents.lookup.url is plain HTTP"],
    ["http://127.dir.test/", "agents.lookup.url is plain HTTP"],
    ["https://{dn}.dir.test/", /^agents.lookup.url (is not an address|has \{dn\} in its host)/],
  ])("refuses %s", (url, fault) => {
    const expected: unknown = typeof fault === "string" ? fault : expect.stringMatching(fault);
    expect(faultsOf(yaml(`lookup: { url: "${url}" }`))).toEqual([expected]);
  });

  it("is enough by itself: nobody is warned that there is no account", () => {
    const lone = minimal.replace(/agents: .*/, "agents: { lookup: { url: https://dir.test/ } }");
    expect(warned(lone)).toEqual([]);
    expect(warned(lone.replace(/lookup: \{.*?\}/, ""))).toHaveLength(1);
  });
});

it("agents.loginLimits.neverBan takes addresses and nets", () => {
  const config = configOf(yaml("loginLimits: { neverBan: [10.0.0.0/8, 192.0.2.1] }"), { files });
  expect(config.agents.loginLimits).toEqual({
    perAccount: 10,
    perAddress: 100,
    perDn: 50,
    forgiveSeconds: 30,
    neverBan: ["10.0.0.0/8", "192.0.2.1"],
  });
  expect(faultsOf(yaml("loginLimits: { neverBan: [ten] }"))).toHaveLength(1);
});

import { createHmac, createSign, generateKeyPairSync } from "node:crypto";
import { exportJWK, SignJWT, UnsecuredJWT, type JWTPayload } from "jose";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createLogger, type Logger } from "../../../src/core/index.ts";
import { JwtLogin, type JwtLoginOptions } from "../../../src/registrar/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { JsonServer } from "../../support/json-server.ts";

const issuer = "https://idp.test/";
const audience = "jackfield";
const secret = "0123456789abcdef0123456789abcdef";
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const other = generateKeyPairSync("rsa", { modulusLength: 2048 });
const publicPem = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();

let clock: FakeClock;
let lines: string[];
let log: Logger;
let logins: JwtLogin[];

beforeEach(() => {
  clock = new FakeClock();
  lines = [];
  log = createLogger("debug", { write: (line) => void lines.push(line) });
  logins = [];
});
afterEach(() => {
  for (const login of logins) login.close();
});

function loginBy(key: Partial<JwtLoginOptions>): JwtLogin {
  const algorithms = [key.secret === undefined ? "RS256" : "HS256"];
  const times = { clockSkewSeconds: 30, timeoutSeconds: 1 };
  const login = new JwtLogin({ algorithms, issuer, audience, dnClaim: "dn", ...times, ...key, clock, log });
  logins.push(login);
  return login;
}

const seconds = (): number => Math.floor(clock.wallClock() / 1000);
type Claims = Readonly<Record<string, unknown>>;
const claims = (more: Claims = {}): JWTPayload => ({
  iss: issuer,
  aud: audience,
  iat: seconds(),
  exp: seconds() + 300,
  dn: "5001",
  ...more,
});
const hs256 = (more: Claims = {}, by = secret): Promise<string> =>
  new SignJWT(claims(more)).setProtectedHeader({ alg: "HS256" }).sign(Buffer.from(by));
const rs256 = (more: Claims = {}, kid?: string, key = rsa.privateKey): Promise<string> =>
  new SignJWT(claims(more))
    .setProtectedHeader({ alg: "RS256", ...(kid === undefined ? {} : { kid }) })
    .sign(key);

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
const hmac = (text: string, key: string): string =>
  createHmac("sha256", key).update(text).digest("base64url");
/** Put together by hand, as an attacker does. */
function handMade(header: object, payload: object, key: string): string {
  const signed = `${part(header)}.${part(payload)}`;
  return `${signed}.${hmac(signed, key)}`;
}

describe("a key that was exchanged", () => {
  test("opens by the new one alone", async () => {
    const shared = loginBy({ secret });
    shared.useKey({ secret: secret.toUpperCase() });
    expect(await shared.verify(await hs256({}, secret.toUpperCase()))).toEqual({ dn: "5001" });
    expect(await shared.verify(await hs256())).toEqual({ refusal: "wrong" });
    const open = loginBy({ publicKey: publicPem });
    open.useKey({ publicKey: other.publicKey.export({ type: "spki", format: "pem" }).toString() });
    expect(await open.verify(await rs256({}, undefined, other.privateKey))).toEqual({ dn: "5001" });
    expect(await open.verify(await rs256())).toEqual({ refusal: "wrong" });
  });
});

describe("a token by a shared secret", () => {
  test("proves the DN in its claim", async () => {
    expect(await loginBy({ secret }).verify(await hs256())).toEqual({ dn: "5001" });
    const named = loginBy({ secret, dnClaim: "https://wwe.test/place" });
    expect(await named.verify(await hs256({ "https://wwe.test/place": "7001" }))).toEqual({ dn: "7001" });
  });

  test("put together by hand is the same token", async () => {
    const token = handMade({ typ: "JWT", alg: "HS256" }, claims(), secret);
    expect(await loginBy({ secret }).verify(token)).toEqual({ dn: "5001" });
  });

  test.each<[string, Claims, "wrong" | "expired"]>([
    ["of another issuer", { iss: "https://evil.test/" }, "wrong"],
    ["without an issuer", { iss: undefined }, "wrong"],
    ["for another audience", { aud: "mail" }, "wrong"],
    ["for no audience", { aud: undefined }, "wrong"],
    ["that never expires", { exp: undefined }, "wrong"],
    ["that has expired", { exp: 1_767_225_600 - 31 }, "expired"],
    ["that is not valid yet", { nbf: 1_767_225_600 + 31 }, "wrong"],
    ["without the claim", { dn: undefined }, "wrong"],
    ["with a number as the claim", { dn: 5001 }, "wrong"],
    ["with a list as the claim", { dn: ["5001"] }, "wrong"],
    ["with a claim that is no DN", { dn: "5001;exp=9999999999" }, "wrong"],
    ["with an empty claim", { dn: "" }, "wrong"],
  ])("%s is refused", async (_what, more, refusal) => {
    expect(clock.wallClock()).toBe(1_767_225_600_000);
    expect(await loginBy({ secret }).verify(await hs256(more))).toEqual({ refusal });
  });

  test("may be half a minute off, and be one of several audiences'", async () => {
    const token = await hs256({ exp: seconds() - 29, nbf: seconds() + 29, aud: ["mail", audience] });
    expect(await loginBy({ secret }).verify(token)).toEqual({ dn: "5001" });
  });

  test("is refused when it was made too long ago, where that is asked for", async () => {
    const login = loginBy({ secret, maxAgeSeconds: 60 });
    expect(await login.verify(await hs256({ iat: seconds() - 89 }))).toEqual({ dn: "5001" });
    expect(await login.verify(await hs256({ iat: seconds() - 91 }))).toEqual({ refusal: "expired" });
    expect(await login.verify(await hs256({ iat: undefined }))).toEqual({ refusal: "wrong" });
  });

  test("may be used again until it expires", async () => {
    const login = loginBy({ secret });
    const token = await hs256();
    expect([await login.verify(token), await login.verify(token)]).toEqual([{ dn: "5001" }, { dn: "5001" }]);
    clock.advance(331_000);
    expect(await login.verify(token)).toEqual({ refusal: "expired" });
  });
});

describe("a forged token", () => {
  test("is refused, whatever its header says of the algorithm", async () => {
    const login = loginBy({ secret });
    const unsecured = new UnsecuredJWT(claims()).encode();
    const [, body = ""] = (await hs256()).split(".");
    const forged = [
      unsecured,
      `${part({ alg: "none" })}.${body}.`,
      `${part({ alg: "None" })}.${body}.x`,
      handMade({ alg: "HS384" }, claims(), secret),
      handMade({ alg: "HS256", crit: ["x"], x: 1 }, claims(), secret),
      handMade({ alg: "HS256" }, claims(), "another secret"),
      handMade({ alg: "HS256" }, claims(), ""),
      handMade({ alg: "HS256", jwk: { kty: "oct", k: "AAAA" } }, claims(), "\0\0\0"),
      await rs256(),
      `${(await hs256()).split(".").slice(0, 2).join(".")}.`,
      "a.b.c",
      "..",
      "",
      "{}",
    ];
    for (const token of forged)
      expect([token, await login.verify(token)]).toEqual([token, { refusal: "wrong" }]);
  });

  test("by an algorithm that is not configured is refused, though its signature is right", async () => {
    const [bySecret, byKey] = [loginBy({ secret }), loginBy({ publicKey: publicPem })];
    for (const alg of ["HS384", "HS512"]) {
      const token = await new SignJWT(claims()).setProtectedHeader({ alg }).sign(Buffer.from(secret));
      expect([alg, await bySecret.verify(token)]).toEqual([alg, { refusal: "wrong" }]);
    }
    for (const alg of ["RS384", "PS256"]) {
      const token = await new SignJWT(claims()).setProtectedHeader({ alg }).sign(rsa.privateKey);
      expect([alg, await byKey.verify(token)]).toEqual([alg, { refusal: "wrong" }]);
    }
  });

  test("by HS256 with the RSA public key as its secret is refused", async () => {
    const jwks = await JsonServer.open(async () => ({ json: { keys: [await exportJWK(rsa.publicKey)] } }));
    const der = rsa.publicKey.export({ type: "spki", format: "der" }).toString("latin1");
    for (const login of [loginBy({ publicKey: publicPem }), loginBy({ jwksUrl: jwks.url })])
      for (const key of [publicPem, publicPem.trim(), der])
        expect(await login.verify(handMade({ alg: "HS256" }, claims(), key))).toEqual({ refusal: "wrong" });
    await jwks.close();
  });

  test("by another key, or with other claims than were signed, is refused", async () => {
    const login = loginBy({ publicKey: publicPem });
    const [header = "", , signature = ""] = (await rs256()).split(".");
    const signed = `${part({ alg: "RS256" })}.${part(claims({ dn: "5002" }))}`;
    const byOther = createSign("sha256").update(signed).sign(other.privateKey, "base64url");
    expect(await login.verify(`${signed}.${byOther}`)).toEqual({ refusal: "wrong" });
    expect(await login.verify(`${header}.${part(claims({ dn: "5002" }))}.${signature}`)).toEqual({
      refusal: "wrong",
    });
    expect(await login.verify(await rs256({ dn: "5002" }))).toEqual({ dn: "5002" });
  });

  test("of a huge size is not looked at", async () => {
    const login = loginBy({ secret });
    const groups = Array.from({ length: 5 }, () => "group".repeat(100));
    expect(await login.verify(await hs256({ groups }))).toEqual({ dn: "5001" });
    expect(await login.verify(await hs256({ groups: groups.map((group) => group.repeat(10)) }))).toEqual({
      refusal: "wrong",
    });
    expect(await login.verify(`${"x".repeat(9_000_000)}.x.x`)).toEqual({ refusal: "wrong" });
  });

  test("leaves a line in the log with the reason, and nothing of what is in it", async () => {
    const login = loginBy({ secret });
    const tokens = [
      await hs256({ aud: "mail" }),
      await hs256({ dn: 5001 }),
      handMade({ alg: "none" }, claims(), ""),
    ];
    for (const token of tokens) await login.verify(token);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain("ERR_JWT_CLAIM_VALIDATION_FAILED aud");
    for (const token of tokens)
      for (const piece of token.split(".")) expect(lines.join()).not.toContain(piece || "?");
  });
});

describe("keys from the identity provider", () => {
  let idp: JsonServer;
  let keys: object[];
  const jwk = async (kid: string, key = rsa.publicKey) => ({
    ...(await exportJWK(key)),
    kid,
    alg: "RS256",
    use: "sig",
  });
  beforeEach(async () => {
    keys = [await jwk("one")];
    idp = await JsonServer.open(() => ({ json: { keys } }));
  });
  afterEach(() => idp.close());
  const login = (): JwtLogin => loginBy({ jwksUrl: `${idp.url}/jwks` });

  test("are fetched once for many tokens at a time, and kept", async () => {
    const subject = login();
    const token = await rs256({}, "one");
    const all = await Promise.all(Array.from({ length: 20 }, () => subject.verify(token)));
    expect(new Set(all.map((one) => JSON.stringify(one)))).toEqual(new Set(['{"dn":"5001"}']));
    expect(await subject.verify(token)).toEqual({ dn: "5001" });
    expect(idp.requests).toMatchObject([{ method: "GET", path: "/jwks" }]);
  });

  test("are fetched anew for a key nobody knows yet, but not for each made-up one", async () => {
    const subject = login();
    expect(await subject.verify(await rs256({}, "one"))).toEqual({ dn: "5001" });
    keys = [await jwk("two", other.publicKey)];
    const rotated = await rs256({}, "two", other.privateKey);
    expect(await subject.verify(rotated)).toEqual({ refusal: "wrong" });
    clock.advance(30_000);
    expect(await subject.verify(rotated)).toEqual({ dn: "5001" });
    expect(idp.requests).toHaveLength(2);
    for (let count = 0; count < 50; count++)
      expect(await subject.verify(await rs256({}, `made-up-${count}`))).toEqual({ refusal: "wrong" });
    expect(idp.requests).toHaveLength(2);
    clock.advance(30_000);
    expect(await subject.verify(await rs256({}, "one"))).toEqual({ refusal: "wrong" });
  });

  test("that it has withdrawn open nothing after ten minutes", async () => {
    const subject = login();
    const token = (): Promise<string> => rs256({}, "one");
    expect(await subject.verify(await token())).toEqual({ dn: "5001" });
    keys = [await jwk("two", other.publicKey)];
    clock.advance(599_999);
    expect(await subject.verify(await token())).toEqual({ dn: "5001" });
    clock.advance(1);
    expect(await subject.verify(await token())).toEqual({ refusal: "wrong" });
  });

  test("hold on while it is down, and no more after a day", async () => {
    const subject = login();
    const token = (): Promise<string> => rs256({}, "one");
    expect(await subject.verify(await token())).toEqual({ dn: "5001" });
    idp.reply = () => ({ status: 500 });
    clock.advance(3_600_000);
    expect(await subject.verify(await token())).toEqual({ dn: "5001" });
    clock.advance(24 * 3_600_000);
    expect(await subject.verify(await token())).toEqual({ refusal: "unavailable" });
    expect(lines.filter((line) => line.includes("jwksUrl"))).toHaveLength(1);
    idp.reply = () => ({ json: { keys } });
    clock.advance(30_000);
    expect(await subject.verify(await token())).toEqual({ dn: "5001" });
  });

  test.each<[string, JsonServer["reply"]]>([
    ["redirects", () => ({ status: 302, headers: { location: "/jwks" } })],
    ["answers garbage", () => ({ text: "<html>sign in here</html>" })],
    ["answers no key set", () => ({ json: [1, 2, 3] })],
    ["answers without end", () => ({ json: { keys: [], more: "x".repeat(300_000) } })],
    ["fails", () => ({ status: 503 })],
  ])("that %s are none: sign-ins wait, nobody is refused for good", async (_what, reply) => {
    idp.reply = reply;
    const subject = login();
    const token = await rs256({}, "one");
    expect(await subject.verify(token)).toEqual({ refusal: "unavailable" });
    expect(await subject.verify(token)).toEqual({ refusal: "unavailable" });
    expect(idp.requests).toHaveLength(1);
    idp.reply = () => ({ json: { keys } });
    clock.advance(5000);
    expect(await subject.verify(token)).toEqual({ dn: "5001" });
  });

  test("are waited for no longer than is configured, nor after the end", async () => {
    idp.reply = () => "never";
    const subject = login();
    const token = await rs256({}, "one");
    const slow = subject.verify(token);
    await idp.asked(1);
    clock.advance(1000);
    expect(await slow).toEqual({ refusal: "unavailable" });
    clock.advance(5000);
    const ended = subject.verify(token);
    await idp.asked(2);
    subject.close();
    expect(await ended).toEqual({ refusal: "unavailable" });
    expect(clock.pendingTimers).toBe(0);
  });

  test("of other kinds than signatures' are not used", async () => {
    keys = [{ kty: "oct", k: Buffer.from(secret).toString("base64url"), kid: "one" }];
    expect(await login().verify(await rs256({}, "one"))).toEqual({ refusal: "wrong" });
    expect(await login().verify(handMade({ alg: "HS256", kid: "one" }, claims(), secret))).toEqual({
      refusal: "wrong",
    });
  });

  test("may be of an elliptic curve", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
    keys = [{ ...(await exportJWK(pair.publicKey)), kid: "ec" }];
    const token = await new SignJWT(claims())
      .setProtectedHeader({ alg: "ES256", kid: "ec" })
      .sign(pair.privateKey);
    expect(await loginBy({ jwksUrl: idp.url, algorithms: ["ES256"] }).verify(token)).toEqual({ dn: "5001" });
  });
});

import { describe, expect, it } from "vitest";
import { parseAuthFields } from "../../../src/sip/digest/auth-fields.ts";
import { Nonces } from "../../../src/sip/digest/nonces.ts";
import {
  createDigestClient,
  digestHa1,
  type DigestAlgorithm,
  type DigestCredentials,
  type DigestOutcome,
  type DigestServer,
} from "../../../src/sip/index.ts";
import { randomId } from "../../../src/core/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { challenged, digestServer, register, uri } from "./support.ts";

const right: DigestCredentials = { username: "5001", password: "s3cret" };
const accepted: DigestOutcome = { outcome: "accepted", username: "5001" };
const stale: DigestOutcome = { outcome: "challenge", stale: true };
const fresh: DigestOutcome = { outcome: "challenge", stale: false };
const wrong: DigestOutcome = { outcome: "refused", status: 403, reason: "Wrong User Name Or Password" };
const target = { method: "REGISTER", uri };

/** A client that has been challenged by `server`; each call gives the next Authorization value. */
function client(server: DigestServer, credentials = right, only?: DigestAlgorithm): () => string {
  const digest = createDigestClient({ random: new CountingRandom("client") });
  const challenges = server.challenge().filter((value) => !only || value.includes(`algorithm=${only},`));
  const first = digest.answer(challenged(challenges), target, credentials)?.value;
  let used = false;
  return () => {
    if (used) return digest.next(target, credentials)?.value ?? "";
    used = true;
    return first ?? "";
  };
}

/** `value` with one parameter changed, quoted as it was; undefined takes it out. */
function edited(value: string, name: string, replacement: string | undefined): string {
  const pattern = new RegExp(`(?<=[ ,])${name}=("[^"]*"|[^,]*)(, )?`);
  if (!pattern.test(value)) throw new Error(`no ${name} in ${value}`);
  return value.replace(pattern, (_all, old: string, comma: string | undefined) => {
    if (replacement === undefined) return "";
    return `${name}=${old.startsWith('"') ? `"${replacement}"` : replacement}${comma ?? ""}`;
  });
}

describe("a digest challenge", () => {
  it("is one header per algorithm, SHA-256 before MD5, with realm, nonce and qop=auth", () => {
    const { server } = digestServer();
    const fields = server.challenge().map((value) => parseAuthFields(value)?.[0]?.parameters);
    expect(fields.map((parameters) => parameters?.get("algorithm"))).toEqual(["SHA-256", "MD5"]);
    for (const parameters of fields) {
      expect(parameters?.get("realm")).toBe("jackfield");
      expect(parameters?.get("qop")).toBe("auth");
      expect(parameters?.get("nonce")).toMatch(/^[\w-]{32}$/);
      expect(parameters?.has("stale")).toBe(false);
    }
  });

  it("says stale when told to, has a new nonce each time and keeps to the algorithms set", () => {
    const { server } = digestServer({ algorithms: ["MD5"] });
    const [one, two] = [server.challenge(true), server.challenge()];
    expect(one).toHaveLength(1);
    expect(one[0]).toMatch(/stale=true$/);
    expect(parseAuthFields(one[0] ?? "")?.[0]?.parameters.get("nonce")).not.toBe(
      parseAuthFields(two[0] ?? "")?.[0]?.parameters.get("nonce"),
    );
  });
});

describe("the digest server", () => {
  it("challenges a request without credentials, or with those of another scheme, realm or algorithm", () => {
    const { server } = digestServer();
    const value = client(server)();
    expect(server.verify(register())).toEqual(fresh);
    expect(server.verify(register("Bearer a.b.c"))).toEqual(fresh);
    expect(server.verify(register("Basic NTAwMTpzM2NyZXQ="))).toEqual(fresh);
    expect(server.verify(register(edited(value, "realm", "elsewhere")))).toEqual(fresh);
    expect(server.verify(register(edited(value, "algorithm", "SHA-512-256")))).toEqual(fresh);
  });

  it.each(["MD5", "SHA-256"] as const)(
    "accepts right %s credentials, for a password and for HA1",
    (algorithm) => {
      const ha1 = digestHa1(algorithm, "5001", "jackfield", "s3cret").toUpperCase();
      const servers = [digestServer(), digestServer({ findSecret: () => ({ ha1: { [algorithm]: ha1 } }) })];
      for (const { server } of servers) {
        const next = client(server, right, algorithm);
        expect(server.verify(register(next()))).toEqual(accepted);
        expect(server.verify(register(next()))).toEqual(accepted);
        expect(server.counters.accepted).toBe(2);
      }
    },
  );

  it("takes a missing algorithm for MD5", () => {
    const { server } = digestServer();
    const value = client(server, right, "MD5")();
    expect(server.verify(register(edited(value, "algorithm", undefined)))).toEqual(accepted);
  });

  it("cannot let in by an algorithm whose HA1 is not stored", () => {
    const ha1 = { MD5: digestHa1("MD5", "5001", "jackfield", "s3cret") };
    const { server } = digestServer({ findSecret: () => ({ ha1 }) });
    expect(server.verify(register(client(server, right, "SHA-256")()))).toEqual(wrong);
  });

  it("refuses a wrong password and an unknown user alike, with a count", () => {
    const { server } = digestServer();
    expect(server.verify(register(client(server, { username: "5001", password: "guess" })()))).toEqual(wrong);
    expect(server.verify(register(client(server, { username: "9999", password: "guess" })()))).toEqual(wrong);
    expect(server.counters.wrongCredentials).toBe(2);
  });

  it("asks for the secret of an unknown user as of a known one, and lets in nobody on an empty password", () => {
    const asked: string[] = [];
    const { server } = digestServer({
      findSecret: (username) => {
        asked.push(username);
        return undefined;
      },
    });
    expect(server.verify(register(client(server, { username: "9999", password: "" })()))).toEqual(wrong);
    expect(asked).toEqual(["9999"]);
  });

  it("lets nobody in as nobody, even who knows the password put in place of the missing one", () => {
    const random = new CountingRandom("server");
    random.bytes(32);
    const password = randomId(random, 16);
    const { server } = digestServer();
    expect(server.verify(register(client(server, { username: "9999", password })()))).toEqual(wrong);
  });

  it.each([
    ["nothing at all", () => ""],
    ["no end to a quote", (value: string) => value.slice(0, value.indexOf("nonce") + 9)],
    ["two sets in one header", (value: string) => `${value}, ${value}`],
    ["no user name", (value: string) => edited(value, "username", "")],
    ["no response", (value: string) => edited(value, "response", undefined)],
    ["no cnonce", (value: string) => edited(value, "cnonce", undefined)],
    ["no qop, and so no replay protection", (value: string) => edited(value, "qop", undefined)],
    ["a qop we did not offer", (value: string) => edited(value, "qop", "auth-int")],
    ["a count of seven digits", (value: string) => edited(value, "nc", "0000001")],
    ["a count that is no number", (value: string) => edited(value, "nc", "0000000g")],
    ["another target", (value: string) => edited(value, "uri", "sip:elsewhere.example.com")],
    ["another user in the target", (value: string) => edited(value, "uri", "sip:5002@gw.example.com")],
    ["a target that is no URI", (value: string) => edited(value, "uri", "/dir/index.html")],
  ])("refuses credentials with %s as malformed", (_name, edit) => {
    const { server } = digestServer();
    expect(server.verify(register(edit(client(server)())))).toMatchObject({
      outcome: "refused",
      status: 400,
    });
    expect(server.counters.malformed).toBe(1);
    expect(server.counters.accepted).toBe(0);
  });

  it("accepts a signed uri that differs from the Request-URI in letter case of the host or parameters", () => {
    const { server } = digestServer();
    const digest = createDigestClient({ random: new CountingRandom("client") });
    const answer = digest.answer(
      challenged(server.challenge()),
      { method: "REGISTER", uri: "sip:GW.example.com;transport=ws" },
      right,
    );
    expect(server.verify(register(answer?.value ?? ""))).toEqual(accepted);
  });

  it.each([
    ["method", { method: "INVITE", uri }],
    ["uri", { method: "REGISTER", uri: "sip:other.example.com" }],
  ])("refuses credentials made for another %s", (_name, other) => {
    const { server } = digestServer();
    const digest = createDigestClient({ random: new CountingRandom("client") });
    const value = digest.answer(challenged(server.challenge()), other, right)?.value ?? "";
    expect(server.verify(register(value))).toMatchObject({ outcome: "refused" });
    expect(server.verify(register(edited(value, "uri", uri)))).toMatchObject({ outcome: "refused" });
  });

  it("finds the right one of several Authorization headers, and looks at four at most", () => {
    const { server } = digestServer();
    const value = client(server)();
    const other = edited(value, "realm", "elsewhere");
    const bad = edited(value, "response", "00");
    expect(server.verify(register(other, other, other, other, value))).toEqual(fresh);
    expect(server.verify(register(other, bad, "Bearer x", value))).toEqual(accepted);
  });
});

describe("a nonce", () => {
  it("admits each count once: a replay is challenged anew, never let in", () => {
    const { server } = digestServer();
    const next = client(server);
    const [first, second] = [next(), next()];
    expect(server.verify(register(first))).toEqual(accepted);
    expect(server.verify(register(first))).toEqual(stale);
    expect(server.verify(register(second))).toEqual(accepted);
    expect(server.verify(register(second))).toEqual(stale);
    expect(server.verify(register(first))).toEqual(stale);
    expect(server.counters.replays).toBe(3);
  });

  it("admits counts that overtake one another within 32, and none older", () => {
    const { server } = digestServer();
    const next = client(server);
    const values = Array.from({ length: 40 }, next);
    const verify = (count: number): DigestOutcome => server.verify(register(values[count - 1] ?? ""));
    expect([2, 1, 5, 4, 3].map(verify)).toEqual(Array.from({ length: 5 }, () => accepted));
    expect([1, 2, 3, 4, 5].map(verify)).toEqual(Array.from({ length: 5 }, () => stale));
    expect(verify(40)).toEqual(accepted);
    expect(verify(9)).toEqual(accepted);
    expect(verify(8)).toEqual(stale);
    expect(verify(7)).toEqual(stale);
    expect([33, 34, 35, 36, 37].map(verify)).toEqual(Array.from({ length: 5 }, () => accepted));
    expect(verify(9)).toEqual(stale);
    expect(verify(39)).toEqual(accepted);
    expect(verify(40)).toEqual(stale);
  });

  it("expires: right credentials are then challenged as stale, wrong ones just challenged", () => {
    const { clock, server } = digestServer();
    const next = client(server);
    const guess = client(server, { username: "5001", password: "guess" })();
    clock.advance(59_999);
    expect(server.verify(register(next()))).toEqual(accepted);
    clock.advance(1);
    expect(server.verify(register(next()))).toEqual(stale);
    expect(server.verify(register(guess))).toEqual(fresh);
    expect(server.counters.stale).toBe(1);
  });

  it("of another server, forged, respelt or cut is never accepted", () => {
    const { server } = digestServer();
    const other = digestServer({ random: new CountingRandom("other") }).server;
    expect(server.verify(register(client(other)()))).toEqual(stale);
    const digest = createDigestClient({ random: new CountingRandom("client") });
    const [challenge = ""] = server.challenge();
    const nonce = parseAuthFields(challenge)?.[0]?.parameters.get("nonce") ?? "";
    const flip = (index: number): string =>
      nonce.slice(0, index) + (nonce[index] === "A" ? "B" : "A") + nonce.slice(index + 1);
    const forged = Array.from(nonce, (_, index) => flip(index));
    for (const bad of [...forged, `${nonce}=`, `${nonce}A`, ` ${nonce}`, nonce.slice(1), ""]) {
      const value = digest.answer(challenged([edited(challenge, "nonce", bad)]), target, right)?.value ?? "";
      expect(server.verify(register(value)).outcome).not.toBe("accepted");
    }
    expect(server.counters.accepted).toBe(0);
  });

  it("spelt in the other base64 alphabet has no counts of its own", () => {
    const clock = new FakeClock();
    const nonces = new Nonces({ clock, random: new CountingRandom(), lifetimeMs: 1000, limit: 10 });
    let nonce = nonces.issue();
    while (!/[-_]/.test(nonce)) nonce = nonces.issue();
    expect(nonces.use(nonce, 1)).toBe(true);
    expect(nonces.isValid(nonce.replaceAll("-", "+").replaceAll("_", "/"))).toBe(false);
  });
});

describe("the memory of used nonces", () => {
  const setUp = (limit: number) => {
    const clock = new FakeClock();
    const nonces = new Nonces({ clock, random: new CountingRandom(), lifetimeMs: 1000, limit });
    return { clock, nonces };
  };

  it("holds nothing for nonces that were only issued", () => {
    const { nonces } = setUp(10);
    for (let i = 0; i < 1000; i++) nonces.issue();
    expect(nonces.remembered).toBe(0);
  });

  it("never grows beyond its limit, and what it had to forget is refused, not admitted twice", () => {
    const { clock, nonces } = setUp(3);
    const issued = Array.from({ length: 10 }, () => {
      clock.advance(1);
      return nonces.issue();
    });
    for (const nonce of issued) {
      expect(nonces.use(nonce, 1)).toBe(true);
      expect(nonces.remembered).toBeLessThanOrEqual(3);
    }
    for (const nonce of issued) expect(nonces.use(nonce, 1)).toBe(false);
    expect(nonces.use(issued[9] ?? "", 2)).toBe(true);
    expect(nonces.use(issued[0] ?? "", 2)).toBe(false);
    clock.advance(1);
    expect(nonces.use(nonces.issue(), 1)).toBe(true);
  });

  it("lets go of expired nonces first, and then holds nothing against younger ones", () => {
    const { clock, nonces } = setUp(3);
    const old = [nonces.issue(), nonces.issue(), nonces.issue()];
    for (const nonce of old) nonces.use(nonce, 1);
    clock.advance(1000);
    const young = [nonces.issue(), nonces.issue(), nonces.issue()];
    expect(young.map((nonce) => nonces.use(nonce, 1))).toEqual([true, true, true]);
    expect(nonces.remembered).toBe(3);
    expect(young.map((nonce) => nonces.use(nonce, 2))).toEqual([true, true, true]);
  });

  it("lets go of all that expired when the next nonce is used", () => {
    const { clock, nonces } = setUp(10);
    for (let i = 0; i < 5; i++) nonces.use(nonces.issue(), 1);
    expect(nonces.remembered).toBe(5);
    clock.advance(1000);
    nonces.use(nonces.issue(), 1);
    expect(nonces.remembered).toBe(1);
  });

  it("admits no count of zero and no foreign nonce", () => {
    const { nonces } = setUp(3);
    expect(nonces.use(nonces.issue(), 0)).toBe(false);
    expect(nonces.use("nonsense", 1)).toBe(false);
    expect(nonces.remembered).toBe(0);
  });
});

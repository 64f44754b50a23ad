import { describe, expect, it } from "vitest";
import { parseAuthFields } from "../../../src/sip/digest/auth-fields.ts";
import { createDigestClient, type DigestTarget } from "../../../src/sip/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { challenged, digestServer, register, uri } from "./support.ts";

const credentials = { username: "5001", password: "s3cret" };
const target: DigestTarget = { method: "REGISTER", uri };
const newClient = () => createDigestClient({ random: new CountingRandom("client") });
const fieldsOf = (value: string | undefined) =>
  Object.fromEntries(parseAuthFields(value ?? "")?.[0]?.parameters ?? []);
const md5 = 'Digest realm="sips", nonce="n1", algorithm=MD5, qop="auth"';
const sha256 = 'Digest realm="sips", nonce="n2", algorithm=SHA-256, qop="auth"';

describe("the digest client's answer", () => {
  it("goes into Authorization after 401 and Proxy-Authorization after 407", () => {
    expect(newClient().answer(challenged([md5], 401), target, credentials)?.name).toBe("Authorization");
    expect(newClient().answer(challenged([md5], 407), target, credentials)?.name).toBe("Proxy-Authorization");
  });

  it("prefers SHA-256 wherever it stands, in lines of their own or in one", () => {
    for (const challenges of [[md5, sha256], [sha256, md5], [`${md5}, ${sha256}`]]) {
      const answer = newClient().answer(challenged(challenges), target, credentials);
      expect(fieldsOf(answer?.value)).toMatchObject({ algorithm: "SHA-256", nonce: "n2" });
    }
  });

  it("writes what RFC 2617 wants in the form it wants", () => {
    const challenge = 'Digest realm="sips", nonce="n1", algorithm=md5, opaque="o=1", qop="auth-int,auth"';
    const value = newClient().answer(challenged([challenge]), target, credentials)?.value;
    expect(value).toMatch(
      /^Digest username="5001", realm="sips", nonce="n1", uri="sip:gw\.example\.com", response="[0-9a-f]{32}", algorithm=md5, cnonce="[0-9a-f]{16}", opaque="o=1", qop=auth, nc=00000001$/,
    );
  });

  it("without qop has neither cnonce nor count, without algorithm names none", () => {
    const value = newClient().answer(
      challenged(['Digest realm="sips", nonce="n1"']),
      target,
      credentials,
    )?.value;
    // MD5("5001:sips:s3cret") etc. by RFC 2069's formula
    expect(Object.keys(fieldsOf(value))).toEqual(["username", "realm", "nonce", "uri", "response"]);
  });

  it("covers the body where only auth-int is offered", () => {
    const challenge = 'Digest realm="sips", nonce="n1", qop="auth-int"';
    const answer = (body: string) =>
      fieldsOf(
        newClient().answer(challenged([challenge]), { ...target, body: Buffer.from(body) }, credentials)
          ?.value,
      );
    expect(answer("a")["qop"]).toBe("auth-int");
    expect(answer("a")["response"]).not.toBe(answer("b")["response"]);
  });

  it("escapes quotes in the user name", () => {
    const value = newClient().answer(challenged([md5]), target, { username: 'a"\\b', password: "p" })?.value;
    expect(value).toContain('username="a\\"\\\\b"');
    expect(fieldsOf(value)["username"]).toBe('a"\\b');
  });

  it.each([
    ["another status", challenged([md5], 403)],
    ["no challenge", challenged([])],
    ["another scheme", challenged(['Basic realm="x"'])],
    ["an unknown algorithm", challenged(['Digest realm="x", nonce="n", algorithm=SHA-512-256'])],
    ["an unknown qop", challenged(['Digest realm="x", nonce="n", qop="token"'])],
    ["no nonce", challenged(['Digest realm="x"'])],
    ["a broken header", challenged(['Digest realm="x'])],
  ])("is none upon %s", (_name, response) => {
    expect(newClient().answer(response, target, credentials)).toBeUndefined();
  });
});

describe("the digest client and a nonce", () => {
  it("counts up with each request under it, and anew under the next", () => {
    const client = newClient();
    client.answer(challenged([md5]), target, credentials);
    const counts = [1, 2, 3].map(() => fieldsOf(client.next(target, credentials)?.value)["nc"]);
    expect(counts).toEqual(["00000002", "00000003", "00000004"]);
    const same = client.answer(challenged([md5]), target, credentials);
    expect(fieldsOf(same?.value)["nc"]).toBe("00000005");
    const other = client.answer(challenged([sha256]), target, credentials);
    expect(fieldsOf(other?.value)["nc"]).toBe("00000001");
  });

  it("has nothing to send ahead before a challenge and after `forget`", () => {
    const client = newClient();
    expect(client.next(target, credentials)).toBeUndefined();
    client.answer(challenged([md5]), target, credentials);
    client.forget();
    expect(client.next(target, credentials)).toBeUndefined();
  });
});

describe("the digest client told its answer was refused", () => {
  const refusedBy = (first: string, second: string, countUp = 0) => {
    const client = newClient();
    let refused = client.answer(challenged([first]), target, credentials)?.value;
    for (let i = 0; i < countUp; i++) refused = client.next(target, credentials)?.value;
    return client.answer(challenged([second]), { ...target, refused }, credentials);
  };

  it("gives up when the server means the password: same nonce, or a new one at once", () => {
    expect(refusedBy(md5, md5)).toBeUndefined();
    expect(refusedBy(md5, md5.replace("n1", "n9"))).toBeUndefined();
  });

  it("answers a stale nonce", () => {
    const answer = refusedBy(md5, `${md5.replace("n1", "n9")}, stale=TRUE`);
    expect(fieldsOf(answer?.value)).toMatchObject({ nonce: "n9", nc: "00000001" });
  });

  it("answers a new nonce where it had sent an old one ahead, stale or not", () => {
    expect(refusedBy(md5, md5.replace("n1", "n9"), 3)).toBeDefined();
    expect(refusedBy(md5, md5, 3)).toBeUndefined();
  });

  it("answers another realm's challenge", () => {
    expect(refusedBy(md5, md5.replace("sips", "proxy"))).toBeDefined();
  });
});

describe("digest client and server together", () => {
  it("agree through challenge, reuse, expiry and a wrong password", () => {
    const { clock, server } = digestServer();
    const client = newClient();
    let refused = client.answer(challenged(server.challenge()), target, credentials)?.value ?? "";
    expect(refused).toContain("algorithm=SHA-256");
    expect(server.verify(register(refused)).outcome).toBe("accepted");
    clock.advance(60_000);
    refused = client.next(target, credentials)?.value ?? "";
    const verdict = server.verify(register(refused));
    expect(verdict).toEqual({ outcome: "challenge", stale: true });
    const again = client.answer(challenged(server.challenge(true)), { ...target, refused }, credentials);
    expect(server.verify(register(again?.value ?? "")).outcome).toBe("accepted");
  });

  it.each(["MD5-sess", "SHA-256-sess"])("compute %s by RFC 7616 3.4.2", (algorithm) => {
    const challenge = `Digest realm="sips", nonce="n1", algorithm=${algorithm}, qop="auth"`;
    const client = newClient();
    const first = fieldsOf(client.answer(challenged([challenge]), target, credentials)?.value);
    const second = fieldsOf(client.next(target, credentials)?.value);
    // The session key stands on the first cnonce, so it has to stay the same.
    expect(second["cnonce"]).toBe(first["cnonce"]);
    expect(second["response"]).not.toBe(first["response"]);
    expect(first["response"]).toHaveLength(algorithm.startsWith("MD5") ? 32 : 64);
  });
});

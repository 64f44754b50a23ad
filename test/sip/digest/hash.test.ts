import { describe, expect, it } from "vitest";
import { digestHa1, digestResponse } from "../../../src/sip/digest/hash.ts";

describe("the digest of published examples", () => {
  // RFC 7616 3.9.1
  const nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
  const cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
  it.each([
    ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
    ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
  ] as const)("is RFC 7616's for %s", (algorithm, response) => {
    const ha1 = digestHa1(algorithm, "Mufasa", "http-auth@example.org", "Circle of Life");
    expect(
      digestResponse({
        algorithm,
        ha1,
        nonce,
        cnonce,
        method: "GET",
        uri: "/dir/index.html",
        protection: { qop: "auth", nc: "00000001" },
      }),
    ).toBe(response);
  });

  it("is RFC 2617's (section 3.5)", () => {
    const ha1 = digestHa1("MD5", "Mufasa", "testrealm@host.com", "Circle Of Life");
    expect(ha1).toBe("939e7578ed9e3c518a452acee763bce9");
    expect(
      digestResponse({
        algorithm: "MD5",
        ha1,
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce: "0a4f113b",
        method: "GET",
        uri: "/dir/index.html",
        protection: { qop: "auth", nc: "00000001" },
      }),
    ).toBe("6629fae49393a05397450978507c4ef1");
  });

  it("is RFC 2069's form without qop, which knows neither cnonce nor count", () => {
    // The value corrected by the RFC's errata
    const ha1 = digestHa1("MD5", "Mufasa", "testrealm@host.com", "CircleOfLife");
    expect(
      digestResponse({
        algorithm: "MD5",
        ha1,
        nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce: "does not count",
        method: "GET",
        uri: "/dir/index.html",
      }),
    ).toBe("1949323746fe6a43ef61f9606e7febea");
  });
});

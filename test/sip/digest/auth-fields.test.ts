import { describe, expect, it } from "vitest";
import { formatDigest, parseAuthFields } from "../../../src/sip/digest/auth-fields.ts";

const read = (value: string) =>
  parseAuthFields(value)?.map(({ scheme, parameters }) => ({ scheme, ...Object.fromEntries(parameters) }));

describe("authentication headers taken apart", () => {
  const good: [string, string, object[]][] = [
    [
      "quoted and bare values",
      'Digest realm="a b", stale=TRUE, qop="auth,auth-int"',
      [{ scheme: "digest", realm: "a b", stale: "TRUE", qop: "auth,auth-int" }],
    ],
    [
      "commas, equals and escapes in quotes",
      'DIGEST Realm="a\\"b\\\\,c=d"',
      [{ scheme: "digest", realm: 'a"b\\,c=d' }],
    ],
    [
      "blanks wherever the grammar has them",
      'Digest  a = "1" ,\t b=2 , ,',
      [{ scheme: "digest", a: "1", b: "2" }],
    ],
    ["no blank after commas", 'Digest a="1",b=2', [{ scheme: "digest", a: "1", b: "2" }]],
    [
      "several challenges in one line",
      'Digest realm="x", nonce="1", Basic realm="y", Negotiate, Digest realm="z"',
      [
        { scheme: "digest", realm: "x", nonce: "1" },
        { scheme: "basic", realm: "y" },
        { scheme: "negotiate" },
        { scheme: "digest", realm: "z" },
      ],
    ],
    ["an empty quoted value", 'Digest opaque=""', [{ scheme: "digest", opaque: "" }]],
    ["nothing", "", []],
  ];
  it.each(good)("with %s", (_name, value, fields) => {
    expect(read(value)).toEqual(fields);
  });

  it.each([
    ["an open quote", 'Digest realm="x'],
    ["a parameter twice", 'Digest uri="sip:a", uri="sip:b"'],
    ["a parameter twice in other letters", 'Digest uri="sip:a", URI="sip:b"'],
    ["a parameter before any scheme", 'realm="x"'],
    ["text after a quoted value", 'Digest realm="x"y'],
    ["no value", "Digest realm="],
    ["characters no token has", "Digest re@lm=x"],
  ])("are refused with %s", (_name, value) => {
    expect(parseAuthFields(value)).toBeUndefined();
  });

  it("take no longer than their length warrants", () => {
    const hostile = [
      `Digest ${"a=b,".repeat(2000)}`,
      `Digest ${"a ".repeat(4000)}`,
      `Digest a="${"\\".repeat(8000)}`,
      `Digest a${" ".repeat(8000)}b`,
      `Digest ${",".repeat(8000)}"`,
    ];
    const start = performance.now();
    for (const value of hostile) parseAuthFields(value);
    expect(performance.now() - start).toBeLessThan(200);
  });
});

describe("authentication headers written", () => {
  it("quote and escape what is quoted, leave bare what is bare, leave out what is not there", () => {
    const value = formatDigest([
      ["realm", 'a"b\\c', "quoted"],
      ["qop", "auth", "bare"],
      ["opaque", undefined, "quoted"],
    ]);
    expect(value).toBe('Digest realm="a\\"b\\\\c", qop=auth');
    expect(read(value)).toEqual([{ scheme: "digest", realm: 'a"b\\c', qop: "auth" }]);
  });
});

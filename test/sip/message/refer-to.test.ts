import { describe, expect, it } from "vitest";
import { createRequest, parseReplaces, readReferTo, replacesValue } from "../../../src/sip/index.ts";

const read = (...values: string[]) =>
  readReferTo(
    createRequest({
      method: "REFER",
      uri: "sip:x@y",
      headers: values.map((value) => ["Refer-To", value] as const),
    }),
  );

describe("Replaces (RFC 3891 6.1)", () => {
  it.each([
    ["98732@example.com;from-tag=r33th4x0r;to-tag=ff87ff", false],
    ["12adf2f34456gs5;to-tag=12345;from-tag=54321;early-only", true],
    ["  a-b.c%d!e ; to-tag = 1 ; from-tag = 2 ; other=3 ", false],
  ])("%s is taken", (value, earlyOnly) => {
    const replaces = parseReplaces(value);
    expect(replaces).toMatchObject({ earlyOnly });
    expect(replaces && parseReplaces(replacesValue(replaces))).toEqual(replaces);
  });

  it.each([
    "",
    ";to-tag=1;from-tag=2",
    "a",
    "a;to-tag=1",
    "a;to-tag=1;from-tag",
    "a;to-tag=;from-tag=2",
    "a;to-tag=1;from-tag=2;to-tag=3",
    "a b;to-tag=1;from-tag=2",
    "a;to-tag=1;from-tag=2, b;to-tag=1;from-tag=2",
  ])("%s is not", (value) => {
    expect(parseReplaces(value)).toBeUndefined();
  });
});

describe("Refer-To (RFC 3515 2.1)", () => {
  it("gives the URI, its headers unescaped and the dialog to replace", () => {
    const target = read(
      '"Bob" <sip:1004@192.0.2.10:5060?Replaces=c%40h%3Bto-tag%3D1%3Bfrom-tag%3D2&User-to-User=a%20b>;x=y',
    );
    expect(target).toMatchObject({
      uri: { user: "1004", host: "192.0.2.10", port: 5060 },
      headers: [
        ["Replaces", "c@h;to-tag=1;from-tag=2"],
        ["User-to-User", "a b"],
      ],
      replaces: { callId: "c@h", toTag: "1", fromTag: "2" },
    });
  });

  it("may stand without brackets", () => {
    expect(read("sip:1004@192.0.2.10")).toMatchObject({ uri: { user: "1004" }, headers: [] });
  });

  it.each([
    [[], 400],
    [["<sip:a@b>", "<sip:c@d>"], 400],
    [["<sip:a@b>, <sip:c@d>"], 400],
    [["*"], 400],
    [["nonsense"], 400],
    [["<sip:a@b?=x>"], 400],
    [["<sip:a@b?A B=x>"], 400],
    [["<sip:a@b?X=%0d%0aVia:x>"], 400],
    [[`<sip:a@b?${Array.from({ length: 33 }, (_, index) => `X-${index}=1`).join("&")}>`], 400],
    [["<sip:a@b?Replaces=a;to-tag=1>"], 400],
    [["<sip:a@b?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2&replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2>"], 400],
    [["<mailto:a@b>"], 416],
    [["<sip:a@b;method=SUBSCRIBE>"], 501],
  ])("%j gets %i", (values, status) => {
    expect(read(...values)).toMatchObject({ status });
  });
});

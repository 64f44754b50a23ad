import { describe, expect, it } from "vitest";
import { formatParameters, parseParameters, splitList } from "../../../src/sip/message/index.ts";

describe("splitList", () => {
  it.each([
    ["a", ["a"]],
    [" a , b ", ["a", "b"]],
    ['"x,y" <sip:a,b@c>;q="1,2", <sip:d@e>', ['"x,y" <sip:a,b@c>;q="1,2"', "<sip:d@e>"]],
    [String.raw`"a\",b",c`, [String.raw`"a\",b"`, "c"]],
    ["", []],
    [",, ,", []],
    ["a,,b", ["a", "b"]],
    ['"open, a', ['"open, a']],
    ["<open, a", ["<open, a"]],
    ['<a"b>, c', ['<a"b>', "c"]],
  ])("%j", (value, elements) => {
    expect(splitList(value)).toEqual(elements);
  });
});

describe("parseParameters", () => {
  it("reads flags, values and quoted values, with or without the first semicolon", () => {
    const expected = [
      ["a", "1"],
      ["b", undefined],
      ["c", 'x;y"z'],
    ];
    expect(Array.from(parseParameters(String.raw`;A=1; b ;c = "x;y\"z"`))).toEqual(expected);
    expect(Array.from(parseParameters(String.raw`A=1;b;c="x;y\"z"`))).toEqual(expected);
  });

  it("leaves out what cannot be read and never fails", () => {
    expect(Array.from(parseParameters(";a=1;;=2;b=<;c"))).toEqual([
      ["a", "1"],
      ["c", undefined],
    ]);
    expect(parseParameters("").size).toBe(0);
    expect(parseParameters(';x="open;y').size).toBe(0);
  });

  it("takes the first of repeated names", () => {
    expect(parseParameters(";a=1;A=2").get("a")).toBe("1");
  });
});

describe("formatParameters", () => {
  it("quotes only what is no token and no address", () => {
    const parameters = new Map<string, string | undefined>([
      ["rport", undefined],
      ["received", "2001:db8::1"],
      ["maddr", "[::1]"],
      ["+sip.instance", "<urn:uuid:1>"],
      ["text", 'a "b" \\'],
      ["empty", ""],
    ]);
    const text = formatParameters(parameters);
    expect(text).toBe(
      String.raw`;rport;received=2001:db8::1;maddr=[::1];+sip.instance="<urn:uuid:1>";text="a \"b\" \\";empty=""`,
    );
    expect(Array.from(parseParameters(text))).toEqual(Array.from(parameters));
  });
});

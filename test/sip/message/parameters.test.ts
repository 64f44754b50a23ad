import { describe, expect, it } from "vitest";
import { splitList } from "../../../src/sip/message/index.ts";
import { readParameters } from "../../../src/sip/message/parameters.ts";

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

/** As of a message that is at fault: what cannot be read is skipped. */
const read = (text: string) => readParameters(text, 0, true) ?? new Map<string, undefined>();

describe("readParameters", () => {
  it("reads flags, values and quoted values", () => {
    const expected = [
      ["a", "1"],
      ["b", undefined],
      ["c", 'x;y"z'],
    ];
    expect(Array.from(read(String.raw`;A=1; b ;c = "x;y\"z"`))).toEqual(expected);
  });

  it("leaves out what cannot be read and never fails", () => {
    expect(Array.from(read(";a=1;;=2;b=<;c"))).toEqual([
      ["a", "1"],
      ["c", undefined],
    ]);
    expect(read("").size).toBe(0);
    expect(read(';x="open;y').size).toBe(0);
  });

  it("takes the first of repeated names", () => {
    expect(read(";a=1;A=2").get("a")).toBe("1");
  });
});

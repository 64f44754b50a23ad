import { describe, expect, it } from "vitest";
import { HeaderFields } from "../../../src/sip/message/index.ts";

const compactForms = [
  ["a", "Accept-Contact"],
  ["b", "Referred-By"],
  ["c", "Content-Type"],
  ["d", "Request-Disposition"],
  ["e", "Content-Encoding"],
  ["f", "From"],
  ["i", "Call-ID"],
  ["j", "Reject-Contact"],
  ["k", "Supported"],
  ["l", "Content-Length"],
  ["m", "Contact"],
  ["n", "Identity-Info"],
  ["o", "Event"],
  ["r", "Refer-To"],
  ["s", "Subject"],
  ["t", "To"],
  ["u", "Allow-Events"],
  ["v", "Via"],
  ["x", "Session-Expires"],
  ["y", "Identity"],
] as const;

describe("HeaderFields", () => {
  it.each(compactForms)("%s is %s", (compact, name) => {
    const fields = new HeaderFields([[compact, "1"]]);
    expect(fields.get(name)).toBe("1");
    expect(fields.get(name.toUpperCase())).toBe("1");
    expect(fields.get(compact.toUpperCase())).toBe("1");
    expect(Array.from(fields.entries())).toEqual([[name, "1"]]);
  });

  it("finds names in any case, known and unknown", () => {
    const fields = new HeaderFields([
      ["CALL-id", "a"],
      ["X-Genesys-calluuid", "b"],
      ["X-Own", "c"],
    ]);
    expect([fields.get("Call-ID"), fields.get("x-genesys-CALLUUID"), fields.get("X-OWN")]).toEqual([
      "a",
      "b",
      "c",
    ]);
    expect(fields.get("X-Other")).toBeUndefined();
    expect(fields.has("x-own")).toBe(true);
    expect(fields.has("x-other")).toBe(false);
    expect(Array.from(fields.entries(), ([name]) => name)).toEqual([
      "Call-ID",
      "X-Genesys-CallUUID",
      "X-Own",
    ]);
  });

  it("gives lines and list values in their order", () => {
    const fields = new HeaderFields([
      ["v", "one, two"],
      ["From", "x"],
      ["Via", "three"],
    ]);
    expect(fields.get("Via")).toBe("one, two");
    expect(fields.getAll("Via")).toEqual(["one, two", "three"]);
    expect(fields.values("Via")).toEqual(["one", "two", "three"]);
    expect(fields.values("Route")).toEqual([]);
  });

  it("set replaces all lines of a name in the place of the first", () => {
    const fields = new HeaderFields([
      ["X-A", "1"],
      ["X-B", "2"],
      ["x-a", "3"],
      ["X-C", "4"],
    ]);
    fields.set("x-A", "new").set("X-D", "end");
    expect(Array.from(fields.entries())).toEqual([
      ["X-A", "new"],
      ["X-B", "2"],
      ["X-C", "4"],
      ["X-D", "end"],
    ]);
  });

  it("prepend puts a line before the others of its name, or first", () => {
    const fields = new HeaderFields([
      ["To", "t"],
      ["Via", "old"],
    ]);
    fields.prepend("Via", "new").prepend("Route", "r");
    expect(Array.from(fields.entries())).toEqual([
      ["Route", "r"],
      ["To", "t"],
      ["Via", "new"],
      ["Via", "old"],
    ]);
  });

  it("remove takes every line of a name away", () => {
    const fields = new HeaderFields([
      ["X-A", "1"],
      ["X-B", "2"],
      ["X-A", "3"],
    ]);
    expect(Array.from(fields.remove("x-a").remove("none").entries())).toEqual([["X-B", "2"]]);
  });

  it("lets nobody write a line of his own through a value", () => {
    const fields = new HeaderFields([["Subject", " x\r\nVia: evil\u0000 "]]);
    fields.add("Subject", "a\nb").set("Reason", "c\rd").prepend("Subject", "e\\\r\nf");
    for (const [, value] of fields.entries()) expect(value).not.toMatch(/[\r\n]/);
    expect(fields.getAll("Subject")).toEqual(["e\\  f", "x  Via: evil", "a b"]);
  });

  it.each(["", "a b", "a:", "a\r\nb", "ä"])("refuses the name %j", (name) => {
    expect(() => new HeaderFields().add(name, "x")).toThrow(TypeError);
    expect(() => new HeaderFields().set(name, "x")).toThrow(TypeError);
    expect(() => new HeaderFields().prepend(name, "x")).toThrow(TypeError);
  });
});

import { describe, expect, it } from "vitest";
import { parseUri, unescapeText } from "../../../src/sip/message/index.ts";

describe("a sip URI is taken apart", () => {
  it.each([
    ["sip:5001@192.0.2.10", { scheme: "sip", user: "5001", host: "192.0.2.10", port: undefined }],
    ["sip:192.0.2.20:5061", { user: undefined, host: "192.0.2.20", port: 5061 }],
    ["sips:a@b.example", { scheme: "sips", user: "a", host: "b.example" }],
    ["SIP:a@b", { scheme: "sip", user: "a", host: "b" }],
    ["sip:a:secret@b:1", { user: "a", host: "b", port: 1 }],
    ["sip:a@[2001:db8::1]:5060", { user: "a", host: "[2001:db8::1]", port: 5060 }],
    ["sip:[::ffff:192.0.2.1]", { user: undefined, host: "[::ffff:192.0.2.1]", port: undefined }],
    ["sip:*21#@gw", { user: "*21#", host: "gw" }],
    ["sip:a;x=1@b;y=2", { user: "a;x=1", host: "b" }],
    ["sip:a?b@c", { user: "a?b", host: "c", headers: undefined }],
    ["sip:a@b?Replaces=c%40d", { host: "b", headers: "Replaces=c%40d" }],
    ["sip:a@b?Replaces=c@d", { user: "a", host: "b", headers: "Replaces=c@d" }],
    ["sip:a@WINDOWS_HOST", { host: "WINDOWS_HOST" }],
    ["sip:%00@b", { user: "%00" }],
    ["sip:müller@b", { user: "müller" }],
    ["sip:a@b:65535", { port: 65_535 }],
  ])("%s", (raw, parts) => {
    expect(parseUri(raw)).toMatchObject({ raw, ...parts });
  });

  it("with its parameters, names in lower case, values as they are, the first of two counting", () => {
    const uri = parseUri("sip:a@b;Transport=WS;lr;gr=urn:uuid:1;transport=tcp;x=%41?h=1;2");
    expect(Array.from(uri?.parameters ?? [])).toEqual([
      ["transport", "WS"],
      ["lr", undefined],
      ["gr", "urn:uuid:1"],
      ["x", "%41"],
    ]);
    expect(uri?.headers).toBe("h=1;2");
  });
});

describe("another URI is kept whole", () => {
  it.each([
    ["tel:+4930123", "tel"],
    ["TEL:+4930123", "tel"],
    ["urn:service:sos", "urn"],
    ["soap.beep://192.0.2.1:3002", "soap.beep"],
    ["mailto:a@b", "mailto"],
  ])("%s", (raw, scheme) => {
    expect(parseUri(raw)).toMatchObject({ raw, scheme, host: "", user: undefined, port: undefined });
  });

  it("tel: gives its parameters", () => {
    expect(parseUri("tel:7042;phone-context=example.com")?.parameters.get("phone-context")).toBe(
      "example.com",
    );
    expect(parseUri("tel:7042;;x")?.parameters.size).toBe(0);
    expect(parseUri("urn:a;b=c")?.parameters.size).toBe(0);
  });
});

describe("no URI", () => {
  it.each([
    "",
    "sip",
    "sip:",
    ":a",
    "5001",
    "<sip:a@b>",
    "sip:a b@c",
    "sip: a@b",
    "sip:a@b ",
    "sip:a@",
    "sip:@b",
    "sip::x@b",
    "sip:a@b@c",
    "sip:a@b;x=@",
    "sip:a@b:",
    "sip:a@b:x",
    "sip:a@b:65536",
    "sip:a@b:-1",
    "sip:a@[::1",
    "sip:a@[::1]x",
    "sip:a@[::1]:",
    "sip:a@[]",
    "sip:a@[host]",
    "sip:a@b;",
    "sip:a@b;;lr",
    "sip:a@b;=1",
    'sip:a"@b',
    "sip:a\\@b",
    "sip:a@b\u0000",
    "sip:a@b\tc",
    "sip:a@hö.example",
    "1a:b",
    "a_b:c",
  ])("%j", (raw) => {
    expect(parseUri(raw)).toBeUndefined();
  });
});

describe("unescaping", () => {
  it("turns escapes into UTF-8 text and leaves broken ones alone", () => {
    expect(unescapeText("a%20b%C3%A9")).toBe("a bé");
    expect(unescapeText("plain")).toBe("plain");
    expect(unescapeText("100%")).toBe("100%");
    expect(unescapeText("%FF%FE")).toBe("%FF%FE");
  });
});

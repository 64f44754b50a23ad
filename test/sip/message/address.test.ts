import { describe, expect, it } from "vitest";
import { parseCSeq, parseNameAddress, parseVia } from "../../../src/sip/message/index.ts";

describe("From, To and Contact values", () => {
  it.each([
    ["<sip:a@b>;tag=1", undefined, "sip:a@b", "1"],
    ["sip:1003@192.0.2.10:5060;tag=88170A6B-0-256", undefined, "sip:1003@192.0.2.10:5060", "88170A6B-0-256"],
    ['"Bob" <sip:a@b>', "Bob", "sip:a@b", undefined],
    ['"a,b;c<d>e" <sip:a@b>;tag=2', "a,b;c<d>e", "sip:a@b", "2"],
    [String.raw`"say \"hi\" \\ so"<sip:a@b>`, String.raw`say "hi" \ so`, "sip:a@b", undefined],
    ['"" <sip:a@b>', "", "sip:a@b", undefined],
    ["Bob Smith <sip:a@b>", "Bob Smith", "sip:a@b", undefined],
    ["Bob<sip:a@b>", "Bob", "sip:a@b", undefined],
    ["Jürgen Groß <sip:a@b>", "Jürgen Groß", "sip:a@b", undefined],
    ["Desk (2nd floor) <sip:a@b>", "Desk (2nd floor)", "sip:a@b", undefined],
    ["  <sip:a@b>  ;  tag = 3 ", undefined, "sip:a@b", "3"],
    ["<sip:a@b;tag=inner>", undefined, "sip:a@b;tag=inner", undefined],
    ["<sip:a@b;lr?X=1>;tag=4", undefined, "sip:a@b;lr?X=1", "4"],
    ["<sip:a,b@c>", undefined, "sip:a,b@c", undefined],
    ["tel:+49;tag=5", undefined, "tel:+49", "5"],
    ["<tel:+49;phone-context=x>;tag=6", undefined, "tel:+49;phone-context=x", "6"],
    [
      "anonymous <sip:anonymous@anonymous.invalid>;TAG=7",
      "anonymous",
      "sip:anonymous@anonymous.invalid",
      "7",
    ],
  ])("%s", (raw, displayName, uri, tag) => {
    const address = parseNameAddress(raw);
    expect(address).toMatchObject({ displayName, tag });
    expect(address?.uri.raw).toBe(uri);
    expect(address?.raw).toBe(raw.trim());
  });

  it("without brackets every parameter is the header's", () => {
    const address = parseNameAddress("sip:a@b;transport=tcp;tag=1");
    expect(address?.uri.parameters.size).toBe(0);
    expect(Array.from(address?.parameters ?? [])).toEqual([
      ["transport", "tcp"],
      ["tag", "1"],
    ]);
  });

  it("a bracket within a parameter of a bare URI is no address", () => {
    expect(parseNameAddress('sip:a@b;x="<sip:evil@c>"')?.uri.raw).toBe("sip:a@b");
  });

  it("what JsSIP registers keeps instance and flags", () => {
    const raw =
      '<sip:509@tnb7.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance="<urn:uuid:e8e5>";expires=300';
    const contact = parseNameAddress(raw);
    expect(contact?.uri.parameters.get("transport")).toBe("ws");
    expect(Array.from(contact?.parameters ?? [])).toEqual([
      ["+sip.ice", undefined],
      ["reg-id", "1"],
      ["+sip.instance", "<urn:uuid:e8e5>"],
      ["expires", "300"],
    ]);
  });

  it("the star of `Contact: *` is an address of its own", () => {
    expect(parseNameAddress("*")).toMatchObject({ raw: "*", uri: { raw: "*", scheme: "" } });
    expect(parseNameAddress(" * ")?.uri.raw).toBe("*");
  });

  it.each([
    "",
    "5001",
    '"Bob <sip:a@b>',
    '"Bob" sip:a@b',
    '"Bob" x <sip:a@b>',
    "Bell, Alexander <sip:a@b>",
    'Bo"b <sip:a@b>',
    "Bo\\b <sip:a@b>",
    "<sip:a@b",
    "sip:a@b>",
    "< sip:a@b >",
    "<sip:a@b>x",
    "<sip:a@b>;",
    "<sip:a@b>;;tag=1",
    "<sip:a@b>;tag=",
    "<sip:a@b>;tag=1;tag=2",
    "<sip:a@b>;tag=a b",
    '<sip:a@b>;x="open',
    '<sip:a@b>;x="a"b',
    "<sip:a@b>, <sip:c@d>",
    "sip:a@b?X=1",
    "<*>",
    "<>",
    "**",
  ])("no address: %j", (raw) => {
    expect(parseNameAddress(raw)).toBeUndefined();
  });
});

describe("Via values", () => {
  it.each([
    ["SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-1", "UDP", "192.0.2.10", 5060, "z9hG4bK-1"],
    ["SIP/2.0/wss tnb7.invalid;branch=z9hG4bK2", "WSS", "tnb7.invalid", undefined, "z9hG4bK2"],
    ["SIP / 2.0 /\tTCP   host : 5061 ; branch = z9hG4bK3", "TCP", "host", 5061, "z9hG4bK3"],
    ["SIP/2.0/UDP [2001:db8::9]:5060;branch=b", "UDP", "[2001:db8::9]", 5060, "b"],
    ["sip/2.0/udp h", "UDP", "h", undefined, undefined],
  ])("%s", (raw, transport, host, port, branch) => {
    expect(parseVia(raw)).toMatchObject({ raw, transport, host, port, branch });
  });

  it("flags and address parameters stay what they are", () => {
    const via = parseVia(
      "SIP/2.0/UDP h;rport;received=192.0.2.9;maddr=239.1.1.1;keep;branch=x;rcv=2001:db8::1",
    );
    expect(via?.host).toBe("h");
    expect(Array.from(via?.parameters ?? [])).toEqual([
      ["rport", undefined],
      ["received", "192.0.2.9"],
      ["maddr", "239.1.1.1"],
      ["keep", undefined],
      ["branch", "x"],
      ["rcv", "2001:db8::1"],
    ]);
  });

  it.each([
    "",
    "SIP/2.0/UDP",
    "SIP/2.0/UDP ",
    "SIP/2.0 h",
    "HTTP/2.0/UDP h",
    "SIP//UDP h",
    "SIP/2.0/U;DP h",
    "SIP/2.0/UDP h:x",
    "SIP/2.0/UDP h:",
    "SIP/2.0/UDP h:1:2",
    "SIP/2.0/UDP h h",
    "SIP/2.0/UDP h;;branch=x",
    "SIP/2.0/UDP h;branch=x;branch=y",
    "SIP/2.0/UDP a b:5060",
  ])("no Via: %j", (raw) => {
    expect(parseVia(raw)).toBeUndefined();
  });

  it("read leniently, faulty parameters are passed over", () => {
    const via = parseVia("SIP/2.0/UDP h;;x=;branch=x;branch=y;rport", true);
    expect(via).toMatchObject({ host: "h", branch: "x" });
    expect(via?.parameters.has("rport")).toBe(true);
    expect(parseVia("SIP/2.0/UDP h:x;branch=x", true)).toBeUndefined();
  });
});

describe("CSeq values", () => {
  it.each([
    ["1 INVITE", 1, "INVITE"],
    ["0 ACK", 0, "ACK"],
    ["0009 \t INVITE", 9, "INVITE"],
    ["2147483647 OPTIONS", 2_147_483_647, "OPTIONS"],
    ["1732000000 options", 1_732_000_000, "options"],
  ])("%s", (value, sequence, method) => {
    expect(parseCSeq(value)).toEqual({ sequence, method });
  });

  it.each([
    "",
    "1",
    "1 ",
    "INVITE",
    "1INVITE",
    "-1 ACK",
    "+1 ACK",
    "1.0 ACK",
    "2147483648 ACK",
    "1 A CK",
    "1 A,B",
  ])("no CSeq: %j", (value) => {
    expect(parseCSeq(value)).toBeUndefined();
  });
});

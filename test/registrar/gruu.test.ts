import { afterEach, beforeEach, expect, test } from "vitest";
import { Gruus } from "../../src/registrar/gruu.ts";
import { parseUri, type SipUri } from "../../src/sip/index.ts";
import { systemRandom } from "../../src/core/index.ts";
import { registrarBench, type Answer } from "./browser.ts";

/** RFC 5627. */
let bench: ReturnType<typeof registrarBench>;

beforeEach(() => {
  bench = registrarBench({ random: systemRandom });
});

afterEach(() => {
  bench.close();
  expect(bench.clock.pendingTimers).toBe(0);
});

function uri(text: string): SipUri {
  const parsed = parseUri(text);
  if (!parsed) throw new Error(`no URI: ${text}`);
  return parsed;
}

function gruu(answer: Answer, kind: "pub" | "temp", index = 0): string {
  return new RegExp(`;${kind}-gruu="([^"]*)"`).exec(answer.contacts[index] ?? "")?.[1] ?? "";
}

test("a client that knows GRUUs is given a public one that says DN and instance and never changes", () => {
  const browser = bench.browser("a");
  expect(gruu(browser.register(), "pub")).toBe("sip:5001@any.host.test;gr=urn:uuid:a");
  expect(gruu(browser.register(), "pub")).toBe("sip:5001@any.host.test;gr=urn:uuid:a");
  expect(bench.registrar.findByGruu(uri("sip:5001@jackfield;gr=urn:uuid:a"))?.instance).toBe("<urn:uuid:a>");
  for (const other of [
    "sip:5002@jackfield;gr=urn:uuid:a",
    "sip:5001@jackfield;gr=urn:uuid:b",
    "sip:5001@jackfield",
  ])
    expect(bench.registrar.findByGruu(uri(other))).toBeUndefined();
});

test("an instance with odd characters makes a URI that leads back to it", () => {
  const browser = bench.browser("a");
  browser.instance = "<urn:x:ä;b=c,d>";
  const made = gruu(browser.register(), "pub");
  expect(made).toBe("sip:5001@any.host.test;gr=urn:x:%C3%A4%3Bb%3Dc%2Cd");
  expect(bench.registrar.findByGruu(uri(made))?.instance).toBe(browser.instance);
});

test("each REGISTER gives a new temporary one that tells nothing; all of them lead to the client", () => {
  const browser = bench.browser("a");
  const given = [1, 2, 3].map(() => gruu(browser.register(), "temp"));
  expect(new Set(given).size).toBe(3);
  for (const one of given) {
    expect(one).toMatch(/^sip:tgruu\.[\w-]{35}@any\.host\.test;gr$/);
    expect(one).not.toContain("5001");
    expect(bench.registrar.findByGruu(uri(one))?.dn).toBe("5001");
  }
});

test("a temporary one is void when the client signs out, expires or starts with another Call-ID", () => {
  const browser = bench.browser("a");
  const first = uri(gruu(browser.register(), "temp"));
  const reloaded = bench.browser("reloaded");
  reloaded.instance = browser.instance;
  const second = uri(gruu(reloaded.register(), "temp"));
  expect(bench.registrar.findByGruu(first)).toBeUndefined();
  expect(bench.registrar.findByGruu(second)).toBeDefined();
  reloaded.register({ contact: "*", headers: ["Expires: 0"] });
  expect(bench.registrar.findByGruu(second)).toBeUndefined();
  const third = uri(gruu(reloaded.register({ headers: ["Expires: 60"] }), "temp"));
  bench.clock.advance(60_000);
  expect(bench.registrar.findByGruu(third)).toBeUndefined();
});

test("a temporary one that was changed or made up leads nowhere", () => {
  const browser = bench.browser("a");
  const given = gruu(browser.register(), "temp");
  const token = /tgruu\.([^@]*)/.exec(given)?.[1] ?? "";
  const forged = [
    token.replace(/^./, (one) => (one === "A" ? "B" : "A")),
    token.replace(/^(.{30})./, (_all, head: string) => `${head}${token[30] === "A" ? "B" : "A"}`),
    token.slice(0, -4),
    `${token}AAAA`,
    "",
    "A".repeat(35),
    "x".repeat(5000),
  ];
  for (const one of forged)
    expect(bench.registrar.findByGruu(uri(`sip:tgruu.${one}@any.host.test;gr`))).toBeUndefined();
});

test("each of a client's connections has its own row, and rows never outnumber connections", () => {
  const gruus = new Gruus(systemRandom);
  const contacts = new Set<string | undefined>();
  const binding = { contactOf: (regId: string | undefined) => (contacts.has(regId) ? {} : undefined) };
  const make = (regId: string, callId: string) => {
    contacts.add(regId);
    return gruus.temporaryGruu(uri("sip:5001@h"), binding as never, { regId, callId });
  };
  for (let round = 0; round < 50; round++) {
    make(String(round), `call-${round}`);
    make(String(round), `other-${round}`);
    contacts.delete(String(round - 1));
  }
  expect(gruus.size).toBeLessThanOrEqual(2);
  gruus.forget(binding as never);
  expect(gruus.size).toBe(0);
});

test("a client without instance has none, nor has one that does not know GRUUs", () => {
  const plain = bench.browser("a");
  plain.instance = undefined;
  expect(plain.register().contacts[0]).not.toContain("gruu");
  const other = bench.browser("b");
  const send = other.sendText.bind(other);
  other.sendText = (text) => send(text.replace("Supported: path,gruu,outbound", "Supported: path"));
  expect(other.register({ dn: "5002" }).contacts[0]).not.toContain("gruu");
});

test("Require: gruu is met; a contact that leads back here gets 403", () => {
  const browser = bench.browser("a");
  expect(gruu(browser.register({ headers: ["Require: gruu"] }), "pub")).not.toBe("");
  const loop = bench.browser("b");
  for (const contact of ["<sip:5002@any.host.test>", "<sip:5002@x.test;gr=urn:uuid:b>"])
    expect(loop.register({ dn: "5002", contact }).text).toBe("SIP/2.0 403 Contact Leads To Registrar");
});

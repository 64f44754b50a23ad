import { expect, it } from "vitest";
import { newCode, plainCode } from "../../src/endpoint/tokens/code.ts";
import { EndpointTokens } from "../../src/endpoint/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";

const hour = 3_600_000;

function openTokens({ secret = "one secret", clock = new FakeClock() } = {}) {
  const revoked: string[] = [];
  const random = new CountingRandom();
  const tokens = new EndpointTokens({
    secret,
    revoked: () => revoked,
    pageSessionMs: 12 * hour,
    clock,
    random,
  });
  return { tokens, revoked, clock };
}

function sessionOf(tokens: EndpointTokens, token: string): string {
  const opened = tokens.openPage(token);
  if ("refusal" in opened) throw new Error(opened.refusal);
  return opened.session;
}

it("an agent token names its DN, fits into a path and outlives a restart", () => {
  const { token, id } = openTokens().tokens.issueAgent("5001");
  expect(token).toMatch(/^[\w-]+\.[\w-]+$/);
  expect(openTokens().tokens.agent(token)).toEqual({ dn: "5001", id });
});

it("each agent token has an id of its own, by which it is revoked, and its pages with it", () => {
  const { tokens, revoked } = openTokens();
  const [one, other] = [tokens.issueAgent("5001"), tokens.issueAgent("5001")];
  const session = sessionOf(tokens, one.token);
  const pageToken = tokens.issuePageToken({ dn: "5001", id: one.id })?.token ?? "";
  revoked.push(one.id);
  expect(tokens.agent(one.token)).toBeUndefined();
  expect(tokens.page(session)).toBeUndefined();
  expect(tokens.openPage(pageToken)).toEqual({ refusal: "wrong" });
  expect(tokens.agent(other.token)).toEqual({ dn: "5001", id: other.id });
});

it("nothing made of another secret is good", () => {
  const { tokens } = openTokens();
  const { token } = tokens.issueAgent("5001");
  const session = sessionOf(tokens, token);
  tokens.secret = "another secret";
  expect(tokens.agent(token)).toBeUndefined();
  expect(tokens.page(session)).toBeUndefined();
  tokens.secret = "one secret";
  expect(tokens.agent(token)).toBeDefined();
});

it("a token with another DN put in, cut, lengthened or made up is none", () => {
  const { tokens } = openTokens();
  const { token, id } = tokens.issueAgent("5001");
  const [, mac = ""] = token.split(".");
  const forged = `${Buffer.from(`agent ${id} 5002`).toString("base64url")}.${mac}`;
  for (const wrong of [
    forged,
    token.slice(0, -1),
    `${token}.x`,
    `${token}A`,
    "",
    ".",
    "a.b",
    "x".repeat(10_000),
  ])
    expect(tokens.agent(wrong)).toBeUndefined();
});

it("a page session is no agent token, and an agent token no page session", () => {
  const { tokens } = openTokens();
  const { token } = tokens.issueAgent("5001");
  const session = sessionOf(tokens, token);
  expect(tokens.agent(session)).toBeUndefined();
  expect(tokens.page(token)).toBeUndefined();
  expect(tokens.openPage(session)).toEqual({ refusal: "wrong" });
});

it("a page token is good once and for 60 s", () => {
  const { tokens, clock } = openTokens();
  const holder = { dn: "5001", id: "0123456789abcdef" };
  const first = tokens.issuePageToken(holder);
  expect(first?.expiresAt).toBe(clock.wallClock() + 60_000);
  expect(tokens.openPage(first?.token ?? "")).toMatchObject({ dn: "5001" });
  expect(tokens.openPage(first?.token ?? "")).toEqual({ refusal: "used" });
  const second = tokens.issuePageToken(holder);
  clock.advance(60_000);
  expect(tokens.openPage(second?.token ?? "")).toEqual({ refusal: "expired" });
  clock.advance(60_001);
  tokens.issuePageToken(holder);
  expect(tokens.openPage(second?.token ?? "")).toEqual({ refusal: "wrong" });
});

it("a page session ends after its hours", () => {
  const { tokens, clock } = openTokens();
  const session = sessionOf(tokens, tokens.issueAgent("5001").token);
  clock.advance(12 * hour - 1);
  expect(tokens.page(session)).toMatchObject({ dn: "5001" });
  clock.advance(1);
  expect(tokens.page(session)).toBeUndefined();
});

it("no two pages were issued at the same time, so that the newer one is known", () => {
  const { tokens } = openTokens();
  const { token } = tokens.issueAgent("5001");
  const [one, other] = [sessionOf(tokens, token), sessionOf(tokens, token)];
  expect(tokens.page(other)?.issuedAt).toBeGreaterThan(tokens.page(one)?.issuedAt ?? Infinity);
});

it("a code enrols once within ten minutes, however it is typed", () => {
  const { tokens, clock } = openTokens();
  const issued = tokens.issueCode("5001");
  expect(issued?.expiresAt).toBe(clock.wallClock() + 600_000);
  const typed = ` ${(issued?.code ?? "").toLowerCase().replaceAll("-", " ")} `;
  const enrolled = tokens.enrol(typed);
  if ("refusal" in enrolled) throw new Error(enrolled.refusal);
  expect(tokens.agent(enrolled.token)).toEqual({ dn: "5001", id: enrolled.id });
  expect(tokens.enrol(typed)).toEqual({ refusal: "used" });
  const late = tokens.issueCode("5001");
  clock.advance(600_000);
  expect(tokens.enrol(late?.code ?? "")).toEqual({ refusal: "expired" });
  expect(tokens.enrol("0000-0000-0000")).toEqual({ refusal: "wrong" });
});

it("a code has 60 bits, and none of the letters that are taken for others", () => {
  const codes = Array.from({ length: 500 }, () => newCode(new CountingRandom(String(Math.random()))));
  for (const code of codes) expect(code).toMatch(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$/);
  expect(new Set(codes.join("").replaceAll("-", "")).size).toBe(32);
  expect(plainCode("oi-l0")).toBe("0110");
});

it("remembers a bounded number of page tokens, and takes more once the old ones are over", () => {
  const { tokens, clock } = openTokens();
  const holder = { dn: "5001", id: "0123456789abcdef" };
  for (let count = 0; count < 20_000; count++) tokens.issuePageToken(holder);
  expect(tokens.issuePageToken(holder)).toBeUndefined();
  clock.advance(120_001);
  expect(tokens.issuePageToken(holder)).toBeDefined();
});

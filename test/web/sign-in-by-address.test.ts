import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { OCCUPIED, signInByAddress } from "../../web/src/softphone/sign-in-by-address.ts";
import type { Softphone } from "../../web/src/softphone/softphone.ts";

const asked = { dn: "", token: "t", password: "" };
const first = () => ({ dn: "", server: "ws://a/ws", domain: "a" });
const page = { first, passwordAllowed: true };
const answer = { dn: "5002", user: "u", realm: "r", ha1: "h" };

let snapshot: { dn: string | undefined; signingIn: boolean };
let signedIn: unknown[];
let told: string[];
let fetched: number;
/** What happens while the gateway is asked. */
let meanwhile: () => void;

const softphone = {
  get snapshot() {
    return snapshot;
  },
  notices: { tell: (text: string) => void told.push(text) },
  signIn: async (credentials: unknown) => void signedIn.push(credentials),
  // Of the whole class no more is used.
} as unknown as Softphone;

beforeEach(() => {
  snapshot = { dn: undefined, signingIn: false };
  [signedIn, told, fetched] = [[], [], 0];
  meanwhile = () => {};
  vi.stubGlobal("fetch", async () => {
    fetched++;
    meanwhile();
    return Response.json(answer);
  });
});
afterEach(() => vi.unstubAllGlobals());

it("signs in with what the token stands for", async () => {
  await signInByAddress(softphone, asked, page);
  const ha1 = { user: "u", realm: "r", value: "h" };
  expect(signedIn).toEqual([{ ...first(), dn: "5002", password: "", ha1 }]);
});

it("spends no token while somebody is signed in, or about to be", async () => {
  for (const now of [
    { dn: "5001", signingIn: false },
    { dn: undefined, signingIn: true },
  ]) {
    snapshot = now;
    await signInByAddress(softphone, asked, page);
  }
  expect([signedIn, fetched, told]).toEqual([[], 0, [OCCUPIED, OCCUPIED]]);
});

it("takes nobody's place who signed in while the gateway was asked", async () => {
  meanwhile = () => void (snapshot = { dn: "5001", signingIn: false });
  await signInByAddress(softphone, asked, page);
  expect([signedIn, told]).toEqual([[], [OCCUPIED]]);
});

it("takes a password where the gateway lets it, and nowhere else", async () => {
  const byPassword = { dn: "5002", token: "", password: "p" };
  await signInByAddress(softphone, byPassword, { first, passwordAllowed: false });
  expect([signedIn, told]).toEqual([[], [expect.stringContaining("takes no password")]]);
  await signInByAddress(softphone, byPassword, page);
  expect(signedIn).toEqual([{ ...first(), dn: "5002", password: "p" }]);
});

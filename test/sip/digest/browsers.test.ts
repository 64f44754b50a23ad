import { createRequire } from "node:module";
import { Parser } from "sip.js/lib/core/index.js";
import { DigestAuthentication as SipJsDigest } from "sip.js/lib/core/messages/digest-authentication.js";
import { describe, expect, it } from "vitest";
import { createResponse, serializeMessage, type DigestServer } from "../../../src/sip/index.ts";
import { digestServer, register, uri } from "./support.ts";

// What the two browser libraries do with our challenges: their own parsers and digest code are the judges.

interface Challenge {
  readonly algorithm: string;
  readonly nonce: string;
}

interface BrowserDigest {
  authenticate(request: object, challenge: Challenge): boolean;
  toString(): string;
}

const load = createRequire(import.meta.url);
const JsSipDigest = load("jssip/lib/DigestAuthentication.js") as new (credentials: object) => BrowserDigest;
const jsSipParser = load("jssip/lib/Parser.js") as {
  parseMessage(text: string, userAgent: object): { parseHeader(name: string): Challenge };
};

function unauthorized(server: DigestServer): string {
  const headers = server.challenge().map((value): [string, string] => ["WWW-Authenticate", value]);
  return serializeMessage(createResponse(register(), 401, { toTag: "x", headers })).toString();
}

const logger = { log() {}, warn() {}, error() {}, debug() {} };
const loggers = { getLogger: () => logger };

const libraries: [
  string,
  { read: (text: string) => Challenge | undefined; digest: (password: string) => BrowserDigest },
][] = [
  [
    "JsSIP",
    {
      read: (text) => jsSipParser.parseMessage(text, {}).parseHeader("www-authenticate"),
      digest: (password) => new JsSipDigest({ username: "5001", password }),
    },
  ],
  [
    "SIP.js",
    {
      read: (text) =>
        Parser.parseMessage(text, loggers.getLogger() as never)?.parseHeader("www-authenticate") as Challenge,
      digest: (password) => new SipJsDigest(loggers as never, undefined, "5001", password),
    },
  ],
];

describe.each(libraries)("%s, which knows MD5 only", (_name, { read, digest }) => {
  it("takes the last challenge, so that the default order suits it", () => {
    const { server } = digestServer();
    const challenge = read(unauthorized(server));
    expect(challenge?.algorithm).toBe("MD5");
    const client = digest("s3cret");
    expect(client.authenticate({ method: "REGISTER", ruri: uri }, challenge ?? ({} as Challenge))).toBe(true);
    const value = client.toString();
    expect(server.verify(register(value))).toEqual({ outcome: "accepted", username: "5001" });
    expect(server.verify(register(value))).toEqual({ outcome: "challenge", stale: true });
  });

  it("would give up with SHA-256 last", () => {
    const { server } = digestServer({ algorithms: ["MD5", "SHA-256"] });
    const challenge = read(unauthorized(server));
    expect(challenge?.algorithm).toBe("SHA-256");
    expect(
      digest("s3cret").authenticate({ method: "REGISTER", ruri: uri }, challenge ?? ({} as Challenge)),
    ).toBe(false);
  });

  it("is refused with a wrong password", () => {
    const { server } = digestServer();
    const client = digest("guess");
    client.authenticate({ method: "REGISTER", ruri: uri }, read(unauthorized(server)) ?? ({} as Challenge));
    expect(server.verify(register(client.toString()))).toMatchObject({ outcome: "refused", status: 403 });
  });
});

import {
  createDigestServer,
  createRequest,
  createResponse,
  parseMessage,
  serializeMessage,
  type DigestServerOptions,
  type SipRequest,
  type SipResponse,
} from "../../../src/sip/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";

export const uri = "sip:gw.example.com";

export function register(...authorizations: string[]): SipRequest {
  return createRequest({
    method: "REGISTER",
    uri,
    headers: [
      ["Via", "SIP/2.0/WS x.invalid;branch=z9hG4bK1"],
      ["From", "<sip:5001@gw.example.com>;tag=a"],
      ["To", "<sip:5001@gw.example.com>"],
      ["Call-ID", "c"],
      ["CSeq", "1 REGISTER"],
      ...authorizations.map((value): [string, string] => ["Authorization", value]),
    ],
  });
}

/** A 401 or 407 that went over the wire. */
export function challenged(challenges: readonly string[], status: 401 | 407 | 403 = 401): SipResponse {
  const name = status === 407 ? "Proxy-Authenticate" : "WWW-Authenticate";
  const headers = challenges.map((value): [string, string] => [name, value]);
  const bytes = serializeMessage(createResponse(register(), status, { toTag: "b", headers }));
  const parsed = parseMessage(bytes, "frame");
  if (parsed.outcome !== "message" || parsed.message.kind !== "response") throw new Error("not a response");
  return parsed.message;
}

export function digestServer(options: Partial<DigestServerOptions> = {}) {
  const clock = new FakeClock();
  const server = createDigestServer({
    realm: "jackfield",
    clock,
    random: new CountingRandom("server"),
    nonceLifetimeMs: 60_000,
    findSecret: (username) => (username === "5001" ? { password: "s3cret" } : undefined),
    ...options,
  });
  return { clock, server };
}

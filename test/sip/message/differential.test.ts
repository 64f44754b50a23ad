import { Parser } from "sip.js/lib/core/messages/parser.js";
import type { IncomingRequestMessage } from "sip.js/lib/core/messages/incoming-request-message.js";
import type { NameAddrHeader } from "sip.js/lib/grammar/index.js";
import { describe, expect, it } from "vitest";
import type { NameAddress } from "../../../src/sip/message/index.ts";
import { serializeMessage } from "../../../src/sip/message/index.ts";
import { clientMessages } from "./clients.ts";
import { accepted } from "./support.ts";

const silent = { error() {}, warn() {}, log() {}, debug() {} };

/** The same message as sip.js reads it. Its types promise more than it keeps, so values are compared as they come. */
function oracle(bytes: Buffer): IncomingRequestMessage {
  const message = Parser.parseMessage(
    bytes.toString(),
    silent as unknown as Parameters<typeof Parser.parseMessage>[1],
  );
  if (message === undefined) expect.fail("sip.js refuses it");
  return message as IncomingRequestMessage;
}

/** Ours and theirs in the same shape: theirs has users unescaped, hosts and values of URI parameters in lower case. */
function ours(address: NameAddress): unknown {
  return [
    address.displayName,
    address.uri.scheme,
    address.uri.user,
    address.uri.host.toLowerCase(),
    address.uri.port,
    Object.fromEntries(
      Array.from(address.uri.parameters, ([name, value]) => [name, value?.toLowerCase() ?? null]),
    ),
    Object.fromEntries(Array.from(address.parameters, ([name, value]) => [name, value ?? null])),
  ];
}

function theirs(address: NameAddrHeader): unknown {
  const unquoted = (text: string | null) => (text?.startsWith('"') ? text.slice(1, -1) : text);
  return [
    (address.displayName as string | undefined)?.replaceAll(/\\(.)/g, "$1"),
    address.uri.scheme,
    address.uri.user,
    address.uri.host,
    address.uri.port,
    { ...address.uri.parameters },
    Object.fromEntries(
      Object.entries(address.parameters as Record<string, string | null>).map(([name, value]) => [
        name,
        unquoted(value),
      ]),
    ),
  ];
}

describe("well-formed messages read as sip.js reads them", () => {
  for (const [name, bytes] of Object.entries(clientMessages)) {
    it(name, () => {
      const own = accepted(bytes);
      const other = oracle(bytes);
      expect(ours(own.from)).toEqual(theirs(other.from));
      expect(ours(own.to)).toEqual(theirs(other.to));
      expect([own.from.tag, own.to.tag]).toEqual([other.fromTag, other.toTag ?? undefined]);
      expect([own.callId, own.cseq.sequence]).toEqual([other.callId, other.cseq]);
      expect(own.cseq.method).toBe(other.method);
      expect(own.topVia.branch).toBe(other.viaBranch);
      expect(own.topVia.host).toBe(other.via.host);
      expect(own.topVia.port ?? null).toBe((other.via as { port?: number }).port ?? null);
      expect(own.body.toString()).toBe(other.body ?? "");
      const contacts = Array.from({ length: other.getHeaders("contact").length }, (_, index) =>
        theirs(other.parseHeader("contact", index)),
      );
      expect(own.contacts.map(ours)).toEqual(contacts);
      for (const header of [
        "Allow",
        "Supported",
        "Authorization",
        "Session-Expires",
        "Content-Type",
        "Event",
      ]) {
        expect(own.headers.get(header), header).toBe(other.getHeader(header));
      }
      if (own.kind === "request") {
        expect([own.uri.user, own.uri.host, own.uri.port]).toEqual([
          other.ruri?.user,
          other.ruri?.host,
          other.ruri?.port,
        ]);
      } else {
        expect([own.status, own.reason]).toEqual([
          (other as unknown as { statusCode: number }).statusCode,
          (other as unknown as { reasonPhrase: string }).reasonPhrase,
        ]);
      }
    });

    it(`${name}, written again by us`, () => {
      const own = accepted(bytes);
      const other = oracle(serializeMessage(own));
      expect(theirs(other.from)).toEqual(ours(own.from));
      expect(other.body ?? "").toBe(own.body.toString());
      expect(other.getHeader("Content-Length")).toBe(String(own.body.length));
    });
  }
});

import { describe, expect, it } from "vitest";
import { createResponse, parseMessage, serializeMessage } from "../../../src/sip/message/index.ts";
import { clientMessages } from "./clients.ts";
import { bytes, request } from "./support.ts";

// The list of genesys-sip-server.md 4, as far as it concerns single messages.

describe("what SIP Server sends is taken as it is", () => {
  const invite = clientMessages["SIP Server INVITE"] ?? Buffer.alloc(0);

  it("headers stand in any order, Via behind Content-Length too", () => {
    const swapped = request(
      bytes({
        Via: undefined,
        order: [
          "Content-Length: 0",
          "Content-Type: application/sdp",
          "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0A1B-2C3D-1",
        ],
      }),
    );
    expect(swapped.topVia.branch).toBe("z9hG4bK0A1B-2C3D-1");
  });

  it("every order of the mandatory headers reads the same", () => {
    const lines = bytes().toString().trimEnd().split("\r\n");
    const start = lines.shift() ?? "";
    for (let turn = 0; turn < lines.length; turn++) {
      lines.push(lines.shift() ?? "");
      const message = request([start, ...lines, "", ""].join("\r\n"));
      expect([message.from.tag, message.callId, message.cseq.sequence, message.topVia.branch]).toEqual([
        "from-1",
        "call-1@192.0.2.10",
        1,
        "z9hG4bK-1",
      ]);
    }
  });

  it("From and To without brackets: tag is a header parameter, both are copied verbatim", () => {
    const message = request(invite);
    expect(message.from).toMatchObject({
      tag: "88170A6B-4E0E-4D5C-AB01-256",
      uri: { raw: "sip:1003@192.0.2.10:5060", port: 5060 },
    });
    expect(message.to.tag).toBeUndefined();
    const answer = serializeMessage(createResponse(message, 180, { toTag: "gw-1" })).toString();
    for (const line of [
      "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0A1B-2C3D-1",
      "From: sip:1003@192.0.2.10:5060;tag=88170A6B-4E0E-4D5C-AB01-256",
      "To: sip:5001@192.0.2.10:5060;tag=gw-1",
      "Call-ID: 5C0D7A54-11-22@192.0.2.10",
      "CSeq: 1 INVITE",
    ]) {
      expect(answer).toContain(`\r\n${line}\r\n`);
    }
  });

  it("no Via of it carries rport", () => {
    expect(request(invite).topVia.parameters.has("rport")).toBe(false);
  });

  it("the request URI may lack its user part", () => {
    const message = request(bytes({ start: "OPTIONS sip:192.0.2.20:5061 SIP/2.0" }));
    expect(message.uri).toMatchObject({ user: undefined, host: "192.0.2.20", port: 5061 });
  });

  it("a port may be there in one message and missing in the next", () => {
    expect(request(bytes({ From: "From: <sip:1003@192.0.2.10:5060>;tag=1" })).from.uri.port).toBe(5060);
    expect(request(bytes({ From: "From: <sip:1003@192.0.2.10>;tag=1" })).from.uri.port).toBeUndefined();
  });

  it("Max-Forwards may be missing, on an ACK too, or be anything up to 255", () => {
    const ack = { start: "ACK sip:5001@192.0.2.20 SIP/2.0", CSeq: "CSeq: 1 ACK" };
    expect(request(bytes(ack)).headers.has("Max-Forwards")).toBe(false);
    expect(request(bytes({ x: "Max-Forwards: 60" })).headers.get("Max-Forwards")).toBe("60");
    expect(request(bytes({ x: "Max-Forwards: 0" })).headers.get("Max-Forwards")).toBe("0");
  });

  it("CSeq has up to 31 bits; OPTIONS carry the time of day", () => {
    expect(request(bytes({ CSeq: "CSeq: 1795200000 OPTIONS" })).cseq.sequence).toBe(1_795_200_000);
    expect(request(bytes({ CSeq: "CSeq: 2147483647 OPTIONS" })).cseq.sequence).toBe(2 ** 31 - 1);
  });

  it("OPTIONS without Contact and Allow, ACK without Contact", () => {
    const message = request(bytes());
    expect(message.contacts).toEqual([]);
    expect(message.headers.has("Allow")).toBe(false);
  });

  it("CANCEL has a To without tag, and the branch of its INVITE", () => {
    const message = request(bytes({ start: "CANCEL sip:5001@192.0.2.20 SIP/2.0", CSeq: "CSeq: 1 CANCEL" }));
    expect(message.to.tag).toBeUndefined();
    expect(message.topVia.branch).toBe("z9hG4bK-1");
  });

  it("rport echoed without a value beside received", () => {
    const answer = parseMessage(clientMessages["SIP Server 200 to REGISTER"] ?? Buffer.alloc(0), "datagram");
    if (answer.outcome !== "message") expect.fail("refused");
    const { parameters } = answer.message.topVia;
    expect([parameters.has("rport"), parameters.get("rport"), parameters.get("received")]).toEqual([
      true,
      undefined,
      "192.0.2.20",
    ]);
    expect(answer.message.contacts[0]?.parameters.get("expires")).toBe("300");
  });

  it("datagrams of nearly 64 kB", () => {
    expect(request(bytes({}, "x".repeat(64_000))).body.length).toBe(64_000);
  });

  it("the header sections of real clients pass with much room below the limits", () => {
    for (const message of Object.values(clientMessages)) {
      expect(message.indexOf("\r\n\r\n")).toBeLessThan(2000);
    }
  });
});

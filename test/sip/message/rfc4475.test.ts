import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createResponse, parseMessage, serializeMessage } from "../../../src/sip/message/index.ts";
import { bodyLength, semantics } from "../../vectors/rfc4475/semantics.ts";
import { syntaxInvalid } from "../../vectors/rfc4475/syntax-invalid.ts";
import { syntaxValid } from "../../vectors/rfc4475/syntax-valid.ts";
import { sdpLength, type Vector } from "../../vectors/rfc4475/vector.ts";
import { accepted, refused, request, response } from "./support.ts";

function find(vectors: readonly Vector[], name: string): Buffer {
  const vector = vectors.find((candidate) => candidate.name === name);
  if (vector === undefined) expect.fail(`no vector ${name}`);
  return vector.bytes;
}

/** What must be read out of each valid message. */
const readings: Readonly<Record<string, (bytes: Buffer) => void>> = {
  wsinv(bytes) {
    const message = request(bytes);
    expect(message.vias.map((via) => [via.transport, via.host, via.branch])).toEqual([
      ["UDP", "192.0.2.20", "oldstyle-11"],
      ["TCP", "edge.example.com", "z9hG4bK-second"],
      ["UDP", "192.0.2.77", "z9hG4bK-third"],
    ]);
    expect(message.to).toMatchObject({ tag: "to-9f1", uri: { user: "5001", host: "gw.example.com" } });
    expect(message.from).toMatchObject({ tag: "from-77", displayName: 'A "Quoted" \\ Name' });
    expect(message.cseq).toEqual({ sequence: 11, method: "INVITE" });
    expect(message.headers.get("Subject")).toBe("");
    expect(message.headers.get("X-Folded")).toBe("first part second part");
    expect(message.headers.get("x-only-separators")).toBe(";,;;,,;");
    expect(message.headers.get("Route")).toBe("<sip:edge.example.com;lr;other=value;flag>");
    expect(Array.from(message.contacts[0]?.parameters ?? [])).toEqual([
      ["kind", "other"],
      ["flag", undefined],
      ["q", "0.25"],
    ]);
    expect(message.body.length).toBe(sdpLength);
  },
  intmeth(bytes) {
    const message = request(bytes);
    expect(message.method).toBe("Odd-.!%*_+`'~0");
    expect(message.uri.user).toBe("u1_.!~*'()&=+$,;?/");
    expect(message.uri.host).toBe("gw.example.com");
    expect(message.to.displayName).toBe("bell \u0007 nul \u0000 del \u007f");
    expect(message.from.parameters.get("odd''~+*_!.-%")).toBe("работа");
    expect(message.from).toMatchObject({ tag: "_t~1'+*!-.`", displayName: "tok1~` tok2'+_ tok3*%!.-" });
    expect(message.callId).toBe("call%ID-.!*_+`'~@word()<>:\\/\"[]?{}");
    expect(message.headers.get("x-odd-!.%*+_`'~")).toBe("\uFEFF大停電");
    expect(
      serializeMessage(createResponse(message, 200)).includes(
        bytes.subarray(bytes.indexOf("To:"), bytes.indexOf("From:")),
      ),
    ).toBe(true);
  },
  esc01(bytes) {
    const message = request(bytes);
    expect(message.uri).toMatchObject({
      scheme: "sip",
      user: "sips%3A5001%40inner.example.com",
      host: "gw.example.com",
    });
    expect(message.to.uri.user).toBe("%35001");
    expect(message.contacts[0]?.uri.user).toBe("c%61ller");
    expect(Array.from(message.contacts[0]?.uri.parameters ?? [])).toEqual([
      ["lr", undefined],
      ["name", "v%61l%25"],
    ]);
    expect(serializeMessage(message).toString()).toContain(
      "INVITE sip:sips%3A5001%40inner.example.com@gw.example.com SIP/2.0\r\n",
    );
  },
  escnull(bytes) {
    expect(request(bytes).contacts.map((contact) => contact.uri.user)).toEqual(["%00", "%00%00"]);
  },
  esc02(bytes) {
    const message = request(bytes);
    expect(message.method).toBe("IN%56IT%45");
    expect(message.contacts.map((contact) => contact.uri.user)).toEqual(["one", "three"]);
    expect(message.to.displayName).toBe("%A%4");
    expect(message.topVia.branch).toBe("z9hG4bK1%zz2");
  },
  lwsdisp(bytes) {
    expect(request(bytes).from).toMatchObject({ displayName: "desk", tag: "l1", uri: { user: "5002" } });
  },
  longreq(bytes) {
    const message = request(bytes);
    expect(message.vias).toHaveLength(20);
    expect(message.vias.at(-1)?.branch).toBe("z9hG4bK-l7");
    expect(message.to.uri.port).toBe(6000);
    expect(message.to.uri.parameters.get("p".repeat(120))).toBe("v".repeat(200));
    expect(message.from.tag).toBe("12".repeat(80));
  },
  dblreq(bytes) {
    const message = request(bytes);
    expect(message.method).toBe("REGISTER");
    expect(message.body.length).toBe(0);
  },
  semiuri(bytes) {
    const message = request(bytes);
    expect(message.uri).toMatchObject({ user: "5001;mode=a%40b", host: "gw.example.com" });
    expect(message.uri.parameters.size).toBe(0);
    expect(message.headers.values("Accept")).toEqual(["application/sdp", "text/plain", "message/sipfrag"]);
  },
  transports(bytes) {
    expect(request(bytes).vias.map((via) => via.transport)).toEqual(["UDP", "SCTP", "TLS", "PIGEON", "WS"]);
  },
  mpart01(bytes) {
    const message = request(bytes);
    expect(message.contentType).toBe("multipart/mixed");
    expect(message.body.length).toBe(267);
    expect(Array.from(message.body.subarray(-256))).toEqual(Array.from({ length: 256 }, (_, index) => index));
  },
  unreason(bytes) {
    expect(response(bytes)).toMatchObject({ status: 200, reason: "= 2**3 * 5**2 хорошо, 好" });
  },
  noreason(bytes) {
    expect(response(bytes)).toMatchObject({ status: 100, reason: "" });
  },
  baddate(bytes) {
    expect(request(bytes).headers.get("Date")).toBe("Fri, 20 Nov 2026 16:00:00 CET");
  },
  badbranch(bytes) {
    expect(request(bytes).topVia.branch).toBe("z9hG4bK");
  },
  unkscm(bytes) {
    expect(request(bytes).uri).toMatchObject({ scheme: "nosuchscheme", host: "", user: undefined });
  },
  novelsc(bytes) {
    expect(request(bytes).uri).toMatchObject({ scheme: "http", raw: "http://192.0.2.20:8080/path?x=1" });
  },
  unksm2(bytes) {
    const message = request(bytes);
    expect([message.to.uri.scheme, message.from.uri.scheme, message.from.tag]).toEqual([
      "isbn",
      "http",
      "x3",
    ]);
    expect(message.contacts[0]?.uri.raw).toBe("name:ann_bell");
  },
  bext01(bytes) {
    expect(request(bytes).headers.values("Require")).toEqual(["nobodyHasThis", "norThis"]);
  },
  invut(bytes) {
    expect(request(bytes).contentType).toBe("application/x-sound");
  },
  regaut01(bytes) {
    expect(request(bytes).headers.get("Authorization")).toBe("Secret opaque=here");
  },
  bcast(bytes) {
    expect(response(bytes).vias.map((via) => via.host)).toEqual(["192.0.2.20", "255.255.255.255"]);
  },
  zeromf(bytes) {
    expect(request(bytes).headers.get("max-forwards")).toBe("0");
  },
  cparam01(bytes) {
    const contact = request(bytes).contacts[0];
    expect(contact?.parameters.has("novel")).toBe(true);
    expect(contact?.uri.parameters.has("novel")).toBe(false);
  },
  cparam02(bytes) {
    const contact = request(bytes).contacts[0];
    expect(contact?.parameters.has("novel")).toBe(false);
    expect(contact?.uri.parameters.has("novel")).toBe(true);
  },
  regescrt(bytes) {
    expect(request(bytes).contacts[0]?.uri.headers).toBe("Route=%3Csip:edge.example.com%3E");
  },
  sdp01(bytes) {
    const message = request(bytes);
    expect(message.headers.get("Accept")).toBe("text/nobodyHasThis");
    expect(message.body.length).toBe(bodyLength);
  },
  inv2543(bytes) {
    const message = request(bytes);
    expect(message.topVia.branch).toBeUndefined();
    expect(message.from.tag).toBeUndefined();
    expect(message.to.parameters.get("user")).toBe("phone");
    expect(message.body.length).toBe(bodyLength);
  },
};

describe("RFC 4475, messages of our own for each rule", () => {
  for (const vector of [...syntaxValid, ...semantics]) {
    it(`${vector.section} ${vector.name}: ${vector.rule}`, () => {
      const reading = readings[vector.name];
      if (reading === undefined) expect.fail("nothing says what must be read");
      reading(vector.bytes);
    });
  }

  for (const vector of syntaxInvalid) {
    const end = vector.answered ? `answered ${vector.status}` : "dropped";
    it(`${vector.section} ${vector.name}: ${vector.rule} is ${end}`, () => {
      const outcome = refused(vector.bytes);
      expect(outcome.status).toBe(vector.status);
      expect(outcome.reply !== undefined).toBe(vector.answered);
      if (outcome.reply === undefined) return;
      const answer = serializeMessage(
        createResponse(outcome.reply, outcome.status, { reason: outcome.reason, toTag: "gw" }),
      );
      expect(answer.toString().startsWith(`SIP/2.0 ${vector.status} ${outcome.reason}\r\nVia: SIP/`)).toBe(
        true,
      );
    });
  }

  it("each valid message says the same after a round trip", () => {
    for (const vector of [...syntaxValid, ...semantics]) {
      const first = accepted(vector.bytes);
      const second = accepted(serializeMessage(first));
      expect(second.vias, vector.name).toEqual(first.vias);
      expect([second.from, second.to, second.cseq, second.callId], vector.name).toEqual([
        first.from,
        first.to,
        first.cseq,
        first.callId,
      ]);
      expect(second.contacts, vector.name).toEqual(first.contacts);
      expect(second.body, vector.name).toEqual(first.body);
    }
  });

  it("cut at any byte none of them throws, and none but a bodiless prefix is taken as whole", () => {
    for (const name of ["wsinv", "intmeth", "mpart01"]) {
      const bytes = find(syntaxValid, name);
      for (let end = 0; end < bytes.length; end++) {
        const { outcome } = parseMessage(bytes.subarray(0, end), "datagram");
        expect(outcome, `${name} cut at ${end}`).not.toBe("message");
      }
    }
  });
});

// The RFC's own files are not ours to carry; where the folder lies beside the repository they are an extra run.
const originals = new URL("../../../../shared/data/rfc4475/", import.meta.url);
const present = existsSync(originals);

/** The files whose fault is one of syntax or of a mandatory header; `baddate` is liberal by the RFC's advice. */
const mustBeRefused = new Set([...syntaxInvalid.map((vector) => vector.name), "test"]);

describe.skipIf(!present)(
  `RFC 4475, the original files${present ? "" : " (skipped: no ../shared/data/rfc4475)"}`,
  () => {
    const files = present
      ? ["valid", "invalid"].flatMap((folder) =>
          readdirSync(new URL(`${folder}/`, originals)).map((file) => ({ folder, file })),
        )
      : [];
    for (const { folder, file } of files) {
      const name = file.replace(".dat", "");
      it(`${name} is ${mustBeRefused.has(name) ? "refused" : "parsed"}`, () => {
        const bytes = readFileSync(new URL(`${folder}/${file}`, originals));
        const outcome = parseMessage(bytes, "datagram");
        expect(outcome.outcome).toBe(mustBeRefused.has(name) ? "invalid" : "message");
        if (outcome.outcome === "invalid") expect(outcome.status).toBe(name === "badvers" ? 505 : 400);
      });
    }
    it("there is an own vector for each of them", () => {
      const own = new Set([...syntaxValid, ...syntaxInvalid, ...semantics].map((vector) => vector.name));
      const theirs = files.map(({ file }) => file.replace(".dat", "")).filter((name) => name !== "test");
      expect(theirs.filter((name) => !own.has(name))).toEqual([]);
    });
  },
);

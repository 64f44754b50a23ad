import { describe, expect, it } from "vitest";
import { cutMessage } from "../../src/trace/cut.ts";

const message = (
  headers: readonly string[],
  body = "",
  start = "INVITE sip:1003@192.0.2.10 SIP/2.0",
): string => [start, ...headers, "", body].join("\r\n");

/** Every secret a message of ours can carry; each is `SECRET` with a number. */
const secrets: readonly (readonly [string, string])[] = [
  [
    "digest answer",
    message([
      'Authorization: Digest username="5001", realm="r", nonce="SECRET1", uri="sip:x", response="SECRET2", cnonce="SECRET3", opaque="SECRET4", qop=auth, nc=00000001',
    ]),
  ],
  ["proxy's digest answer", message(["PROXY-AUTHORIZATION : Digest response=SECRET1,nonce=SECRET2"])],
  [
    "digest over folded lines",
    message(['Authorization: Digest username="5001",', ' nonce="SECRET1",', '\tresponse="SECRET2"']),
  ],
  ["digest with broken quotes", message(['Authorization: Digest nonce="SECRET1, response=SECRET2'])],
  ["digest with stray words", message(["Authorization: Digest nonce=a SECRET1 SECRET2"])],
  [
    "SDES key behind a tab",
    message(
      ["Content-Type: application/sdp"],
      "v=0\r\na=crypto:1\tAES_CM_128_HMAC_SHA1_80\tinline:SECRET1\r\n",
    ),
  ],
  ["bearer token", message(["Authorization: Bearer SECRET1"])],
  ["basic login", message(["Proxy-Authorization: Basic SECRET1=="])],
  [
    "challenge",
    message(
      ['WWW-Authenticate: Digest realm="jackfield", nonce="SECRET1", opaque="SECRET2", algorithm=MD5'],
      "",
      "SIP/2.0 401 Unauthorized",
    ),
  ],
  [
    "proxy's challenge",
    message(['Proxy-Authenticate: Digest realm="r", nonce="SECRET1"'], "", "SIP/2.0 407 x"),
  ],
  [
    "next nonce",
    message(['Authentication-Info: nextnonce="SECRET1", rspauth="SECRET2", qop=auth'], "", "SIP/2.0 200 OK"),
  ],
  ["resume token", message(["X-Jackfield-Resume: SECRET1"])],
  [
    "resume token under a longer name",
    message(["x-jackfield-resume-token: SECRET1", "X-Jackfield-Resumed: SECRET2"]),
  ],
  [
    "any token, password or cookie",
    message(["X-Access-Token: SECRET1", "X-Password: SECRET2", "Cookie: SECRET3", "X-API-Key: SECRET4"]),
  ],
  [
    "password in a URI",
    message(["Contact: <sip:5001:SECRET1@192.0.2.1>"], "", "INVITE sip:1003:SECRET2@192.0.2.10 SIP/2.0"),
  ],
  [
    "header fields in a URI",
    message(["Refer-To: <sip:1@x?Replaces=a&Authorization=Digest%20SECRET1&X-Jackfield-Resume=SECRET2>"]),
  ],
  [
    "ICE password",
    message(
      ["Content-Type: application/sdp"],
      "v=0\r\na=ice-ufrag:abcd\r\na=ice-pwd:SECRET1\r\nA=ICE-PWD:SECRET2\r\n",
    ),
  ],
  [
    "SDES keys",
    message(
      ["c: application/sdp"],
      "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:SECRET1|2^20|1:4;inline:SECRET2\r\nk=base64:SECRET3\r\na=key-mgmt:mikey SECRET4\r\n",
    ),
  ],
  ["text message", message(["Content-Type: text/plain"], "SECRET1", "MESSAGE sip:5001@x SIP/2.0")],
  [
    "text message that says it is SDP",
    message(["Content-Type: application/sdp"], "SECRET1", "MESSAGE sip:5001@x SIP/2.0"),
  ],
  ["body of an unknown kind", message(["Content-Type: application/x-custom"], "SECRET1")],
  ["body without a kind", message([], "SECRET1")],
  [
    "multipart body",
    message(
      ["Content-Type: multipart/mixed;boundary=b"],
      "--b\r\nContent-Type: application/sdp\r\n\r\na=ice-pwd:SECRET1\r\n--b--",
    ),
  ],
  [
    "sipfrag with credentials",
    message(
      ["Content-Type: message/sipfrag"],
      'INVITE sip:x SIP/2.0\r\nAuthorization: Digest response="SECRET1"\r\n',
    ),
  ],
  [
    "lines that end with LF alone",
    "INVITE sip:x SIP/2.0\nAuthorization: Digest response=SECRET1\nContent-Type: application/sdp\n\na=ice-pwd:SECRET2\n",
  ],
];

describe("a message in a trace", () => {
  it.each(secrets)("is shown without its %s", (_name, wire) => {
    expect(wire).toContain("SECRET1");
    expect(cutMessage(wire, true)).not.toContain("SECRET");
    expect(cutMessage(wire, true)).toMatch(/\[cut\]|bytes of .* cut\]/);
  });

  it.each([
    ["INFO dtmf-relay", ["Content-Type: application/dtmf-relay"], "Signal=7\r\nDuration=160\r\n"],
    ["INFO dtmf-relay, spaced", ["Content-Type: application/dtmf-relay"], "Signal= 7 7 7\r\n"],
    ["INFO dtmf", ["Content-Type: application/dtmf"], "7"],
    ["NOTIFY dtmf", ["Event: dtmf", "Content-Type: text/plain"], "Signal=77#7\n"],
    ["NOTIFY dtmf, compact", ["o: dtmf;id=1"], "7"],
  ])("shows the keys of %s only when asked to", (_name, headers, body) => {
    const wire = message(headers, body, "INFO sip:x SIP/2.0");
    expect(cutMessage(wire, false).split("\r\n\r\n")[1]).not.toMatch(/7/);
    expect(cutMessage(wire, true)).toContain(body);
  });

  it("is otherwise whole: fingerprint, candidates, credentials' harmless fields, names in UTF-8", () => {
    const body = "v=0\r\na=fingerprint:sha-256 AA:BB\r\na=candidate:1 1 udp 1 192.0.2.1 5000 typ host\r\n";
    const name = Buffer.from('From: "Jürgen" <sip:5001@x>;tag=1').toString("latin1");
    const credentials = 'Authorization: Digest username="5001", realm="r", response="s", nc=00000001';
    const wire = message([name, credentials, "Content-Type: application/sdp"], body);
    const shown = cutMessage(wire, false);
    expect(shown).toContain("Jürgen");
    expect(shown).toContain('Digest username="5001", realm="r", response=[cut], nc=00000001');
    expect(shown.endsWith(body)).toBe(true);
  });

  it.each(["sip:", "sip:a:", "sip:a:b@", "@", "a", "a-b ", "&token=", "?x-resume"])(
    "takes time by its length and no more of headers full of %s",
    (filler) => {
      const wire = message([`Refer-To: ${filler.repeat(100_000 / filler.length)}`], "");
      const began = process.cpuUsage().user;
      for (let count = 0; count < 10; count++) cutMessage(wire, false);
      expect((process.cpuUsage().user - began) / 1000).toBeLessThan(500);
    },
  );

  it.each([
    ["<sip:5001:secret@x>", "<sip:5001:[cut]@x>"],
    ["sip:5001:sec:ret@x;a=b", "sip:5001:[cut]@x;a=b"],
    ["<sip:a@x>,<SIPS:b:secret@y>", "<sip:a@x>,<SIPS:b:[cut]@y>"],
    [`<sip:5001:${"s".repeat(300)}@x>`, "<sip:5001:[cut]@x>"],
    ["<sip:5001@192.0.2.1:5060;lr>", "<sip:5001@192.0.2.1:5060;lr>"],
    ["<sip:192.0.2.1:5060>;q=1", "<sip:192.0.2.1:5060>;q=1"],
  ])("shows %s as %s", (value, shown) => {
    expect(cutMessage(message([`Contact: ${value}`], ""), false)).toContain(`Contact: ${shown}\r\n`);
  });

  it("takes no time, whatever it is made of", () => {
    const began = process.cpuUsage();
    for (const filler of [
      "sip:a",
      "sip:a:",
      "?authorization",
      'Digest a="',
      "a",
      "\r\n a",
      "inline:",
      "=",
      "\r\n",
    ])
      cutMessage(
        message(
          [
            `Authorization: ${filler.repeat(16_384 / filler.length)}`,
            `Authorization: Digest ${filler.repeat(32_768 / filler.length)}`,
            filler.repeat(2000),
          ],
          filler.repeat(2000),
        ),
        false,
      );
    const { user, system } = process.cpuUsage(began);
    expect((user + system) / 1000).toBeLessThan(1000);
  });
});

import { lines, sdp, sdpLength, type Vector } from "./vector.ts";

function request(line: string, cseq: string, more: readonly string[], body: readonly string[] = []): Buffer {
  return lines(
    line,
    "Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-sem",
    "From: sip:5002@gw.example.com;tag=x1",
    "Call-ID: meaning-1",
    `CSeq: ${cseq}`,
    ...more,
    `l: ${body.join("\r\n").length + (body.length > 0 ? 2 : 0)}`,
    "",
    ...body,
  );
}

const to = "To: sip:5001@gw.example.com";

/**
 * RFC 4475 3.1.2.12, 3.2, 3.3 and 3.4: the message must come through the parser whole; what is odd about it is
 * for the layers above, which must be able to see it.
 */
export const semantics: readonly Vector[] = [
  {
    name: "baddate",
    section: "3.1.2.12",
    rule: "a Date that is not in GMT is no reason to refuse who does not use it",
    bytes: request("OPTIONS sip:5001@gw.example.com SIP/2.0", "1 OPTIONS", [to, "Date: Fri, 20 Nov 2026 16:00:00 CET"]),
  },
  {
    name: "badbranch",
    section: "3.2.1",
    rule: "a branch of the cookie alone identifies no transaction",
    bytes: lines(
      "OPTIONS sip:5001@gw.example.com SIP/2.0",
      to,
      "From: sip:5002@gw.example.com;tag=x2",
      "Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK",
      "Call-ID: cookie-only-1",
      "CSeq: 8 OPTIONS",
      "l: 0",
      "",
    ),
  },
  {
    name: "unkscm",
    section: "3.3.2",
    rule: "request URI of a scheme nobody knows: 416 is for the layer above",
    bytes: request("OPTIONS nosuchscheme:opaque-part SIP/2.0", "2 OPTIONS", [to]),
  },
  {
    name: "novelsc",
    section: "3.3.3",
    rule: "request URI of a known scheme that is not SIP",
    bytes: request("OPTIONS http://192.0.2.20:8080/path?x=1 SIP/2.0", "3 OPTIONS", [to]),
  },
  {
    name: "unksm2",
    section: "3.3.4",
    rule: "other schemes in From, To and Contact are no reason to refuse",
    bytes: lines(
      "REGISTER sip:gw.example.com SIP/2.0",
      "To: isbn:2983792873",
      "From: <http://www.example.com>;tag=x3",
      "Call-ID: schemes-1",
      "CSeq: 234902 REGISTER",
      "Max-Forwards: 70",
      "Via: SIP/2.0/UDP 192.0.2.21:5060;branch=z9hG4bK-u2",
      "Contact: <name:ann_bell>",
      "l: 0",
      "",
    ),
  },
  {
    name: "bext01",
    section: "3.3.5",
    rule: "Require lists what nobody supports: 420 is for the layer above",
    bytes: request("OPTIONS sip:5001@gw.example.com SIP/2.0", "4 OPTIONS", [
      to,
      "Require: nobodyHasThis, norThis",
      "Proxy-Require: noProxyHasThis",
    ]),
  },
  {
    name: "invut",
    section: "3.3.6",
    rule: "body of an unknown type: 415 is for the layer above",
    bytes: request(
      "INVITE sip:5001@gw.example.com SIP/2.0",
      "5 INVITE",
      [to, "Content-Type: application/x-sound"],
      ["<sound/>"],
    ),
  },
  {
    name: "regaut01",
    section: "3.3.7",
    rule: "credentials of an unknown scheme come through as they are",
    bytes: request("REGISTER sip:gw.example.com SIP/2.0", "6 REGISTER", [to, "Authorization: Secret opaque=here"]),
  },
  {
    name: "bcast",
    section: "3.3.10",
    rule: "a response with a Via below ours: the layer above drops it",
    bytes: lines(
      "SIP/2.0 200 OK",
      "Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK-b1",
      "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bK-b2",
      "Call-ID: broadcast-1",
      "CSeq: 35 INVITE",
      "From: sip:5002@gw.example.com;tag=x4",
      "To: sip:5001@gw.example.com;tag=x5",
      "Content-Length: 0",
      "",
    ),
  },
  {
    name: "zeromf",
    section: "3.3.11",
    rule: "Max-Forwards of zero: 483 is for proxies",
    bytes: request("OPTIONS sip:5001@gw.example.com SIP/2.0", "7 OPTIONS", [to, "Max-Forwards: 0"]),
  },
  {
    name: "cparam01",
    section: "3.3.12",
    rule: "unknown parameter behind a bare Contact URI is the header's",
    bytes: request("REGISTER sip:gw.example.com SIP/2.0", "8 REGISTER", [to, "Contact: sip:+4930@192.0.2.20;novel"]),
  },
  {
    name: "cparam02",
    section: "3.3.13",
    rule: "the same parameter in brackets is the URI's",
    bytes: request("REGISTER sip:gw.example.com SIP/2.0", "9 REGISTER", [to, "Contact: <sip:+4930@192.0.2.20;novel>"]),
  },
  {
    name: "regescrt",
    section: "3.3.14",
    rule: "headers within a bracketed Contact URI are kept",
    bytes: request("REGISTER sip:gw.example.com SIP/2.0", "10 REGISTER", [
      to,
      "M: <sip:5001@192.0.2.20?Route=%3Csip:edge.example.com%3E>",
    ]),
  },
  {
    name: "sdp01",
    section: "3.3.15",
    rule: "Accept lists no type we could send: 406 is for the layer above",
    bytes: request(
      "INVITE sip:5001@gw.example.com SIP/2.0",
      "11 INVITE",
      [to, "Accept: text/nobodyHasThis", "Content-Type: application/sdp"],
      sdp,
    ),
  },
  {
    name: "inv2543",
    section: "3.4.1",
    rule: "RFC 2543: no branch, no From tag, no Max-Forwards, no Content-Length",
    bytes: lines(
      "INVITE sip:5001@gw.example.com SIP/2.0",
      "Via: SIP/2.0/UDP old.example.com",
      "From: <sip:+4930123@old.example.com;user=phone>",
      "Record-Route: <sip:5001@gw.example.com;maddr=edge.example.com>",
      "To: sip:+4930456@gw.example.com;user=phone",
      "Call-ID: old-1@old.example.com",
      "CSeq: 56 INVITE",
      "Content-Type: application/sdp",
      "",
      ...sdp,
    ),
  },
];

/** Octets of the body that `sdp01` and `inv2543` carry. */
export const bodyLength = sdpLength;

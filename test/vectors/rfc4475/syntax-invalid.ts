import { lines, sdp, sdpLength, type RefusedVector } from "./vector.ts";

interface Parts {
  start?: string;
  via?: string;
  to?: string;
  from?: string;
  cseq?: string;
  more?: string[];
  length?: string;
  body?: string[];
}

/** An OPTIONS without fault, but for the parts given. */
function options(parts: Parts): Buffer {
  return lines(
    parts.start ?? "OPTIONS sip:5001@gw.example.com SIP/2.0",
    `Via: ${parts.via ?? "SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK-bad"}`,
    "Max-Forwards: 70",
    `From: ${parts.from ?? "<sip:5002@gw.example.com>;tag=b1"}`,
    `To: ${parts.to ?? "<sip:5001@gw.example.com>"}`,
    "Call-ID: bad-1@192.0.2.20",
    `CSeq: ${parts.cseq ?? "61 OPTIONS"}`,
    ...(parts.more ?? []),
    `Content-Length: ${parts.length ?? "0"}`,
    "",
    ...(parts.body ?? []),
  );
}

const answered400 = { status: 400, answered: true } as const;

/** RFC 4475 3.1.2: every one of these is answered with the status, or dropped when it is a response. */
export const syntaxInvalid: readonly RefusedVector[] = [
  {
    name: "badinv01",
    section: "3.1.2.1",
    rule: "empty parameters and list elements in Via and Contact",
    bytes: options({ via: "SIP/2.0/UDP 192.0.2.20;;,;,,", more: ['Contact: "Desk" <sip:5002@192.0.2.20>;;;'] }),
    ...answered400,
  },
  {
    name: "clerr",
    section: "3.1.2.2",
    rule: "Content-Length beyond the datagram's end",
    bytes: options({ length: "9999", body: sdp }),
    ...answered400,
  },
  {
    name: "ncl",
    section: "3.1.2.3",
    rule: "negative Content-Length",
    bytes: options({ length: "-999", body: sdp }),
    ...answered400,
  },
  {
    name: "scalar02",
    section: "3.1.2.4",
    rule: "numbers of a request beyond their range",
    bytes: options({
      start: "REGISTER sip:gw.example.com SIP/2.0",
      cseq: "36893488147419103999 REGISTER",
      more: [`Expires: 1${"0".repeat(99)}`, "Contact: <sip:5001@192.0.2.20>;expires=280297596632999"],
    }),
    ...answered400,
  },
  {
    name: "scalarlg",
    section: "3.1.2.5",
    rule: "numbers of a response beyond their range",
    bytes: options({
      start: "SIP/2.0 503 Service Unavailable",
      cseq: "9292394834772304023999 OPTIONS",
      more: ["Retry-After: 949302838503028349304023999"],
    }),
    status: 400,
    answered: false,
  },
  {
    name: "quotbal",
    section: "3.1.2.6",
    rule: "display name whose quote never closes",
    bytes: options({ to: '"Desk <sip:5001@gw.example.com>' }),
    ...answered400,
  },
  {
    name: "ltgtruri",
    section: "3.1.2.7",
    rule: "request URI in angle brackets",
    bytes: options({ start: "OPTIONS <sip:5001@gw.example.com> SIP/2.0" }),
    ...answered400,
  },
  {
    name: "lwsruri",
    section: "3.1.2.8",
    rule: "blank within the request URI",
    bytes: options({ start: "OPTIONS sip:5001@gw.example.com; lr SIP/2.0" }),
    ...answered400,
  },
  {
    name: "lwsstart",
    section: "3.1.2.9",
    rule: "more than one blank between the parts of the request line",
    bytes: options({ start: "OPTIONS  sip:5001@gw.example.com  SIP/2.0" }),
    ...answered400,
  },
  {
    name: "trws",
    section: "3.1.2.10",
    rule: "blanks at the end of the request line",
    bytes: options({ start: "OPTIONS sip:5001@gw.example.com SIP/2.0  " }),
    ...answered400,
  },
  {
    name: "escruri",
    section: "3.1.2.11",
    rule: "headers within the request URI",
    bytes: options({ start: "OPTIONS sip:5001@gw.example.com?Route=%3Csip:edge.example.com%3E SIP/2.0" }),
    ...answered400,
  },
  {
    name: "regbadct",
    section: "3.1.2.13",
    rule: "Contact whose URI has headers but no angle brackets",
    bytes: options({ more: ["Contact: sip:5001@gw.example.com?Route=%3Csip:edge.example.com%3E"] }),
    ...answered400,
  },
  {
    name: "badaspec",
    section: "3.1.2.14",
    rule: "blanks between the angle brackets and the URI",
    bytes: options({ to: '"Desk, Front" < sip:5001@gw.example.com >' }),
    ...answered400,
  },
  {
    name: "baddn",
    section: "3.1.2.15",
    rule: "comma in a display name without quotes",
    bytes: options({ from: "Desk, Front <sip:5002@gw.example.com>;tag=b2" }),
    ...answered400,
  },
  {
    name: "badvers",
    section: "3.1.2.16",
    rule: "protocol version that nobody speaks",
    bytes: options({ start: "OPTIONS sip:5001@gw.example.com SIP/7.0", via: "SIP/7.0/UDP 192.0.2.20;branch=z9hG4bK-7" }),
    status: 505,
    answered: true,
  },
  {
    name: "mismatch01",
    section: "3.1.2.17",
    rule: "CSeq names another method than the start line",
    bytes: options({ cseq: "8 INVITE" }),
    ...answered400,
  },
  {
    name: "mismatch02",
    section: "3.1.2.18",
    rule: "CSeq names another method than the start line, which is unknown too",
    bytes: options({ start: "FETCH sip:5001@gw.example.com SIP/2.0", cseq: "8 INVITE" }),
    ...answered400,
  },
  {
    name: "bigcode",
    section: "3.1.2.19",
    rule: "status code of more than three digits",
    bytes: options({ start: "SIP/2.0 4294967301 Far Too Much" }),
    status: 400,
    answered: false,
  },
  {
    name: "insuf",
    section: "3.3.1",
    rule: "mandatory headers missing",
    bytes: lines(
      "INVITE sip:5001@gw.example.com SIP/2.0",
      "CSeq: 193942 INVITE",
      "Via: SIP/2.0/UDP 192.0.2.20;branch=z9hG4bK-i1",
      "Content-Type: application/sdp",
      `l: ${sdpLength}`,
      "",
      ...sdp,
    ),
    ...answered400,
  },
  {
    name: "multi01",
    section: "3.3.8",
    rule: "headers twice that may stand once",
    bytes: options({
      more: ["CSeq: 62 OPTIONS", "Call-ID: bad-2@192.0.2.20", "To: <sip:5003@gw.example.com>", "Max-Forwards: 5"],
    }),
    ...answered400,
  },
  {
    name: "mcl01",
    section: "3.3.9",
    rule: "two Content-Length headers that differ",
    bytes: options({ more: ["Content-Length: 13"], length: "5", body: ["how many octets is this?"] }),
    ...answered400,
  },
];

// Messages in the shapes that JsSIP 3.13, SIP.js 0.21, SIP Server and SIPp send, for the differential, fuzz and
// speed tests. Values are made up.

const offer = [
  "v=0",
  "o=- 3861042013437020241 2 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "m=audio 54310 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110 126",
  "c=IN IP4 192.0.2.2",
  ...Array.from(
    { length: 4 },
    (_, index) => `a=candidate:${index} 1 udp 2122194687 192.0.2.2 5431${index} typ host`,
  ),
  "a=ice-ufrag:ALCE",
  "a=ice-pwd:RBdOig6FzsO4TPoBIVzqMukF",
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "39").join(":")}`,
  "a=setup:actpass",
  ...["111 opus/48000/2", "63 red/48000/2", "9 G722/8000", "0 PCMU/8000", "8 PCMA/8000"].map(
    (map) => `a=rtpmap:${map}`,
  ),
  "a=sendrecv",
  "",
].join("\r\n");

function message(lines: readonly string[], body = ""): Buffer {
  return Buffer.from(
    `${[...lines, `Content-Length: ${Buffer.byteLength(body)}`, "", ""].join("\r\n")}${body}`,
  );
}

const jssipTail = [
  "Allow: INVITE,ACK,CANCEL,BYE,UPDATE,MESSAGE,OPTIONS,REFER,INFO,NOTIFY,SUBSCRIBE",
  "Supported: path,gruu,outbound",
  "User-Agent: JsSIP 3.13.8",
];

const authorization =
  'Authorization: Digest algorithm=MD5, username="alice", realm="gw", nonce="abc123", uri="sip:gw.example.com", ' +
  'response="0aa7ff33e4845e7a1f7b75cfecc300fd", qop=auth, cnonce="2nhr2egepemg", nc=00000001';

export const clientMessages: Readonly<Record<string, Buffer>> = {
  "JsSIP REGISTER": message([
    "REGISTER sip:gw.example.com SIP/2.0",
    "Via: SIP/2.0/WS tnb7tkjk78in.invalid;branch=z9hG4bK1141822",
    "Max-Forwards: 69",
    "To: <sip:alice@gw.example.com>",
    "From: <sip:alice@gw.example.com>;tag=kr428rktk7",
    "Call-ID: voaabg4idfvdfj0dhrskfe",
    "CSeq: 2 REGISTER",
    authorization,
    "Expires: 300",
    'Contact: <sip:509ptusb@tnb7tkjk78in.invalid;transport=ws>;+sip.ice;reg-id=1;+sip.instance="<urn:uuid:e8e53380-a0f6-43df-954d-ea17b6f78f56>";expires=300',
    ...jssipTail,
  ]),
  "JsSIP INVITE": message(
    [
      "INVITE sip:1234@gw.example.com SIP/2.0",
      "Via: SIP/2.0/WS tnb7tkjk78in.invalid;branch=z9hG4bK5329374",
      "Max-Forwards: 69",
      "To: <sip:1234@gw.example.com>",
      "From: <sip:alice@gw.example.com>;tag=2qsnk170tc",
      "Call-ID: dcnlb2kfs3jdvaevtcch",
      "CSeq: 3073 INVITE",
      "Contact: <sip:509ptusb@tnb7tkjk78in.invalid;transport=ws;ob>",
      "Content-Type: application/sdp",
      "Session-Expires: 90",
      ...jssipTail,
    ],
    offer,
  ),
  "SIP.js REGISTER": message([
    "REGISTER sip:gw.example.com SIP/2.0",
    "Via: SIP/2.0/WS 3sa1b78bhbh0.invalid;branch=z9hG4bK9039587",
    "To: <sip:bob@gw.example.com>",
    "From: <sip:bob@gw.example.com>;tag=5h975q9b2d",
    "CSeq: 3 REGISTER",
    "Call-ID: g4vbqrk7j9k158gic924",
    "Max-Forwards: 70",
    authorization,
    "Contact: <sip:r0147n20@3sa1b78bhbh0.invalid;transport=ws>;expires=300",
    "Allow: ACK,CANCEL,INVITE,MESSAGE,BYE,OPTIONS,INFO,NOTIFY,REFER",
    "Supported: outbound, path, gruu",
    "User-Agent: SIP.js/0.21.1",
  ]),
  "SIP.js ACK": message([
    "ACK sip:1234@gw.example.com SIP/2.0",
    "Via: SIP/2.0/WS 3sa1b78bhbh0.invalid;branch=z9hG4bK8852146",
    "To: <sip:1234@gw.example.com>;tag=gw1",
    "From: <sip:bob@gw.example.com>;tag=nnofq2ss1o",
    "CSeq: 1 ACK",
    "Call-ID: g4vbqjs31u9c7cve09js",
    "Max-Forwards: 70",
  ]),
  "SIP Server INVITE": message(
    [
      "INVITE sip:5001@192.0.2.20:5070 SIP/2.0",
      "From: sip:1003@192.0.2.10:5060;tag=88170A6B-4E0E-4D5C-AB01-256",
      "To: sip:5001@192.0.2.10:5060",
      "Call-ID: 5C0D7A54-11-22@192.0.2.10",
      "CSeq: 1 INVITE",
      "Content-Type: application/sdp",
      "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0A1B-2C3D-1",
      "Contact: <sip:1003@192.0.2.10:5060>",
      "Allow: ACK, BYE, CANCEL, INFO, INVITE, MESSAGE, NOTIFY, OPTIONS, PRACK, REFER, UPDATE",
      "Max-Forwards: 69",
      "X-Genesys-CallUUID: UIVB8J6JE91C53UIM3VI59VHQ4000015",
      "Session-Expires: 1800;refresher=uac",
      "Min-SE: 90",
      "Supported: uui,100rel,timer",
    ],
    "v=0\r\no=Genesys 1 1 IN IP4 192.0.2.30\r\ns=-\r\nc=IN IP4 192.0.2.30\r\nt=0 0\r\nm=audio 8000 RTP/AVP 0 8 101\r\n",
  ),
  "SIP Server NOTIFY talk": message([
    "NOTIFY sip:5001@192.0.2.20:5070 SIP/2.0",
    "From: sip:1003@192.0.2.10:5060;tag=88170A6B-4E0E-4D5C-AB01-256",
    "To: <sip:5001@192.0.2.10:5060>;tag=gw-7",
    "Call-ID: 5C0D7A54-11-22@192.0.2.10",
    "CSeq: 2 NOTIFY",
    "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK0A1B-2C3D-2",
    "Contact: <sip:1003@192.0.2.10:5060>",
    "Event: talk",
    "Subscription-State: active",
  ]),
  "SIP Server 200 to REGISTER": message([
    "SIP/2.0 200 OK",
    "From: <sip:5001@192.0.2.10>;tag=gw-5001-a",
    "To: <sip:5001@192.0.2.10>;tag=s1",
    "Call-ID: reg-5001-7f3c@192.0.2.20",
    "CSeq: 17 REGISTER",
    "Via: SIP/2.0/UDP 192.0.2.20:5070;rport;branch=z9hG4bK-r5001-17;received=192.0.2.20",
    "Expires: 300",
    "Contact: <sip:5001@192.0.2.20:5070>;expires=300",
  ]),
  "response with display names": message([
    "SIP/2.0 183 Session Progress",
    "Via: SIP/2.0/UDP [2001:db8::20]:5070;branch=z9hG4bK-6",
    'From: "Jürgen, \\"J\\" Groß" <sip:5001@[2001:db8::10]>;tag=a',
    "To: Front Desk <sip:9@[2001:db8::10]:5062;user=phone>;tag=b;x=y",
    "Call-ID: six@[2001:db8::20]",
    "CSeq: 2147483647 INVITE",
    'Contact: "c,d" <sip:9@host;transport=tcp>;q=0.7, <sip:e@f>;expires=60',
  ]),
};

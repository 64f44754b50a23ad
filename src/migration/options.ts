import type { Setting } from "./config-file.ts";
import { isYes, ownOf, type PjsipObject } from "./objects.ts";
import type { Findings, Kind } from "./report.ts";
import type { Role } from "./roles.ts";

/** What becomes of a key; of several values, by value. */
type Verdict = readonly [kind: Kind, text: string];
type Answer = Verdict | ((value: string, role: Role) => Verdict | undefined);
type Answers = Readonly<Record<string, Answer>>;

const always = (what: string): Verdict => ["gone", `${what}; there is nothing to switch`];
const atSipServer = (what: string): Verdict => ["lost", `${what} is SIP Server's (or its media server's)`];
const onBrowserLeg = always("toward browsers that is so at any time");

/** Where every endpoint key goes. A key told of elsewhere with its value has undefined as its answer. */
const endpoint: Answers = {
  webrtc: always("every agent is a browser"),
  use_avpf: onBrowserLeg,
  ice_support: onBrowserLeg,
  rtcp_mux: onBrowserLeg,
  bundle: onBrowserLeg,
  media_use_received_transport: onBrowserLeg,
  media_encryption: (value, role) =>
    role === "agent" || /^no$/i.test(value)
      ? onBrowserLeg
      : [
          "decide",
          "media.trunkSrtp: offer or require, with sipServer.transport: tls (sipServer.tls takes cert, key and ca)",
        ],
  media_encryption_optimistic: [
    "decide",
    "media.trunkSrtp: accept answers what SIP Server offers; SRTP is never asked for by a plain offer",
  ],
  dtls_cert_file: ["gone", "certificates of the sound are made at start; browsers know them by fingerprint"],
  dtls_private_key: [
    "gone",
    "certificates of the sound are made at start; browsers know them by fingerprint",
  ],
  dtls_ca_file: onBrowserLeg,
  dtls_ca_path: onBrowserLeg,
  dtls_auto_generate_cert: onBrowserLeg,
  dtls_verify: ["gone", "the browser's fingerprint is always checked"],
  dtls_setup: onBrowserLeg,
  dtls_fingerprint: onBrowserLeg,
  dtls_cipher: onBrowserLeg,
  dtls_rekey: onBrowserLeg,
  srtp_tag_32: ["gone", "both lengths are taken where media.trunkSrtp is on"],
  direct_media: ["gone", "sound always runs through the gateway: a browser cannot speak RTP with a phone"],
  direct_media_method: ["gone", "sound always runs through the gateway"],
  direct_media_glare_mitigation: ["gone", "sound always runs through the gateway"],
  connected_line_method: ["gone", "who is connected is told by SIP Server"],
  disable_direct_media_on_nat: ["gone", "sound always runs through the gateway"],
  dtmf_mode: (value) =>
    /^(?:rfc4733|auto|auto_info)$/i.test(value)
      ? [
          "gone",
          "DTMF is RFC 4733 on both sides, and NOTIFY dtmf of SIP Server's; INFO from browsers is taken too",
        ]
      : [
          "decide",
          "DTMF is RFC 4733 here; sound with tones in it or SIP INFO toward SIP Server is not sent. Does the far side take telephone-event?",
        ],
  rtp_timeout: [
    "mapped",
    "media.idleSeconds (30): it warns and is seen in the metrics; a silent call is not cut",
  ],
  rtp_timeout_hold: ["gone", "a held call is never idle"],
  rtp_keepalive: ["gone", "gaps toward SIP Server are filled, so that nobody's RTP timer fires"],
  force_rport: always("replies go back on the connection a request came by"),
  rewrite_contact: always("the browser's contact never leaves the gateway"),
  rtp_symmetric: (_value, role) =>
    role === "trunk"
      ? ["gone", "media.trunkSource: sound may come from any port of the address in SDP"]
      : onBrowserLeg,
  asymmetric_rtp_codec: always("what comes in may be another codec than what goes out"),
  timers: (value, role) => {
    if (role === "agent") return ["gone", "browsers' calls end with their connection, not by a timer"];
    return /^(?:no|never)$/i.test(value)
      ? ["mapped", "sipServer.sessionTimer.mode: ignore"]
      : ["mapped", "sipServer.sessionTimer: on, with SIP Server's interval; SIP Server refreshes"];
  },
  timers_min_se: (_value, role) =>
    role === "agent"
      ? ["gone", "there is no timer toward browsers"]
      : ["mapped", "sipServer.sessionTimer.minSeconds"],
  timers_sess_expires: (_value, role) =>
    role === "agent"
      ? ["gone", "there is no timer toward browsers"]
      : ["mapped", "sipServer.sessionTimer.offerSeconds"],
  "100rel": (value) =>
    /^peer_supported$/i.test(value)
      ? ["mapped", "sipServer.reliableRinging: supported"]
      : ["gone", "sipServer.reliableRinging: required, i.e. where SIP Server requires it"],
  send_pai: (value, role) =>
    isYes(value) && role === "trunk"
      ? ["mapped", "calls.outbound.identity: asserted"]
      : ["gone", "the agent's page is told who calls"],
  send_rpid: ["gone", "Remote-Party-ID is not sent; calls.outbound.identity sends P-Asserted-Identity"],
  trust_id_inbound: ["gone", "who calls is P-Asserted-Identity where SIP Server sends it"],
  trust_id_outbound: ["gone", "calls.outbound.privacy says when numbers are withheld"],
  callerid_privacy: ["gone", "calls.outbound.privacy says when numbers are withheld"],
  callerid_tag: ["gone", "there is nothing that reads it"],
  from_user: (_value, role) =>
    role === "trunk"
      ? ["gone", "From names the agent's DN: that is how SIP Server knows who dials"]
      : undefined,
  from_domain: ["gone", "From has SIP Server's address"],
  contact_user: ["gone", "Contact names the DN"],
  max_audio_streams: onBrowserLeg,
  max_video_streams: ["lost", "there is no video"],
  allow_subscribe: ["gone", "there is nothing to subscribe to"],
  sub_min_expiry: ["gone", "there is nothing to subscribe to"],
  allow_transfer: ["gone", "transfers go through SIP Server at any time"],
  user_eq_phone: ["gone", "SIP Server asks for no user=phone"],
  inband_progress: ["gone", "180 and 183 are passed on as they come"],
  moh_suggest: atSipServer("music on hold"),
  moh_passthrough: ["gone", "a hold of the agent's is a re-INVITE to SIP Server, which plays the music"],
  mailboxes: atSipServer("voicemail"),
  voicemail_extension: atSipServer("voicemail"),
  mwi_from_user: atSipServer("voicemail"),
  aggregate_mwi: atSipServer("voicemail"),
  subscribe_context: ["gone", "there is nothing to subscribe to"],
  message_context: ["lost", "text messages to SIP Server are not routed by a dial plan"],
  call_group: atSipServer("call pickup"),
  pickup_group: atSipServer("call pickup"),
  named_call_group: atSipServer("call pickup"),
  named_pickup_group: atSipServer("call pickup"),
  device_state_busy_at: [
    "gone",
    "SIP Server knows who is busy (reject-call-incall); an agent has up to three calls",
  ],
  one_touch_recording: atSipServer("recording"),
  record_on_feature: atSipServer("recording"),
  record_off_feature: atSipServer("recording"),
  t38_udptl: ["lost", "fax does not reach browsers"],
  fax_detect: ["lost", "fax does not reach browsers"],
  t38_udptl_nat: ["lost", "fax does not reach browsers"],
  language: atSipServer("announcements in a language"),
  tone_zone: ["gone", "tones are the page's and the media server's"],
  accountcode: [
    "lost",
    "call records have the DN and SIP Server's call UUID; accounts are the contact centre's reports",
  ],
  set_var: ["lost", "there is no dial plan that could read variables"],
  acl: [
    "decide",
    "who may connect is websocket.origins and your firewall; from where SIP may come is sipServer.allow",
  ],
  deny: ["decide", "who may connect is your firewall; from where SIP may come is sipServer.allow"],
  permit: ["decide", "who may connect is your firewall; from where SIP may come is sipServer.allow"],
  outbound_proxy: [
    "decide",
    "a proxy in between (Kamailio and the like) is not needed any more: sipServer.addresses must be SIP Server's own, and browsers connect to the gateway itself. Is it left out in the addresses taken over?",
  ],
  stir_shaken: ["lost", "STIR/SHAKEN is no matter within a contact centre"],
  refer_blind_progress: ["gone", "the page is told how a transfer goes on"],
  notify_early_inuse_ringing: ["gone", "there is nothing to subscribe to"],
  identify_by: ["gone", "agents are known by digest, SIP Server by its address"],
  preferred_codec_only: ["gone", "answers have one codec"],
  incoming_call_offer_pref: ["gone", "media.browserCodecs and media.trunkCodecs are orders of preference"],
  outgoing_call_offer_pref: ["gone", "media.browserCodecs and media.trunkCodecs are orders of preference"],
  codec_prefs_incoming_offer: ["gone", "media.browserCodecs and media.trunkCodecs are orders of preference"],
  codec_prefs_outgoing_offer: ["gone", "media.browserCodecs and media.trunkCodecs are orders of preference"],
  codec_prefs_incoming_answer: ["gone", "media.browserCodecs and media.trunkCodecs are orders of preference"],
  codec_prefs_outgoing_answer: ["gone", "media.browserCodecs and media.trunkCodecs are orders of preference"],
  follow_early_media_fork: ["gone", "the gateway follows SIP Server's answers wherever they move the sound"],
  accept_multiple_sdp_answers: [
    "gone",
    "the gateway follows SIP Server's answers wherever they move the sound",
  ],
  suppress_q850_reason_headers: ["gone", "SIP Server's Reason is shown to the agent"],
  tos_audio: ["lost", "packets are not marked: mark them on the host (iptables or tc)"],
  cos_audio: ["lost", "packets are not marked: mark them on the host (iptables or tc)"],
  tos_video: ["lost", "there is no video"],
  transport: ["mapped", "http for browsers, sip for SIP Server"],
  callerid: ["mapped", "agents.accounts[].displayName where it is more than the number"],
};

const aor: Answers = {
  max_contacts: (value, role) =>
    role === "agent" && Number(value) > 1
      ? [
          "decide",
          "one browser a DN (agents.severalBrowsers): SIP Server has one contact a DN too. The newest sign-in replaces the one before",
        ]
      : ["gone", "one browser a DN"],
  remove_existing: ["mapped", "agents.severalBrowsers: newest replaces the first, or first keeps it"],
  remove_unavailable: ["gone", "one browser a DN"],
  qualify_frequency: (_value, role) =>
    role === "trunk"
      ? ["mapped", "sipServer.optionsSeconds"]
      : ["gone", "browsers are pinged on their connection (websocket.pingSeconds)"],
  qualify_timeout: ["gone", "a SIP Server that does not answer for 4 s is left for the next"],
  authenticate_qualify: ["gone", "OPTIONS need no password"],
  contact: ["mapped", "sipServer.addresses, where registrations name no other; DNs are registered"],
  minimum_expiration: ["gone", "agents.minExpires"],
  maximum_expiration: ["gone", "agents.maxExpires"],
  default_expiration: ["gone", "browsers say how long"],
  support_path: ["gone", "no proxy stands between browser and gateway"],
  outbound_proxy: ["gone", "no proxy stands between browser and gateway"],
  mailboxes: atSipServer("voicemail"),
  voicemail_extension: atSipServer("voicemail"),
};

const registration: Answers = {
  server_uri: ["mapped", "sipServer.addresses"],
  client_uri: [
    "mapped",
    "the DN; it is registered while its agent is signed in, not all the time (sipServer.registration.mode: on-sign-in), so that SIP Server sends no calls to absent agents",
  ],
  contact_user: ["gone", "Contact names the DN"],
  expiration: ["mapped", "sipServer.registration.expires"],
  outbound_auth: ["mapped", "sipServer.auth"],
  retry_interval: ["gone", "a refused or silent SIP Server is asked again after pauses that grow"],
  forbidden_retry_interval: [
    "gone",
    "403 and 404 get a long pause and an alarm; the next sign-in tries again at once",
  ],
  fatal_retry_interval: ["gone", "no refusal ends a registration for good"],
  auth_rejection_permanent: ["gone", "no refusal ends a registration for good"],
  max_retries: ["gone", "no refusal ends a registration for good"],
  line: ["gone", "calls are known by the DN in the request URI"],
  endpoint: ["gone", "calls are known by the DN in the request URI"],
  transport: ["mapped", "sip"],
  outbound_proxy: endpoint["outbound_proxy"] ?? always(""),
  support_path: ["gone", "no proxy stands between gateway and SIP Server"],
  security_negotiation: ["gone", "SIP Server knows none"],
};

const auth: Answers = {
  realm: ["mapped", "agents.realm, where passwords are hashes"],
  nonce_lifetime: ["gone", "nonces are signed and expire"],
  auth_type: ["mapped", "agents: password, or ha1 for hashes"],
  username: ["mapped", "the DN"],
  password: [
    "mapped",
    "agents (accounts, ranges or the password file); toward SIP Server: sipServer.auth or trunkPassword",
  ],
  md5_cred: ["mapped", "agents.accounts[].ha1"],
  password_digest: ["mapped", "agents.accounts[].ha1 and ha1Sha256"],
  supported_algorithms_uas: ["gone", "MD5 and SHA-256 are both offered"],
  supported_algorithms_uac: ["gone", "MD5 and SHA-256 are both answered"],
};

const transport: Answers = {
  bind: ["mapped", "http.host and http.port, sip.host and sip.port"],
  external_media_address: [
    "mapped",
    "media.browserSide.advertisedAddress or, for both sides, media.advertisedAddress",
  ],
  external_signaling_address: ["mapped", "sip.advertisedAddress, unless SIP Server lies in local_net"],
  external_signaling_port: ["decide", "Contact names sip.port: forward that very port"],
  local_net: ["mapped", "where SIP Server lies in it, its side of the sound keeps the inner address"],
  cert_file: ["mapped", "http.tls.cert for browsers, sipServer.tls.cert toward SIP Server"],
  priv_key_file: ["mapped", "http.tls.key for browsers, sipServer.tls.key toward SIP Server"],
  ca_list_file: ["decide", "sipServer.tls.ca, where SIP goes by TLS"],
  ca_list_path: ["decide", "sipServer.tls.ca, where SIP goes by TLS: one file"],
  verify_client: ["gone", "sipServer.tls.requirePeerCertificate"],
  verify_server: ["gone", "SIP Server's certificate is always checked"],
  method: ["gone", "TLS 1.2 and 1.3"],
  cipher: ["gone", "TLS 1.2 and 1.3 with Node's ciphers"],
  password: [
    "decide",
    "keys must be without a passphrase: openssl pkey -in KEY -out KEY.plain, readable by the gateway's user only",
  ],
  websocket_write_timeout: ["gone", "a browser that takes nothing is dropped"],
  protocol: ["mapped", "websocket for wss, sipServer.transport for udp, tcp and tls"],
  tos: ["lost", "packets are not marked: mark them on the host (iptables or tc)"],
  cos: ["lost", "packets are not marked: mark them on the host (iptables or tc)"],
  domain: ["gone", "the digest's realm is agents.realm"],
  async_operations: ["gone", "there is nothing to tune"],
  allow_reload: ["gone", "certificates are read again when they change"],
  symmetric_transport: always("replies go back on the connection a request came by"),
};

const identify: Answers = {
  match: ["mapped", "sipServer.allow, where it is none of sipServer.addresses"],
  match_header: ["decide", "SIP Server is known by its address alone: name it in sipServer.allow"],
  match_request_uri: ["decide", "SIP Server is known by its address alone: name it in sipServer.allow"],
  endpoint: ["mapped", "sipServer"],
  srv_lookups: ["gone", "a name in sipServer.addresses stands for its SRV or A records"],
};

const answersByType: Readonly<Record<string, Answers>> = {
  endpoint,
  aor,
  registration,
  auth,
  transport,
  identify,
};

/** Told of with their values, by the parts that take them. */
const toldElsewhere: Readonly<Record<string, readonly string[]>> = {
  endpoint: ["type", "aors", "auth", "outbound_auth", "allow", "disallow", "context"],
};

/** Tells what becomes of every setting of an object. */
export function tellSettings(object: PjsipObject, role: Role, findings: Findings): void {
  const answers = ownOf(answersByType, object.type);
  const told = ownOf(toldElsewhere, object.type) ?? ["type"];
  for (const setting of object.settings) {
    if (told.includes(setting.key)) continue;
    const verdict = answers && verdictOn(answers, setting, role);
    if (verdict) findings.about(verdict[0], masked(setting), verdict[1]);
    else
      findings.about(
        "decide",
        masked(setting),
        `nothing is known of this key of type ${object.type}: does anything depend on it?`,
      );
  }
}

function verdictOn(answers: Answers, { key, value }: Setting, role: Role): Verdict | undefined {
  const answer = ownOf(answers, key);
  return typeof answer === "function" ? answer(value, role) : answer;
}

/** Keys whose values differ from DN to DN, so that a thousand DNs are one line. */
const ownKeys = new Set([
  "client_uri",
  "contact_user",
  "username",
  "callerid",
  "mailboxes",
  "contact",
  "outbound_auth",
  "endpoint",
]);

function masked(setting: Setting): Setting {
  if (!ownKeys.has(setting.key) || setting.value.length > 256) return setting;
  const value = setting.value.replace(/^"?[^"<]*"?\s*</, "... <").replace(/^\d{3,}$|\d{3,}(?=[@>])/g, "(DN)");
  return { ...setting, value };
}

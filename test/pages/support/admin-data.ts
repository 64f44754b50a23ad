import type {
  Agent,
  Call,
  Failure,
  Gateway,
  Sample,
  SipServer,
  Snapshot,
  Trace,
  TraceEntry,
  Worker,
} from "../../../web/src/dashboard/api/contract.ts";

/** Text that would do harm if it were taken for HTML. */
export const hostile = `<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>`;

const minute = 60_000;

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

/** The same figures in each run. */
export function figures(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

const browsers = [
  "Jackfield softphone (Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36)",
  "Jackfield softphone (Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0)",
  "JsSIP 3.13.8",
];

export function agentOf(index: number, now: number, callId?: string): Agent {
  const refused = index % 97 === 13;
  return {
    id: `agent-${index}`,
    dn: String(5000 + index),
    kind: "sip",
    user_agent: browsers[index % browsers.length] ?? null,
    address: `10.20.${Math.floor(index / 250)}.${(index % 250) + 1}:${49152 + index}`,
    since: iso(now - (index % 400) * minute),
    reachable: index % 151 !== 7,
    trunk: refused
      ? { state: "rejected", reason: "404 Not Found: no such DN", server: null }
      : { state: "in-service", reason: "", server: index % 2 === 0 ? "sip-a" : "sip-b" },
    calls: callId === undefined ? [] : [callId],
  };
}

export function callOf(index: number, now: number, random: () => number): Call {
  const ringing = index % 23 === 0;
  const mos = ringing ? null : Math.round((4.4 - random() ** 6 * 2) * 100) / 100;
  const way = {
    mos: mos ?? 0,
    loss_percent: random() * 2,
    jitter_ms: random() * 8,
    round_trip_ms: 10 + random() * 40,
  };
  const begun = now - ((index * 1733) % (20 * minute));
  return {
    id: `call-${index}`,
    dn: String(5000 + index * 2),
    direction: index % 3 === 0 ? "from-agent" : "to-agent",
    far_number: `+4930${100_000 + index * 7}`,
    call_uuid: `UUID${String(index).padStart(28, "0")}`,
    since: iso(begun),
    answered_at: ringing ? null : iso(begun + 3000),
    state: ringing ? "ringing" : "established",
    held: index % 19 === 5,
    codecs: ringing ? { browser: null, sip_server: null } : { browser: "opus", sip_server: "pcmu" },
    server: index % 2 === 0 ? "sip-a" : "sip-b",
    quality: ringing
      ? null
      : { from_browser: way, to_browser: way, from_sip_server: way, to_sip_server: way },
    mos,
    capture: null,
  };
}

export const gateway = (now: number): Gateway => ({
  version: "0.1.0",
  since: iso(now - 3 * 24 * 60 * minute),
  draining: false,
  log_level: "info",
  log_levels: [{ level: "info", room: null, until: null }],
  certificate: {
    subject: "CN=gateway.example.com",
    expires_at: iso(now + 21 * 24 * 60 * minute),
    days_left: 21,
  },
  traces: true,
  captures: true,
});

const servers: readonly SipServer[] = [
  {
    name: "sip-a",
    address: "10.1.0.10:5060",
    up: true,
    in_use: true,
    round_trip_ms: 1.4,
    registered: 500,
    registers_per_second: 1.7,
  },
  {
    name: "sip-b",
    address: "10.1.0.11:5060",
    up: true,
    in_use: true,
    round_trip_ms: 1.9,
    registered: 488,
    registers_per_second: 1.6,
  },
];

const workers: readonly Worker[] = [0, 1, 2].map((index) => ({
  index,
  up: true,
  cpu_percent: 31 + index * 9,
  calls: 166 + index,
  call_limit: 250,
  full: false,
  late_ms: 0.4 + index / 10,
}));

const reasons = [
  "no browser was signed in for the DN",
  "the browser did not answer in time: no 180",
  "media: DTLS handshake failed: no answer in 10 s",
  "SIP Server: Service Unavailable",
];

function failureOf(index: number, now: number): Failure {
  const registration = index % 5 === 4;
  return {
    at: iso(now - index * 3.3 * minute),
    kind: registration ? "registration" : index % 4 === 2 ? "media" : "call",
    dn: String(5000 + index * 3),
    far_number: registration ? null : `+4930${200_000 + index}`,
    call: registration ? null : `past-${index}`,
    status: registration ? 404 : ([480, 408, 500, 503][index % 4] ?? null),
    reason: registration ? "Not Found: SIP Server does not know the DN" : (reasons[index % 4] ?? ""),
  };
}

/** A gateway in full work. */
export function snapshotOf(now: number, agents: number, calls: number): Snapshot {
  const random = figures(7);
  const running = Array.from({ length: calls }, (_, index) => callOf(index, now, random));
  const byDn = new Map(running.map(({ dn, id }) => [dn, id]));
  return {
    at: iso(now),
    gateway: gateway(now),
    agents: Array.from({ length: agents }, (_, index) => agentOf(index, now, byDn.get(String(5000 + index)))),
    calls: running,
    servers,
    workers,
    failures: Array.from({ length: 40 }, (_, index) => failureOf(index, now)),
    audit: [
      {
        at: iso(now - 9 * minute),
        who: "eva",
        role: "operate",
        address: "10.9.0.4",
        act: "log level",
        target: "info",
        outcome: "done",
      },
    ],
  };
}

export function sampleOf(at: number, random: () => number): Sample {
  const day = Math.sin(at / 4_000_000);
  const calls = Math.round(380 + day * 110 + random() * 12);
  return {
    at: iso(at),
    agents: 1000 - Math.round(random() * 3),
    in_service: 988 - Math.round(random() * 4),
    calls,
    setups: Math.round(14 + random() * 9),
    failures: random() > 0.9 ? Math.round(random() * 3) : 0,
    mos_mean: 4.2 + random() * 0.12,
    mos_low: 3.2 + random() * 0.5,
    main_cpu_percent: 18 + random() * 5,
    worker_cpu_percent: calls / 10 + random() * 6,
    event_loop_late_ms: 0.5 + random() * 1.5,
    registers_per_second: 3.3,
    round_trip_ms: 1.2 + random(),
  };
}

const sdp = "sendrecv 10.20.0.1:20000 pcmu pcma telephone-event";

function messageText(startLine: string, callId: string): string {
  return [
    startLine,
    "Via: SIP/2.0/UDP 10.1.0.10:5060;branch=z9hG4bK-1",
    `From: "${hostile}" <sip:1003@10.1.0.10>;tag=a`,
    "To: <sip:5001@10.1.0.10>",
    `Call-ID: ${callId}`,
    "CSeq: 1 INVITE",
    "Content-Length: 0",
    "",
    "",
  ].join("\r\n");
}

/** A trace as docs/trace.md has one; `length` further re-INVITEs make it long. */
export function traceOf(facts: Omit<Trace, "entries" | "left_out">, length = 0): Trace {
  const entries: TraceEntry[] = [];
  let at = 0;
  const sip = (
    step: number,
    side: "browser" | "sip_server",
    direction: "in" | "out",
    text: string,
    more: { sdp?: string; repeats?: number } = {},
  ): void => {
    at += step;
    entries.push({
      at_ms: at,
      kind: "sip",
      side,
      direction,
      text,
      sdp: more.sdp ?? null,
      repeats: more.repeats ?? 0,
      last_repeat_ms: more.repeats === undefined ? null : at + 500,
      message: messageText(
        /^\d/.test(text) ? `SIP/2.0 ${text.replace(/ \(.*/, "")}` : `${text} SIP/2.0`,
        facts.id,
      ),
    });
  };
  const note = (
    step: number,
    kind: "state" | "media" | "event",
    text: string,
    side: "browser" | "sip_server" | null = null,
  ): void => {
    at += step;
    entries.push({ at_ms: at, kind, side, text });
  };
  sip(0, "sip_server", "in", "INVITE sip:5001@10.1.0.10", { sdp, repeats: 2 });
  note(8.8, "media", "opened, RTP port 10.1.0.20:23080 toward SIP Server");
  sip(7, "browser", "out", "INVITE sip:5001x@t.invalid", { sdp });
  note(0.4, "state", "call setting-up -> ringing (ring)");
  sip(1, "sip_server", "out", "180 Ringing (INVITE)");
  sip(24, "browser", "in", "180 Ringing (INVITE)");
  sip(1447.1, "sip_server", "in", "NOTIFY talk");
  sip(0.7, "sip_server", "out", "200 OK (NOTIFY)");
  sip(0.8, "browser", "out", "NOTIFY talk");
  sip(6, "browser", "in", "200 OK (INVITE)", { sdp });
  note(0.3, "state", "session inviting -> established (answered)", "browser");
  sip(0.4, "browser", "out", "ACK");
  sip(7, "sip_server", "out", "200 OK (INVITE)", { sdp });
  note(2.3, "media", "ICE: address 10.20.0.1:48477 chosen", "browser");
  note(117, "media", "DTLS handshake done, SRTP_AES128_CM_HMAC_SHA1_80", "browser");
  note(20.8, "media", "first packet from this side", "browser");
  note(0.1, "event", "session timer: refresh in 900 s", "sip_server");
  for (let count = 0; count < length; count++) {
    note(5000, "media", `quality from MOS 4.${count % 40} loss 0.0 %, to MOS 4.3`, "browser");
    sip(10, "sip_server", "in", "INVITE sip:5001@10.1.0.10", { sdp });
    sip(1, "sip_server", "out", "200 OK (INVITE)", { sdp });
  }
  return {
    ...facts,
    entries,
    left_out: 0,
    quality: Array.from({ length: 24 }, (_, index) => ({
      at_ms: 2000 + index * 5000,
      from_browser: { mos: 4.3 - (index % 7) / 10, loss_percent: 0.2, jitter_ms: 2, round_trip_ms: 14 },
      to_browser: { mos: 4.35, loss_percent: 0, jitter_ms: 1 },
      from_sip_server: { mos: 4.2, loss_percent: 0, jitter_ms: 0.4 },
      to_sip_server: { mos: 4.1 + (index % 3) / 20, loss_percent: 0.1, jitter_ms: 0.6 },
    })),
    counters: { browser: { received: { packets: 5871, lost: 3 }, sent: { packets: 5874 } }, dtmf_digits: 2 },
  };
}

import type { Section } from "./config-file.ts";
import { ownOf } from "./objects.ts";
import type { Findings, Kind } from "./report.ts";

const rtp: Readonly<Record<string, readonly [Kind, string]>> = {
  icesupport: ["gone", "browsers reach the gateway by ICE at any time (ICE-lite)"],
  stunaddr: ["gone", "the gateway need not ask for its address: media.advertisedAddress says it"],
  turnaddr: [
    "decide",
    "turn: the gateway needs none; browsers whose UDP is blocked get it from there (docs/turn.md)",
  ],
  turnusername: [
    "decide",
    "turn: the gateway needs none; browsers whose UDP is blocked get it from there (docs/turn.md)",
  ],
  turnpassword: [
    "decide",
    "turn: the gateway needs none; browsers whose UDP is blocked get it from there (docs/turn.md)",
  ],
  strictrtp: ["gone", "sound is taken from the signalled address only (media.trunkSource)"],
  probation: ["gone", "sound is taken from the signalled address only"],
  rtpchecksums: ["gone", "checksums are the kernel's"],
  dtmftimeout: ["gone", "a key ends when its end packet or the next sound comes"],
  rtcpinterval: ["gone", "RTCP is sent every few seconds"],
  srtpreplayprotection: ["gone", "replayed packets are always refused"],
};

const http: Readonly<Record<string, readonly [Kind, string]>> = {
  bindaddr: ["gone", "there is no plain HTTP beside HTTPS"],
  bindport: ["gone", "there is no plain HTTP beside HTTPS"],
  enabled: ["gone", "http is always on"],
  enable_static: ["gone", "the gateway's own pages are at /"],
  enable_status: ["gone", "health is at /health/live and /health/ready"],
  redirect: ["gone", "the softphone page is at /"],
  sessionlimit: ["gone", "websocket.maxConnections (4000)"],
  session_inactivity: ["gone", "browsers are pinged, dead connections end after two misses"],
  session_keep_alive: ["gone", "browsers are pinged, dead connections end after two misses"],
};

const planned = new Set([
  "rtpstart",
  "rtpend",
  "tlsenable",
  "tlsbindaddr",
  "tlscertfile",
  "tlsprivatekey",
  "prefix",
]);

/** Keys of rtp.conf and http.conf that nothing is made of. */
export function tellRtpAndHttp(
  rtpGeneral: Section | undefined,
  httpGeneral: Section | undefined,
  findings: Findings,
): void {
  for (const [section, answers] of [[rtpGeneral, rtp] as const, [httpGeneral, http] as const])
    for (const setting of section?.settings ?? []) {
      if (planned.has(setting.key)) continue;
      const [kind, text] = ownOf(answers, setting.key) ?? ["gone" as const, "Asterisk's own, of no use here"];
      findings.about(kind, setting, text);
    }
}

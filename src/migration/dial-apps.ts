import type { DialPlan, Step } from "./dial-plan.ts";
import { ownOf } from "./objects.ts";
import type { Findings, Kind } from "./report.ts";

const onTalk =
  "the gateway rings the page and answers when the agent does, or when SIP Server's NOTIFY talk comes (the desktop's Answer button); agents.autoAnswer where calls must be answered without either";
const ivr = "an IVR is SIP Server's and its media server's: route there";
const program =
  "no program of the gateway's runs in a call; GWS and SIP Server have events (T-Library, CometD), the gateway call records";

const addedHeaders =
  "headers are not added toward browsers or SIP Server by rules; SIP Server's own reach the page (calls.headersToPage)";

/** Set() that is more than a variable. */
const functions: readonly (readonly [RegExp, name: string, text: string])[] = [
  [
    /^\s*_*CALLER(?:ID|PRES)\(/i,
    "set caller's number or name",
    "agents call as their DN here: what the called side sees is set at SIP Server and beyond it. calls.outbound.identity and privacy are for all agents",
  ],
  [/^\s*_*(?:PJ)?SIP_?(?:ADD)?HEADER\(/i, "set a header", addedHeaders],
];

/** What became of an application of the dial plan. */
const apps: Readonly<Record<string, readonly [Kind, string]>> = {
  answer: ["gone", onTalk],
  wait: ["gone", onTalk],
  ringing: ["gone", "180 goes to SIP Server once the page rings"],
  progress: ["gone", "180 and 183 are passed on as they come"],
  proceeding: ["gone", "100 is sent by itself"],
  hangup: ["gone", "both sides hear of a hang-up"],
  noop: ["gone", "each call has a trace of both its sides (docs/trace.md)"],
  verbose: ["gone", "each call has a trace of both its sides (docs/trace.md)"],
  log: ["gone", "each call has a trace of both its sides (docs/trace.md)"],
  set: ["gone", "there are no variables; headers of SIP Server's reach the page by calls.headersToPage"],
  goto: ["gone", "calls.outbound.rules are looked at in order; there is nothing to jump to"],
  gotoif: [
    "decide",
    "conditions cannot be written as number rules: what did it decide? SIP Server can route by it",
  ],
  execif: [
    "decide",
    "conditions cannot be written as number rules: what did it decide? SIP Server can route by it",
  ],
  gosub: ["decide", "subroutines are not followed: do they change numbers? Write calls.outbound.rules"],
  macro: ["decide", "macros are not followed: do they change numbers? Write calls.outbound.rules"],
  gosubif: ["decide", "subroutines are not followed: do they change numbers? Write calls.outbound.rules"],
  sippeer: ["gone", "there are no variables"],
  sipaddheader: ["decide", addedHeaders],
  voicemail: ["lost", "voicemail is SIP Server's"],
  voicemailmain: ["lost", "voicemail is SIP Server's"],
  queue: ["lost", "queues are the contact centre's: SIP Server and routing"],
  addqueuemember: ["lost", "agents sign in at the contact centre (Workspace, GWS)"],
  mixmonitor: [
    "lost",
    "recording is SIP Server's (record, MSML); single calls can be captured for faults (docs/capture.md)",
  ],
  monitor: [
    "lost",
    "recording is SIP Server's (record, MSML); single calls can be captured for faults (docs/capture.md)",
  ],
  agi: ["lost", program],
  eagi: ["lost", program],
  fastagi: ["lost", program],
  stasis: ["lost", program],
  system: ["lost", program],
  trysystem: ["lost", program],
  userevent: ["lost", program],
  confbridge: ["lost", "conferences are SIP Server's and its media server's"],
  meetme: ["lost", "conferences are SIP Server's and its media server's"],
  page: ["lost", "paging is SIP Server's"],
  chanspy: ["lost", "monitoring is SIP Server's (supervisor in Workspace)"],
  background: ["lost", ivr],
  read: ["lost", ivr],
  waitexten: ["lost", ivr],
  playback: ["lost", "announcements are the media server's"],
  musiconhold: ["lost", "music on hold is SIP Server's (sip-enable-moh, music-on-hold)"],
  park: ["lost", "parking is SIP Server's"],
  pickup: ["lost", "call pickup is SIP Server's"],
  senddtmf: ["gone", "SIP Server sends keys by NOTIFY dtmf"],
  originate: ["lost", "SIP Server makes calls (3pcc); the gateway answers its INVITE without SDP"],
  transfer: ["lost", "transfers are asked for by the page or by SIP Server"],
};

/** Tells what becomes of every step. `dialled`: the contexts of the agents; all else is what calls to them ran through. */
export function tellDialPlan(
  { steps, unread }: DialPlan,
  dialled: ReadonlySet<string>,
  findings: Findings,
): void {
  for (const { key, at } of unread)
    findings.add("decide", `${key} in the dial plan`, "not read: what did it do for a call?", at);
  for (const step of steps) {
    const [, name, meaning] =
      functions.find(([pattern]) => step.app === "set" && pattern.test(step.args)) ?? [];
    if (step.app === "dial") tellDial(step, dialled, findings);
    else if (name !== undefined && meaning !== undefined)
      findings.add("decide", `${name} in [${step.context}]`, meaning, step.at);
    else {
      const [kind, text] = ownOf(apps, step.app) ?? [
        "decide" as const,
        "this application is not known here: what did it do for a call?",
      ];
      // Arguments may hold passwords and tokens.
      findings.add(kind, `${step.app} in [${step.context}]`, text, step.at);
    }
    if (/auto-?answer|answer-after|alert-?info|call-?info/i.test(step.args))
      findings.add("decide", "auto-answer headers in the dial plan", `not carried: ${onTalk}`, step.at);
  }
  if (dialled.size > 0 && steps.length > 0)
    findings.add(
      "decide",
      "numbers that the dial plan did not know",
      "Asterisk refused them; here every number goes to SIP Server as dialled unless calls.outbound.rules denies it",
    );
}

/** Dials to an agent; those to SIP Server are told of with their number rules. */
function tellDial({ args, context, at }: Step, dialled: ReadonlySet<string>, findings: Findings): void {
  if (!/^\s*(?:PJSIP|SIP)\/(?:\$\{EXTEN\}|\d+)\s*(?:,|$)/i.test(args)) return;
  if (dialled.has(context))
    findings.add(
      "gone",
      `Dial to a DN in [${context}]`,
      "calls between DNs are never bridged in the gateway: they go to SIP Server, so that the desktop sees them",
      at,
    );
  else
    findings.add(
      "gone",
      `Dial to a DN in [${context}]`,
      `a call of SIP Server's for a DN goes to its browser. ${onTalk[0]?.toUpperCase() ?? ""}${onTalk.slice(1)}`,
      at,
    );
}

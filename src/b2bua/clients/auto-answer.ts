import type { HeaderPair, SipRequest } from "../../sip/index.ts";

/** The forms in which phones are told to answer by themselves (genesys-sip-server.md 5.4; RFC 5373 for the last). */
export const autoAnswerForms = ["call-info", "alert-info", "p-auto-answer", "answer-mode"] as const;
export type AutoAnswerForm = (typeof autoAnswerForms)[number];

/** When a call is answered without waiting for NOTIFY talk: never, if SIP Server's INVITE asks for it, or always. */
export type AutoAnswer = "never" | "header" | "always";

/** Header lines that make a client answer at once, in the forms it knows. `realm`: host of the URIs in them. */
export function autoAnswerHeaders(forms: readonly AutoAnswerForm[], realm: string): HeaderPair[] {
  const lines: Readonly<Record<AutoAnswerForm, HeaderPair>> = {
    "call-info": ["Call-Info", `<sip:jackfield@${realm}>;answer-after=0`],
    "alert-info": ["Alert-Info", `<http://${realm}>;info=alert-autoanswer`],
    "p-auto-answer": ["P-Auto-Answer", "normal"],
    "answer-mode": ["Answer-Mode", "Auto"],
  };
  return forms.map((form) => lines[form]);
}

/** What phones take for such an order in an Alert-Info, with or without the brackets and parameters around it. */
const alertOrder = /auto[\s_-]*answer|ring[\s_-]*answer/i;
const answerAfter = /;\s*answer-after\b(?:\s*=\s*("[^"]*"|[^;,\s]*))?/gi;
const alertParameter = /;\s*[\w.-]+\s*=\s*(?:"[^"]*"|[^;,]*)/g;

/** Whether an INVITE asks its phone to answer at once. */
export function asksForAutoAnswer({ headers }: SipRequest): boolean {
  const after = headers.getAll("Call-Info").flatMap((value) => Array.from(value.matchAll(answerAfter)));
  return (
    after.some(([, seconds]) => Number((seconds ?? "0").replaceAll('"', "")) === 0) ||
    headers.getAll("Alert-Info").some((value) => alertOrder.test(value)) ||
    headers.has("P-Auto-Answer") ||
    /^\s*auto\b/i.test(headers.get("Answer-Mode") ?? "")
  );
}

/**
 * A header's value without what would make a client answer by itself; undefined when nothing harmless is left. Only
 * `preanswer` makes clients answer, and then by headers of our own.
 */
export function withoutAutoAnswer(name: string, value: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower === "call-info") {
    const rest = value.replaceAll(answerAfter, "");
    return /answer-after/i.test(rest) ? undefined : rest;
  }
  if (lower !== "alert-info") return value;
  const rest = value.replaceAll(alertParameter, (text) => (alertOrder.test(text) ? "" : text));
  return alertOrder.test(rest) ? undefined : rest;
}

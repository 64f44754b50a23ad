import { levelOf } from "../../shared/words.ts";
import type { Agent, Ban, Drain } from "../api/contract.ts";

/** What figures and states are called for people. Pure. */

export type Tone = "good" | "wait" | "bad" | "plain";

export interface Told {
  readonly text: string;
  readonly tone: Tone;
}

/** How a MOS sounds. */
export function mosWords(mos: number | null | undefined): Told {
  if (mos === null || mos === undefined) return { text: "not known", tone: "plain" };
  const text = levelOf(mos);
  return { text, tone: text === "good" ? "good" : text === "fair" ? "wait" : "bad" };
}

const trunkStates: Readonly<Record<string, Told>> = {
  idle: { text: "idle", tone: "plain" },
  registering: { text: "registering", tone: "wait" },
  "in-service": { text: "in service", tone: "good" },
  "backing-off": { text: "trying again", tone: "wait" },
  rejected: { text: "refused", tone: "bad" },
};

/** State of a DN at SIP Server. */
export function trunkWords(state: string): Told {
  return trunkStates[state] ?? { text: state, tone: "plain" };
}

/** State of a call; `established` is said as people say it. */
export function callWords(state: string, held = false): Told {
  if (held) return { text: "on hold", tone: "wait" };
  if (state === "established") return { text: "talking", tone: "good" };
  if (state === "ended" || state === "refused") return { text: state, tone: "plain" };
  return { text: state.replaceAll("-", " "), tone: "wait" };
}

/** How something ended: `480 not answered`, the status once where the reason has it too. */
export function endWords(status: number | null, reason: string | null): string {
  if (status === null || reason?.includes(String(status))) return reason ?? "";
  return reason === null ? String(status) : `${status} ${reason}`;
}

/** Whom a ban shuts out. */
export function bannedWords({ address, dn }: Pick<Ban, "address" | "dn">): string {
  if (dn === null) return `${address ?? ""}, any DN`;
  return address === null ? `DN ${dn}, from addresses new to it` : `${address} for DN ${dn}`;
}

export function certificateTone(daysLeft: number): Tone {
  if (daysLeft < 7) return "bad";
  return daysLeft < 30 ? "wait" : "good";
}

/** A figure with its unit, a dash where it is not known. */
export function figure(value: number | null | undefined, unit: string, digits = 0): string {
  return value === null || value === undefined ? "–" : `${value.toFixed(digits)} ${unit}`;
}

/** A long time in its two largest units: `3 d 4 h`, `4 h 5 min`, `12 min`. */
export function age(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min`;
}

/** Milliseconds of a trace: `488.2 ms`, `12.3 s`. */
export function traceTime(ms: number): string {
  return ms < 10_000 ? `${ms.toFixed(1)} ms` : `${(ms / 1000).toFixed(2)} s`;
}

/** Of the long line browsers send, what tells them apart: `Chrome 128, Windows`. */
export function browserWords(userAgent: string | null): string {
  if (userAgent === null || userAgent === "") return "not told";
  const found = /(Edg|OPR|Firefox|Chrome|Version)\/(\d+)/.exec(
    userAgent.replace(/Chrome\/(\d+).*(Edg|OPR)\//, "$2/"),
  );
  const names: Readonly<Record<string, string>> = { Edg: "Edge", OPR: "Opera", Version: "Safari" };
  if (!found?.[1]) return userAgent;
  const system = /Windows|Android|iPhone|iPad|CrOS|Mac OS X|Linux/.exec(userAgent)?.[0].replace(" OS X", "");
  return `${names[found[1]] ?? found[1]} ${found[2]}${system === undefined ? "" : `, ${system}`}`;
}

/** An agent's browser, and how it talks to the gateway where that is not SIP. */
export function clientWords({ user_agent, kind }: Pick<Agent, "user_agent" | "kind">): string {
  return `${browserWords(user_agent)}${kind === "wrtc" ? ", over HTTP" : ""}`;
}

/** `12 calls, 30 pages and 14 DNs left; closes in 240 s at the latest` */
export function drainText({ calls, pages, dns, seconds_left: seconds }: Drain): string {
  const some = (count: number, name: string): string => `${count} ${name}${count === 1 ? "" : "s"}`;
  const left = `${some(calls, "call")}, ${some(pages, "page")} and ${some(dns, "DN")} left`;
  return seconds === null ? left : `${left}; closes in ${seconds} s at the latest`;
}

/** What figures and states are called for people. Pure. */

export type Tone = "good" | "wait" | "bad" | "plain";

export interface Told {
  readonly text: string;
  readonly tone: Tone;
}

/** How a MOS sounds (ITU-T G.107 Annex B). */
export function mosWords(mos: number | null | undefined): Told {
  if (mos === null || mos === undefined) return { text: "not known", tone: "plain" };
  if (mos >= 4) return { text: "good", tone: "good" };
  if (mos >= 3.6) return { text: "fair", tone: "wait" };
  return { text: mos >= 3.1 ? "poor" : "bad", tone: "bad" };
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

export function certificateTone(daysLeft: number): Tone {
  if (daysLeft < 7) return "bad";
  return daysLeft < 30 ? "wait" : "good";
}

/** `0:07`, `12:34`, `1:02:03`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(seconds / 3600);
  return hours > 0 ? `${hours}:${parts.join(":")}` : parts.join(":").replace(/^0/, "");
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

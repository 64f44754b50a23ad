/** What people read on more than one page or in more than one part of a page. */

/** Something that went wrong, for a person: what, and what to do about it. */
export interface Problem {
  readonly what: string;
  readonly remedy: string;
}

export function inOneLine({ what, remedy }: Problem): string {
  return remedy === "" ? what : `${what} ${remedy}`;
}

/** Time of a call, `m:ss` or `h:mm:ss`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

/** How good a MOS is, and what people call it (ITU-T G.107 annex B, a little simpler). */
export type Level = "good" | "fair" | "poor" | "bad";

export function levelOf(mos: number): Level {
  if (mos >= 4) return "good";
  if (mos >= 3.6) return "fair";
  return mos >= 3.1 ? "poor" : "bad";
}

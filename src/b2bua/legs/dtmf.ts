/** Digits RFC 4733 has events for. */
const digitsOnly = /^[0-9*#A-D]{1,64}$/;
/** Length of a digit whose body names none, ms. */
const defaultDurationMs = 160;
/** Lengths taken, ms: receivers may miss a shorter digit (ITU-T Q.24), and no key is held longer. */
const shortestMs = 40;
const longestMs = 5000;

export interface DigitsWanted {
  readonly digits: string;
  readonly durationMs: number;
}

/**
 * Reads digits from `application/dtmf-relay` (`Signal=5`, `Duration=160`, any case) or `application/dtmf` (the bare
 * digit); SIP Server's NOTIFY dtmf carries several in one Signal line (genesys-sip-server.md 6). Undefined when
 * the body holds no valid digits.
 */
export function readDigits(body: string): DigitsWanted | undefined {
  const signal = /^\s*signal\s*=\s*(\S+)\s*$/im.exec(body)?.[1] ?? body.trim();
  const digits = signal.toUpperCase();
  if (!digitsOnly.test(digits)) return undefined;
  const duration = Number(/^\s*duration\s*=\s*(\d{1,5})\s*$/im.exec(body)?.[1] ?? defaultDurationMs);
  return { digits, durationMs: Math.min(Math.max(duration, shortestMs), longestMs) };
}

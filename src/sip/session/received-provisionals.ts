import type { SipResponse } from "../message/types.ts";
import { names } from "./option-tags.ts";

/** The number of a reliable provisional response (RFC 3262 7.1); undefined when it is not one. */
export function reliableNumber(response: SipResponse): number | undefined {
  if (!names(response, "Require", "100rel")) return undefined;
  const text = response.headers.get("RSeq") ?? "";
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}

/** The reliable provisional responses to one INVITE of ours, each early dialog counted apart (RFC 3262 4). */
export class ReceivedProvisionals {
  readonly #last = new Map<string, number>();

  /**
   * True when `rseq` is the next of the dialog `key`. A repeat, or one that overtook another, is neither acknowledged
   * nor looked at: the peer repeats it until its turn.
   */
  takes(key: string, rseq: number): boolean {
    const last = this.#last.get(key);
    if (last !== undefined && rseq !== last + 1) return false;
    this.#last.set(key, rseq);
    return true;
  }
}

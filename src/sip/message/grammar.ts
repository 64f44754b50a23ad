import { Grammar, type URI } from "sip.js/lib/grammar/index.js";
import type { NameAddress, SipUri } from "./types.ts";
import { parseNameAddress } from "./address.ts";
import { trimBlanks, unquote } from "./text.ts";
import { parseUri } from "./uri.ts";

// The one file that touches sip.js. Its generated grammar costs 80 to 100 microseconds a value whatever the
// value is (sip-and-werift-findings 1), so each distinct value goes through it once and long ones never.

/** Longest value handed to the grammar, in characters: JsSIP's Contact has 150; 256 hostile ones cost 0.4 ms. */
const maxLength = 256;
/** Distinct values remembered of each kind; each is at most a few kB, and a site has some thousand contacts. */
const maxRemembered = 4096;

/** How often the grammar was asked, refused what our splitter took, or read another host or port out of it. */
export const grammarCounts = { asked: 0, refused: 0, differed: 0 };

/** Remembers the outcome for the values seen last: oldest out first. */
class Remembered<Result> {
  readonly #results = new Map<string, Result>();
  readonly #make: (raw: string) => Result | undefined;

  constructor(make: (raw: string) => Result | undefined) {
    this.#make = make;
  }

  of(raw: string): Result | undefined {
    const known = this.#results.get(raw);
    if (known !== undefined) return known;
    // a copy, for a slice would keep the whole message's text in memory as long as it is remembered
    const own = Buffer.from(raw).toString();
    const result = this.#make(own);
    if (result === undefined) return undefined;
    if (this.#results.size >= maxRemembered) {
      for (const oldest of this.#results.keys()) {
        this.#results.delete(oldest);
        break;
      }
    }
    this.#results.set(own, result);
    return result;
  }
}

const uris = new Remembered(confirmUri);
const addresses = new Remembered(confirmAddress);

/**
 * Takes a URI apart as `parseUri` does, checked by sip.js's core grammar. Where the grammar refuses (other
 * schemes, forms it does not know) the splitter's result stands; `undefined` only when the splitter refuses.
 */
export function checkedUri(raw: string): SipUri | undefined {
  return raw.length > maxLength ? parseUri(raw) : uris.of(raw);
}

/**
 * Takes a Contact, Refer-To, P-Asserted-Identity ... value apart as `parseNameAddress` does, checked by sip.js's
 * core grammar, under the same rule as `checkedUri`.
 */
export function checkedNameAddress(raw: string): NameAddress | undefined {
  const text = trimBlanks(raw);
  return text.length > maxLength ? parseNameAddress(text) : addresses.of(text);
}

function confirmUri(raw: string): SipUri | undefined {
  const own = parseUri(raw);
  if (own === undefined || !isSip(own)) return own;
  return ask(own, Grammar.URIParse(raw)) ?? own;
}

function confirmAddress(raw: string): NameAddress | undefined {
  const own = parseNameAddress(raw);
  // its rule wants angle brackets: `*`, bare URIs and other schemes are ours alone
  if (own === undefined || !isSip(own.uri) || !raw.includes("<")) return own;
  const theirs = Grammar.nameAddrHeaderParse(raw);
  const uri = ask(own.uri, theirs?.uri);
  if (theirs === undefined || uri === undefined) return own;
  // it undoes no quoted pairs; of repeated parameters it keeps the last, so those stay ours
  const displayName: string | undefined = theirs.displayName;
  return { ...own, uri, displayName: displayName === undefined ? undefined : unquote(`"${displayName}"`) };
}

/**
 * Joins what the grammar read with what the splitter read. User and parameters stay ours, for it gives them
 * unescaped and escapes must survive. `undefined` when it refused or differs: ours stands then.
 */
function ask(own: SipUri, theirs: URI | undefined): SipUri | undefined {
  grammarCounts.asked++;
  if (theirs === undefined) {
    grammarCounts.refused++;
    return undefined;
  }
  if (theirs.host !== own.host.toLowerCase() || theirs.port !== own.port) {
    grammarCounts.differed++;
    return undefined;
  }
  return { ...own, scheme: theirs.scheme, port: theirs.port };
}

function isSip(uri: SipUri): boolean {
  return uri.scheme === "sip" || uri.scheme === "sips";
}

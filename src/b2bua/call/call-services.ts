import type { MediaPool } from "../../media/index.ts";
import type { TrunkRegistrations } from "../../registrar/index.ts";
import type { Replaces, SipUri } from "../../sip/index.ts";
import type { CallTracer } from "../../trace/index.ts";
import type { AutoAnswer } from "../clients/auto-answer.ts";
import type { ClientRule } from "../clients/client-kinds.ts";
import type { TrunkLeg } from "../legs/trunk-leg.ts";
import type { TrunkLegOptions } from "../legs/trunk.ts";
import type { CodecPreference } from "../media/codec-terms.ts";
import type { QualityTotals } from "../media/quality-totals.ts";

/** What every call needs from outside. */
export interface CallServices extends TrunkLegOptions {
  /** Host of the URIs shown to browsers. */
  readonly realm: string;
  readonly media: MediaPool;
  readonly codecs: CodecPreference;
  readonly trunkRegistrations: TrunkRegistrations;
  /** What a call gets that no media worker takes: 503 with Retry-After, or 486 where 503 would mark the DN as broken. */
  readonly whenFull: 503 | 486;
  readonly quality: QualityTotals;
  /** Writes ladders; undefined: none are kept. */
  readonly tracer?: CallTracer | undefined;
  /** A page that can answer by itself has this long after NOTIFY talk, ms. */
  readonly talkPatienceMs: number;
  /** The page is told while the far side of a call set up by SIP Server still rings, so that it plays a tone. */
  readonly pageRingback: boolean;
  /** What the configuration says of kinds of clients; the first that fits counts. */
  readonly clients: readonly ClientRule[];
  /** A client that is to answer by its auto-answer headers has this long, ms; then a person must. */
  readonly preanswerPatienceMs: number;
  /** Whether calls to a DN are answered without waiting for NOTIFY talk. */
  readonly autoAnswer: (dn: string) => AutoAnswer;
  /** The number a URI of a browser's means, see `dialledNumber`. */
  readonly dialledNumber: (uri: SipUri) => string | undefined;
  /** SIP Server's leg of the DN's call whose browser knows this dialog. */
  readonly legOfDn: (dn: string, replaces: Replaces) => TrunkLeg | undefined;
  /** How long a call that is being set up, and one that runs, waits for a lost client, ms. */
  readonly newCallGraceMs: number;
  readonly callGraceMs: number;
}

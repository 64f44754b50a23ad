import type { CallerData, HeaderPair } from "../../b2bua/index.ts";
import type { AttachedPair } from "../contract.ts";
import { longestInfo } from "../protocol/info-size.ts";

/**
 * Headers of SIP Server's own by which it carries user data; `X-Genesys-Account: 7` is the pair `Account`, `7`.
 * docs/decisions/0023-wrtc-calls.md.
 */
const prefix = "X-Genesys-";

/** By names that begin so, Genesys' media server, its resource manager and outbound dialling tell each other of calls. */
const reservedPrefixes = ["gvp-", "rm-", "gsw-"].map((name) => prefix.toLowerCase() + name);

/** What SIP Server says of a call or is steered by: no client says it in its name. Lower case. */
const reserved = new Set(
  "calluuid, callinfo, partyinfo, geo-location, strict-location, route, forwarded-from"
    .split(", ")
    .map((name) => (prefix + name).toLowerCase()),
);

/** An INVITE should stay below what networks carry (RFC 3261 18.1.1 counts 1300 bytes per datagram). */
const maximumHeaders = 16;
const maximumHeaderValue = 512;
const maximumHeadersTotal = 2048;

/** Different keys of one call. */
const maximumKeys = 256;

/** What a client attached, on its way to SIP Server. */
export interface AttachedData {
  /** For the INVITE. */
  readonly headers: readonly HeaderPair[];
  /** The rest, form-encoded as INFO-MAP has it; empty: none. */
  readonly info: string;
}

/** What a client attaches to its call; each pair is told once, and again only when its value has changed. */
export class Attached {
  readonly #told = new Map<string, string>();

  /** Divides what is new into what an INVITE's headers can carry and the rest. */
  forInvite(pairs: readonly AttachedPair[]): AttachedData {
    const headers: HeaderPair[] = [];
    const rest: [string, string][] = [];
    let total = 0;
    for (const [key, value] of this.#news(pairs)) {
      const name = prefix + key;
      const fits =
        /^[\w.-]{1,64}$/.test(key) &&
        !isReserved(name) &&
        /^[\x20-\x7e]+$/.test(value) &&
        value.length <= maximumHeaderValue &&
        total + value.length <= maximumHeadersTotal &&
        headers.length < maximumHeaders;
      if (!fits) rest.push([key, value]);
      else {
        total += value.length;
        headers.push([name, value]);
      }
    }
    return { headers, info: formOf(rest) };
  }

  /** What is new, for an INFO. */
  forInfo(pairs: readonly AttachedPair[]): string {
    return formOf(this.#news(pairs));
  }

  #news(pairs: readonly AttachedPair[]): [string, string][] {
    const news = pairs.flatMap(({ key, value }): [string, string][] => {
      const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
      return key === "" || this.#told.get(key) === text ? [] : [[key, text]];
    });
    return news.filter(([key, text]) => {
      const known = this.#told.has(key) || this.#told.size < maximumKeys;
      if (known) this.#told.set(key, text);
      return known;
    });
  }
}

function isReserved(name: string): boolean {
  const lower = name.toLowerCase();
  return reserved.has(lower) || reservedPrefixes.some((start) => lower.startsWith(start));
}

/** Pairs that do not fit any more are left out whole. */
function formOf(pairs: readonly (readonly [string, string])[]): string {
  let form = "";
  for (const [key, value] of pairs) {
    const next = new URLSearchParams([[key, value]]).toString();
    if (form.length + next.length < longestInfo) form += `${form === "" ? "" : "&"}${next}`;
  }
  return form;
}

/** What SIP Server told of a call, as the client's `getData` shows it: its own headers without their prefix. */
export function attachedOf(headers: readonly HeaderPair[]): AttachedPair[] {
  return headers.map(([name, value]) => ({
    key: name.toLowerCase().startsWith(prefix.toLowerCase()) ? name.slice(prefix.length) : name,
    value,
  }));
}

/** Likewise of a call that rings, with the caller's name. */
export function attachedOfCaller({ displayName, headers }: CallerData): AttachedPair[] {
  const name =
    displayName === undefined || displayName === "" ? [] : [{ key: "CallerName", value: displayName }];
  return [...name, ...attachedOf(headers)];
}

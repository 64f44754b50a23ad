import type { SessionTerms } from "../../sip/index.ts";

/** Option tags we support toward SIP Server; told in Supported, taken in Require. */
const trunkOptions: readonly string[] = ["timer", "100rel", "replaces", "norefersub"];

/** How sessions with SIP Server are kept; keys as in `sipServer` of the configuration. */
export interface TrunkSessionOptions {
  readonly sessionTimer: {
    readonly mode: "on" | "ignore";
    /** Seconds offered for calls the agent dials; 0: none. */
    readonly offerSeconds: number;
    /** Smallest interval taken, seconds. */
    readonly minSeconds: number;
  };
  readonly reliableRinging: "required" | "supported";
}

/**
 * SIP Server's terms. It offers `Session-Expires: 1800;refresher=uac` itself, so that it refreshes; where it leaves that
 * open, it is asked to (genesys-sip-server.md 8).
 */
export function trunkTermsOf({ sessionTimer, reliableRinging }: TrunkSessionOptions): SessionTerms {
  const { mode, offerSeconds, minSeconds } = sessionTimer;
  if (mode === "ignore") {
    return { options: trunkOptions.filter((tag) => tag !== "timer"), reliable: reliableRinging };
  }
  return {
    options: trunkOptions,
    reliable: reliableRinging,
    timer: {
      offerSeconds: offerSeconds === 0 ? 0 : Math.max(offerSeconds, minSeconds),
      minSeconds,
      refresher: "peer",
    },
  };
}

export const defaultTrunkTerms: SessionTerms = trunkTermsOf({
  sessionTimer: { mode: "on", offerSeconds: 1800, minSeconds: 90 },
  reliableRinging: "required",
});

/**
 * Browsers' terms: we refresh. JsSIP would by itself each 45 s, and gives the call up when its socket is lost at that
 * moment; asked with an interval it waits for us for 1.1 times that. It takes 60 s and more, does
 * not know 422, and names no Allow in its answers though it takes UPDATE. SIP.js knows no session timers.
 */
export const browserTerms: SessionTerms = {
  options: ["timer", "100rel"],
  timer: { offerSeconds: 1800, minSeconds: 60, refresher: "us", assumeUpdate: true },
};

/** What a REGISTER of a DN meets instead of the usual answer. */
export type RegisterFault =
  | { readonly kind: "silence" }
  /** Any final status, with extra headers, e.g. 423 with Min-Expires or 503 with Retry-After. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly reason?: string;
      readonly headers?: readonly (readonly [string, string])[];
    }
  /** 200 that carries somebody else's contact: another phone took the DN over. */
  | { readonly kind: "stolen"; readonly contact: string };

/** Faults on demand; all off at the start. */
export class Faults {
  #sipLoss: () => boolean = () => false;
  #rtpLoss: () => boolean = () => false;
  #delayMs = 0;
  #silent = new Set<string>();
  readonly #register = new Map<string, RegisterFault>();

  /**
   * Loses messages with `probability` (0-1), both ways, the same ones for the same seed. `what` tells SIP
   * datagrams from RTP packets. Probability 0 ends it.
   */
  drop(probability: number, seed = 1, what: "sip" | "rtp" = "sip"): void {
    const next = seeded(seed);
    const loses = (): boolean => probability > 0 && next() < probability;
    if (what === "sip") this.#sipLoss = loses;
    else this.#rtpLoss = loses;
  }

  /** Delays every SIP message we send by `ms`; 0 ends it. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  /** Ignores requests of these methods as if they had never come; no argument ends it. */
  silence(...methods: readonly string[]): void {
    this.#silent = new Set(methods);
  }

  /** Lets every REGISTER of `dn` meet `fault`; undefined ends it. */
  register(dn: string, fault: RegisterFault | undefined): void {
    if (fault) this.#register.set(dn, fault);
    else this.#register.delete(dn);
  }

  /** @internal */
  losesSip(): boolean {
    return this.#sipLoss();
  }

  /** @internal */
  losesRtp(): boolean {
    return this.#rtpLoss();
  }

  /** @internal */
  get delayMs(): number {
    return this.#delayMs;
  }

  /** @internal */
  silences(method: string): boolean {
    return this.#silent.has(method);
  }

  /** @internal */
  registerFault(dn: string): RegisterFault | undefined {
    return this.#register.get(dn);
  }
}

/** Repeatable numbers in [0, 1): a linear congruential generator (modulus 2^32), good enough to lose packets. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

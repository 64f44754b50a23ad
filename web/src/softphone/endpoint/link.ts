import type { EndpointWire, OrderStream } from "./http.ts";
import { readOrder, type Order, type PageState, type Result } from "./wire.ts";

/**
 * `connecting`: for the first time; `up`: orders come; `lost`: tried again by itself; `replaced`: another page has taken
 * over; `refused`: the gateway takes neither session nor token. The last two stay until the page is opened anew.
 */
export type LinkState =
  | { readonly kind: "idle" | "connecting" | "up" | "lost" | "replaced" }
  | { readonly kind: "refused"; readonly reason: string };

export interface LinkOwner {
  changed(): void;
  /** Carries an order out; never rejects. */
  carryOut(order: Order): Promise<Result>;
}

const PAUSES_MS = [1000, 2000, 5000, 10_000];
/** The gateway says something each 20 s, so a stream that is silent for this long is dead. */
const SILENCE_MS = 50_000;
const ENDED = "The gateway does not know this window any more.";

/** The page's line to the gateway: keeps the events open, answers orders, tells its state. */
export class EndpointLink {
  readonly #wire: EndpointWire;
  readonly #owner: LinkOwner;
  #state: LinkState = { kind: "idle" };
  /** What the page was opened with; an agent token opens another session when this one has ended. */
  #token = "";
  #session: string | undefined;
  #stream: OrderStream | undefined;
  /** Of the silence while a stream is open, of the next try while none is. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tries = 0;
  /** Grows with each begin and each connection: answers to what was asked before count no more. */
  #turn = 0;
  #page: PageState | undefined;
  /** As the gateway has it. */
  #told = "";
  #telling = false;

  constructor(wire: EndpointWire, owner: LinkOwner) {
    this.#wire = wire;
    this.#owner = owner;
  }

  get state(): LinkState {
    return this.#state;
  }

  /** Undefined where there is none that another page could go on with. */
  get session(): string | undefined {
    return this.#state.kind === "replaced" || this.#state.kind === "refused" ? undefined : this.#session;
  }

  /** Exchanges the token, then goes on for good. */
  begin(token: string): void {
    this.#token = token;
    this.#session = undefined;
    this.#restart("connecting");
  }

  /** Goes on with the session of the page before. */
  resume(session: string): void {
    this.#session = session;
    this.#restart("connecting");
  }

  /** Tells the page's state, where it is another than the gateway has; one at a time, the newest last. */
  tell(state: PageState): void {
    this.#page = state;
    if (this.#state.kind === "up") void this.#tellNow();
  }

  /** Tries now what would be tried later. */
  hurry(): void {
    if (this.#state.kind === "lost") this.#restart("lost");
  }

  #restart(kind: "connecting" | "lost"): void {
    this.#close();
    this.#tries = 0;
    this.#move({ kind });
    void this.#connect(false);
  }

  #close(): void {
    this.#turn++;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream?.close();
    this.#stream = undefined;
  }

  #move(state: LinkState): void {
    this.#state = state;
    this.#owner.changed();
  }

  /** @param doubtful the stream ended: an event stream does not tell why, so the session is tried by a request first */
  async #connect(doubtful: boolean): Promise<void> {
    const turn = this.#turn;
    if (doubtful && this.#session !== undefined && this.#page !== undefined) {
      const known = await this.#wire.post(this.#session, "state", this.#page);
      if (turn !== this.#turn) return;
      if (known === "failed") return this.#later();
      if (known === "gone") this.#session = undefined;
    }
    if (this.#session === undefined) {
      if (this.#token === "") return this.#refuse(ENDED);
      const exchanged = await this.#wire.exchange(this.#token);
      if (turn !== this.#turn) return;
      if (exchanged === undefined) return this.#later();
      if ("refused" in exchanged) return this.#refuse(exchanged.refused);
      this.#session = exchanged.session;
    }
    this.#listen(this.#session);
  }

  #listen(session: string): void {
    const stream = this.#wire.open(session);
    this.#stream = stream;
    this.#watch();
    const current = (): boolean => {
      if (this.#stream === stream) this.#watch();
      return this.#stream === stream;
    };
    stream.addEventListener("open", () => {
      if (!current()) return;
      this.#tries = 0;
      this.#told = "";
      this.#move({ kind: "up" });
      void this.#tellNow();
    });
    stream.addEventListener("order", ({ data }) => {
      const order = current() ? readOrder(data) : undefined;
      if (order !== undefined) void this.#answer(session, order);
    });
    stream.addEventListener("alive", () => {
      if (!current()) return;
      // A page that is not heard of counts as gone.
      this.#told = "";
      void this.#tellNow();
    });
    stream.addEventListener("replaced", () => {
      if (!current()) return;
      this.#close();
      this.#move({ kind: "replaced" });
    });
    stream.addEventListener("error", () => {
      if (current()) this.#later();
    });
  }

  #watch(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#later(), SILENCE_MS);
  }

  async #answer(session: string, order: Order): Promise<void> {
    await this.#wire.post(session, "result", await this.#owner.carryOut(order));
  }

  #refuse(reason: string): void {
    this.#close();
    this.#move({ kind: "refused", reason });
  }

  #later(): void {
    this.#close();
    if (this.#state.kind !== "lost") this.#move({ kind: "lost" });
    const pause = PAUSES_MS[Math.min(this.#tries++, PAUSES_MS.length - 1)];
    this.#timer = setTimeout(() => void this.#connect(true), pause);
  }

  async #tellNow(): Promise<void> {
    if (this.#telling) return;
    this.#telling = true;
    try {
      while (this.#state.kind === "up") {
        const [session, page, turn] = [this.#session, this.#page, this.#turn];
        const text = JSON.stringify(page);
        if (session === undefined || page === undefined || text === this.#told) return;
        const outcome = await this.#wire.post(session, "state", page);
        // Connected anew meanwhile: told again.
        if (turn !== this.#turn) continue;
        if (outcome !== "taken") return this.#later();
        this.#told = text;
      }
    } finally {
      this.#telling = false;
    }
  }
}

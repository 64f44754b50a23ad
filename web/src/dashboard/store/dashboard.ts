import type { AdminApi } from "../api/client.ts";
import type { Me } from "../api/contract.ts";
import { LiveLink, type EventStream, type LinkState } from "../api/live-link.ts";
import { Acts, type Act } from "./acts.ts";
import { applyChange, applyHistory, applySnapshot, nothingYet, type Live } from "./live.ts";
import { OpenCallReader, type OpenCall } from "./open-call.ts";
import { noPastCalls, PastCallsSearch, type PastCalls } from "./past-calls.ts";
import type { View } from "./view.ts";

export type Session =
  | { readonly kind: "checking" }
  /** No user and no token is configured. */
  | { readonly kind: "off" }
  | { readonly kind: "unreachable"; readonly error: string }
  | {
      readonly kind: "signed-out";
      readonly expired: boolean;
      readonly busy: boolean;
      readonly error?: string;
    }
  | { readonly kind: "signed-in"; readonly me: Me };

export interface Notice {
  readonly id: number;
  readonly bad: boolean;
  readonly text: string;
}

/** All that is shown. */
export interface DashboardState {
  readonly session: Session;
  readonly link: LinkState;
  readonly live: Live;
  /** The gateway's clock less ours, ms. */
  readonly clockAhead: number;
  readonly view: View;
  readonly term: string;
  readonly past: PastCalls;
  readonly open: OpenCall | undefined;
  /** Waits for a yes. */
  readonly asking: Act | undefined;
  readonly notices: readonly Notice[];
}

export interface DashboardOptions {
  readonly api: AdminApi;
  readonly openEvents: (url: string) => EventStream;
  /** The state is another one; called as often as it changes. */
  readonly onChange: () => void;
}

const noticesShown = 4;
/** A notice that all went well goes by itself, ms. */
const noticeMs = 8000;

/** The state of the page and all that changes it. */
export class Dashboard {
  readonly acts: Acts;
  readonly api: AdminApi;
  readonly #onChange: () => void;
  readonly #link: LiveLink;
  readonly #search: PastCallsSearch;
  readonly #reader: OpenCallReader;
  #noticed = 0;
  #state: DashboardState = {
    session: { kind: "checking" },
    link: { kind: "connecting" },
    live: nothingYet,
    clockAhead: 0,
    view: { kind: "now" },
    term: "",
    past: noPastCalls,
    open: undefined,
    asking: undefined,
    notices: [],
  };

  constructor({ api, openEvents, onChange }: DashboardOptions) {
    this.api = api;
    this.#onChange = onChange;
    this.#link = new LiveLink({
      open: () => openEvents(api.eventsUrl),
      onSnapshot: (snapshot) => {
        this.#live(applySnapshot(this.#state.live, snapshot));
        void this.#readHistory();
      },
      onChange: (change) => this.#live(applyChange(this.#state.live, change)),
      onState: (link) => this.#set({ link }),
      mayRetry: () => this.#stillSignedIn(),
    });
    this.#search = new PastCallsSearch(api, (past) => this.#set({ past }));
    const isRunning = (id: string): boolean => this.#state.live.calls.has(id);
    this.#reader = new OpenCallReader(api, isRunning, (open) => this.#set({ open }));
    this.acts = new Acts(api, (id, file) => this.#reader.captured(id, file));
    api.onSignedOut = () => this.#expired();
  }

  get state(): DashboardState {
    return this.#state;
  }

  async start(): Promise<void> {
    this.#set({ session: { kind: "checking" } });
    const answer = await this.api.session();
    if (answer.ok && answer.value.user) this.#signedIn(answer.value.user);
    else if (answer.ok) this.#set({ session: { kind: "signed-out", expired: false, busy: false } });
    else if (answer.status === 404) this.#set({ session: { kind: "off" } });
    else this.#set({ session: { kind: "unreachable", error: answer.error } });
  }

  async logIn(name: string, password: string): Promise<void> {
    const { session } = this.#state;
    if (session.kind !== "signed-out" || session.busy) return;
    const { expired } = session;
    this.#set({ session: { kind: "signed-out", expired, busy: true } });
    const answer = await this.api.login(name, password);
    if (answer.ok) this.#signedIn(answer.value);
    else this.#set({ session: { kind: "signed-out", expired, busy: false, error: answer.error } });
  }

  async logOut(): Promise<void> {
    this.#silence();
    await this.api.logout();
    // The next person at this screen sees nothing of it.
    this.#set({
      session: { kind: "signed-out", expired: false, busy: false },
      live: nothingYet,
      past: noPastCalls,
      open: undefined,
      notices: [],
    });
  }

  show(view: View): void {
    this.#set({ view });
    if (this.#state.session.kind === "signed-in") this.#read();
  }

  lookFor(term: string): void {
    this.#set({ term });
    if (this.#state.view.kind === "past") this.#search.look(term);
  }

  /** Does it, after a yes where it asks for one. */
  ask(act: Act): void {
    if (act.question === undefined) void this.#perform(act);
    else this.#set({ asking: act });
  }

  answer(yes: boolean): void {
    const { asking } = this.#state;
    this.#set({ asking: undefined });
    if (yes && asking) void this.#perform(asking);
  }

  tell(text: string, bad = false): void {
    const notice = { id: ++this.#noticed, text, bad };
    this.#set({ notices: [...this.#state.notices, notice].slice(-noticesShown) });
    if (!bad) setTimeout(() => this.dismiss(notice.id), noticeMs);
  }

  dismiss(id: number): void {
    this.#set({ notices: this.#state.notices.filter((notice) => notice.id !== id) });
  }

  async #perform(act: Act): Promise<void> {
    const { done, text } = await act.run();
    this.tell(text, !done);
  }

  #signedIn(me: Me): void {
    this.#set({ session: { kind: "signed-in", me } });
    this.#link.start();
    this.#read();
  }

  /** What the view needs beside the live news. */
  #read(): void {
    const { view, term } = this.#state;
    if (view.kind === "past") this.#search.look(term, 0);
    else this.#search.stop();
    if (view.kind === "call") this.#reader.open(view.id);
    else this.#reader.close();
  }

  async #readHistory(): Promise<void> {
    const answer = await this.api.history();
    if (answer.ok) this.#set({ live: applyHistory(this.#state.live, answer.value.samples) });
  }

  async #stillSignedIn(): Promise<boolean> {
    const answer = await this.api.session();
    const isOver = answer.ok && answer.value.user === null;
    if (isOver) this.#expired();
    return !isOver;
  }

  /** The form comes back over what is shown. */
  #expired(): void {
    if (this.#state.session.kind !== "signed-in") return;
    this.#silence();
    this.#set({ session: { kind: "signed-out", expired: true, busy: false }, asking: undefined });
  }

  #silence(): void {
    this.#link.stop();
    this.#search.stop();
    this.#reader.stop();
  }

  #live(live: Live): void {
    this.#set({ live, clockAhead: live.at - Date.now() });
    this.#reader.follow();
  }

  #set(change: Partial<DashboardState>): void {
    this.#state = { ...this.#state, ...change };
    this.#onChange();
  }
}

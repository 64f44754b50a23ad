import { StateMachine, type Clock, type Logger, type Timer, type Transitions } from "../../core/index.ts";
import type { Machine, StartedProgram } from "../contract.ts";
import type { AgentStatus } from "../gateway/link.ts";
import { findBrowser } from "./browsers.ts";

/** `waiting`: it is opened later by itself. */
export type WindowState = "closed" | "opening" | "open" | "waiting" | "ended";
type WindowInput = "open" | "started" | "gone" | "wait" | "end";

const transitions: Transitions<WindowState, WindowInput> = {
  closed: { open: "opening", wait: "waiting", end: "ended" },
  opening: { started: "open", gone: "closed", end: "ended" },
  open: { gone: "closed", end: "ended" },
  waiting: { open: "opening", gone: "closed", wait: "waiting", end: "ended" },
  ended: {},
};

export interface WindowView {
  readonly state: WindowState;
  /** Why it is not open, in words. */
  readonly problem: string | undefined;
}

export interface AppWindowOptions {
  readonly machine: Machine;
  /** `browser.path`; undefined: the one that is found. */
  readonly path: string | undefined;
  readonly size: readonly [number, number];
  readonly arguments: readonly string[];
  /** Folder of the browser's profile, of this window alone. */
  readonly profile: string;
  /** Address of the page with a page token; undefined when there is none to be had now. */
  readonly address: () => Promise<string | undefined>;
  /** Whether a page carries the agent's sound already, wherever it is; undefined: not known. */
  readonly pageConnected: () => Promise<boolean | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onChange: (view: WindowView) => void;
}

/** Until it is opened again by itself, ms: longer each time it does not stay. */
const delaysMs = [2000, 5000, 15_000, 60_000];
/** A window that stood this long had no trouble in opening. */
const soundMs = 60_000;
/** A browser of this profile that runs already takes the window over, and the one just started is done at once. */
const handedOverMs = 5000;
/** A page that stays unconnected for this long does not come back by itself (its session is over), ms; twice as long each time it was no cure. */
const lostMs = 60_000;
const longestLostMs = 1_800_000;

/**
 * The window with the page that carries the sound: the installed browser in app mode, with a profile of its own. Reopened
 * while it is wanted, later each time; no second one while a page is connected.
 */
export class AppWindow {
  readonly #options: AppWindowOptions;
  readonly #state: StateMachine<WindowState, WindowInput>;
  #wanted = false;
  #program: StartedProgram | undefined;
  #timer: Timer | undefined;
  #tries = 0;
  #handedOver = false;
  #problem: string | undefined;
  /** Since when its page is known not to be connected, monotonic ms. */
  #lostSince: number | undefined;
  #lostMs = lostMs;

  constructor(options: AppWindowOptions) {
    this.#options = options;
    this.#state = new StateMachine(transitions, "closed", options.log);
  }

  get view(): WindowView {
    return { state: this.#state.state, problem: this.#problem };
  }

  /** Whether it is to be open by itself from now on. */
  want(wanted: boolean): void {
    this.#wanted = wanted;
    if (!wanted && this.#state.state === "waiting") this.#move("gone");
    else if (wanted && this.#state.state === "closed") this.#begin(false);
  }

  /** A person wants it: closes the one that is there, and opens it whatever is connected. */
  async show(): Promise<void> {
    const program = this.#program;
    program?.kill();
    await program?.exited;
    if (this.#state.state === "closed" || this.#state.state === "waiting") this.#begin(true);
  }

  /** How the agent stands: a window whose page is lost for good is closed, and opened anew with another token; never in a call. */
  look({ pageConnected, inCall }: AgentStatus): void {
    if (pageConnected) this.#lostMs = lostMs;
    const now = this.#options.clock.now();
    const isLost = pageConnected === false && inCall === false;
    if (!isLost || !this.#wanted || this.#state.state !== "open") {
      this.#lostSince = undefined;
      return;
    }
    this.#lostSince ??= now;
    if (now - this.#lostSince < this.#lostMs) return;
    this.#lostSince = undefined;
    this.#lostMs = Math.min(longestLostMs, this.#lostMs * 2);
    this.#options.log.warn({}, "the page in the window is not connected: the window is opened anew");
    this.#program?.kill();
  }

  /** Closes it for good; resolves when its program is over. */
  async close(): Promise<void> {
    this.#wanted = false;
    const program = this.#program;
    this.#move("end");
    program?.kill();
    await program?.exited;
  }

  #begin(byPerson: boolean): void {
    this.#move("open");
    this.#open(byPerson).catch((error: unknown) => {
      this.#options.log.error({ err: error }, "the window could not be opened");
      this.#failed("the window could not be opened");
    });
  }

  async #open(byPerson: boolean): Promise<void> {
    const { machine, path, address, log } = this.#options;
    if (!byPerson && (await this.#elsewhere())) {
      if (this.#state.state === "opening") this.#gone(undefined, soundMs);
      return;
    }
    const browser = path ?? (await findBrowser(machine));
    if (browser === undefined || !machine.isFile(browser))
      return this.#failed("no Chrome or Edge is found: install one, or name it by browser.path");
    const url = await address();
    if (url === undefined) return this.#failed("the gateway gives no page token");
    if (this.#state.state !== "opening") return;
    log.info({ browser }, "opening the window");
    const program = machine.start(browser, this.#argumentsFor(url), log);
    const since = this.#options.clock.now();
    this.#program = program;
    this.#handedOver = false;
    this.#problem = undefined;
    this.#move("started");
    void program.exited.then((how) => this.#exited(how, this.#options.clock.now() - since));
  }

  /** Whether a page is connected, or may be in the browser that took the window over. */
  async #elsewhere(): Promise<boolean> {
    const connected = await this.#options.pageConnected();
    return connected ?? this.#handedOver;
  }

  #argumentsFor(url: string): string[] {
    const { profile, size } = this.#options;
    return [
      `--app=${url}`,
      `--user-data-dir=${profile}`,
      `--window-size=${size.join(",")}`,
      "--autoplay-policy=no-user-gesture-required",
      "--no-first-run",
      "--no-default-browser-check",
      // It is behind WWE all day, and must ring from there.
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
      "--disable-backgrounding-occluded-windows",
      ...this.#options.arguments,
    ];
  }

  #exited({ code, failed }: Awaited<StartedProgram["exited"]>, livedMs: number): void {
    this.#program = undefined;
    if (this.#state.state === "ended") return;
    this.#handedOver = failed === undefined && code === 0 && livedMs < handedOverMs;
    if (livedMs >= soundMs) this.#tries = 0;
    const problem =
      failed ??
      (this.#handedOver
        ? "a browser left from an earlier run has taken the window over"
        : `the window was closed${code === 0 ? "" : ` (exit code ${code ?? "none: a signal"})`}`);
    this.#gone(problem, this.#handedOver ? soundMs : this.#nextDelay());
  }

  #failed(problem: string): void {
    if (this.#state.state === "opening") this.#gone(problem, this.#nextDelay());
  }

  #nextDelay(): number {
    return delaysMs[Math.min(this.#tries++, delaysMs.length - 1)] ?? soundMs;
  }

  /** It is not there; looked after again in `delayMs`, if it is wanted. */
  #gone(problem: string | undefined, delayMs: number): void {
    this.#problem = problem;
    this.#move("gone");
    if (!this.#wanted) return;
    this.#move("wait");
    this.#timer = this.#options.clock.setTimer(delayMs, () => this.#begin(false));
  }

  #move(input: WindowInput): void {
    this.#timer?.clear();
    this.#timer = undefined;
    if (this.#state.apply(input)) this.#options.onChange(this.view);
  }
}

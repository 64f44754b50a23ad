import type {
  AnswerMessage,
  CommandData,
  CommandMessage,
  CommandName,
  CommandResult,
  EventData,
  EventName,
  Mode,
  RefusalCode,
  Status,
} from "./protocol.ts";

export type * from "./protocol.ts";

export interface PhoneOptions {
  /** Address of the softphone page, e.g. `https://phone.example.com/`. */
  readonly url: string;
  /** Where the frame is put. */
  readonly container: HTMLElement;
  /** Size in CSS pixels. Default 300 by 500. */
  readonly width?: number;
  readonly height?: number;
  /** `audio`: no call control in the softphone. Default: as the gateway's configuration says. */
  readonly mode?: Mode;
  /** Name of the frame for screen readers. Default `Softphone`. */
  readonly title?: string;
  /** ms until a command without answer fails. Default 10 000; 120 000 where a person may have to allow the microphone. */
  readonly timeoutMs?: number;
}

/** A command that was refused, or got no answer (`timeout`, `destroyed`). */
export class PhoneError extends Error {
  readonly code: RefusalCode | "timeout" | "destroyed";

  constructor(code: PhoneError["code"], message: string) {
    super(message);
    this.name = "PhoneError";
    this.code = code;
  }
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PhoneError) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

type Listener = (data: unknown) => void;

/** What the frame may do on the embedding page's behalf. */
const ALLOW = ["microphone", "autoplay", "speaker-selection", "clipboard-write"];
const TIMEOUT_MS = 10_000;
const PERSON_MS = 120_000;
/** These may wait for a person who is asked for the microphone. */
const WAITS_FOR_A_PERSON: ReadonlySet<CommandName> = new Set(["sign_in", "make_call", "answer_call"]);
const KNOCK_MS = 500;
const MOST_KNOCKS = 60;

/** A softphone in a frame of this page. */
export class JackfieldPhone {
  readonly frame: HTMLIFrameElement;
  /** The first time that the softphone can be spoken to. Rejects when it cannot within half a minute of its frame's loading. */
  readonly ready: Promise<Status>;
  readonly #origin: string;
  readonly #allow: string;
  readonly #timeoutMs: number | undefined;
  readonly #pending = new Map<string, Pending>();
  readonly #listeners = new Map<string, Set<Listener>>();
  #knocking: ReturnType<typeof setInterval> | undefined;
  #unlink: (() => void)[] = [];
  #sent = 0;
  #destroyed = false;

  /** Throws when `url` is none. */
  constructor(options: PhoneOptions) {
    const url = new URL(options.url, location.href);
    if (options.mode !== undefined) url.hash = `mode=${options.mode}`;
    this.#origin = url.origin;
    this.#allow = ALLOW.map((feature) => `${feature} ${url.origin}`).join("; ");
    this.#timeoutMs = options.timeoutMs;
    this.frame = this.#makeFrame(url, options);
    window.addEventListener("message", this.#onMessage);
    this.ready = new Promise((resolve, reject) => {
      this.on("ready", (status) => {
        clearInterval(this.#knocking);
        resolve(status);
      });
      this.frame.addEventListener("load", () => this.#knock(reject));
    });
    // Nobody has to listen to it.
    this.ready.catch(() => {});
    options.container.append(this.frame);
  }

  signIn(credentials: CommandData["sign_in"]): Promise<CommandResult["sign_in"]> {
    return this.send("sign_in", credentials);
  }

  signOut(): Promise<CommandResult["sign_out"]> {
    return this.send("sign_out", {});
  }

  makeCall(number: string): Promise<CommandResult["make_call"]> {
    return this.send("make_call", { number });
  }

  answerCall(callId?: string): Promise<CommandResult["answer_call"]> {
    return this.send("answer_call", which(callId));
  }

  hangUp(callId?: string): Promise<CommandResult["hangup"]> {
    return this.send("hangup", which(callId));
  }

  hold(callId?: string): Promise<CommandResult["hold"]> {
    return this.send("hold", which(callId));
  }

  retrieve(callId?: string): Promise<CommandResult["retrieve"]> {
    return this.send("retrieve", which(callId));
  }

  mute(callId?: string): Promise<CommandResult["mute"]> {
    return this.send("mute", which(callId));
  }

  unmute(callId?: string): Promise<CommandResult["unmute"]> {
    return this.send("unmute", which(callId));
  }

  sendDtmf(digits: string, callId?: string): Promise<CommandResult["send_dtmf"]> {
    return this.send("send_dtmf", { digits, ...which(callId) });
  }

  /** To a number, without asking there. */
  transfer(number: string, callId?: string): Promise<CommandResult["transfer"]> {
    return this.send("transfer", { number, ...which(callId) });
  }

  /** To the other end of another call, which ends with this one. */
  transferToCall(toCallId: string, callId?: string): Promise<CommandResult["transfer"]> {
    return this.send("transfer", { to_call_id: toCallId, ...which(callId) });
  }

  getStatus(): Promise<CommandResult["get_status"]> {
    return this.send("get_status", {});
  }

  configure(wanted: CommandData["configure"]): Promise<CommandResult["configure"]> {
    return this.send("configure", wanted);
  }

  /** Sends a command. Rejects with a `PhoneError` when it is refused or not answered in time. */
  send<N extends CommandName>(command: N, data: CommandData[N]): Promise<CommandResult[N]> {
    return new Promise<unknown>((resolve, reject) => {
      if (this.#destroyed) throw new PhoneError("destroyed", "This softphone was taken away.");
      const id = String(++this.#sent);
      const ms = this.#timeoutMs ?? (WAITS_FOR_A_PERSON.has(command) ? PERSON_MS : TIMEOUT_MS);
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new PhoneError("timeout", `The softphone did not answer ${command} in time.`));
      }, ms);
      this.#pending.set(id, { resolve, reject, timer });
      this.#post(command, data, id);
    }) as Promise<CommandResult[N]>;
  }

  /** @returns what takes the listener away again */
  on<N extends EventName>(event: N, listener: (data: EventData[N]) => void): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, listeners);
    // The frame sends each event with the data of its kind.
    const entry: Listener = (data) => listener(data as EventData[N]);
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  /**
   * Click to dial: links `<a href="tel:...">` below `root`, also those that come later, are dialled by the softphone.
   * @param failed is told why a number was not dialled
   * @returns what gives the links back to the browser
   */
  dialLinks(root: HTMLElement = document.body, failed: (error: unknown) => void = () => {}): () => void {
    const onClick = (event: MouseEvent): void => {
      const link = event.target instanceof Element ? event.target.closest('a[href^="tel:"]') : null;
      const number = telNumber(link?.getAttribute("href") ?? "");
      if (number === "" || event.defaultPrevented) return;
      event.preventDefault();
      this.makeCall(number).catch(failed);
    };
    root.addEventListener("click", onClick);
    const off = (): void => root.removeEventListener("click", onClick);
    this.#unlink.push(off);
    return off;
  }

  /**
   * Takes the frame away, and with it the softphone. Idempotent. Sign out before, where its calls should end at once: the
   * gateway keeps them a while for a frame that comes back, as after a reload.
   */
  destroy(): void {
    this.#destroyed = true;
    window.removeEventListener("message", this.#onMessage);
    clearInterval(this.#knocking);
    for (const off of this.#unlink.splice(0)) off();
    for (const { timer, reject } of this.#pending.values()) {
      clearTimeout(timer);
      reject(new PhoneError("destroyed", "This softphone was taken away."));
    }
    this.#pending.clear();
    this.#listeners.clear();
    this.frame.remove();
  }

  #makeFrame(url: URL, { width = 300, height = 500, title = "Softphone" }: PhoneOptions): HTMLIFrameElement {
    const frame = document.createElement("iframe");
    frame.allow = this.#allow;
    // Tells the softphone our origin and nothing of our address.
    frame.referrerPolicy = "origin";
    frame.title = title;
    frame.width = String(width);
    frame.height = String(height);
    frame.style.border = "0";
    frame.src = url.href;
    return frame;
  }

  /** The softphone says `ready` by itself where the browser tells it who we are; else it waits to be spoken to. */
  #knock(failed: (error: PhoneError) => void): void {
    clearInterval(this.#knocking);
    let knocks = 0;
    this.#knocking = setInterval(() => {
      this.#post("get_status", {}, "knock");
      if (++knocks < MOST_KNOCKS) return;
      clearInterval(this.#knocking);
      failed(
        new PhoneError(
          "timeout",
          "The softphone does not answer. Check its address, and that embedding.origins of its gateway has this page's origin.",
        ),
      );
    }, KNOCK_MS);
  }

  #post<N extends CommandName>(command: N, data: CommandData[N], id: string): void {
    const message: CommandMessage<N> = { jackfield: 1, id, command, data };
    this.frame.contentWindow?.postMessage(message, this.#origin);
  }

  readonly #onMessage = ({ source, origin, data }: MessageEvent<unknown>): void => {
    if (source !== this.frame.contentWindow || origin !== this.#origin) return;
    if (!isRecord(data) || data["jackfield"] !== 1) return;
    const event = data["event"];
    if (typeof event === "string") this.#tell(event, data["data"]);
    // A message of the softphone's that is no event is an answer.
    else this.#onAnswer(data as unknown as AnswerMessage);
  };

  #tell(event: string, data: unknown): void {
    for (const listener of this.#listeners.get(event) ?? []) {
      try {
        listener(data);
      } catch (error) {
        reportError(error);
      }
    }
  }

  #onAnswer(message: AnswerMessage): void {
    const pending = this.#pending.get(String(message.answer));
    if (pending === undefined) return;
    this.#pending.delete(String(message.answer));
    clearTimeout(pending.timer);
    if (message.ok) pending.resolve(message.result);
    else pending.reject(new PhoneError(message.error.code, message.error.text));
  }
}

/** The number of a `tel:` URI (RFC 3966) without its parameters. */
function telNumber(href: string): string {
  try {
    return decodeURIComponent(/^tel:([^;?]*)/i.exec(href)?.[1] ?? "").trim();
  } catch {
    return "";
  }
}

function which(callId: string | undefined): { readonly call_id?: string } {
  return callId === undefined ? {} : { call_id: callId };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

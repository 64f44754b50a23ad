import type {
  AnswerMessage,
  Command,
  EventData,
  EventMessage,
  EventName,
  RefusalCode,
  Status,
} from "../../../sdk/protocol.ts";
import { idOf, isOurs, readCommand } from "./read-command.ts";

/** A command that cannot be carried out: the embedding page is told `code` and the message. */
export class CommandRefused extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = "CommandRefused";
    this.code = code;
  }
}

/** An event and its data. */
export type Told = { [N in EventName]: readonly [event: N, data: EventData[N]] }[EventName];

/** A message as the window got it. */
export interface Arrived {
  readonly origin: string;
  /** Whether `window.parent` sent it, and no other window or frame. */
  readonly fromParent: boolean;
  readonly data: unknown;
}

export interface EmbedOptions {
  /** Who may embed the page, as exact origins; the page's own among them. */
  readonly origins: readonly string[];
  /** Posts to `window.parent` if it has this origin. */
  post(message: AnswerMessage | EventMessage, origin: string): void;
  /** Carries a command out. @returns its result. Throws `CommandRefused`. */
  run(command: Command): unknown;
  status(): Status;
  /** ms, rising. */
  now(): number;
}

/** What an embedding page may ask for in a second; beyond, it is told so, up to `MOST_ANSWERS`, and then nothing. */
export const MOST_COMMANDS = 20;
export const MOST_ANSWERS = 100;
/** Commands that wait, as for the person's leave to use the microphone. */
export const MOST_UNDER_WAY = 16;
const WINDOW_MS = 1000;

/**
 * The conversation with the page that shows the softphone in a frame. It hears `window.parent` alone and only while that has
 * an origin of the list; it keeps nothing of what it hears.
 */
export class EmbedSession {
  readonly #options: EmbedOptions;
  /** The embedding page's origin, once it is known. */
  #origin: string | undefined;
  #windowStart = Number.NEGATIVE_INFINITY;
  #heard = 0;
  #underWay = 0;

  constructor(options: EmbedOptions) {
    this.#options = options;
  }

  /** Says `ready` where the browser tells who embeds us; else that waits for the first command. */
  begin(parentOrigin: string | undefined): void {
    if (parentOrigin !== undefined) this.#know(parentOrigin);
  }

  tell(...[event, data]: Told): void {
    if (this.#origin === undefined) return;
    this.#options.post({ jackfield: 1, event, data }, this.#origin);
  }

  /** Never throws. Resolves when the message has its answer, or gets none. */
  async hear(message: Arrived): Promise<void> {
    const { origin, fromParent } = message;
    if (!fromParent || !this.#options.origins.includes(origin)) return;
    const { data } = message;
    if (!isOurs(data)) return;
    const heard = this.#count();
    if (heard > MOST_ANSWERS) return;
    this.#know(origin);
    if (heard > MOST_COMMANDS || this.#underWay >= MOST_UNDER_WAY) {
      const text = "Too many commands at a time. Wait a second.";
      return this.#answer({ jackfield: 1, answer: idOf(data), ok: false, error: { code: "too_many", text } });
    }
    const read = readCommand(data);
    if ("refusal" in read)
      return this.#answer({ jackfield: 1, answer: read.id, ok: false, error: read.refusal });
    this.#underWay++;
    try {
      const result = await this.#options.run(read.command);
      this.#answer({ jackfield: 1, answer: read.id, ok: true, result: result ?? {} });
    } catch (error) {
      this.#answer({ jackfield: 1, answer: read.id, ok: false, error: refusalOf(error) });
    } finally {
      this.#underWay--;
    }
  }

  #know(origin: string): void {
    if (origin === this.#origin || !this.#options.origins.includes(origin)) return;
    this.#origin = origin;
    this.tell("ready", this.#options.status());
  }

  #answer(message: AnswerMessage): void {
    if (this.#origin !== undefined) this.#options.post(message, this.#origin);
  }

  /** Messages of this second, this one among them. */
  #count(): number {
    const now = this.#options.now();
    if (now - this.#windowStart >= WINDOW_MS) {
      this.#windowStart = now;
      this.#heard = 0;
    }
    return ++this.#heard;
  }
}

function refusalOf(error: unknown): { code: RefusalCode; text: string } {
  if (error instanceof CommandRefused) return { code: error.code, text: error.message };
  // What went wrong inside may name what was typed in, so it stays here.
  return { code: "failed", text: "The softphone could not do this." };
}

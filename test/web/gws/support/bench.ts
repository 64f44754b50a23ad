import { GwsHttp } from "../../../../web/src/softphone/gws/http.ts";
import type { EventOwner } from "../../../../web/src/softphone/gws/event-channel.ts";
import { GwsSession } from "../../../../web/src/softphone/gws/session.ts";
import { readGwsSettings, type GwsSettings } from "../../../../web/src/softphone/gws/settings.ts";

export interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
  readonly headers: Record<string, string>;
}

export type Answer = { status?: number; body?: unknown; headers?: Record<string, string> } | Error;

/** Answers by the first entry whose name is in `METHOD path operation`; 200 with statusCode 0 where none is. */
export type Answers = Record<string, Answer | Answer[]>;

export const DEVICE = {
  id: "d1",
  deviceState: "Inactive",
  phoneNumber: "5001",
  userState: { state: "Offline", displayName: "Offline" },
};

export function settingsOf(more: object = {}): GwsSettings {
  const settings = readGwsSettings({ url: "https://gws.test", ...more });
  if (settings === undefined) throw new Error("no settings");
  return settings;
}

/** Lets everything that waits for nothing but promises go on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 30; turn++) await Promise.resolve();
}

/** A session with GWS, its events and the time in the test's hand. */
export class Bench {
  readonly sent: Sent[] = [];
  readonly answers: Answers = { "GET me": { body: { user: { userName: "ann", devices: [DEVICE] } } } };
  readonly session: GwsSession;
  events: EventOwner | undefined;
  eventsClosed = 0;
  readonly #timers = new Map<() => void, number>();
  #now = 0;

  constructor(more: object = {}) {
    const settings = settingsOf(more);
    const http = new GwsHttp(settings, (url, init) => this.#fetch(url, init));
    this.session = new GwsSession(settings, {
      http,
      openEvents: (_settings, _headers, owner) => {
        this.events = owner;
        return { close: () => (this.eventsClosed += 1) };
      },
      after: this.after,
    });
  }

  readonly after = (ms: number, act: () => void): (() => void) => {
    this.#timers.set(act, this.#now + ms);
    return () => void this.#timers.delete(act);
  };

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const [act, at] = [...this.#timers].sort(([, a], [, b]) => a - b)[0] ?? [];
      if (act === undefined || at === undefined || at > end) break;
      this.#timers.delete(act);
      this.#now = at;
      act();
      await settled();
    }
    this.#now = end;
    await settled();
  }

  get waiting(): number {
    return this.#timers.size;
  }

  get operations(): string[] {
    return this.sent.map(({ method, path, body }) => `${method} ${path} ${operationOf(body)}`.trim());
  }

  async active(): Promise<void> {
    this.session.line("5001", true);
    await this.session.signIn({ user: "ann", password: "pw" });
    await settled();
  }

  call(id: string, state: string, capabilities: readonly string[], more: object = {}): void {
    const call = { id, state, capabilities, ...more };
    this.events?.event({ messageType: "CallStateChangeMessage", call });
  }

  async #fetch(url: string, init: RequestInit): Promise<Response> {
    const path = url.replace("https://gws.test/api/v2/", "");
    const body = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    const headers = Object.fromEntries(new Headers(init.headers));
    const method = init.method ?? "";
    this.sent.push({ method, path, body, headers });
    await Promise.resolve();
    const what = `${method} ${path} ${operationOf(body)}`;
    const name = Object.keys(this.answers).find((one) => what.includes(one));
    const entry = name === undefined ? undefined : this.answers[name];
    const answer = Array.isArray(entry) ? (entry.length > 1 ? entry.shift() : entry[0]) : entry;
    if (answer instanceof Error) throw answer;
    const { status = 200, body: answered = { statusCode: 0 }, headers: more = {} } = answer ?? {};
    const text = typeof answered === "string" ? answered : JSON.stringify(answered);
    return new Response(text, { status, headers: more });
  }
}

function operationOf({ operationName }: Record<string, unknown>): string {
  return typeof operationName === "string" ? operationName : "";
}

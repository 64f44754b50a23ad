/** What the wire tells; never after `signOut` of the same SSID. */
export interface WireUser {
  /** One message; `peer`: the reply's Pragma, empty where there was none. */
  onMessage(body: string, peer: string): void;
  /** A poll failed: 4xx, 5xx, the network, or JSON that is none. */
  onConnectionError(): void;
  /** A poll was answered by a 2xx that is not 200: signed out. */
  onThrownOut(): void;
}

export interface WireOptions {
  /** `webrtc_gateway`, verbatim: paths are appended, nothing is encoded. */
  readonly gateway: string;
  /** `polling_timeout`, ms; 0 none. Default 30,000. */
  readonly pollingTimeoutMs?: number;
  /** Between repetitions of what failed, ms. Default 3000. */
  readonly repeatMs?: number;
  /** More headers, as jQuery's X-Requested-With toward the page's own origin. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** `registered` and `failed` are two callbacks of the library's: both fire where the reply is JSON. */
export interface SignedIn {
  readonly registered: boolean;
  readonly failed: boolean;
}

const form = "application/x-www-form-urlencoded; charset=UTF-8";

/** A reply with its whole body. */
interface Reply {
  readonly status: number;
  readonly body: string;
  readonly peer: string;
  /** The type says JSON, and so jQuery reads it. */
  readonly json: boolean;
  /** What jQuery calls success. */
  readonly good: boolean;
}

/**
 * The HTTP half of grtc.js 8.5.210.31 (wrtc-http-protocol.md 1, 3): in a page or in Node, by `fetch`. Written from that
 * document alone.
 */
export class Wire {
  ssid: string | undefined;
  readonly #options: WireOptions;
  readonly #user: WireUser;

  constructor(options: WireOptions, user: WireUser) {
    this.#options = options;
    this.#user = user;
  }

  /** With a password by POST, else by GET with the ID as the whole query. Signs an earlier SSID out in the same moment. */
  async signIn(id: string, password?: string): Promise<SignedIn> {
    this.signOut();
    const reply =
      password === undefined
        ? await this.#send(`/sign_in?${id}`)
        : await this.#send("/sign_in", `${id}:${password}`);
    if (reply === "timeout" || reply === "broken" || !reply.good) return { registered: false, failed: true };
    if (reply.json) return { registered: true, failed: true };
    const ssid = reply.body.split("\n")[0]?.split("=")[1] ?? "undefined";
    this.ssid = ssid;
    void this.#poll(ssid);
    return { registered: true, failed: false };
  }

  /** Fire and forget; the open poll is left to itself. */
  signOut(): void {
    const { ssid } = this;
    this.ssid = undefined;
    if (ssid !== undefined) void this.#send(`/sign_out?id=${ssid}`);
  }

  /** @param again whether a message that failed is to be repeated, asked each time; none: it is sent once */
  async post(to: string, body: string, again: () => boolean = () => false): Promise<void> {
    const { ssid } = this;
    for (;;) {
      const reply = await this.#send(`/message?from=${ssid}&to=${to}`, body);
      if (typeof reply !== "string" && reply.good) return;
      await this.#pause();
      if (this.ssid !== ssid || !again()) return;
    }
  }

  async #poll(ssid: string): Promise<void> {
    const timeoutMs = this.#options.pollingTimeoutMs ?? 30_000;
    while (this.ssid === ssid) {
      const reply = await this.#send(`/wait?id=${ssid}`, undefined, timeoutMs);
      if (this.ssid !== ssid) return;
      if (reply === "timeout") continue;
      if (reply === "broken" || !reply.good) {
        this.#user.onConnectionError();
        await this.#pause();
      } else if (reply.status === 200) this.#user.onMessage(reply.body, reply.peer);
      else {
        this.signOut();
        this.#user.onThrownOut();
      }
    }
  }

  async #pause(): Promise<void> {
    await new Promise((resolve) => {
      setTimeout(resolve, this.#options.repeatMs ?? 3000);
    });
  }

  async #send(path: string, body?: string, timeoutMs = 0): Promise<Reply | "timeout" | "broken"> {
    const { gateway, headers = {} } = this.#options;
    const signal = timeoutMs > 0 ? AbortSignal.timeout(timeoutMs) : undefined;
    try {
      const reply = await fetch(`${gateway}${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: body === undefined ? headers : { ...headers, "content-type": form },
        credentials: "include",
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
      });
      const text = await reply.text();
      const json = /\bjson\b/.test(reply.headers.get("content-type") ?? "");
      return {
        status: reply.status,
        body: text,
        peer: reply.headers.get("pragma") ?? "",
        json,
        good: reply.ok && (!json || isJson(text)),
      };
    } catch {
      return signal?.aborted === true ? "timeout" : "broken";
    }
  }
}

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

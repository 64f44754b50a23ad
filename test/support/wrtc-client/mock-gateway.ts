import { JsonServer, type JsonReply, type JsonRequest } from "../json-server.ts";

const plain = { "content-type": "text/plain; charset=utf-8" };

/** A reply of the gateway's; text/plain unless told. */
export function says(text = "", more: Omit<JsonReply & object, "text" | "json"> = {}): JsonReply & object {
  return { ...more, text, headers: { ...plain, ...more.headers } };
}

/** A gateway that does what its script says: for what a client makes of it, not for how a gateway should be. */
export class MockGateway {
  /** Asked for each sign-in. */
  signIn: (request: JsonRequest) => JsonReply = () => says("id=one\n");
  /** Asked for each message. */
  message: (request: JsonRequest) => JsonReply = () => says();
  readonly #server: JsonServer;
  readonly #outbox: JsonReply[] = [];
  readonly #parked: ((reply: JsonReply) => void)[] = [];

  private constructor(server: JsonServer) {
    this.#server = server;
    server.reply = async (request) => await this.#answer(request);
  }

  static async open(): Promise<MockGateway> {
    return new MockGateway(await JsonServer.open());
  }

  get url(): string {
    return this.#server.url;
  }

  get requests(): readonly JsonRequest[] {
    return this.#server.requests;
  }

  /** Bodies posted as messages. */
  get posted(): readonly string[] {
    return this.requests.filter(({ path }) => path.startsWith("/message")).map(({ body }) => body);
  }

  /** Posted ROAP messages of a type, parsed. */
  roap(type: string): readonly Record<string, unknown>[] {
    return this.posted
      .filter((body) => body.startsWith("RSMP {"))
      .map((body) => JSON.parse(body.slice(5)) as Record<string, unknown>)
      .filter(({ messageType }) => messageType === type);
  }

  /** Answers the poll that is open, or the next. */
  push(reply: Exclude<JsonReply, "never"> | string, peer?: string): void {
    const headers = peer === undefined ? {} : { pragma: peer };
    const answer = typeof reply === "string" ? says(reply, { headers }) : reply;
    const parked = this.#parked.shift();
    if (parked === undefined) this.#outbox.push(answer);
    else parked(answer);
  }

  /** Resolves once what was looked for is there; looks at each request. */
  async until<T>(look: () => T | undefined | false): Promise<T> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      await this.#server.asked(this.requests.length + 1);
    }
  }

  async polls(count: number): Promise<void> {
    await this.until(() => this.requests.filter(({ path }) => path.startsWith("/wait")).length >= count);
  }

  async close(): Promise<void> {
    for (const parked of this.#parked.splice(0)) parked("never");
    await this.#server.close();
  }

  async #answer(request: JsonRequest): Promise<JsonReply> {
    if (request.path.startsWith("/sign_in")) return this.signIn(request);
    if (request.path.startsWith("/message")) return this.message(request);
    if (!request.path.startsWith("/wait")) return says();
    const next = this.#outbox.shift();
    return next ?? (await new Promise((resolve) => this.#parked.push(resolve)));
  }
}

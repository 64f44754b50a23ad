import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { onTestFinished } from "vitest";
import { silentLogger, systemClock, type Logger } from "../../src/core/index.ts";
import {
  EndpointDesk,
  EndpointSessions,
  EndpointTokens,
  registerEndpointRoutes,
  type PageCredentials,
  type PageOrder,
  type SipServerName,
} from "../../src/endpoint/index.ts";
import { LoginGuard, type KnownPresence, type TrunkState } from "../../src/registrar/index.ts";
import { openHttpServer } from "../../src/ws/index.ts";
import { CountingRandom } from "../support/counting-random.ts";
import { FakeClock } from "../support/fake-clock.ts";

export const wweOrigin = "http://wwe.example.com:8090";

/** The DNs as registrar and SIP Server have them. */
export class Dns {
  readonly presences = new Map<string, { reachable: boolean }>();
  readonly states = new Map<string, TrunkState>();
  readonly signedOut: string[] = [];
  credentialsUntil = "2026-01-01T12:00:00.000Z";
  /** `issuedAt` of page sessions that are over. */
  readonly over = new Set<number>();
  readonly inCall = new Set<string>();
  /** In place of credentials: why there are none. */
  refusal: string | undefined;

  readonly registrar = {
    find: (dn: string): KnownPresence | undefined => {
      const known = this.presences.get(dn);
      return (
        known && {
          kind: "wrtc",
          dn,
          instance: "",
          userAgent: "",
          allowEvents: [],
          since: 0,
          gone: false,
          address: "",
          dismissed() {},
          ...known,
        }
      );
    },
  };
  readonly trunk = {
    status: (dn: string) => ({ state: this.states.get(dn) ?? "idle", reason: "" }) as const,
  };

  signIn(dn: string, state: TrunkState = "in-service"): void {
    this.presences.set(dn, { reachable: true });
    this.states.set(dn, state);
  }

  leave(dn: string): void {
    this.presences.delete(dn);
    this.states.set(dn, "idle");
  }

  readonly credentialsFor = async (dn: string): Promise<PageCredentials | string> =>
    this.refusal ?? {
      dn,
      user: `${dn};exp=1;id=2`,
      realm: "jackfield",
      ha1: "0",
      expires_at: this.credentialsUntil,
    };

  readonly busy = (dn: string): boolean => this.inCall.has(dn);

  readonly isOver = ({ issuedAt }: { readonly issuedAt: number }): boolean => this.over.has(issuedAt);

  readonly signOut = (dn: string, reason: string): void => {
    this.signedOut.push(`${dn}: ${reason}`);
    this.leave(dn);
  };
}

/** A logger that keeps lines with their details. */
export function keepingLog(): Logger & {
  readonly lines: { level: string; message: string; details: object }[];
} {
  const lines: { level: string; message: string; details: object }[] = [];
  const at = (level: string) => (details: object, message: string) =>
    void lines.push({ level, message, details });
  const log = {
    lines,
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: () => log,
  };
  return log;
}

export interface BenchOptions {
  readonly origins?: readonly string[];
  readonly hosts?: readonly string[];
  readonly servers?: readonly SipServerName[];
  readonly log?: Logger;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Everything behind `/endpoint/` on a free loopback port, time as a fake clock has it. */
export async function openBench(options: BenchOptions = {}) {
  const clock = new FakeClock();
  const random = new CountingRandom();
  const log = options.log ?? silentLogger;
  const dns = new Dns();
  const revoked: string[] = [];
  const tokens = new EndpointTokens({
    secret: "a secret of this gateway",
    revoked: () => revoked,
    pageSessionMs: 12 * 3_600_000,
    clock,
    random,
  });
  const { registrar, trunk, credentialsFor, signOut, busy } = dns;
  const sessions = new EndpointSessions({
    registrar,
    trunk,
    credentialsFor,
    signOut,
    busy,
    isOver: (page) => tokens.isOver(page),
    clock,
    log,
  });
  const guard = new LoginGuard({
    clock,
    limits: () => ({ perAccount: 10, perAddress: 20, perDn: 50, forgiveSeconds: 30, neverBan: [] }),
    log: silentLogger,
  });
  const terms = { origins: options.origins ?? [wweOrigin], hosts: options.hosts ?? ["127.0.0.1"] };
  const servers = options.servers ?? [{ host: "192.0.2.10", port: 5060 }];
  const desk = new EndpointDesk({
    tokens,
    sessions,
    guard,
    terms: () => terms,
    servers: () => servers,
    secure: false,
    clock,
    log,
  });
  const server = openHttpServer({
    host: "127.0.0.1",
    port: 0,
    log: silentLogger,
    clock: systemClock,
    closeTimeoutMs: 10,
  });
  registerEndpointRoutes(server.app, desk);
  await server.listen();
  onTestFinished(async () => {
    sessions.close();
    await server.close();
  });
  const origin = `http://127.0.0.1:${server.port}`;
  const send = (
    method: string,
    path: string,
    headers: Record<string, string> = {},
    body?: string,
  ): Promise<Answer> => ask(server.port, method, path, headers, body);
  return {
    clock,
    dns,
    tokens,
    sessions,
    guard,
    desk,
    revoked,
    origin,
    port: server.port,
    send,
    /** As WWE asks, from its own origin, with the content type on everything. */
    wwe: (method: string, path: string, body?: unknown): Promise<Answer> =>
      send(
        method,
        path,
        { origin: wweOrigin, "content-type": "application/json; charset=UTF-8" },
        body === undefined ? undefined : JSON.stringify(body),
      ),
    /** As the page posts. */
    page: (path: string, body: unknown): Promise<Answer> =>
      send("POST", path, { origin, "content-type": "application/json" }, JSON.stringify(body)),
  };
}

export type Bench = Awaited<ReturnType<typeof openBench>>;
/** What a page needs of it. */
export type PageBench = Pick<Bench, "page" | "port">;

export function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: string,
): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = httpRequest(
    { host: "127.0.0.1", port, method, path, headers, agent: false },
    (incoming) => {
      const parts: Buffer[] = [];
      incoming.on("data", (part: Buffer) => void parts.push(part));
      incoming.on("end", () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          text: Buffer.concat(parts).toString(),
        }),
      );
      incoming.on("error", reject);
    },
  );
  outgoing.on("error", reject);
  outgoing.end(body);
  return promise;
}

/** A page that reads its events: what came, and the next to come. */
export class TestPage {
  readonly path: string;
  readonly events: { readonly event: string; readonly order: PageOrder }[] = [];
  readonly ended: Promise<void>;
  close: () => void = () => {};
  readonly #bench: PageBench;
  readonly #waiting: (() => void)[] = [];

  private constructor(bench: PageBench, session: string) {
    this.#bench = bench;
    this.path = `/endpoint/${session}`;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    this.#over = resolve;
  }
  readonly #over: () => void;

  /** Exchanges a token and connects. */
  static async open(bench: PageBench, token: string): Promise<TestPage> {
    const answer = await bench.page("/endpoint/page", { token });
    const { session } = JSON.parse(answer.text) as { session: string };
    const page = new TestPage(bench, session);
    await page.connect();
    return page;
  }

  connect(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { port } = this.#bench;
    const outgoing = httpRequest(
      { host: "127.0.0.1", port, path: `${this.path}/events`, agent: false },
      (incoming) => {
        if (incoming.statusCode !== 200) reject(new Error(`events: ${incoming.statusCode}`));
        let text = "";
        incoming.setEncoding("utf8");
        incoming.on("data", (part: string) => {
          resolve();
          text += part;
          const blocks = text.split("\n\n");
          text = blocks.pop() ?? "";
          for (const block of blocks) this.#take(block);
        });
        incoming.on("end", () => this.#over());
        incoming.on("error", () => this.#over());
      },
    );
    outgoing.on("error", () => this.#over());
    outgoing.end();
    this.close = () => outgoing.destroy();
    onTestFinished(() => void outgoing.destroy());
    return promise;
  }

  #take(block: string): void {
    const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
    if (event === "") return;
    this.events.push({ event, order: JSON.parse(data) as PageOrder });
    this.#waiting.shift()?.();
  }

  /** The event at this place, counted from 0, when it is there. */
  async event(at: number): Promise<{ readonly event: string; readonly order: PageOrder }> {
    for (;;) {
      const found = this.events[at];
      if (found) return found;
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  async result(at: number, ok: boolean, reason?: string): Promise<number> {
    const { order } = await this.event(at);
    const { status } = await this.#bench.page(`${this.path}/result`, {
      id: order.id,
      ok,
      ...(reason === undefined ? {} : { reason }),
    });
    return status;
  }

  state(more: object = {}): Promise<Answer> {
    return this.#bench.page(`${this.path}/state`, {
      signed_in: true,
      microphone: { muted: false, volume: 80 },
      speaker: { muted: true, volume: 100 },
      call: null,
      ...more,
    });
  }
}

/** Lets promises run that wait for nothing outside. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

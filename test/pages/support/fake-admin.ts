import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type {
  Agent,
  AuditEntry,
  Call,
  Change,
  Role,
  Sample,
  Snapshot,
  Trace,
} from "../../../web/src/dashboard/api/contract.ts";
import { figures, hostile, sampleOf, snapshotOf, traceOf } from "./admin-data.ts";

interface User {
  readonly password: string;
  readonly role: Role;
}

/**
 * The admin API as the dashboard sees it, from generated data: by default 1,000 agents and 500 calls. Takes `/api` and
 * `/admin/` of a server that serves the built pages. What is done to it is done to its data, and stands in its audit.
 */
export class FakeAdmin {
  /** False: as with neither user nor token configured. */
  configured = true;
  /** 5xx to every act from now on, with this for a reason. */
  failing: string | undefined;
  readonly users = new Map<string, User>([
    ["eva", { password: "secret-eva", role: "operate" }],
    ["rob", { password: "secret-rob", role: "read" }],
  ]);
  readonly requests: string[] = [];
  readonly #sessions = new Map<string, string>();
  readonly #streams = new Set<ServerResponse>();
  readonly #random = figures(3);
  readonly #past: number;
  readonly #files: RequestListener;
  readonly #samples: Sample[];
  readonly agents: Map<string, Agent>;
  readonly calls: Map<string, Call>;
  #snapshot: Snapshot;
  #turns = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  /** Entries of a running call's trace beyond the usual ones, three each. */
  traceLength = 0;

  constructor(server: Server, sizes = { agents: 1000, calls: 500, past: 40 }) {
    this.#past = sizes.past;
    const [files] = server.listeners("request");
    this.#files = files as RequestListener;
    server.removeAllListeners("request");
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      void this.#answer(request, response);
    });
    const now = Date.now();
    this.#snapshot = snapshotOf(now, sizes.agents, sizes.calls);
    this.agents = new Map(this.#snapshot.agents.map((agent) => [agent.id, agent]));
    this.calls = new Map(this.#snapshot.calls.map((call) => [call.id, call]));
    this.#samples = Array.from({ length: 2160 }, (_, index) =>
      sampleOf(now - (2160 - index) * 10_000, this.#random),
    );
  }

  /** All are logged out, and told so by nothing but 401. */
  expireSessions(): void {
    this.#sessions.clear();
    this.cutStreams();
  }

  cutStreams(): void {
    for (const stream of this.#streams) stream.destroy();
  }

  get streams(): number {
    return this.#streams.size;
  }

  push(change: Omit<Change, "at">): void {
    for (const agent of change.agents?.changed ?? []) this.agents.set(agent.id, agent);
    for (const id of change.agents?.gone ?? []) this.agents.delete(id);
    for (const call of change.calls?.changed ?? []) this.calls.set(call.id, call);
    for (const id of change.calls?.gone ?? []) this.calls.delete(id);
    const { gateway = this.#snapshot.gateway } = change;
    this.#snapshot = { ...this.#snapshot, gateway };
    this.#send("change", { at: new Date().toISOString(), ...change });
  }

  /** Half of the calls and a tenth of the agents change, and a sample comes. */
  turn(): void {
    const turn = this.#turns++;
    const calls = [...this.calls.values()].filter((_, index) => index % 2 === turn % 2);
    const agents = [...this.agents.values()].filter((_, index) => index % 10 === turn % 10);
    this.push({
      calls: {
        changed: calls.map((call) => ({ ...call, mos: call.mos && 3 + this.#random() * 1.4 })),
        gone: [],
      },
      agents: {
        changed: agents.map((agent) => ({ ...agent, reachable: this.#random() > 0.01 })),
        gone: [],
      },
      sample: sampleOf(Date.now(), this.#random),
    });
  }

  /** A turn each second. */
  work(): void {
    this.#timer = setInterval(() => this.turn(), 1000);
  }

  rest(): void {
    clearInterval(this.#timer);
  }

  close(): void {
    this.rest();
    this.cutStreams();
  }

  #send(event: string, data: unknown, to: Iterable<ServerResponse> = this.#streams): void {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of to) stream.write(text);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (!url.pathname.startsWith("/api/")) {
      if (url.pathname === "/admin/") request.url = "/admin/index.html";
      this.#files(request, response);
      return;
    }
    const method = request.method ?? "GET";
    this.requests.push(`${method} ${url.pathname}${url.search}`);
    const json = (status: number, value: unknown): void => {
      response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
      response.end(JSON.stringify(value));
    };
    if (!this.configured) return json(404, { error: "Not Found" });
    const body = await bodyOf(request);
    const path = url.pathname.slice(5).split("/").map(decodeURIComponent);
    if (path[0] === "login") return this.#login(body, response, json);
    const cookie = /session=(\w+)/.exec(request.headers.cookie ?? "")?.[1] ?? "";
    const name = this.#sessions.get(cookie);
    const role = name === undefined ? undefined : this.users.get(name)?.role;
    if (path[0] === "session") return json(200, { user: role === undefined ? null : { name, role } });
    if (name === undefined || role === undefined) return json(401, { error: "log in first" });
    if (path[0] === "logout") {
      this.#sessions.delete(cookie);
      response.writeHead(204).end();
      return;
    }
    if (method !== "GET") {
      if (role !== "operate") return json(403, { error: "your role may only read" });
      if (request.headers["content-type"] !== "application/json")
        return json(415, { error: "send Content-Type: application/json" });
      return this.#act(method, path, body, name, json);
    }
    return this.#read(path, url.searchParams, { name, role }, response, json);
  }

  #login(body: unknown, response: ServerResponse, json: (status: number, value: unknown) => void): void {
    const { name = "", password } = body as { name?: string; password?: string };
    const user = this.users.get(name);
    if (user === undefined || user.password !== password)
      return json(401, { error: "wrong name or password" });
    const session = `s${Math.round(this.#random() * 1e9)}`;
    this.#sessions.set(session, name);
    response.setHeader("set-cookie", `session=${session}; HttpOnly; SameSite=Strict; Path=/`);
    json(200, { name, role: user.role });
  }

  #read(
    path: readonly string[],
    query: URLSearchParams,
    me: { name: string; role: Role },
    response: ServerResponse,
    json: (status: number, value: unknown) => void,
  ): void {
    const [room, id, what] = path;
    if (room === "me") return json(200, me);
    if (room === "history") return json(200, { every_seconds: 10, samples: this.#samples });
    if (room === "traces") return json(200, { traces: this.#traces(query).map(withoutEntries) });
    if (room === "captures") {
      response.writeHead(200, { "content-type": "application/vnd.tcpdump.pcap" }).end("pcap");
      return;
    }
    if (room === "calls" && what === "trace" && id !== undefined) {
      const trace = this.#trace(id);
      if (!trace) return json(404, { error: "no such trace is kept: GET /api/traces lists them" });
      if (query.get("format") !== "text") return json(200, trace);
      response
        .writeHead(200, { "content-type": "text/plain; charset=utf-8" })
        .end(`call ${id}: DN ${trace.dn}\nladder\n`);
      return;
    }
    if (room !== "events") return json(404, { error: "Not Found" });
    response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
    this.#streams.add(response);
    response.on("close", () => this.#streams.delete(response));
    const now = {
      at: new Date().toISOString(),
      agents: [...this.agents.values()],
      calls: [...this.calls.values()],
    };
    this.#send("snapshot", { ...this.#snapshot, ...now }, [response]);
  }

  #act(
    method: string,
    path: readonly string[],
    body: unknown,
    who: string,
    json: (status: number, value: unknown) => void,
  ): void {
    if (this.failing !== undefined) return json(500, { error: this.failing });
    const [room, id = "", what] = path;
    const audited = (act: string, target: string | null, change: Omit<Change, "at"> = {}): void => {
      const entry: AuditEntry = {
        at: new Date().toISOString(),
        who,
        role: "operate",
        address: "127.0.0.1",
        act,
        target,
        outcome: "done",
      };
      this.#snapshot = { ...this.#snapshot, audit: [...this.#snapshot.audit, entry] };
      this.push({ ...change, audit: [entry] });
    };
    const call = this.calls.get(id);
    if (room === "calls" && !call) return json(404, { error: "there is no such call" });
    if (room === "calls" && call && what === "capture") {
      const file = method === "POST" ? `${id}-20261121.pcap` : null;
      json(method === "POST" ? 202 : 200, {
        file: file ?? call.capture,
        seconds: 60,
        packets: 11_873,
        bytes: 664_924,
      });
      return audited(file === null ? "stop capture" : "start capture", id, {
        calls: { changed: [{ ...call, capture: file }], gone: [] },
      });
    }
    if (room === "calls" && call) {
      json(202, {});
      return audited("hang up", id, { calls: { changed: [], gone: [id] } });
    }
    if (room === "agents") {
      const gone = [...this.agents.values()].filter(({ dn }) => dn === id).map((agent) => agent.id);
      json(202, { signed_out: gone.length });
      return audited("sign out", id, { agents: { changed: [], gone } });
    }
    const { gateway } = this.#snapshot;
    if (room === "drain") {
      const { draining } = body as { draining: boolean };
      const calls = this.calls.size;
      json(200, { draining, calls });
      const drain = draining ? { calls, pages: 1000, dns: 1000, seconds_left: null } : null;
      return audited(draining ? "drain" : "undrain", null, { gateway: { ...gateway, draining, drain } });
    }
    if (room === "log-level") {
      const { level, room: whose = null } = body as { level: string; room?: string };
      const changed = { level, room: whose, until: null };
      json(200, changed);
      const others = gateway.log_levels.filter((one) => one.room !== whose);
      const log_levels = whose === null ? [changed, ...others] : [...others, changed];
      return audited("log level", level, { gateway: { ...gateway, log_levels } });
    }
    if (room === "certificate")
      return json(409, { error: "the key does not fit the certificate; the old one stays" });
    return json(404, { error: "Not Found" });
  }

  #traces(query: URLSearchParams): readonly Trace[] {
    const past = Array.from({ length: this.#past }, (_, index) => this.#trace(`past-${index}`)).filter(
      (trace) => trace !== undefined,
    );
    const running = [...this.calls.keys()]
      .map((id) => this.#trace(id))
      .filter((trace) => trace !== undefined);
    return [...running, ...past].filter(({ dn, far_number, call_uuid, call_ids }) => {
      const fits = (key: string, is: (value: string) => boolean): boolean => {
        const value = query.get(key);
        return value === null || is(value);
      };
      return (
        fits("dn", (value) => dn === value) &&
        fits("number", (value) => far_number.includes(value)) &&
        fits("callUuid", (value) => call_uuid === value) &&
        fits("callId", (value) => [...call_ids.browser, ...call_ids.sip_server].includes(value))
      );
    });
  }

  #trace(id: string): Trace | undefined {
    const call_ids = { browser: [`${id}@browser`], sip_server: [`${id}@10.1.0.10`] };
    const call = this.calls.get(id);
    if (call) {
      const { dn, direction, far_number, call_uuid, since, state } = call;
      const facts = {
        id,
        dn,
        direction,
        far_number,
        call_uuid,
        since,
        state,
        status: null,
        reason: null,
        call_ids,
      };
      return traceOf(facts, this.traceLength);
    }
    const index = /^past-(\d+)$/.exec(id)?.[1];
    if (index === undefined) return undefined;
    return traceOf({
      id,
      dn: String(5000 + Number(index) * 3),
      direction: "to-agent",
      far_number: index === "1" ? hostile : `+4930${200_000 + Number(index)}`,
      call_uuid: `PAST${index.padStart(28, "0")}`,
      since: new Date(Date.now() - Number(index) * 198_000).toISOString(),
      state: "ended",
      status: 480,
      reason: index === "1" ? hostile : "no browser was signed in for the DN",
      call_ids,
    });
  }
}

function withoutEntries({
  entries: _entries,
  quality: _quality,
  counters: _counters,
  left_out: _left,
  ...summary
}: Trace) {
  return summary;
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const part of request) text += String(part);
  return text === "" ? {} : JSON.parse(text);
}

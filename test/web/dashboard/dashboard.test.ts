import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { AdminApi } from "../../../web/src/dashboard/api/client.ts";
import { Dashboard, type Session } from "../../../web/src/dashboard/store/dashboard.ts";

type Reply = readonly [status: number, body?: unknown, headers?: Record<string, string>];

/** A dashboard over answers by `METHOD path`; the last one given counts, 404 without one. */
function open() {
  const replies = new Map<string, Reply | "down">([
    ["GET session", [200, { user: { name: "eva", role: "operate" } }]],
    ["GET history", [200, { samples: [] }]],
    ["POST login", [200, { name: "eva", role: "operate" }]],
    ["POST logout", [204]],
  ]);
  const asked: string[] = [];
  const api = new AdminApi("/api/", async (url, { method = "GET", body }) => {
    const path = url.replace("/api/", "");
    asked.push([method, path, typeof body === "string" ? body : ""].join(" ").trim());
    await Promise.resolve();
    const reply = replies.get(`${method} ${path}`) ?? [404, { error: "Not Found" }];
    if (reply === "down") throw new TypeError("fetch failed");
    const [status, content, headers] = reply;
    const type = {
      "content-type": typeof content === "string" ? "text/plain" : "application/json",
      ...headers,
    };
    const text = typeof content === "string" ? content : JSON.stringify(content);
    return new Response(content === undefined ? null : text, {
      status,
      headers: content === undefined ? {} : type,
    });
  });
  const tellers = new Map<string, (event: { data?: unknown }) => void>();
  let streams = 0;
  const dashboard = new Dashboard({
    api,
    openEvents: () => {
      streams++;
      return {
        addEventListener: (name, listener) => void tellers.set(name, listener),
        close: () => tellers.clear(),
      };
    },
    onChange: () => undefined,
  });
  const tell = (name: string, data?: unknown): void => tellers.get(name)?.({ data: JSON.stringify(data) });
  const session = (): Session["kind"] => dashboard.state.session.kind;
  return { dashboard, replies, asked, tell, session, streams: () => streams };
}

const call = { id: "c1", dn: "5001", far_number: "123", state: "established" };
const snapshot = {
  at: "2026-11-21T12:00:00Z",
  agents: [],
  calls: [call],
  servers: [],
  workers: [],
  failures: [],
  audit: [],
};
const trace = { id: "c1", dn: "5001", entries: [] };

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe("the session", () => {
  it("is live at once for who is logged in still", async () => {
    const { dashboard, session, tell, streams } = open();
    await dashboard.start();
    expect(session()).toBe("signed-in");
    expect(streams()).toBe(1);
    tell("snapshot", snapshot);
    expect(dashboard.state.live.calls.size).toBe(1);
    expect(dashboard.state.link.kind).toBe("live");
  });

  it("knows a gateway without admin from one that asks for a login and one that is down", async () => {
    const { dashboard, replies, session } = open();
    replies.set("GET session", [404, { error: "Not Found" }]);
    await dashboard.start();
    expect(session()).toBe("off");
    replies.set("GET session", [200, { user: null }]);
    await dashboard.start();
    expect(session()).toBe("signed-out");
    replies.set("GET session", "down");
    await dashboard.start();
    expect(session()).toBe("unreachable");
  });

  it("says why a login failed, and how long to wait after too many", async () => {
    const { dashboard, replies } = open();
    replies.set("GET session", [200, { user: null }]);
    replies.set("POST login", [401, { error: "wrong name or password" }]);
    await dashboard.start();
    await dashboard.logIn("eva", "x");
    expect(dashboard.state.session).toMatchObject({ busy: false, error: "wrong name or password" });
    replies.set("POST login", [429, { error: "x" }, { "retry-after": "12" }]);
    await dashboard.logIn("eva", "x");
    expect(dashboard.state.session).toMatchObject({
      error: "too many tries from this address: wait 12 seconds",
    });
  });

  it("that ends in the middle asks for a login and keeps what is shown", async () => {
    const { dashboard, replies, session, tell, streams } = open();
    replies.set("GET calls/c1/trace", [200, trace]);
    dashboard.show({ kind: "call", id: "c1" });
    await dashboard.start();
    tell("snapshot", snapshot);
    await vi.advanceTimersByTimeAsync(0);
    replies.set("GET session", [200, { user: null }]);
    tell("error");
    await vi.advanceTimersByTimeAsync(1000);
    expect(dashboard.state.session).toMatchObject({ kind: "signed-out", expired: true });
    expect(dashboard.state.live.calls.size).toBe(1);
    expect(dashboard.state.open?.trace?.id).toBe("c1");
    await dashboard.logIn("eva", "right");
    expect(session()).toBe("signed-in");
    expect(dashboard.state.view).toEqual({ kind: "call", id: "c1" });
    expect(streams()).toBe(2);
  });

  it("ends also when an act meets 401", async () => {
    const { dashboard, replies } = open();
    await dashboard.start();
    replies.set("PUT drain", [401, { error: "log in" }]);
    dashboard.ask(dashboard.acts.drain(false, 0));
    await vi.advanceTimersByTimeAsync(0);
    expect(dashboard.state.session).toMatchObject({ kind: "signed-out", expired: true });
  });

  it("leaves nothing on the screen after logging out", async () => {
    const { dashboard, tell, session, asked } = open();
    await dashboard.start();
    tell("snapshot", snapshot);
    await dashboard.logOut();
    expect(session()).toBe("signed-out");
    expect(dashboard.state.live.calls.size).toBe(0);
    expect(asked).toContain("POST logout {}");
  });
});

describe("acts", () => {
  it("that hurt are done only after a yes, and their outcome is told", async () => {
    const { dashboard, replies, asked } = open();
    await dashboard.start();
    replies.set("DELETE calls/c1", [202, {}]);
    dashboard.ask(dashboard.acts.hangUp(call));
    dashboard.answer(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).not.toContain("DELETE calls/c1 {}");
    dashboard.ask(dashboard.acts.hangUp(call));
    expect(dashboard.state.asking?.question).toContain("5001");
    dashboard.answer(true);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked).toContain("DELETE calls/c1 {}");
    expect(dashboard.state.notices).toMatchObject([{ bad: false, text: expect.stringContaining("5001") }]);
    await vi.advanceTimersByTimeAsync(8000);
    expect(dashboard.state.notices).toEqual([]);
  });

  it("that fail say why until they are read", async () => {
    const { dashboard, replies } = open();
    await dashboard.start();
    replies.set("POST certificate/reload", [409, { error: "the key does not fit" }]);
    dashboard.ask(dashboard.acts.reloadCertificate());
    await vi.advanceTimersByTimeAsync(20_000);
    const [notice] = dashboard.state.notices;
    expect(notice).toMatchObject({
      bad: true,
      text: "Reloading the certificate failed: the key does not fit.",
    });
    dashboard.dismiss(notice?.id ?? 0);
    expect(dashboard.state.notices).toEqual([]);
  });

  it("go to addresses that no DN can leave", async () => {
    const { dashboard, asked } = open();
    await dashboard.start();
    const trunk = { state: "", reason: "", server: null };
    const agent = {
      id: "",
      dn: "../drain",
      kind: "sip" as const,
      user_agent: null,
      address: "",
      since: "",
      reachable: true,
      trunk,
      calls: [],
    };
    await dashboard.acts.signOut(agent).run();
    expect(asked).toContain("DELETE agents/..%2Fdrain {}");
  });

  it("keep the file of a capture when it is over", async () => {
    const { dashboard, replies, tell } = open();
    replies.set("GET calls/c1/trace", [200, trace]);
    replies.set("POST calls/c1/capture", [202, { file: "c1.pcap", seconds: 60 }]);
    dashboard.show({ kind: "call", id: "c1" });
    await dashboard.start();
    tell("snapshot", snapshot);
    await dashboard.acts.startCapture("c1").run();
    expect(dashboard.state.open?.capture).toBe("c1.pcap");
    expect(dashboard.api.captureUrl("c1.pcap")).toBe("/api/captures/c1.pcap");
  });
});

describe("the open call", () => {
  it("is read again while it runs, and once more after its end", async () => {
    const { dashboard, replies, asked, tell } = open();
    replies.set("GET calls/c1/trace", [200, trace]);
    await dashboard.start();
    tell("snapshot", snapshot);
    dashboard.show({ kind: "call", id: "c1" });
    const reads = (): number => asked.filter((one) => one === "GET calls/c1/trace").length;
    await vi.advanceTimersByTimeAsync(4000);
    expect(reads()).toBe(3);
    tell("change", { at: snapshot.at, calls: { changed: [], gone: ["c1"] } });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(reads()).toBe(4);
  });

  it("is read again also when the page was opened at its link, before anything was known to run", async () => {
    const { dashboard, replies, asked, tell } = open();
    replies.set("GET calls/c1/trace", [200, trace]);
    dashboard.show({ kind: "call", id: "c1" });
    const started = dashboard.start();
    await Promise.resolve();
    await started;
    // The snapshot comes while the trace is on its way.
    tell("snapshot", snapshot);
    await vi.advanceTimersByTimeAsync(4000);
    expect(asked.filter((one) => one === "GET calls/c1/trace")).toHaveLength(3);
  });

  it("is read at once when it begins to run after its trace was read", async () => {
    const { dashboard, replies, asked, tell } = open();
    replies.set("GET calls/c1/trace", [200, trace]);
    dashboard.show({ kind: "call", id: "c1" });
    await dashboard.start();
    await vi.advanceTimersByTimeAsync(4000);
    expect(asked.filter((one) => one === "GET calls/c1/trace")).toHaveLength(1);
    tell("snapshot", snapshot);
    await vi.advanceTimersByTimeAsync(0);
    expect(asked.filter((one) => one === "GET calls/c1/trace")).toHaveLength(2);
  });

  it("says that no such trace is kept", async () => {
    const { dashboard, replies } = open();
    replies.set("GET calls/gone/trace", [404, { error: "no such trace is kept" }]);
    dashboard.show({ kind: "call", id: "gone" });
    await dashboard.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(dashboard.state.open).toMatchObject({ id: "gone", error: "no such trace is kept" });
  });
});

describe("the search", () => {
  it("asks for every meaning of a term once the typing rests, and shows each call once, newest first", async () => {
    const { dashboard, replies, asked } = open();
    await dashboard.start();
    dashboard.show({ kind: "past" });
    const old = { id: "a", since: "2026-11-21T10:00:00Z" };
    const young = { id: "b", since: "2026-11-21T11:00:00Z" };
    replies.set("GET traces?dn=50", [200, { traces: [old] }]);
    replies.set("GET traces?number=50", [200, { traces: [old, young] }]);
    replies.set("GET traces?callId=50", [200, { traces: [] }]);
    replies.set("GET traces?callUuid=50", [200, { traces: [] }]);
    dashboard.lookFor("5");
    dashboard.lookFor("50 ");
    await vi.advanceTimersByTimeAsync(250);
    expect(asked).not.toContain("GET traces?dn=5");
    expect(dashboard.state.past.calls.map(({ id }) => id)).toEqual(["b", "a"]);
    expect(dashboard.state.past).toMatchObject({ loading: false, error: undefined });
  });

  it("drops an answer that comes after the next question", async () => {
    const { dashboard, replies } = open();
    await dashboard.start();
    replies.set("GET traces", [200, { traces: [{ id: "late", since: "" }] }]);
    dashboard.show({ kind: "past" });
    vi.advanceTimersByTime(0);
    dashboard.lookFor("x");
    await vi.advanceTimersByTimeAsync(100);
    expect(dashboard.state.past.calls).toEqual([]);
  });

  it("rests while another view is shown, and says when it cannot be done", async () => {
    const { dashboard, replies, asked } = open();
    await dashboard.start();
    replies.set("GET traces", "down");
    dashboard.show({ kind: "past" });
    await vi.advanceTimersByTimeAsync(10);
    expect(dashboard.state.past.error).toBe("Jackfield does not answer");
    dashboard.show({ kind: "now" });
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(asked.filter((one) => one.startsWith("GET traces")).length).toBe(1);
    expect(asked.length).toBe(before);
  });
});

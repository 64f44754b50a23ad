import { beforeEach, describe, expect, it } from "vitest";
import { GatewayDrain, type DrainParts } from "../../../src/cli/gateway/drain.ts";
import { createLogger } from "../../../src/core/index.ts";
import type { SipPresence } from "../../../src/registrar/index.ts";
import type { Flow } from "../../../src/sip/index.ts";
import { FakeClock } from "../../support/fake-clock.ts";

let clock: FakeClock;
let pages: SipPresence[];
/** DNs that SIP Server still has, and those in a call. */
let held: Set<string>;
let talking: Set<string>;
/** REGISTERs are under way. */
let busy: boolean;
/** What was done, in order. */
let done: string[];
let drain: GatewayDrain;
let b2bua: DrainParts["b2bua"];
let registrar: DrainParts["registrar"];

/** Only what a drain looks at. */
const page = (dn: string): SipPresence =>
  ({ kind: "sip", dn, reachable: true, flow: { id: `flow of ${dn}` } as Flow }) as SipPresence;

beforeEach(() => {
  clock = new FakeClock();
  [pages, done, busy] = [[], [], true];
  [held, talking] = [new Set(), new Set()];
  b2bua = {
    draining: false,
    get size() {
      return talking.size;
    },
    busy: ({ dn }) => talking.has(dn),
    hasCallOn: ({ id }) => talking.has(id.replace("flow of ", "")),
  };
  registrar = {
    draining: false,
    presences: () => pages,
    letGo(presence) {
      pages = pages.filter((other) => other !== presence);
      done.push(`let go ${presence.dn}`);
      return presence.kind === "sip" && presence.flow ? [presence.flow] : [];
    },
  };
  drain = new GatewayDrain({
    b2bua,
    registrar,
    trunkRegistrations: {
      drain: (draining) => void done.push(draining ? "un-register" : "register"),
      holds: (dn) => held.has(dn),
      get quiet() {
        return !busy;
      },
      servers: () => [],
    },
    webSocket: () => ({ move: ({ id }) => done.push(`move ${id}`) > 0 }),
    clock,
    log: createLogger("silent", { write: () => {} }),
    close: (reason) => {
      done.push(`close: ${reason}`);
      drain.closing();
    },
  });
});

const moved = (): string[] => done.filter((what) => what.startsWith("move")).map((what) => what.slice(13));

describe("a drain that ends with the process", () => {
  it("tells a page to move only when SIP Server has forgotten its DN, and lets it go before", () => {
    pages = [page("5001"), page("5002")];
    held = new Set(["5001", "5002"]);
    drain.begin({ exit: { seconds: 60 } });
    clock.advance(1000);
    expect(done).toEqual(["un-register"]);
    held.delete("5002");
    clock.advance(250);
    expect(done).toEqual(["un-register", "let go 5002", "move flow of 5002"]);
    held.delete("5001");
    clock.advance(250);
    expect(moved()).toEqual(["5002", "5001"]);
    expect(done.at(-1)).toBe("close: gateway is shutting down");
    expect(clock.pendingTimers).toBe(0);
  });

  it("leaves a page alone as long as a call goes by its connection, and moves it behind that", () => {
    pages = [page("5001"), page("5002")];
    talking = new Set(["5001"]);
    drain.begin({ exit: { seconds: 60 } });
    clock.advance(59_000);
    expect(moved()).toEqual(["5002"]);
    talking.clear();
    clock.advance(250);
    expect(moved()).toEqual(["5002", "5001"]);
    expect(done.at(-1)).toBe("close: gateway is shutting down");
  });

  it("is held up by no SIP Server that keeps an un-REGISTER waiting for ever", () => {
    pages = [page("5001")];
    held = new Set(["5001"]);
    drain.begin({ exit: { seconds: 60 } });
    clock.advance(10_000);
    expect(moved()).toEqual([]);
    busy = false;
    clock.advance(250);
    expect(moved()).toEqual(["5001"]);
  });

  it("moves no more than a hundred pages a second, whatever others of them are in a call", () => {
    const dns = Array.from({ length: 300 }, (_, index) => String(5001 + index));
    pages = dns.map(page);
    talking = new Set(dns.slice(0, 100));
    drain.begin({ exit: { seconds: 60 } });
    clock.advance(0);
    expect(moved()).toHaveLength(25);
    clock.advance(1000);
    expect(moved()).toHaveLength(125);
    clock.advance(10_000);
    expect(moved()).toEqual(dns.slice(100));
  });

  it("ends the calls when its time is over, not a moment before, and not again", () => {
    pages = [page("5001")];
    talking = new Set(["5001"]);
    drain.begin({ exit: { seconds: 10.1 } });
    clock.advance(10_099);
    expect(done).toEqual(["un-register"]);
    expect(drain.progress).toEqual({ state: "draining", calls: 1, pages: 1, dns: 0, secondsLeft: 1 });
    clock.advance(1);
    expect(done).toEqual([
      "un-register",
      "close: gateway is restarting, and the time for running calls is over",
    ]);
    clock.advance(60_000);
    expect(done).toHaveLength(2);
    expect([drain.begin(), drain.cancel(), clock.pendingTimers]).toEqual([false, false, 0]);
  });

  it("gets another deadline by a further order", () => {
    pages = [page("5001")];
    talking = new Set(["5001"]);
    drain.begin({ exit: { seconds: 10 } });
    clock.advance(5000);
    expect(drain.begin({ exit: { seconds: 10 } })).toBe(true);
    clock.advance(9999);
    expect(drain.state).toBe("draining");
    clock.advance(1);
    expect(drain.state).toBe("closing");
  });
});

describe("a drain without end", () => {
  it("refuses what is new, moves no page and never closes; cancelled, all is as before", () => {
    pages = [page("5001")];
    expect(drain.begin()).toBe(true);
    clock.advance(3_600_000);
    expect([b2bua.draining, registrar.draining, done]).toEqual([true, true, ["un-register"]]);
    expect([drain.exits, drain.cancel()]).toEqual([false, true]);
    expect([b2bua.draining, registrar.draining, drain.state]).toEqual([false, false, "serving"]);
    expect(done).toEqual(["un-register", "register"]);
  });

  it("is taken back also where it was to end with the process: nothing closes later", () => {
    pages = [page("5001")];
    talking = new Set(["5001"]);
    drain.begin({ exit: { seconds: 10 } });
    expect(drain.exits).toBe(true);
    drain.cancel();
    clock.advance(60_000);
    expect([drain.exits, done, clock.pendingTimers]).toEqual([false, ["un-register", "register"], 0]);
  });
});

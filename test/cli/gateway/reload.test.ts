import { expect, it } from "vitest";
import { Reloader, type ReloadedRooms } from "../../../src/cli/gateway/reload.ts";
import { LiveConfig } from "../../../src/cli/gateway/live-config.ts";
import type { ConfigResult } from "../../../src/config/index.ts";
import { silentLogger } from "../../../src/core/index.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { configOf, load, minimal } from "../../config/support.ts";

const certificates = { "one.pem": "PEM", "one.key": "PEM", "two.pem": "PEM", "two.key": "PEM" };
const withTls = (name: string): string =>
  minimal.replace("host: 127.0.0.1", `host: 127.0.0.1, tls: { cert: ${name}.pem, key: ${name}.key }`);
const read = (yaml: string): ConfigResult => load(yaml, { files: certificates });

/** A gateway's rooms that note what they are told. */
function begin(before: string, { unusable }: { readonly unusable?: string } = {}) {
  const told: string[] = [];
  const live = new LiveConfig(configOf(before, { files: certificates }), silentLogger);
  live.events.on("changed", () => told.push("changed"));
  let file = before;
  const drain: { state: ReloadedRooms["drain"]["state"] } = { state: "serving" };
  const rooms: ReloadedRooms = {
    live,
    surroundings: {
      clock: new FakeClock(),
      random: new CountingRandom(),
      log: silentLogger,
      configuration: { load: () => read(file), watchedFiles: [] },
      pageDirectory: "",
    },
    drain,
    http: {
      useCertificate: () => {
        told.push("certificate");
        return unusable;
      },
    },
    webSocket: () => ({ configure: () => void told.push("web socket") }),
    b2bua: { configure: () => void told.push("b2bua") },
    admin: undefined,
    tokens: undefined,
  };
  const reloader = new Reloader(rooms);
  const reload = (yaml: string) => {
    file = yaml;
    return reloader.reload("test");
  };
  return { live, told, drain, reload };
}

const keysOf = (result: ReturnType<Reloader["reload"]>): readonly string[] =>
  "changes" in result ? result.changes.map(({ key }) => key) : [];

it("a change that is fit for a reload is put in force in all rooms", () => {
  const { live, told, reload } = begin(minimal);
  const result = reload(`${minimal}\nshutdown: { drainSeconds: 7 }`);
  expect([result.outcome, keysOf(result)]).toEqual(["applied", ["shutdown.drainSeconds"]]);
  expect(live.current.shutdown.drainSeconds).toBe(7);
  expect(told).toEqual(["web socket", "b2bua", "changed"]);
});

it("one key that needs a restart keeps all others back, the certificate too, and is told alone", () => {
  const { live, told, reload } = begin(withTls("one"));
  const before = live.current;
  const result = reload(`${withTls("two")}\nshutdown: { drainSeconds: 7 }\ntrace: { calls: 3 }`);
  expect([result.outcome, keysOf(result)]).toEqual(["restart", ["trace.calls"]]);
  expect([told, live.current]).toEqual([[], before]);
});

it.each<[string, string]>([
  [minimal, withTls("one")],
  [withTls("one"), minimal],
])("TLS is not switched on or off by a reload", (before, after) => {
  const { told, reload } = begin(before);
  const result = reload(after);
  expect(result.outcome).toBe("restart");
  for (const key of keysOf(result)) expect(key).toMatch(/^http\.tls/);
  expect(told).toEqual([]);
});

it("the administrator's pages are not switched on or off by a reload", () => {
  const on = `${minimal}\nadmin: { token: "0123456789abcdef0123456789abcdef" }`;
  for (const [before, after] of [
    [minimal, on],
    [on, minimal],
  ] as const) {
    const { told, reload } = begin(before);
    expect([reload(after).outcome, told]).toEqual(["restart", []]);
  }
});

it("the last key of sign-in tokens is not taken away: sessions made with it would go on", () => {
  const token = 'token: "0123456789abcdef0123456789abcdef"';
  const users = "users: [{ name: anna, role: read, password: anna's long horse }]";
  const { live, told, reload } = begin(`${minimal}\nadmin: { ${token}, ${users} }`);
  const before = live.current;
  const result = reload(`${minimal}\nadmin: { ${users} }`);
  expect([result.outcome, keysOf(result)]).toEqual(["restart", ["admin.token"]]);
  expect([told, live.current]).toEqual([[], before]);
});

it("a certificate that cannot be used keeps the whole change back", () => {
  const { live, told, reload } = begin(withTls("one"), { unusable: "its key does not fit" });
  const before = live.current;
  expect(reload(`${withTls("two")}\nshutdown: { drainSeconds: 7 }`)).toEqual({
    outcome: "impossible",
    reason: "its key does not fit",
  });
  expect([told, live.current]).toEqual([["certificate"], before]);
});

it("nothing is reloaded while the gateway closes, and everything while it only drains", () => {
  const { told, drain, reload } = begin(minimal);
  const changed = `${minimal}\nshutdown: { drainSeconds: 7 }`;
  for (const state of ["closing", "closed"] as const) {
    drain.state = state;
    expect(reload(changed)).toEqual({ outcome: "impossible", reason: "the gateway is closing" });
  }
  expect(told).toEqual([]);
  drain.state = "draining";
  expect(reload(changed).outcome).toBe("applied");
});

import { expect, it } from "vitest";
import { demoAdmin, demoConfig, demoDns, demoPassword, findAccount } from "../../src/config/index.ts";

it("is on loopback only, with two accounts and the sandbox as SIP Server", () => {
  const config = demoConfig();
  const hosts = [config.http.host, config.sip.host, config.sip.advertisedAddress];
  expect([...hosts, config.media.host, config.media.advertisedAddress]).toEqual(
    Array.from({ length: 5 }, () => "127.0.0.1"),
  );
  expect(config.http).toMatchObject({ port: 8080 });
  expect(config.sip.port).toBe(0);
  expect(config.websocket.origins).toEqual(["http://127.0.0.1:8080", "http://localhost:8080"]);
  expect(config.sipServer.addresses).toEqual([{ host: "127.0.0.1", port: 15060, transport: "udp" }]);
  expect(demoDns.map((dn) => findAccount(config, dn)?.credentials)).toEqual(
    demoDns.map((dn) => ({ kind: "password", password: demoPassword(dn) })),
  );
});

it("has a dashboard where a password for it is given, and lets pages of its own origins frame the softphone", () => {
  expect(demoConfig().admin.users).toEqual([]);
  const { admin, page, trace } = demoConfig({ adminPassword: "0123456789abcdef" });
  expect(admin.users).toEqual([{ name: demoAdmin, role: "operate", password: "0123456789abcdef" }]);
  expect(page.embedding.origins).toEqual(["http://127.0.0.1:8080", "http://localhost:8080"]);
  expect(trace.calls).toBeGreaterThan(0);
});

it("serves WWE's endpoint to its own origins where there is a token to make tokens from", () => {
  expect(demoConfig().endpoint.enabled).toBe(false);
  const { endpoint, admin } = demoConfig({ adminToken: "0123456789abcdef" });
  expect(endpoint).toMatchObject({
    enabled: true,
    origins: ["http://127.0.0.1:8080", "http://localhost:8080"],
  });
  expect(admin.token).toBe("0123456789abcdef");
});

it("takes other ports", () => {
  const config = demoConfig({ httpPort: 80, sipPort: 5062, sandboxPort: 5070 });
  expect(config.websocket.origins).toEqual(["http://127.0.0.1", "http://localhost"]);
  expect([config.http.port, config.sip.port, config.sipServer.addresses[0]?.port]).toEqual([80, 5062, 5070]);
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { enrol, GatewayClient, loadSettings, type CredentialStore } from "../../src/bridge/index.ts";
import { readEnrolment } from "../../src/bridge/gateway/enrolment.ts";
import { enrolBridge } from "../../src/cli/commands/bridge/enrol.ts";
import { TestAuthority } from "../support/certificates.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { agentToken, FakeGateway } from "./support/fake-gateway.ts";
import { FakeMachine } from "./support/fake-machine.ts";
import { newFolder } from "./support/pc.ts";

class MemoryStore implements CredentialStore {
  kept: string | undefined;
  read(): Promise<string | undefined> {
    return Promise.resolve(this.kept);
  }
  write(secret: string): Promise<void> {
    this.kept = secret;
    return Promise.resolve();
  }
  clear(): Promise<void> {
    this.kept = undefined;
    return Promise.resolve();
  }
}

const clock = new FakeClock();
const code = "7K2M-Q9XD-04VT";
let gateway: FakeGateway;
let store: MemoryStore;
let client: GatewayClient;

beforeEach(async () => {
  gateway = await new FakeGateway().listen();
  store = new MemoryStore();
  client = new GatewayClient({ url: gateway.url, authorities: [], clock });
});
afterEach(async () => {
  client.close();
  await gateway.close();
  expect(clock.pendingTimers).toBe(0);
});

describe("enrolment", () => {
  it("exchanges the code for the agent's token, which is kept with its gateway", async () => {
    expect(await enrol(code, gateway.url, client, store)).toEqual({ dn: "5001" });
    expect(await readEnrolment(store)).toEqual({ gateway: gateway.url, token: agentToken, dn: "5001" });
  });

  it.each([
    [401, "wrong, used or expired"],
    [429, "too many wrong codes"],
    [404, "no endpoint API"],
    [500, "HTTP 500"],
  ])("says why not, at %i, and keeps nothing", async (status, words) => {
    gateway.answers.set("POST /endpoint/enrol", { status });
    expect(await enrol(code, gateway.url, client, store)).toEqual({
      fault: expect.stringContaining(words) as string,
    });
    expect(store.kept).toBeUndefined();
  });

  it.each(["{}", "no JSON", '{"token":"../../admin"}', '{"token":"a b c d e f g h"}', "null"])(
    "takes no answer such as %s",
    async (body) => {
      gateway.answers.set("POST /endpoint/enrol", { body });
      expect(await enrol(code, gateway.url, client, store)).toHaveProperty("fault");
      expect(store.kept).toBeUndefined();
    },
  );

  it.each(["\u001b]0;title\u0007", "5001\n", "x".repeat(65), ""])("shows nobody the DN %j", async (dn) => {
    const body = JSON.stringify({ token: agentToken, dn });
    gateway.answers.set("POST /endpoint/enrol", { body });
    expect(await enrol(code, gateway.url, client, store)).toEqual({ dn: "not told" });
  });

  it("says which file is missing where gateway.ca is not there, in one line", async () => {
    const folder = newFolder();
    const file = join(folder, "bridge.json");
    writeFileSync(file, JSON.stringify({ folder, gateway: { ca: "/nowhere/ca.pem" } }));
    const error = vi.spyOn(console, "error").mockImplementation(() => {});
    const exit = await enrolBridge(await loadSettings(new FakeMachine(), file), code, gateway.url);
    const said = error.mock.calls;
    error.mockRestore();
    expect([exit, said]).toEqual([1, [[expect.stringMatching(/^not enrolled: ENOENT.*nowhere\/ca\.pem/)]]]);
    expect(gateway.asked).toEqual([]);
  });

  it("that is kept but is none counts as none", async () => {
    for (const kept of ["", "{", "[]", '{"gateway":"x","token":"long-enough"}', '{"token":"long-enough"}']) {
      store.kept = kept;
      expect(await readEnrolment(store)).toBeUndefined();
    }
  });
});

describe("a gateway's certificate", () => {
  const authority = new TestAuthority();
  const good = authority.issue("gateway", "IP:127.0.0.1");
  const other = authority.issue("other", "DNS:other.example.com");

  const problemOf = async (certificate: typeof good, authorities: readonly string[]): Promise<string> => {
    const secure = await new FakeGateway(certificate).listen();
    const asking = new GatewayClient({ url: secure.url, authorities, clock });
    try {
      const { status } = await asking.ask({ method: "GET", path: "/Ping" });
      return `HTTP ${status}`;
    } catch (error) {
      return error instanceof Error ? error.message : "";
    } finally {
      asking.close();
      await secure.close();
    }
  };

  it("is taken when an authority signed it that the machine or `gateway.ca` names", async () => {
    expect(await problemOf(good, [authority.ca.cert])).toBe("HTTP 200");
  });

  it("is refused otherwise, with words for what to mend", async () => {
    expect(await problemOf(good, [])).toContain("gateway.ca");
    expect(await problemOf(other, [authority.ca.cert])).toContain("is for another name");
    authority.remove();
  });
});

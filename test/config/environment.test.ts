import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/index.ts";
import { configOf, faultsOf, load, minimal } from "./support.ts";

describe("environment variables", () => {
  it("win over the file, in upper or lower case, with single underscores ignored", () => {
    const env = {
      JACKFIELD__HTTP__PORT: "9443",
      jackfield__media__workers: "2",
      JACKFIELD__SIP_SERVER__OPTIONS_SECONDS: "7.5",
      JACKFIELD__HTTP__ALLOWINSECURE: "TRUE",
    };
    const config = configOf(minimal, { env });
    expect(config.http).toMatchObject({ port: 9443, allowInsecure: true });
    expect(config.media.workers).toBe(2);
    expect(config.sipServer.optionsSeconds).toBe(7.5);
  });

  it("set lists with commas or as YAML, and ports as a pair", () => {
    const env = {
      JACKFIELD__SIPSERVER__ADDRESSES: "192.0.2.11:5060, sips.example.com",
      JACKFIELD__SIPSERVER__ALLOW: '["192.0.2.0/24"]',
      JACKFIELD__MEDIA__RTPPORTS: "12000, 13001",
      JACKFIELD__AGENTS__ACCOUNTS: '[{ dn: "7001", password: "one two" }]',
    };
    const config = configOf(minimal, { env });
    expect(config.sipServer.addresses.map(({ host }) => host)).toEqual(["192.0.2.11", "sips.example.com"]);
    expect(config.sipServer.allow).toEqual(["192.0.2.0/24"]);
    expect(config.media.rtpPorts).toEqual([12000, 13001]);
    expect(config.agents.accounts.map(({ dn }) => dn)).toEqual(["7001"]);
  });

  it("set and add single entries, a whole list first", () => {
    const env = {
      JACKFIELD__AGENTS__ACCOUNTS__0__PASSWORD: "from the environment",
      JACKFIELD__AGENTS__ACCOUNTS__1__DN: "5002",
      JACKFIELD__AGENTS__ACCOUNTS__1__PASSWORD: "another",
    };
    expect(configOf(minimal, { env }).agents.accounts).toEqual([
      { dn: "5001", password: "from the environment" },
      { dn: "5002", password: "another" },
    ]);
  });

  it("keep a password of digits as text", () => {
    const env = { JACKFIELD__SIPSERVER__AUTH__PASSWORD: "0042" };
    expect(configOf(minimal, { env }).sipServer.auth.password).toBe("0042");
  });

  it("suffice without a file", () => {
    const env = {
      JACKFIELD__HTTP__HOST: "127.0.0.1",
      JACKFIELD__SIP__ADVERTISEDADDRESS: "192.0.2.20",
      JACKFIELD__MEDIA__ADVERTISEDADDRESS: "192.0.2.20",
      JACKFIELD__SIPSERVER__ADDRESSES: "192.0.2.10",
    };
    const result = loadConfig({ env });
    expect(result.ok && result.config.sipServer.addresses).toEqual([
      { host: "192.0.2.10", port: 5060, transport: "udp" },
    ]);
  });

  it("are named in the faults they cause, secrets cut", () => {
    const env = {
      JACKFIELD__HTTP__PORT: "many",
      JACKFIELD__AGENTS__ACCOUNTS__0__PASSWORD: "x".repeat(300),
    };
    const faults = faultsOf(minimal, { env });
    expect(faults.map(({ key, value, where }) => [key, value, where])).toEqual([
      ["http.port", '"many"', "JACKFIELD__HTTP__PORT"],
      ["agents.accounts[0].password", "[cut]", "JACKFIELD__AGENTS__ACCOUNTS__0__PASSWORD"],
    ]);
  });

  it("that name no key are faults", () => {
    const env = { JACKFIELD__HTTP__PROT: "1", JACKFIELD__: "1", JACKFIELD__HTTP__PORT__X: "1" };
    expect(faultsOf(minimal, { env }).map(({ key, reason }) => `${key} ${reason}`)).toEqual([
      "JACKFIELD__ names no known key",
      "JACKFIELD__HTTP__PORT__X names no known key",
      "JACKFIELD__HTTP__PROT names no known key",
    ]);
  });

  it("that leave a gap in a list, or go into what is no map, are faults", () => {
    const gap = { JACKFIELD__AGENTS__ACCOUNTS__5__DN: "1" };
    expect(faultsOf(minimal, { env: gap })[0]?.reason).toBe("has no place for agents.accounts[5].dn");
    const scalar = minimal.replace("http: { host: 127.0.0.1 }", "http: 5");
    const faults = faultsOf(scalar, { env: { JACKFIELD__HTTP__PORT: "1" } });
    expect(faults.map(({ reason }) => reason)).toEqual([
      "is not a map of keys",
      "has no place for http.port",
    ]);
  });

  it("with broken YAML in them are faults of their key", () => {
    const env = { JACKFIELD__AGENTS__ACCOUNTS: "[{ dn: " };
    expect(faultsOf(minimal, { env })[0]).toMatchObject({
      key: "agents.accounts",
      where: "JACKFIELD__AGENTS__ACCOUNTS",
    });
  });

  it("without the prefix are left alone", () => {
    expect(load(minimal, { env: { JACKFIELD_HTTP_PORT: "x", HTTP__PORT: "x", PATH: "/bin" } }).ok).toBe(true);
  });
});

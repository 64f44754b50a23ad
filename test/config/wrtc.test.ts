import { describe, expect, it } from "vitest";
import { configChanges, demoConfig, ssidSecret } from "../../src/config/index.ts";
import { testConfig } from "../support/test-gateway.ts";

function load(sections: Readonly<Record<string, object>>) {
  const result = testConfig("127.0.0.1:5060", sections);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result;
}

const token = "0123456789abcdef0123456789abcdef";
const warnedKeys = (sections: Readonly<Record<string, object>>): string[] =>
  load(sections).warnings.map(({ key }) => key);

describe("wrtc", () => {
  it("is off, and safe where it is switched on", () => {
    expect(load({}).config.wrtc.enabled).toBe(false);
    expect(load({ wrtc: { enabled: true } }).config.wrtc).toMatchObject({
      paths: ["/wrtc", "/api/webrtc"],
      origins: [],
      allowAnonymous: false,
      waitSeconds: 25,
      expirySeconds: 150,
    });
  });

  it("is on in the demo, for the demo's own pages", () => {
    expect(demoConfig({ httpPort: 8081 }).wrtc).toMatchObject({
      enabled: true,
      origins: ["http://127.0.0.1:8081", "http://localhost:8081"],
      allowAnonymous: false,
    });
  });

  it.each([["/"], ["wrtc"], ["/a/"], ["//a"], ["/a?b"], ["/a/b/c/d/e"], ["/.."], ["/:x"], ["/*"]])(
    "takes no path that is none: %s",
    (path) => {
      expect(testConfig("127.0.0.1:5060", { wrtc: { paths: [path] } }).ok).toBe(false);
    },
  );

  it("takes none as a path, and origins alone as origins", () => {
    expect(load({ wrtc: { paths: ["", "/a/b"] } }).config.wrtc.paths).toEqual(["", "/a/b"]);
    for (const origin of ["*", "https://a.example.com/", "a.example.com", "null"])
      expect(testConfig("127.0.0.1:5060", { wrtc: { origins: [origin] } }).ok).toBe(false);
  });

  it("warns of sign-ins without a password, and of sessions that end with a restart", () => {
    expect(warnedKeys({ wrtc: { enabled: true, allowAnonymous: true }, admin: { token } })).toContain(
      "wrtc.allowAnonymous",
    );
    expect(warnedKeys({ wrtc: { enabled: true } })).toContain("wrtc.enabled");
    expect(warnedKeys({ wrtc: { enabled: true }, admin: { token } })).not.toContain("wrtc.enabled");
    expect(warnedKeys({ wrtc: { allowAnonymous: true } })).not.toContain("wrtc.allowAnonymous");
  });

  it("makes its SSIDs of the key of sign-in tokens", () => {
    expect(ssidSecret(load({ admin: { token } }).config)).toBe(token);
    expect(ssidSecret(load({}).config)).toBeUndefined();
  });

  it("takes other origins and times by a reload, other paths by a restart", () => {
    const [before, after] = [
      { enabled: true },
      { enabled: true, origins: ["https://a.example.com"], waitSeconds: 20, paths: [""] },
    ];
    const [one, other] = [load({ wrtc: before }).config, load({ wrtc: after }).config];
    const changes = configChanges(one, other).filter(({ key }) => key.startsWith("wrtc."));
    expect(Object.fromEntries(changes.map(({ key, reload }) => [key, reload]))).toEqual({
      "wrtc.origins": true,
      "wrtc.waitSeconds": true,
      "wrtc.paths": false,
    });
  });
});

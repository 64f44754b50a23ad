import { describe, expect, it } from "vitest";
import { listenerAsksForToken, metricsAreOn } from "../../src/config/index.ts";
import { configOf, faultsOf, minimal, warned } from "./support.ts";

const yaml = (metrics: string, more = ""): string => `${minimal}\nmetrics: ${metrics}\n${more}`;
const token = "6f0c3c1e9d27a85b";

describe("metrics", () => {
  it("are on the HTTP port where there is a token or somebody to sign in", () => {
    expect(metricsAreOn(configOf(minimal))).toBe(false);
    expect(metricsAreOn(configOf(yaml(`{ token: ${token} }`)))).toBe(true);
    expect(metricsAreOn(configOf(`${minimal}\nadmin: { token: ${token} }`))).toBe(true);
    expect(metricsAreOn(configOf(yaml("{ listen: { port: 9464 } }")))).toBe(false);
  });

  it("take their token from a file, as written or without the line end", () => {
    const { metrics } = configOf(yaml("{ tokenFile: t.txt }"), { files: { "t.txt": `${token}\n` } });
    expect(metrics).toEqual({ token });
    expect(faultsOf(yaml(`{ token: ${token}, tokenFile: t.txt }`))[0]?.key).toBe("metrics.tokenFile");
    expect(warned(yaml("{ token: jackfield-metrics-token }"))[0]).toMatch(/^metrics\.token /);
  });

  it.each([
    ["{ listen: { port: 9464 } }", false],
    [`{ token: ${token}, listen: { host: 192.0.2.20, port: 9464 } }`, true],
    ["{ listen: { host: 192.0.2.20, port: 9464, allowWithoutToken: true } }", false],
  ])("ask for a token on a listener %s: %s", (metrics, asks) => {
    expect(listenerAsksForToken(configOf(yaml(metrics)).metrics)).toBe(asks);
  });

  it("do not listen beyond loopback when there is no token to ask for", () => {
    const [fault] = faultsOf(yaml("{ listen: { host: 0.0.0.0, port: 9464 } }"));
    expect(fault).toMatchObject({ key: "metrics.listen.host", reason: expect.stringContaining("no token") });
    expect(fault?.remedy).toContain("metrics.tokenFile");
    configOf(yaml("{ listen: { host: 0.0.0.0, port: 9464 } }", `admin: { token: ${token} }`));
  });
});

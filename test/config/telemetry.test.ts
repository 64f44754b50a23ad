import { describe, expect, it } from "vitest";
import { configOf, faultsOf, minimal, told, warned } from "./support.ts";

const withHep = (hep: string): string => `${minimal}\nhep: ${hep}\n`;
const withSpans = (value: string, more = ""): string => `${minimal}\nopenTelemetry: ${value}\n${more}`;
const endpoint = '"https://otel.example.com/v1/traces"';

describe("HEP", () => {
  it("is off unless an address is set; its port is Homer's unless told", () => {
    expect(configOf(minimal).hep).toEqual({ transport: "udp", captureId: 2001 });
    expect(configOf(withHep("{ address: homer.example.com }")).hep.receiver).toEqual({
      host: "homer.example.com",
      port: 9060,
    });
    expect(configOf(withHep('{ address: "192.0.2.9:9063" }')).hep.receiver).toEqual({
      host: "192.0.2.9",
      port: 9063,
    });
    for (const bad of ["a b", "192.0.2.300", "homer:99999", "homer;transport=tcp"])
      expect(told(withHep(`{ address: "${bad}" }`))).toHaveLength(1);
  });

  it("has its password from a file, and never in a fault", () => {
    const files = { secret: "hep-password\n" };
    expect(configOf(withHep("{ address: h, passwordFile: secret }"), { files }).hep.password).toBe(
      "hep-password",
    );
    const both = faultsOf(withHep("{ address: h, password: hep-password, passwordFile: secret }"), { files });
    expect(both.map(({ key }) => key)).toEqual(["hep.passwordFile"]);
    expect(JSON.stringify(both)).not.toContain("hep-password");
  });
});

describe("OpenTelemetry", () => {
  it("is off unless an endpoint is set; headers come from the file and the map, whose win", () => {
    expect(configOf(minimal).openTelemetry).toEqual({
      headers: {},
      serviceName: "jackfield",
      sampleRatio: 1,
      showNumbers: false,
    });
    const files = { headers: "# keys\nx-a: from file\n\nx-b: from file\n" };
    const yaml = withSpans(`{ endpoint: ${endpoint}, headersFile: headers, headers: { x-b: mine } }`);
    expect(configOf(yaml, { files }).openTelemetry.headers).toEqual({ "x-a": "from file", "x-b": "mine" });
  });

  it("takes a header as long as tokens get from the file", () => {
    const files = { headers: `authorization: Bearer ${"x".repeat(2000)}\n` };
    const { headers } = configOf(withSpans(`{ endpoint: ${endpoint}, headersFile: headers }`), {
      files,
    }).openTelemetry;
    expect(headers["authorization"]).toHaveLength(2007);
  });

  it("says which line of the file is no header, without the line", () => {
    const faults = faultsOf(withSpans(`{ endpoint: ${endpoint}, headersFile: headers }`), {
      files: { headers: "x-a: b\nsecret without colon\n" },
    });
    expect(faults).toMatchObject([{ key: "openTelemetry.headersFile", reason: "has no header in line 2" }]);
    expect(JSON.stringify(faults)).not.toContain("secret without");
  });

  it.each(["ftp://x/", "otel.example.com:4318", "https://user:pass@otel.example.com/"])(
    "has no endpoint %s",
    (url) => {
      expect(told(withSpans(`{ endpoint: "${url}" }`))).toHaveLength(1);
    },
  );

  it("needs ladders, and warns of keys that travel in the clear", () => {
    expect(told(withSpans(`{ endpoint: ${endpoint} }`, "trace: { calls: 0 }\n"))).toEqual([
      "openTelemetry.endpoint needs the traces of calls, and trace.calls is 0",
    ]);
    const plain = '{ endpoint: "http://otel.example.com/v1/traces", headers: { x-key: abc } }';
    expect(warned(withSpans(plain)).join()).toContain("the headers travel in the clear");
    expect(warned(withSpans(plain.replace("otel.example.com", "127.0.0.1"))).join()).not.toContain(
      "in the clear",
    );
    expect(warned(withSpans('{ endpoint: "http://otel.example.com/" }')).join()).not.toContain(
      "in the clear",
    );
  });
});

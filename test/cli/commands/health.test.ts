import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Gateway } from "../../../src/cli/index.ts";
import { runHealth } from "../../../src/cli/commands/health.ts";
import { TestAuthority } from "../../support/certificates.ts";
import { openTestGateway, openTestSandbox } from "../../support/test-gateway.ts";
import type { Sandbox } from "../../../src/sandbox/index.ts";

let authority: TestAuthority;
let sandbox: Sandbox;
let gateway: Gateway;
let folder: string;

beforeAll(async () => {
  authority = new TestAuthority();
  folder = mkdtempSync(join(authority.folder, "site-"));
  const { certFile: cert, keyFile: key } = authority.issue("gateway", "DNS:elsewhere.example.com");
  sandbox = await openTestSandbox();
  gateway = await openTestGateway({
    sipServer: `127.0.0.1:${sandbox.port}`,
    config: { http: { tls: { cert, key } } },
  });
});

afterAll(async () => {
  await gateway.close();
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
  authority.remove();
});

async function health(text: string, env: Record<string, string> = {}, ready = false) {
  const file = join(folder, "jackfield.yaml");
  writeFileSync(file, text);
  const said: string[] = [];
  const code = await runHealth({ file, env, ready }, (line) => said.push(line));
  return { code, said: said.join("\n") };
}

const tls = "tls: { cert: cert.pem, key: key.pem }";

describe("jackfield health", () => {
  it("asks the configured port over TLS, whoever signed the certificate and whatever name is in it", async () => {
    const { httpPort } = gateway;
    expect(await health(`http: { port: ${httpPort}, ${tls} }`)).toEqual({ code: 0, said: '{"status":"ok"}' });
    expect(await health(`http: { ${tls} }`, { JACKFIELD__HTTP__PORT: String(httpPort) })).toMatchObject({
      code: 0,
    });
  });

  it("answers though other sections are wrong or their secrets cannot be read", async () => {
    const text = `http: { port: ${gateway.httpPort}, ${tls} }\nsip: { port: no }\nagents: { ranges: [{ from: 1, to: 2, passwordFile: /no/such/file }] }`;
    expect(await health(text)).toMatchObject({ code: 0 });
  });

  it("ends with 1 where nothing listens, where it is not ready, and where the port is no port", async () => {
    expect(await health(`http: { port: 9, ${tls} }`)).toMatchObject({
      code: 1,
      said: expect.stringContaining("127.0.0.1:9/health/live: connect ECONNREFUSED"),
    });
    expect(await health("http: { port: many }")).toMatchObject({
      code: 1,
      said: expect.stringContaining("http.port"),
    });
    const draining = createServer((request, response) => {
      response.statusCode = request.url === "/health/ready" ? 503 : 200;
      response.end(`{"status":"${request.url}"}`);
    }).listen(0, "127.0.0.1");
    await once(draining, "listening");
    const place = draining.address();
    const text = `http: { port: ${typeof place === "object" && place ? place.port : 0} }`;
    expect(await health(text)).toEqual({ code: 0, said: '{"status":"/health/live"}' });
    expect(await health(text, {}, true)).toEqual({ code: 1, said: '{"status":"/health/ready"}' });
    draining.close();
  });
});

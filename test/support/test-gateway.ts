import { fileURLToPath } from "node:url";
import { Gateway, type ConfigSource } from "../../src/cli/index.ts";
import { checkTree, type Config, type ConfigResult } from "../../src/config/index.ts";
import {
  createLogger,
  silentLogger,
  systemClock,
  systemRandom,
  type Clock,
  type Logger,
} from "../../src/core/index.ts";
import { openSandbox, type Sandbox, type SandboxOptions } from "../../src/sandbox/index.ts";

export const testOrigin = "http://test.invalid";

export interface TestGatewayOptions {
  /** SIP Server to register at, `127.0.0.1:PORT`. */
  readonly sipServer: string;
  /** Merged over the test configuration, section by section. */
  readonly config?: Readonly<Record<string, object>>;
  /** Default the machine's. */
  readonly clock?: Clock;
  /** Where a reload reads the configuration; default nowhere. */
  readonly source?: ConfigSource;
  /** Default none. */
  readonly log?: Logger;
}

/** Password of every DN in tests. */
export function testPassword(dn: string): string {
  return `secret-${dn}`;
}

/** Below the ephemeral range, 2,000 ports for each of the files that vitest runs side by side. */
const slice = 12_000 + (Number(process.env["VITEST_POOL_ID"] ?? 0) % 8) * 2000;
let gateways = 0;

/** A real gateway of its own in this process, on free loopback ports. */
export async function openTestGateway({
  sipServer,
  config = {},
  clock = systemClock,
  source,
  log = process.env["JACKFIELD_TEST_LOG"] ? createLogger("debug") : silentLogger,
}: TestGatewayOptions): Promise<Gateway> {
  const checked = testConfig(sipServer, config);
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  return Gateway.open(checked.config, {
    clock,
    random: systemRandom,
    log,
    pageDirectory: fileURLToPath(new URL("../../web/dist/", import.meta.url)),
    ...(source ? { configuration: source } : {}),
  });
}

/** What `openTestGateway` gives the gateway; each has RTP ports of its own unless told. */
export function testConfig(sipServer: string, config: Readonly<Record<string, object>> = {}): ConfigResult {
  const host = "127.0.0.1";
  const first = slice + (gateways++ % 50) * 40;
  const tree: Record<string, object> = {
    http: { host, port: 0 },
    websocket: { origins: [testOrigin] },
    sip: { host, port: 0 },
    media: { host, browserPort: 0, rtpPorts: [first, first + 39], workers: 1 },
    agents: { ranges: [{ from: "5001", to: "5999", password: "secret-{dn}" }], minExpires: 10 },
    sipServer: { addresses: [sipServer] },
  };
  for (const [section, values] of Object.entries(config))
    tree[section] = Array.isArray(values) ? values : { ...tree[section], ...values };
  return checkTree(tree, () => undefined, ".", {});
}

/** A sandbox SIP Server on a free loopback port. */
export function openTestSandbox(options: Partial<SandboxOptions> = {}): Promise<Sandbox> {
  return openSandbox({
    host: "127.0.0.1",
    port: 0,
    dns: ["5001-5099"],
    clock: systemClock,
    random: systemRandom,
    log: silentLogger,
    ...options,
  });
}

export type { Config };

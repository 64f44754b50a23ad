/** The gateway of `bench:calls`, `bench:agents`, `bench:endpoint` and `bench:wrtc`, whole, in a process of its own. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway } from "../../src/cli/index.ts";
import { checkTree } from "../../src/config/index.ts";
import { createLogger, systemClock, systemRandom } from "../../src/core/index.ts";
import { createCertificate } from "../../src/media/dtls/index.ts";
import { testOrigin } from "../../test/support/test-gateway.ts";
import { benchOrigin } from "./origin.ts";
import { serve } from "./rpc.ts";

const host = "127.0.0.1";
/** Collections until a heap is as small as it gets: what one frees lets the next free more. */
const collections = 4;

export interface GatewaySettings {
  /** Port of SIP Server on loopback. */
  readonly sipServerPort: number;
  readonly rtpPorts: readonly [number, number];
  readonly workers: number;
  /** HTTPS and WSS, with a certificate made for the run. */
  readonly tls?: boolean;
  /** `media.maxWorkerLoad`; default as in production. */
  readonly maxWorkerLoad?: number;
  /** The section `wrtc`, for clients of that protocol. */
  readonly wrtc?: object;
  /** Switches WWE's endpoint API on, its tokens made of this. */
  readonly adminToken?: string;
}

export interface GatewayMemory {
  readonly residentKb: number;
  /** Main thread only; the workers' heaps are in the resident memory. */
  readonly mainHeapKb: number;
  readonly externalKb: number;
}

let gateway: Gateway | undefined;

function opened(): Gateway {
  if (!gateway) throw new Error("open comes first");
  return gateway;
}

async function open(settings: GatewaySettings): Promise<{ readonly httpPort: number }> {
  const tls = settings.tls ? await certificateFiles() : undefined;
  const { rtpPorts, workers, maxWorkerLoad = 95, adminToken } = settings;
  const tree = {
    http: { host, port: 0, ...(tls ? { tls } : {}) },
    websocket: { origins: [testOrigin] },
    sip: { host, port: 0 },
    media: { host, browserPort: 0, rtpPorts, workers, maxWorkerLoad },
    agents: { ranges: [{ from: "5001", to: "6999", password: "secret-{dn}" }] },
    sipServer: { addresses: [`${host}:${settings.sipServerPort}`], registration: { perSecond: 1000 } },
    ...(settings.wrtc ? { wrtc: settings.wrtc } : {}),
    ...(adminToken === undefined
      ? {}
      : { admin: { token: adminToken }, endpoint: { enabled: true, origins: [benchOrigin] } }),
  };
  const checked = checkTree(tree, () => undefined, ".", {});
  if (!checked.ok) throw new Error(JSON.stringify(checked.faults));
  // Lines are made as in production, and then let go.
  const log = createLogger("info", { write() {} });
  const surroundings = { clock: systemClock, random: systemRandom, log, pageDirectory: "web/dist" };
  gateway = await Gateway.open(checked.config, surroundings);
  return { httpPort: gateway.httpPort };
}

async function certificateFiles(): Promise<{ readonly cert: string; readonly key: string }> {
  const folder = mkdtempSync(join(tmpdir(), "jackfield-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const { certPem, keyPem } = await createCertificate();
  const files = { cert: join(folder, "cert.pem"), key: join(folder, "key.pem") };
  writeFileSync(files.cert, certPem);
  writeFileSync(files.key, keyPem, { mode: 0o600 });
  return files;
}

/** What lives now: a bench that leaves something behind has found a leak. */
function counts(): Gateway["counts"] {
  return opened().counts;
}

async function memory(): Promise<GatewayMemory> {
  for (let round = 0; round < collections; round++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  const kb = (bytes: number): number => Math.round(bytes / 1024);
  return { residentKb: kb(rss), mainHeapKb: kb(heapUsed), externalKb: kb(external) };
}

async function close(): Promise<void> {
  await gateway?.close();
}

const handlers = { open, counts, memory, close };
export type GatewayHandlers = typeof handlers;
serve(handlers);

import { request } from "node:https";
import {
  Bridge,
  type BridgeOptions,
  type BridgeSettings,
  type CertificateView,
} from "../../../src/bridge/index.ts";
import { silentLogger, type Logger } from "../../../src/core/index.ts";
import { TestAuthority } from "../../support/certificates.ts";
import { CountingRandom } from "../../support/counting-random.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { agentToken } from "./fake-gateway.ts";
import { FakeMachine } from "./fake-machine.ts";

export interface LocalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface LocalRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Certificates for 127.0.0.1 of one test file. */
export class LocalTrust {
  readonly authority = new TestAuthority();
  /** What the bridge finds of its certificate. */
  view: CertificateView = {
    expiresAt: "2028-01-01T00:00:00.000Z",
    daysLeft: 700,
    stores: [{ store: "a store", trusted: true }],
    remedy: undefined,
  };
  readonly certificate = this.authority.issue("localhost", "IP:127.0.0.1,DNS:localhost");

  /** Asks a bridge, its certificate verified. */
  ask(
    port: number,
    path: string,
    { method = "GET", headers = {}, body }: LocalRequest = {},
  ): Promise<LocalResponse> {
    return new Promise((resolve, reject) => {
      const ca = this.authority.ca.cert;
      // The name that is verified would else be taken from a `host` among the headers.
      const servername = "localhost";
      const options = { host: "127.0.0.1", servername, port, path, method, headers, ca, agent: false };
      const asked = request(options, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => {
          text += chunk;
        });
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
        );
        response.on("error", reject);
      });
      asked.on("error", reject);
      asked.end(body);
    });
  }
}

export interface OpenedBridge {
  readonly bridge: Bridge;
  readonly clock: FakeClock;
  readonly machine: FakeMachine;
  readonly kept: { secret: string | undefined };
  readonly restarts: { count: number; fault: string | undefined };
  readonly ask: (path: string, request?: LocalRequest) => Promise<LocalResponse>;
}

/** A bridge on a free port, enrolled at `gateway` (unless undefined), without a browser. */
export async function openBridge(
  trust: LocalTrust,
  gateway: string | undefined,
  change: Partial<BridgeSettings> = {},
  log: Logger = silentLogger,
): Promise<OpenedBridge> {
  const clock = new FakeClock();
  const machine = new FakeMachine();
  const enrolment = { gateway, token: agentToken, dn: "5001" };
  const kept = { secret: gateway === undefined ? undefined : JSON.stringify(enrolment) };
  const restarts: OpenedBridge["restarts"] = { count: 0, fault: undefined };
  const options: BridgeOptions = {
    settings: {
      gateway: { url: undefined, ca: undefined },
      port: 0,
      origins: undefined,
      window: "never",
      browser: { path: "/usr/bin/chromium", size: [400, 600], arguments: [] },
      folder: "/state",
      log: { level: "info", megabytes: 1 },
      ...change,
    },
    version: "0.0.0",
    certificate: trust.certificate,
    viewCertificate: () => Promise.resolve(trust.view),
    credentials: {
      read: () => Promise.resolve(kept.secret),
      write: () => Promise.resolve(),
      clear: () => Promise.resolve(),
    },
    authorities: [],
    machine,
    clock,
    random: new CountingRandom(),
    log,
    logTail: () => [
      "a line of the log",
      '{"level":40,"time":0,"pid":1,"hostname":"pc","origin":"https://a.example","msg":"a later line"}',
    ],
    restart: () => {
      restarts.count++;
      return Promise.resolve(restarts.fault);
    },
  };
  machine.files.add("/usr/bin/chromium");
  const bridge = await Bridge.open(options);
  return { bridge, clock, machine, kept, restarts, ask: (path, how) => trust.ask(bridge.port, path, how) };
}

/** Lets sockets and promises go on until `look` finds something. */
export async function until<T>(look: () => T | undefined | false): Promise<T> {
  for (let turn = 0; turn < 7000; turn++) {
    const found = look();
    if (found !== undefined && found !== false) return found;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`not seen: ${String(look)}`);
}

import { checkTree } from "./load.ts";
import { formatFaults } from "./faults.ts";
import type { Config } from "./types.ts";

export interface DemoOptions {
  /** Port of the page. Default 8080. */
  readonly httpPort?: number;
  /** Port of the gateway's SIP socket. Default 0: any free one. */
  readonly sipPort?: number;
  /** Port the sandbox SIP Server listens on. Default 15060: 5060 is often taken. */
  readonly sandboxPort?: number;
  /** Password of `demoAdmin` at /admin/; without it the dashboard is off. */
  readonly adminPassword?: string;
  /** Folder for captures of calls, absolute; without it there are none. */
  readonly captureDirectory?: string;
}

/** Who signs in at the demo's dashboard, with role operate. */
export const demoAdmin = "demo";

/** DNs of the demo; each one's password is `demoPassword(dn)`. */
export const demoDns = ["5001", "5002"] as const;

/** Password of a demo DN: on loopback only, and printed at start. */
export function demoPassword(dn: string): string {
  return `jackfield-${dn}`;
}

/** The embedded configuration of `jackfield demo`: everything on 127.0.0.1, the sandbox as SIP Server. */
export function demoConfig({
  httpPort = 8080,
  sipPort = 0,
  sandboxPort = 15_060,
  adminPassword: password,
  captureDirectory,
}: DemoOptions = {}): Config {
  const host = "127.0.0.1";
  const origins = [`http://${host}:${httpPort}`, `http://localhost:${httpPort}`].map(originOf);
  const tree = {
    http: { host, port: httpPort },
    websocket: { origins },
    sip: { host, port: sipPort },
    // Port 0 toward browsers: any free one, so that a demo starts whatever else runs on the machine.
    media: { host, browserPort: 0, ...(captureDirectory === undefined ? {} : { captureDirectory }) },
    agents: { accounts: demoDns.map((dn) => ({ dn, password: demoPassword("{dn}") })) },
    sipServer: { addresses: [`${host}:${sandboxPort}`] },
    page: { embedding: { origins } },
    wrtc: { enabled: true, origins },
    admin: { users: password === undefined ? [] : [{ name: demoAdmin, role: "operate", password }] },
  };
  const result = checkTree(tree, () => undefined, ".", {});
  if (!result.ok) throw new Error(formatFaults(result.faults, "demo configuration"));
  return result.config;
}

/** Leaves out a default port, as browsers do. */
function originOf(text: string): string {
  return new URL(text).origin;
}

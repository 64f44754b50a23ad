import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoAdmin, demoConfig, demoDns, demoPassword } from "../../config/index.ts";
import { randomId, silentLogger, systemClock, systemRandom } from "../../core/index.ts";
import { Gateway } from "../gateway/gateway.ts";
import { openProcessLog } from "../log/process-log.ts";
import { loadSandbox, noSandbox } from "./sandbox.ts";
import { openFault, pageDirectory } from "./serve.ts";
import { untilSignal } from "./until-signal.ts";

const host = "127.0.0.1";

/** `jackfield demo`: the gateway and a sandbox SIP Server on loopback, with nothing to configure. */
export async function runDemo(options: { port: string | undefined }): Promise<number> {
  const httpPort = Number(options.port ?? 8080);
  if (!Number.isInteger(httpPort) || httpPort < 0 || httpPort > 65_535) {
    console.error(`--port ${options.port}: not a port number`);
    return 2;
  }
  const { log, close } = await openProcessLog({ level: "warn", rooms: {}, format: "auto" }, systemClock);
  const surroundings = { clock: systemClock, random: systemRandom, log };
  const room = await loadSandbox();
  if (!room) {
    console.error(noSandbox);
    return 1;
  }
  const sandbox = await room.openSandbox({ host, port: 0, dns: demoDns, ...surroundings, log: silentLogger });
  // Anew at each start: who may operate is not known to whoever knows the source.
  const adminPassword = randomId(systemRandom);
  const adminToken = randomId(systemRandom, 32);
  const captureDirectory = mkdtempSync(join(tmpdir(), "jackfield-captures-"));
  try {
    const config = demoConfig({
      httpPort,
      sandboxPort: sandbox.port,
      adminPassword,
      adminToken,
      captureDirectory,
    });
    const gateway = await Gateway.open(config, { ...surroundings, pageDirectory: pageDirectory() });
    console.log(welcome({ port: gateway.httpPort, sandbox, adminPassword, adminToken }));
    return await untilSignal({
      log,
      clock: systemClock,
      parts: [gateway, sandbox],
      closed: gateway.closed,
    });
  } catch (error) {
    await sandbox.close();
    console.error(`cannot start: ${openFault(error)}`);
    return 1;
  } finally {
    rmSync(captureDirectory, { recursive: true, force: true });
    await close();
  }
}

interface Welcome {
  readonly port: number;
  readonly sandbox: {
    readonly port: number;
    readonly numbers: readonly { readonly number: string; readonly title: string }[];
  };
  readonly adminPassword: string;
  readonly adminToken: string;
}

function welcome({ port, sandbox, adminPassword, adminToken }: Welcome): string {
  const [first, second] = demoDns;
  const plan = sandbox.numbers.map(({ number, title }) => `    ${number.padEnd(6)} ${title}`);
  return `
Jackfield demo: gateway and sandbox SIP Server are up, on loopback only.

  Open     http://${host}:${port}/
  Sign in  DN ${first}, password ${demoPassword(first)}
           (in a second tab: DN ${second}, password ${demoPassword(second)})
  Dial
${plan.join("\n")}
    ${second.padEnd(6)} the other agent, when signed in

  Dashboard  http://${host}:${port}/admin/
             name ${demoAdmin}, password ${adminPassword}
  Admin API  Authorization: Bearer ${adminToken}
  In a frame http://${host}:${port}/embed-example.html
  grtc.js    webrtc_gateway: "http://${host}:${port}/wrtc", in a page that this host serves
  WWE        docs/endpoint.md; SIP Server is ${host}:${sandbox.port}

Ctrl-C stops it.
`;
}

import {
  certificateFolder,
  faultLine,
  findBrowser,
  GatewayClient,
  GatewayLink,
  loadCertificate,
  secretStore,
  systemMachine,
  thisPc,
  trustedAuthorities,
  type BridgeSettings,
  type LoadedSettings,
} from "../../../bridge/index.ts";
import { silentLogger, systemClock } from "../../../core/index.ts";

/** `jackfield bridge --check`: what is set, what is there, whether the gateway answers. 1 when anything fails. */
export async function checkBridge({ settings, faults, sources }: LoadedSettings): Promise<number> {
  console.log(`settings  ${sources.length === 0 ? "none: defaults" : sources.join(", ")}`);
  for (const fault of faults) console.log(`FAIL      ${faultLine(fault)}`);
  if (faults.length > 0) return 1;
  const results = [checkCertificate(settings), await checkBrowser(settings), await checkGateway(settings)];
  for (const { ok, what } of results) console.log(`${ok ? "ok  " : "FAIL"}      ${what}`);
  return results.every(({ ok }) => ok) ? 0 : 1;
}

interface Result {
  readonly ok: boolean;
  readonly what: string;
}

function checkCertificate({ folder }: BridgeSettings): Result {
  const found = loadCertificate(certificateFolder(folder, thisPc(), systemClock));
  if (!found)
    return { ok: true, what: "certificate: made at the first start; `jackfield bridge trust` makes it, too" };
  const until = new Date(found.expiresAt).toISOString().slice(0, 10);
  return { ok: found.expiresAt > systemClock.wallClock(), what: `certificate: until ${until}` };
}

async function checkBrowser({ browser, window }: BridgeSettings): Promise<Result> {
  const machine = systemMachine(systemClock);
  const path = browser.path ?? (await findBrowser(machine));
  if (path !== undefined && machine.isFile(path)) return { ok: true, what: `browser: ${path}` };
  const what = `browser: ${path ?? "no Chrome or Edge"} is not there; install one, or name it by browser.path`;
  return { ok: window === "never", what };
}

async function checkGateway({ gateway, folder }: BridgeSettings): Promise<Result> {
  try {
    const authorities = trustedAuthorities(gateway.ca);
    const link = new GatewayLink({
      url: gateway.url,
      credentials: secretStore(folder, thisPc()),
      makeClient: (url) => new GatewayClient({ url, authorities, clock: systemClock }),
      clock: systemClock,
      log: silentLogger,
      onChange: () => {},
    });
    await link.status();
    link.close();
    const { problem, dn, gateway: url } = link.view;
    return {
      ok: problem === undefined,
      what: `gateway: ${problem ?? `${url} answers, DN ${dn ?? "not told"}`}`,
    };
  } catch (error) {
    return { ok: false, what: `gateway.ca: ${error instanceof Error ? error.message : String(error)}` };
  }
}

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
  viewCertificate,
  type BridgeSettings,
  type LoadedSettings,
} from "../../../bridge/index.ts";
import { silentLogger, systemClock } from "../../../core/index.ts";

/** `jackfield bridge --check`: what is set, what is there, whether the gateway answers. 1 when anything fails. */
export async function checkBridge({ settings, faults, sources }: LoadedSettings): Promise<number> {
  console.log(`settings  ${sources.length === 0 ? "none: defaults" : sources.join(", ")}`);
  for (const fault of faults) console.log(`FAIL      ${faultLine(fault)}`);
  if (faults.length > 0) return 1;
  const results = [
    ...(await checkCertificate(settings)),
    await checkBrowser(settings),
    await checkGateway(settings),
  ];
  for (const { ok, what } of results) console.log(`${labels.get(ok)}      ${what}`);
  return results.some(({ ok }) => ok === false) ? 1 : 0;
}

const labels: ReadonlyMap<boolean | undefined, string> = new Map([
  [true, "ok  "],
  [false, "FAIL"],
  [undefined, "?   "],
]);

interface Result {
  /** Undefined: not known. */
  readonly ok: boolean | undefined;
  readonly what: string;
}

/** Its age, then the stores of the browsers, one by one. */
async function checkCertificate({ folder }: BridgeSettings): Promise<readonly Result[]> {
  const pc = thisPc();
  const found = loadCertificate(certificateFolder(folder, pc, systemClock));
  if (!found)
    return [
      {
        ok: false,
        what: "certificate: none yet; jackfield bridge trust makes it and has the browsers trust it",
      },
    ];
  const { expiresAt, daysLeft, stores, remedy } = await viewCertificate(found, pc, systemClock);
  const what = `certificate: until ${expiresAt.slice(0, 10)}, ${daysLeft} days left`;
  const mend = remedy === undefined ? "" : `: ${remedy}`;
  const trust = stores.map(({ store, trusted }): Result => {
    if (trusted === undefined) return { ok: trusted, what: `trust: not known of ${store}${mend}` };
    return { ok: trusted, what: trusted ? `trust: ${store}` : `trust: not in ${store}${mend}` };
  });
  const age = { ok: daysLeft >= 0, what: daysLeft < 30 ? `${what}${mend}` : what };
  return [age, ...(stores.length > 0 ? trust : [{ ok: undefined, what: `trust: not known${mend}` }])];
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

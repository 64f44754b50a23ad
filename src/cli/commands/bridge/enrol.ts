import {
  enrol,
  faultLine,
  GatewayClient,
  readGatewayUrl,
  secretStore,
  thisPc,
  trustedAuthorities,
  type LoadedSettings,
} from "../../../bridge/index.ts";
import { systemClock } from "../../../core/index.ts";

/** `jackfield bridge enrol CODE --gateway URL`: without `--gateway`, the settings' `gateway.url`. */
export async function enrolBridge(
  { settings, faults }: LoadedSettings,
  code: string,
  given: string | undefined,
): Promise<number> {
  for (const fault of faults) console.error(faultLine(fault));
  if (faults.length > 0) return 1;
  const checked = given === undefined ? { value: settings.gateway.url } : readGatewayUrl(given);
  if ("reason" in checked) return refuse(`--gateway ${given} ${checked.reason}; ${checked.remedy}`);
  const gateway = checked.value;
  if (gateway === undefined) return refuse("which gateway? --gateway https://gateway.example.com:8443");
  if (settings.gateway.url !== undefined && settings.gateway.url !== gateway)
    return refuse(`the settings say gateway.url ${settings.gateway.url}: leave --gateway out`);
  let client: GatewayClient | undefined;
  try {
    const authorities = trustedAuthorities(settings.gateway.ca);
    client = new GatewayClient({ url: gateway, authorities, clock: systemClock });
    const store = secretStore(settings.folder, thisPc());
    const result = await enrol(code, gateway, client, store);
    if ("fault" in result) return refuse(`not enrolled: ${result.fault}`);
    console.log(`Enrolled for DN ${result.dn} at ${gateway}. The token is kept in ${store.place}.`);
    return 0;
  } catch (error) {
    return refuse(`not enrolled: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    client?.close();
  }
}

function refuse(why: string): number {
  console.error(why);
  return 1;
}

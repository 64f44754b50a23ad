import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import {
  faultLine,
  loadSettings,
  runSetup,
  systemMachine,
  thisPc,
  type LoadedSettings,
  type SetupCommand,
} from "../../bridge/index.ts";
import { silentLogger, systemClock, systemRandom } from "../../core/index.ts";
import { checkBridge } from "./bridge/check.ts";
import { enrolBridge } from "./bridge/enrol.ts";
import { serveBridge } from "./bridge/serve.ts";

export interface BridgeCommand {
  /** What stands behind `bridge`. */
  readonly words: readonly string[];
  readonly settings: string | undefined;
  readonly gateway: string | undefined;
  readonly check: boolean;
  readonly machine: boolean;
}

const setups: readonly SetupCommand[] = ["install", "uninstall", "trust", "untrust"];
export const bridgeUsage = `jackfield bridge: WWE's endpoint on this PC, https://127.0.0.1:8000 (docs/bridge.md)

  jackfield bridge           runs it here until Ctrl-C
  jackfield bridge --check   settings, certificate, browser, gateway: what is wrong and what to mend
  jackfield bridge enrol CODE [--gateway https://GATEWAY]
                             exchanges a code of the gateway's for this agent's token
  jackfield bridge trust | untrust [--machine]
                             the certificate for 127.0.0.1: has browsers trust it, or no more
  jackfield bridge install | uninstall [--machine]
                             starts it at login; takes all of it off this PC again

  --settings FILE   in the place of the settings of person and machine
  --machine         for all users of a Windows PC, as administrator`;

/** `jackfield bridge ...`: the service on an agent's PC, and what is done once for it. Resolves with the exit code. */
export async function runBridge(command: BridgeCommand): Promise<number> {
  const [word, ...rest] = command.words;
  const load = (): Promise<LoadedSettings> => loadSettings(systemMachine(systemClock), command.settings);
  if (word === undefined) return command.check ? await checkBridge(await load()) : await serveBridge(load);
  const setup = setups.find((one) => one === word);
  if (word === "enrol" && rest.length === 1)
    return await enrolBridge(await load(), rest[0] ?? "", command.gateway);
  if (setup !== undefined && rest.length === 0)
    return await runSetup(setup, setupOptions(await load(), command));
  console.error(bridgeUsage);
  return 2;
}

function setupOptions({ settings, faults }: LoadedSettings, { settings: file, machine }: BridgeCommand) {
  for (const fault of faults) console.error(faultLine(fault));
  return {
    folder: settings.folder,
    machine,
    entries: ["browser", "bridge.log", "bridge.log.1"],
    program: {
      node: process.execPath,
      script: fileURLToPath(new URL("../../../bin/jackfield.js", import.meta.url)),
      args: file === undefined ? [] : ["--settings", resolve(file)],
    },
    pc: thisPc(),
    say: (line: string) => console.log(line),
    surroundings: { clock: systemClock, random: systemRandom, log: silentLogger },
  };
}

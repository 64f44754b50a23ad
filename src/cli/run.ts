import { parseArgs } from "node:util";
import { holdSignals } from "./commands/early-signals.ts";
import { version } from "./version.ts";

export const usage = `jackfield ${version}: WebRTC-to-SIP gateway for Genesys contact centres

  jackfield start [--config FILE]   the gateway in production (or JACKFIELD_CONFIG=FILE)
  jackfield check [--config FILE]   tests a configuration: addresses, ports, certificate, SIP Server
  jackfield demo  [--port PORT]     on loopback with a sandbox SIP Server; nothing to configure
  jackfield health [--config FILE] [--ready]
                                    asks the gateway that runs here: does it live, or take new calls; 0 or 1
  jackfield sandbox [--host ADDRESS] [--port PORT] [--dns 5001-5099]
                                    a sandbox SIP Server alone, to try a gateway against
  jackfield hash-password           reads a password, prints its hash for admin.users[].passwordHash
  jackfield ha1 DN [--realm REALM]  reads a password, prints the DN's line for agents.accountsFile
  jackfield import-asterisk pjsip.conf [extensions.conf] [rtp.conf] [http.conf] [--output FILE] [--report FILE]
                                    makes a configuration of Asterisk's and tells what maps (docs/migration.md)
  jackfield bridge [enrol CODE --gateway URL | install | trust | ...] [--check] [--help]
                                    WWE's endpoint on an agent's PC: https://127.0.0.1:8000 (docs/bridge.md)
  jackfield version`;

type Env = Readonly<Record<string, string | undefined>>;

/** Of all commands. */
const options = {
  config: { type: "string", short: "c" },
  port: { type: "string", short: "p" },
  host: { type: "string" },
  dns: { type: "string" },
  ready: { type: "boolean" },
  output: { type: "string", short: "o" },
  report: { type: "string" },
  realm: { type: "string" },
  gateway: { type: "string" },
  settings: { type: "string" },
  check: { type: "boolean" },
  machine: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const;

function readLine(args: readonly string[]) {
  return parseArgs({ args: [...args], allowPositionals: true, options });
}

interface Line {
  readonly values: ReturnType<typeof readLine>["values"];
  /** What stands behind the command. */
  readonly words: readonly string[];
  readonly env: Env;
}

/** Commands that take words; each is loaded when asked for: a health check, once every few seconds, needs no media. */
const commandsWithWords: Readonly<Record<string, (line: Line) => Promise<number>>> = {
  async "import-asterisk"({ words: files, values: { output, report } }) {
    const { runImportAsterisk } = await import("./commands/import-asterisk.ts");
    return runImportAsterisk({ files, output, report });
  },
  async bridge({ words, values: { settings, gateway, check = false, machine = false } }) {
    const { runBridge } = await import("./commands/bridge.ts");
    return runBridge({ words, settings, gateway, check, machine });
  },
  async ha1({ words: [dn, ...more], values: { realm = "jackfield" } }) {
    if (dn === undefined || more.length > 0) return complain();
    const { runHa1 } = await import("./commands/hash-password.ts");
    return runHa1(dn, realm);
  },
};

/** Those that take none. */
const commands: Readonly<Record<string, (line: Line) => Promise<number>>> = {
  async start({ values, env }) {
    const up = holdSignals();
    const { runStart } = await import("./commands/start.ts");
    return runStart({ file: values.config, env, up });
  },
  async demo({ values: { port } }) {
    const { runDemo } = await import("./commands/demo.ts");
    return runDemo({ port });
  },
  async health({ values, env }) {
    const { runHealth } = await import("./commands/health.ts");
    return runHealth({ file: values.config, env, ready: values.ready === true });
  },
  async sandbox({ values }) {
    const { runSandbox } = await import("./commands/sandbox.ts");
    return runSandbox(values);
  },
  async check({ values, env }) {
    const { runCheckCommand } = await import("./commands/check.ts");
    return runCheckCommand({ file: values.config, env });
  },
  async "hash-password"() {
    const { runHashPassword } = await import("./commands/hash-password.ts");
    return runHashPassword();
  },
};

/** Runs one command line; resolves with the exit code, for `start` and `demo` when a signal ended them. */
export async function run(args: readonly string[], env: Env): Promise<number> {
  let parsed;
  try {
    parsed = readLine(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [command = "", ...words] = positionals;
  if (values.help && command === "bridge") {
    const { bridgeUsage } = await import("./commands/bridge.ts");
    return say(bridgeUsage);
  }
  if (values.help || command === "help") return say(usage);
  if (values.version || command === "version") return say(version);
  const known = Object.hasOwn(commandsWithWords, command)
    ? commandsWithWords[command]
    : words.length === 0 && Object.hasOwn(commands, command)
      ? commands[command]
      : undefined;
  return known ? known({ values, words, env }) : complain();
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function complain(): number {
  console.error(usage);
  return 2;
}

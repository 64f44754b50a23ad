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

/** Runs one command line; resolves with the exit code, for `start` and `demo` when a signal ended them. */
export async function run(args: readonly string[], env: Env): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
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
      },
    });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return 2;
  }
  const { values, positionals } = parsed;
  const [command, ...rest] = positionals;
  if (values.help && command === "bridge") {
    const { bridgeUsage } = await import("./commands/bridge.ts");
    return say(bridgeUsage);
  }
  if (values.help || command === "help") return say(usage);
  if (values.version || command === "version") return say(version);
  if (command === "import-asterisk") {
    const { runImportAsterisk } = await import("./commands/import-asterisk.ts");
    return runImportAsterisk({ files: rest, output: values.output, report: values.report });
  }
  if (command === "bridge") {
    const { runBridge } = await import("./commands/bridge.ts");
    const { settings, gateway, check = false, machine = false } = values;
    return runBridge({ words: rest, settings, gateway, check, machine });
  }
  const [dn, ...more] = rest;
  if (command === "ha1" && dn !== undefined && more.length === 0) {
    const { runHa1 } = await import("./commands/hash-password.ts");
    return runHa1(dn, values.realm ?? "jackfield");
  }
  if (rest.length > 0 || command === undefined) return complain();
  // Each is loaded when asked for: a health check, once every few seconds, needs no media.
  switch (command) {
    case "start": {
      const release = holdSignals();
      const { runStart } = await import("./commands/start.ts");
      return runStart({ file: values.config, env, up: release });
    }
    case "demo": {
      const { runDemo } = await import("./commands/demo.ts");
      return runDemo({ port: values.port });
    }
    case "health": {
      const { runHealth } = await import("./commands/health.ts");
      return runHealth({ file: values.config, env, ready: values.ready === true });
    }
    case "sandbox": {
      const { runSandbox } = await import("./commands/sandbox.ts");
      return runSandbox(values);
    }
    case "check": {
      const { runCheckCommand } = await import("./commands/check.ts");
      return runCheckCommand({ file: values.config, env });
    }
    case "hash-password": {
      const { runHashPassword } = await import("./commands/hash-password.ts");
      return runHashPassword();
    }
    default:
      return complain();
  }
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function complain(): number {
  console.error(usage);
  return 2;
}

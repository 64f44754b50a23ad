import { parseArgs } from "node:util";
import { runDemo } from "./demo.ts";
import { runStart } from "./start.ts";
import { version } from "./version.ts";

export const usage = `jackfield ${version}: WebRTC-to-SIP gateway for Genesys contact centres

  jackfield start [--config FILE]   the gateway in production (or JACKFIELD_CONFIG=FILE)
  jackfield check [--config FILE]   tests a configuration: addresses, ports, certificate, SIP Server
  jackfield demo  [--port PORT]     on loopback with a sandbox SIP Server; nothing to configure
  jackfield hash-password           reads a password, prints its hash for admin.users[].passwordHash
  jackfield ha1 DN [--realm REALM]  reads a password, prints the DN's line for agents.accountsFile
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
        realm: { type: "string" },
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
  if (values.help || command === "help") return say(usage);
  if (values.version || command === "version") return say(version);
  const [dn, ...more] = rest;
  if (command === "ha1" && dn !== undefined && more.length === 0) {
    const { runHa1 } = await import("./hash-password.ts");
    return runHa1(dn, values.realm ?? "jackfield");
  }
  if (rest.length > 0 || command === undefined) return complain();
  switch (command) {
    case "start":
      return runStart({ file: values.config, env });
    case "demo":
      return runDemo({ port: values.port });
    case "check": {
      // Loaded when asked for: a running gateway needs none of it.
      const { runCheckCommand } = await import("./check.ts");
      return runCheckCommand({ file: values.config, env });
    }
    case "hash-password": {
      const { runHashPassword } = await import("./hash-password.ts");
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

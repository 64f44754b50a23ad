import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { hashPassword } from "../../admin/index.ts";
import { systemRandom } from "../../core/index.ts";
import { digestHa1 } from "../../sip/index.ts";

const fewest = 8;

type Input = NodeJS.ReadableStream & { readonly isTTY?: boolean };

/** `jackfield ha1 DN [--realm REALM]`: asks for a password and prints a line for `agents.accountsFile`. */
export async function runHa1(
  dn: string,
  realm: string,
  input: Input = process.stdin,
  print: (line: string) => void = console.log,
): Promise<number> {
  const password = await readLine(input);
  if (password === "") {
    console.error("a password has at least one character");
    return 1;
  }
  print(
    `${dn}:${realm}:${digestHa1("MD5", dn, realm, password)}:${digestHa1("SHA-256", dn, realm, password)}`,
  );
  return 0;
}

/** `jackfield hash-password`: asks for a password (or reads one line of a pipe) and prints what the configuration takes. */
export async function runHashPassword(
  input: Input = process.stdin,
  print: (hash: string) => void = console.log,
): Promise<number> {
  const password = await readLine(input);
  if (password.length < fewest) {
    console.error(`a password has at least ${fewest} characters; better 12 and more`);
    return 1;
  }
  print(await hashPassword(password, systemRandom));
  return 0;
}

/** The first line; what is typed at a terminal is not shown. */
function readLine(input: Input): Promise<string> {
  const terminal = input.isTTY === true;
  if (terminal) process.stderr.write("Password: ");
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: silent, terminal });
  return new Promise((resolve) => {
    lines.once("line", (line) => {
      resolve(line);
      lines.close();
    });
    lines.once("close", () => {
      if (terminal) process.stderr.write("\n");
      resolve("");
    });
  });
}

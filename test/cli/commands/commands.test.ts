import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const launcher = fileURLToPath(new URL("../../../bin/jackfield.js", import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts the command as a user would; `until` is text on standard output after which it gets `signal`. */
async function jackfield(
  args: readonly string[],
  stop?: { readonly until: string; readonly meanwhile?: (out: string) => Promise<void> },
): Promise<Ended> {
  const { JACKFIELD_CONFIG: _unset, ...env } = process.env;
  const child = spawn(process.execPath, [launcher, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  let stopping = false;
  child.stderr.on("data", (data: Buffer) => (err += data.toString()));
  child.stdout.on("data", (data: Buffer) => {
    out += data.toString();
    if (!stop || stopping || !out.includes(stop.until)) return;
    stopping = true;
    void (stop.meanwhile?.(out) ?? Promise.resolve()).finally(() => child.kill("SIGTERM"));
  });
  const [code]: unknown[] = await once(child, "close");
  return { code: typeof code === "number" ? code : null, out, err };
}

describe("the command line", () => {
  it("ends start without a configuration with 1 and says what to write", async () => {
    const { code, err } = await jackfield(["start"]);
    expect(code).toBe(1);
    expect(err).toContain("--config FILE");
    expect(err).toContain("sipServer: { addresses:");
  });

  it("prints the version and the usage, and refuses what it does not know with 2", async () => {
    const [version, help, bridge, unknown, option] = await Promise.all([
      jackfield(["version"]),
      jackfield(["--help"]),
      jackfield(["bridge", "--help"]),
      jackfield(["dance"]),
      jackfield(["start", "--loud"]),
    ]);
    expect(version).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    expect(help).toMatchObject({ code: 0, out: expect.stringContaining("jackfield start") });
    expect(bridge).toMatchObject({
      code: 0,
      out: expect.stringContaining("jackfield bridge trust | untrust"),
    });
    expect(unknown).toMatchObject({ code: 2, err: expect.stringContaining("jackfield start") });
    expect(option).toMatchObject({ code: 2, err: expect.stringContaining("--loud") });
  });
});

describe("jackfield demo", () => {
  it("serves health on loopback, says how to sign in and what to dial, and ends cleanly on SIGTERM", async () => {
    let health: unknown;
    let login: unknown;
    const { code, out, err } = await jackfield(["demo", "--port", "0"], {
      until: "Ctrl-C stops it.",
      async meanwhile(text) {
        const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(text)?.[0] ?? "";
        health = await (await fetch(`${url}api/health`)).json();
        const [, name, password] = /name (\w+), password (\w+)/.exec(text) ?? [];
        const answer = await fetch(`${url}api/login`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ name, password }),
        });
        login = await answer.json();
      },
    });
    expect(login).toMatchObject({ name: "demo", role: "operate" });
    expect(health).toMatchObject({ status: "ok", registered_agents: 0, active_calls: 0 });
    expect(out).toContain("DN 5001, password jackfield-5001");
    expect(out).toContain("9196");
    expect({ code, err }).toEqual({ code: 0, err: "" });
  }, 20_000);

  it("says in words that its port is taken, and ends with 1", async () => {
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const address = holder.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const { code, err } = await jackfield(["demo", "--port", String(port)]);
    holder.close();
    expect(code).toBe(1);
    expect(err).toContain("another process has this port");
  }, 20_000);
});
